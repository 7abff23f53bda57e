// Writes the files of a finding.
#include "fuzz/cli/fuzz_files.hpp"

#include <fmt/format.h>

#include <fstream>

#include "fuzz/cli/json.hpp"
#include "fuzz/cli/trace_file.hpp"
#include "fuzz/engine/failures.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;

// How often earlier searches found the same.
std::uint64_t earlier_count(const fs::path& report) {
  std::ifstream in(report);
  const Json json = Json::parse(in, nullptr, false);
  if (!json.is_object() || !json.contains("count") || !json["count"].is_number_unsigned()) return 0;
  return json["count"].get<std::uint64_t>();
}

std::string report_of(const fuzz::Catch& one, std::uint64_t seed, std::uint64_t count) {
  Json json;
  json["rule"] = one.rule;
  json["layer"] = one.layer->name;
  json["engine"] = one.engine;
  json["seed"] = seed;
  json["count"] = count;
  json["steps"] = one.steps;
  json["reproduced"] = one.reproduced;
  json["minimized"] = !one.minimized.empty();
  json["shortest"] = json_of(one.shortest);
  json["note"] = one.note;
  json["replay"] =
      replay_command({.file = trace_path(one), .bytes = false, .layer = "", .machine = ""});
  json["run"] = json_of(one.result);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string length_section(const fuzz::Catch& one) {
  if (one.minimized.empty()) return "";
  return fmt::format("\n## Length\n\n{} steps; {}.\n", one.steps, words_of(one.shortest));
}

std::optional<std::string> write_if_missing(const fs::path& file, const std::string& text) {
  std::error_code ignored;
  if (fs::exists(file, ignored)) return std::nullopt;
  return fuzz::write_durably(file, text);
}

}  // namespace

std::string trace_path(const fuzz::Catch& one) {
  return (one.directory / (one.minimized.empty() ? "found.trace" : "minimized.trace")).string();
}

std::optional<std::string> complete_directory(const fuzz::Catch& one, std::uint64_t seed) {
  if (!one.minimized.empty())
    if (auto bad = write_if_missing(one.directory / "minimized.trace", one.minimized)) return bad;
  const std::string command =
      replay_command({.file = trace_path(one), .bytes = false, .layer = "", .machine = ""});
  // Telling runs the trace. A hang that there was no time to replay must not cost that time now.
  if (one.reproduced || one.rule != "RUN-HANG")
    if (const auto story = one.layer->tell(one.minimized.empty() ? one.found : one.minimized))
      if (auto bad = write_if_missing(one.directory / "explain.md",
                                      fuzz::markdown_of(*story, command) + length_section(one)))
        return bad;
  const fs::path report = one.directory / "report.json";
  return fuzz::write_durably(report, report_of(one, seed, earlier_count(report) + one.count));
}

}  // namespace cli
