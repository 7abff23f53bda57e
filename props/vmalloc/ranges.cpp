// Judges places by the list of what is taken.
#include "props/vmalloc/ranges.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace props::vmalloc {
namespace {

std::string text_of(const Range& r) { return fmt::format("[{:#x}, {:#x})", r.first, r.end); }

}  // namespace

std::optional<Finding> Ranges::granted(std::uint64_t at, const Room& room) const {
  const Range asked{at, at + room.bytes};
  const bool inside =
      at >= window_.first && at <= window_.end && window_.end - at >= room.bytes && room.bytes > 0;
  if (!inside)
    return Finding{"VMALLOC-INSIDE", "a place inside the window " + text_of(window_),
                   text_of(asked)};
  if (at % room.align != 0)
    return Finding{"VMALLOC-ALIGNED", fmt::format("a multiple of {:#x}", room.align),
                   fmt::format("{:#x}", at)};
  for (const Range& other : taken_)
    if (asked.meets(other))
      return Finding{"VMALLOC-DISJOINT", "room that nobody has, with a guard behind",
                     fmt::format("{} meets {}", text_of(asked), text_of(other))};
  return std::nullopt;
}

std::uint64_t Ranges::lowest(const Room& room) const {
  std::uint64_t hole = window_.first;
  for (std::size_t i = 0; i <= taken_.size(); ++i) {
    const std::uint64_t end = i < taken_.size() ? taken_[i].first : window_.end;
    const std::uint64_t at = (hole + room.align - 1) / room.align * room.align;
    if (at >= hole && at <= end && end - at >= room.bytes) return at;
    if (i < taken_.size()) hole = taken_[i].end;
  }
  return window_.end;
}

bool Ranges::fits(const Room& room) const { return room.bytes > 0 && lowest(room) != window_.end; }

void Ranges::take(const Range& range) {
  taken_.insert(std::ranges::upper_bound(taken_, range.first, {}, &Range::first), range);
}

void Ranges::give(std::uint64_t first) {
  std::erase_if(taken_, [&](const Range& r) { return r.first == first; });
}

bool Ranges::free_at(std::uint64_t at) const {
  return std::ranges::none_of(taken_, [&](const Range& r) { return r.holds(at); });
}

}  // namespace props::vmalloc
