// The table of sentences is complete, names what exists, and its page is up to date.
#include "props/kmap/sentences.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "props/kmap/rules.hpp"

namespace props::kmap {
namespace {

// Every number that the sheet has, and none that it has not.
std::vector<std::string> sheet_ids() {
  struct Run {
    std::string_view letter;
    int first, last;
  };
  std::vector<std::string> ids;
  for (const auto& [letter, first, last] : {Run{"M", 1, 10}, Run{"A", 1, 4}, Run{"A", 10, 14}})
    for (int i = first; i <= last; ++i) ids.push_back(fmt::format("{}-{}", letter, i));
  return ids;
}

bool is_test(std::string_view name) { return name.find('.') != std::string_view::npos; }

std::set<std::string> tests_of_this_program() {
  std::set<std::string> names;
  const auto& all = *::testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const auto& suite = *all.GetTestSuite(i);
    for (int j = 0; j < suite.total_test_count(); ++j)
      names.insert(fmt::format("{}.{}", suite.name(), suite.GetTestInfo(j)->name()));
  }
  return names;
}

TEST(KmapSentences, every_sentence_of_the_sheet_has_one_row_in_its_order) {
  std::vector<std::string> rows;
  for (const Sentence& s : sentences()) rows.emplace_back(s.id);
  EXPECT_EQ(rows, sheet_ids());
}

TEST(KmapSentences, every_row_names_rules_and_tests_that_exist) {
  const std::set<std::string> tests = tests_of_this_program();
  for (const Sentence& s : sentences()) {
    for (const std::string_view name : s.covers) {
      if (is_test(name)) EXPECT_TRUE(tests.contains(std::string(name))) << s.id << ": " << name;
      else EXPECT_NE(find_rule(name), nullptr) << s.id << ": " << name;
    }
    EXPECT_EQ(std::set(s.covers.begin(), s.covers.end()).size(), s.covers.size()) << s.id;
  }
}

TEST(KmapSentences, every_row_is_held_by_something) {
  for (const Sentence& s : sentences()) {
    EXPECT_FALSE(s.what.empty()) << s.id;
    EXPECT_FALSE(s.covers.empty()) << s.id;
  }
}

// A rule says which sentences it comes from; whoever names it back must be among them.
TEST(KmapSentences, every_rule_that_cites_a_sentence_is_named_by_its_row) {
  for (const Rule& rule : rules()) {
    for (const Sentence& s : sentences()) {
      const std::string source = std::string(rule.source) + ",";
      if (source.find(std::string(s.id) + ",") == std::string::npos) continue;
      const std::size_t at = source.find(std::string(s.id) + ",");
      if (at > 0 && source[at - 1] != ' ') continue;  // "B-1" inside "B-11", or "I-1"
      EXPECT_NE(std::ranges::find(s.covers, rule.id), s.covers.end()) << s.id << ": " << rule.id;
    }
  }
}

TEST(KmapSentences, no_cell_breaks_the_table) {
  for (const Sentence& s : sentences()) {
    const std::string all = std::string(s.what) + std::string(s.assumed) +
                            std::string(s.elsewhere) + std::string(s.note);
    EXPECT_EQ(all.find_first_of("|\n"), std::string::npos) << s.id;
  }
}

TEST(KmapSentences, the_page_is_what_the_table_says) {
  const std::filesystem::path committed =
      std::filesystem::path(ALLOCHECK_SOURCE_DIR) / "props/kmap/SENTENCES.md";
  std::ifstream in(committed);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (text == sentences_page()) return;
  const std::filesystem::path renewed =
      std::filesystem::path(::testing::TempDir()) / "KMAP_SENTENCES.md";
  std::ofstream(renewed) << sentences_page();
  ADD_FAILURE() << "the table changed; renew the page with\n  cp " << renewed.string() << ' '
                << committed.string();
}

}  // namespace
}  // namespace props::kmap
