// The trees of ranges: order, colours, and the largest range below each node.
#include <algorithm>

#include "props/vmalloc/invariants_parts.hpp"

namespace props::vmalloc {
namespace {

constexpr std::array sets{RangeSet::busy, RangeSet::free, RangeSet::lazy};

Index root_of(const Machine& m, RangeSet set) {
  return globals_of(m).set[static_cast<std::size_t>(set)].root;
}

// Nodes in order; nothing where links lead out of the set, or in circles.
struct Walk {
  const Machine& m;
  RangeSet set;
  std::vector<std::uint64_t> pages{};
  Broken broken{};

  void below(Index link, Index parent, std::uint64_t depth) {
    if (link == 0 || broken) return;
    constexpr std::uint64_t depth_max = 64;  // of a tree that has fewer than 2^32 nodes
    const std::uint64_t p = link - 1;
    if (p >= pages_of(m) || range_of(m, p).pages == 0 || range_of(m, p).set != set)
      return void(broken = of_page("a link of the tree to a range of its set", p, 1, 0));
    if (range_of(m, p).parent != parent)
      return void(broken = of_page("the parent", p, parent, range_of(m, p).parent));
    if (depth > depth_max || pages.size() > pages_of(m))
      return void(broken = of_page("the depth, at most", p, depth_max, depth));
    below(range_of(m, p).left, link, depth + 1);
    pages.push_back(p);
    below(range_of(m, p).right, link, depth + 1);
  }
};

// Black nodes on the way down to each leaf; nothing where two ways differ.
std::optional<std::uint64_t> black_height(const Machine& m, Index link, Broken& broken) {
  if (link == 0) return 1;
  const RangeRecord& r = range_of(m, link - 1);
  if (r.red > 1) broken = of_page("a colour", link - 1, 1, r.red);
  for (const Index child : {r.left, r.right})
    if (r.red != 0 && child != 0 && range_of(m, child - 1).red != 0)
      broken = of_page("a red node below a red one", child - 1, 0, 1);
  const auto left = black_height(m, r.left, broken), right = black_height(m, r.right, broken);
  if (broken || !left || !right) return std::nullopt;
  if (*left != *right) {
    broken = of_page("black nodes on each way down", link - 1, *left, *right);
    return std::nullopt;
  }
  return *left + (r.red != 0 ? 0 : 1);
}

}  // namespace

// The tree in order is the list; 2.6.11 has none.
Broken tree_broken(const Machine& m) {
  if (m.vmalloc.globals.count == 0) return std::nullopt;
  if (const Index root = root_of(m, RangeSet::none); root != 0)
    return Witness{"the root of no set", 0, root};
  for (const RangeSet set : sets) {
    const auto pages = begins(m, set);
    if (is_old(m)) {
      for (const std::uint64_t p : pages) {
        const RangeRecord& r = range_of(m, p);
        const Index links = r.parent | r.left | r.right;
        if (links != 0) return of_page("links of a tree", p, 0, links);
      }
      if (root_of(m, set) != 0) return Witness{"the root of a tree", 0, root_of(m, set)};
      continue;
    }
    Walk walk{m, set};
    walk.below(root_of(m, set), 0, 0);
    if (walk.broken) return walk.broken;
    for (std::size_t i = 0; i < std::max(pages.size(), walk.pages.size()); ++i) {
      const std::uint64_t wanted = i < pages.size() ? pages[i] + 1 : 0;
      const std::uint64_t actual = i < walk.pages.size() ? walk.pages[i] + 1 : 0;
      if (wanted != actual) return of_page("the tree in address order", i, wanted, actual);
    }
  }
  return std::nullopt;
}

// Red-black: a black root, no red node below a red one, as many black nodes on each way down.
Broken colours_broken(const Machine& m) {
  if (m.vmalloc.globals.count == 0) return std::nullopt;
  for (const RangeSet set : sets) {
    if (is_old(m)) {
      for (const std::uint64_t p : begins(m, set))
        if (range_of(m, p).red != 0) return of_page("a colour", p, 0, range_of(m, p).red);
      continue;
    }
    const Index root = root_of(m, set);
    if (root != 0 && range_of(m, root - 1).red != 0)
      return of_page("the root's colour", root - 1, 0, range_of(m, root - 1).red);
    Broken broken;
    black_height(m, root, broken);
    if (broken) return broken;
  }
  return std::nullopt;
}

// V-6 (c): recomputed from below, so that an allocation which trusts it finds what is there.
Broken largest_broken(const Machine& m) {
  if (m.vmalloc.globals.count == 0) return std::nullopt;
  for (const RangeSet set : {RangeSet::busy, RangeSet::lazy})
    for (const std::uint64_t p : begins(m, set))
      if (range_of(m, p).largest != 0)
        return of_page("the largest below a range that is not free", p, 0, range_of(m, p).largest);
  Broken broken;
  const auto largest = [&](const auto& self, Index link) -> std::uint32_t {
    if (link == 0 || broken) return 0;
    const RangeRecord& r = range_of(m, link - 1);
    const std::uint32_t most = std::max({r.pages, self(self, r.left), self(self, r.right)});
    if (!broken) broken = of_page("the largest at or below", link - 1, most, r.largest);
    return most;
  };
  largest(largest, root_of(m, RangeSet::free));
  return broken;
}

}  // namespace props::vmalloc
