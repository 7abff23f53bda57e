// replay_verb: `allocheck replay FILE|DIR...`: does the reference still keep every rule on these?
#pragma once
#include <string>
#include <vector>

namespace cli {

struct ReplayOptions {
  std::vector<std::string> paths;
  bool bytes = false;   // raw inputs of a fuzzer
  std::string layer;    // whose bytes
  std::string machine;  // overrides the traces' own
  unsigned jobs = 2;
  bool json = false;
};

int replay_verb(const ReplayOptions&);

}  // namespace cli
