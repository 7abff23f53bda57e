// judge: reads a recording line by line and says which events break a rule.
//
//   bytes -> LineReader -> read_line -> read_page_event   -> PagesJudge   -> violations, notes
//                             |          |                -> DirectMap
//                          Problem    Problem                   | covers
//                                        |                      v
//                                      read_object_event -> ObjectsJudge -> violations, notes
//
// A problem ends the reading: what cannot be read cannot be judged. A violation does not.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "props/linux/direct_map.hpp"
#include "props/linux/lines.hpp"
#include "props/linux/violation.hpp"

namespace props::recorded {

struct ObjectCounts {
  std::uint64_t events = 0;  // object events: the sum of the next three
  std::uint64_t allocations = 0;
  std::uint64_t failed = 0;  // requests that were refused; not judged
  std::uint64_t frees = 0;   // those of a null pointer too, which free nothing
  bool operator==(const ObjectCounts&) const = default;
};

struct Counts {
  std::uint64_t lines = 0;
  std::uint64_t events = 0;  // page events: the sum of the next four
  std::uint64_t allocations = 0;
  std::uint64_t failed = 0;   // requests that were refused; not judged
  std::uint64_t frees = 0;    // mm_page_free
  std::uint64_t batched = 0;  // mm_page_free_batched
  ObjectCounts objects;
  std::uint64_t other = 0;  // events of other kinds; skipped
  std::uint64_t lost = 0;   // marks of lost events
  bool operator==(const Counts&) const = default;
};

struct Verdict {
  std::string file;
  Counts counts;
  PageNotes notes;
  ObjectNotes object_notes;
  // Overlaps of objects that are no violations: without page events, or with page events that
  // cannot be placed, the older object may be gone long since.
  std::uint64_t overlap_unsure = 0;
  DirectMap direct_map;
  std::vector<Violation> violations;  // the first `shown_max`
  std::uint64_t violation_count = 0;  // all
  std::optional<Problem> problem;     // the input could not be read to its end

  static constexpr std::size_t shown_max = 10;
};

// `file` is only remembered. A recording without any page or object event is a problem.
Verdict judge(LineReader& reader, std::string_view file, Classes classes = Classes::slub);

}  // namespace props::recorded
