// Tests the register of the rules that every layer shares.
#include "props/core/rule.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace props {
namespace {

TEST(Rules, of_running_are_complete_and_distinct) {
  std::set<std::string_view> ids;
  for (const Rule& r : run_rules()) {
    EXPECT_TRUE(ids.insert(r.id).second) << r.id;
    EXPECT_EQ(r.layer, "core") << r.id;
    EXPECT_EQ(r.scope, Scope::run) << r.id;
    for (const std::string_view text : {r.sentence, r.statement, r.why, r.source})
      EXPECT_FALSE(text.empty()) << r.id;
    EXPECT_TRUE(r.sentence.ends_with('.')) << r.id;
  }
  // Exit codes, triage and the corpus know these by name.
  EXPECT_EQ(ids, (std::set<std::string_view>{"STEP-ANSWER", "RUN-REQUIRE", "RUN-CRASH", "RUN-HANG",
                                             "RUN-REACH"}));
}

TEST(Rules, are_found_by_their_whole_id) {
  for (const Rule& r : run_rules()) EXPECT_EQ(find_rule(run_rules(), r.id), &r);
  EXPECT_EQ(find_rule(run_rules(), "RUN"), nullptr);
  EXPECT_EQ(find_rule(run_rules(), "run-hang"), nullptr);
  EXPECT_EQ(find_rule({}, "RUN-HANG"), nullptr);
}

TEST(Rules, name_their_cost_and_scope) {
  EXPECT_EQ(name_of(Cost::constant), "constant");
  EXPECT_EQ(name_of(Cost::logarithmic), "logarithmic");
  EXPECT_EQ(name_of(Cost::linear), "linear");
  EXPECT_EQ(name_of(Scope::subject), "subject");
  EXPECT_EQ(name_of(Scope::reference), "reference");
  EXPECT_EQ(name_of(Scope::recorded), "recorded");
  EXPECT_EQ(name_of(Scope::run), "run");
}

}  // namespace
}  // namespace props
