// minimize: makes of a trace that breaks a rule the smallest one that it can find.
//
//   drop ─▶ machine, answers, points, arguments, registers ─▶ pairs ─▶ search      (stages.hpp)
//
// Every candidate accepted is smaller in one respect, and none is tried twice, so it ends. The
// stages before the search keep all the rest as it is; the search makes traces of its own.
#pragma once
#include "fuzz/engine/shortest.hpp"
#include "fuzz/engine/trials.hpp"

namespace fuzz {

template <class L, class Runner = CandidateRunner<L>>
class Minimizer {
 public:
  using Trace = typename L::Trace;
  using Operation = typename L::Operation;

  Minimizer(Trace trace, const MinimizeOptions& options, Runner runner = {})
      : before_(trace.steps.size()), trials_(std::move(trace), options, std::move(runner)) {}

  MinimizeResult minimize() {
    if (!trials_.begin()) {
      MinimizeResult nothing;
      nothing.steps_before = nothing.steps_after = before_;
      nothing.executed = trials_.executed();
      nothing.candidates = trials_.candidates();
      return nothing;
    }
    const std::string rule = trials_.rule();
    reach(Level::search);
    trials_.enter(Stage::search);
    MinimizeResult result;
    result.rule = trials_.rule();
    result.rule_before = rule;
    result.text = props::print_trace(best());
    result.steps_before = before_;
    result.steps_after = best().steps.size();
    result.executed = trials_.executed();
    result.candidates = trials_.candidates();
    result.stopped = trials_.stopped();
    result.shortest = shortest_;
    result.stages = trials_.tallies();
    result.milestones = milestones_;
    return result;
  }

 private:
  const Trace& best() const { return trials_.best(); }
  bool going_on() { return trials_.going_on(); }
  bool take(Trace candidate) { return trials_.take(std::move(candidate)); }

  // Until no stage of this level, nor of those before, finds anything smaller.
  void reach(Level level) {
    for (bool again = true; again;) {
      if (level > Level::deletion) reach(static_cast<Level>(static_cast<int>(level) - 1));
      const auto had = props::print_trace(best());
      for (const StageRow& row : stage_table)
        if (row.level == level && going_on()) run(row.stage);
      again = going_on() && props::print_trace(best()) != had;
    }
    if (milestones_.size() == static_cast<std::size_t>(level) && going_on())
      milestones_.push_back(
          {level, best().steps.size(), trials_.executed(), seconds_now() - begun_});
  }

  void run(Stage stage) {
    trials_.enter(stage);
    switch (stage) {
      case Stage::drop: return drop_steps();
      case Stage::machine: return simplify_machine();
      case Stage::answers: return drop_answers();
      case Stage::points: return drop_points();
      case Stage::arguments: return simplify_arguments();
      case Stage::registers: return rename_registers();
      case Stage::pairs: return exchange_and_drop();
      case Stage::search: return search();
    }
  }

  static Trace without(Trace trace, std::size_t begin, std::size_t end) {
    trace.steps.erase(trace.steps.begin() + static_cast<std::ptrdiff_t>(begin),
                      trace.steps.begin() + static_cast<std::ptrdiff_t>(end));
    return trace;
  }

  void drop_steps() {
    for (std::size_t chunk = std::max<std::size_t>(best().steps.size() / 2, 1); going_on();
         chunk /= 2) {
      // From the back, since what is needed was mostly made before.
      for (std::size_t end = best().steps.size(); end > 0 && going_on();) {
        const std::size_t begin = end > chunk ? end - chunk : 0;
        take(without(best(), begin, end));
        end = std::min(begin, best().steps.size());
      }
      if (chunk == 1) return;
    }
  }

  // True when one of the candidates was taken.
  template <class Candidates>
  bool take_first(Candidates&& candidates) {
    for (auto& candidate : candidates)
      if (take(std::move(candidate))) return true;
    return false;
  }

  void simplify_machine() {
    if (best().machine.era != ref::core::Config{}.era)
      if (auto newer = in_era(best(), ref::core::Config{}.era)) take(std::move(*newer));
    for (bool again = true; again && going_on();) {
      std::vector<Trace> candidates;
      // From the largest factor down, since this saves most.
      for (unsigned by = best().machine.orders; by-- > 1;)
        if (auto small = scaled(best(), by)) candidates.push_back(std::move(*small));
      for (const ref::core::Config& machine : simpler(best().machine)) {
        candidates.push_back(best());
        candidates.back().machine = machine;
      }
      again = take_first(candidates);
    }
  }

