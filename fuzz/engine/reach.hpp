// reach: what a search got to, as named numbers. A zero is something that it never tested.
//
//   Reach of each era ──▶ ReachTable ──▶ print, JSON, fuzz/REACH.md
//                             └────────▶ unreached: the zeros that a search is held to
//
// The counts, their names and their meanings are the layer's (props/<layer>/reach.hpp); here they
// are only put side by side.
#pragma once
#include <array>
#include <string>
#include <vector>

#include "props/core/reach.hpp"

namespace fuzz {

struct ReachEntry {
  props::ReachCount count;  // of all eras
  std::array<std::uint64_t, ref::core::era_count> by_era{};
};

struct ReachSet {
  std::string name;  // "executed", "faults"
  std::string meaning;
  std::vector<ReachEntry> entries;
};

struct ReachTable {
  std::vector<ReachSet> groups;
  std::string line;  // for the progress: "grants 71% skips 12% faults 9/13 orders 0-10"

  std::uint64_t sum(std::string_view group) const;  // 0 where there is no such group
  std::uint64_t sum(std::string_view group, std::string_view name) const;
};

// Of the steps that were drawn, the part that was skipped: of all of them, and of each operation.
double skip_rate(const ReachTable&);
std::vector<std::pair<std::string, double>> skip_rates(const ReachTable&);

// "executed get_page in linux-6.1", for each demanded count that is zero although its era was
// searched. With a machine: only what is possible on it.
std::vector<std::string> unreached(const ReachTable&, const ref::core::Config* machine);

// One row for each count: fuzz/REACH.md is this, and names the command that measured it.
std::string reach_markdown(const ReachTable&, std::string_view layer);

ReachTable join(std::array<std::vector<props::ReachGroup>, ref::core::era_count>, std::string line);

// From what a layer counted in each era.
template <class Reach>
ReachTable reach_table(const std::array<Reach, ref::core::era_count>& eras) {
  std::array<std::vector<props::ReachGroup>, ref::core::era_count> groups;
  Reach all{};
  for (std::size_t e = 0; e < eras.size(); ++e) {
    groups[e] = reach_groups(eras[e]);
    all.add(eras[e]);
  }
  return join(std::move(groups), reach_line(all));
}

}  // namespace fuzz
