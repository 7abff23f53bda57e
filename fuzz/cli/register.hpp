// register: all rules that the command knows, of every layer and room.
#pragma once
#include <string_view>
#include <vector>

#include "props/core/rule.hpp"

namespace cli {

// The rules of running, of the layers in row order, of recordings.
const std::vector<props::Rule>& all_rules();

// The properties of the layers, in row order: true of every trace, and asked by `check`.
const std::vector<props::Rule>& all_properties();

// The rule or property of that id, or null.
const props::Rule* rule_of(std::string_view id);

}  // namespace cli
