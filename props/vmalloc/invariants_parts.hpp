// What the invariants of the window are made of: their own reading of its records.
#pragma once
#include <string>
#include <vector>

#include "props/vmalloc/invariants.hpp"

namespace props::vmalloc {

using ref::core::Index;
using ref::core::Pfn;
using AreaRecord = ref::vmalloc::Area;
using RangeRecord = ref::vmalloc::Range;
using ref::vmalloc::RangeSet;
using ref::vmalloc::VmallocGlobals;

inline const VmallocGlobals& globals_of(const Machine& m) {
  return m.arena.at(m.vmalloc.globals, 0);
}
inline std::uint64_t pages_of(const Machine& m) { return m.vmalloc.range.count; }
inline const RangeRecord& range_of(const Machine& m, std::uint64_t p) {
  return m.arena.at(m.vmalloc.range, p);
}
inline const AreaRecord& area_of(const Machine& m, std::uint64_t p) {
  return m.arena.at(m.vmalloc.area, p);
}
inline std::uint64_t address_of(const Machine& m, std::uint64_t p) {
  return m.mmu.window.vmalloc_start + p * m.config.page_bytes;
}
// The era with a sorted list of areas, and nothing else.
inline bool is_old(const Machine& m) {
  return m.config.profile().area_search == ref::core::AreaSearch::sorted_list;
}
inline bool is_up(const Machine& m) { return m.vmalloc.globals.count > 0 && globals_of(m).up == 1; }

Broken of_page(std::string_view what, std::uint64_t page, std::uint64_t expected,
               std::uint64_t actual);

// The pages where ranges of a set begin, ascending, by looking at every record.
std::vector<std::uint64_t> begins(const Machine&, RangeSet);
// A word of memory behind any address that is mapped now.
std::optional<std::uint64_t> word_at(const Machine&, std::uint64_t address);
// The frame that entry i of a list of pages names.
std::optional<Pfn> listed_page(const Machine&, std::uint64_t list, std::uint64_t i);

// Those that hold, by file: ranges, trees, areas, translations, text.
Broken window_broken(const Machine&), records_broken(const Machine&), tiles_broken(const Machine&),
    lists_broken(const Machine&), merged_broken(const Machine&);
Broken tree_broken(const Machine&), colours_broken(const Machine&), largest_broken(const Machine&);
Broken areas_broken(const Machine&), objects_broken(const Machine&), waiting_broken(const Machine&),
    counted_broken(const Machine&), lazy_broken(const Machine&);
Broken blocks_broken(const Machine&);
Broken mapped_broken(const Machine&), cached_broken(const Machine&);
Broken text_broken(const Machine&);

}  // namespace props::vmalloc
