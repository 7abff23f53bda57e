// run: one trace, run to its end, and what it came to.
//
//   run_here       in this process; what breaks the process breaks us
//   run_isolated   in a child: an abort, a signal, a loop or a flood of memory becomes a result
//
// Whatever judges a trace (replay, minimizing, confirming a crash) comes through these two.
#pragma once
#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "props/core/trace.hpp"
#include "props/core/violation.hpp"
#include "ref/core/arena.hpp"

namespace fuzz {

// What running one trace came to.
struct RunResult {
  enum class End : std::uint8_t { clean, violation, crash, require, timeout, out_of_memory };
  End end = End::clean;
  std::string rule;      // id; RUN-CRASH, RUN-REQUIRE or RUN-HANG for a dead process; "" when clean
  std::size_t step = 0;  // index; the number of steps: at the end, after all of them
  std::string step_text;  // the step as text; "" at the end of the trace
  std::string expected, actual, picture;
  std::string output;                  // the last 4 KiB of the process's stderr, when it died
  std::vector<props::Answer> answers;  // one for each step that was applied, in order
  std::uint64_t executed = 0, skipped = 0;
  std::string digest;  // 32 hex digits of the final state, when the process lived
};

struct RunLimits {
  double seconds = 10;                      // for each step, not for the whole trace
  std::uint64_t memory_bytes = 4ull << 30;  // resident
};

// 32 hex digits, the high word first.
std::string hex_of(ref::core::Hash);

// Where a run stands, seen from outside: the index of the step that runs now.
using StepCounter = std::atomic<std::uint64_t>;

// Runs in a child and answers what the child answered, or how it died; `step` of a death is what
// the counter stood at. The counter lies in memory that both sides see.
RunResult run_in_child(const std::function<RunResult(StepCounter&)>& body, const RunLimits&);

// A small machine is judged by everything; on a large one the linear checks would take the time.
constexpr std::uint64_t judge_all_pages = 4096;
template <class L>
typename L::Judging replay_judging(const typename L::Trace& trace) {
  return trace.machine.pages() <= judge_all_pages ? L::Judging::everything() : L::Judging::cheap();
}

// Runs a trace in a fresh world.
template <class L>
RunResult run_in_world(typename L::World& world, const typename L::Trace& trace,
                       StepCounter* counter = nullptr) {
  RunResult result;
  const auto broken = [&](std::size_t step) {
    result.end = RunResult::End::violation;
    result.step = step;
    if (step < trace.steps.size())
      result.step_text = props::print_step(trace.steps[step], trace.machine.era);
  };
  for (std::size_t i = 0; i < trace.steps.size() && !world.violation(); ++i) {
    if (counter != nullptr) counter->store(i, std::memory_order_relaxed);
    const auto& step = trace.steps[i];
    const props::Answer answer = world.apply(step);
    result.answers.push_back(answer);
    ++(answer.kind == props::Answer::Kind::skipped ? result.skipped : result.executed);
    // An armed step has not run yet when it answers.
    if (world.violation() || !step.answer || step.at || *step.answer == answer) continue;
    broken(i);
    result.rule = "STEP-ANSWER";
    result.expected = props::print_answer(*step.answer);
    result.actual = props::print_answer(answer);
    result.picture = world.picture();
    break;
  }
  if (counter != nullptr) counter->store(trace.steps.size(), std::memory_order_relaxed);
  if (result.rule.empty() && !world.violation()) world.finish();
  if (const auto& violation = world.violation()) {
    broken(violation->step);
    result.rule = violation->rule->id;
    result.expected = violation->expected;
    result.actual = violation->actual;
    result.picture = violation->picture;
  }
  result.digest = hex_of(world.digest());
  return result;
}

template <class L>
RunResult run_here(const typename L::Trace& trace, const typename L::Judging& judging) {
  const typename L::Newborn newborn(trace.machine);
  typename L::World world(newborn, judging);
  return run_in_world<L>(world, trace);
}

template <class L>
RunResult run_isolated(const typename L::Trace& trace, const typename L::Judging& judging,
                       const RunLimits& limits) {
  RunResult result = run_in_child(
      [&](StepCounter& counter) {
        const typename L::Newborn newborn(trace.machine);
        typename L::World world(newborn, judging);
        return run_in_world<L>(world, trace, &counter);
      },
      limits);
  if (result.step < trace.steps.size() && result.end != RunResult::End::clean)
    result.step_text = props::print_step(trace.steps[result.step], trace.machine.era);
  return result;
}

}  // namespace fuzz
