// reach: what a search got to, as named numbers. A zero is something that it never tested.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "props/buddy/world.hpp"

namespace fuzz {

struct ReachGroup {
  std::string name;  // "executed", "faults"
  std::vector<std::pair<std::string, std::uint64_t>> counts;
};

struct ReachTable {
  std::vector<ReachGroup> groups;
  std::string line;  // for the progress: "grants 71% skips 12% faults 9/13 orders 0-10"
};

// One for each layer.
ReachTable reach_table(const props::buddy::Reach&);

}  // namespace fuzz
