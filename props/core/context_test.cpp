// Tests contexts, tasks, the fault plan and the log of a machine.
#include <gtest/gtest.h>

#include "ref/core/machine.hpp"

namespace props {
namespace {

using namespace ref::core;

// A machine without rows: contexts only.
struct Bare : Machine {
  explicit Bare(std::uint32_t cpus = 2) : Machine(config_of(cpus)) {
    lay_ram();
    arena.fit();
    boot_contexts();
    arena.rebase();
  }
  static Config config_of(std::uint32_t cpus) {
    Config c;
    c.page_bytes = 64;
    c.cpus = cpus;
    c.add_zone(ZoneKind::normal, 8);
    return c;
  }
};

struct Nesting {
  ContextMove enter, leave;
  bool interrupt, task, softirq;  // what is true inside, besides being atomic
};
constexpr Nesting nestings[] = {
    {ContextMove::preempt_disable, ContextMove::preempt_enable, false, true, false},
    {ContextMove::local_irq_disable, ContextMove::local_irq_enable, false, true, false},
    {ContextMove::local_bh_disable, ContextMove::local_bh_enable, true, true, false},
    {ContextMove::softirq_enter, ContextMove::softirq_exit, true, false, true},
    {ContextMove::irq_enter, ContextMove::irq_exit, true, false, false},
};

TEST(Context, a_newborn_machine_may_sleep_anywhere) {
  Bare m(3);
  for (std::uint32_t cpu = 0; cpu < 3; ++cpu) {
    select_cpu(m, cpu);
    EXPECT_EQ(m.cpu().task, cpu);
    EXPECT_FALSE(in_atomic(m));
    EXPECT_FALSE(in_interrupt(m));
    EXPECT_FALSE(serving_softirq(m));
    EXPECT_TRUE(in_task(m));
  }
}

TEST(Context, each_nesting_is_what_it_says_until_its_last_end) {
  for (const Nesting& n : nestings) {
    SCOPED_TRACE(context_move_names[static_cast<std::size_t>(n.enter)]);
    Bare m;
    const Bare newborn = m;
    EXPECT_FALSE(move_context(m, n.leave));  // an end without its beginning
    EXPECT_TRUE(m == newborn);
    for (int depth = 0; depth < 2; ++depth) {
      EXPECT_TRUE(move_context(m, n.enter));
      EXPECT_TRUE(in_atomic(m));
      EXPECT_EQ(in_interrupt(m), n.interrupt);
      EXPECT_EQ(in_task(m), n.task);
      EXPECT_EQ(serving_softirq(m), n.softirq);
    }
    EXPECT_TRUE(move_context(m, n.leave));
    EXPECT_TRUE(in_atomic(m));
    EXPECT_TRUE(move_context(m, n.leave));
    EXPECT_FALSE(in_atomic(m));
    EXPECT_TRUE(m == newborn);
    EXPECT_FALSE(move_context(m, n.leave));
  }
}

TEST(Context, the_five_nestings_count_apart) {
  for (const Nesting& outer : nestings)
    for (const Nesting& inner : nestings) {
      Bare m;
      EXPECT_TRUE(move_context(m, outer.enter));
      EXPECT_TRUE(move_context(m, inner.enter));
      EXPECT_TRUE(move_context(m, outer.leave));
      EXPECT_TRUE(in_atomic(m));
      EXPECT_EQ(move_context(m, outer.leave), &outer == &inner);
    }
}

TEST(Context, nesting_stops_at_255) {
  for (const Nesting& n : nestings) {
    Bare m;
    for (int depth = 0; depth < 255; ++depth) ASSERT_TRUE(move_context(m, n.enter));
    const Bare deep = m;
    EXPECT_FALSE(move_context(m, n.enter));
    EXPECT_TRUE(m == deep);
  }
}

TEST(Context, a_context_belongs_to_its_cpu) {
  Bare m;
  EXPECT_TRUE(move_context(m, ContextMove::preempt_disable));
  select_cpu(m, 1);
  EXPECT_FALSE(in_atomic(m));
  select_cpu(m, 0);
  EXPECT_TRUE(in_atomic(m));
}

TEST(Context, a_cpu_switches_to_a_task_that_runs_nowhere_else) {
  Bare m;  // CPUs 0 and 1 run tasks 0 and 1; 2 and 3 wait
  EXPECT_TRUE(switch_task(m, 0));
  EXPECT_FALSE(switch_task(m, 1));
  EXPECT_EQ(m.cpu().task, 0u);
  EXPECT_TRUE(switch_task(m, 2));
  EXPECT_EQ(m.cpu().task, 2u);
  select_cpu(m, 1);
  EXPECT_FALSE(switch_task(m, 2));
  EXPECT_TRUE(switch_task(m, 0));
  select_cpu(m, 0);
  EXPECT_TRUE(switch_task(m, 1));
}

TEST(Context, an_atomic_cpu_keeps_its_task) {
  for (const Nesting& n : nestings) {
    Bare m;
    EXPECT_TRUE(move_context(m, n.enter));
    const Bare atomic = m;
    EXPECT_FALSE(switch_task(m, 2));
    EXPECT_TRUE(m == atomic);
    EXPECT_TRUE(switch_task(m, 0));  // it runs already
    EXPECT_TRUE(move_context(m, n.leave));
    EXPECT_TRUE(switch_task(m, 2));
  }
}

TEST(Context, flags_belong_to_the_task_and_go_where_it_goes) {
  Bare m;
  set_task_flags(m, PF_MEMALLOC | PF_REALTIME);
  EXPECT_TRUE(switch_task(m, 3));
  EXPECT_EQ(m.current().flags, 0u);
  select_cpu(m, 1);
  EXPECT_TRUE(switch_task(m, 0));
  EXPECT_EQ(m.current().flags, PF_MEMALLOC | PF_REALTIME);
  set_task_flags(m, 0);
  EXPECT_EQ(m.current().flags, 0u);
}

TEST(Context, there_is_a_task_for_each_cpu) {
  EXPECT_EQ(Bare(1).core.task.count, 4u);
  EXPECT_EQ(Bare(8).core.task.count, 8u);
}

TEST(FaultPlan, the_nth_request_fails_and_no_other) {
  for (const std::uint32_t nth : {1u, 2u, 5u, 255u}) {
    Bare m;
    plan_failure(m, nth);
    for (std::uint32_t i = 1; i < nth; ++i) ASSERT_FALSE(should_fail(m)) << i;
    EXPECT_EQ(m.globals().injected, 0u);
    EXPECT_TRUE(should_fail(m));
    EXPECT_EQ(m.globals().injected, 1u);
    EXPECT_FALSE(should_fail(m));
  }
}

TEST(FaultPlan, zero_cancels_and_a_new_plan_replaces) {
  Bare m;
  EXPECT_FALSE(should_fail(m));
  plan_failure(m, 1);
  plan_failure(m, 0);
  EXPECT_FALSE(should_fail(m));
  plan_failure(m, 1);
  plan_failure(m, 2);
  EXPECT_FALSE(should_fail(m));
  EXPECT_TRUE(should_fail(m));
}

TEST(FaultPlan, a_copy_of_the_machine_counts_for_itself) {
  Bare m;
  plan_failure(m, 2);
  Bare copy = m;
  EXPECT_FALSE(should_fail(m));
  EXPECT_TRUE(should_fail(m));
  EXPECT_FALSE(should_fail(copy));
  EXPECT_TRUE(should_fail(copy));
}

TEST(Log, keeps_the_first_fault_and_clears) {
  Bare m;
  const Bare newborn = m;
  report(m, Fault::double_free, Effect::none, 5);
  report(m, Fault::bad_page, Effect::leaked, 6);
  EXPECT_EQ(m.globals().log.fault, Fault::double_free);
  EXPECT_EQ(m.globals().log.effect, Effect::none);
  EXPECT_EQ(m.globals().log.pfn, 5u);
  clear_log(m);
  EXPECT_TRUE(m == newborn);
  report(m, Fault::bad_page, Effect::leaked, 6);
  EXPECT_EQ(m.globals().log.fault, Fault::bad_page);
}

TEST(Log, each_of_its_parts_alone_is_cleared) {
  const Bare newborn;
  Bare m;
  warn(m), warn(m);
  EXPECT_EQ(m.globals().log.warnings, 2u);
  clear_log(m);
  EXPECT_TRUE(m == newborn);
  report_leak(m, 1, 2);
  clear_log(m);
  EXPECT_TRUE(m == newborn);
  plan_failure(m, 1);
  EXPECT_TRUE(should_fail(m));
  clear_log(m);
  EXPECT_TRUE(m == newborn);
}

TEST(Log, counts_all_leaks_and_keeps_four) {
  Bare m;
  for (Pfn i = 0; i < 6; ++i) report_leak(m, i, i + 1);
  const ref::core::Log& log = m.globals().log;
  EXPECT_EQ(log.leaks, 6u);
  for (Pfn i = 0; i < 4; ++i) {
    EXPECT_EQ(log.leak[i].first, i);
    EXPECT_EQ(log.leak[i].pages, i + 1);
  }
}

TEST(Log, a_warning_of_the_once_kind_comes_once_a_boot) {
  Bare m;
  warn_once(m, WarnOnce::exact_flags);
  warn_once(m, WarnOnce::exact_flags);
  EXPECT_EQ(m.globals().log.warnings, 1u);
  warn_once(m, WarnOnce::order_too_high);
  EXPECT_EQ(m.globals().log.warnings, 2u);
  clear_log(m);
  warn_once(m, WarnOnce::order_too_high);
  EXPECT_EQ(m.globals().log.warnings, 0u);
}

TEST(Context, every_name_is_there_and_differs) {
  const auto distinct = [](const auto& names) {
    for (std::size_t i = 0; i < names.size(); ++i)
      for (std::size_t j = 0; j < names.size(); ++j)
        EXPECT_TRUE(!names[i].empty() && (i == j || names[i] != names[j])) << names[i];
  };
  distinct(context_move_names);
  distinct(fault_names);
  distinct(effect_names);
  distinct(point_names);
  distinct(task_flag_names);
  for (std::size_t i = 0; i < point_names.size(); ++i)
    EXPECT_EQ(point_of(point_names[i]), static_cast<Point>(i));
  EXPECT_FALSE(point_of("buddy.nowhere"));
}

}  // namespace
}  // namespace props
