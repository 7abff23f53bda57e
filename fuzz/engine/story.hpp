// story: what a trace did, step by step, for a reader.
//
//   run isolated ──▶ how it ends, and at which step
//   walk here    ──▶ each answer; memory before the step that breaks the rule, and after it
//
// The walk stops in front of a step that kills the process.
#pragma once
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/engine/properties.hpp"
#include "fuzz/engine/run.hpp"
#include "props/core/rule.hpp"

namespace fuzz {

struct StoryStep {
  std::string text;  // as printed, with the answer that it must give
  std::uint32_t line = 0;
  std::optional<props::Answer> answer;  // what it answered; none: it did not come to that
};

struct StoryZone {
  std::string name;
  std::uint64_t first = 0, pages = 0, managed = 0;
};

struct Story {
  std::string layer;
  std::vector<std::string> comments;
  std::string machine;  // the line, without the word
  std::vector<StoryZone> zones;
  std::optional<props::Expect> expect;
  std::vector<StoryStep> steps;
  RunResult result;
  const props::Rule* rule = nullptr;  // the one that broke
  std::string before, after;          // pictures; at the end of a clean trace both are the same
};

// Markdown. The failing step is marked; of a very long trace the middle is left out.
std::string markdown_of(const Story&, std::string_view replay_command);

namespace story_parts {
std::vector<StoryZone> zones_of(const ref::core::Config&);

// A process that died may die again in the same step.
inline bool kills(RunResult::End end) {
  return end != RunResult::End::clean && end != RunResult::End::violation;
}
}  // namespace story_parts

template <class L>
std::expected<Story, props::TraceError> tell(std::string_view text) {
  const auto trace = props::parse_trace<typename L::Operation>(text);
  if (!trace) return std::unexpected(trace.error());
  Story story;
  story.layer = L::name;
  story.comments = trace->comments;
  story.machine = props::print_machine(trace->machine);
  story.zones = story_parts::zones_of(trace->machine);
  story.expect = trace->expect;
  for (const auto& step : trace->steps)
    story.steps.push_back({props::print_step(step, trace->machine.era), step.line, {}});

  const auto judging = replay_judging<L>(*trace);
  story.result = judge_isolated<L>(*trace, RunLimits{});
  story.rule = props::find_rule(L::rules(), story.result.rule);
  if (story.rule == nullptr) story.rule = props::find_rule(props::run_rules(), story.result.rule);
  if constexpr (has_properties<L>)
    for (const auto& property : L::properties())
      if (property.rule.id == story.result.rule) story.rule = &property.rule;

  const bool broken = story.result.end != RunResult::End::clean;
  const std::size_t failing =
      broken ? std::min(story.result.step, trace->steps.size()) : trace->steps.size();
  const typename L::Newborn newborn(trace->machine);
  typename L::World world(newborn, judging);
  for (std::size_t i = 0; i < failing; ++i) story.steps[i].answer = world.apply(trace->steps[i]);
  story.before = story.after = world.picture();
  if (failing < trace->steps.size() && !story_parts::kills(story.result.end)) {
    story.steps[failing].answer = world.apply(trace->steps[failing]);
    story.after = world.picture();
  }
  return story;
}

}  // namespace fuzz
