// Implements areas without mappings: made, found, measured and taken apart.
#include "ref/vmalloc/areas.hpp"

#include <algorithm>
#include <bit>

namespace ref::vmalloc {
namespace {

using namespace core;

// In pages, what the address of an area must be a multiple of (V-4).
std::uint64_t alignment(const Machine& m, std::uint64_t pages, std::uint32_t flags) {
  if (!(flags & VM_IOREMAP)) return 1;
  const std::uint64_t most = std::uint64_t{m.config.page_bytes} / 4;  // what one page table maps
  constexpr std::uint64_t most_before = 128;                          // 7 + PAGE_SHIFT
  switch (m.profile().ioremap_alignment) {
    case IoremapAlignment::above_size: return std::min(std::bit_ceil(pages + 1), most_before);
    case IoremapAlignment::at_least_size: return std::min(std::bit_ceil(pages), most);
  }
  UNREACHABLE("an alignment outside the list");
}

Answer<Address> alloc_descriptor(Env& env, Machine& m, Gfp gfp, Node node) {
  const std::uint64_t bytes = m.profile().vm_struct_bytes;
  if (node) return kmalloc::kmalloc_node(env, m, bytes, gfp & reclaim_mask, *node);
  return kmalloc::kmalloc(env, m, bytes, gfp & reclaim_mask);
}

}  // namespace

bool up(const Machine& m) { return m.vmalloc.range.count > 0 && globals_of(m).up != 0; }

void might_sleep(Machine& m) {
  if (m.profile().vmalloc_might_sleep && in_atomic(m))
    report(m, Fault::sleeping_in_atomic, Effect::none);
}

bool refused_in_interrupt(Machine& m) {
  if (!in_interrupt(m)) return false;
  report(m, Fault::in_interrupt, Effect::none);
  return true;
}

// __get_vm_area_node
Answer<Index> get_area(Env& env, Machine& m, const AreaAsk& ask) {
  if (m.profile().areas_refuse_interrupts && refused_in_interrupt(m))
    return std::unexpected(Refused::misuse);
  const std::uint64_t page_bytes = m.config.page_bytes;
  // Whatever wraps is more than the window has (V-3).
  if (!up(m) || ask.bytes == 0 || ask.bytes > m.profile().size_max - 2 * page_bytes)
    return std::unexpected(Refused::no_memory);
  const std::uint64_t mapped = (ask.bytes + page_bytes - 1) >> slab::page_shift(m);
  const std::uint64_t align = alignment(m, mapped, ask.flags);
  const std::uint64_t pages = mapped + (ask.flags & VM_NO_GUARD ? 0 : 1);
  const Answer<Address> descriptor = alloc_descriptor(env, m, ask.gfp, ask.node);
  if (!descriptor) return std::unexpected(descriptor.error());
  const Answer<Index> page = alloc_range(env, m, pages, align, ask.gfp, ask.node);
  if (!page) {
    kmalloc::kfree(env, m, *descriptor);
    return page;
  }
  Area& area = edit_area(m, *page);
  area.object = static_cast<std::uint64_t>(*descriptor);
  area.flags = ask.flags | VM_UNINITIALIZED;
  area.caller = m.cpu().task + 1;
  return page;
}

std::optional<Index> find_area(const Machine& m, Address address) {
  if (!up(m)) return std::nullopt;
  const std::uint64_t page = (static_cast<std::uint64_t>(address) >> slab::page_shift(m));
  if (page < window_base(m)) return std::nullopt;
  const std::optional<Index> first = busy_at(m, page - window_base(m));
  if (!first || area_of(m, *first).object == 0) return std::nullopt;
  if (area_of(m, *first).flags & VM_UNINITIALIZED) return std::nullopt;
  if (!m.profile().areas_found_by_any_page && address != address_of(m, *first)) return std::nullopt;
  return first;
}

Area take_area(Machine& m, Index page) {
  const Area area = area_of(m, page);
  REQUIRE(area.object != 0);
  edit_area(m, page) = {};
  return area;
}

Answer<Address> get_vm_area(Env& env, Machine& m, std::uint64_t size, std::uint32_t flags) {
  const Answer<Index> page = get_area(env, m,
                                      {.bytes = size,
                                       .flags = flags & m.profile().vm_flags_known,
                                       .gfp = gfp_of(m.config.era, "GFP_KERNEL")});
  if (!page) return std::unexpected(page.error());
  hand_out(m, *page);
  return address_of(m, *page);
}

void hand_out(Machine& m, Index page) {
  edit_area(m, page).flags &= ~std::uint32_t{VM_UNINITIALIZED};
}

bool is_vmalloc_addr(const Machine& m, Address address) {
  const std::uint64_t page = static_cast<std::uint64_t>(address) >> slab::page_shift(m);
  return page >= window_base(m) && page - window_base(m) < window_pages(m);
}

std::optional<AreaAt> area_at(const Machine& m, Address address) {
  if (!is_vmalloc_addr(m, address) || !up(m)) return std::nullopt;
  const std::uint64_t page = static_cast<std::uint64_t>(address) >> slab::page_shift(m);
  const std::optional<Index> first = busy_at(m, page - window_base(m));
  if (!first || area_of(m, *first).object == 0) return std::nullopt;
  const Area& a = area_of(m, *first);
  return AreaAt{.first = address_of(m, *first),
                .bytes = std::uint64_t{range_at(m, *first).pages} * m.config.page_bytes,
                .flags = a.flags,
                .nr_pages = a.nr_pages,
                .phys_addr = a.phys_addr,
                .page_array = Address{a.page_array},
                .descriptor = Address{a.object},
                .deferred = a.deferred != 0};
}

std::uint64_t get_vm_area_size(const Machine& m, const AreaAt& area) {
  return area.bytes - (area.flags & VM_NO_GUARD ? 0 : m.config.page_bytes);
}

std::uint64_t vmalloc_nr_pages(const Machine& m) { return globals_of(m).nr_vmalloc_pages; }

std::uint32_t vmap_lazy_nr(const Machine& m) { return globals_of(m).vmap_lazy_nr; }

std::uint32_t lazy_max_pages(const core::Config& c) {
  const std::uint32_t doublings = static_cast<std::uint32_t>(std::bit_width(c.cpus));
  return doublings * std::min((std::uint32_t{32} << 20) / c.page_bytes, c.vmalloc / 4);
}

}  // namespace ref::vmalloc
