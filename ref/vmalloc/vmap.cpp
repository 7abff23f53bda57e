// Implements mappings of what somebody else owns: lists of pages, and physical memory.
#include "ref/vmalloc/free.hpp"
#include "ref/vmalloc/mapping.hpp"

namespace ref::vmalloc {
namespace {

using namespace core;

Gfp gfp_kernel(const Machine& m) { return gfp_of(m.config.era, "GFP_KERNEL"); }

// Memory that the kernel uses: frames of a zone that are not reserved (I-1).
bool is_ram(const Machine& m, std::uint64_t first, std::uint64_t last) {
  for (std::uint32_t i = 0; i < m.config.zone_count; ++i) {
    const ZoneSpec& z = m.config.zones[i];
    const std::uint64_t end = std::uint64_t{z.first} + z.pages;
    for (std::uint64_t pfn = std::max<std::uint64_t>(first, z.first); pfn < end && pfn <= last;
         ++pfn)
      if (!m.config.is_reserved(static_cast<Pfn>(pfn))) return true;
  }
  return false;
}

// The range that PCs have below 1 MiB is mapped with all the rest of the direct map.
std::optional<Address> always_mapped(const Machine& m, std::uint64_t phys, std::uint64_t last) {
  constexpr std::uint64_t isa_begin = 0xa0000, isa_end = 0x100000;
  if (!m.profile().isa_is_always_mapped || phys < isa_begin || last >= isa_end) return std::nullopt;
  if (page_offset + last >= m.mmu.window.high_memory) return std::nullopt;
  return Address{page_offset + phys};
}

}  // namespace

Answer<Address> vmap(Env& env, Machine& m, std::span<const std::optional<Pfn>> pages,
                     std::uint32_t flags, Address page_array) {
  might_sleep(m);
  flags &= m.profile().vm_flags_known;
  if (flags & VM_NO_GUARD) {
    warn_once(m, WarnOnce::vmap_without_guard);
    flags &= ~std::uint32_t{VM_NO_GUARD};
  }
  if (pages.size() > memory_pages(m)) return std::unexpected(Refused::no_memory);
  const std::uint64_t bytes = pages.size() * std::uint64_t{m.config.page_bytes};
  const Answer<Index> page =
      get_area(env, m, {.bytes = bytes, .flags = flags, .gfp = gfp_kernel(m)});
  if (!page) return std::unexpected(page.error());
  if (const Done mapped = map_list(env, m, *page, pages); !mapped) {
    free_area(env, m, *page, Pages::left);
    return std::unexpected(mapped.error());
  }
  if (flags & VM_MAP_PUT_PAGES) {
    REQUIRE(page_array != Address::null);
    Area& area = edit_area(m, *page);
    area.page_array = static_cast<std::uint64_t>(page_array);
    area.nr_pages = static_cast<std::uint32_t>(pages.size());
  }
  hand_out(m, *page);
  return address_of(m, *page);
}

Answer<Address> ioremap(Env& env, Machine& m, std::uint64_t phys, std::uint64_t size) {
  if (size == 0 || phys > m.profile().size_max || size - 1 > m.profile().size_max - phys)
    return std::unexpected(Refused::no_memory);
  const std::uint64_t last = phys + size - 1;
  const int shift = slab::page_shift(m);
  if (const auto direct = always_mapped(m, phys, last)) return *direct;
  if (last >> shift >= pfn_end) {
    if (m.profile().vmalloc_warns) warn_once(m, WarnOnce::ioremap_beyond_physical);
    return std::unexpected(Refused::no_memory);
  }
  if (is_ram(m, phys >> shift, last >> shift)) {
    if (m.profile().vmalloc_warns) warn_once(m, WarnOnce::ioremap_of_ram);
    return std::unexpected(Refused::no_memory);
  }
  const auto first = static_cast<Pfn>(phys >> shift);
  const auto count = static_cast<std::uint32_t>((last >> shift) - first + 1);
  const Answer<Index> page = get_area(env, m,
                                      {.bytes = std::uint64_t{count} * m.config.page_bytes,
                                       .flags = VM_IOREMAP,
                                       .gfp = gfp_kernel(m)});
  if (!page) return std::unexpected(page.error());
  edit_area(m, *page).phys_addr = std::uint64_t{first} << shift;
  if (const Done mapped = map_frames(env, m, *page, first, count); !mapped) {
    free_area(env, m, *page, Pages::left);
    return std::unexpected(mapped.error());
  }
  hand_out(m, *page);
  return Address{static_cast<std::uint64_t>(address_of(m, *page)) +
                 (phys & (m.config.page_bytes - 1))};
}

}  // namespace ref::vmalloc
