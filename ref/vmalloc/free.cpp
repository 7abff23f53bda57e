// Implements the ends of areas: vfree, vunmap, iounmap and those that take only addresses.
#include "ref/vmalloc/free.hpp"

#include "ref/vmalloc/mapping.hpp"

namespace ref::vmalloc {
namespace {

using namespace core;

// The frames of a list of pages, from memory: what is no page of the machine was overwritten.
std::vector<Pfn> read_list(Machine& m, const Area& area) {
  std::vector<Pfn> pages;
  for (std::uint32_t i = 0; i < area.nr_pages; ++i) {
    const std::optional<Pfn> pfn = read_entry(m, Address{area.page_array}, i);
    if (pfn && buddy::zone_of_pfn(m, *pfn) != buddy::no_zone) pages.push_back(*pfn);
    else report(m, Fault::overwritten, Effect::none);
  }
  return pages;
}

void end_area(Env&, Machine&, Address, Pages);

void free_pages_of(Env& env, Machine& m, const Area& area) {
  for (const Pfn pfn : read_list(m, area)) buddy::free_page_(env, m, pfn);
  if (!(area.flags & VM_MAP_PUT_PAGES)) edit_globals_of(m).nr_vmalloc_pages -= area.nr_pages;
  const Address list{area.page_array};
  if (is_vmalloc_addr(m, list))
    end_area(env, m, list, Pages::freed);  // its own list is one page: no further
  else kmalloc::kfree(env, m, list);
}

// Nobody knows the list any more, so its pages and itself are lost.
void lose_pages_of(Machine& m, const Area& area) {
  if (area.nr_pages == 0) return;
  const std::vector<Pfn> pages = read_list(m, area);
  report(m, Fault::area_pages_lost, Effect::leaked, pages.empty() ? 0 : pages.front());
  for (const Pfn pfn : pages) report_leak(m, pfn, 1);
}

bool in_first_page(const Machine& m, Index page, Address address) {
  return static_cast<std::uint64_t>(address) >> slab::page_shift(m) == window_base(m) + page;
}

// An address of an area that is not its first, where that frees the area all the same (V-25).
void report_interior(Machine& m, Index page, Address address) {
  if (!in_first_page(m, page, address)) report(m, Fault::bad_area_address, Effect::freed);
}

// __vunmap
void end_area(Env& env, Machine& m, Address address, Pages pages) {
  if (static_cast<std::uint64_t>(address) & (m.config.page_bytes - 1)) {
    warn(m);
    return report(m, Fault::bad_area_address, Effect::none);
  }
  const std::optional<Index> page = area_to_end(m, address);
  if (!page) return warn(m);
  report_interior(m, *page, address);
  free_area(env, m, *page, pages);
}

// V-24: the link stands in the memory that is to be freed.
void defer(Machine& m, Address address) {
  const std::optional<Index> page = area_to_end(m, address);
  if (!page) return;
  VmallocCpu& cpu = edit_cpu_of(m, m.globals().cpu);
  if (static_cast<std::uint64_t>(address) % m.profile().word_bytes != 0 ||
      !write_word(m, address, cpu.deferred))
    return report(m, Fault::bad_area_address, Effect::none);
  cpu.deferred = static_cast<std::uint64_t>(address);
  edit_area(m, *page).deferred = 1;
}

// remove_vm_area: nobody finds the area, and nothing is mapped there.
Area detach(Env& env, Machine& m, Index page) {
  const Area area = take_area(m, page);
  unmap_and_release(env, m, page);
  return area;
}

// For callers that do nothing about VM_FLUSH_RESET_PERMS: they free the descriptor, and that is
// all.
void remove_area(Env& env, Machine& m, Index page) {
  const Area area = detach(env, m, page);
  lose_pages_of(m, area);
  kmalloc::kfree(env, m, Address{area.object});
}

}  // namespace

std::optional<Index> area_to_end(Machine& m, Address address) {
  const std::optional<Index> page = find_area(m, address);
  if (!page) report(m, Fault::not_an_area, Effect::none);
  else if (area_of(m, *page).deferred != 0) report(m, Fault::double_free, Effect::none);
  else return page;
  return std::nullopt;
}

void free_area(Env& env, Machine& m, Index page, Pages pages) {
  const Area area = detach(env, m, page);
  if (area.flags & VM_FLUSH_RESET_PERMS) vm_unmap_aliases(env, m);
  switch (pages) {
    case Pages::freed: free_pages_of(env, m, area); break;
    case Pages::left: lose_pages_of(m, area); break;
  }
  kmalloc::kfree(env, m, Address{area.object});
}

void vfree(Env& env, Machine& m, Address address) {
  switch (m.profile().vfree_in_interrupt) {
    case VfreeInInterrupt::stops_the_kernel:
      if (refused_in_interrupt(m)) return;
      break;
    case VfreeInInterrupt::deferred:
      if (address != Address::null && in_interrupt(m)) return defer(m, address);
      break;
  }
  might_sleep(m);
  if (address != Address::null) end_area(env, m, address, Pages::freed);
}

void vfree_atomic(Env& env, Machine& m, Address address) {
  switch (m.profile().vfree_in_interrupt) {
    case VfreeInInterrupt::stops_the_kernel: return vfree(env, m, address);
    case VfreeInInterrupt::deferred:
      if (address != Address::null) defer(m, address);
      return;
  }
}

void vunmap(Env& env, Machine& m, Address address) {
  if (refused_in_interrupt(m)) return;
  might_sleep(m);
  if (address != Address::null) end_area(env, m, address, Pages::left);
}

// I-2. Addresses of the direct map were never areas.
void iounmap(Env& env, Machine& m, Address address) {
  const auto at = static_cast<std::uint64_t>(address);
  if (at <= m.mmu.window.high_memory) return;
  const Address first{at & ~std::uint64_t{m.config.page_bytes - 1}};
  might_sleep(m);
  const std::optional<Index> page = area_to_end(m, first);
  if (!page) return;
  report_interior(m, *page, first);
  remove_area(env, m, *page);
}

void free_vm_area(Env& env, Machine& m, Address address) {
  might_sleep(m);
  const std::optional<Index> page = area_to_end(m, address);
  if (!page) return;
  if (address != address_of(m, *page)) return report(m, Fault::not_an_area, Effect::none);
  remove_area(env, m, *page);
}

std::optional<Removed> remove_vm_area(Env& env, Machine& m, Address address) {
  might_sleep(m);
  const std::optional<Index> page = find_area(m, address);
  if (!page || !area_to_end(m, address)) return std::nullopt;
  const Area area = take_area(m, *page);
  const Removed removed{.descriptor = Address{area.object},
                        .first = address_of(m, *page),
                        .bytes = std::uint64_t{range_at(m, *page).pages} * m.config.page_bytes,
                        .flags = area.flags,
                        .nr_pages = area.nr_pages};
  unmap_and_release(env, m, *page);
  lose_pages_of(m, area);
  return removed;
}

bool free_work_pending(const Machine& m, std::uint32_t cpu) {
  return m.vmalloc.cpu.count > 0 && cpu_of(m, cpu).deferred != 0;
}

// The next link is read before its memory goes. A list that was overwritten ends there.
void free_work(Env& env, Machine& m, std::uint32_t cpu) {
  if (!free_work_pending(m, cpu)) return;
  Address address{std::exchange(edit_cpu_of(m, cpu).deferred, std::uint64_t{0})};
  while (address != Address::null) {
    const std::optional<Index> page = find_area(m, address);
    if (!page || area_of(m, *page).deferred == 0)
      return report(m, Fault::overwritten, Effect::none);
    const std::optional<std::uint64_t> next = read_word(m, address);
    edit_area(m, *page).deferred = 0;
    end_area(env, m, address, Pages::freed);
    address = Address{next.value_or(0)};
  }
}

}  // namespace ref::vmalloc
