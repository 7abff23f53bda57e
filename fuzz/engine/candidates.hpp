// candidates: the child's side of minimizing: runs what it is sent.
//
//   run       a trace, as replay would
//   cheaply   a trace, judged as a large machine's would be
//   expand    a prefix: =KEY, its state, and for
//             each letter behind it:                . nothing changed   =KEY lives, in that state
//                                                   !RULE broke it      ~KEY RULE lives, but would
//                                                                       break it if it ended here
//
// The machine stays booted while it stays the same. Whoever minimizes for something else than a
// broken rule brings a runner of its own: `run` is all it needs.
#pragma once
#include <memory>
#include <unordered_map>

#include "fuzz/engine/answers.hpp"
#include "fuzz/engine/question.hpp"
#include "fuzz/engine/run.hpp"

namespace fuzz {

// Runs of one layer can be searched when their worlds tell their state exactly.
template <class L>
concept Searchable = requires(const typename L::World& world, typename L::World& to) {
  { world.exact_state() } -> std::convertible_to<ref::core::Hash>;
  to = world;
};

template <class L>
class CandidateRunner {
 public:
  using Trace = typename L::Trace;

  RunResult run(const Trace& trace, StepCounter& counter) {
    return run_judged(trace, replay_judging<L>(trace), counter);
  }
  RunResult run_cheaply(const Trace& trace, StepCounter& counter) {
    return run_judged(trace, L::Judging::cheap(), counter);
  }

  std::string expand(const Trace& prefix, const Trace& letters, StepCounter& counter)
    requires Searchable<L>
  {
    provide(prefix.machine, replay_judging<L>(prefix));
    for (const auto& step : prefix.steps) world_->apply(step);
    const ref::core::Hash here = world_->exact_state();
    std::string answer = '=' + hex_of(here) + ' ';
    for (std::size_t i = 0; i < letters.steps.size(); ++i) {
      counter.store(i + 1, std::memory_order_relaxed);
      if (trial_ == nullptr) trial_ = std::make_unique<typename L::World>(*world_);
      else *trial_ = *world_;
      answer += try_letter(letters.steps[i], here) + ' ';
    }
    return answer;
  }

 private:
  RunResult run_judged(const Trace& trace, const typename L::Judging& judging,
                       StepCounter& counter) {
    provide(trace.machine, judging);
    RunResult result = run_in_world<L>(*world_, trace, &counter);
    result.answers.clear();  // nobody asks
    return result;
  }

  void provide(const ref::core::Config& machine, const typename L::Judging& judging) {
    if (newborn_ != nullptr && machine_ == machine) return world_->reset(*newborn_, judging);
    trial_.reset(), world_.reset();
    newborn_ = std::make_unique<typename L::Newborn>(machine);
    machine_ = machine;
    world_ = std::make_unique<typename L::World>(*newborn_, judging);
    ends_.clear();
  }

  std::string try_letter(const typename L::Step& letter, const ref::core::Hash& here) {
    const props::Answer answer = trial_->apply(letter);
    if (const auto& violation = trial_->violation()) return '!' + std::string(violation->rule->id);
    if (letter.answer && !letter.at && *letter.answer != answer) return "!STEP-ANSWER";
    const ref::core::Hash there = trial_->exact_state();
    if (there == here) return ".";
    // What a trace comes to that ends in a state does not hang on how it got there.
    auto [it, fresh] = ends_.try_emplace(there);
    if (fresh) {
      trial_->finish();
      if (const auto& violation = trial_->violation()) it->second = violation->rule->id;
    }
    return it->second.empty() ? '=' + hex_of(there) : '~' + hex_of(there) + std::string(it->second);
  }

  ref::core::Config machine_;
  std::unique_ptr<typename L::Newborn> newborn_;
  std::unique_ptr<typename L::World> world_, trial_;
  std::unordered_map<ref::core::Hash, std::string, HashOfHash> ends_;
};

}  // namespace fuzz
