// swarm: typed random operations in a tight loop; every run has weights, a length and a machine of
// its own.
//
//   parent                              worker (forked)
//     │ ◀── shared page ───────────────── run 17: how far it is, and the counts so far
//     │                                   a rule broke: run 17 again, and its steps written down
//     │ ◀── byte: the page has a trace ── waits ──▶ goes on with run 18
//     │ ◀── it died / it hangs
//     └── new worker: run 17 again, written down; then from run 18
//
// Run i of a search is a function of the seed and of i alone, so a search repeats exactly however
// its runs are split among workers, and whatever kills them; and no step need be written down
// before its run is known to be worth it.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuzz/engine/reach.hpp"
#include "fuzz/engine/run.hpp"

namespace fuzz {

// A rule that broke, with the steps that led there.
struct SwarmFinding {
  std::uint64_t run = 0;
  RunResult result;                 // as far as the search saw it; a replay says more
  std::vector<std::uint8_t> bytes;  // the trace
  double cpu_seconds = 0;           // that the workers had used when it was seen
};

struct SwarmStatus {
  double seconds = 0;
  std::uint64_t runs = 0, operations = 0;
  ReachTable reach;
};

// How much each run is judged: `mixed` is for finding faults, `quick` and `full` are its two ends.
enum class Judge : std::uint8_t { mixed, quick, full };
inline constexpr std::array<std::string_view, 3> judge_names{"mixed", "quick", "full"};

// Where a search stands: with it, another one goes on as if there had been no break. It holds whole
// runs only, and what they found has been handed over.
struct SwarmProgress {
  struct Broken {
    std::string rule;
    std::uint64_t runs = 0;
    std::uint32_t handed_over = 0;
  };
  std::uint64_t next_run = 0, runs = 0, operations = 0;
  ref::core::Hash digest;
  std::vector<Broken> broken;
  std::string reach;  // the layer's record, as it lies in memory; Layer::reach_bytes long
};

struct SwarmOptions {
  std::uint64_t seed = 0;
  std::uint64_t first_run = 0;
  std::uint64_t runs = 0;        // 0: until `stop`
  std::uint64_t operations = 0;  // ends with the run that makes so many; 0: no limit
  Judge judge = Judge::mixed;
  RunLimits limits;
  std::optional<ref::core::Config> machine;  // instead of drawn ones
  // Every run has the same length and the same chance for every operation: what the swarm is
  // measured against.
  bool uniform = false;
  bool stop_at_first = false;  // no further run after the first finding
  // One for each finding that is not a repetition; further ones of a rule are only counted.
  std::function<void(const SwarmFinding&)> found;
  std::function<void(const SwarmStatus&)> status;  // about once a second
  std::optional<SwarmProgress> earlier;            // go on from there; `runs` counts these too
  std::function<void(const SwarmProgress&)> save;  // every two seconds, and at the end
  std::function<bool()> stop;                      // asked several times a second
};
// So many traces are handed over for one rule.
constexpr std::uint32_t findings_per_rule = 6;
constexpr std::uint64_t uniform_length = 64;

struct SwarmResult {
  std::uint64_t runs = 0;
  std::uint64_t operations = 0;  // executed and skipped steps
  ref::core::Hash digest;        // a sum over the runs
  double seconds = 0;
  double cpu_seconds = 0;  // of all workers
  ReachTable reach;
  std::vector<std::pair<std::string, std::uint64_t>> broken;  // how many runs broke which rule
  bool stopped = false;  // by `stop`, before all runs were made
};

}  // namespace fuzz
