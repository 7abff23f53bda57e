// reach: what a search counts of the things it got to: name, meaning, and which machines have it.
//
//   group "splits": by order of the halves       0 = 8123   1 = 4410   ...   9 = 17
//                                                                     needs orders=11, 1024 pages
//
// A count that stays zero is something that was never tested, however long the search ran. So each
// says on which machines it can happen at all, and a search there can be held to it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ref/core/config.hpp"

namespace props {

// What a machine must have for something to happen on it.
struct ReachNeeds {
  std::optional<ref::core::EraId> era{};  // it happens in this one only
  std::uint32_t nodes = 1, zones = 1, cpus = 1, orders = 1;
  std::uint64_t pages = 1;  // of its largest zone
  bool dma = false, highmem = false, pcp = false;
  bool drawn =
      false;  // nothing that one machine can promise: only a search that draws its machines
};
bool possible_in(const ReachNeeds&, ref::core::EraId);
bool possible_on(const ReachNeeds&, const ref::core::Config&);
std::string print_needs(const ReachNeeds&);  // "linux-6.1, 2 nodes"; "" when nothing is needed

struct ReachCount {
  std::string name;
  std::uint64_t count = 0;
  bool demanded = true;  // a search that may be held to it must not leave it at zero
  ReachNeeds needs{};
  std::string meaning{};  // "": the group's says it all
};

struct ReachGroup {
  std::string name, meaning;
  std::vector<ReachCount> counts;
};

}  // namespace props
