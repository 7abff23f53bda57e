// Tells what a trace did.
#include "fuzz/cli/explain_verb.hpp"

#include "fuzz/cli/json.hpp"
#include "fuzz/cli/output.hpp"
#include "fuzz/cli/report.hpp"

namespace cli {
namespace {

Json steps_of(const fuzz::Story& story) {
  Json steps = Json::array();
  for (std::size_t i = 0; i < story.steps.size(); ++i) {
    const fuzz::StoryStep& step = story.steps[i];
    steps.push_back(
        {{"number", i + 1}, {"line", step.line}, {"text", step.text}, {"answer", nullptr}});
    if (step.answer) steps.back()["answer"] = props::print_answer(*step.answer);
  }
  return steps;
}

Json story_json(const fuzz::Story& story, const TraceSource& source) {
  Json json;
  json["file"] = source.file;
  json["error"] = nullptr;
  json["layer"] = story.layer;
  json["comments"] = story.comments;
  json["machine"] = story.machine;
  json["zones"] = Json::array();
  for (const fuzz::StoryZone& zone : story.zones)
    json["zones"].push_back({{"name", zone.name},
                             {"first", zone.first},
                             {"pages", zone.pages},
                             {"managed", zone.managed}});
  json["steps"] = steps_of(story);
  json["run"] = json_of(story.result);
  json["rule"] = story.rule == nullptr ? Json(nullptr) : json_of(*story.rule);
  json["before"] = story.before;
  json["after"] = story.after;
  json["replay"] = replay_command(source);
  return json;
}

int refuse(const TraceSource& source, const InputError& error, bool json) {
  if (json) say(dump({{"file", source.file}, {"error", json_of(error)}}));
  complain(error.text());
  return exit_cannot_test;
}

}  // namespace

int explain_verb(const TraceSource& source, bool json) {
  const auto trace = load_trace(source);
  if (!trace) return refuse(source, trace.error(), json);
  const auto story = trace->layer->tell(trace->text);
  if (!story) return refuse(source, at_place(source.file, story.error()), json);
  say(json ? dump(story_json(*story, source)) : markdown_of(*story, replay_command(source)));
  return exit_code_of(story->result.end);
}

}  // namespace cli
