// check: one property before many drawn cases, each in a child, so that a dying subject is a
// result.
//
//   RapidCheck ──▶ {seed, steps} ──pipe──▶ child: draws the trace, judges it ──pipe──▶ verdict
//        ▲                                   └─▶ shared page: the trace so far, which outlives it
//        └── the next case, until one fails
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "fuzz/engine/run.hpp"

namespace fuzz {

struct CheckOptions {
  std::string property;  // id
  std::uint64_t seed = 0, round = 0;
  std::uint64_t runs = 100;      // cases that must hold
  std::function<bool()> stop{};  // asked before each case
  RunLimits limits{};
};

struct CheckResult {
  std::uint64_t cases = 0;  // that held
  std::uint64_t asked = 0;  // how often they put the sentence to the test
  bool stopped = false;     // before all cases were made
  struct Falsified {
    std::string trace;  // text
    RunResult seen;     // the property's id as rule, or the rule that broke while it was judged
  };
  std::optional<Falsified> falsified;
};

// Seconds of CPU that this process and its ended children have used.
double cpu_seconds();

}  // namespace fuzz
