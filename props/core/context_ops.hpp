// context_ops: the operations that every layer has: who calls, in which context, and what shall
// fail.
#pragma once
#include <tuple>

#include "props/core/answer.hpp"
#include "props/core/operation.hpp"
#include "ref/core/machine.hpp"

namespace props {

using TaskFlags = Flags<ref::core::task_flag_names>;

ALLOCHECK_ON(Number<ref::core::cpus_max - 1>, id, SelectCpu, "cpu", 31,
             "The next steps run on this CPU.");

ALLOCHECK_ON(
    Number<7>, id, SelectTask, "task", 32,
    "This CPU runs that task; a call it waits in is tried again. Skipped in atomic context, or "
    "when the task runs on another CPU.");

// One operation for each move of the context.
template <ref::core::ContextMove which, std::uint8_t stable_code>
struct MoveContext {
  static constexpr ref::core::ContextMove move = which;
  static constexpr std::string_view name =
      ref::core::context_move_names[static_cast<std::size_t>(which)];
  static constexpr std::uint8_t code = stable_code;
  static constexpr std::string_view help =
      "Changes what this CPU is in; an end without its beginning is skipped.";
  static void fields(auto&, auto) {}
};
using PreemptDisable = MoveContext<ref::core::ContextMove::preempt_disable, 33>;
using PreemptEnable = MoveContext<ref::core::ContextMove::preempt_enable, 34>;
using LocalIrqDisable = MoveContext<ref::core::ContextMove::local_irq_disable, 35>;
using LocalIrqEnable = MoveContext<ref::core::ContextMove::local_irq_enable, 36>;
using LocalBhDisable = MoveContext<ref::core::ContextMove::local_bh_disable, 37>;
using LocalBhEnable = MoveContext<ref::core::ContextMove::local_bh_enable, 38>;
using SoftirqEnter = MoveContext<ref::core::ContextMove::softirq_enter, 39>;
using SoftirqExit = MoveContext<ref::core::ContextMove::softirq_exit, 40>;
using IrqEnter = MoveContext<ref::core::ContextMove::irq_enter, 41>;
using IrqExit = MoveContext<ref::core::ContextMove::irq_exit, 42>;

ALLOCHECK_ON(TaskFlags, flags, SetTaskFlags, "set_task_flags", 43,
             "Replaces the flags of the running task.");

ALLOCHECK_ON(Number<255>, nth, FailPageAlloc, "fail_page_alloc", 44,
             "The nth page request from now fails, unless it says __GFP_NOFAIL; 0 cancels.");

// What they do, the same in every row. A task's own calls are the row's: a call that waits is tried
// again.
Answer run_in_context(ref::core::Machine&, const SelectCpu&);
Answer run_in_context(ref::core::Machine&, const SetTaskFlags&);
Answer run_in_context(ref::core::Machine&, const FailPageAlloc&);
template <ref::core::ContextMove move, std::uint8_t code>
Answer run_in_context(ref::core::Machine& m, const MoveContext<move, code>&) {
  return ref::core::move_context(m, move) ? Answer{} : Answer{Answer::Kind::skipped};
}
// False: there is no such task, or the CPU must not switch to it.
bool select_task(ref::core::Machine&, const SelectTask&);

template <class Op>
concept ContextOperation = requires(ref::core::Machine& m, const Op& op) { run_in_context(m, op); };

}  // namespace props
