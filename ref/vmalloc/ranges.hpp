// ranges: the sets of ranges of the window, in address order: lists of 2.6.11, trees of 6.1.
//
//   free set    [0 8)──[12 4)──[20 80)           list in address order
//                     [12 4 |80]                 tree: pages, and the largest at or below
//                 [0 8 |8]    [20 80 |80]
//
// Nothing here allocates or waits: the objects that back ranges are the callers' business.
#pragma once
#include "ref/vmalloc/records.hpp"

namespace ref::vmalloc {

// The member of a set that begins at or before a page, and the next one; page + 1, 0: none.
struct Neighbours {
  Index before = 0, after = 0;
};
Neighbours neighbours(const Machine&, RangeSet, Index page);

// Puts [page, page + pages) into a set that holds nothing there.
void insert_range(Machine&, RangeSet, Index page, std::uint32_t pages, std::uint64_t object);
// The same, by who knows its neighbours.
void insert_between(Machine&, RangeSet, Index page, std::uint32_t pages, std::uint64_t object,
                    Neighbours);
// Takes the range that begins at `page` out of its set: nothing begins there any more.
Range erase_range(Machine&, Index page);
// The range begins elsewhere, and still between its neighbours; or it ends elsewhere.
void move_begin(Machine&, Index page, Index to);
void move_end(Machine&, Index page, Index to);

// The lowest place in the window for so many pages, at a multiple of `align` pages of address. A
// kernel of 6.1 searches for `pages + align - 1`, and so overlooks holes that fit by luck.
struct Fit {
  Index page;
  Index range;  // lowest_free: the range that it lies in; lowest_gap: the area before it, + 1
};
std::optional<Fit> lowest_free(const Machine&, std::uint64_t pages, std::uint64_t align);
std::optional<Fit> lowest_gap(const Machine&, std::uint64_t pages, std::uint64_t align);

// The busy range that a page is in, guard included.
std::optional<Index> busy_at(const Machine&, std::uint64_t page);

// Whether a set has a tree, as its era keeps it, and its nodes the largest range below.
bool has_tree(const Machine&, RangeSet);
inline bool is_augmented(RangeSet set) { return set == RangeSet::free; }

// The red-black tree of a set, ordered by page. Links are page + 1.
void rb_insert(Machine&, RangeSet, Index link, Index parent);
void rb_erase(Machine&, RangeSet, Index link);
// A node's pages, or those below it, have changed: corrects `largest` upwards.
void propagate(Machine&, RangeSet, Index link);

}  // namespace ref::vmalloc
