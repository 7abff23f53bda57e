// Minimized traces are small, break the same rule, and stay as they are when minimized again.
#include <gtest/gtest.h>

#include "fuzz/engine/toy_layer.hpp"

namespace fuzz {
namespace {

using Stopped = MinimizeResult::Stopped;

MinimizeResult minimize(const std::string& text, const MinimizeOptions& options = {}) {
  auto result = toy::row().minimize(text, options);
  if (!result) ADD_FAILURE() << result.error().what;
  return result.value_or(MinimizeResult{});
}

constexpr std::string_view small_machine = "era=linux-6.1 zones=NORMAL:1";

// A hundred steps, of which two matter.
std::string long_trace() {
  std::string steps;
  for (int i = 0; i < 98; ++i) {
    if (i == 40) steps += "p17 = put(value=900)\n";
    steps += i % 2 == 0 ? "p3 = put(value=6)\n" : "take(page=p3)\n";
  }
  return toy::trace_text(steps + "p9 = put(value=500)\nnoise(loud=1)\n",
                         "era=linux-2.6.11 zones=DMA:16,NORMAL@32:64,HIGHMEM:32 cpus=4 pcp=off");
}

TEST(Minimize, KeepsOnlyWhatTheRuleNeeds) {
  const MinimizeResult result = minimize(long_trace());
  EXPECT_EQ(result.rule, "TOY-PAIR");
  EXPECT_EQ(result.steps_before, 101u);
  EXPECT_EQ(result.steps_after, 2u);
  EXPECT_EQ(result.stopped, Stopped::fixed_point);
  EXPECT_EQ(result.text, toy::trace_text("p0 = put(value=7)\np1 = put(value=7)\n", small_machine));
}

TEST(Minimize, LeavesAMinimalTraceAsItIs) {
  const std::string minimal =
      toy::trace_text("p0 = put(value=7)\np1 = put(value=7)\n", small_machine);
  const MinimizeResult result = minimize(minimal);
  EXPECT_EQ(result.text, minimal);
  EXPECT_EQ(result.stopped, Stopped::fixed_point);
}

TEST(Minimize, KeepsTheRuleWhenASmallerTraceBreaksAnother) {
  // Dropping the second to the fourth step leaves a pair: two steps only, but the wrong rule.
  const std::string noises = "noise(loud=250)\nnoise(loud=250)\n";
  const MinimizeResult result = minimize(toy::trace_text("p0 = put(value=9)\ntake(page=p0)\n" +
                                                         noises + "p1 = put(value=9)\n" + noises));
  EXPECT_EQ(result.rule, "TOY-NOISE");
  EXPECT_EQ(result.steps_after, 4u);
  const auto replay = toy::row().run(result.text, true, {});
  EXPECT_EQ(replay->rule, "TOY-NOISE");
  EXPECT_EQ(replay->step, 3u);
}

TEST(Minimize, ReusesRegistersWhereTheRuleAllows) {
  const MinimizeResult result = minimize(toy::trace_text(
      "p5 = put(value=1)\nnoise(loud=255)\nnoise(loud=255)\ntake(page=p5)\nnoise(loud=255)\n"
      "p44 = put(value=8)\np33 = put(value=8)\n"));
  EXPECT_EQ(result.text, toy::trace_text("p0 = put(value=7)\np1 = put(value=7)\n", small_machine));
}

TEST(Minimize, DropsAnswersButTheOneThatIsBroken) {
  const MinimizeResult pair = minimize(toy::trace_text(
      "p0 = put(value=9) -> count 9\np1 = put(value=9) -> count 9\n", small_machine));
  EXPECT_EQ(pair.text, toy::trace_text("p0 = put(value=7)\np1 = put(value=7)\n", small_machine));
  const MinimizeResult answer = minimize(
      toy::trace_text("p0 = put(value=3) -> count 3\nnoise(loud=4)\np1 = put(value=5) -> count 6\n",
                      small_machine));
  EXPECT_EQ(answer.rule, "STEP-ANSWER");
  EXPECT_EQ(answer.text, toy::trace_text("p0 = put(value=0) -> count 6\n", small_machine));
}

TEST(Minimize, DropsYieldPoints) {
  const MinimizeResult result = minimize(
      toy::trace_text("@buddy.pcp.locked p0 = put(value=7)\np1 = put(value=7)\n", small_machine));
  EXPECT_EQ(result.text, toy::trace_text("p0 = put(value=7)\np1 = put(value=7)\n", small_machine));
}

TEST(Minimize, WorksOnTracesThatKillTheProcess) {
  const MinimizeResult result =
      minimize(toy::trace_text("p5 = put(value=1)\nnoise(loud=9)\ndie(way=2)\nnoise(loud=9)\n"));
  EXPECT_EQ(result.rule, "RUN-CRASH");
  EXPECT_EQ(result.text, toy::trace_text("die(way=0)\n", small_machine));
  const MinimizeResult hang =
      minimize(toy::trace_text("noise(loud=9)\ndie(way=3)\n"), {.limits = {.seconds = 0.1}});
  EXPECT_EQ(hang.rule, "RUN-HANG");
  EXPECT_EQ(hang.text, toy::trace_text("die(way=3)\n", small_machine));
}

TEST(Minimize, EndsWithItsBudgetAndKeepsTheBestSoFar) {
  const MinimizeResult all = minimize(long_trace());
  const MinimizeResult half = minimize(long_trace(), {.budget = all.executed / 2});
  EXPECT_EQ(half.stopped, Stopped::budget);
  EXPECT_LT(half.steps_after, half.steps_before);
  EXPECT_EQ(toy::row().run(half.text, true, {})->rule, "TOY-PAIR");
  EXPECT_LE(half.executed, all.executed / 2 + half.steps_before + 1);
  // The same budget, the same result.
  EXPECT_EQ(minimize(long_trace(), {.budget = all.executed / 2}).text, half.text);
}

TEST(Minimize, KeepsTheBestSoFarWhenInterrupted) {
  int asked = 0;
  MinimizeOptions options;
  options.interrupted = [&] { return ++asked > 10; };
  const MinimizeResult result = minimize(long_trace(), options);
  EXPECT_EQ(result.stopped, Stopped::interrupted);
  EXPECT_EQ(toy::row().run(result.text, true, {})->rule, "TOY-PAIR");
}

TEST(Minimize, DoesNothingToATraceThatBreaksNothingOrAnotherRule) {
  EXPECT_EQ(minimize(toy::trace_text("noise(loud=1)\n")).rule, "");
  EXPECT_EQ(minimize(long_trace(), {.rule = "TOY-NOISE"}).rule, "");
}

// --- pairs, machines, registers ----------------------------------------------------------------

TEST(Minimize, ChangesAnArgumentAndDropsAStepAtOnce) {
  // None of ten can go alone, and none can be quieter; but one may go when another doubles.
  std::string steps;
  for (int i = 0; i < 10; ++i) steps += "noise(loud=100)\n";
  const MinimizeResult result = minimize(toy::trace_text(steps), {.search_budget = 0});
  EXPECT_EQ(result.rule, "TOY-NOISE");
  EXPECT_EQ(result.steps_after, 5u);
  ASSERT_EQ(result.milestones.size(), 4u);
  EXPECT_EQ(result.milestones[1].level, Level::simplification);
  EXPECT_EQ(result.milestones[1].steps, 10u);
  EXPECT_EQ(result.milestones[2].steps, 5u);
  EXPECT_EQ(result.shortest.status, Shortest::Status::budget);
}

TEST(Minimize, ScalesALargeMachineWithItsOrders) {
  const auto parsed =
      props::parse_machine("era=linux-6.1 zones=DMA:4096,NORMAL:1048576 reserved=512-600");
  ASSERT_TRUE(parsed.has_value());
  toy::Layer::Trace trace{*parsed, {}, {}, {}};
  const auto small = scaled(trace, 9);
  ASSERT_TRUE(small.has_value());
  EXPECT_EQ(props::print_machine(small->machine),
            "era=linux-6.1 orders=2 zones=DMA:8,NORMAL:2048 reserved=1-1");
  EXPECT_FALSE(scaled(trace, 11).has_value());
}

TEST(Minimize, NamesTheSameFaultAsASmallMachineIsJudged) {
  // Judged by everything, a put of 1000 breaks TOY-STRICT before there is a pair.
  const MinimizeResult result = minimize(toy::trace_text(
      "p0 = put(value=1000)\np1 = put(value=1000)\n", "era=linux-6.1 zones=NORMAL:5000"));
  EXPECT_EQ(result.rule_before, "TOY-PAIR");
  EXPECT_EQ(result.rule, "TOY-STRICT");
  EXPECT_EQ(toy::row().run(result.text, true, {})->rule, "TOY-STRICT");
  EXPECT_NE(result.text.find("zones=NORMAL:1\n"), std::string::npos) << result.text;
}

TEST(Minimize, MovesARangeOfRegistersAsAWhole) {
  const MinimizeResult result =
      minimize(toy::trace_text("fill(first=p40, count=3)\np20 = put(value=3)\nraise(page=p42)\n"
                               "raise(page=p41)\n",
                               small_machine),
               {.search_budget = 0});
  EXPECT_EQ(result.rule, "TOY-PAIR");
  EXPECT_EQ(
      result.text,
      toy::trace_text("fill(first=p0, count=2)\nraise(page=p1)\nraise(page=p0)\n", small_machine));
}

TEST(Rename, NumbersRangesInOnePiece) {
  const auto trace = props::parse_trace<toy::Operation>(
      toy::trace_text("p9 = put(value=1)\nfill(first=p40, count=3)\ntake(page=p42)\n"
                      "p50 = put(value=1)\ntake(page=p9)\n"));
  EXPECT_EQ(props::print_trace(numbered(*trace)),
            toy::trace_text("p0 = put(value=1)\nfill(first=p1, count=3)\ntake(page=p3)\n"
                            "p4 = put(value=1)\ntake(page=p0)\n"));
  EXPECT_EQ(registers_touched(*trace, 'p'), 51u);
}

TEST(Rename, ShiftsWhatIsAbove) {
  const auto trace = props::parse_trace<toy::Operation>(
      toy::trace_text("p1 = put(value=1)\ntake(page=p7)\ntake(page=p9)\n"));
  EXPECT_EQ(props::print_trace(shifted(*trace, {'p', 7}, 5)),
            toy::trace_text("p1 = put(value=1)\ntake(page=p2)\ntake(page=p4)\n"));
}

// Replacing by simpler values ends only if simpler values weigh less.
template <class T>
void expect_lighter(const T& value, props::EraId era) {
  for (const T& less : simpler(value, era)) {
    EXPECT_LT(weight_of(less, era), weight_of(value, era));
    // Not even a second step may lead back up.
    for (const T& least : simpler(less, era))
      EXPECT_LT(weight_of(least, era), weight_of(less, era));
  }
}

TEST(Simpler, EverySimplerValueWeighsLess) {
  props::Random random(1);
  for (const auto era : {props::EraId::linux_2_6_11, props::EraId::linux_6_1})
    for (int i = 0; i < 2000; ++i) {
      expect_lighter(props::Number<UINT64_MAX>{random.next() >> random.below(64)}, era);
      expect_lighter(props::Number<3>{random.below(4)}, era);
      expect_lighter(
          props::Flags<ref::core::task_flag_names>{static_cast<std::uint32_t>(random.below(16))},
          era);
      expect_lighter(
          props::GfpArg{static_cast<ref::core::Gfp>(random.next()) & ref::core::gfp_known(era)},
          era);
      expect_lighter(props::ZoneArg{static_cast<ref::core::ZoneKind>(random.below(3)),
                                    static_cast<std::uint8_t>(random.below(4))},
                     era);
    }
}

TEST(Simpler, EverySimplerMachineIsValidAndWeighsLess) {
  const auto parsed = props::parse_machine(
      "era=linux-6.1 nodes=2 cpus=3 zones=DMA:16,NORMAL@40:64,NORMAL/1:33 reserved=3-5,50-60 "
      "min_free_kbytes=40 pcp=off cache_line=32 slab_debug=on slab_merge=off pkmap=8 vmalloc=50");
  ASSERT_TRUE(parsed.has_value()) << parsed.error().what;
  std::vector<ref::core::Config> all{*parsed};
  for (std::size_t i = 0; i < all.size() && i < 300; ++i) {
    const ref::core::Config machine = all[i];
    for (const ref::core::Config& less : simpler(machine)) {
      EXPECT_FALSE(validate(less).has_value()) << props::print_machine(less);
      EXPECT_LT(weight_of(less), weight_of(machine)) << props::print_machine(less);
      EXPECT_EQ(less.era, machine.era);
      all.push_back(less);
    }
  }
  EXPECT_GT(all.size(), 300u);
}

TEST(Question, KeepsStepsPointsAndAnswers) {
  const std::string text = toy::trace_text(
      "p0 = put(value=9) -> count 9\n@buddy.pcp.locked take(page=p0)\nnoise(loud=3) -> fault "
      "double-free\n");
  const auto trace = props::parse_trace<toy::Operation>(text);
  ASSERT_TRUE(trace.has_value());
  EXPECT_EQ(props::print_trace(trace_of_question<toy::Layer>(question_of<toy::Layer>(*trace))),
            text);
}

}  // namespace
}  // namespace fuzz
