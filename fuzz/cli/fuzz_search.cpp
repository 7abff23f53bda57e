// Runs the engines, one layer after the other.
#include "fuzz/cli/fuzz_search.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "fuzz/cli/fuzz_files.hpp"
#include "fuzz/cli/output.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::uint64_t per_second(std::uint64_t n, double seconds) {
  return seconds <= 0 ? 0 : static_cast<std::uint64_t>(static_cast<double>(n) / seconds);
}

// The corpus of a layer: below the current directory, or where the command was built.
std::vector<fs::path> corpora_of(const fuzz::Layer& layer) {
  std::error_code ignored;
  for (const fs::path root : {".", ALLOCHECK_SOURCE_DIR})
    if (const fs::path corpus = root / fs::path("corpus") / layer.name;
        fs::is_directory(corpus, ignored))
      return {corpus};
  return {};
}

}  // namespace

Search::Search(const SearchPlan& plan, const fuzz::Failures& failures, fs::path kept,
               SearchState state)
    : plan_(plan),
      hunt_(failures,
            {.limits = {.seconds = 2},
             .interrupted = [this] { return interrupted() || (plan_.by_clock() && left() < 0); },
             .settled =
                 [this](const fuzz::Catch& one) {
                   auto bad = complete_directory(one, plan_.seed);
                   keep();
                   return bad;
                 }}),
      kept_(std::move(kept)),
      state_(std::move(state)),
      start_(now()) {}

double Search::seconds() const { return now() - start_; }

double Search::left() const { return layer_end_ - now(); }

double Search::search_left() const {
  const double reserve = hunt_.empty() ? 0.02 : 0.25;
  return left() - std::min(15.0, layer_seconds_ * reserve);
}

std::string Search::time_text() const {
  if (!plan_.by_clock()) return "";
  return fmt::format("{:.0f} s left  ", std::max(left(), 0.0));
}

void Search::take_earlier_findings() {
  for (const FindingState& f : state_.findings) {
    const fuzz::Layer* layer = fuzz::find_layer(f.layer);
    if (layer != nullptr && hunt_.take_again(*layer, f.engine, f.directory, f.rule, f.count))
      continue;
    notes_.push_back(fmt::format("{} holds no trace any more", f.directory));
    note(notes_.back());
  }
}

void Search::keep() {
  if (!keeps_) return;
  if (layer_ != nullptr) layer_->seconds = now() - layer_begin_;
  state_.findings.clear();
  for (const fuzz::Catch& one : hunt_.catches())
    state_.findings.push_back({std::string(one.layer->name), one.engine, one.seen,
                               fs::absolute(one.directory).string(), one.count});
  const auto bad = write_state(kept_, state_);
  if (!bad) return;
  keeps_ = false;
  notes_.push_back(fmt::format("this search cannot be resumed: {}", *bad));
  note(notes_.back());
}

bool Search::all_done() const {
  return std::ranges::all_of(state_.layers, [](const LayerState& l) { return l.done; });
}

// What is kept goes when nothing is left to be done.
void Search::run() {
  layer_seconds_ = plan_.seconds / static_cast<double>(plan_.layers.size());
  take_earlier_findings();
  for (std::size_t i = 0; i < plan_.layers.size() && !stopping() && !found_enough(); ++i) {
    layer_ = &state_.layers[i];
    layer_begin_ = now() - layer_->seconds;
    layer_end_ = layer_begin_ + layer_seconds_;
    keep();
    run_layer(*plan_.layers[i]);
    layer_->done = !stopping();
    keep();
  }
  std::error_code ignored;
  if ((!all_done() && !found_enough()) || !hunt_.error().empty()) return;
  fs::remove_all(kept_, ignored);
  fs::remove(kept_.parent_path(), ignored);  // if it was the last
}

// Where the coverage-guided target is, or nothing when it shall not or cannot be used.
fs::path Search::usable_target(const fuzz::Layer& layer) {
  if (!plan_.libfuzzer) return {};
  const fs::path target = fuzz::target_of(layer);
  if (::access(target.c_str(), X_OK) == 0) return target;
  notes_.push_back(fmt::format(
      "build/fuzz/{}_fuzz is not built: {}; cmake --preset fuzz && cmake --build build/fuzz",
      layer.name, plan_.swarm ? "staying with swarm" : "nothing to run"));
  note(notes_.back());
  return {};
}

void Search::run_layer(const fuzz::Layer& layer) {
  outcomes_.push_back({.layer = &layer, .swarm = {}, .libfuzzer = {}});
  LayerOutcome& outcome = outcomes_.back();
  const fs::path target = usable_target(layer);
  if (plan_.swarm) run_swarm(outcome, target.empty());
  layer_->swarm_done = !stopping();
  if (!target.empty() && !stopping() && !found_enough()) run_libfuzzer(outcome, target);
  progress_.clear();
  if (found_enough()) layer_end_ = now() + layer_seconds_;
  if (!hunt_.empty() && hunt_.error().empty()) note("replaying and minimizing what was found");
  hunt_.settle();
}

