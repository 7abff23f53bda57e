// Restates what the sets of ranges are, page by page, for the tests of the trees; and tests that.
#include "props/vmalloc/reference_cases.hpp"

namespace props::vmalloc::by_hand {
namespace {

struct Subtree {
  int black;  // black nodes on every way down
  std::uint32_t largest;
};

// One set, walked from its root and from its first member.
class SetCheck {
 public:
  SetCheck(const Machine& m, RangeSet set) : m_(m), set_(set) {}

  std::string run() {
    const Ranges& all = set_of(m_, set_);
    if (has_tree(m_, set_)) {
      if (all.root != 0 && (linked(m_, all.root).red || linked(m_, all.root).parent != 0))
        return "a root that is red, or below something";
      walk(all.root);
    } else {
      for (Index n = all.first; n != 0; n = linked(m_, n).next) in_order_.push_back(n);
    }
    if (!wrong_.empty()) return wrong_;
    return check_list(all);
  }

 private:
  Subtree walk(Index n) {
    if (n == 0) return {1, 0};
    const Range& r = linked(m_, n);
    if (r.set != set_) wrong_ = "a node of another set";
    for (const Index child : {r.left, r.right})
      if (child > window_pages(m_)) wrong_ = "a child outside the window";
      else if (child != 0 && linked(m_, child).parent != n) wrong_ = "a child of another parent";
    if (!wrong_.empty()) return {};
    if (r.red && ((r.left && linked(m_, r.left).red) || (r.right && linked(m_, r.right).red)))
      wrong_ = "two red nodes below each other";
    if (!wrong_.empty()) return {};
    const Subtree left = walk(r.left);
    in_order_.push_back(n);
    const Subtree right = walk(r.right);
    if (left.black != right.black) wrong_ = "ways with unequally many black nodes";
    const std::uint32_t largest = std::max({r.pages, left.largest, right.largest});
    if (r.largest != (is_augmented(set_) ? largest : 0)) wrong_ = "a wrong largest range below";
    return {left.black + (r.red ? 0 : 1), largest};
  }

  std::string check_list(const Ranges& all) const {
    if (in_order_.size() != all.count) return "a wrong count";
    Index before = 0;
    for (const Index n : in_order_) {
      if (n <= before) return "an order that is not that of addresses";
      if (linked(m_, n).prev != before) return "a wrong link back";
      if ((before == 0 ? all.first : linked(m_, before).next) != n) return "a wrong link on";
      before = n;
    }
    if (all.last != before || (before != 0 && linked(m_, before).next != 0)) return "a wrong end";
    return "";
  }

  const Machine& m_;
  RangeSet set_;
  std::vector<Index> in_order_;
  std::string wrong_;
};

// Every page is of one range, and free or lazy ranges that touch are one.
std::string partition_broken(const Machine& m) {
  std::uint64_t lazy = 0;
  for (std::uint64_t p = 0; p < window_pages(m);) {
    const Range& r = range_at(m, p);
    if (r.set == RangeSet::none && has_tree(m, RangeSet::free))
      return "page " + std::to_string(p) + " of no range";
    if (r.set == RangeSet::none && !(r.pages == 0 && r.object == 0)) return "a dead record";
    if (r.set == RangeSet::lazy) lazy += r.pages;
    const std::uint64_t end = p + std::max(r.pages, 1u);
    if (end > window_pages(m)) return "a range beyond the window";
    const bool merges = r.set == RangeSet::free || r.set == RangeSet::lazy;
    if (merges && end < window_pages(m) && range_at(m, end).set == r.set)
      return "two ranges that touch and are not one";
    for (std::uint64_t i = p + 1; i < end; ++i)
      if (range_at(m, i).set != RangeSet::none) return "a range within a range";
    p = end;
  }
  return lazy == vmap_lazy_nr(m) ? "" : "a wrong number of lazy pages";
}

}  // namespace

std::string ranges_broken(const Machine& m) {
  for (const RangeSet set : {RangeSet::busy, RangeSet::free, RangeSet::lazy})
    if (std::string wrong = SetCheck(m, set).run(); !wrong.empty()) return wrong;
  return partition_broken(m);
}

namespace {

// Six free ranges between areas, so that the tree has three levels.
Kernel holes() {
  Kernel k(window(new_era, 32));
  std::vector<Address> areas;
  for (int i = 0; i < 12; ++i) areas.push_back(k.area(1));
  for (std::size_t i = 0; i < areas.size(); i += 2) free_vm_area(k.env, k.m, areas[i]);
  purge_vmap_area_lazy(k.env, k.m);
  return k;
}

TEST(Ranges, are_seen_broken_by_any_bit_flipped_in_a_link_a_size_or_a_colour) {
  const Kernel right = holes();
  ASSERT_EQ(ranges_broken(right.m), "");
  std::size_t flipped = 0;
  for (std::uint64_t p = 0; p < window_pages(right.m); ++p) {
    if (range_at(right.m, p).set == RangeSet::none) continue;
    for (std::size_t bit = 0; bit < 5; ++bit)
      for (int field = 0; field < 8; ++field, ++flipped) {
        Kernel k = right;
        Range& r = edit_range(k.m, p);
        const std::array<std::uint32_t*, 7> fields{&r.pages, &r.prev,  &r.next,   &r.parent,
                                                   &r.left,  &r.right, &r.largest};
        if (field == 7) r.red ^= 1;
        else *fields[static_cast<std::size_t>(field)] ^= 1u << bit;
        EXPECT_NE(ranges_broken(k.m), "") << "page " << p << " field " << field << " bit " << bit;
      }
  }
  EXPECT_GT(flipped, 500u);
}

}  // namespace
}  // namespace props::vmalloc::by_hand
