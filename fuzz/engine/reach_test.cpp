// What a search reached is summed by era, and what it never did is named.
#include "fuzz/engine/reach.hpp"

#include <gtest/gtest.h>

#include "fuzz/engine/toy_layer.hpp"

namespace fuzz {
namespace {

SwarmResult search_toys(bool takes) {
  toy::draws_takes = takes;
  SwarmOptions options;
  options.seed = 7;
  options.runs = 200;
  const SwarmResult result = swarm<toy::Layer>(options);
  toy::draws_takes = true;
  return result;
}

// The toy's machines are all of one era.
ref::core::Config machine() {
  ref::core::Config config;
  config.add_zone(ref::core::ZoneKind::normal, 64);
  return config;
}

TEST(Reach, AnOperationThatTheGeneratorNeverDrawsIsNamed) {
  const ref::core::Config here = machine();
  EXPECT_EQ(unreached(search_toys(true).reach, &here), std::vector<std::string>{});
  EXPECT_EQ(unreached(search_toys(false).reach, &here),
            std::vector<std::string>{"executed take in linux-6.1"});
}

TEST(Reach, AnEraThatWasNeverDrawnIsNamedUnlessAMachineBindsTheSearch) {
  const std::vector<std::string> names = unreached(search_toys(true).reach, nullptr);
  EXPECT_EQ(names, (std::vector<std::string>{"executed put in linux-2.6.11",
                                             "executed take in linux-2.6.11",
                                             "executed never in linux-2.6.11"}));
}

TEST(Reach, TheSkipRateIsThePartOfAllSteps) {
  const ReachTable table = reach_table(std::array{toy::Reach{2, 3, 1}, toy::Reach{1, 0, 1}});
  EXPECT_EQ(table.sum("executed"), 6u);
  EXPECT_EQ(table.sum("executed", "put"), 3u);
  EXPECT_DOUBLE_EQ(skip_rate(table), 0.25);
  EXPECT_DOUBLE_EQ(skip_rates(table).at(1).second, 0.4);
}

TEST(Reach, WhatAMachineLacksIsNotDemandedOfIt) {
  ref::core::Config small = machine();
  const props::ReachNeeds several{.cpus = 2}, blocks{.orders = 7, .pages = 64};
  EXPECT_FALSE(possible_on(several, small));
  EXPECT_TRUE(possible_on(blocks, small));
  small.reserved[small.reserved_count++] = {0, 0};
  EXPECT_FALSE(possible_on(blocks, small));
  small.cpus = 2;
  EXPECT_TRUE(possible_on(several, small));
  EXPECT_FALSE(props::possible_on({.drawn = true}, small));
  EXPECT_FALSE(props::possible_on({.era = ref::core::EraId::linux_2_6_11}, small));
}

TEST(Reach, ThePageHasARowForEachCount) {
  const std::string page = reach_markdown(search_toys(true).reach, "toy");
  for (const char* row : {"## toy\n", "### executed\n", "\n| `put` | yes | 0 | ",
                          "\n| `never` | with linux-2.6.11 | 0 | 0 |\n", "\n| `take` | no | 0 | "})
    EXPECT_NE(page.find(row), page.npos) << row << page;
}

}  // namespace
}  // namespace fuzz
