// Implements the two searches for the lowest place: between areas of a list, in a tree of holes.
//
//   list   [area][area]....[area]..........       from the first area on: grows with the areas
//   tree   go left while something there is large enough, else look here, else go right
#include "ref/vmalloc/ranges.hpp"

namespace ref::vmalloc {
namespace {

// The first page from `page` on whose address is a multiple of `align` pages.
std::uint64_t aligned(const Machine& m, std::uint64_t page, std::uint64_t align) {
  const std::uint64_t base = window_base(m);
  return (base + page + align - 1) / align * align - base;
}

// Whether `pages` fit between two pages. Neither sum can wrap: pages are fewer than 2^52.
std::optional<std::uint64_t> fit(const Machine& m, std::uint64_t begin, std::uint64_t end,
                                 std::uint64_t pages, std::uint64_t align) {
  const std::uint64_t page = aligned(m, begin, align);
  if (page > end || pages > end - page) return std::nullopt;
  return page;
}

// The lowest node below `n` that could be large enough, when `n` or something below it is.
Index lowest(const Machine& m, Index n, std::uint64_t pages) {
  for (Index left = linked(m, n).left; left != 0 && linked(m, left).largest >= pages;) {
    n = left;
    left = linked(m, n).left;
  }
  return n;
}

// The next node in address order that could be large enough.
Index next(const Machine& m, Index n, std::uint64_t pages) {
  const Index right = linked(m, n).right;
  if (right != 0 && linked(m, right).largest >= pages) return lowest(m, right, pages);
  for (Index parent = linked(m, n).parent; parent != 0; parent = linked(m, n).parent) {
    if (linked(m, parent).left == n) return parent;
    n = parent;
  }
  return 0;
}

}  // namespace

// One way down when alignment is a page: the first node that is large enough fits. For more, each
// hole that is large enough and lies badly is looked at in turn.
std::optional<Fit> lowest_free(const Machine& m, std::uint64_t pages, std::uint64_t align) {
  const Index root = set_of(m, RangeSet::free).root;
  if (root == 0 || linked(m, root).largest < pages) return std::nullopt;
  for (Index n = lowest(m, root, pages); n != 0; n = next(m, n, pages)) {
    const auto page = fit(m, n - 1, n - 1 + linked(m, n).pages, pages, align);
    if (page) return Fit{static_cast<Index>(*page), n - 1};
  }
  return std::nullopt;
}

// V-5: what lies behind the last area ends where the window ends; the kernel of that time did not
// ask when there was no area behind the place that it found.
std::optional<Fit> lowest_gap(const Machine& m, std::uint64_t pages, std::uint64_t align) {
  std::uint64_t begin = 0;
  Index before = 0;
  for (Index n = set_of(m, RangeSet::busy).first; n != 0; n = linked(m, n).next) {
    if (const auto page = fit(m, begin, n - 1, pages, align))
      return Fit{static_cast<Index>(*page), before};
    begin = n - 1 + linked(m, n).pages;
    before = n;
  }
  const auto page = fit(m, begin, window_pages(m), pages, align);
  if (!page) return std::nullopt;
  return Fit{static_cast<Index>(*page), before};
}

}  // namespace ref::vmalloc
