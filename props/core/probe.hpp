// probe: what a question that is asked on a copy of the machine needs: nobody who interferes, and a
// caller with free hands.
#pragma once
#include "ref/core/machine.hpp"

namespace props {

struct QuietEnv final : ref::core::Env {};

// The running task is in no context, fails no plan, and has these flags.
inline void free_hands(ref::core::Machine& m, std::uint32_t task_flags = 0) {
  ref::core::plan_failure(m, 0);
  ref::core::Cpu& cpu = m.arena.edit(m.core.cpu, m.globals().cpu);
  const std::uint32_t task = cpu.task;
  cpu = {};
  cpu.task = task;
  ref::core::Task& caller = m.arena.edit(m.core.task, task);
  caller = {};
  caller.flags = task_flags;
}

}  // namespace props
