// Implements the sets of ranges: who is beside whom, and how members come, go and change their
// ends.
#include "ref/vmalloc/ranges.hpp"

namespace ref::vmalloc {
namespace {

Neighbours neighbours_in_tree(const Machine& m, RangeSet set, Index page) {
  Neighbours found;
  for (Index n = set_of(m, set).root; n != 0;) {
    const bool before = n - 1 <= page;
    (before ? found.before : found.after) = n;
    n = before ? linked(m, n).right : linked(m, n).left;
  }
  return found;
}

Neighbours neighbours_in_list(const Machine& m, RangeSet set, Index page) {
  Neighbours found{0, set_of(m, set).first};
  while (found.after != 0 && found.after - 1 <= page)
    found = {found.after, linked(m, found.after).next};
  return found;
}

void link_between(Machine& m, RangeSet set, Index link, Neighbours beside) {
  Range& r = edit_linked(m, link);
  r.prev = beside.before, r.next = beside.after;
  Ranges& all = edit_set(m, set);
  (beside.before == 0 ? all.first : edit_linked(m, beside.before).next) = link;
  (beside.after == 0 ? all.last : edit_linked(m, beside.after).prev) = link;
  ++all.count;
}

void unlink(Machine& m, RangeSet set, const Range& r) {
  Ranges& all = edit_set(m, set);
  (r.prev == 0 ? all.first : edit_linked(m, r.prev).next) = r.next;
  (r.next == 0 ? all.last : edit_linked(m, r.next).prev) = r.prev;
  --all.count;
}

// Whoever links to a range knows it by its page.
void relink(Machine& m, const Range& r, Index from, Index to) {
  Ranges& all = edit_set(m, r.set);
  (r.prev == 0 ? all.first : edit_linked(m, r.prev).next) = to;
  (r.next == 0 ? all.last : edit_linked(m, r.next).prev) = to;
  if (!has_tree(m, r.set)) return;
  if (r.left != 0) edit_linked(m, r.left).parent = to;
  if (r.right != 0) edit_linked(m, r.right).parent = to;
  if (r.parent == 0) {
    all.root = to;
    return;
  }
  Range& parent = edit_linked(m, r.parent);
  (parent.left == from ? parent.left : parent.right) = to;
}

std::optional<Index> busy_among(const Machine& m, Index begin, std::uint64_t page) {
  if (begin == 0 || page - (begin - 1) >= linked(m, begin).pages) return std::nullopt;
  return begin - 1;
}

}  // namespace

bool has_tree(const Machine& m, RangeSet set) {
  switch (m.profile().area_search) {
    case core::AreaSearch::sorted_list: return false;
    case core::AreaSearch::augmented_tree: return set != RangeSet::none;
  }
  UNREACHABLE("an area search outside the list");
}

Neighbours neighbours(const Machine& m, RangeSet set, Index page) {
  return has_tree(m, set) ? neighbours_in_tree(m, set, page) : neighbours_in_list(m, set, page);
}

void insert_range(Machine& m, RangeSet set, Index page, std::uint32_t pages, std::uint64_t object) {
  insert_between(m, set, page, pages, object, neighbours(m, set, page));
}

void insert_between(Machine& m, RangeSet set, Index page, std::uint32_t pages, std::uint64_t object,
                    Neighbours beside) {
  REQUIRE(range_at(m, page).set == RangeSet::none);
  Range& r = edit_range(m, page);
  r.pages = pages, r.set = set, r.object = object;
  link_between(m, set, page + 1, beside);
  if (!has_tree(m, set)) return;
  // One of the two has no child on this side: the one that is lower in the tree.
  const bool right = beside.before != 0 && linked(m, beside.before).right == 0;
  rb_insert(m, set, page + 1, right ? beside.before : beside.after);
}

Range erase_range(Machine& m, Index page) {
  const RangeSet set = range_at(m, page).set;
  REQUIRE(set != RangeSet::none);
  if (has_tree(m, set)) rb_erase(m, set, page + 1);
  const Range gone = range_at(m, page);
  unlink(m, set, gone);
  edit_range(m, page) = {};
  return gone;
}

void move_begin(Machine& m, Index page, Index to) {
  if (page == to) return;
  Range r = range_at(m, page);
  const Index end = page + r.pages;
  REQUIRE(to < end);
  r.pages = end - to;
  edit_range(m, page) = {};
  REQUIRE(range_at(m, to).set == RangeSet::none);
  edit_range(m, to) = r;
  relink(m, r, page + 1, to + 1);
  propagate(m, r.set, to + 1);
}

void move_end(Machine& m, Index page, Index to) {
  REQUIRE(to > page);
  edit_range(m, page).pages = to - page;
  propagate(m, range_at(m, page).set, page + 1);
}

std::optional<Index> busy_at(const Machine& m, std::uint64_t page) {
  if (page >= window_pages(m)) return std::nullopt;
  const auto p = static_cast<Index>(page);
  return busy_among(m, neighbours(m, RangeSet::busy, p).before, p);
}

}  // namespace ref::vmalloc
