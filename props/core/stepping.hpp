// stepping: how every world goes through a trace. A row adds how one of its operations runs, and
// what is looked at afterwards.
//
//   apply(step) ──▶ armed? it waits for its point
//        └────────▶ run ──▶ as the trace demands? ──▶ after_step
//                    └─ at(point) ──▶ those that are due run here, as an interrupt
//
// A world never aborts for what the subject did: a broken rule is a value, and after it nothing
// more runs.
#pragma once
#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "props/core/trace.hpp"
#include "props/core/violation.hpp"
#include "ref/core/machine.hpp"
#include "ref/core/require.hpp"

namespace props {

// A hard interrupt on this CPU, while it lives. Afterwards the CPU, its context and what the
// interrupted call reported so far are as they were.
class Interrupt {
 public:
  explicit Interrupt(ref::core::Machine&);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

 private:
  ref::core::Machine& machine_;
  ref::core::Globals globals_;
  ref::core::Cpu context_;
};

// The calls that wait, one of each task at most. The subject keeps nothing of them: each is made
// again, from its beginning, when its task is selected.
template <class Operation>
class WaitingCalls {
 public:
  bool has(std::uint32_t task) const { return of_task_[task].has_value(); }
  std::uint32_t count() const {
    return static_cast<std::uint32_t>(std::ranges::count_if(of_task_, &Call::has_value));
  }
  // The caller's task, which the subject has suspended.
  void put(ref::core::Machine& m, const Operation& op) {
    m.arena.edit(m.core.task, m.cpu().task).wait = {};
    of_task_[m.cpu().task] = op;
  }
  Operation take(std::uint32_t task) { return *std::exchange(of_task_[task], std::nullopt); }
  auto begin() const { return of_task_.begin(); }
  auto end() const { return of_task_.end(); }

 private:
  using Call = std::optional<Operation>;
  std::array<Call, ref::core::cpus_max> of_task_{};
};

// The row's world is named, so that a step calls what the row adds without a look into a table.
template <class World, class RowMachine, class RowOperation, class RowReach>
class Stepping : protected ref::core::Env {
 public:
  using Machine = RowMachine;
  using Operation = RowOperation;
  using Reach = RowReach;
  using Step = props::Step<Operation>;

  // Runs a step. An armed one only waits, and answers ok. After a violation nothing runs any more.
  Answer apply(const Step&);
  const std::optional<Violation>& violation() const { return violation_; }
  const Machine& machine() const { return machine_; }
  const Reach& reach() const { return reach_; }
  std::size_t steps() const { return step_; }
  ref::core::Hash digest() const;

  // What a row adds, privately and with this class as a friend:
  //   Answer run_operation(const Operation&);      with an empty log
  //   void interrupted();                          armed steps are about to run; may be left out
  //   void interrupt_ends();                       they have run; may be left out
  //   void after_step();
  //   const Rule* rule_of(std::string_view) const; of the row, or of one below
  //   std::string picture() const;                 of the machine, where a rule broke

 protected:
  explicit Stepping(const Machine& newborn) : machine_(newborn) {}
  Stepping(const Stepping&) = default;
  Stepping& operator=(const Stepping&) = default;
  ~Stepping() = default;

  void restart(const Machine& newborn, bool count_reach);
  bool broken() const { return violation_.has_value(); }
  // Cold: what only leads here is kept out of the way of the steps that break nothing.
  [[gnu::cold]] void break_rule(std::string_view rule, std::string expected, std::string actual);
  void break_rule(const Finding& f) { break_rule(f.rule, f.expected, f.actual); }
  [[gnu::cold]] void skip_armed();  // those whose point was not passed
  void at(ref::core::Point) override;
  void interrupted() {}
  void interrupt_ends() {}
  Answer run(const Operation&);

  Machine machine_;
  std::vector<Step> armed_;
  const Operation* running_ = nullptr;  // not armed: it will still fill its registers
  bool inside_ = false;                 // an armed step runs
  bool interleaved_ = false;  // one ran during this step, so its refusal may have been right then
  std::size_t step_ = 0;
  Reach reach_;
  std::optional<Violation> violation_;

 private:
  // More can wait at no step that a person would write.
  static constexpr std::size_t armed_max = 64;

  World& world() { return static_cast<World&>(*this); }
  [[gnu::cold]] void interrupt_at(ref::core::Point);
  [[gnu::cold]] void expect_answer(Answer demanded, Answer given);

