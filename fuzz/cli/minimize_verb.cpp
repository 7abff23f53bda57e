// Minimizes a trace of the user's.
#include "fuzz/cli/minimize_verb.hpp"

#include <fmt/format.h>

#include "fuzz/cli/json.hpp"
#include "fuzz/cli/output.hpp"
#include "fuzz/cli/progress.hpp"
#include "fuzz/cli/report.hpp"
#include "fuzz/engine/failures.hpp"

namespace cli {
namespace {

using Stopped = fuzz::MinimizeResult::Stopped;

int refuse(const MinimizeVerbOptions& options, const InputError& error) {
  if (options.json) say(dump({{"file", options.source.file}, {"error", json_of(error)}}));
  complain(error.text());
  return exit_cannot_test;
}

Json json_of(const fuzz::MinimizeResult& result, const MinimizeVerbOptions& options) {
  Json json;
  json["file"] = options.source.file;
  json["error"] = nullptr;
  json["rule"] = result.rule;
  json["steps_before"] = result.steps_before;
  json["steps"] = result.steps_after;
  json["candidates"] = result.candidates;
  json["executed"] = result.executed;
  json["stopped"] = name_of(result.stopped);
  json["out"] = options.out.empty() ? Json(nullptr) : Json(options.out);
  json["text"] = result.text;
  return json;
}

}  // namespace

int minimize_verb(const MinimizeVerbOptions& options) {
  const std::string& file = options.source.file;
  const auto trace = load_trace(options.source);
  if (!trace) return refuse(options, trace.error());
  notice_interrupts();
  Progress progress;
  fuzz::MinimizeOptions how;
  if (options.budget) how.budget = *options.budget;
  how.interrupted = interrupted;
  const auto result = trace->layer->minimize(trace->text, how);
  progress.clear();
  if (!result) return refuse(options, at_place(file, result.error()));
  if (result->rule.empty())
    return refuse(options, {file, 0, 0, "it breaks no rule", "a trace that breaks one"});
  if (!options.out.empty())
    if (const auto bad = fuzz::write_durably(options.out, result->text)) {
      say(result->text);  // so that the work is not lost
      complain(*bad);
      return exit_cannot_test;
    }
  note(fmt::format("{}: {} steps of {}, {} candidates, {} steps executed, {}", result->rule,
                   result->steps_after, result->steps_before, grouped(result->candidates),
                   grouped(result->executed), name_of(result->stopped)));
  if (options.json) say(dump(json_of(*result, options)));
  else if (options.out.empty()) say(result->text);
  return result->stopped == Stopped::interrupted ? exit_interrupted : exit_clean;
}

}  // namespace cli
