// Tests that a run is named by its digest: equal runs, copies and worlds that were used before
// agree.
#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "props/buddy/generator.hpp"

namespace props::buddy {
namespace {

std::vector<World::Step> draw_steps(const Newborn& newborn, std::uint64_t seed) {
  Random random(seed);
  const Generator generator(random);
  World world(newborn, Judging::cheap());
  std::vector<World::Step> steps;
  for (int i = 0; i < 120; ++i) {
    steps.push_back(generator.draw(world, random));
    world.apply(steps.back());
  }
  return steps;
}

TEST(Digest, equal_runs_have_equal_digests_also_after_reset_and_in_copies) {
  Random random(11);
  std::set<std::uint64_t> digests;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Newborn newborn(draw_machine(random)), other(draw_machine(random));
    const auto steps = draw_steps(newborn, seed);
    World first(newborn, Judging::cheap());
    for (const auto& step : draw_steps(other, seed)) first.apply(step);  // of the wrong machine
    first.reset(other, Judging::cheap());
    first.reset(newborn, Judging::cheap());
    EXPECT_EQ(first.digest(), World(newborn, Judging::cheap()).digest());
    EXPECT_EQ(first.steps(), 0u);
    std::optional<World> half;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (i == steps.size() / 2) half.emplace(first);
      first.apply(steps[i]);
    }
    for (std::size_t i = steps.size() / 2; i < steps.size(); ++i) half->apply(steps[i]);
    ASSERT_FALSE(first.violation()) << first.violation()->rule->id;
    EXPECT_EQ(first.digest(), half->digest()) << "seed " << seed;
    EXPECT_EQ(first.machine() == half->machine(), true) << "seed " << seed;
    digests.insert(first.digest().low);
  }
  EXPECT_EQ(digests.size(), 20u);
}

}  // namespace
}  // namespace props::buddy
