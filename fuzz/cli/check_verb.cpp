// Checks properties, keeps what falsifies them, and sums up.
#include "fuzz/cli/check_verb.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "fuzz/cli/check_plan.hpp"
#include "fuzz/cli/fuzz_files.hpp"
#include "fuzz/cli/json.hpp"
#include "fuzz/cli/output.hpp"
#include "fuzz/cli/progress.hpp"
#include "fuzz/cli/report.hpp"
#include "fuzz/cli/trace_file.hpp"

namespace cli {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// What became of one property.
struct Outcome {
  const CheckPlan::Item* item = nullptr;
  std::uint64_t cases = 0, asked = 0;
  bool stopped = true;                // before all its cases, or any at all, were made
  std::string falsified;              // the rule that was seen; "": none
  const fuzz::Catch* kept = nullptr;  // its trace
  std::string replay_rule;            // what a replay of the trace names, which may be sharper

  std::string_view result() const {
    return !falsified.empty() ? "falsified" : stopped ? "stopped" : "ok";
  }
};

class Check {
 public:
  Check(const CheckPlan& plan, const fuzz::Failures& failures)
      : plan_(plan),
        hunt_(failures,
              {.limits = {.seconds = 2},
               .interrupted = [this] { return interrupted() || late(minimizing_share); },
               .settled =
                   [this](const fuzz::Catch& one) { return complete_directory(one, plan_.seed); }}),
        start_(now()) {
    for (const CheckPlan::Item& item : plan.items) outcomes_.emplace_back().item = &item;
  }

  // Round after round, until the time is over or there is nothing left to check. What was falsified
  // is not asked again.
  void run() {
    for (std::uint64_t round = 0; !stopping(); ++round) {
      bool left = false;
      for (Outcome& outcome : outcomes_) {
        if (outcome.falsified.empty() && !stopping()) check(outcome, round);
        left = left || outcome.falsified.empty();
      }
      if (plan_.seconds == 0 || !left) break;
    }
    progress_.clear();
  }

  const std::vector<Outcome>& outcomes() const { return outcomes_; }
  const fuzz::Hunt& hunt() const { return hunt_; }
  double seconds() const { return now() - start_; }
  std::optional<double> first_violation() const { return first_violation_; }

 private:
  // Minimizing may use the whole time, the search for another violation not all of it.
  static constexpr double searching_share = 0.9, minimizing_share = 1.0;
  bool late(double share) const { return plan_.seconds != 0 && seconds() > plan_.seconds * share; }
  bool stopping() const {
    return interrupted() || !hunt_.error().empty() || (plan_.stop_at_first && !hunt_.empty()) ||
           late(hunt_.empty() ? minimizing_share : searching_share);
  }

  void check(Outcome& outcome, std::uint64_t round) {
    const fuzz::Layer& layer = *outcome.item->layer;
    const props::Rule& property = outcome.item->property;
    progress_.show(fmt::format("{} check  {:.0f} s  {}  {}", layer.name, seconds(), property.id,
                               property.sentence));
    const fuzz::CheckResult result = layer.check({.property = std::string(property.id),
                                                  .seed = plan_.seed,
                                                  .round = round,
                                                  .runs = plan_.runs,
                                                  .stop = [this] { return stopping(); },
                                                  .limits = {.seconds = 10}});
    outcome.cases += result.cases;
    outcome.asked += result.asked;
    outcome.stopped = plan_.seconds == 0 ? result.stopped : outcome.cases == 0;
    if (!result.falsified) return;
    if (!first_violation_) first_violation_ = fuzz::cpu_seconds();
    outcome.falsified = result.falsified->seen.rule;
    hunt_.take(layer, "check " + std::string(property.id), result.falsified->trace,
               result.falsified->seen);
    hunt_.settle();
    find_kept(outcome);
  }

  // Its own trace; or, when another property came to the same one, that.
  void find_kept(Outcome& outcome) {
    const std::string engine = "check " + std::string(outcome.item->property.id);
    for (const fuzz::Catch& one : hunt_.catches()) {
      const bool own = one.engine == engine;
      if (own || (outcome.kept == nullptr &&
                  (one.seen == outcome.falsified || one.rule == outcome.falsified)))
        outcome.kept = &one;
      if (own) break;
    }
    if (outcome.kept == nullptr || outcome.kept->minimized.empty()) return;
    const auto again = outcome.kept->layer->run(outcome.kept->minimized, true, {.seconds = 2});
    if (again) outcome.replay_rule = again->rule;
  }

