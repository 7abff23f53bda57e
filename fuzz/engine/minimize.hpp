// minimize: makes of a trace that breaks a rule the smallest one that it can find.
//
//   ├── drop steps, in halves, quarters, ... one by one
//   ├── a simpler machine
//   ├── no yield points, no answers, simpler arguments
//   ├── lower and fewer registers
//   └── again, until nothing changes
//
// A candidate counts when it breaks the very same rule. Candidates run in a child, so what a
// mutated trace does to the process is an answer too. Each accepted one is smaller in one respect
// and larger in none, so the search ends.
#pragma once
#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <unordered_set>
#include <utility>

#include "fuzz/engine/finding.hpp"
#include "fuzz/engine/remote.hpp"
#include "fuzz/engine/simpler.hpp"

namespace fuzz {

// A trace as a question to a RemoteRunner: bytes alone would lose the answers.
template <class L>
std::string question_of(const typename L::Trace& trace) {
  props::ByteWriter to;
  to.varint(static_cast<std::uint64_t>(
      std::ranges::count_if(trace.steps, [](const auto& s) { return s.answer.has_value(); })));
  for (std::size_t i = 0; i < trace.steps.size(); ++i)
    if (const auto& answer = trace.steps[i].answer) {
      to.varint(i);
      to.byte(static_cast<std::uint64_t>(answer->kind));
      to.varint(answer->value);
      to.byte(static_cast<std::uint64_t>(answer->fault));
    }
  props::encode_machine(trace.machine, to);
  for (const auto& step : trace.steps) props::encode_step(step, to, trace.machine.era);
  return {to.bytes().begin(), to.bytes().end()};
}

template <class L>
typename L::Trace trace_of_question(std::string_view question) {
  std::vector<std::uint8_t> bytes(question.begin(), question.end());
  props::ByteReader from(bytes);
  std::vector<std::pair<std::uint64_t, props::Answer>> answers(from.varint());
  for (auto& [step, answer] : answers) {
    step = from.varint();
    answer.kind = static_cast<props::Answer::Kind>(from.byte());
    answer.value = from.varint();
    answer.fault = static_cast<ref::core::Fault>(from.byte());
  }
  typename L::Trace trace{props::decode_machine(from), {}, {}, {}};
  while (!from.empty())
    trace.steps.push_back(props::decode_step<typename L::Operation>(from, trace.machine.era));
  for (const auto& [step, answer] : answers) trace.steps.at(step).answer = answer;
  return trace;
}

// Runs candidates as replay would, and keeps the booted machine while it stays the same.
template <class L>
class CandidateRunner {
 public:
  RunResult run(std::string_view question, StepCounter& counter) {
    const auto trace = trace_of_question<L>(question);
    const auto judging = replay_judging<L>(trace);
    if (newborn_ == nullptr || machine_ != trace.machine) {
      world_.reset();
      newborn_ = std::make_unique<typename L::Newborn>(trace.machine);
      machine_ = trace.machine;
      world_ = std::make_unique<typename L::World>(*newborn_, judging);
    } else {
      world_->reset(*newborn_, judging);
    }
    RunResult result = run_in_world<L>(*world_, trace, &counter);
    result.answers.clear();  // nobody asks
    return result;
  }

 private:
  ref::core::Config machine_;
  std::unique_ptr<typename L::Newborn> newborn_;
  std::unique_ptr<typename L::World> world_;
};

template <class L>
class Minimizer {
 public:
  using Trace = typename L::Trace;
  using Operation = typename L::Operation;

  Minimizer(Trace trace, const MinimizeOptions& options)
      : best_(std::move(trace)),
        options_(options),
        rule_(options.rule),
        remote_([runner = std::make_shared<CandidateRunner<L>>()](
                    std::string_view question,
                    StepCounter& counter) { return runner->run(question, counter); },
                options.limits) {}

  MinimizeResult minimize() {
    const std::size_t before = best_.steps.size();
    const RunResult first = run(best_);
    if (rule_.empty()) rule_ = first.rule;
    if (rule_.empty() || first.rule != rule_) return {"", "", before, before, executed_, 1, {}};
    cut_behind(first);
    do {
      changed_ = false;
      drop_steps();
      simplify_machine();
      drop_answers();
      drop_points();
      simplify_arguments();
      rename_registers();
    } while (changed_ && going_on());
    return {rule_,   props::print_trace(best_), before, best_.steps.size(), executed_, candidates_,
            stopped_};
  }

 private:
  bool going_on() {
    if (stopped_ != MinimizeResult::Stopped::fixed_point) return false;
    if (executed_ >= options_.budget) stopped_ = MinimizeResult::Stopped::budget;
    else if (options_.interrupted && options_.interrupted())
      stopped_ = MinimizeResult::Stopped::interrupted;
    return stopped_ == MinimizeResult::Stopped::fixed_point;
  }

  RunResult run(const Trace& trace) {
    if (options_.isolated) remote_.retire();
    RunResult result = remote_.ask(question_of<L>(trace));
    executed_ += std::min(result.end == RunResult::End::clean ? trace.steps.size() : result.step,
                          trace.steps.size()) +
                 1;
    ++candidates_;
    return result;
  }

