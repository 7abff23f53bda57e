// Areas: descriptors and lists, objects behind records, what waits to be freed, sums of pages.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "props/vmalloc/invariants_parts.hpp"
#include "ref/mmu/mmu.hpp"

namespace props::vmalloc {
namespace {

using ref::vmalloc::Address;

std::uint32_t known_flags(const Machine& m) {
  std::uint32_t all = ref::vmalloc::VM_UNINITIALIZED;
  for (const auto& one : ref::vmalloc::vm_flag_names) all |= one.flag;
  // vmalloc_user is younger than 2.6.11, and does there what it does in 6.1.
  return (all & m.config.profile().vm_flags_known) | ref::vmalloc::VM_USERMAP;
}

// An object in use begins there; the cache that it is from is asked where one is named.
bool is_object(const Machine& m, std::uint64_t address, std::optional<ref::slab::CacheId> cache) {
  const auto object = ref::slab::object_at(m, Address{address});
  return object && object->live && (!cache || object->cache == *cache);
}

bool is_live_page(const Machine& m, Pfn pfn) {
  const Index z = ref::buddy::zone_of_pfn(m, pfn);
  if (z == ref::buddy::no_zone) return false;
  const auto& zone = ref::buddy::zone_at(m, z);
  const auto& page = ref::buddy::page_at(m, ref::buddy::page_index(zone, pfn));
  return page.kind == ref::buddy::PageKind::live_head && page.order == 0;
}

// A list of pages stands in an object, in pages of kmalloc, or in an area of its own.
bool is_list(const Machine& m, std::uint64_t address) {
  if (is_object(m, address, std::nullopt)) return true;
  if (ref::vmalloc::is_vmalloc_addr(m, Address{address})) {
    const std::uint64_t p = (address - m.mmu.window.vmalloc_start) / m.config.page_bytes;
    return address == address_of(m, p) && area_of(m, p).object != 0;
  }
  return ref::buddy::virt_to_pfn(m, Address{address}).has_value() &&
         address % m.config.page_bytes == 0;
}

}  // namespace

std::optional<std::uint64_t> word_at(const Machine& m, std::uint64_t address) {
  std::uint64_t word = 0;
  for (std::uint64_t b = m.config.profile().word_bytes; b-- > 0;) {
    const std::uint64_t at = address + b;
    const bool direct = at < m.mmu.window.high_memory;
    const auto pfn = direct ? ref::buddy::virt_to_pfn(m, Address{at})
                            : ref::vmalloc::vmalloc_to_page(m, Address{at});
    if (!pfn) return std::nullopt;
    const auto byte = ref::buddy::read_pages(m, *pfn, at % m.config.page_bytes, 1)[0];
    word = word << 8 | std::to_integer<std::uint64_t>(byte);
  }
  return word;
}

std::optional<Pfn> listed_page(const Machine& m, std::uint64_t list, std::uint64_t i) {
  const auto word = word_at(m, list + i * m.config.profile().word_bytes);
  if (!word || *word == 0 || *word > ref::core::pfn_end) return std::nullopt;
  return static_cast<Pfn>(*word - 1);
}

// An area is the descriptor of a busy range, and its list names pages that somebody has.
Broken areas_broken(const Machine& m) {
  constexpr AreaRecord nothing{};
  for (std::uint64_t p = 0; p < m.vmalloc.area.count; ++p) {
    const AreaRecord& a = area_of(m, p);
    const RangeRecord& r = range_of(m, p);
    if (a.object == 0) {
      if (std::memcmp(&a, &nothing, sizeof a) != 0) return of_page("a record of no area", p, 0, 1);
      if (is_old(m) && r.pages != 0) return of_page("the area of a range", p, 1, 0);
      continue;
    }
    if (r.pages == 0 || r.set != RangeSet::busy)
      return of_page("the busy range of an area", p, 1, 0);
    if ((a.flags & ~known_flags(m)) != 0)
      return of_page("flags", p, a.flags & known_flags(m), a.flags);
    if (a.deferred > 1) return of_page("to be freed", p, 1, a.deferred);
    if (a.caller == 0 || a.caller > m.core.task.count)
      return of_page("the task that made an area", p, 1, a.caller);
    const bool guard = !(a.flags & ref::vmalloc::VM_NO_GUARD);
    if (a.nr_pages > r.pages - (guard ? 1 : 0))
      return of_page("pages of an area, at most", p, r.pages - (guard ? 1 : 0), a.nr_pages);
    if ((a.page_array == 0) != (a.nr_pages == 0))
      return of_page("a list of pages", p, a.nr_pages != 0, a.page_array != 0);
    if (a.phys_addr != 0 && !(a.flags & ref::vmalloc::VM_IOREMAP))
      return of_page("a physical address", p, 0, a.phys_addr);
    const std::uint64_t zero = a.zero[0] | a.zero[1] | a.zero[2];
    if (zero != 0) return of_page("unused bytes of an area", p, 0, zero);
  }
  return std::nullopt;
}

// Descriptors, ranges and lists are objects in use, each of its own.
Broken objects_broken(const Machine& m) {
  if (m.vmalloc.globals.count == 0) return std::nullopt;
  std::set<std::uint64_t> seen;
  std::optional<ref::slab::CacheId> cache;
  if (const Index link = globals_of(m).vmap_area_cache; link != 0)
    cache = ref::slab::CacheId{link - 1};
  const auto check = [&](std::string_view what, std::uint64_t p, std::uint64_t object,
                         bool sound) -> Broken {
    if (object == 0) return std::nullopt;
    if (!sound) return of_page(what, p, 1, 0);
    return of_page(what, p, 1, seen.insert(object).second ? 1 : 2);
  };
  for (std::uint64_t p = 0; p < pages_of(m); ++p) {
    const std::uint64_t vmap_area = range_of(m, p).object;
    if (auto w = check("the object of a range", p, vmap_area, is_object(m, vmap_area, cache)))
      return w;
    const AreaRecord& a = area_of(m, p);
    if (auto w = check("the object of an area", p, a.object, is_object(m, a.object, std::nullopt)))
      return w;
    if (auto w = check("the list of an area", p, a.page_array, is_list(m, a.page_array))) return w;
    for (std::uint64_t i = 0; i < a.nr_pages; ++i) {
      const auto pfn = listed_page(m, a.page_array, i);
      if (!pfn || !is_live_page(m, *pfn)) return of_page("a page in the list of an area", p, 1, 0);
    }
  }
  for (std::uint32_t cpu = 0; cpu < m.vmalloc.cpu.count; ++cpu) {
    const auto& c = m.arena.at(m.vmalloc.cpu, cpu);
    if (c.zero != 0) return Witness{"unused bytes of a CPU", 0, 1};
    if (c.preload != 0 && is_old(m)) return Witness{"an object of a CPU", 0, c.preload};
    if (auto w = check("the object of a CPU", cpu, c.preload, is_object(m, c.preload, cache)))
      return w;
  }
  return std::nullopt;
}

// What interrupts gave to vfree: each area on one CPU's list, linked through its own memory (V-24).
Broken waiting_broken(const Machine& m) {
  std::set<std::uint64_t> waiting;
  for (std::uint32_t cpu = 0; cpu < m.vmalloc.cpu.count; ++cpu) {
    std::uint64_t address = m.arena.at(m.vmalloc.cpu, cpu).deferred;
    while (address != 0) {
      const auto area = ref::vmalloc::area_at(m, Address{address});
      if (!area || !area->deferred)
        return Witness{
            fmt::format("areas to be freed at {:#x}, on the list of CPU {}", address, cpu), 1, 0};
      if (!waiting.insert(static_cast<std::uint64_t>(area->first)).second)
        return Witness{fmt::format("times that {:#x} is to be freed", address), 1, 2};
      const auto next = word_at(m, address);
      if (!next) return Witness{fmt::format("a link at {:#x}", address), 1, 0};
      address = *next;
    }
  }
  for (std::uint64_t p = 0; p < m.vmalloc.area.count; ++p)
    if (area_of(m, p).deferred != 0 && !waiting.contains(address_of(m, p)))
      return of_page("lists of what is to be freed that have the area", p, 1, 0);
  return std::nullopt;
}

// V-27. Pages of areas that were taken away without them still count.
Broken counted_broken(const Machine& m) {
  if (m.vmalloc.globals.count == 0) return std::nullopt;
  std::uint64_t pages = 0;
  for (std::uint64_t p = 0; p < m.vmalloc.area.count; ++p) {
    const AreaRecord& a = area_of(m, p);
    if (!(a.flags & ref::vmalloc::VM_MAP_PUT_PAGES)) pages += a.nr_pages;
  }
  const std::uint64_t counted = globals_of(m).nr_vmalloc_pages;
  if (counted < pages || counted - pages > m.config.pages())
    return Witness{"pages of vmalloc, at least", pages, counted};
  return std::nullopt;
}

}  // namespace props::vmalloc
