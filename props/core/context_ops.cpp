// Runs the operations that every layer has.
#include "props/core/context_ops.hpp"

namespace props {

Answer run_in_context(ref::core::Machine& m, const SelectCpu& op) {
  if (op.id.value >= m.config.cpus) return {Answer::Kind::skipped};
  ref::core::select_cpu(m, static_cast<std::uint32_t>(op.id.value));
  return {};
}

Answer run_in_context(ref::core::Machine& m, const SetTaskFlags& op) {
  ref::core::set_task_flags(m, op.flags.value);
  return {};
}

Answer run_in_context(ref::core::Machine& m, const FailPageAlloc& op) {
  ref::core::plan_failure(m, static_cast<std::uint32_t>(op.nth.value));
  return {};
}

bool select_task(ref::core::Machine& m, const SelectTask& op) {
  return op.id.value < m.core.task.count &&
         ref::core::switch_task(m, static_cast<std::uint32_t>(op.id.value));
}

}  // namespace props
