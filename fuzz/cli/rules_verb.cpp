// Prints the register of rules.
#include "fuzz/cli/rules_verb.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "fuzz/cli/exit_codes.hpp"
#include "fuzz/cli/json.hpp"
#include "fuzz/cli/output.hpp"
#include "fuzz/cli/register.hpp"

namespace cli {
namespace {

using Rules = std::vector<props::Rule>;

std::vector<std::string_view> layer_names() {
  std::vector<std::string_view> names;
  for (const props::Rule& rule : all_rules())
    if (std::ranges::find(names, rule.layer) == names.end()) names.push_back(rule.layer);
  return names;
}

std::string table(const Rules& rules) {
  std::size_t id = 0, layer = 0;
  for (const props::Rule& rule : rules) {
    id = std::max(id, rule.id.size());
    layer = std::max(layer, rule.layer.size());
  }
  std::string text;
  for (const props::Rule& rule : rules)
    text += fmt::format("{:<{}}  {:<{}}  {}\n", rule.id, id, rule.layer, layer, rule.sentence);
  return text;
}

std::string whole(const props::Rule& rule, bool colour) {
  return fmt::format(
      "{}\n  {}\n  statement  {}\n  why        {}\n  source     {}\n  layer      {}\n"
      "  cost       {}\n  scope      {}\n",
      bold(rule.id, colour), rule.sentence, rule.statement, rule.why, rule.source, rule.layer,
      name_of(rule.cost), name_of(rule.scope));
}

std::string page(const Rules& rules) {
  std::string text =
      "# What must hold?\n\n"
      "The register of rules, as `allocheck rules --markdown` prints it: generated, and compared "
      "by "
      "a test.\nAn id is never reused. The cost says how often a rule can be afforded; the scope, "
      "whose behaviour it\nspeaks of: any `subject` of the layer, only the `reference`'s own "
      "records, a `recorded` kernel, or the\n`run` of a trace itself.\n";
  std::string_view layer;
  for (const props::Rule& rule : rules) {
    if (rule.layer != layer) text += fmt::format("\n## {}\n", rule.layer);
    layer = rule.layer;
    text += fmt::format("\n### {}\n\n{}\n\n    {}\n\n", rule.id, rule.sentence, rule.statement);
    text += fmt::format("- Why: {}\n- Source: {}\n- Cost: {}; scope: {}\n", rule.why, rule.source,
                        name_of(rule.cost), name_of(rule.scope));
  }
  return text;
}

Rules selected(const RulesOptions& options) {
  Rules rules;
  for (const props::Rule& rule : all_rules())
    if ((options.id.empty() || rule.id == options.id) &&
        (options.layer.empty() || rule.layer == options.layer))
      rules.push_back(rule);
  return rules;
}

}  // namespace

int rules_verb(const RulesOptions& options) {
  const Rules rules = selected(options);
  if (rules.empty() && !options.id.empty() && rule_of(options.id) == nullptr) {
    complain(fmt::format("no rule '{}'; expected an id that `allocheck rules` lists", options.id));
    return exit_cannot_test;
  }
  if (rules.empty()) {
    complain(fmt::format("no rule of layer '{}'{}; expected one of: {}", options.layer,
                         options.id.empty() ? "" : " with the id " + options.id,
                         fmt::join(layer_names(), " ")));
    return exit_cannot_test;
  }
  if (options.json) {
    Json json;
    json["rules"] = Json::array();
    for (const props::Rule& rule : rules) json["rules"].push_back(json_of(rule));
    say(dump(json));
  } else if (options.markdown) {
    say(page(rules));
  } else {
    say(options.id.empty() ? table(rules) : whole(rules.front(), wants_colour(stdout)));
  }
  return exit_clean;
}

}  // namespace cli
