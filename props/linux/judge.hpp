// judge: reads a recording line by line and says which events break a rule.
//
//   bytes -> LineReader -> read_line -> read_page_event -> PagesJudge
//                             |               |               |
//                          Problem         Problem        violations, notes
//
// A problem ends the reading: what cannot be read cannot be judged. A violation does not.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "props/linux/lines.hpp"
#include "props/linux/pages.hpp"

namespace props::recorded {

struct Counts {
  std::uint64_t lines = 0;
  std::uint64_t events = 0;  // page events: the sum of the next four
  std::uint64_t allocations = 0;
  std::uint64_t failed = 0;   // requests that were refused; not judged
  std::uint64_t frees = 0;    // mm_page_free
  std::uint64_t batched = 0;  // mm_page_free_batched
  std::uint64_t other = 0;    // events of other kinds; skipped
  std::uint64_t lost = 0;     // marks of lost events
  bool operator==(const Counts&) const = default;
};

struct Violation {
  const Rule* rule = nullptr;
  Block block;                  // block.line is the line of the violation
  std::optional<Block> holder;  // holder->line is the line it collides with
  std::string event;            // the line itself, cut where it is long
  std::string text;             // one sentence with the numbers
};

struct Verdict {
  std::string file;
  Counts counts;
  PageNotes notes;
  std::vector<Violation> violations;  // the first `shown_max`
  std::uint64_t violation_count = 0;  // all
  std::optional<Problem> problem;     // the input could not be read to its end

  static constexpr std::size_t shown_max = 10;
};

// `file` is only remembered. A recording without any page event is a problem.
Verdict judge(LineReader& reader, std::string_view file);

}  // namespace props::recorded
