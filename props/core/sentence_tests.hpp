// sentence_tests: what is tested of each row's table of sentences: it is complete, names what
// exists, and its page is up to date.
//
//   const bool registered = register_sentence_tests({.suite = "SlabSentences", ...});
//
// Registered by name, since the page of each row names the test that renews it.
#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "props/core/page_tests.hpp"
#include "props/core/rule.hpp"
#include "props/core/sentence.hpp"

namespace props {

// A row's table, and what it is held against.
struct SentenceSheet {
  struct Run {
    std::string_view letter;
    int first, last;
  };
  const char* suite;
  const char* page;  // from the root of the source
  std::span<const Sentence> (*sentences)();
  std::string (*text)();  // of the page
  std::span<const Rule> (*rules)();
  std::vector<Run> numbers;                            // every number that the sheet has
  std::vector<std::string_view> reasons;               // the only ones to leave something out
  std::vector<std::string_view> held_by_nothing = {};  // sentences of what no machine here has
  std::vector<std::string_view> other_rules = {};      // those that come from no sentence of it
};

inline std::set<std::string> tests_of_this_program() {
  std::set<std::string> names;
  const auto& all = *::testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const auto& suite = *all.GetTestSuite(i);
    for (int j = 0; j < suite.total_test_count(); ++j)
      names.insert(fmt::format("{}.{}", suite.name(), suite.GetTestInfo(j)->name()));
  }
  return names;
}

inline void expect_every_sentence(const SentenceSheet& sheet) {
  std::vector<std::string> rows, ids;
  for (const Sentence& s : sheet.sentences()) rows.emplace_back(s.id);
  for (const auto& [letter, first, last] : sheet.numbers)
    for (int i = first; i <= last; ++i) ids.push_back(fmt::format("{}-{}", letter, i));
  EXPECT_EQ(rows, ids);
}

inline void expect_names_exist(const SentenceSheet& sheet) {
  const std::set<std::string> tests = tests_of_this_program();
  for (const Sentence& s : sheet.sentences()) {
    for (const std::string_view name : s.covers) {
      const bool is_test = name.find('.') != name.npos;
      if (is_test) EXPECT_TRUE(tests.contains(std::string(name))) << s.id << ": " << name;
      else EXPECT_NE(find_rule(sheet.rules(), name), nullptr) << s.id << ": " << name;
    }
    EXPECT_EQ(std::set(s.covers.begin(), s.covers.end()).size(), s.covers.size()) << s.id;
  }
}

inline void expect_all_held(const SentenceSheet& sheet) {
  for (const Sentence& s : sheet.sentences()) {
    EXPECT_FALSE(s.what.empty()) << s.id;
    const bool exempt =
        std::ranges::find(sheet.held_by_nothing, s.id) != sheet.held_by_nothing.end();
    EXPECT_EQ(exempt, s.covers.empty()) << s.id;
    EXPECT_FALSE(exempt && s.not_modelled.empty() && s.elsewhere.empty() && s.note.empty()) << s.id;
  }
}

inline void expect_only_these_reasons(const SentenceSheet& sheet) {
  for (const Sentence& s : sheet.sentences())
    for (const NotModelled& part : s.not_modelled) {
      EXPECT_NE(std::ranges::find(sheet.reasons, part.reason), sheet.reasons.end())
          << s.id << ": " << part.reason;
      EXPECT_FALSE(part.what.empty()) << s.id;
    }
}

// A rule says which sentences it comes from; whoever names it back must be among them.
inline void expect_rules_named_back(const SentenceSheet& sheet) {
  std::vector<std::string_view> others;
  for (const Rule& rule : sheet.rules()) {
    const std::string source = fmt::format(" {},", rule.source);
    bool cited = false;
    for (const Sentence& s : sheet.sentences()) {
      if (source.find(fmt::format(" {},", s.id)) == source.npos) continue;
      cited = true;
      EXPECT_NE(std::ranges::find(s.covers, rule.id), s.covers.end()) << s.id << ": " << rule.id;
    }
    if (!cited) others.push_back(rule.id);
  }
  EXPECT_EQ(others, sheet.other_rules);
}

inline void expect_whole_cells(const SentenceSheet& sheet) {
  for (const Sentence& s : sheet.sentences()) {
    std::string all = fmt::format("{}{}{}{}", s.what, s.assumed, s.elsewhere, s.note);
    for (const NotModelled& part : s.not_modelled) all += part.what;
    EXPECT_EQ(all.find_first_of("|\n"), all.npos) << s.id;
  }
}

inline void expect_same_page(const SentenceSheet& sheet) {
  expect_committed(sheet.page, sheet.text());
}

class SentenceTest : public testing::Test {
 public:
  using Check = void (*)(const SentenceSheet&);
  SentenceTest(const SentenceSheet& sheet, Check check) : sheet_(sheet), check_(check) {}
  void TestBody() override { check_(sheet_); }

 private:
  SentenceSheet sheet_;
  Check check_;
};

inline bool register_sentence_tests(const SentenceSheet& sheet) {
  const auto add = [&](const char* name, SentenceTest::Check check) {
    testing::RegisterTest(sheet.suite, name, nullptr, nullptr, __FILE__, __LINE__,
                          [=]() -> testing::Test* { return new SentenceTest(sheet, check); });
  };
  add("every_sentence_of_the_sheet_has_one_row_in_its_order", expect_every_sentence);
  add("every_row_names_rules_and_tests_that_exist", expect_names_exist);
  add("every_row_is_held_by_something_or_says_why_not", expect_all_held);
  add("nothing_is_left_out_for_another_reason_than_these", expect_only_these_reasons);
  add("every_rule_that_cites_a_sentence_is_named_by_its_row", expect_rules_named_back);
  add("no_cell_breaks_the_table", expect_whole_cells);
  add("the_page_is_what_the_table_says", expect_same_page);
  return true;
}

}  // namespace props
