// Stores, replays, minimizes and names findings.
#include "fuzz/engine/hunt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>

namespace fuzz {

void Hunt::fail(const std::string& error, std::string_view trace) {
  if (error_.empty()) error_ = error;
  if (trace.empty()) return;
  std::fflush(stdout);
  fmt::print(stderr, "allocheck: {}; so the trace comes here:\n{}", error, trace);
}

void Hunt::take(const Layer& layer, std::string_view engine, std::string_view trace,
                const RunResult& seen) {
  const auto directory = failures_.store(seen.rule, trace);
  if (!directory) return fail(directory.error(), trace);
  const auto info = layer.inspect(trace);
  Catch one;
  one.layer = &layer;
  one.engine = engine;
  one.seen = one.rule = seen.rule;
  one.directory = *directory;
  one.found = trace;
  one.result = seen;
  one.steps = info ? info->steps : 0;
  catches_.push_back(std::move(one));
}

bool Hunt::take_again(const Layer& layer, std::string_view engine,
                      const std::filesystem::path& directory, std::string_view seen,
                      std::uint64_t count) {
  std::ifstream in(directory / "found.trace", std::ios::binary);
  const std::string trace{std::istreambuf_iterator<char>(in), {}};
  const auto info = layer.inspect(trace);
  if (!info) return false;
  Catch one;
  one.layer = &layer;
  one.engine = engine;
  one.seen = one.rule = one.result.rule = seen;
  one.result.end = RunResult::End::violation;
  one.directory = directory;
  one.found = trace;
  one.steps = info->steps;
  one.count = count;
  // What an interrupted minimizer left may be larger than need be; a report would be counted twice.
  std::error_code ignored;
  for (const char* made : {"minimized.trace", "explain.md", "report.json"})
    std::filesystem::remove(directory / made, ignored);
  catches_.push_back(std::move(one));
  return true;
}

void Hunt::count(const Layer& layer, std::string_view engine, std::string_view seen,
                 std::uint64_t more) {
  const auto it = std::ranges::find_if(catches_, [&](const Catch& c) {
    return c.layer == &layer && c.engine == engine && c.seen == seen;
  });
  if (it != catches_.end()) it->count += more;
}

// A trace that does not do it again is worth keeping, but not worth minimizing.
void Hunt::confirm(Catch& one) {
  // Each replay of a hang takes all the time that a step may take.
  if (one.seen == "RUN-HANG" && options_.interrupted && options_.interrupted()) {
    one.note = "there was no time to replay it";
    return;
  }
  std::array<RunResult, 2> runs;
  for (RunResult& run : runs) {
    auto result = one.layer->run_for(one.found, one.seen, options_.limits);
    if (!result) {
      one.note = fmt::format("the stored trace cannot be read: {}", result.error().what);
      return;
    }
    run = std::move(*result);
    if (run.rule == "RUN-HANG") {
      runs[1].rule = run.rule;  // seen twice by now, and every look is long
      break;
    }
  }
  if (runs[0].rule.empty() || runs[0].rule != runs[1].rule) {
    one.note = fmt::format("seen by {}, but a replay of the trace breaks {}", one.engine,
                           runs[0].rule.empty() ? "nothing" : runs[0].rule);
    return;
  }
  one.reproduced = true;
  one.rule = runs[0].rule;
  one.result = std::move(runs[0]);
}

void Hunt::minimize(Catch& one) {
  MinimizeOptions how;
  how.rule = one.rule;
  how.budget = options_.budget;
  how.search_budget = options_.search_budget;
  how.limits.seconds = 0.5;
  how.interrupted = options_.interrupted;
  const auto smaller = one.layer->minimize(one.found, how);
  if (!smaller || smaller->rule.empty()) {
    one.note = "could not be minimized: the trace breaks the rule only in a process of its own";
    return;
  }
  if (smaller->stopped != MinimizeResult::Stopped::fixed_point)
    one.note = fmt::format("{} before the trace was minimal", name_of(smaller->stopped));
  auto again = one.layer->run_for(smaller->text, smaller->rule, options_.limits);
  if (!again || again->rule != smaller->rule) {
    one.note = "could not be minimized: a replay of the smaller trace does not break the rule";
    return;
  }
  one.rule = smaller->rule;
  one.minimized = smaller->text;
  one.shortest = smaller->shortest;
  one.steps = smaller->steps_after;
  one.result = std::move(*again);
}

std::size_t Hunt::settled_of(const Catch& one) const {
  std::size_t n = 0;
  for (auto it = catches_.begin(); n < settled_ && &*it != &one; ++it)
    n += it->layer == one.layer && it->rule == one.rule ? 1u : 0u;
  return n;
}

// Another finding of the same rule stands for it.
void Hunt::merge_into_kin(std::list<Catch>::iterator one) {
  for (auto it = catches_.begin(); it != one; ++it) {
    if (it->layer != one->layer || it->rule != one->rule) continue;
    it->count += one->count;
    break;
  }
  catches_.erase(one);
}

void Hunt::settle() {
  while (settled_ < catches_.size() && error_.empty()) {
    const auto one = std::next(catches_.begin(), static_cast<std::ptrdiff_t>(settled_));
    confirm(*one);
    std::error_code ignored;
    if (one->reproduced && settled_of(*one) >= traces_per_rule) {
      std::filesystem::remove_all(one->directory, ignored);
      merge_into_kin(one);
      continue;
    }
    if (one->reproduced) minimize(*one);
    const auto directory = failures_.rename(one->directory, one->rule,
                                            one->minimized.empty() ? one->found : one->minimized);
    if (!directory) return fail(directory.error(), one->found);
    one->directory = *directory;
    const auto kin = std::find_if(catches_.begin(), one,
                                  [&](const Catch& c) { return c.directory == one->directory; });
    if (kin != one) {
      kin->count += one->count;
      catches_.erase(one);
      continue;
    }
    ++settled_;
    if (const auto bad = options_.settled ? options_.settled(*one) : std::nullopt)
      return fail(*bad, one->minimized.empty() ? one->found : one->minimized);
  }
}

}  // namespace fuzz
