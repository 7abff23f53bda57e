// Minimizes a trace of the user's.
#include "fuzz/cli/minimize_verb.hpp"

#include <fmt/format.h>

#include "fuzz/cli/json.hpp"
#include "fuzz/cli/output.hpp"
#include "fuzz/cli/progress.hpp"
#include "fuzz/cli/report.hpp"
#include "fuzz/engine/answers.hpp"
#include "fuzz/engine/failures.hpp"

namespace cli {
namespace {

using Result = fuzz::MinimizeResult;

int refuse(const MinimizeVerbOptions& options, const InputError& error) {
  if (options.json) say(dump({{"file", error.file}, {"error", json_of(error)}}));
  complain(error.text());
  return exit_cannot_test;
}

// Of a sentence "what; expected that".
InputError state_error(const std::string& file, std::string what) {
  const std::string_view word = "; expected ";
  const std::size_t at = what.find(word);
  const std::string expected = at == what.npos ? "a state" : what.substr(at + word.size());
  if (at != what.npos) what.resize(at);
  if (what.starts_with(file + ": ")) what.erase(0, file.size() + 2);
  return {file, 0, 0, what, expected};
}

Json stages_json(const Result& result) {
  Json all = Json::array();
  for (const fuzz::StageRow& row : fuzz::stage_table) {
    const fuzz::StageTally& tally = result.stages[static_cast<std::size_t>(row.stage)];
    all.push_back({{"name", row.name},
                   {"candidates", tally.candidates},
                   {"executed", tally.executed},
                   {"taken", tally.taken},
                   {"seconds", tally.seconds}});
  }
  return all;
}

Json levels_json(const Result& result) {
  Json all = Json::array();
  for (const fuzz::Milestone& m : result.milestones)
    all.push_back({{"name", fuzz::level_names[static_cast<std::size_t>(m.level)]},
                   {"steps", m.steps},
                   {"executed", m.executed},
                   {"seconds", m.seconds}});
  return all;
}

Json result_json(const Result& result, const MinimizeVerbOptions& options) {
  Json json;
  json["file"] = options.source.file;
  json["error"] = nullptr;
  json["rule"] = result.rule;
  json["rule_before"] = result.rule_before;
  json["steps_before"] = result.steps_before;
  json["steps"] = result.steps_after;
  json["candidates"] = result.candidates;
  json["executed"] = result.executed;
  json["stopped"] = name_of(result.stopped);
  json["shortest"] = json_of(result.shortest);
  json["levels"] = levels_json(result);
  json["stages"] = stages_json(result);
  json["out"] = options.out.empty() ? Json(nullptr) : Json(options.out);
  json["text"] = result.text;
  return json;
}

std::string stages_text(const Result& result) {
  std::string text = "| complete | steps | executed | seconds |\n|---|---|---|---|\n";
  text += fmt::format("| found | {} | 0 | 0.00 |\n", result.steps_before);
  for (const fuzz::Milestone& m : result.milestones)
    text += fmt::format("| {} | {} | {} | {:.2f} |\n",
                        fuzz::level_names[static_cast<std::size_t>(m.level)], m.steps,
                        grouped(m.executed), m.seconds);
  text += "\n| stage | candidates | taken | executed | seconds |\n|---|---|---|---|---|\n";
  for (const fuzz::StageRow& row : fuzz::stage_table) {
    const fuzz::StageTally& tally = result.stages[static_cast<std::size_t>(row.stage)];
    text += fmt::format("| {} | {} | {} | {} | {:.2f} |\n", row.name, grouped(tally.candidates),
                        grouped(tally.taken), grouped(tally.executed), tally.seconds);
  }
  return text + "\n" + words_of(result.shortest) + "\n";
}

bool was_interrupted(const Result& result) {
  return result.stopped == Result::Stopped::interrupted ||
         result.shortest.status == fuzz::Shortest::Status::interrupted;
}

void tell(const Result& result, const MinimizeVerbOptions& options) {
  note(fmt::format("{}: {} steps of {}, {} candidates, {} steps executed, {}; {}", result.rule,
                   result.steps_after, result.steps_before, grouped(result.candidates),
                   grouped(result.executed), name_of(result.stopped), words_of(result.shortest)));
  if (result.rule != result.rule_before)
    note(
        fmt::format("the larger machine broke {}; the smaller one is judged by everything, which "
                    "sees the fault earlier",
                    result.rule_before));
  if (!was_interrupted(result)) return;
  if (!options.state.empty())
    note(fmt::format("to go on: allocheck minimize --resume {}", options.state));
  else if (!options.out.empty())
    note(fmt::format("to go on from here: allocheck minimize {}", options.out));
}

int keep(const Result& result, const MinimizeVerbOptions& options) {
  if (!options.out.empty())
    if (const auto bad = fuzz::write_durably(options.out, result.text)) {
      say(result.text);  // so that the work is not lost
      complain(*bad);
      return exit_cannot_test;
    }
  tell(result, options);
  if (options.json) say(dump(result_json(result, options)));
  else if (options.stages) say(stages_text(result));
  else if (options.out.empty()) say(result.text);
  return was_interrupted(result) ? exit_interrupted : exit_clean;
}

// What `book` knows may be another build's knowledge.
bool still_breaks(const fuzz::Layer& layer, const Result& result) {
  const auto again = layer.run(result.text, true, {.seconds = 2});
  return again && again->rule == result.rule;
}

int minimize_known(const MinimizeVerbOptions& options, const fuzz::Layer& layer,
                   const std::string& text, fuzz::AnswerBook* book) {
  notice_interrupts();
  Progress progress;
  std::uint64_t calls = 0;
  fuzz::MinimizeOptions how;
  how.budget = options.budget.value_or(how.budget);
  how.search_budget = options.search.value_or(how.search_budget);
  how.interrupted = interrupted;
  how.book = book;
  how.progress = [&](const fuzz::MinimizeProgress& now) {
    if (++calls % 256 == 0)
      progress.show(fmt::format("{}: {} steps left, {} executed",
                                fuzz::stage_table[static_cast<std::size_t>(now.stage)].name,
                                now.steps, grouped(now.executed)));
  };
  const bool resumed = book != nullptr && book->known() > 0;
  const auto result = layer.minimize(text, how);
  progress.clear();
  const std::string& file = options.source.file;
  if (!result) return refuse(options, at_place(file, result.error()));
  if (result->rule.empty())
    return refuse(options, {file, 0, 0, "it breaks no rule", "a trace that breaks one"});
  if (resumed && !still_breaks(layer, *result))
    return refuse(options,
                  {options.state, 0, 0, "what this state knows is not what this command sees",
                   "the build that wrote it; else begin anew without it"});
  if (book != nullptr && !book->error().empty()) complain(book->error());
  return keep(*result, options);
}

}  // namespace

int minimize_verb(const MinimizeVerbOptions& given) {
  MinimizeVerbOptions options = given;
  if (!options.resume.empty()) {
    options.state = options.source.file = options.resume;
    auto book = fuzz::AnswerBook::open(options.resume, "");
    if (!book) return refuse(options, state_error(options.resume, book.error()));
    return minimize_known(options, fuzz::layer_of_trace(book->trace()), book->trace(), &*book);
  }
  if (options.source.file.empty())
    return refuse(options, {"minimize", 0, 0, "no trace is named", "FILE, or --resume STATE"});
  const auto trace = load_trace(options.source);
  if (!trace) return refuse(options, trace.error());
  if (options.state.empty()) return minimize_known(options, *trace->layer, trace->text, nullptr);
  auto book = fuzz::AnswerBook::open(options.state, trace->text);
  if (!book) return refuse(options, state_error(options.state, book.error()));
  return minimize_known(options, *trace->layer, trace->text, &*book);
}

}  // namespace cli