  // Takes the candidate if it breaks the rule too. What was refused once is not run again.
  bool take(Trace candidate) {
    if (!going_on() || !tried_.insert(question_of<L>(candidate)).second) return false;
    const RunResult result = run(candidate);
    if (result.rule != rule_) return false;
    best_ = std::move(candidate);
    cut_behind(result);
    return changed_ = true;
  }

  // No step behind the one that broke the rule has run.
  void cut_behind(const RunResult& result) {
    if (result.step < best_.steps.size()) best_.steps.resize(result.step + 1);
  }

  void drop_steps() {
    for (std::size_t chunk = std::max<std::size_t>(best_.steps.size() / 2, 1); going_on();
         chunk /= 2) {
      // From the back, since what is needed was mostly made before.
      for (std::size_t end = best_.steps.size(); end > 0 && going_on();) {
        const std::size_t begin = end > chunk ? end - chunk : 0;
        Trace candidate = best_;
        candidate.steps.erase(candidate.steps.begin() + static_cast<std::ptrdiff_t>(begin),
                              candidate.steps.begin() + static_cast<std::ptrdiff_t>(end));
        take(std::move(candidate));
        end = std::min(begin, best_.steps.size());
      }
      if (chunk == 1) return;
    }
  }

  void simplify_machine() {
    for (bool again = true; again && going_on();) {
      again = false;
      for (const ref::core::Config& machine : simpler(best_.machine)) {
        Trace candidate = best_;
        candidate.machine = machine;
        if (take(std::move(candidate))) again = true;
        if (again) break;
      }
    }
  }

  void drop_answers() {
    Trace none = best_;
    for (auto& step : none.steps) step.answer.reset();
    if (props::print_trace(none) == props::print_trace(best_) || take(std::move(none))) return;
    for (std::size_t i = 0; i < best_.steps.size(); ++i) {
      if (!best_.steps[i].answer) continue;
      Trace candidate = best_;
      candidate.steps[i].answer.reset();
      take(std::move(candidate));
    }
  }

  void drop_points() {
    for (std::size_t i = 0; i < best_.steps.size(); ++i) {
      if (!best_.steps[i].at) continue;
      Trace candidate = best_;
      candidate.steps[i].at.reset();
      take(std::move(candidate));
    }
  }

  void simplify_arguments() {
    for (std::size_t i = 0; i < best_.steps.size(); ++i)
      for (std::size_t field = 0; i < best_.steps.size() && field < field_count(best_.steps[i].op);
           ++field)
        while (i < best_.steps.size() && simplify_argument(i, field)) {}
  }

  bool simplify_argument(std::size_t step, std::size_t field) {
    for (const Operation& op : simpler_operations(best_.steps[step].op, field, best_.machine.era)) {
      Trace candidate = best_;
      candidate.steps[step].op = op;
      if (take(std::move(candidate))) return true;
    }
    return false;
  }

  using Name = std::pair<char, std::uint8_t>;

  // Registers in the order in which they appear.
  std::vector<Name> registers() const {
    std::vector<Name> names;
    for (const auto& step : best_.steps)
      std::visit(
          [&](auto op) {
            Operation any{op};
            for_each_register(any, [&](char prefix, std::uint8_t value) {
              if (std::ranges::find(names, Name{prefix, value}) == names.end())
                names.emplace_back(prefix, value);
            });
          },
          step.op);
    return names;
  }

  template <class F>
  bool take_renamed(F&& rename) {
    Trace candidate = best_;
    for (auto& step : candidate.steps)
      for_each_register(step.op,
                        [&](char prefix, std::uint8_t& value) { value = rename(prefix, value); });
    return take(std::move(candidate));
  }

  void rename_registers() {
    number_registers();
    const std::vector<Name> names = registers();
    bool merged = false;
    for (auto it = names.rbegin(); it != names.rend(); ++it)
      for (std::uint8_t lower = 0; lower < it->second; ++lower) {
        const bool taken = take_renamed([&](char prefix, std::uint8_t value) {
          return prefix == it->first && value == it->second ? lower : value;
        });
        if (taken) {
          merged = true;
          break;
        }
      }
    if (merged) number_registers();
  }

  // p0, p1, ... in the order in which they appear.
  void number_registers() {
    const std::vector<Name> names = registers();
    const auto number = [&](char prefix, std::uint8_t value) {
      std::uint8_t n = 0;
      for (const Name& name : names) {
        if (name == Name{prefix, value}) return n;
        if (name.first == prefix) ++n;
      }
      return value;
    };
    const bool in_order = std::ranges::all_of(
        names, [&](const Name& name) { return number(name.first, name.second) == name.second; });
    if (!in_order) take_renamed(number);
  }

  Trace best_;
  const MinimizeOptions& options_;
  std::string rule_;
  RemoteRunner remote_;
  std::unordered_set<std::string> tried_;
  std::uint64_t executed_ = 0, candidates_ = 0;
  bool changed_ = false;
  MinimizeResult::Stopped stopped_ = MinimizeResult::Stopped::fixed_point;
};

template <class L>
MinimizeResult minimize(typename L::Trace trace, const MinimizeOptions& options) {
  return Minimizer<L>(std::move(trace), options).minimize();
}

}  // namespace fuzz
