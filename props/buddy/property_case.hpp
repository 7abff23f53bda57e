// property_case: one trace before one property: plays worlds, asks, keeps the first "no".
#pragma once
#include "props/buddy/properties.hpp"
#include "ref/buddy/buddy.hpp"

namespace props::buddy {

class Case {
 public:
  using Trace = props::Trace<Operation>;
  using Step = World::Step;
  using Steps = std::span<const Step>;
  using Machine = ref::buddy::Machine;

  Case(const Rule& rule, const Newborn& born, const Trace& whole, const Tick& tick)
      : newborn(born), trace(whole), rule_(rule), tick_(tick) {}

  const Newborn& newborn;
  const Trace& trace;

  Steps steps() const { return trace.steps; }
  World fresh(const Judging& judging = Judging::cheap()) const { return World(newborn, judging); }
  // A world at the end of the trace.
  World played();
  // Runs the steps and returns their answers. A rule that breaks is the case's.
  std::vector<Answer> play(World&, Steps);
  Answer play(World&, const Step&);

  // One question: the property is falsified unless it is true. False: it was, now or before.
  bool holds(bool truth, std::string_view expected, std::string_view actual, const World& seen);
  // At which step the questions are; without it, behind the last one.
  void at(std::size_t step) { step_ = step; }

  // A rule broke while the world was asked.
  void judged(const Violation& v) { verdict_.violation = v; }

  bool broken() const { return verdict_.violation.has_value(); }
  Verdict verdict() && { return std::move(verdict_); }

 private:
  const Rule& rule_;
  const Tick& tick_;
  std::optional<std::size_t> step_;
  Verdict verdict_;
};

// As what each property is written: questions about a case.
using Questions = void (*)(Case&);

struct QuietEnv final : ref::core::Env {};

// A copy whose caller is a plain task on this CPU, with no fault planned and no lists in between.
ref::buddy::Machine settled(const World&);

// The free blocks of the lists, by frame; what is parked on per-CPU lists is not among them.
std::vector<std::pair<Pfn, unsigned>> shape_of(const ref::buddy::Machine&);
std::string text_of(const std::vector<std::pair<Pfn, unsigned>>& shape);
// Pages of a zone that its per-CPU lists hold.
std::uint64_t parked(const ref::buddy::Machine&, ref::core::Index zone);
// True when frames were flagged while nobody owned them: then requests may lose pages (B-38).
bool scribbled(const World&);

// About what is free.
void newborn_again(Case&), any_order_of_frees(Case&), settled_once(Case&), all_can_be_had(Case&),
    taken_and_given_back(Case&), pages_add_up(Case&);
// About traces, copies, and runs.
void text_is_the_trace(Case&), bytes_are_the_trace(Case&), runs_alike(Case&),
    copies_are_independent(Case&), restored(Case&), judged_alike(Case&), agreed(Case&),
    skipped_steps_do_nothing(Case&), reading_changes_nothing(Case&);
// About single calls.
void failing_changes_nothing(Case&), contents_stay(Case&), double_frees_are_named(Case&),
    bulk_is_singles(Case&);

}  // namespace props::buddy