  void drop_answers() {
    Trace none = best();
    for (auto& step : none.steps) step.answer.reset();
    if (take(std::move(none))) return;
    for (std::size_t i = 0; i < best().steps.size(); ++i) {
      if (!best().steps[i].answer) continue;
      Trace candidate = best();
      candidate.steps[i].answer.reset();
      take(std::move(candidate));
    }
  }

  void drop_points() {
    for (std::size_t i = 0; i < best().steps.size(); ++i) {
      if (!best().steps[i].at) continue;
      Trace candidate = best();
      candidate.steps[i].at.reset();
      take(std::move(candidate));
    }
  }

  void simplify_arguments() {
    for (std::size_t i = 0; i < best().steps.size(); ++i)
      for (std::size_t field = 0;
           i < best().steps.size() && field < field_count(best().steps[i].op); ++field)
        while (i < best().steps.size() && simplify_argument(i, field)) {}
  }

  bool simplify_argument(std::size_t step, std::size_t field) {
    const props::EraId era = best().machine.era;
    const auto offer = [&](const auto& value) { return simpler(value, era); };
    std::vector<Trace> candidates;
    for (const Operation& op : with_field(best().steps[step].op, field, offer)) {
      candidates.push_back(best());
      candidates.back().steps[step].op = op;
    }
    return take_first(candidates);
  }

  void rename_registers() {
    take(numbered(best()));
    close_gaps();
    if (merge_registers()) take(numbered(best()));
  }

  void close_gaps() {
    std::vector<RegisterName> names = registers_named(best());
    std::ranges::sort(names);
    for (std::size_t i = names.size(); i-- > 0 && going_on();) {
      const bool first = i == 0 || names[i - 1].first != names[i].first;
      const unsigned least = first ? 0u : names[i - 1].second + 1u;
      for (unsigned down = names[i].second - least; down > 0; down /= 2)
        if (take(shifted(best(), names[i], static_cast<std::uint8_t>(down)))) break;
    }
  }

  bool merge_registers() {
    const std::vector<RegisterName> names = registers_named(best());
    bool merged = false;
    for (auto it = names.rbegin(); it != names.rend(); ++it)
      for (std::uint8_t lower = 0; lower < it->second; ++lower)
        if (take(renamed(best(), {{*it, lower}}))) {
          merged = true;
          break;
        }
    return merged;
  }

  // Two steps at once, then a change and a step. After a success it goes on where it stands.
  void exchange_and_drop() {
    for (std::size_t i = best().steps.size(); i-- > 1 && going_on();)
      for (std::size_t j = std::min(i, best().steps.size()); j-- > 0 && i < best().steps.size();)
        take(without(without(best(), i, i + 1), j, j + 1));
    auto changes = changes_of(best());
    for (std::size_t at = 0, since = 0; since < changes.size() && going_on(); ++at, ++since) {
      if (!take_without_another(changes[at % changes.size()])) continue;
      changes = changes_of(best());
      since = 0;
    }
  }

  bool take_without_another(const Change<Trace>& change) {
    for (std::size_t i = change.trace.steps.size(); i-- > 0 && going_on();)
      if (i != change.step && take(without(change.trace, i, i + 1))) return true;
    return false;
  }

  void search() {
    if constexpr (requires { &Runner::expand; }) {
      if (take(without(best(), 0, best().steps.size()))) return;
      shortest_ = {};
      ShortestSearch<L> searching(best(), trials_.rule(), shortest_);
      auto found =
          searching.run([&](const Trace& prefix,
                            const Trace& letters) { return trials_.expand(prefix, letters); },
                        [&] {
                          shortest_.status = trials_.interrupted() ? Shortest::Status::interrupted
                                                                   : Shortest::Status::budget;
                          return trials_.search_may_go_on() && !trials_.interrupted();
                        });
      // Not taken: its replay is of another opinion, so nothing is proved.
      if (found && !take(std::move(*found))) shortest_.status = Shortest::Status::budget;
    }
  }

  std::size_t before_;
  Trials<L, Runner> trials_;
  double begun_ = seconds_now();
  Shortest shortest_;
  std::vector<Milestone> milestones_;
};

// A runner decides what is kept: it runs a trace (in a child) and names the rule that breaks, or
// nothing. The default replays.
template <class L, class Runner = CandidateRunner<L>>
MinimizeResult minimize(typename L::Trace trace, const MinimizeOptions& options,
                        Runner runner = {}) {
  return Minimizer<L, Runner>(std::move(trace), options, std::move(runner)).minimize();
}

}  // namespace fuzz
