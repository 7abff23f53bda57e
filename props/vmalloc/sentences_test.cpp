// The table of sentences is complete, names what exists, and its page is up to date.
#include "props/vmalloc/sentences.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "props/vmalloc/world.hpp"

namespace props::vmalloc {
namespace {

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

TEST(VmallocSentences, every_sentence_of_the_sheet_has_one_row_in_its_order) {
  std::vector<std::string> rows, sheet;
  for (const Sentence& s : sentences()) rows.emplace_back(s.id);
  const auto add = [&](std::string_view kind, int first, int last) {
    for (int i = first; i <= last; ++i) sheet.push_back(fmt::format("{}-{}", kind, i));
  };
  add("V", 1, 9), add("V", 20, 32), add("V", 40, 44), add("I", 1, 3), add("VI", 1, 1);
  EXPECT_EQ(rows, sheet);
}

TEST(VmallocSentences, every_row_names_rules_and_tests_that_exist) {
  const std::set<std::string> tests = tests_of_this_program();
  for (const Sentence& s : sentences()) {
    EXPECT_FALSE(s.covers.empty()) << s.id;
    for (const std::string_view name : s.covers) {
      if (name.find('.') != name.npos)
        EXPECT_TRUE(tests.contains(std::string(name))) << s.id << ": " << name;
      else EXPECT_NE(find_rule(rules(), name), nullptr) << s.id << ": " << name;
    }
    EXPECT_EQ(std::set(s.covers.begin(), s.covers.end()).size(), s.covers.size()) << s.id;
  }
}

TEST(VmallocSentences, nothing_is_left_out_for_another_reason_than_these) {
  const std::set<std::string_view> allowed{"huge mappings", "KASAN",          "memcg",
                                           "threads",       "physical width", "5.17 only"};
  EXPECT_EQ(std::set(outside_names.begin(), outside_names.end()), allowed);
}

// A rule says which sentences it comes from; whoever names it back must be among them.
TEST(VmallocSentences, every_rule_that_cites_a_sentence_is_named_by_its_row) {
  for (const Rule& rule : rules()) {
    bool cited = false;
    for (const Sentence& s : sentences()) {
      const std::string source = " " + std::string(rule.source) + ",";
      if (source.find(" " + std::string(s.id) + ",") == std::string::npos) continue;
      cited = true;
      EXPECT_NE(std::ranges::find(s.covers, rule.id), s.covers.end()) << s.id << ": " << rule.id;
    }
    EXPECT_TRUE(cited || rule.source == "K-3") << rule.id;
  }
}

TEST(VmallocSentences, no_cell_breaks_the_table) {
  for (const Sentence& s : sentences()) {
    std::string all = std::string(s.what) + std::string(s.assumed) + std::string(s.elsewhere) +
                      std::string(s.note);
    for (const NotModelled& part : s.not_modelled) all += part.what;
    EXPECT_EQ(all.find_first_of("|\n"), std::string::npos) << s.id;
  }
}

TEST(VmallocSentences, the_page_is_what_the_table_says) {
  const std::filesystem::path committed =
      std::filesystem::path(ALLOCHECK_SOURCE_DIR) / "props/vmalloc/SENTENCES.md";
  std::ifstream in(committed);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (text == sentences_page()) return;
  const std::filesystem::path renewed =
      std::filesystem::path(::testing::TempDir()) / "VMALLOC-SENTENCES.md";
  std::ofstream(renewed) << sentences_page();
  ADD_FAILURE() << "the table changed; renew the page with\n  cp " << renewed.string() << ' '
                << committed.string();
}

}  // namespace
}  // namespace props::vmalloc
