// records: how the parts of the window's allocator reach its tables.
//
//   address ─▶ page of the window ─▶ Range, Area        link = page + 1
#pragma once
#include "ref/slab/records.hpp"
#include "ref/vmalloc/vmalloc.hpp"

namespace ref::vmalloc {

inline const VmallocGlobals& globals_of(const Machine& m) {
  return m.arena.at(m.vmalloc.globals, 0);
}
inline VmallocGlobals& edit_globals_of(Machine& m) { return m.arena.edit(m.vmalloc.globals, 0); }
inline const VmallocCpu& cpu_of(const Machine& m, std::uint32_t cpu) {
  return m.arena.at(m.vmalloc.cpu, cpu);
}
inline VmallocCpu& edit_cpu_of(Machine& m, std::uint32_t cpu) {
  return m.arena.edit(m.vmalloc.cpu, cpu);
}

inline const Range& range_at(const Machine& m, std::uint64_t page) {
  return m.arena.at(m.vmalloc.range, page);
}
inline Range& edit_range(Machine& m, std::uint64_t page) {
  return m.arena.edit(m.vmalloc.range, page);
}
inline const Area& area_of(const Machine& m, std::uint64_t page) {
  return m.arena.at(m.vmalloc.area, page);
}
inline Area& edit_area(Machine& m, std::uint64_t page) {
  return m.arena.edit(m.vmalloc.area, page);
}

inline const Block& block_at(const Machine& m, Index b) { return m.arena.at(m.vmalloc.block, b); }
inline Block& edit_block(Machine& m, Index b) { return m.arena.edit(m.vmalloc.block, b); }

inline const Range& linked(const Machine& m, Index link) { return range_at(m, link - 1); }
inline Range& edit_linked(Machine& m, Index link) { return edit_range(m, link - 1); }

inline const Ranges& set_of(const Machine& m, RangeSet set) {
  return globals_of(m).set[static_cast<std::size_t>(set)];
}
inline Ranges& edit_set(Machine& m, RangeSet set) {
  return edit_globals_of(m).set[static_cast<std::size_t>(set)];
}

inline std::uint32_t window_pages(const Machine& m) {
  return static_cast<std::uint32_t>(m.vmalloc.range.count);
}
inline std::uint64_t window_base(const Machine& m) { return m.vmalloc.base; }

inline Address address_of(const Machine& m, std::uint64_t page) {
  return Address{(window_base(m) + page) << slab::page_shift(m)};
}

}  // namespace ref::vmalloc
