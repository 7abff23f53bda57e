// Tests the register of invariants. What each sees, planted_test.cpp and fields_test.cpp show.
#include "props/buddy/invariants.hpp"

#include <gtest/gtest.h>

#include <set>

#include "props/buddy/world.hpp"

namespace props::buddy {
namespace {

TEST(Invariants, are_rules_of_the_layer_and_each_stands_once) {
  std::set<std::string_view> seen;
  for (const Invariant& i : invariants()) {
    EXPECT_TRUE(seen.insert(i.rule).second) << i.rule;
    const Rule* rule = find_rule(rules(), i.rule);
    ASSERT_NE(rule, nullptr) << i.rule;
    EXPECT_EQ(rule->scope, Scope::reference) << i.rule;
  }
}

}  // namespace
}  // namespace props::buddy
