// The invariants and the naive model hold on every state that the reference reaches at random.
#include "props/slab/invariants.hpp"

#include <gtest/gtest.h>

#include <set>

#include "props/slab/rules.hpp"
#include "props/slab/walk.hpp"

namespace props::slab {
namespace {

std::string said(const std::optional<Finding>& finding) {
  if (!finding) return "";
  return std::string(finding->rule) + ": " + finding->expected + " / " + finding->actual;
}

TEST(SlabInvariants, are_rules_of_the_layer_and_each_stands_once) {
  std::set<std::string_view> seen;
  for (const Invariant& i : invariants()) {
    EXPECT_TRUE(seen.insert(i.rule).second) << i.rule;
    const Rule* rule = find_rule(i.rule);
    ASSERT_NE(rule, nullptr) << i.rule;
    EXPECT_EQ(rule->layer, "slab") << i.rule;
    EXPECT_EQ(rule->scope, Scope::reference) << i.rule;
  }
}

TEST(SlabInvariants, hold_on_newborn_machines) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    const Walk walk(draw_walk(random));
    EXPECT_EQ(said(first_broken(walk.machine())), "") << "seed " << seed;
  }
}

TEST(SlabInvariants, hold_after_every_step_and_the_naive_model_agrees) {
  std::uint64_t judged = 0, up = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    Walk walk(draw_walk(random));
    up += walk.machine().arena.at(walk.machine().slab.globals, 0).up;
    for (int step = 0; step < 120; ++step) {
      walk.run(1, random);
      ASSERT_EQ(said(first_broken(walk.machine())), "") << "seed " << seed << ", step " << step;
      ASSERT_EQ(said(walk.finding()), "") << "seed " << seed << ", step " << step;
    }
    judged += walk.judged();
  }
  EXPECT_GT(up, 50u);
  EXPECT_GT(judged, 20'000u);
}

}  // namespace
}  // namespace props::slab
