// properties: how the engines ask the properties of a row about one trace.
//
//   replay      the world first; when no rule breaks, every property
//   minimizing  the property that was falsified, and nothing else
//
// A row that has none (a toy) is judged by its world alone.
#pragma once
#include <optional>

#include "fuzz/engine/run.hpp"

namespace fuzz {

// A property may run a trace a few times over: longer ones, and larger machines, are replayed by
// the world alone. No drawn case is that large.
constexpr std::size_t property_steps_max = 4096;
constexpr std::uint64_t property_pages_max = 1u << 16;

template <class L>
constexpr bool has_properties = requires { L::properties(); };

template <class L>
std::vector<props::Rule> properties_of() {
  std::vector<props::Rule> all;
  if constexpr (has_properties<L>)
    for (const auto& property : L::properties()) all.push_back(property.rule);
  return all;
}

template <class L>
bool is_property(std::string_view id) {
  for (const props::Rule& rule : properties_of<L>())
    if (rule.id == id) return true;
  return false;
}

// Judges a trace by the property of that id; nothing when there is none. `executed` is how often
// the trace put it to the test.
template <class L>
std::optional<RunResult> run_property(const typename L::Newborn& newborn,
                                      const typename L::Trace& trace, std::string_view id,
                                      StepCounter& counter) {
  if constexpr (has_properties<L>) {
    for (const auto& property : L::properties()) {
      if (property.rule.id != id) continue;
      std::uint64_t beat = 0;
      // The upper half only moves, so that a watchdog sees work where steps repeat.
      const auto tick = [&](std::size_t step) { counter = (++beat << 32) | step; };
      const auto verdict = property.judge(property.rule, newborn, trace, tick);
      RunResult result;
      result.executed = verdict.asked;
      if (const auto& violation = verdict.violation) {
        result.end = RunResult::End::violation;
        result.rule = violation->rule->id;
        result.step = violation->step;
        result.expected = violation->expected;
        result.actual = violation->actual;
        result.picture = violation->picture;
      }
      return result;
    }
  }
  return std::nullopt;
}

// What was counted there: see run_property.
inline std::size_t step_of_count(std::uint64_t count) {
  return static_cast<std::size_t>(count & 0xffffffffu);
}

// A minimizer's runner that keeps what falsifies a property, instead of what breaks a rule.
template <class L>
class PropertyRunner {
 public:
  explicit PropertyRunner(std::string id) : id_(std::move(id)) {}
  RunResult run(const typename L::Trace& trace, StepCounter& counter) {
    const typename L::Newborn newborn(trace.machine);
    return run_property<L>(newborn, trace, id_, counter).value_or(RunResult{});
  }

 private:
  std::string id_;
};

template <class L>
void name_step(RunResult& result, const typename L::Trace& trace) {
  result.step = step_of_count(result.step);
  if (result.end != RunResult::End::clean && result.step < trace.steps.size())
    result.step_text = props::print_step(trace.steps[result.step], trace.machine.era);
}

// In a child, by one property.
template <class L>
RunResult run_property_isolated(const typename L::Trace& trace, std::string_view id,
                                const RunLimits& limits) {
  RunResult result = run_in_child(
      [&](StepCounter& counter) {
        const typename L::Newborn newborn(trace.machine);
        return run_property<L>(newborn, trace, id, counter).value_or(RunResult{});
      },
      limits);
  name_step<L>(result, trace);
  return result;
}

// In a child, by the world and then by every property, as long as nothing breaks.
template <class L>
RunResult judge_isolated(const typename L::Trace& trace, const RunLimits& limits) {
  const auto judging = replay_judging<L>(trace);
  RunResult result = run_isolated<L>(trace, judging, limits);
  if (result.end != RunResult::End::clean || !has_properties<L> ||
      trace.steps.size() > property_steps_max || trace.machine.pages() > property_pages_max)
    return result;
  RunResult asked = run_in_child(
      [&](StepCounter& counter) {
        const typename L::Newborn newborn(trace.machine);
        for (const props::Rule& property : properties_of<L>())
          if (auto one = run_property<L>(newborn, trace, property.id, counter);
              one && one->end != RunResult::End::clean)
            return *one;
        return RunResult{};
      },
      limits);
  if (asked.end == RunResult::End::clean) return result;
  name_step<L>(asked, trace);
  asked.answers = result.answers;
  asked.executed = result.executed;
  asked.skipped = result.skipped;
  asked.digest = result.digest;
  return asked;
}

}  // namespace fuzz
