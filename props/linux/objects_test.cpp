// objects_test: objects are judged as their naive restatement says, and by the tables of classes.
#include <gtest/gtest.h>

#include <map>

#include "props/linux/naive_objects.hpp"
#include "props/linux/recording_cases.hpp"

namespace props::recorded {
namespace {

// Both judges over one stream, compared after each event.
class Pair {
 public:
  explicit Pair(Classes classes) : judge_(classes), naive_(classes) {}

  void feed(const ObjectEvent& event) {
    ++line_;
    std::vector<ObjectViolation> found, expected;
    judge_.feed(event, line_, found);
    naive_.feed(event, line_, expected);
    ASSERT_EQ(found, expected) << "line " << line_;
    ASSERT_EQ(judge_.notes(), naive_.notes) << "line " << line_;
    for (const ObjectViolation& one : found) ++broken[one.rule->id];
  }
  void cover(std::uint64_t first, std::uint64_t end) {
    ++line_;
    judge_.cover(first, end), naive_.cover(first, end);
    ASSERT_EQ(judge_.notes(), naive_.notes) << "line " << line_;
  }
  void forget() { judge_.forget(), naive_.forget(); }
  const ObjectNotes& notes() const { return judge_.notes(); }

  std::map<std::string_view, unsigned> broken;

