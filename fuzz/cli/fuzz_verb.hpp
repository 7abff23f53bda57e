// fuzz_verb: `allocheck fuzz [LAYER…]`: searches for broken rules, and keeps what it finds.
//
//   --time 60s   first quarter swarm, the rest coverage-guided where that is built; findings are
//                minimized within the time
//   --runs N     swarm alone, and the same numbers each time; so with --operations N
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cli {

struct FuzzOptions {
  std::vector<std::string> layers;  // none: all
  std::string time;                 // "90", "90s", "15m", "2h"; "": 60 s, unless `runs` is given
  std::optional<std::uint64_t> runs;
  std::optional<std::uint64_t> operations;
  std::uint64_t first_run = 0;
  std::string judge = "mixed";
  bool require_reach = false;
  bool reach_markdown = false;
  std::optional<std::uint64_t> seed;  // none: drawn, and printed
  std::string engines;                // "swarm", "swarm,libfuzzer"; "": what is there
  bool stop_at_first = false;
  bool no_seeds = false;  // libfuzzer begins with nothing
  std::string machine;    // the line of a trace; "": drawn
  std::string out = "failures";
  bool resume = false;
  std::string resume_from;  // "": the newest below `out`
  bool json = false;
};

// 0 nothing found; 1 something, or with require_reach something was never tested; 72 interrupted,
// nothing found; 125 cannot search, or cannot keep what was found (then the traces are on stderr).
int fuzz_verb(const FuzzOptions&);

}  // namespace cli
