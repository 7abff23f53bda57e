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

const std::vector<props::Rule>& all_properties() {
  static const std::vector<props::Rule> all = [] {
    std::vector<props::Rule> gathered;
    for (const fuzz::Layer& layer : fuzz::layers()) {
      const auto some = layer.properties();
      gathered.insert(gathered.end(), some.begin(), some.end());
    }
    return gathered;
  }();
  return all;
}

const props::Rule* rule_of(std::string_view id) {
  const props::Rule* rule = props::find_rule(all_rules(), id);
  return rule != nullptr ? rule : props::find_rule(all_properties(), id);
}

}  // namespace cli
