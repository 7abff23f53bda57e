// Gathers the rules of every layer and room.
#include "fuzz/cli/register.hpp"

#include "fuzz/engine/layers.hpp"
#include "props/linux/rules.hpp"

namespace cli {
namespace {

std::vector<props::Rule> gather() {
  const auto run = props::run_rules();
  std::vector<props::Rule> all(run.begin(), run.end());
  for (const fuzz::Layer& layer : fuzz::layers()) {
    const auto rules = layer.rules();
    all.insert(all.end(), rules.begin(), rules.end());
  }
  const auto recorded = props::recorded::rules();
  all.insert(all.end(), recorded.begin(), recorded.end());
  return all;
}

}  // namespace

const std::vector<props::Rule>& all_rules() {
  static const std::vector<props::Rule> all = gather();
  return all;
}

const props::Rule* rule_of(std::string_view id) { return props::find_rule(all_rules(), id); }

}  // namespace cli
