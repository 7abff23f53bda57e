// naive_judge: the judge of page events restated with one entry per frame; for tests.
#pragma once
#include <cstdint>
#include <map>
#include <vector>

#include "props/linux/pages.hpp"
#include "props/linux/rules.hpp"

namespace props::recorded {

// The judge restated without intervals: one entry per frame, every question a loop over frames.
class NaiveJudge {
 public:
  void feed(const PageEvent& event, std::uint64_t line, std::vector<PageViolation>& violations) {
    if (event.kind == PageEventKind::alloc)
      return alloc({event.pfn, event.order, line}, violations);
    if (event.kind == PageEventKind::failed_alloc) return;
    free(event, event.kind == PageEventKind::free ? 'f' : 'b');
  }
  void forget() { frames_.clear(); }
  PageNotes notes;

 private:
  struct Frame {
    char state = '?';  // '?' unknown, 'l' live, freed by 'f' or 'b' alone or by the pair '2'
    Block block;
  };

  void alloc(const Block& block, std::vector<PageViolation>& violations) {
    const std::uint64_t end = block.pfn + (1ull << block.order);
    size_[block.line] = 1ull << block.order;
    if (block.pfn % (1ull << block.order) != 0) violations.push_back({&aligned_rule(), block, {}});
    bool collided = false;
    for (std::uint64_t at = block.pfn; at < end; ++at) {
      if (frames_[at].state != 'l') continue;
      const Block holder = frames_[at].block;
      if (!collided) violations.push_back({&disjoint_rule(), block, holder});
      collided = true;
      const auto held = [&](std::uint64_t f) {
        return frames_[f].state == 'l' && frames_[f].block == holder;
      };
      for (std::uint64_t f = at; held(f); ++f) frames_[f] = {};
      for (std::uint64_t f = at; f > 0 && held(f - 1); --f) frames_[f - 1] = {};
    }
    for (std::uint64_t at = block.pfn; at < end; ++at) frames_[at] = {'l', block};
  }

  void free(const PageEvent& event, char seen) {
    bool unknown = false, again = false, pair = false, part = false;
    std::map<std::uint64_t, std::uint64_t> taken;  // of each block, by line
    for (std::uint64_t at = event.pfn; at < event.pfn + (1ull << event.order); ++at) {
      Frame& frame = frames_[at];
      const char before = frame.state;
      if (before == 'l') ++taken[frame.block.line];
      frame.state = seen;
      if (before == '?') unknown = true;
      if (before == '2' || before == seen) again = true;
      if ((before == 'f' || before == 'b') && before != seen) {
        pair = true;
        frame.state = '2';
      }
    }
    for (const auto& [line, count] : taken) part = part || count != size_.at(line);
    notes.free_of_unknown += unknown;
    notes.free_of_free += again;
    notes.batched_beside_free += pair;
    notes.free_of_part += part;
    notes.free_of_several += taken.size() > 1 || (!taken.empty() && (unknown || again || pair));
  }

  std::map<std::uint64_t, Frame> frames_;
  std::map<std::uint64_t, std::uint64_t> size_;  // of the block of each line
};

}  // namespace props::recorded
