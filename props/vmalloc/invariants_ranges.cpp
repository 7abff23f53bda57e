// The ranges of the window: records, tiling, lists in address order, merging.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "props/vmalloc/invariants_parts.hpp"

namespace props::vmalloc {

Broken of_page(std::string_view what, std::uint64_t page, std::uint64_t expected,
               std::uint64_t actual) {
  if (expected == actual) return std::nullopt;
  return Witness{fmt::format("{}, page {} of the window", what, page), expected, actual};
}

std::vector<std::uint64_t> begins(const Machine& m, RangeSet set) {
  std::vector<std::uint64_t> pages;
  for (std::uint64_t p = 0; p < pages_of(m); ++p)
    if (range_of(m, p).pages != 0 && range_of(m, p).set == set) pages.push_back(p);
  return pages;
}

Broken window_broken(const Machine& m) {
  if (m.vmalloc.globals.count == 0) return std::nullopt;
  const VmallocGlobals& g = globals_of(m);
  if (g.up > 1) return Witness{"up", 1, g.up};
  if (g.up == 1 && pages_of(m) != m.config.vmalloc)
    return Witness{"pages of the window", m.config.vmalloc, pages_of(m)};
  // A machine that has the tables, and all that its era needs, is up.
  const bool could = pages_of(m) > 0 && (is_old(m) || g.vmap_area_cache != 0);
  if (could != (g.up == 1) && !(is_old(m) && !g.up)) return Witness{"up", could ? 1u : 0u, g.up};
  const bool has_cache = g.vmap_area_cache != 0;
  if (has_cache == is_old(m) && g.up == 1)
    return Witness{"the cache of vmap_area", is_old(m) ? 0u : 1u, has_cache};
  if (g.zero != 0) return Witness{"unused bytes", 0, g.zero};
  for (const std::uint32_t word : g.zero_too)
    if (word != 0) return Witness{"unused bytes", 0, word};
  return std::nullopt;
}

Broken records_broken(const Machine& m) {
  constexpr RangeRecord nothing{};
  for (std::uint64_t p = 0; p < pages_of(m); ++p) {
    const RangeRecord& r = range_of(m, p);
    if (r.pages == 0) {
      if (std::memcmp(&r, &nothing, sizeof r) != 0)
        return of_page("a record of no range, not all zero", p, 0, 1);
      continue;
    }
    const bool known =
        is_old(m) ? r.set == RangeSet::busy : r.set >= RangeSet::busy && r.set <= RangeSet::lazy;
    if (!known) return of_page("the set of a range", p, 1, static_cast<std::uint64_t>(r.set));
    if (r.pages > pages_of(m) - p)
      return of_page("pages of a range, at most", p, pages_of(m) - p, r.pages);
    if ((r.object == 0) != is_old(m))
      return of_page("the object of a range", p, !is_old(m), r.object);
    const std::uint64_t zero =
        std::uint64_t{r.zero} | r.zero_too[0] | r.zero_too[1] | r.zero_too[2];
    if (zero != 0) return of_page("unused bytes of a range", p, 0, zero);
  }
  return std::nullopt;
}

// No two ranges meet; where free ranges are known, every page is in one range.
Broken tiles_broken(const Machine& m) {
  std::uint64_t end = 0;
  if (!is_up(m)) return std::nullopt;
  for (std::uint64_t p = 0; p < pages_of(m); ++p) {
    const RangeRecord& r = range_of(m, p);
    if (r.pages == 0) {
      if (p >= end && !is_old(m)) return of_page("ranges that hold the page", p, 1, 0);
      continue;
    }
    if (p < end) return of_page("ranges that hold the page", p, 1, 2);
    end = p + r.pages;
  }
  return std::nullopt;
}

Broken lists_broken(const Machine& m) {
  if (m.vmalloc.globals.count == 0) return std::nullopt;
  for (const RangeSet set : {RangeSet::none, RangeSet::busy, RangeSet::free, RangeSet::lazy}) {
    const auto& ends = globals_of(m).set[static_cast<std::size_t>(set)];
    const auto pages = set == RangeSet::none ? std::vector<std::uint64_t>{} : begins(m, set);
    const auto number = static_cast<std::uint64_t>(set);
    if (ends.count != pages.size())
      return Witness{fmt::format("ranges of set {}", number), pages.size(), ends.count};
    Index link = ends.first, before = 0;
    for (const std::uint64_t p : pages) {
      if (link != p + 1) return of_page("the list in address order", p, p + 1, link);
      if (range_of(m, p).prev != before)
        return of_page("the link back", p, before, range_of(m, p).prev);
      before = link, link = range_of(m, p).next;
    }
    if (link != 0) return Witness{fmt::format("the end of the list of set {}", number), 0, link};
    if (ends.last != before)
      return Witness{fmt::format("the last of set {}", number), before, ends.last};
  }
  return std::nullopt;
}

// What is free, or waits for its flush, is never in two pieces.
Broken merged_broken(const Machine& m) {
  for (const RangeSet set : {RangeSet::free, RangeSet::lazy}) {
    const auto pages = begins(m, set);
    for (std::size_t i = 1; i < pages.size(); ++i)
      if (pages[i - 1] + range_of(m, pages[i - 1]).pages == pages[i])
        return of_page(
            set == RangeSet::free ? "free ranges side by side" : "lazy ranges side by side",
            pages[i], 0, 1);
  }
  return std::nullopt;
}

// The sum of what is lazy, and the work that is due above the limit (V-41).
Broken lazy_broken(const Machine& m) {
  if (m.vmalloc.globals.count == 0) return std::nullopt;
  std::uint64_t sum = 0;
  for (const std::uint64_t p : begins(m, RangeSet::lazy)) sum += range_of(m, p).pages;
  const VmallocGlobals& g = globals_of(m);
  if (g.vmap_lazy_nr != sum) return Witness{"lazy pages", sum, g.vmap_lazy_nr};
  if (g.drain_pending > 1 || (g.drain_pending == 1 && is_old(m)))
    return Witness{"drain work pending", 0, g.drain_pending};
  if (is_up(m) && sum > ref::vmalloc::lazy_max_pages(m.config) && g.drain_pending == 0)
    return Witness{"drain work pending", 1, 0};
  return std::nullopt;
}

}  // namespace props::vmalloc
