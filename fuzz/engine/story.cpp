// Writes a story down as Markdown.
#include "fuzz/engine/story.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fuzz {
namespace {

using End = RunResult::End;

// A trace longer than this loses its middle: nobody reads ten thousand steps.
constexpr std::size_t steps_shown = 400;
constexpr std::size_t steps_at_front = 100;

std::size_t failing_step(const Story& story) {
  return story.result.end == End::clean ? story.steps.size() : story.result.step;
}

std::string title(const Story& story) {
  std::string text = fmt::format("# {}\n\n", story.comments.empty() || story.comments[0].empty()
                                                 ? "A trace of " + story.layer
                                                 : story.comments[0]);
  for (std::size_t i = 1; i < story.comments.size(); ++i) text += story.comments[i] + "\n";
  return story.comments.size() > 1 ? text + "\n" : text;
}

std::string verdict(const Story& story) {
  const std::size_t steps = story.steps.size(), failing = failing_step(story);
  if (story.result.end == End::clean)
    return fmt::format("All {} steps run, and no rule breaks.\n\n", steps);
  const std::string where = failing < steps ? fmt::format("at step {} of {}", failing + 1, steps)
                                            : fmt::format("at the end, after all {} steps", steps);
  if (story.result.end == End::out_of_memory)
    return fmt::format("**The run took too much memory** {}.\n\n", where);
  return fmt::format("**{} breaks {}.**\n\n", story.result.rule, where);
}

std::string machine(const Story& story) {
  std::string text = fmt::format("## The machine\n\n```\nmachine {}\n\n", story.machine);
  for (const StoryZone& zone : story.zones) {
    text += fmt::format("{:<10} frames {} to {}: {} pages", zone.name, zone.first,
                        zone.first + zone.pages - 1, zone.pages);
    if (zone.managed != zone.pages) text += fmt::format(", {} reserved", zone.pages - zone.managed);
    text += "\n";
  }
  return text + "```\n\n";
}

bool is_shown(std::size_t i, const Story& story) {
  if (story.steps.size() <= steps_shown || i < steps_at_front) return true;
  const std::size_t last = std::min(failing_step(story) + 20, story.steps.size());
  return i < last && i + (steps_shown - steps_at_front) >= last;
}

std::string answer_of(const StoryStep& step, bool failing) {
  if (step.answer) return props::print_answer(*step.answer);
  return failing ? "did not come back" : "not run";
}

std::string step_table(const Story& story) {
  std::size_t width = 0, left_out = 0;
  for (std::size_t i = 0; i < story.steps.size(); ++i)
    if (is_shown(i, story)) width = std::max(width, story.steps[i].text.size());
  std::string text = "## The steps, and what each answered\n\n```\n";
  for (std::size_t i = 0; i < story.steps.size(); ++i) {
    if (!is_shown(i, story)) {
      ++left_out;
      continue;
    }
    if (left_out > 0) text += fmt::format("      ... {} steps left out ...\n", left_out);
    left_out = 0;
    const bool failing = i == failing_step(story);
    text += fmt::format("{}{:>4}  {:<{}}   {}\n", failing ? ">" : " ", i + 1, story.steps[i].text,
                        width, answer_of(story.steps[i], failing));
  }
  if (left_out > 0) text += fmt::format("      ... {} steps left out ...\n", left_out);
  if (story.result.end != End::clean && failing_step(story) >= story.steps.size())
    text += ">      the end of the trace\n";
  return text + "```\n\n";
}

std::string block(std::string_view heading, std::string_view content) {
  if (content.empty()) return "";
  return fmt::format("{}\n\n```\n{}{}```\n\n", heading, content,
                     content.ends_with('\n') ? "" : "\n");
}

std::string rule_section(const Story& story) {
  if (story.rule == nullptr) return "";
  const props::Rule& rule = *story.rule;
  std::string text = fmt::format("## The rule: {}\n\n{}\n\n", rule.id, rule.sentence);
  text += fmt::format("    {}\n\n", rule.statement);
  return text + fmt::format("- Why: {}\n- Source: {}\n\n", rule.why, rule.source);
}

std::string seen(const Story& story) {
  const RunResult& run = story.result;
  if (run.end == End::clean) return "";
  std::string text = "## What was seen\n\n";
  if (!run.expected.empty()) text += fmt::format("- Expected: {}\n", run.expected);
  if (!run.actual.empty()) text += fmt::format("- Actual: {}\n", run.actual);
  return text + "\n" + block("What it said before it died:", run.output);
}

std::string memory(const Story& story) {
  if (story.result.end == End::clean) return block("## Memory at the end", story.after);
  if (failing_step(story) >= story.steps.size()) return block("## Memory at the end", story.before);
  const std::size_t number = failing_step(story) + 1;
  std::string text = block(fmt::format("## Memory before step {}", number), story.before);
  if (!story_parts::kills(story.result.end))
    text += block(fmt::format("## Memory after step {}", number), story.after);
  return text;
}

}  // namespace

std::vector<StoryZone> story_parts::zones_of(const ref::core::Config& config) {
  std::vector<StoryZone> zones;
  for (std::uint32_t i = 0; i < config.zone_count; ++i) {
    const ref::core::ZoneSpec& zone = config.zones[i];
    std::string name(ref::core::zone_names[static_cast<std::size_t>(zone.kind)]);
    if (config.nodes > 1) name += fmt::format("/{}", zone.node);
    zones.push_back({std::move(name), zone.first, zone.pages, config.managed(i)});
  }
  return zones;
}

std::string markdown_of(const Story& story, std::string_view replay_command) {
  return title(story) + verdict(story) + machine(story) + step_table(story) + rule_section(story) +
         seen(story) + memory(story) + fmt::format("## Replay\n\n    {}\n", replay_command);
}

}  // namespace fuzz
