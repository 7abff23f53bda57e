// Implements the red-black tree of ranges, and the largest range below each node.
//
//        (p)                 (n)        A rotation keeps the order and the largest of the two
//       /   \   left at p   /   \       together; only theirs, one by one, are computed anew.
//      a    (n)   ────▶   (p)    c
//          /   \         /   \          Red nodes have black parents; every way down from a node
//         b     c       a     b         meets equally many black ones; the root is black.
#include <algorithm>

#include "ref/vmalloc/ranges.hpp"

namespace ref::vmalloc {
namespace {

// One tree, for one change.
class Tree {
 public:
  Tree(Machine& m, RangeSet set) : m_(m), set_(set) {}

  void insert(Index n, Index parent);
  void erase(Index n);
  void propagate(Index n) {
    if (!is_augmented(set_)) return;
    for (; n != 0; n = at(n).parent) update(n);
  }

 private:
  const Range& at(Index n) const { return linked(m_, n); }
  Range& edit(Index n) { return edit_linked(m_, n); }
  bool red(Index n) const { return n != 0 && at(n).red; }
  void paint(Index n, std::uint8_t colour) {
    if (at(n).red != colour) edit(n).red = colour;
  }
  Index child(Index n, bool right) const { return right ? at(n).right : at(n).left; }
  void set_child(Index n, bool right, Index c) { (right ? edit(n).right : edit(n).left) = c; }
  std::uint32_t largest(Index n) const { return n == 0 ? 0 : at(n).largest; }

  void update(Index n) {
    const Range& r = at(n);
    const std::uint32_t now = std::max({r.pages, largest(r.left), largest(r.right)});
    if (r.largest != now) edit(n).largest = now;
  }
  // `c` takes the place of `n` below n's parent.
  void replace(Index n, Index c) {
    const Index parent = at(n).parent;
    if (parent == 0) edit_set(m_, set_).root = c;
    else set_child(parent, at(parent).right == n, c);
    if (c != 0) edit(c).parent = parent;
  }
  void rotate(Index p, bool right) {  // p goes down on that side, its other child up
    const Index n = child(p, !right), inner = child(n, right);
    replace(p, n);
    set_child(n, right, p);
    edit(p).parent = n;
    set_child(p, !right, inner);
    if (inner != 0) edit(inner).parent = p;
    if (is_augmented(set_)) update(p), update(n);
  }
  void mend_two_reds(Index n);
  void mend_lost_black(Index n, Index parent);

  Machine& m_;
  RangeSet set_;
};

void Tree::insert(Index n, Index parent) {
  Range& r = edit(n);
  r.parent = parent, r.left = 0, r.right = 0, r.red = 1;
  if (parent == 0) edit_set(m_, set_).root = n;
  else set_child(parent, n > parent, n);
  propagate(n);
  mend_two_reds(n);
}

void Tree::mend_two_reds(Index n) {
  while (red(at(n).parent)) {
    Index p = at(n).parent;
    const Index g = at(p).parent;
    const bool right = at(g).right == p;
    const Index uncle = child(g, !right);
    if (red(uncle)) {
      paint(p, 0), paint(uncle, 0), paint(g, 1);
      n = g;
      continue;
    }
    if (child(p, !right) == n) {
      rotate(p, right);
      p = n;
    }
    paint(p, 0), paint(g, 1);
    rotate(g, !right);
    break;
  }
  paint(set_of(m_, set_).root, 0);
}

void Tree::erase(Index n) {
  // What leaves its place has at most one child: the node itself, or the next one, which then
  // takes the node's place.
  Index moved = n;
  if (at(n).left != 0 && at(n).right != 0)
    for (moved = at(n).right; at(moved).left != 0;) moved = at(moved).left;
  const Index rest = at(moved).left != 0 ? at(moved).left : at(moved).right;
  Index below = at(moved).parent;
  const bool lost_black = !red(moved);
  replace(moved, rest);
  if (moved != n) {
    if (below == n) below = moved;
    replace(n, moved);
    Range& r = edit(moved);
    r.left = at(n).left, r.right = at(n).right, r.red = at(n).red;
    if (r.left != 0) edit(r.left).parent = moved;
    if (r.right != 0) edit(r.right).parent = moved;
  }
  propagate(below);
  if (lost_black) mend_lost_black(rest, below);
}

// The ways through `n`, which may be none, are one black short.
void Tree::mend_lost_black(Index n, Index parent) {
  while (parent != 0 && !red(n)) {
    const bool right = at(parent).left == n;  // the side of the sibling
    Index s = child(parent, right);
    if (red(s)) {
      paint(s, 0), paint(parent, 1);
      rotate(parent, !right);
      s = child(parent, right);
    }
    if (!red(at(s).left) && !red(at(s).right)) {
      paint(s, 1);
      n = parent, parent = at(n).parent;
      continue;
    }
    if (!red(child(s, right))) {
      paint(child(s, !right), 0), paint(s, 1);
      rotate(s, right);
      s = child(parent, right);
    }
    paint(s, at(parent).red), paint(parent, 0), paint(child(s, right), 0);
    rotate(parent, !right);
    return;
  }
  if (n != 0) paint(n, 0);
}

}  // namespace

void rb_insert(Machine& m, RangeSet set, Index link, Index parent) {
  Tree(m, set).insert(link, parent);
}
void rb_erase(Machine& m, RangeSet set, Index link) { Tree(m, set).erase(link); }
void propagate(Machine& m, RangeSet set, Index link) { Tree(m, set).propagate(link); }

}  // namespace ref::vmalloc
