// The invariants and the naive model hold on every state that the reference reaches at random.
#include "props/kmap/invariants.hpp"

#include <gtest/gtest.h>

#include <set>

#include "props/kmap/generator.hpp"
#include "props/kmap/rules.hpp"
#include "props/mmu/invariants.hpp"

namespace props::kmap {
namespace {

std::string said(const std::optional<Finding>& finding) {
  if (!finding) return "";
  return std::string(finding->rule) + ": " + finding->expected + " / " + finding->actual;
}

TEST(KmapInvariants, are_rules_of_their_layers_and_each_stands_once) {
  std::set<std::string_view> seen;
  const auto expect_rule = [&](std::string_view id, std::string_view layer) {
    EXPECT_TRUE(seen.insert(id).second) << id;
    const Rule* rule = find_rule(id);
    ASSERT_NE(rule, nullptr) << id;
    EXPECT_EQ(rule->layer, layer) << id;
    EXPECT_EQ(rule->scope, Scope::reference) << id;
  };
  for (const Invariant& i : invariants()) expect_rule(i.rule, "kmap");
  for (const mmu::Invariant& i : mmu::invariants()) expect_rule(i.rule, "mmu");
}

TEST(KmapInvariants, hold_on_newborn_machines) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Random random(seed);
    const Machine m(draw_machine(random));
    EXPECT_EQ(said(first_broken(m)), "") << "seed " << seed;
  }
}

TEST(KmapInvariants, hold_after_every_step_and_the_naive_model_agrees) {
  std::uint64_t steps = 0;
  for (std::uint64_t seed = 0; seed < 120; ++seed) {
    Random random(seed);
    const Newborn newborn(draw_machine(random));
    World world(newborn, Judging::everything());
    const Generator generator(random);
    for (int step = 0; step < 150 && !world.violation(); ++step, ++steps)
      world.apply(generator.draw(world, random));
    ASSERT_FALSE(world.violation())
        << "seed " << seed << ": " << world.violation()->rule->id << ' '
        << world.violation()->expected << " / " << world.violation()->actual;
  }
  EXPECT_GT(steps, 15'000u);
}

}  // namespace
}  // namespace props::kmap
