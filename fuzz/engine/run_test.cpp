// What becomes of a trace that breaks a rule, or the process.
#include <gtest/gtest.h>

#include <set>

#include "fuzz/engine/process.hpp"
#include "fuzz/engine/toy_layer.hpp"

namespace fuzz {
namespace {

using End = RunResult::End;

RunResult run(std::string_view steps, bool isolated, const RunLimits& limits = {}) {
  auto result = toy::row().run(toy::trace_text(steps), isolated, limits);
  if (!result) ADD_FAILURE() << result.error().what;
  return result.value_or(RunResult{});
}

TEST(Run, HereAndInAChildTellsTheSame) {
  for (const bool isolated : {false, true}) {
    const RunResult clean = run("p0 = put(value=3)\np0 = put(value=4)\n", isolated);
    EXPECT_EQ(clean.end, End::clean);
    EXPECT_EQ(clean.executed, 1u);
    EXPECT_EQ(clean.skipped, 1u);
    ASSERT_EQ(clean.answers.size(), 2u);
    EXPECT_EQ(clean.answers[0].value, 3u);
    EXPECT_EQ(clean.digest, run("p0 = put(value=3)\np0 = put(value=4)\n", !isolated).digest);

    const RunResult broken = run("p0 = put(value=7)\np1 = put(value=8)\ntake(page=p0)\n", isolated);
    EXPECT_EQ(broken.end, End::violation);
    EXPECT_EQ(broken.rule, "TOY-PAIR");
    EXPECT_EQ(broken.step, 1u);
    EXPECT_EQ(broken.step_text, "p1 = put(value=8)");
    EXPECT_EQ(broken.actual, "two");
  }
}

TEST(Run, AWrongAnswerBreaksStepAnswer) {
  const RunResult wrong = run("p0 = put(value=3) -> count 4\n", true);
  EXPECT_EQ(wrong.rule, "STEP-ANSWER");
  EXPECT_EQ(wrong.expected, "count 4");
  EXPECT_EQ(wrong.actual, "count 3");
  EXPECT_EQ(run("p0 = put(value=3) -> count 3\n", true).end, End::clean);
}

TEST(Run, ADeathIsAResultWithTheStepThatDied) {
  const auto death = [](toy::Way way, const RunLimits& limits) {
    const RunResult result =
        run("noise(loud=1)\ndie(way=" + std::to_string(way) + ")\n", true, limits);
    EXPECT_EQ(result.step, 1u);
    EXPECT_EQ(result.step_text, "die(way=" + std::to_string(way) + ")");
    return result;
  };
  const RunResult aborted = death(toy::by_abort, {});
  EXPECT_EQ(aborted.end, End::crash);
  EXPECT_EQ(aborted.rule, "RUN-CRASH");
  EXPECT_EQ(aborted.output, "last words\n");

  const RunResult required = death(toy::by_require, {});
  EXPECT_EQ(required.end, End::require);
  EXPECT_EQ(required.rule, "RUN-REQUIRE");
  EXPECT_NE(required.actual.find("way == 99"), std::string::npos) << required.actual;

  EXPECT_EQ(death(toy::by_signal, {}).rule, "RUN-CRASH");
  EXPECT_EQ(death(toy::by_exit, {}).actual, "it ended with code 3");

  const RunResult hung = death(toy::by_loop, {.seconds = 0.2});
  EXPECT_EQ(hung.end, End::timeout);
  EXPECT_EQ(hung.rule, "RUN-HANG");

  // Far above what a sanitizer needs for itself.
  const RunResult flooded = death(toy::by_flood, {.memory_bytes = 600u << 20});
  EXPECT_EQ(flooded.end, End::out_of_memory);
  EXPECT_EQ(flooded.rule, "RUN-CRASH");
}

TEST(Run, EveryRuleOfRunningIsSeenToBreak) {
  std::set<std::string, std::less<>> broken{
      run("p0 = put(value=3) -> count 4\n", true).rule,
      run("die(way=" + std::to_string(toy::by_loop) + ")\n", true, {.seconds = 0.2}).rule};
  for (const toy::Way way : {toy::by_abort, toy::by_require})
    broken.insert(run("die(way=" + std::to_string(way) + ")\n", true).rule);
  broken.insert("RUN-REACH");  // of a whole search: ci/verbs_test.py breaks it
  for (const props::Rule& rule : props::run_rules())
    EXPECT_TRUE(broken.contains(rule.id)) << rule.id;
}

TEST(Run, AChildDiesWithItsParent) {
  // The write end is open in the grandchild only, so the read ends when that is gone.
  Pipe alive = make_pipe();
  Pipe errors = make_pipe();
  const pid_t parent = spawn(
      [&] {
        spawn([] { toy::die(toy::by_loop); }, errors.write.get());
        alive.write.close();
        toy::die(toy::by_loop);
      },
      errors.write.get());
  alive.write.close();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  kill_and_reap(parent);
  EXPECT_TRUE(toy::ends_soon(alive.read.get()));
}

TEST(Tail, FindsTheRequireAcrossReads) {
  Tail tail;
  tail.add("noise\nREQ");
  tail.add("UIRE file.cpp:3: a <");
  tail.add(" b\nmore\n");
  EXPECT_EQ(tail.require(), "file.cpp:3: a < b");
  Tail other;
  other.add("this says REQUIRE in the middle\n");
  EXPECT_EQ(other.require(), "");
}

}  // namespace
}  // namespace fuzz
