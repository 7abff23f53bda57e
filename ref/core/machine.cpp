// Contexts, faults and the fault plan of a machine.
#include "ref/core/machine.hpp"

namespace ref::core {

Machine::Machine(const Config& c) : config(c) {
  REQUIRE(!validate(c));
  core.globals = arena.lay<Globals>(1);
  core.cpu = arena.lay<Cpu>(c.cpus);
  core.task = arena.lay<Task>(task_count > c.cpus ? task_count : c.cpus);
}

void Machine::boot_contexts() {
  for (std::uint32_t c = 0; c < config.cpus; ++c) arena.edit(core.cpu, c).task = c;
}

bool serving_softirq(const Machine& m) { return m.cpu().softirq_count > 0; }

bool in_task(const Machine& m) { return m.cpu().hardirq_count == 0 && m.cpu().softirq_count == 0; }

void select_cpu(Machine& m, std::uint32_t cpu) {
  REQUIRE(cpu < m.config.cpus);
  if (m.globals().cpu != cpu) m.edit_globals().cpu = cpu;
}

bool switch_task(Machine& m, std::uint32_t task) {
  REQUIRE(task < m.core.task.count);
  if (m.cpu().task == task) return true;
  if (in_atomic(m)) return false;
  for (std::uint32_t c = 0; c < m.config.cpus; ++c)
    if (m.arena.at(m.core.cpu, c).task == task) return false;
  m.arena.edit(m.core.cpu, m.globals().cpu).task = task;
  return true;
}

void set_task_flags(Machine& m, std::uint32_t flags) {
  m.arena.edit(m.core.task, m.cpu().task).flags = flags;
}

bool move_context(Machine& m, ContextMove move) {
  Cpu& c = m.arena.edit(m.core.cpu, m.globals().cpu);
  const auto enter = [](std::uint16_t& depth) { return depth < 255 && (++depth, true); };
  const auto leave = [](std::uint16_t& depth) { return depth > 0 && (--depth, true); };
  switch (move) {
    case ContextMove::preempt_disable: return enter(c.preempt_count);
    case ContextMove::preempt_enable:  // those of atomic maps end with the maps
      return c.preempt_count > c.pagefault_disabled && leave(c.preempt_count);
    case ContextMove::local_irq_disable: return enter(c.irqs_off);
    case ContextMove::local_irq_enable: return leave(c.irqs_off);
    case ContextMove::local_bh_disable: return enter(c.bh_off);
    case ContextMove::local_bh_enable: return leave(c.bh_off);
    case ContextMove::softirq_enter: return enter(c.softirq_count);
    case ContextMove::softirq_exit: return leave(c.softirq_count);
    case ContextMove::irq_enter: return enter(c.hardirq_count);
    case ContextMove::irq_exit: return leave(c.hardirq_count);
  }
  UNREACHABLE("a context move outside the list");
}

void report(Machine& m, Fault fault, Effect effect, Pfn pfn) {
  Log& log = m.edit_globals().log;
  if (log.fault != Fault::none) return;
  log.fault = fault, log.effect = effect, log.pfn = pfn;
}

void report_leak(Machine& m, Pfn first, std::uint32_t pages) {
  Log& log = m.edit_globals().log;
  if (log.leaks < log.leak.size()) log.leak[log.leaks] = {first, pages};
  ++log.leaks;
}

void warn(Machine& m) { ++m.edit_globals().log.warnings; }

void warn_once(Machine& m, WarnOnce which) {
  const std::uint32_t bit = 1u << static_cast<unsigned>(which);
  if (m.globals().warned & bit) return;
  m.edit_globals().warned |= bit;
  warn(m);
}

void wipe_log(Machine& m) {
  m.edit_globals().log = {};
  m.edit_globals().injected = 0;
}

void plan_failure(Machine& m, std::uint32_t nth) { m.edit_globals().fail_page_alloc = nth; }

bool should_fail(Machine& m) {
  if (m.globals().fail_page_alloc == 0) return false;
  Globals& g = m.edit_globals();
  if (--g.fail_page_alloc > 0) return false;
  g.injected = 1;
  return true;
}

}  // namespace ref::core
