// Says what a run came to.
#include "fuzz/cli/report.hpp"

#include <fmt/format.h>

#include "fuzz/cli/output.hpp"
#include "fuzz/cli/register.hpp"

namespace cli {
namespace {

using End = fuzz::RunResult::End;

std::string indented(std::string_view text, std::string_view lead) {
  std::string lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines += fmt::format("{}{}\n", lead, printable(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string step_of(const fuzz::RunResult& run) {
  if (run.step_text.empty()) return "at the end of the trace, after all steps";
  return fmt::format("{}: {}", run.step + 1, run.step_text);
}

}  // namespace

ExitCode exit_code_of(End end) {
  switch (end) {
    case End::clean: return exit_clean;
    case End::violation:
    case End::crash:
    case End::require: return exit_violation;
    case End::timeout: return exit_timeout;
    case End::out_of_memory: return exit_out_of_memory;
  }
  return exit_cannot_test;
}

std::string_view name_of(ExitCode code) {
  for (const ExitMeaning& row : exit_meanings)
    if (row.code == code) return row.name;
  return "unknown";
}

std::string report_text(const fuzz::RunResult& run, std::string_view replay_command, bool colour) {
  const props::Rule* rule = rule_of(run.rule);
  const std::string_view id = rule != nullptr ? rule->id : name_of(exit_code_of(run.end));
  const std::string_view sentence =
      rule != nullptr ? rule->sentence : "The run did not come to its end.";
  std::string text = fmt::format("{}: {}\n", alarming(id, colour), sentence);
  text += fmt::format("  step      {}\n", bold(printable(step_of(run)), colour));
  if (!run.expected.empty()) text += fmt::format("  expected  {}\n", printable(run.expected));
  if (!run.actual.empty()) text += fmt::format("  actual    {}\n", printable(run.actual));
  text += indented(run.picture, "    ");
  if (!run.output.empty()) text += "  it said\n" + indented(run.output, "    ");
  text += fmt::format("replay: {}\n", replay_command);
  text += fmt::format("ASSERTION FAILED: {} {}\n", id, sentence);
  text += fmt::format("DEDUP_TOKEN: {}\n", id);
  return text;
}

}  // namespace cli