  bool count_reach_ = true;
};

template <class World, class Machine, class Operation, class Reach>
void Stepping<World, Machine, Operation, Reach>::restart(const Machine& newborn, bool count_reach) {
  machine_ = newborn;
  armed_.clear();
  running_ = nullptr;
  inside_ = interleaved_ = false;
  step_ = 0;
  count_reach_ = count_reach;
  if (count_reach) reach_ = {};
  violation_.reset();
}

template <class World, class Machine, class Operation, class Reach>
void Stepping<World, Machine, Operation, Reach>::break_rule(std::string_view rule,
                                                            std::string expected,
                                                            std::string actual) {
  if (violation_) return;
  const Rule* known = world().rule_of(rule);
  if (known == nullptr) known = find_rule(run_rules(), rule);
  REQUIRE(known != nullptr);
  violation_ = Violation{known, step_, std::move(expected), std::move(actual), world().picture()};
}

template <class World, class Machine, class Operation, class Reach>
Answer Stepping<World, Machine, Operation, Reach>::run(const Operation& op) {
  ref::core::clear_log(machine_);
  const Answer answer = world().run_operation(op);
  if (!count_reach_) return answer;
  const std::size_t i = op.index();
  switch (answer.kind) {
    case Answer::Kind::skipped: ++reach_.skipped[i]; return answer;
    case Answer::Kind::refused: ++reach_.refused_operations[i]; break;
    case Answer::Kind::fault: ++reach_.faulted_operations[i]; break;
    case Answer::Kind::suspended: ++reach_.suspended_operations[i]; break;
    default: break;
  }
  ++reach_.executed[i];
  return answer;
}

template <class World, class Machine, class Operation, class Reach>
Answer Stepping<World, Machine, Operation, Reach>::apply(const Step& step) {
  if (broken()) return {Answer::Kind::skipped};
  if (step.at) {
    if (armed_.size() < armed_max) armed_.push_back(step);
    ++step_;
    return {};
  }
  interleaved_ = false;
  running_ = &step.op;
  const Answer answer = run(step.op);
  running_ = nullptr;
  if (!armed_.empty()) skip_armed();
  if (step.answer) expect_answer(*step.answer, answer);
  if (!broken()) world().after_step();
  if (!broken()) ++step_;
  return answer;
}

template <class World, class Machine, class Operation, class Reach>
ref::core::Hash Stepping<World, Machine, Operation, Reach>::digest() const {
  ref::core::Hash sum = machine_.arena.hash();
  for (const auto& e : machine_.events) {
    sum.low = sum.low * 0x9e3779b97f4a7c15 + e.pgalloc;
    sum.high = sum.high * 0xbf58476d1ce4e5b9 + e.pgfree;
  }
  return sum;
}

// By value: an answer whose address is taken would go through memory in every step.
template <class World, class Machine, class Operation, class Reach>
void Stepping<World, Machine, Operation, Reach>::expect_answer(Answer demanded, Answer given) {
  if (!broken() && given != demanded)
    break_rule("STEP-ANSWER", print_answer(demanded), print_answer(given));
}

template <class World, class Machine, class Operation, class Reach>
void Stepping<World, Machine, Operation, Reach>::skip_armed() {
  for (const Step& missed : armed_) ++reach_.skipped[missed.op.index()];
  armed_.clear();
}

template <class World, class Machine, class Operation, class Reach>
void Stepping<World, Machine, Operation, Reach>::at(ref::core::Point point) {
  ++reach_.reached[static_cast<std::size_t>(point)];
  if (!inside_ && !armed_.empty() && !broken()) interrupt_at(point);
}

template <class World, class Machine, class Operation, class Reach>
void Stepping<World, Machine, Operation, Reach>::interrupt_at(ref::core::Point point) {
  const auto is_due = [&](const Step& s) { return s.at == point; };
  if (std::ranges::none_of(armed_, is_due)) return;
  std::vector<Step> due;
  std::ranges::copy_if(armed_, std::back_inserter(due), is_due);
  std::erase_if(armed_, is_due);

  const Interrupt interrupt(machine_);
  inside_ = interleaved_ = true;
  world().interrupted();
  for (const Step& step : due) {
    if (broken()) break;
    const Answer answer = run(step.op);
    ++reach_.points[static_cast<std::size_t>(point)];
    if (step.answer) expect_answer(*step.answer, answer);
  }
  world().interrupt_ends();
  inside_ = false;
}

}  // namespace props
