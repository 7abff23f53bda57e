// ranges: the oracle of any range allocator. It knows what callers have, and no policy.
//
//   window   |....[ a0 ####g ]......[ a1 ##g ][ a2 #g ]....|     g guard, # mapped, . a hole
//             ^ first                                       ^ end
//
// Where an allocator puts an area is its own business, as long as it lies inside, meets no other
// (guards count) and is aligned. It may refuse only where no hole takes the area.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "props/core/violation.hpp"

namespace props::vmalloc {

struct Range {
  std::uint64_t first = 0, end = 0;
  bool operator==(const Range&) const = default;
  bool meets(const Range& other) const { return first < other.end && other.first < end; }
  bool holds(std::uint64_t at) const { return first <= at && at < end; }
};

// What was asked for: bytes with the guard, and a power of two.
struct Room {
  std::uint64_t bytes = 0, align = 1;
};

class Ranges {
 public:
  Ranges() = default;
  explicit Ranges(Range window) : window_(window) {}

  const Range& window() const { return window_; }
  const std::vector<Range>& taken() const { return taken_; }

  // Says why an answer is wrong; nothing changes.
  std::optional<Finding> granted(std::uint64_t at, const Room&) const;
  // Some hole takes it.
  bool fits(const Room&) const;
  // The lowest place where it fits, or the window's end: for those who know that policy.
  std::uint64_t lowest(const Room&) const;

  void take(const Range&);
  void give(std::uint64_t first);
  bool free_at(std::uint64_t at) const;
  bool operator==(const Ranges&) const = default;

 private:
  Range window_;
  std::vector<Range> taken_;  // by address, disjoint
};

}  // namespace props::vmalloc
