// A search repeats exactly, survives what it finds, and hands over what it found.
#include <gtest/gtest.h>

#include "fuzz/engine/toy_layer.hpp"

namespace fuzz {
namespace {

struct Draws {  // what the toy's generator draws while this lives
  Draws(bool pairs, bool noise, std::optional<toy::Way> death = {}) {
    toy::draws_pairs = pairs, toy::draws_noise = noise, toy::draws_death = death;
  }
  ~Draws() { toy::draws_pairs = toy::draws_noise = false, toy::draws_death.reset(); }
};

SwarmResult search_toys(std::uint64_t first, std::uint64_t runs,
                        std::vector<SwarmFinding>* found = nullptr, const RunLimits& limits = {}) {
  SwarmOptions options;
  options.seed = 7;
  options.first_run = first;
  options.runs = runs;
  options.limits = limits;
  options.found = [&](const SwarmFinding& f) {
    if (found != nullptr) found->push_back(f);
  };
  return swarm<toy::Layer>(options);
}

void expect_sum(const SwarmResult& whole, const SwarmResult& a, const SwarmResult& b) {
  ref::core::Hash digest = a.digest;
  digest += b.digest;
  EXPECT_EQ(whole.digest, digest);
  EXPECT_EQ(whole.runs, a.runs + b.runs);
  EXPECT_EQ(whole.operations, a.operations + b.operations);
}

TEST(Swarm, TheSameSeedGivesTheSameNumbersHoweverTheRunsAreSplit) {
  const SwarmResult whole = search_toys(0, 9000);
  EXPECT_EQ(whole.runs, 9000u);
  EXPECT_GT(whole.operations, 9000u * 16);
  expect_sum(whole, search_toys(0, 3333), search_toys(3333, 9000 - 3333));
  EXPECT_EQ(whole.digest, search_toys(0, 9000).digest);
  EXPECT_NE(whole.digest, search_toys(1, 9000).digest);
  EXPECT_GT(whole.reach.sum("executed", "put"), 0u);
}

// Every progress that was saved leads to the same end.
TEST(Swarm, ASearchGoesOnFromWhereItWasSaved) {
  const Draws draws(true, false, toy::by_abort);
  SwarmOptions options;
  options.seed = 7;
  options.runs = 300;
  const SwarmResult whole = swarm<toy::Layer>(options);
  options.runs = 120;
  SwarmProgress saved;
  options.save = [&](const SwarmProgress& p) { saved = p; };
  const SwarmResult first = swarm<toy::Layer>(options);
  EXPECT_EQ(saved.runs, 120u);
  EXPECT_EQ(saved.next_run, 120u);
  EXPECT_EQ(saved.digest, first.digest);
  options.runs = 300;
  options.earlier = saved;
  std::size_t handed_over = 0;
  options.found = [&](const SwarmFinding& f) {
    EXPECT_GE(f.run, 120u);
    ++handed_over;
  };
  const SwarmResult resumed = swarm<toy::Layer>(options);
  EXPECT_EQ(resumed.digest, whole.digest);
  EXPECT_EQ(resumed.runs, whole.runs);
  EXPECT_EQ(resumed.operations, whole.operations);
  EXPECT_EQ(resumed.broken, whole.broken);
  for (const char* name : {"put", "take"})
    EXPECT_EQ(resumed.reach.sum("executed", name), whole.reach.sum("executed", name));
  EXPECT_NE(resumed.digest, first.digest);
  std::size_t before = 0;
  for (const auto& one : saved.broken) before += one.handed_over;
  EXPECT_GT(before, 0u);
  EXPECT_LE(handed_over + before, saved.broken.size() * findings_per_rule + findings_per_rule);
}

SwarmOptions up_to_the_first(std::vector<SwarmFinding>& found) {
  SwarmOptions options;
  options.seed = 7;
  options.runs = 5000;
  options.stop_at_first = true;
  options.found = [&](const SwarmFinding& f) { found.push_back(f); };
  return options;
}

TEST(Swarm, ItStopsAtTheFirstFindingWhenThatIsWanted) {
  const Draws draws(true, false);
  std::vector<SwarmFinding> found;
  const SwarmResult result = swarm<toy::Layer>(up_to_the_first(found));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(result.runs, found[0].run + 1);
  EXPECT_LT(result.runs, 5000u);
  EXPECT_TRUE(result.stopped);
  EXPECT_EQ(result.operations, search_toys(0, result.runs).operations);
}

TEST(Swarm, ADeathIsAFirstFindingToo) {
  const Draws draws(false, false, toy::by_abort);
  std::vector<SwarmFinding> found;
  const SwarmResult result = swarm<toy::Layer>(up_to_the_first(found));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(result.runs, found[0].run + 1);
}

TEST(Swarm, AFindingSaysHowMuchWorkItTook) {
  const Draws draws(false, false, toy::by_abort);
  std::vector<SwarmFinding> found;
  const SwarmResult result = search_toys(0, 3000, &found);
  ASSERT_GE(found.size(), 2u);
  EXPECT_GT(found[0].cpu_seconds, 0);
  EXPECT_GT(found[1].cpu_seconds, found[0].cpu_seconds);
  EXPECT_GE(result.cpu_seconds, found.back().cpu_seconds);
}

TEST(Swarm, UniformRunsHaveOneLength) {
  SwarmOptions options;
  options.seed = 7;
  options.runs = 100;
  options.uniform = true;
  EXPECT_EQ(swarm<toy::Layer>(options).operations, 100 * uniform_length);
}

TEST(Swarm, ItsNumbersDoNotHangOnViolationsAndDeaths) {
  const Draws draws(true, false, toy::by_abort);
  const SwarmResult whole = search_toys(0, 300);
  ASSERT_EQ(whole.broken.size(), 2u);
  EXPECT_EQ(whole.runs, 300u);
  expect_sum(whole, search_toys(0, 77), search_toys(77, 223));
}

TEST(Swarm, AFindingIsTheTraceUpToTheBrokenRule) {
  const Draws draws(true, false);
  std::vector<SwarmFinding> found;
  const SwarmResult result = search_toys(0, 2000, &found);
  ASSERT_EQ(result.broken.size(), 1u);
  EXPECT_EQ(result.broken[0].first, "TOY-PAIR");
  EXPECT_GT(result.broken[0].second, findings_per_rule);
  ASSERT_EQ(found.size(), findings_per_rule);
  for (const SwarmFinding& f : found) {
    const std::string text = toy::row().text_of_bytes(f.bytes);
    const auto replay = toy::row().run(text, true, {});
    ASSERT_TRUE(replay.has_value());
    EXPECT_EQ(replay->rule, "TOY-PAIR");
    EXPECT_EQ(replay->step, f.result.step);
    EXPECT_EQ(toy::row().inspect(text)->steps, f.result.step + 1);
  }
}

TEST(Swarm, ADeathIsAFindingAndTheSearchGoesOnBehindIt) {
  const std::pair<toy::Way, const char*> ways[] = {{toy::by_abort, "RUN-CRASH"},
                                                   {toy::by_signal, "RUN-CRASH"},
                                                   {toy::by_exit, "RUN-CRASH"},
                                                   {toy::by_require, "RUN-REQUIRE"},
                                                   {toy::by_loop, "RUN-HANG"}};
  for (const auto& [way, rule] : ways) {
    const Draws draws(false, false, way);
    std::vector<SwarmFinding> found;
    const SwarmResult result = search_toys(0, 20, &found, {.seconds = 0.2});
    EXPECT_EQ(result.runs, 20u);
    ASSERT_EQ(result.broken.size(), 1u);
    EXPECT_EQ(result.broken[0].first, rule);
    ASSERT_FALSE(found.empty());
    const std::string text = toy::row().text_of_bytes(found[0].bytes);
    const std::string last = "die(way=" + std::to_string(way) + ")\nend\n";
    EXPECT_TRUE(text.ends_with(last)) << text;
  }
}

TEST(Swarm, StopsWhenItIsToldTo) {
  SwarmOptions options;
  int asked = 0;
  options.stop = [&] { return ++asked > 3; };
  const SwarmResult result = swarm<toy::Layer>(options);
  EXPECT_TRUE(result.stopped);
  EXPECT_GT(result.runs, 0u);
}

TEST(Swarm, AGivenMachineIsTheOnlyOne) {
  const Draws draws(true, false);
  SwarmOptions options;
  options.runs = 500;
  options.machine = ref::core::Config{};
  options.machine->add_zone(ref::core::ZoneKind::dma, 5);
  std::size_t found = 0;
  options.found = [&](const SwarmFinding& f) {
    ++found;
    EXPECT_NE(toy::row().text_of_bytes(f.bytes).find("zones=DMA:5\n"), std::string::npos);
  };
  swarm<toy::Layer>(options);
  EXPECT_GT(found, 0u);
}

}  // namespace
}  // namespace fuzz
