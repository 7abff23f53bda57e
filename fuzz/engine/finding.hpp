// finding: what a search hands on when it broke a rule, and what a minimizer makes of it.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "fuzz/engine/run.hpp"

namespace fuzz {

struct MinimizeOptions {
  std::string rule{};  // to be kept; "": the one that the trace breaks
  std::uint64_t budget =
      2'000'000;                   // executed steps, so that the result does not hang on the clock
  RunLimits limits{.seconds = 2};  // of candidates that must run isolated
  bool isolated = false;           // from the start; a rule that kills the process implies it
  std::function<bool()> interrupted{};  // asked between candidates; the best so far is kept
};

struct MinimizeResult {
  enum class Stopped : std::uint8_t { fixed_point, budget, interrupted };
  std::string rule;  // "" when the trace breaks none, or not the wanted one; then nothing was done
  std::string text;  // the minimized trace
  std::size_t steps_before = 0, steps_after = 0;
  std::uint64_t executed = 0;    // steps
  std::uint64_t candidates = 0;  // traces that were run
  Stopped stopped = Stopped::fixed_point;
};

// "a fixed point", "the budget ended", "interrupted": for reports.
std::string_view name_of(MinimizeResult::Stopped);

}  // namespace fuzz
