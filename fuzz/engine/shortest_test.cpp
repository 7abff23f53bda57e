// The last stage of minimizing: it finds what is shorter, or proves that nothing is.
#include <gtest/gtest.h>

#include "fuzz/engine/toy_layer.hpp"

namespace fuzz {
namespace {

using Status = Shortest::Status;
using Trace = toy::Layer::Trace;
constexpr std::string_view small_machine = "era=linux-6.1 zones=NORMAL:1";

Trace parse(const std::string& steps) {
  const auto trace = props::parse_trace<toy::Operation>(toy::trace_text(steps, small_machine));
  if (!trace) ADD_FAILURE() << trace.error().what;
  return trace.value_or(Trace{});
}

MinimizeResult minimize(const std::string& steps, const MinimizeOptions& options = {}) {
  auto result = toy::row().minimize(toy::trace_text(steps, small_machine), options);
  if (!result) ADD_FAILURE() << result.error().what;
  return result.value_or(MinimizeResult{});
}

// Five steps of which none can go, be quieter, or be exchanged for a louder one; but four of one
// kind are enough.
const std::string five =
    "noise(loud=250)\nnoise(loud=250)\nnoise(loud=250)\nnoise(loud=130)\nnoise(loud=130)\n";

TEST(Shortest, FindsWhatNoOtherStageFinds) {
  const MinimizeResult result = minimize(five);
  ASSERT_EQ(result.milestones.size(), 4u);
  EXPECT_EQ(result.milestones[2].steps, 5u);
  EXPECT_EQ(result.milestones[3].steps, 4u);
  EXPECT_EQ(result.steps_after, 4u);
  EXPECT_EQ(result.shortest.status, Status::proved);
  EXPECT_EQ(toy::row().run(result.text, true, {})->rule, "TOY-NOISE");
  EXPECT_EQ(words_of(result.shortest),
            "proved shortest in this alphabet (1 step, 0 registers; 4 sequences, 4 states)");
}

TEST(Shortest, EveryCompilerCountsTheSame) {
  const MinimizeResult result =
      *toy::row().minimize(toy::trace_text("p5 = put(value=3)\nnoise(loud=130)\ntake(page=p5)\n"
                                           "noise(loud=250)\nnoise(loud=250)\np9 = put(value=900)\n"
                                           "noise(loud=250)\nnoise(loud=130)\nnoise(loud=1)\n",
                                           "era=linux-2.6.11 zones=DMA:16,NORMAL@32:64 cpus=4 "
                                           "pcp=off"),
                           {});
  EXPECT_EQ(result.steps_after, 4u);
  EXPECT_EQ(result.executed, 1575u);
  EXPECT_EQ(result.candidates, 336u);
}

TEST(Shortest, SaysHowFarItsBudgetCame) {
  const MinimizeResult result = minimize(five, {.search_budget = 8});
  EXPECT_EQ(result.steps_after, 5u);
  EXPECT_EQ(result.shortest.status, Status::budget);
  EXPECT_GE(result.shortest.bound, 1u);
  EXPECT_LT(result.shortest.bound, 4u);
  EXPECT_NE(words_of(result.shortest).find("none shorter"), std::string::npos);
}

TEST(Shortest, CombinesTheArgumentsLeftAndCountsRenamingsOnce) {
  const Trace trace = parse("p0 = put(value=7)\np3 = put(value=8)\nnoise(loud=1)\n");
  const Alphabet<toy::Layer> alphabet(trace);
  EXPECT_EQ(alphabet.size(), 3u);  // put 7, put 8, noise 1
  EXPECT_EQ(alphabet.registers(), 4u);
  EXPECT_EQ(alphabet.with_registers({}).size(), 3u);  // only p0 is worth a try
  EXPECT_EQ(alphabet.with_registers({1}).size(), 5u);
  EXPECT_EQ(alphabet.with_registers({4}).size(), 9u);
}

TEST(Shortest, TriesEveryNamingBesideARange) {
  const Trace trace = parse("fill(first=p0, count=2)\nraise(page=p1)\n");
  const Alphabet<toy::Layer> alphabet(trace);
  EXPECT_EQ(alphabet.registers(), 2u);
  EXPECT_EQ(alphabet.with_registers({}).size(), 4u);
}

TEST(Shortest, GoesOnBesideSequencesThatKillTheProcess) {
  // A burst in silence ends the process in another way, which ends that sequence and nothing else.
  const MinimizeResult result = minimize("noise(loud=250)\nnoise(loud=250)\nburst()\n");
  EXPECT_EQ(result.rule, "RUN-CRASH");
  EXPECT_EQ(result.steps_after, 3u);
  EXPECT_EQ(result.shortest.status, Status::proved);
  EXPECT_EQ(result.shortest.sequences, 5u);  // [] n b nn nb
  EXPECT_EQ(result.shortest.states, 3u);     // of [] n nn
}

TEST(Shortest, CountsWhatItTried) {
  const MinimizeResult result = minimize("p0 = put(value=7)\np1 = put(value=7)\n");
  EXPECT_EQ(result.shortest.status, Status::proved);
  EXPECT_EQ(result.shortest.alphabet, 1u);
  EXPECT_EQ(result.shortest.sequences, 2u);
  EXPECT_EQ(result.shortest.states, 2u);
}

TEST(Shortest, ExactStatesOfToysTellThemApart) {
  const Trace trace = parse("p0 = put(value=3)\ntake(page=p0)\nnoise(loud=0)\nnoise(loud=1)\n");
  const toy::Newborn newborn(trace.machine);
  toy::World world(newborn, toy::Judging::everything());
  const ref::core::Hash born = world.exact_state();
  world.apply(trace.steps[0]);
  EXPECT_NE(world.exact_state(), born);
  world.apply(trace.steps[1]);
  EXPECT_EQ(world.exact_state(), born);
  world.apply(trace.steps[2]);
  EXPECT_EQ(world.exact_state(), born);
  world.apply(trace.steps[3]);
  EXPECT_NE(world.exact_state(), born);
}

}  // namespace
}  // namespace fuzz
