// Loads traces.
#include "fuzz/cli/trace_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "fuzz/cli/output.hpp"
#include "fuzz/cli/register.hpp"

namespace cli {
namespace {

constexpr std::string_view machine_word = "machine ";

// Calls f(line, number) for each line, without its end.
template <class F>
void each_line(std::string_view text, F f) {
  for (std::uint32_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    f(text.substr(0, end), number);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::expected<std::string, InputError> read_as_text(const TraceSource& source) {
  auto text = read_input(source.file, source.bytes ? Form::bytes : Form::text);
  if (!text || !source.bytes) return text;
  const fuzz::Layer* layer =
      source.layer.empty() ? &fuzz::layers().front() : fuzz::find_layer(source.layer);
  REQUIRE(layer != nullptr);  // main checks the name
  return layer->text_of_bytes({reinterpret_cast<const std::uint8_t*>(text->data()), text->size()});
}

std::string_view without_word(std::string_view machine) {
  return machine.starts_with(machine_word) ? machine.substr(machine_word.size()) : machine;
}

std::string rule_ids() {
  std::string ids;
  for (const props::Rule& rule : all_rules()) ids += " " + std::string(rule.id);
  return ids;
}

std::optional<InputError> expect_error(const TraceSource& source, const TraceFile& trace) {
  if (!trace.info.expect || rule_of(trace.info.expect->rule) != nullptr) return std::nullopt;
  InputError error{source.file, 1, 1, fmt::format("no rule '{}'", trace.info.expect->rule),
                   "one of:" + rule_ids()};
  each_line(trace.text, [&](std::string_view line, std::uint32_t number) {
    if (!line.starts_with("expect ")) return;
    error.line = number;
    error.column = line.rfind(' ') + 2;
  });
  return error;
}

}  // namespace

std::expected<ref::core::Config, InputError> named_machine(std::string_view machine) {
  const auto config = props::parse_machine(without_word(machine));
  if (config) return *config;
  const props::TextError& error = config.error();
  return std::unexpected(InputError{"--machine", 1, error.at + 1, error.what, error.expected});
}

std::string on_machine(std::string_view text, std::string_view machine) {
  std::string changed;
  bool before_machine = true;
  each_line(text, [&](std::string_view line, std::uint32_t) {
    if (before_machine && line.starts_with(machine_word)) {
      before_machine = false;
      changed += fmt::format("{}{}\n", machine_word, without_word(machine));
      return;
    }
    // Behind " #" is a comment, and an arrow in there is no answer.
    const std::string_view step = line.substr(0, line.find(" #"));
    const std::size_t arrow = line.starts_with('#') ? step.npos : step.find(" -> ");
    changed += fmt::format("{}\n", line.substr(0, arrow));
  });
  if (!text.ends_with('\n') && !changed.empty()) changed.pop_back();
  return changed;
}

std::expected<TraceFile, InputError> load_trace(const TraceSource& source) {
  auto text = read_as_text(source);
  if (!text) return std::unexpected(text.error());
  if (!source.machine.empty()) {
    const auto machine = named_machine(source.machine);
    if (!machine) return std::unexpected(machine.error());
    *text = on_machine(*text, source.machine);
  }
  TraceFile trace{&fuzz::layer_of_trace(*text), std::move(*text), {}};
  auto info = trace.layer->inspect(trace.text);
  if (!info) return std::unexpected(at_place(source.file, info.error()));
  trace.info = std::move(*info);
  if (auto bad = expect_error(source, trace)) return std::unexpected(*bad);
  return trace;
}

std::string replay_command(const TraceSource& source) {
  std::string command = "allocheck replay " + shell_word(source.file);
  if (source.bytes) command += " --bytes";
  if (source.bytes && !source.layer.empty()) command += " --layer " + source.layer;
  if (!source.machine.empty()) command += " --machine " + shell_word(source.machine);
  return command;
}

}  // namespace cli
