// Reads what a search printed and replays what it found.
#include "fuzz/cli/mutant_search.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz/cli/exit_codes.hpp"
#include "fuzz/cli/json.hpp"
#include "fuzz/cli/output.hpp"
#include "fuzz/engine/failures.hpp"
#include "fuzz/engine/layers.hpp"

namespace cli {

namespace fs = std::filesystem;

std::string last_line(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return printable(text.substr(text.rfind('\n') + 1), 300);
}

SeedEnd read_search(const fuzz::ProgramEnd& end) {
  if (end.stopper == fuzz::Stopper::watchdog) return SeedEnd::without("hangs", end.text());
  if (end.stopper == fuzz::Stopper::memory) return SeedEnd::without("out-of-memory", end.text());
  std::string_view text = end.output;
  while (text.ends_with('\n')) text.remove_suffix(1);
  const Json json = Json::parse(text.substr(text.rfind('\n') + 1), nullptr, false);
  try {
    if (end.exited(exit_clean)) return {};
    const bool of_fuzz = json.contains("violations");  // or of check
    for (const Json& one : json.at(of_fuzz ? "violations" : "properties")) {
      if (one.at("reproduced") != true) continue;  // null: the property holds
      const std::string place = one.at(of_fuzz ? "directory" : "trace");
      const fs::path directory = of_fuzz ? fs::path(place) : fs::path(place).parent_path();
      const bool small = fs::exists(directory / "minimized.trace");
      return {.status = "found",
              .note = one.at("note"),
              .rule = one.at("rule"),
              .minimized = directory / (small ? "minimized.trace" : "found.trace"),
              .cpu_seconds = json.at("first_violation_cpu_seconds"),
              .operations = one.at("steps")};
    }
    if (end.exited(exit_violation))
      return SeedEnd::without("cannot-test", "what was found does not happen again");
  } catch (const Json::exception&) {}  // printed by what may be broken
  return SeedEnd::without("cannot-test",
                          fmt::format("the search {}: {}", end.text(), last_line(end.errors)));
}

void check_on_reference(SeedEnd& end) {
  const fs::path directory = fs::path(end.minimized).parent_path();
  for (const char* name : {"found.trace", "minimized.trace"}) {
    std::ifstream in(directory / name);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    if (text.empty()) continue;
    const auto run = fuzz::layer_of_trace(text).run(text, true, fuzz::RunLimits{});
    if (run && run->end == fuzz::RunResult::End::clean) continue;
    const auto kept = fuzz::Failures("failures").store(run ? run->rule : end.rule, text);
    end.status = "reference-fails";
    end.note = fmt::format("the reference breaks {} on {}", run ? run->rule : "the trace's form",
                           kept ? kept->string() : kept.error());
    return;
  }
}

}  // namespace cli