 private:
  ObjectsJudge judge_;
  NaiveObjects naive_;
  std::uint64_t line_ = 0;
};

constexpr std::uint64_t base = 0xffff888000000000;

ObjectEvent drawn(Dice& dice, Classes classes) {
  constexpr std::array kinds{ObjectEventKind::kmalloc, ObjectEventKind::cache_alloc,
                             ObjectEventKind::free};
  ObjectEvent event;
  event.kind = kinds[dice.below(3)];
  if (dice.below(40) == 0) event.kind = ObjectEventKind::failed_alloc;
  if (dice.below(40) == 0) event.kind = ObjectEventKind::free_nothing;
  event.address = dice.below(50) == 0 ? 0 : base + 8 * dice.below(96);
  if (event.kind != ObjectEventKind::kmalloc && event.kind != ObjectEventKind::cache_alloc) {
    // Few places, so that some are freed twice.
    if (event.address != 0 && dice.below(3) != 0) event.address = base + 64 * dice.below(12);
    return event;
  }
  event.bytes_req = 1 + dice.below(160);
  event.bytes_alloc = smallest_fit(event.bytes_req, classes);
  if (dice.below(4) != 0 && event.address != 0)
    event.address = base + (event.address - base) / event.bytes_alloc * event.bytes_alloc;
  if (dice.below(10) == 0) event.bytes_alloc = dice.below(160);
  return event;
}

TEST(Objects, AgreeWithTheirNaiveRestatementOnRandomTraffic) {
  std::map<std::string_view, unsigned> broken;
  ObjectNotes most;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    Dice dice{seed};
    const Classes classes = seed % 2 == 0 ? Classes::slub : Classes::slab;
    Pair pair(classes);
    for (unsigned step = 0; step < 120; ++step) {
      SCOPED_TRACE(fmt::format("seed {} step {}", seed, step));
      if (dice.below(60) == 0) pair.forget();
      const std::uint64_t page = base + 64 * dice.below(12);  // pages of 64 bytes, so to say
      if (dice.below(12) == 0)
        ASSERT_NO_FATAL_FAILURE(pair.cover(page, page + (64ull << dice.below(3))));
      else ASSERT_NO_FATAL_FAILURE(pair.feed(drawn(dice, classes)));
    }
    for (const auto& [id, count] : pair.broken) broken[id] += count;
    most.handed_out_again += pair.notes().handed_out_again;
    most.gone_with_page += pair.notes().gone_with_page;
    most.free_of_unknown += pair.notes().free_of_unknown;
    most.free_of_free += pair.notes().free_of_free;
    most.free_inside += pair.notes().free_inside;
    most.hidden += pair.notes().hidden;
  }
  // Traffic that never reaches a case proves nothing about it.
  for (const Rule* rule :
       {&kmalloc_class_rule(), &object_aligned_rule(), &object_overlap_rule(), &object_size_rule()})
    EXPECT_GT(broken[rule->id], 100u) << rule->id;
  EXPECT_GT(most.handed_out_again, 100u);
  EXPECT_GT(most.gone_with_page, 100u);
  EXPECT_GT(most.free_of_unknown, 100u);
  EXPECT_GT(most.free_of_free, 100u);
  EXPECT_GT(most.free_inside, 100u);
  EXPECT_GT(most.hidden, 100u);
}

// Every recording of up to four events: an object of one, two or three units at each of four
// places, the frees of those places, a page event over each half, and a loss.
TEST(Objects, AgreeWithTheirNaiveRestatementOnEveryShortRecording) {
  std::vector<ObjectEvent> letters;
  for (std::uint64_t unit = 0; unit < 4; ++unit) {
    letters.push_back({ObjectEventKind::free, base + 8 * unit, 0, 0});
    for (std::uint64_t size = 1; size <= 3 && unit + size <= 4; ++size)
      letters.push_back({ObjectEventKind::cache_alloc, base + 8 * unit, 1, 8 * size});
  }
  const std::size_t halves = letters.size(), loss = halves + 2, all = loss + 1;
  std::uint64_t recordings = 0, overlaps = 0;
  for (std::size_t code = 0; code < all * all * all * all; ++code, ++recordings) {
    Pair pair(Classes::slub);
    std::size_t rest = code;
    for (unsigned step = 0; step < 4; ++step, rest /= all) {
      const std::size_t letter = rest % all;
      SCOPED_TRACE(code);
      if (letter < halves) ASSERT_NO_FATAL_FAILURE(pair.feed(letters[letter]));
      else if (letter < loss)
        ASSERT_NO_FATAL_FAILURE(
            pair.cover(base + 16 * (letter - halves), base + 16 * (letter - halves) + 16));
      else pair.forget();
    }
    overlaps += pair.broken[object_overlap_rule().id];
  }
  EXPECT_EQ(recordings, 16u * 16 * 16 * 16);
  EXPECT_GT(overlaps, 10000u);
}

TEST(Classes, AreTheSmallestThatFit) {
  for (const auto& [bytes, slub, slab] :
       std::vector<std::array<std::uint64_t, 3>>{{0, 8, 32},
                                                 {1, 8, 32},
                                                 {8, 8, 32},
                                                 {9, 16, 32},
                                                 {17, 32, 32},
                                                 {33, 64, 64},
                                                 {64, 64, 64},
                                                 {65, 96, 96},
                                                 {96, 96, 96},
                                                 {97, 128, 128},
                                                 {129, 192, 192},
                                                 {193, 256, 256},
                                                 {4097, 8192, 8192},
                                                 {8192, 8192, 8192},
                                                 {8193, 16384, 16384},
                                                 {20000, 32768, 32768},
                                                 {4u << 20, 4u << 20, 4u << 20}}) {
    EXPECT_EQ(smallest_fit(bytes, Classes::slub), slub) << bytes;
    EXPECT_EQ(smallest_fit(bytes, Classes::slab), slab) << bytes;
  }
  EXPECT_TRUE(may_take(128, 96, Classes::slab));  // padded to a cache line
  EXPECT_FALSE(may_take(128, 96, Classes::slub));
  EXPECT_FALSE(may_take(128, 64, Classes::slab));
  EXPECT_EQ(smallest_fit(1ull << 63, Classes::slub), 1ull << 63);
  EXPECT_EQ(smallest_fit((1ull << 63) + 1, Classes::slub), 0u);
  EXPECT_EQ(classes_of("slab"), Classes::slab);
  EXPECT_EQ(classes_of("slob"), std::nullopt);
}

// Whether page events come decides what an overlap is, and they may come after it.
std::string object(std::uint64_t address, std::uint64_t bytes) {
  return fmt::format(
      "bash-754 [000] ..... 2685.396255: kmem_cache_alloc: call_site=f+0x6 ptr={:x} name=x y "
      "bytes_req={} bytes_alloc={} gfp_flags=GFP_NOWAIT node=-1 accounted=true\n",
      address, bytes, bytes);
}
std::string page(std::uint64_t pfn, std::uint64_t vmemmap = 0xffffea0000000000) {
  return fmt::format("bash-754 [000] ..... 2685.39: mm_page_alloc: page={:x} pfn={:#x} order=0\n",
                     vmemmap + 64 * pfn, pfn);
}
const std::string overlap = object(base + 0x1000, 64) + object(base + 0x1020, 64);

TEST(ObjectOverlap, IsANoteWithoutPageEvents) {
  const Verdict verdict = judge_text(overlap);
  EXPECT_FALSE(verdict.problem);
  EXPECT_EQ(verdict.violation_count, 0u);
  EXPECT_EQ(verdict.overlap_unsure, 1u);
}

TEST(ObjectOverlap, IsAViolationWhereverThePageEventIs) {
  const std::string elsewhere = page(0x77);
  for (const std::string& text : {elsewhere + overlap, overlap + elsewhere}) {
    const Verdict verdict = judge_text(text);
    ASSERT_EQ(verdict.violation_count, 1u);
    EXPECT_EQ(verdict.violations.front().rule, &object_overlap_rule());
    EXPECT_EQ(verdict.overlap_unsure, 0u);
    EXPECT_EQ(verdict.direct_map.base(), base);
  }
  // A request that was refused places nothing.
  const std::string refused = "bash-754 [000] 1.5: mm_page_alloc: page=(null) pfn=0x0 order=0\n";
  EXPECT_EQ(judge_text(overlap + refused).overlap_unsure, 1u);
  EXPECT_EQ(judge_text(overlap + refused + elsewhere).violation_count, 1u);
  // The page of the older object is handed out in between.
  const Verdict covered =
      judge_text(object(base + 0x1000, 64) + page(1) + object(base + 0x1020, 64));
  EXPECT_EQ(covered.violation_count, 0u);
  EXPECT_EQ(covered.object_notes.gone_with_page, 1u);
}

TEST(ObjectOverlap, ThoseHeldBackAreToldInTheOrderOfLines) {
  std::string text;
  for (unsigned at = 0; at < Verdict::shown_max; ++at)
    text += object(base + 0x10000 * at + 0x2000, 64) + object(base + 0x10000 * at + 0x2020, 64);
  std::string small = object(base + 0x900000, 64);
  small.replace(small.find("bytes_alloc=64"), 14, "bytes_alloc=32");
  const Verdict verdict = judge_text(overlap + small + text + page(0x77777));
  EXPECT_EQ(verdict.violation_count, 2u + Verdict::shown_max);
  ASSERT_EQ(verdict.violations.size(), Verdict::shown_max);
  EXPECT_EQ(verdict.violations[0].line, 2u);
  EXPECT_EQ(summary(verdict.violations[1]), "LINUX-OBJECT-SIZE line 3");
  EXPECT_EQ(verdict.violations[2].collides_with_line, 4u);
}

TEST(ObjectOverlap, IsANoteWherePageEventsCannotBePlaced) {
  const std::string moved = page(0x77, 0xffffea0000000000 + (5ull << 30));  // KASLR
  for (const std::string& text : {moved + overlap, overlap + moved}) {
    const Verdict verdict = judge_text(text);
    EXPECT_EQ(verdict.violation_count, 0u);
    EXPECT_EQ(verdict.overlap_unsure, 1u);
    EXPECT_EQ(verdict.direct_map.source(), DirectMap::Source::unknown);
  }
}

TEST(ObjectOverlap, IsANoteIfAPageEventBeforeCouldNotBePlaced) {
  // The page of the older objects is freed, but who can tell?
  const std::string hidden = "bash-754 [000] 1.5: mm_page_free: page=(ptrval) pfn=0x1 order=0\n";
  const Verdict before = judge_text(overlap + hidden + page(0x77));
  EXPECT_EQ(before.violation_count, 0u);
  EXPECT_EQ(before.overlap_unsure, 1u);
  const std::string text = object(base + 0x1000, 64) + hidden + page(0x77);
  EXPECT_EQ(judge_text(text + object(base + 0x1020, 64)).violation_count, 0u);
  EXPECT_EQ(judge_text(text + overlap).violation_count, 1u);
}

TEST(ObjectOverlap, IsAViolationOnceNewSlabsToldWherePagesLie) {
  constexpr std::uint64_t moved = base + (0x123ull << 30);
  std::string text = object(moved + 0x5000, 64);  // forgotten when the base is learnt
  for (const std::uint64_t pfn : {0x10u, 0x20u, 0x30u})
    text += page(pfn, 0xffffeb0000000000) + object(moved + pfn * 4096 + 128, 128);
  text += object(moved + 0x5010, 64);
  const Verdict learnt = judge_text(text);
  EXPECT_EQ(learnt.violation_count, 0u);
  EXPECT_EQ(learnt.direct_map.base(), moved);
  EXPECT_EQ(learnt.direct_map.source(), DirectMap::Source::objects);
  const Verdict verdict = judge_text(text + object(moved + 0x5020, 64));
  ASSERT_EQ(verdict.violation_count, 1u);
  EXPECT_EQ(summary(verdict.violations.front()), "LINUX-OBJECT-OVERLAP line 9 collides 8");
}

TEST(ObjectOverlap, IsForgottenWithLostEvents) {
  const std::string lost = "CPU:0 [LOST 7 EVENTS]\n";
  const Verdict verdict = judge_text(page(0x77) + object(base + 0x1000, 64) + lost +
                                     object(base + 0x1020, 64) + object(base + 0x1030, 64));
  ASSERT_EQ(verdict.violation_count, 1u);
  EXPECT_EQ(summary(verdict.violations.front()), "LINUX-OBJECT-OVERLAP line 5 collides 4");
}

}  // namespace
}  // namespace props::recorded
