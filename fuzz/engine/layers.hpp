// layers: the rows of the house as values, so that the command knows no layer's types.
//
//   text ──▶ find the row ──▶ its functions ──▶ text, numbers
//
// A new row is one line in layers.cpp.
#pragma once
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/engine/check.hpp"
#include "fuzz/engine/finding.hpp"
#include "fuzz/engine/language.hpp"
#include "fuzz/engine/reach.hpp"
#include "fuzz/engine/run.hpp"
#include "fuzz/engine/shows.hpp"
#include "fuzz/engine/story.hpp"
#include "fuzz/engine/swarm.hpp"

namespace fuzz {

struct TraceInfo {
  std::size_t steps = 0;
  std::string machine;  // the line, without the word
  std::optional<props::Expect> expect;
  std::vector<std::string> comments;
};

struct Layer {
  std::string_view name;
  std::vector<props::Rule> (*rules)();       // of the layer; those of running a trace come beside
  std::vector<props::Rule> (*properties)();  // true of every trace; their ids are no rule's

  std::expected<TraceInfo, props::TraceError> (*inspect)(std::string_view text);  // parses only
  std::string (*print_canonical)(std::string_view text);  // "" when it does not parse
  std::string (*text_of_bytes)(std::span<const std::uint8_t>);
  std::vector<std::uint8_t> (*bytes_of_text)(std::string_view);  // empty when it does not parse

  std::expected<RunResult, props::TraceError> (*run)(std::string_view text, bool isolated,
                                                     const RunLimits&);
  // Isolated, and judged by what sees that rule: a property's id means this property alone.
  std::expected<RunResult, props::TraceError> (*run_for)(std::string_view text,
                                                         std::string_view rule, const RunLimits&);
  std::expected<MinimizeResult, props::TraceError> (*minimize)(std::string_view text,
                                                               const MinimizeOptions&);
  SwarmResult (*swarm)(const SwarmOptions&);
  CheckResult (*check)(const CheckOptions&);  // null when the layer has no properties

  // story.hpp: what the trace did, as data and as Markdown.
  std::expected<Story, props::TraceError> (*tell)(std::string_view text);
  // shows.hpp: a text of the reference at the trace's end.
  std::expected<Shown, props::TraceError> (*show)(std::string_view text, std::string_view what);
  std::size_t reach_bytes;  // of the record that SwarmProgress holds
  Language (*language)();   // language.hpp: the operations, described
};

std::span<const Layer> layers();                 // row order
const Layer* find_layer(std::string_view name);  // or null
// The first row that parses the text; where none does, the one that reads furthest, whose error is
// shown.
const Layer& layer_of_trace(std::string_view text);

}  // namespace fuzz
