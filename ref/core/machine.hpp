// machine: the part of a machine that every row has: geometry, CPUs, tasks, RAM, the fault plan.
//
//   core::Machine      arena + geometry + contexts + RAM
//      ▲ buddy::Machine   + zones, free lists, pages
//          ▲ the row above  + its own tables
//
// A machine is a regular value: made from a config, copied, compared, hashed. Each row adds to it
// by inheritance, and a row's functions take the row's own machine: reaching upward does not
// compile.
#pragma once
#include <string>

#include "ref/core/arena.hpp"
#include "ref/core/config.hpp"
#include "ref/core/context.hpp"
#include "ref/core/env.hpp"

namespace ref::core {

class Machine {
 public:
  explicit Machine(const Config& config);
  bool operator==(const Machine&) const = default;

  Config config;
  Arena arena;

  struct Tables {
    Table<Globals> globals;  // one record
    Table<Cpu> cpu;
    Table<Task> task;
    bool operator==(const Tables&) const = default;
  } core;

  // RAM is laid last by the row that knows its pages; see `lay_ram`.
  Table<std::byte> ram;

  const Globals& globals() const { return arena.at(core.globals, 0); }
  Globals& edit_globals() { return arena.edit(core.globals, 0); }
  const Cpu& cpu() const { return arena.at(core.cpu, globals().cpu); }
  const Task& current() const { return arena.at(core.task, cpu().task); }
  const Profile& profile() const { return config.profile(); }

 protected:
  // The memory is there: task n runs on CPU n.
  void boot_contexts();
  void lay_ram() { ram = arena.lay<std::byte>(config.pages() * config.page_bytes); }
};
static_assert(sizeof(Globals) == 64);
static_assert(sizeof(Task) == 32);
static_assert(sizeof(Cpu) == 16);

// Contexts -----------------------------------------------------------------------------------

inline bool in_interrupt(const Cpu& c) {
  return (c.hardirq_count | c.softirq_count | c.bh_off) != 0;
}
// Serving a hard or soft interrupt, or bottom halves off.
inline bool in_interrupt(const Machine& m) { return in_interrupt(m.cpu()); }
bool serving_softirq(const Machine&);
bool in_task(const Machine&);              // serving no interrupt
inline bool in_atomic(const Machine& m) {  // nothing here may sleep (B-23)
  const Cpu& c = m.cpu();
  return (c.preempt_count | c.irqs_off) != 0 || in_interrupt(c);
}

// Selects the CPU whose turn it is. REQUIREs that it exists.
void select_cpu(Machine&, std::uint32_t cpu);
// Switches this CPU to another task. False, and nothing changed: the CPU is atomic, or the task
// runs on another CPU.
[[nodiscard]] bool switch_task(Machine&, std::uint32_t task);
void set_task_flags(Machine&, std::uint32_t flags);

enum class ContextMove : std::uint8_t {
  preempt_disable,
  preempt_enable,
  local_irq_disable,
  local_irq_enable,
  local_bh_disable,
  local_bh_enable,
  softirq_enter,
  softirq_exit,
  irq_enter,
  irq_exit,
};
inline constexpr std::array<std::string_view, 10> context_move_names{
    "preempt_disable",  "preempt_enable",  "local_irq_disable", "local_irq_enable",
    "local_bh_disable", "local_bh_enable", "softirq_enter",     "softirq_exit",
    "irq_enter",        "irq_exit"};
// False, and nothing changed: an end without its beginning, or nested deeper than 255.
[[nodiscard]] bool move_context(Machine&, ContextMove);

// Faults -------------------------------------------------------------------------------------

// Keeps the first fault of an operation; later ones of the same operation are consequences.
void report(Machine&, Fault, Effect, Pfn pfn = 0);
void report_leak(Machine&, Pfn first, std::uint32_t pages);
void warn(Machine&);
enum class WarnOnce : std::uint8_t {
  order_too_high,
  nofail_cannot_block,
  atomic_may_block,
  nofail_high_order,
  exact_flags,
  nofail_memalloc,
  nofail_costly,
  kfree_of_page,
  ctor_zero_at_grow,
  ctor_zero_at_alloc,
  kunmap_order,
  kunmap_foreign,
  kmap_to_page_of_kmap,
  kmap_to_page_of_local,
  local_map_lost,
  vmalloc_of_nothing,
  vmap_without_guard,
  vmap_split,
  vm_map_ram_of_nothing,
  kvmalloc_too_large,
  ioremap_beyond_physical,
  ioremap_of_ram
};  // bits of Globals::warned
constexpr unsigned warn_once_count = static_cast<unsigned>(WarnOnce::ioremap_of_ram) + 1;
void warn_once(Machine&, WarnOnce);
void wipe_log(Machine&);
inline void clear_log(Machine& m) {  // writes only where there is something to clear
  const Globals& g = m.globals();
  if (g.log.fault != Fault::none || g.log.warnings || g.log.leaks || g.injected) wipe_log(m);
}

// The nth request from now fails; 0 cancels the plan.
void plan_failure(Machine&, std::uint32_t nth);
// Counts one request; true when the plan makes it fail.
[[nodiscard]] bool should_fail(Machine&);

}  // namespace ref::core
