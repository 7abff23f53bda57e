// trials: the best trace so far, candidates tried against it, and what that has cost.
//
//   stage ──take(candidate)──▶ tried before? known? ──▶ child runs it ──▶ same rule: it is the best
//
// Candidates run in a child, so what a mutated trace does to the process is an answer too. Nothing
// hangs on the clock but the watching of hangs: one trace and one budget, one result.
#pragma once
#include <chrono>
#include <memory>
#include <unordered_set>
#include <utility>

#include "fuzz/engine/candidates.hpp"
#include "fuzz/engine/finding.hpp"
#include "fuzz/engine/properties.hpp"
#include "fuzz/engine/question.hpp"
#include "fuzz/engine/remote.hpp"

namespace fuzz {

inline double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class L, class Runner>
class Trials {
 public:
  using Trace = typename L::Trace;
  using Stopped = MinimizeResult::Stopped;

  Trials(Trace trace, const MinimizeOptions& options, Runner runner)
      : options_(options),
        best_(std::move(trace)),
        remote_(RemoteRunner::ServeBytes([runner = std::make_shared<Runner>(std::move(runner))](
                                             std::string_view question, StepCounter& counter) {
                  return serve(*runner, question, counter);
                }),
                options.limits) {}

  // False when the trace does not break the wanted rule.
  bool begin() {
    rule_ = options_.rule;
    const RunResult first = run(best_, 'c');
    if (rule_.empty()) rule_ = first.rule;
    if (rule_.empty() || first.rule != rule_) return false;
    tried_.insert(fingerprint(question_of<L>(best_)));
    cut_behind(first);
    return true;
  }

  const Trace& best() const { return best_; }
  const std::string& rule() const { return rule_; }
  Stopped stopped() const { return stopped_; }
  std::uint64_t executed() const { return executed_; }
  std::uint64_t candidates() const { return candidates_; }
  const StageTallies& tallies() const { return tallies_; }

  void enter(Stage stage) {
    const double now = seconds_now();
    tallies_[static_cast<std::size_t>(stage_)].seconds += now - entered_;
    entered_ = now;
    stage_ = stage;
  }

  bool going_on() {
    if (stopped_ != Stopped::fixed_point) return false;
    if (executed_ - searched_ >= options_.budget) stopped_ = Stopped::budget;
    else if (interrupted()) stopped_ = Stopped::interrupted;
    return stopped_ == Stopped::fixed_point;
  }
  bool interrupted() const { return options_.interrupted && options_.interrupted(); }
  bool search_may_go_on() const { return searched_ < options_.search_budget; }

  // Takes the candidate if it breaks the rule too. What was refused once is not run again.
  bool take(Trace candidate) {
    if (!going_on() || !tried_.insert(fingerprint(question_of<L>(candidate))).second) return false;
    const RunResult result = run(candidate, 'c');
    if (result.rule != rule_ && !same_fault(candidate, result)) return false;
    best_ = std::move(candidate);
    cut_behind(result);
    ++tally().taken;
    return true;
  }

  // ShortestSearch's question. A child that dies takes with it what it found out before, so the
  // letters before the deadly one are asked again.
  std::string expand(const Trace& prefix, const Trace& letters) {
    const std::size_t count = letters.steps.size();
    if (options_.isolated && count > 1) return expand_one_by_one(prefix, letters);
    const std::string answer = ask_expansion(prefix, letters);
    if (!answer.starts_with(death_word)) return answer;
    charge_search(death_cost);
    const RunResult death = of_short_form(std::string_view(answer).substr(death_word.size()));
    const std::string word = '!' + death.rule + ' ';
    if (death.step == 0 || death.step > count) return word;  // of the prefix: it goes no further
    const std::string before = expand(prefix, part(letters, 0, death.step - 1));
    const std::string behind = expand(prefix, part(letters, death.step, count));
    return before + word + behind.substr(behind.find(' ') + 1);
  }

 private:
  static constexpr std::uint64_t death_cost = 1000;  // steps: a new process is not free
  static constexpr std::string_view death_word = "died ";

  static std::string serve(Runner& runner, std::string_view question, StepCounter& counter) {
    const char kind = question.front();
    question.remove_prefix(1);
    if (kind == 'x') {
      if constexpr (requires { &Runner::expand; }) {
        const std::size_t colon = question.find(':');
        const std::size_t size = std::stoull(std::string(question.substr(0, colon)));
        question.remove_prefix(colon + 1);
        return runner.expand(trace_of_question<L>(question.substr(0, size)),
                             trace_of_question<L>(question.substr(size)), counter);
      }
    }
    const Trace trace = trace_of_question<L>(question);
    RunResult result;
    if constexpr (requires { runner.run_cheaply(trace, counter); })
      if (kind == 'k') return short_form(runner.run_cheaply(trace, counter));
    return short_form(runner.run(trace, counter));
  }

