// check_verb: `allocheck check [LAYER…]`: does every property hold of every trace drawn?
//
//   --runs N    each property holds so many times, and the same cases for the same seed
//   --time S    round after round of all properties, for so long in total
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cli {

struct CheckVerbOptions {
  std::vector<std::string> layers;    // none: all
  std::string property;               // part of an id or a sentence; "": all
  std::optional<std::uint64_t> seed;  // none: drawn, and printed
  std::optional<std::uint64_t> runs;  // for each property; none: 100, or 20 a round with `time`
  std::string time;                   // "90", "90s", "15m", "2h"; "": by the runs
  std::string out = "failures";
  bool stop_at_first = false;
  bool list = false;
  bool json = false;
};

// 0 all hold; 1 one is falsified; 72 interrupted, none falsified; 125 cannot check, or cannot keep
// what was found (then the traces are on stderr).
int check_verb(const CheckVerbOptions&);

}  // namespace cli
