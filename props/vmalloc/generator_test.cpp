// Tests the draws: machines are valid and mostly boot, most steps are run, and all kinds come.
#include "props/vmalloc/generator.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace props::vmalloc {
namespace {

TEST(Generator, machines_are_valid_differ_and_mostly_boot) {
  Random random(1);
  std::map<std::string, int> seen;
  for (int i = 0; i < 300; ++i) {
    const Config c = draw_machine(random);
    ASSERT_FALSE(validate(c));
    ASSERT_GE(c.vmalloc, 8u);
    ++seen[std::string(c.profile().name)];
    seen["nodes"] += c.nodes == 2;
    seen["cpus"] += c.cpus > 1;
    seen["maps"] += c.pkmap > 0;
    seen["small pages"] += c.page_bytes < 4096;
    seen["highmem"] += c.zones[c.zone_count - 1].kind == ref::core::ZoneKind::highmem;
  }
  for (const auto& [what, count] : seen) EXPECT_GT(count, 20) << what;
  int up = 0;
  for (int i = 0; i < 60; ++i) {
    const Newborn newborn(draw_machine(random));
    up += World(newborn, Judging::cheap()).up();
  }
  EXPECT_GT(up, 40);
}

TEST(Generator, most_steps_run_and_every_operation_comes) {
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

TEST(Generator, the_same_seed_draws_the_same_run) {
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
}  // namespace props::vmalloc