  const CheckPlan& plan_;
  fuzz::Hunt hunt_;
  Progress progress_;
  std::vector<Outcome> outcomes_;
  std::optional<double> first_violation_;
  const double start_;
};

int exit_code(const Check& check) {
  if (!check.hunt().error().empty()) return exit_cannot_test;
  if (std::ranges::any_of(check.outcomes(), [](const Outcome& o) { return !o.falsified.empty(); }))
    return exit_violation;
  return interrupted() ? exit_interrupted : exit_clean;
}

std::string replay_of(const Outcome& o) {
  return replay_command({.file = trace_path(*o.kept), .bytes = false, .layer = "", .machine = ""});
}

Json row_of(const Outcome& o) {
  Json json;
  json["id"] = o.item->property.id;
  json["name"] = o.item->property.sentence;
  json["layer"] = o.item->layer->name;
  json["result"] = o.result();
  json["cases"] = o.cases;
  json["asked"] = o.asked;
  json["rule"] = json["replay_rule"] = json["steps"] = json["trace"] = json["reproduced"] =
      json["note"] = nullptr;
  if (!o.falsified.empty()) json["rule"] = o.falsified;
  if (!o.replay_rule.empty()) json["replay_rule"] = o.replay_rule;
  if (o.kept == nullptr) return json;
  json["rule"] = o.kept->rule;
  json["steps"] = o.kept->steps;
  json["trace"] = trace_path(*o.kept);
  json["reproduced"] = o.kept->reproduced;
  json["note"] = o.kept->note;
  return json;
}

void print_json(const Check& check, const CheckPlan& plan) {
  Json json;
  json["seed"] = plan.seed;
  json["runs"] = plan.runs;
  json["seconds"] = check.seconds();
  const auto first = check.first_violation();
  json["first_violation_cpu_seconds"] = first ? Json(*first) : Json(nullptr);
  json["properties"] = Json::array();
  for (const Outcome& o : check.outcomes()) json["properties"].push_back(row_of(o));
  json["interrupted"] = interrupted();
  json["exit"] = exit_code(check);
  say(dump(json));
}

void print_outcome(const Outcome& o, bool colour) {
  const std::string_view name = o.item->property.sentence;
  if (o.falsified.empty()) {
    say(fmt::format("{:<11}{}  {} cases, put to the test {} times\n", o.stopped ? "stopped" : "OK",
                    name, grouped(o.cases), grouped(o.asked)));
    return;
  }
  say(fmt::format("{}  {}  by {}\n", alarming("FALSIFIED", colour), name,
                  o.kept == nullptr ? o.falsified : o.kept->rule));
  if (o.kept == nullptr) return;
  say(fmt::format("           after {} case{}; {} step{}, {}\n           replay: {}\n",
                  grouped(o.cases), o.cases == 1 ? "" : "s", o.kept->steps,
                  o.kept->steps == 1 ? "" : "s",
                  o.kept->minimized.empty() ? "not minimized" : "minimized", replay_of(o)));
  if (!o.kept->note.empty()) say(fmt::format("           note: {}\n", o.kept->note));
}

void print_for_people(const Check& check) {
  const bool colour = wants_colour(stdout);
  for (const Outcome& o : check.outcomes()) print_outcome(o, colour);
  for (const fuzz::Catch& one : check.hunt().catches()) {
    const std::string replay =
        replay_command({.file = trace_path(one), .bytes = false, .layer = "", .machine = ""});
    say(fmt::format("\n{}\n{}", one.directory.string(), report_text(one.result, replay, colour)));
  }
}

int list(const CheckPlan& plan, bool as_json) {
  Json json;
  std::string text;
  json["properties"] = Json::array();
  for (const CheckPlan::Item& item : plan.items) {
    json["properties"].push_back(json_of(item.property));
    text +=
        fmt::format("{:<18}{:<8}{}\n", item.property.id, item.layer->name, item.property.sentence);
  }
  say(as_json ? dump(json) : text);
  return exit_clean;
}

}  // namespace

int check_verb(const CheckVerbOptions& options) {
  const auto plan = plan_of(options);
  if (!plan) {
    complain(plan.error());
    return exit_cannot_test;
  }
  if (options.list) return list(*plan, options.json);
  const fuzz::Failures failures(options.out);
  if (const auto bad = failures.prepare()) {
    complain(fmt::format("{}; expected a directory for --out that can be written", *bad));
    return exit_cannot_test;
  }
  // First of all: a hang of ours must not lose it.
  complain(fmt::format("seed {} (once more: {})", plan->seed, command_of(options, *plan)));
  notice_interrupts();
  Check check(*plan, failures);
  check.run();
  if (options.json) print_json(check, *plan);
  else print_for_people(check);
  std::fflush(stdout);
  if (!check.hunt().error().empty())
    complain(fmt::format("{}; expected room in {}", check.hunt().error(), options.out));
  if (interrupted())
    complain(fmt::format("interrupted; to start over: {}", command_of(options, *plan)));
  return exit_code(check);
}

}  // namespace cli
