// The judge of recorded traffic against its naive restatement, on every short recording.
#include <gtest/gtest.h>

#include <set>

#include "props/linux/naive_judge.hpp"

namespace props::recorded {
namespace {

// Each kind of event for each block of one or two frames among the first four, also crooked ones,
// and of four frames.
std::vector<PageEvent> alphabet() {
  std::vector<PageEvent> events;
  for (const auto kind : {PageEventKind::alloc, PageEventKind::free, PageEventKind::free_batched})
    for (std::uint8_t order = 0; order < 3; ++order)
      for (std::uint64_t pfn = 0; pfn + (1u << order) <= 4; ++pfn) {
        PageEvent event;
        event.kind = kind, event.order = order, event.pfn = pfn;
        events.push_back(event);
      }
  return events;
}

// Both judges at the end of one recording; a number behind the alphabet is a loss of events.
void compare(const std::vector<PageEvent>& events, const std::vector<std::size_t>& letters,
             std::uint64_t& violations) {
  PagesJudge judge;
  NaiveJudge naive;
  std::vector<PageViolation> found, expected;
  std::uint64_t line = 0;
  for (const std::size_t letter : letters) {
    ++line;
    if (letter == events.size()) {
      judge.forget(), naive.forget();
      continue;
    }
    judge.feed(events[letter], line, found);
    naive.feed(events[letter], line, expected);
  }
  ASSERT_EQ(found, expected);
  ASSERT_EQ(judge.notes(), naive.notes);
  violations += found.size();
}

TEST(JudgeScope, every_recording_of_up_to_four_events_is_judged_as_frame_by_frame) {
  const std::vector<PageEvent> events = alphabet();
  ASSERT_EQ(events.size(), 3u * (4 + 3 + 1));
  std::uint64_t recordings = 0, violations = 0;
  for (std::size_t length = 1; length <= 4; ++length) {
    std::vector<std::size_t> letters(length, 0);
    for (bool more = true; more;) {
      ASSERT_NO_FATAL_FAILURE(compare(events, letters, violations))
          << testing::PrintToString(letters);
      ++recordings;
      more = false;  // counts on, the last letter first
      for (std::size_t i = length; i-- > 0 && !more;) {
        more = letters[i] < events.size();
        letters[i] = more ? letters[i] + 1 : 0;
      }
    }
  }
  EXPECT_EQ(recordings, 25u + 25u * 25 + 25u * 25 * 25 + 25u * 25 * 25 * 25);
  EXPECT_GT(violations, 100000u);
}

}  // namespace
}  // namespace props::recorded
