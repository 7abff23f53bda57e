// Chooses properties, and reads the numbers.
#include "fuzz/cli/check_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <random>

#include "fuzz/cli/output.hpp"

namespace cli {
namespace {

template <class T>
using Wanted = std::expected<T, std::string>;

Wanted<double> seconds_of(std::string_view text) {
  constexpr double most = 1e7;
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const double scale = unit == "h" ? 3600 : unit == "m" ? 60 : unit == "s" || unit.empty() ? 1 : 0;
  if (error != std::errc{} || n == 0 || scale == 0)
    return std::unexpected(fmt::format(
        "bad --time '{}'; expected seconds, or a number with s, m or h, as in 90s", text));
  return std::min(static_cast<double>(n) * scale, most);
}

// A property is named by its id or by words of its sentence, in small or large letters.
bool is_meant(const props::Rule& property, std::string_view words) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  return !std::ranges::search(property.id, words, same).empty() ||
         !std::ranges::search(property.sentence, words, same).empty() || words.empty();
}

Wanted<std::vector<CheckPlan::Item>> items_of(const CheckVerbOptions& options) {
  std::vector<CheckPlan::Item> items;
  for (const fuzz::Layer& layer : fuzz::layers()) {
    if (!options.layers.empty() &&
        std::ranges::find(options.layers, layer.name) == options.layers.end())
      continue;
    for (const props::Rule& property : layer.properties())
      if (is_meant(property, options.property)) items.push_back({&layer, property});
  }
  if (!items.empty()) return items;
  return std::unexpected(fmt::format(
      "no property '{}'; expected an id, or words of a sentence, that `allocheck check --list` "
      "has",
      options.property));
}

}  // namespace

std::expected<CheckPlan, std::string> plan_of(const CheckVerbOptions& options) {
  CheckPlan plan;
  auto items = items_of(options);
  if (!items) return std::unexpected(items.error());
  plan.items = std::move(*items);
  if (options.runs && *options.runs == 0)
    return std::unexpected(std::string("bad --runs 0; expected 1 or more"));
  plan.runs = options.runs.value_or(plan.runs);
  plan.stop_at_first = options.stop_at_first;
  if (!options.time.empty()) {
    const auto seconds = seconds_of(options.time);
    if (!seconds) return std::unexpected(seconds.error());
    plan.seconds = *seconds;
    // Short rounds: the last property of the list shall not wait long for its first case.
    if (!options.runs) plan.runs = 20;
  }
  std::random_device chance;
  plan.seed = options.seed.value_or(std::uint64_t{chance()} << 32 | chance());
  return plan;
}

std::string command_of(const CheckVerbOptions& options, const CheckPlan& plan) {
  std::string command = "allocheck check";
  for (const std::string& layer : options.layers) command += " " + shell_word(layer);
  if (!options.property.empty()) command += " --property " + shell_word(options.property);
  command += fmt::format(" --seed {}", plan.seed);
  if (options.runs) command += fmt::format(" --runs {}", *options.runs);
  if (!options.time.empty()) command += " --time " + shell_word(options.time);
  if (options.stop_at_first) command += " --stop-at-first";
  if (options.out != "failures") command += " --out " + shell_word(options.out);
  return command;
}

}  // namespace cli
