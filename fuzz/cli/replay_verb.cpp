// Replays one trace in full, or many with a line for each.
#include "fuzz/cli/replay_verb.hpp"

#include <fmt/format.h>

#include <map>

#include "fuzz/cli/jobs.hpp"
#include "fuzz/cli/json.hpp"
#include "fuzz/cli/output.hpp"
#include "fuzz/cli/report.hpp"
#include "fuzz/cli/trace_file.hpp"

namespace cli {
namespace {

constexpr std::string_view unreadable = "unreadable";

TraceSource source_of(const ReplayOptions& options, const std::string& file) {
  return {file, options.bytes, options.layer, options.machine};
}

struct Replay {
  std::optional<TraceFile> trace;
  std::optional<InputError> error;
  fuzz::RunResult run;

  std::string_view verdict() const { return error ? unreadable : name_of(exit_code_of(run.end)); }
};

Replay replay(const TraceSource& source) {
  Replay done;
  auto trace = load_trace(source);
  if (!trace) {
    done.error = trace.error();
    return done;
  }
  done.trace = std::move(*trace);
  auto run = done.trace->layer->run(done.trace->text, true, fuzz::RunLimits{});
  if (run) done.run = std::move(*run);
  else done.error = at_place(source.file, run.error());
  return done;
}

Json answers_of(const fuzz::RunResult& run) {
  Json answers = Json::array();
  for (const props::Answer& answer : run.answers) answers.push_back(props::print_answer(answer));
  return answers;
}

Json row_of(const Replay& done, const std::string& file) {
  Json row;
  row["file"] = file;
  row["verdict"] = done.verdict();
  row["layer"] = row["machine"] = row["steps"] = row["expect"] = row["run"] = row["error"] =
      nullptr;
  if (done.error) {
    row["error"] = json_of(*done.error);
    // An error of --machine is not in the file.
    row["error"]["text"] = done.error->text();
    return row;
  }
  const fuzz::TraceInfo& info = done.trace->info;
  row["layer"] = done.trace->layer->name;
  row["machine"] = info.machine;
  row["steps"] = info.steps;
  if (info.expect) row["expect"] = {{"subject", info.expect->subject}, {"rule", info.expect->rule}};
  row["run"] = json_of(done.run);
  row["run"]["answers"] = answers_of(done.run);
  return row;
}

// What all the verdicts come to.
class Tally {
 public:
  void add(std::string_view verdict) { ++count_[std::string(verdict)]; }
  std::size_t of(std::string_view verdict) const {
    const auto found = count_.find(std::string(verdict));
    return found == count_.end() ? 0 : found->second;
  }
  std::size_t of(ExitCode code) const { return of(name_of(code)); }
  int exit_code() const {
    if (of(exit_violation) > 0) return exit_violation;
    if (of(unreadable) > 0) return exit_cannot_test;
    if (of(exit_timeout) > 0) return exit_timeout;
    return of(exit_out_of_memory) > 0 ? exit_out_of_memory : exit_clean;
  }
  Json json() const {
    Json json;
    for (const ExitCode code : {exit_clean, exit_violation, exit_timeout, exit_out_of_memory})
      json[std::string(name_of(code))] = of(code);
    json[std::string(unreadable)] = of(unreadable);
    return json;
  }

 private:
  std::map<std::string, std::size_t> count_;
};

std::string line_of(const Json& row) {
  const std::string file = printable(row["file"].get<std::string>());
  const std::string verdict = row["verdict"];
  if (verdict == unreadable)
    return fmt::format("{} {}\n", verdict, row["error"]["text"].get<std::string>());
  if (verdict == name_of(exit_clean)) return fmt::format("ok {}\n", file);
  const Json& rule = row["run"]["rule"];
  const std::string id = rule.is_null() ? "" : " " + rule.get<std::string>();
  return fmt::format("{} {}{}\n", verdict == name_of(exit_violation) ? "VIOLATION" : verdict, file,
                     id);
}

int replay_one(const ReplayOptions& options, const std::string& file) {
  const TraceSource source = source_of(options, file);
  const Replay done = replay(source);
  if (done.error) {
    complain(done.error->text());
    return exit_cannot_test;
  }
  const fuzz::RunResult& run = done.run;
  if (run.end == fuzz::RunResult::End::clean) {
    say(fmt::format("clean: {} steps, {} executed, {} skipped, final state {}\n",
                    done.trace->info.steps, run.executed, run.skipped, run.digest));
    if (done.trace->info.expect)
      note(fmt::format("{} is what breaks {} here; this is the reference",
                       done.trace->info.expect->subject, done.trace->info.expect->rule));
  } else {
    say(report_text(run, replay_command(source), wants_colour(stdout)));
  }
  return exit_code_of(run.end);
}

void print_summary(const Tally& tally, const std::vector<std::string>& broken) {
  for (const std::string& command : broken) say(fmt::format("replay: {}\n", command));
  const auto more = [&](ExitCode code) {
    return tally.of(code) == 0 ? "" : fmt::format(", {} {}", tally.of(code), name_of(code));
  };
  say(fmt::format("{} clean, {} violations, {} unreadable{}{}\n", tally.of(exit_clean),
                  tally.of(exit_violation), tally.of(unreadable), more(exit_timeout),
                  more(exit_out_of_memory)));
}

Json row_of_answer(const JobAnswer& answer, const std::string& file) {
  if (answer.died.empty()) return Json::parse(answer.text);
  Replay dead;
  dead.error = InputError{file, 0, 0, "the process that reads it " + answer.died, "a trace"};
  return row_of(dead, file);
}

int replay_all(const ReplayOptions& options, const std::vector<std::string>& files) {
  Tally tally;
  std::vector<std::string> broken;
  Json rows = Json::array();
  run_jobs(
      files.size(), options.jobs,
      [&](std::size_t i) { return dump(row_of(replay(source_of(options, files[i])), files[i])); },
      [&](std::size_t i, const JobAnswer& answer) {
        Json row = row_of_answer(answer, files[i]);
        tally.add(row["verdict"].get<std::string>());
        if (!row["run"].is_null() && row["verdict"] != name_of(exit_clean))
          broken.push_back(replay_command(source_of(options, files[i])));
        if (options.json) {
          if (row["error"].is_object()) row["error"].erase("text");
          rows.push_back(std::move(row));
        } else {
          // The name as it is, not as JSON had to have it.
          row["file"] = printable(files[i]);
          say(line_of(row));
        }
      });
  if (!options.json) {
    print_summary(tally, broken);
  } else {
    Json all;
    all["files"] = std::move(rows);
    all["counts"] = tally.json();
    say(dump(all));
  }
  return tally.exit_code();
}

}  // namespace

int replay_verb(const ReplayOptions& options) {
  const auto files = files_of(options.paths);
  if (!files) {
    complain(files.error().text());
    return exit_cannot_test;
  }
  // A folder is always answered with a line for each file, be it only one.
  const bool one = options.paths.size() == 1 && *files == options.paths;
  return one && !options.json ? replay_one(options, files->front()) : replay_all(options, *files);
}

}  // namespace cli
