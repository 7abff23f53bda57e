// linux_test: recorded traffic is judged rightly; every sample in corpus/linux says what it
// expects.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "props/linux/naive_judge.hpp"
#include "props/linux/recording_cases.hpp"
#include "props/linux/rules.hpp"
#include "props/linux/xz.hpp"

namespace props::recorded {
namespace {

// --- samples ------------------------------------------------------------------------------------

struct Expectation {
  bool clean = false;
  std::string violation;  // "RULE line N" or "RULE line N collides M"
  std::map<std::string, std::uint64_t> counts;
};

Expectation expectation_of(const std::string& text) {
  Expectation result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    constexpr std::string_view mark = "# expect ";
    if (!line.starts_with(mark)) continue;
    const std::string said = line.substr(mark.size());
    std::istringstream words(said);
    std::string first;
    words >> first;
    if (first == "clean") result.clean = true;
    else if (first.starts_with("LINUX-")) result.violation = said;
    else words >> result.counts[first];
  }
  return result;
}

std::map<std::string, std::uint64_t> counts_of(const Verdict& verdict) {
  return {{"lost", verdict.counts.lost},
          {"failed", verdict.counts.failed},
          {"free_of_unknown", verdict.notes.free_of_unknown},
          {"batched_beside_free", verdict.notes.batched_beside_free},
          {"free_of_free", verdict.notes.free_of_free},
          {"free_of_part", verdict.notes.free_of_part},
          {"free_of_several", verdict.notes.free_of_several},
          {"objects", verdict.counts.objects.events},
          {"object_handed_out_again", verdict.object_notes.handed_out_again},
          {"object_gone_with_page", verdict.object_notes.gone_with_page},
          {"object_free_of_unknown", verdict.object_notes.free_of_unknown},
          {"object_free_of_free", verdict.object_notes.free_of_free},
          {"object_free_inside", verdict.object_notes.free_inside},
          {"object_overlap_unsure", verdict.overlap_unsure},
          {"object_hidden", verdict.object_notes.hidden}};
}

std::string read_whole(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::filesystem::path> samples() {
  std::vector<std::filesystem::path> found;
  const std::filesystem::path folder = std::filesystem::path(ALLOCHECK_SOURCE_DIR) / "corpus/linux";
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".trace") found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

TEST(Samples, AreJudgedAsTheirFirstLinesSay) {
  const auto all = samples();
  ASSERT_GE(all.size(), 23u);
  for (const auto& path : all) {
    SCOPED_TRACE(path.filename().string());
    const Expectation expected = expectation_of(read_whole(path));
    ASSERT_NE(expected.clean, !expected.violation.empty()) << "one '# expect' verdict is needed";

    auto source = open_recording(path.string());
    ASSERT_TRUE(source) << source.error().what;
    LineReader reader(**source);
    const Verdict verdict = judge(reader, path.string());
    ASSERT_FALSE(verdict.problem) << verdict.problem->what;
    if (expected.clean) {
      EXPECT_EQ(verdict.violation_count, 0u) << verdict.violations.front().text;
    } else {
      ASSERT_GE(verdict.violation_count, 1u);
      EXPECT_EQ(summary(verdict.violations.front()), expected.violation);
    }
    const auto counts = counts_of(verdict);
    for (const auto& [name, count] : expected.counts) {
      ASSERT_TRUE(counts.contains(name)) << name;
      EXPECT_EQ(counts.at(name), count) << name;
    }
  }
}

TEST(Samples, ShowEveryRuleBroken) {
  std::string broken;
  for (const auto& path : samples()) broken += expectation_of(read_whole(path)).violation + "\n";
  for (const Rule& rule : rules()) EXPECT_NE(broken.find(rule.id), std::string::npos) << rule.id;
}

// --- judging ------------------------------------------------------------------------------------

TEST(Judge, ReportsOneFaultOnceAndCountsThoseItDoesNotShow) {
  std::string once = alloc(0x100, 4) + alloc(0x100, 4);
  for (unsigned at = 0; at < 100; ++at) once += free(0x100, 4) + alloc(0x100, 4);
  EXPECT_EQ(judge_text(once).violation_count, 1u);

  std::string often;
  for (unsigned at = 0; at < 101; ++at) often += alloc(0x100, 0);
  const Verdict verdict = judge_text(often);
  EXPECT_EQ(verdict.violation_count, 100u);
  EXPECT_EQ(verdict.violations.size(), Verdict::shown_max);
  // The newer block is the known one: each collision names the line before it.
  EXPECT_EQ(summary(verdict.violations[3]), "LINUX-DISJOINT line 5 collides 4");
}

TEST(Judge, ContinuesWithCountsUpToTheLineThatCannotBeRead) {
  const Verdict verdict = judge_text(alloc(8, 0) + alloc(8, 0) + "noise\n" + alloc(8, 0));
  ASSERT_TRUE(verdict.problem);
  EXPECT_EQ(verdict.problem->line, 3u);
  EXPECT_EQ(verdict.counts.events, 2u);
  EXPECT_EQ(verdict.violation_count, 1u);
}

TEST(Judge, SkipsRequestsThatWereRefusedHoweverTheKernelPrintsThem) {
  const std::string head = "bash-754 [000] 1.5: mm_page_alloc: page=";
  for (const std::string_view said :
       {"(null) pfn=0x12", "(nil) pfn=0x12", "0x0 pfn=0x12", "0000000000000000 pfn=0x12",
        "ffffea0000000000 pfn=0x0", "(null) pfn=18446744073709551615"}) {
    SCOPED_TRACE(said);
    const std::string line = fmt::format("{}{} order=3 migratetype=0\n", head, said);
    const Verdict verdict = judge_text(line + line);
    EXPECT_FALSE(verdict.problem);
    EXPECT_EQ(verdict.counts.failed, 2u);
    EXPECT_EQ(verdict.violation_count, 0u);
  }
}

TEST(Judge, TakesTheLargestFramesAndOrdersInOneInterval) {
  PagesJudge pages;
  std::vector<PageViolation> found;
  pages.feed({PageEventKind::alloc, 51, 1ull << 51}, 1, found);
  pages.feed({PageEventKind::alloc, 0, (1ull << 52) + 1}, 2, found);
  EXPECT_EQ(pages.spans(), 2u);
  EXPECT_TRUE(found.empty());
  pages.feed({PageEventKind::alloc, 0, (1ull << 52) - 1}, 3, found);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found.front().holder->line, 1u);
}

TEST(Judge, FindsABlockWhereverItIsPutAmongManyOthers) {
  constexpr std::uint64_t many = 300;  // more than a chunk of the table holds
  for (std::uint64_t gap = 0; gap <= many; ++gap) {
    PagesJudge pages;
    std::vector<PageViolation> found;
    const auto alloc_at = [&](std::uint64_t pfn) {
      pages.feed({PageEventKind::alloc, 0, pfn}, pfn, found);
    };
    for (std::uint64_t at = 0; at < many; ++at) alloc_at(2 * at + 1);
    alloc_at(2 * gap);
    EXPECT_EQ(pages.spans(), many + 1);
    EXPECT_TRUE(found.empty());
    for (std::uint64_t at = 0; at < many; ++at) alloc_at(2 * at + 1);
    alloc_at(2 * gap);
    EXPECT_EQ(found.size(), many + 1) << "gap " << gap;
  }
}

TEST(Judge, AgreesWithItsNaiveRestatementOnRandomTraffic) {
  PageNotes covered;
  std::size_t spans_most = 0;
  std::map<std::string_view, unsigned> broken;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    // Some seeds use so many frames that the table of spans grows over several chunks.
    const bool wide = seed % 50 == 0;
    Dice dice{seed};
    PagesJudge judge;
    NaiveJudge naive;
    const std::uint64_t frees_of_ten = 3 + dice.below(6);
    for (std::uint64_t line = 1; line <= (wide ? 20000u : 300u); ++line) {
      PageEvent event;
      event.order = static_cast<std::uint8_t>(dice.below(wide && dice.below(50) == 0 ? 11 : 4));
      event.pfn = dice.below(wide ? 8192 : 64);
      if (dice.below(20) != 0) event.pfn &= ~((1ull << event.order) - 1);
      if (dice.below(10) < frees_of_ten)
        event.kind = dice.below(2) != 0 ? PageEventKind::free : PageEventKind::free_batched;
      else if (dice.below(30) == 0) event.kind = PageEventKind::failed_alloc;
      if (dice.below(wide ? 10000 : 100) == 0) {
        judge.forget();
        naive.forget();
      }
      std::vector<PageViolation> found, expected;
      judge.feed(event, line, found);
      naive.feed(event, line, expected);
      ASSERT_EQ(found, expected) << "seed " << seed << " line " << line;
      ASSERT_EQ(judge.notes(), naive.notes) << "seed " << seed << " line " << line;
      spans_most = std::max(spans_most, judge.spans());
      for (const PageViolation& one : found) ++broken[one.rule->id];
    }
    covered = judge.notes();
  }
  EXPECT_GT(spans_most, 1000u);
  // Traffic that never reaches a case proves nothing about it.
  EXPECT_GT(covered.free_of_unknown, 0u);
  EXPECT_GT(covered.batched_beside_free, 0u);
  EXPECT_GT(covered.free_of_free, 0u);
  EXPECT_GT(covered.free_of_part, 0u);
  EXPECT_GT(covered.free_of_several, 0u);
  for (const Rule* rule : {&aligned_rule(), &disjoint_rule()})
    EXPECT_GT(broken[rule->id], 100u) << rule->id;
}

}  // namespace
}  // namespace props::recorded