void Search::run_swarm(LayerOutcome& outcome, bool alone) {
  const fuzz::Layer& layer = *outcome.layer;
  const double begin = now();
  fuzz::SwarmOptions options;
  options.seed = plan_.seed;
  options.first_run = plan_.first_run;
  options.runs = plan_.runs;
  options.operations = plan_.operations;
  options.judge = plan_.judge;
  options.machine = plan_.machine;
  if (layer_->used_swarm) options.earlier = layer_->swarm;
  // Nothing is left to be run; what it came to is told once more.
  if (layer_->swarm_done)
    options.runs = std::max<std::uint64_t>(layer_->swarm.next_run - plan_.first_run, 1);
  const double earlier_seconds = layer_->swarm_seconds;
  options.save = [&](const fuzz::SwarmProgress& progress) {
    layer_->used_swarm = true;
    layer_->swarm = progress;
    layer_->swarm_seconds = earlier_seconds + now() - begin;
    keep();
  };
  options.uniform = plan_.uniform;
  options.stop_at_first = plan_.stop_at_first;
  // Steps take microseconds. Against the clock a false alarm costs one replay; with a number of
  // runs it would change the digest.
  options.limits.seconds = plan_.by_clock() ? 2 : 10;
  options.stop = [&] {
    if (stopping()) return true;
    if (!plan_.by_clock()) return false;
    return search_left() <= 0 || (!alone && left() < layer_seconds_ * 0.75);
  };
  const std::string_view name = plan_.swarm_name();
  options.found = [&](const fuzz::SwarmFinding& finding) {
    if (!first_cpu_) first_cpu_ = cpu_ + finding.cpu_seconds;
    hunt_.take(layer, name, layer.text_of_bytes(finding.bytes), finding.result);
  };
  options.status = [&](const fuzz::SwarmStatus& s) {
    progress_.show(fmt::format("{} {}  {}{} runs/s  {} operations/s  {} found  {}", layer.name,
                               name, time_text(), grouped(per_second(s.runs, s.seconds)),
                               grouped(per_second(s.operations, s.seconds)), hunt_.catches().size(),
                               s.reach.line));
  };
  outcome.used_swarm = true;
  outcome.swarm = layer.swarm(options);
  cpu_ += outcome.swarm.cpu_seconds;
  outcome.swarm.seconds += earlier_seconds;
  // The ones counted in an earlier part are in its findings' counts.
  const auto counted = [&](const std::string& rule) {
    std::uint64_t n = fuzz::findings_per_rule;
    if (options.earlier)
      for (const auto& one : options.earlier->broken)
        if (one.rule == rule) n = std::max(n, one.runs);
    return n;
  };
  for (const auto& [rule, runs] : outcome.swarm.broken)
    if (runs > counted(rule)) hunt_.count(layer, name, rule, runs - counted(rule));
}

void Search::run_libfuzzer(LayerOutcome& outcome, const fs::path& target) {
  const fuzz::Layer& layer = *outcome.layer;
  fuzz::LibFuzzerOptions options;
  options.target = target;
  if (plan_.seeds) options.corpora = corpora_of(layer);
  options.seed = plan_.seed;
  options.runs = plan_.runs;
  options.corpus = kept_ / layer.name / "corpus";
  options.executions_before = layer_->executions;
  options.restarts_before = layer_->restarts;
  options.seconds_left = [&] { return search_left(); };
  options.stop = [&] { return stopping() || found_enough(); };
  const double begin = now(), earlier_seconds = layer_->libfuzzer_seconds;
  const auto keep_status = [&](const auto& s) {
    layer_->used_libfuzzer = true;
    layer_->executions = s.executions;
    layer_->restarts = s.restarts;
    layer_->coverage = std::max(layer_->coverage, s.coverage);
    layer_->libfuzzer_seconds = earlier_seconds + now() - begin;
    keep();
  };
  options.status = [&](const fuzz::LibFuzzerStatus& s) {
    keep_status(s);
    progress_.show(fmt::format("{} libfuzzer  {}{} executions/s  {} edges  {} executions  {} found",
                               layer.name, time_text(), grouped(s.rate), grouped(s.coverage),
                               grouped(s.executions), hunt_.catches().size()));
  };
  options.found = [&](const std::string& trace, const fuzz::RunResult& seen) {
    hunt_.take(layer, "libfuzzer", trace, seen);
  };
  options.found_again = [&](const std::string& rule) { hunt_.count(layer, "libfuzzer", rule, 1); };
  outcome.used_libfuzzer = true;
  outcome.libfuzzer = fuzz::run_libfuzzer(layer, options);
  keep_status(outcome.libfuzzer);
  outcome.libfuzzer.seconds = layer_->libfuzzer_seconds;
  outcome.libfuzzer.coverage = layer_->coverage;
  if (const auto found_at = outcome.libfuzzer.found_at_cpu_seconds; found_at && !first_cpu_)
    first_cpu_ = cpu_ + *found_at;
  cpu_ += outcome.libfuzzer.cpu_seconds;
  if (!outcome.libfuzzer.note.empty()) {
    notes_.push_back(outcome.libfuzzer.note);
    note(notes_.back());
  }
}

}  // namespace cli
