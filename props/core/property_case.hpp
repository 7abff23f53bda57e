// property_case: one trace before one property: plays worlds, asks, keeps the first "no".
#pragma once
#include <span>
#include <string>
#include <vector>

#include "props/core/property.hpp"

namespace props {

template <class WorldOf, class NewbornOf, class JudgingOf>
class Case {
 public:
  using World = WorldOf;
  using Newborn = NewbornOf;
  using Judging = JudgingOf;
  using Operation = typename World::Operation;
  using Trace = props::Trace<Operation>;
  using Step = typename World::Step;
  using Steps = std::span<const Step>;

  Case(const Rule& rule, const Newborn& born, const Trace& whole, const Tick& tick)
      : newborn(born), trace(whole), rule_(rule), tick_(tick) {}

  const Newborn& newborn;
  const Trace& trace;

  Steps steps() const { return trace.steps; }
  World fresh(const Judging& judging = Judging::cheap()) const { return World(newborn, judging); }

  // A world at the end of the trace.
  World played() {
    World world = fresh();
    play(world, steps());
    return world;
  }

  // Runs the steps and returns their answers. A rule that breaks is the case's.
  std::vector<Answer> play(World& world, Steps some) {
    std::vector<Answer> answers;
    for (const Step& step : some) {
      if (broken()) break;
      answers.push_back(play(world, step));
    }
    return answers;
  }
  Answer play(World& world, const Step& step) {
    tick_(world.steps());
    const Answer answer = world.apply(step);
    if (!broken() && world.violation()) verdict_.violation = world.violation();
    return answer;
  }

  // One question: the property is falsified unless it is true. False: it was, now or before.
  bool holds(bool truth, std::string_view expected, std::string_view actual, const World& seen) {
    if (broken()) return false;
    ++verdict_.asked;
    tick_(step_.value_or(trace.steps.size()));
    if (!truth)
      verdict_.violation = Violation{&rule_, step_.value_or(trace.steps.size()),
                                     std::string(expected), std::string(actual), seen.picture()};
    return truth;
  }
  // At which step the questions are; without it, behind the last one.
  void at(std::size_t step) { step_ = step; }

  // A rule broke while the world was asked.
  void judged(const Violation& v) { verdict_.violation = v; }

  bool broken() const { return verdict_.violation.has_value(); }
  Verdict verdict() && { return std::move(verdict_); }

 private:
  const Rule& rule_;
  const Tick& tick_;
  std::optional<std::size_t> step_;
  Verdict verdict_;
};

// Questions about a case, as what the list of a row's properties holds.
template <class Case, void (*ask)(Case&)>
Verdict judge_case(const Rule& rule, const typename Case::Newborn& newborn,
                   const typename Case::Trace& trace, const Tick& tick) {
  Case c(rule, newborn, trace, tick);
  ask(c);
  return std::move(c).verdict();
}

}  // namespace props
