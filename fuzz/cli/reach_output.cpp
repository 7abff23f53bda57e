// Prints what a search reached.
#include "fuzz/cli/reach_output.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "fuzz/cli/progress.hpp"

namespace cli {
namespace {

using ref::core::era_count;
using ref::core::profiles;

std::string set_text(const fuzz::ReachSet& set) {
  std::string reached, never;
  for (const fuzz::ReachEntry& entry : set.entries) {
    const auto& [name, count] = std::tie(entry.count.name, entry.count.count);
    if (count == 0) never += " " + name;
    else reached += fmt::format(" {}={}", name, count);
  }
  std::string text = fmt::format("  {:<16} {}\n", set.name, reached.empty() ? " -" : reached);
  if (!never.empty()) text += fmt::format("  {:<16}  never:{}\n", "", never);
  return text;
}

std::uint64_t sum_of_era(const fuzz::ReachTable& table, std::string_view group, std::size_t era) {
  std::uint64_t sum = 0;
  for (const fuzz::ReachSet& set : table.groups)
    if (set.name == group)
      for (const fuzz::ReachEntry& entry : set.entries) sum += entry.by_era[era];
  return sum;
}

// The first line of a file that begins so, behind the colon; "" where there is none.
std::string field_of(const char* path, std::string_view word) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(word) && line.find(": ") != line.npos)
      return line.substr(line.find(": ") + 2);
  return "";
}

}  // namespace

std::string reach_text(const fuzz::ReachTable& table) {
  std::string text;
  for (std::size_t e = 0; e < era_count; ++e)
    text += fmt::format(
        "  {:<16}  {} runs, {} steps\n", profiles[e].name, grouped(sum_of_era(table, "runs", e)),
        grouped(sum_of_era(table, "executed", e) + sum_of_era(table, "skipped", e)));
  for (const fuzz::ReachSet& set : table.groups) text += set_text(set);
  auto rates = skip_rates(table);
  std::ranges::sort(rates, [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  text += fmt::format("  {:<16}  {:.1f}% of all steps; most of all", "skip rate",
                      100 * skip_rate(table));
  for (std::size_t i = 0; i < std::min<std::size_t>(rates.size(), 8); ++i)
    text += fmt::format(" {} {:.0f}%", rates[i].first, 100 * rates[i].second);
  return text + "\n";
}

Json reach_json(const fuzz::ReachTable& table) {
  Json json = Json::object();
  for (const fuzz::ReachSet& set : table.groups)
    for (const fuzz::ReachEntry& entry : set.entries)
      json[set.name][entry.count.name] = entry.count.count;
  return json;
}

Json reach_by_era_json(const fuzz::ReachTable& table) {
  Json json = Json::object();
  for (std::size_t e = 0; e < era_count; ++e)
    for (const fuzz::ReachSet& set : table.groups)
      for (const fuzz::ReachEntry& entry : set.entries)
        json[std::string(profiles[e].name)][set.name][entry.count.name] = entry.by_era[e];
  return json;
}

Json skip_rate_json(const fuzz::ReachTable& table) {
  Json json;
  json["all"] = skip_rate(table);
  json["operations"] = Json::object();
  for (const auto& [name, rate] : skip_rates(table)) json["operations"][name] = rate;
  return json;
}

std::string reach_page_head(const std::string& command) {
  utsname system{};
  ::uname(&system);
  const std::string processor = field_of("/proc/cpuinfo", "model name");
  return fmt::format(
      "# What does a search reach?\n\n"
      "Everything that a search counts, from the one list of each layer "
      "(`props/<layer>/reach*.cpp`),\n"
      "and how often it happened in one search of the kind that `ci/test` demands reach of. A "
      "search\n"
      "with `--require-reach` exits with 1 when a demanded count is zero (rule `RUN-REACH`); one "
      "that\n"
      "is bound to a machine answers for what is possible on it. Tests compare the rows of this "
      "page\n"
      "with the lists; the numbers are measured, and nobody checks them. Made by\n\n"
      "    {} --reach-markdown\n\n"
      "on {} processors ({}, {}), compiled by {}.\n",
      command, ::sysconf(_SC_NPROCESSORS_ONLN), system.machine,
      processor.empty() ? "unknown" : processor,
#ifdef __clang__
      "clang " __clang_version__
#else
      "g++ " __VERSION__
#endif
  );
}

}  // namespace cli
