// Tests the register of the layer's rules, beside those of running a trace.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <string>

#include "props/buddy/invariants.hpp"
#include "props/buddy/world.hpp"

namespace props::buddy {
namespace {

// LAYER-WORD, upper case: at least two parts, joined by one dash.
bool is_rule_id(std::string_view id) {
  std::size_t parts = 0;
  for (std::size_t at = 0; at <= id.size();) {
    const std::size_t end = std::min(id.find('-', at), id.size());
    const std::string_view part = id.substr(at, end - at);
    const auto good = [](unsigned char c) { return std::isupper(c) || std::isdigit(c); };
    if (part.empty() || !std::ranges::all_of(part, good)) return false;
    ++parts;
    at = end + 1;
  }
  return parts >= 2;
}

TEST(BuddyRules, an_id_is_layer_dash_word) {
  for (const char* good : {"A-B", "BUDDY-MERGED", "STEP-ANSWER-2"}) EXPECT_TRUE(is_rule_id(good));
  for (const char* bad : {"", "BUDDY", "BUDDY-", "-MERGED", "Buddy-MERGED", "A--B", "A B-C"})
    EXPECT_FALSE(is_rule_id(bad)) << bad;
}

TEST(BuddyRules, are_distinct_complete_and_well_named) {
  std::set<std::string_view> ids, sentences;
  for (const auto rules_of_row : {run_rules(), rules()})
    for (const Rule& r : rules_of_row) {
      EXPECT_TRUE(ids.insert(r.id).second) << r.id;
      EXPECT_TRUE(sentences.insert(r.sentence).second) << r.id;
      EXPECT_TRUE(is_rule_id(r.id)) << r.id;
      for (const std::string_view text : {r.layer, r.sentence, r.statement, r.why, r.source})
        EXPECT_FALSE(text.empty()) << r.id;
      EXPECT_TRUE(r.sentence.ends_with('.')) << r.id;
      EXPECT_TRUE(r.why.ends_with('.')) << r.id;
    }
  for (const Rule& r : rules()) {
    EXPECT_EQ(r.layer, "buddy") << r.id;
    EXPECT_NE(r.scope, Scope::run) << r.id;
  }
}

// Whatever is checked by walking the machine is not affordable after every step.
TEST(BuddyRules, an_invariant_costs_the_machine) {
  for (const Invariant& i : invariants())
    EXPECT_EQ(find_rule(rules(), i.rule)->cost, Cost::linear) << i.rule;
}

}  // namespace
}  // namespace props::buddy
