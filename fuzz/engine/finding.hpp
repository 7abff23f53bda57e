// finding: what a search hands on when it broke a rule, and what a minimizer makes of it.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "fuzz/engine/run.hpp"
#include "fuzz/engine/stages.hpp"

namespace fuzz {

class AnswerBook;

struct MinimizeProgress {
  Stage stage;
  std::size_t steps;
  std::uint64_t executed;
};

struct MinimizeOptions {
  std::string rule{};  // to be kept; "": the one that the trace breaks
  // Executed steps, so that the result does not hang on the clock: of all stages but the search,
  // and of the search.
  std::uint64_t budget = 2'000'000, search_budget = 500'000;
  RunLimits limits{.seconds = 2};       // of candidates that must run isolated
  bool isolated = false;                // from the start; a rule that kills the process implies it
  std::function<bool()> interrupted{};  // asked between candidates; the best so far is kept
  std::function<void(const MinimizeProgress&)> progress{};  // called often
  AnswerBook* book = nullptr;  // what is known already is not run again
};

// What is known of traces that are shorter still.
struct Shortest {
  enum class Status : std::uint8_t {
    not_searched,  // the search did not begin
    proved,        // there is none in this alphabet
    budget,        // none is shorter than `bound`; then the budget ended
    interrupted,   // the same, interrupted
  };
  Status status = Status::not_searched;
  std::size_t alphabet = 0;                 // operations with their arguments, registers left open
  std::size_t registers = 0;                // that they may use
  std::uint64_t sequences = 0, states = 0;  // tried; different ones among what they led to
  std::size_t bound = 0;                    // no sequence of fewer steps breaks the rule
};

struct MinimizeResult {
  enum class Stopped : std::uint8_t { fixed_point, budget, interrupted };
  std::string rule;  // "" when the trace breaks none, or not the wanted one; then nothing was done
  std::string text;  // the minimized trace
  std::size_t steps_before = 0, steps_after = 0;
  std::uint64_t executed = 0;              // steps
  std::uint64_t candidates = 0;            // traces that were run
  Stopped stopped = Stopped::fixed_point;  // of the stages before the search
  Shortest shortest{};
  StageTallies stages{};
  std::vector<Milestone> milestones{};
  // The rule that the trace broke first. Another one than `rule` when the machine became small
  // enough to be judged by everything, and that names the same fault earlier.
  std::string rule_before{};
};

// "a fixed point", "the budget ended", "interrupted": for reports.
std::string_view name_of(MinimizeResult::Stopped);
// "not-searched", "proved", "budget", "interrupted": for programs.
std::string_view name_of(Shortest::Status);
// A sentence: "proved shortest in this alphabet (3 steps, 2 registers; 40 sequences, 21 states)".
std::string words_of(const Shortest&);

}  // namespace fuzz
