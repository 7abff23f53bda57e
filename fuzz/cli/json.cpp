// Turns results into JSON.
#include "fuzz/cli/json.hpp"

#include "fuzz/cli/report.hpp"

namespace cli {

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json json_of(const props::Rule& rule) {
  return {{"id", rule.id},
          {"layer", rule.layer},
          {"sentence", rule.sentence},
          {"statement", rule.statement},
          {"why", rule.why},
          {"source", rule.source},
          {"cost", name_of(rule.cost)},
          {"scope", name_of(rule.scope)}};
}

Json json_of(const InputError& error) {
  return {{"line", error.line},
          {"column", error.column},
          {"what", error.what},
          {"expected", error.expected}};
}

Json json_of(const fuzz::RunResult& run) {
  Json json;
  json["end"] = name_of(exit_code_of(run.end));
  json["rule"] = run.rule.empty() ? Json(nullptr) : Json(run.rule);
  json["step"] = run.end == fuzz::RunResult::End::clean ? Json(nullptr) : Json(run.step + 1);
  json["step_text"] = run.step_text;
  json["expected"] = run.expected;
  json["actual"] = run.actual;
  json["picture"] = run.picture;
  json["output"] = run.output;
  json["executed"] = run.executed;
  json["skipped"] = run.skipped;
  json["digest"] = run.digest;
  return json;
}

Json json_of(const fuzz::Shortest& shortest) {
  return {{"status", name_of(shortest.status)},
          {"words", words_of(shortest)},
          {"alphabet", shortest.alphabet},
          {"registers", shortest.registers},
          {"sequences", shortest.sequences},
          {"states", shortest.states},
          {"bound", shortest.bound}};
}

}  // namespace cli