  // What of a result decides: the end, the step, the rule.
  static std::string short_form(const RunResult& r) {
    return std::to_string(static_cast<int>(r.end)) + ' ' + std::to_string(r.step) + ' ' + r.rule;
  }
  static RunResult of_short_form(std::string_view text) {
    RunResult r;
    r.end = static_cast<RunResult::End>(text[0] - '0');
    text.remove_prefix(2);
    const std::size_t space = text.find(' ');
    r.step = std::stoull(std::string(text.substr(0, space)));
    r.rule = text.substr(space + 1);
    return r;
  }
  static bool died(const RunResult& r) {
    return r.end != RunResult::End::clean && r.end != RunResult::End::violation;
  }

  RunResult run(const Trace& trace, char kind) {
    const std::string question = kind + question_of<L>(trace);
    RunResult result;
    if (const std::string* known = find(question)) {
      result = of_short_form(*known);
    } else {
      if (options_.isolated) remote_.retire();
      const auto answer = remote_.exchange(question);
      result = answer ? of_short_form(*answer) : answer.error();
      result.step = step_of_count(result.step);
      note(question, short_form(result));
    }
    const std::size_t steps = trace.steps.size();
    count((result.end == RunResult::End::clean ? steps : std::min(result.step, steps)) + 1, 1);
    return result;
  }

  void count(std::uint64_t executed, std::uint64_t candidates) {
    executed_ += executed, candidates_ += candidates;
    tally().executed += executed, tally().candidates += candidates;
    if (options_.progress) options_.progress({stage_, best_.steps.size(), executed_});
  }
  StageTally& tally() { return tallies_[static_cast<std::size_t>(stage_)]; }

  const std::string* find(std::string_view question) const {
    return options_.book == nullptr ? nullptr : options_.book->find(fingerprint(question));
  }
  void note(std::string_view question, const std::string& answer) {
    if (options_.book != nullptr) options_.book->add(fingerprint(question), answer);
  }

  // No step behind the one that broke the rule has run.
  void cut_behind(const RunResult& result) {
    if (result.step < best_.steps.size()) best_.steps.resize(result.step + 1);
  }

  // A machine that became small enough is judged by more, which may name the same fault earlier. It
  // is the same if, judged as before, the candidate breaks the rule as before.
  bool same_fault(const Trace& candidate, const RunResult& full) {
    if constexpr (requires { &Runner::run_cheaply; }) {
      if (full.rule.empty() || died(full) || best_.machine.pages() <= judge_all_pages ||
          candidate.machine.pages() > judge_all_pages)
        return false;
      if (run(candidate, 'k').rule != rule_) return false;
      rule_ = full.rule;
      return true;
    }
    return false;
  }

  std::string ask_expansion(const Trace& prefix, const Trace& letters) {
    charge_search(prefix.steps.size() + letters.steps.size() + 1);
    count(0, letters.steps.size());
    const std::string from = question_of<L>(prefix);
    const std::string question =
        'x' + std::to_string(from.size()) + ':' + from + question_of<L>(letters);
    if (const std::string* known = find(question)) return *known;
    if (options_.isolated) remote_.retire();
    auto answer = remote_.exchange(question);
    if (!answer) answer = std::string(death_word) + short_form(answer.error());
    note(question, *answer);
    return *answer;
  }

  std::string expand_one_by_one(const Trace& prefix, const Trace& letters) {
    std::string all;
    for (std::size_t i = 0; i < letters.steps.size(); ++i) {
      const std::string one = expand(prefix, part(letters, i, i + 1));
      all += i == 0 ? one : one.substr(one.find(' ') + 1);
    }
    return all;
  }
  static Trace part(const Trace& letters, std::size_t from, std::size_t to) {
    Trace some{letters.machine, {}, {}, {}};
    some.steps.assign(letters.steps.begin() + static_cast<std::ptrdiff_t>(from),
                      letters.steps.begin() + static_cast<std::ptrdiff_t>(to));
    return some;
  }
  void charge_search(std::uint64_t steps) {
    searched_ += steps;
    count(steps, 0);
  }

  const MinimizeOptions& options_;
  Trace best_;
  std::string rule_;
  RemoteRunner remote_;
  std::unordered_set<ref::core::Hash, HashOfHash> tried_;
  std::uint64_t executed_ = 0, searched_ = 0, candidates_ = 0;
  Stopped stopped_ = Stopped::fixed_point;
  Stage stage_ = Stage::drop;
  StageTallies tallies_{};
  double entered_ = seconds_now();
};

}  // namespace fuzz
