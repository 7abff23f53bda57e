// Puts the counts of a search side by side, and finds those that stayed zero.
#include "fuzz/engine/reach.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fuzz {

using ref::core::era_count;
using ref::core::EraId;

ReachTable join(std::array<std::vector<props::ReachGroup>, era_count> eras, std::string line) {
  ReachTable table;
  table.line = std::move(line);
  for (std::size_t g = 0; g < eras[0].size(); ++g) {
    ReachSet set{eras[0][g].name, eras[0][g].meaning, {}};
    for (std::size_t i = 0; i < eras[0][g].counts.size(); ++i) {
      ReachEntry entry{eras[0][g].counts[i]};
      entry.count.count = 0;
      for (std::size_t e = 0; e < era_count; ++e) {
        entry.by_era[e] = eras[e][g].counts[i].count;
        entry.count.count += entry.by_era[e];
      }
      set.entries.push_back(std::move(entry));
    }
    table.groups.push_back(std::move(set));
  }
  return table;
}

std::uint64_t ReachTable::sum(std::string_view group) const {
  std::uint64_t all = 0;
  for (const ReachSet& set : groups)
    if (set.name == group)
      for (const ReachEntry& entry : set.entries) all += entry.count.count;
  return all;
}

std::uint64_t ReachTable::sum(std::string_view group, std::string_view name) const {
  for (const ReachSet& set : groups)
    if (set.name == group)
      for (const ReachEntry& entry : set.entries)
        if (entry.count.name == name) return entry.count.count;
  return 0;
}

namespace {

double part(std::uint64_t some, std::uint64_t others) {
  const std::uint64_t all = some + others;
  return all == 0 ? 0 : static_cast<double>(some) / static_cast<double>(all);
}

}  // namespace

double skip_rate(const ReachTable& table) {
  return part(table.sum("skipped"), table.sum("executed"));
}

std::vector<std::pair<std::string, double>> skip_rates(const ReachTable& table) {
  std::vector<std::pair<std::string, double>> rates;
  for (const ReachSet& set : table.groups)
    if (set.name == "skipped")
      for (const ReachEntry& entry : set.entries)
        rates.emplace_back(entry.count.name,
                           part(entry.count.count, table.sum("executed", entry.count.name)));
  return rates;
}

std::vector<std::string> unreached(const ReachTable& table, const ref::core::Config* machine) {
  std::vector<std::string> names;
  for (const ReachSet& set : table.groups)
    for (const ReachEntry& entry : set.entries)
      for (std::size_t e = 0; e < era_count; ++e) {
        const auto era = static_cast<EraId>(e);
        const props::ReachNeeds& needs = entry.count.needs;
        const bool possible = machine == nullptr
                                  ? possible_in(needs, era)
                                  : machine->era == era && possible_on(needs, *machine);
        if (entry.count.demanded && possible && entry.by_era[e] == 0)
          names.push_back(fmt::format("{} {} in {}", set.name, entry.count.name,
                                      ref::core::profile_of(era).name));
      }
  return names;
}

std::string reach_markdown(const ReachTable& table, std::string_view layer) {
  std::string text = fmt::format("## {}\n", layer);
  for (const ReachSet& set : table.groups) {
    text += fmt::format("\n### {}\n\n{}.\n\n| count | demanded |", set.name, set.meaning);
    for (const ref::core::Profile& era : ref::core::profiles)
      text += fmt::format(" {} |", era.name);
    text += "\n|---|---|";
    for (std::size_t e = 0; e < era_count; ++e) text += "---:|";
    text += "\n";
    for (const ReachEntry& entry : set.entries) {
      const std::string needs = print_needs(entry.count.needs);
      text += fmt::format("| `{}`{}{} | {} |", entry.count.name,
                          entry.count.meaning.empty() ? "" : ": ", entry.count.meaning,
                          !entry.count.demanded ? "no"
                          : needs.empty()       ? "yes"
                                                : "with " + needs);
      for (const std::uint64_t n : entry.by_era) text += fmt::format(" {} |", n);
      text += "\n";
    }
  }
  return text;
}

}  // namespace fuzz
