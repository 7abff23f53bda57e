// Tests the draws: machines are valid and mostly boot, most steps are run, and all kinds come.
#include "props/kmap/generator.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace props::kmap {
namespace {

TEST(KmapGenerator, machines_are_valid_differ_and_mostly_have_a_window) {
  Random random(1);
  std::map<std::string, int> seen;
  int up = 0;
  for (int i = 0; i < 300; ++i) {
    const Config c = draw_machine(random);
    ASSERT_FALSE(validate(c));
    ++seen[std::string(c.profile().name)];
    ++seen[std::to_string(c.pkmap) + " slots"];
    ++seen[std::to_string(c.page_bytes) + " bytes"];
    seen["cpus"] += c.cpus > 1;
    seen["many cpus"] += c.cpus > 2;
    up += ref::mmu::is_up(ref::kmap::Machine(c));
  }
  for (const auto& [what, count] : seen) EXPECT_GT(count, 3) << what;
  EXPECT_EQ(seen.size(), 2u + 5u + 3u + 2u);
  EXPECT_GT(up, 250);
}

TEST(KmapGenerator, most_steps_run_and_every_operation_comes) {
  Random random(2);
  std::array<std::uint64_t, Reach::operations> executed{};
  std::uint64_t run = 0, skipped = 0;
  for (int i = 0; i < 150; ++i) {
    const Newborn newborn(draw_machine(random));
    World world(newborn, Judging::cheap());
    if (!world.up()) continue;
    const Generator generator(random);
    for (int step = 0; step < 300; ++step) world.apply(generator.draw(world, random));
    ASSERT_FALSE(world.violation()) << world.violation()->rule->id;
    for (std::size_t op = 0; op < executed.size(); ++op) {
      executed[op] += world.reach().executed[op];
      run += world.reach().executed[op];
      skipped += world.reach().skipped[op];
    }
  }
  for (std::size_t op = 0; op < executed.size(); ++op) EXPECT_GT(executed[op], 0u) << op;
  EXPECT_LT(skipped * 4, run);
}

TEST(KmapGenerator, what_matters_is_reached) {
  Random random(4);
  Reach reach;
  for (int i = 0; i < 300; ++i) {
    const Newborn newborn(draw_machine(random));
    World world(newborn, Judging::cheap());
    const Generator generator(random);
    for (int step = 0; step < 200; ++step) world.apply(generator.draw(world, random));
    world.finish();
    ASSERT_FALSE(world.violation()) << world.violation()->rule->id;
    reach.add(world.reach());
  }
  for (const ReachGroup& group : reach_groups(reach))
    for (const ReachCount& count : group.counts)
      if (group.name == "events" && count.demanded) {
        EXPECT_GT(count.count, 0u) << group.name << ' ' << count.name;
      }
}

TEST(KmapGenerator, the_same_seed_draws_the_same_run) {
  const auto draw = [] {
    Random random(3);
    const Newborn newborn(draw_machine(random));
    World world(newborn, Judging::cheap());
    const Generator generator(random);
    for (int step = 0; step < 200; ++step) world.apply(generator.draw(world, random));
    return world.exact_state();
  };
  EXPECT_EQ(draw(), draw());
}

}  // namespace
}  // namespace props::kmap
