// pages: judges the page events of a kernel that was running before the recording began.
//
//   frame   0x40   0x41   0x42   0x43   0x44   0x45   0x46   0x47
//          [live, line 12            ][free ][      unknown      ]
//
// Frames not in the map are unknown: nobody saw them allocated or freed. Whatever a legal kernel
// may do with a frame in the state the recording shows is at most a counted note; only handing out
// a frame that is certainly live, or a block at an impossible place, is a violation.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "props/core/rule.hpp"
#include "props/linux/event.hpp"
#include "props/linux/spans.hpp"

namespace props::recorded {

struct PageViolation {
  const Rule* rule = nullptr;
  Block block;                  // the block that was handed out
  std::optional<Block> holder;  // the block that it collides with
  bool operator==(const PageViolation&) const = default;
};

// Legal, and worth counting: how much of the recording could be judged. One event may add to
// several kinds, and to each at most once.
struct PageNotes {
  std::uint64_t free_of_unknown = 0;      // allocated before the recording, or behind a loss
  std::uint64_t batched_beside_free = 0;  // both events of one free, in either order
  std::uint64_t free_of_free = 0;         // allocated by a path that is not traced (bulk)
  std::uint64_t free_of_part = 0;         // less than the block that was handed out (split, exact)
  std::uint64_t free_of_several = 0;      // more than one block, or a block and other pages
  bool operator==(const PageNotes&) const = default;
};

class PagesJudge {
 public:
  // Adds what is wrong with the event, if anything, to `violations`. A block that was wrongly
  // handed out is live from then on and what it collided with is unknown: one fault, one report.
  void feed(const PageEvent& event, std::uint64_t line, std::vector<PageViolation>& violations);

  // Events were lost: nothing is known any more.
  void forget() { spans_.clear(); }

  const PageNotes& notes() const { return notes_; }
  // How many intervals are known; what the memory of the judge is proportional to.
  std::size_t spans() const { return spans_.size(); }

 private:
  // What the frames of one free were before it.
  struct Found {
    bool unknown = false;
    bool free = false;
    bool pair = false;
    bool part = false;  // of a live block, but not all of it
    unsigned live = 0;  // intervals
    void take_live(const Span& span, std::uint64_t from, std::uint64_t to);
  };

  void alloc(const Block& block, std::vector<PageViolation>& violations);
  void free(const PageEvent& event);
  void free_mixed(std::uint64_t first, std::uint64_t end, Owner seen, Found& found);
  static Owner after_free(Owner before, Owner seen, Found& found);
  void note(const Found& found);

  Spans spans_;
  PageNotes notes_;
  std::vector<Span> pieces_;  // kept to spare allocations
};

}  // namespace props::recorded
