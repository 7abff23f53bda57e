// Implements the invariants of records that are not pages.
#include "props/buddy/invariants_records.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "ref/buddy/alloc.hpp"

namespace props::buddy {
namespace {

using namespace ref::buddy;
using ref::core::Cpu;
using ref::core::Effect;
using ref::core::Fault;
using ref::core::Globals;
using ref::core::Log;
using ref::core::Task;
using ref::core::Wait;

std::uint64_t as_number(ZoneKind kind) { return static_cast<std::uint64_t>(kind); }

// Answers the first of some pairs that are not equal, each with what it is.
class Equal {
 public:
  Equal& of(std::string_view what, std::uint64_t expected, std::uint64_t actual) {
    if (!broken_ && expected != actual) broken_ = Witness{std::string(what), expected, actual};
    return *this;
  }
  Equal& at_most(std::string_view what, std::uint64_t most, std::uint64_t actual) {
    if (!broken_ && actual > most) broken_ = Witness{std::string(what), most, actual};
    return *this;
  }
  // The answer, said of a record.
  Broken in(std::string_view record, std::uint64_t number) {
    if (broken_) broken_->where = fmt::format("{} {}, {}", record, number, broken_->where);
    return broken_;
  }

 private:
  Broken broken_;
};

std::uint64_t reserved_frames(const Machine& m, Index first, std::uint32_t pages) {
  std::uint64_t count = 0;
  for (Index i = 0; i < pages; ++i) count += page_at(m, first + i).kind == PageKind::reserved;
  return count;
}

// A task that waits keeps the arguments of its call, so that the call can be tried again.
Broken wait_broken(const Machine& m, std::uint32_t task, const Wait& wait) {
  if (wait.call == 0)
    return Equal()
        .of("order of no call", 0, wait.order)
        .of("gfp of no call", 0, wait.gfp)
        .of("argument of no call", 0, wait.argument)
        .of("padding of its call", 0, wait.zero)
        .in("task", task);
  if (m.config.has_window() && wait.call >= ref::core::wait_calls_above)
    return Equal()
        .of("order of a call above", 0, wait.order)
        .of("gfp of a call above", 0, wait.gfp)
        .of("padding of its call", 0, wait.zero)
        .in("task", task);
  const bool exact = wait.call == static_cast<std::uint8_t>(Call::alloc_pages_exact);
  const auto order = static_cast<std::uint64_t>(
      std::bit_width((std::max<std::uint64_t>(wait.argument, 1) - 1) / m.config.page_bytes));
  return Equal()
      .at_most("its call", static_cast<std::uint64_t>(Call::alloc_pages_exact), wait.call)
      .at_most("order of its call", m.config.orders - 1, wait.order)
      .of("unknown gfp bits of its call", 0, wait.gfp & ~ref::core::gfp_known(m.config.era))
      .of("whether it may wait", 1, (wait.gfp & ref::core::GFP_BIT_DIRECT_RECLAIM) != 0)
      .of("argument of its call", exact, wait.argument != 0)
      .of("order of its bytes", wait.order, exact ? order : wait.order)
      .of("padding of its call", 0, wait.zero)
      .in("task", task);
}

Broken task_broken(const Machine& m, std::uint32_t i) {
  constexpr std::uint32_t flags = (1u << ref::core::task_flag_names.size()) - 1;
  const Task& task = m.arena.at(m.core.task, i);
  const Broken own = Equal()
                         .of("unknown flags", 0, task.flags & ~flags)
                         .of("padding", 0, task.zero | task.zero_too)
                         .in("task", i);
  return own ? own : wait_broken(m, i, task.wait);
}

Broken cpu_broken(const Machine& m, std::uint32_t i) {
  constexpr std::uint64_t deepest = 255;
  const Cpu& cpu = m.arena.at(m.core.cpu, i);
  std::uint32_t others = 0;  // CPUs before it that run the same task
  for (std::uint32_t c = 0; c < i; ++c) others += m.arena.at(m.core.cpu, c).task == cpu.task;
  return Equal()
      .at_most("its task", m.core.task.count - 1, cpu.task)
      .of("other CPUs that run its task", 0, others)
      .at_most("preempt_disable", deepest, cpu.preempt_count)
      .at_most("local_bh_disable", deepest, cpu.bh_off)
      .at_most("softirqs", deepest, cpu.softirq_count)
      .at_most("hardirqs", deepest, cpu.hardirq_count)
      .at_most("local_irq_disable", deepest, cpu.irqs_off)
      .at_most("pagefault_disable", cpu.preempt_count, cpu.pagefault_disabled)
      .in("CPU", i);
}

Broken globals_broken(const Machine& m) {
  const Globals& g = m.globals();
  const Log& log = g.log;
  Equal equal;
  equal.at_most("the CPU whose turn it is", m.config.cpus - 1, g.cpu)
      .at_most("warnings of once", (1u << ref::core::warn_once_count) - 1, g.warned)
      .at_most("injected failures of a call", 1, g.injected)
      .at_most("fault", ref::core::fault_names.size() - 1, static_cast<std::uint64_t>(log.fault))
      .at_most("effect", ref::core::effect_names.size() - 1, static_cast<std::uint64_t>(log.effect))
      .of("padding of the log", 0, log.zero);
  if (log.fault == Fault::none)
    equal.of("effect of no fault", 0, static_cast<std::uint64_t>(log.effect))
        .of("frame of no fault", 0, log.pfn);
  for (std::size_t i = log.leaks; i < log.leak.size(); ++i)
    equal.of("first of no loss", 0, log.leak[i].first).of("pages of no loss", 0, log.leak[i].pages);
  return equal.in("machine", 0);
}

Broken unused_list_fields_broken(const Machine& m) {
  for (const auto& table : {m.buddy.area, m.buddy.pcp_list})
    for (std::uint64_t i = 0; i < table.count; ++i)
      if (const std::uint32_t zero = m.arena.at(table, i).zero)
        return Witness{fmt::format("list {}, padding", i), 0, zero};
  return std::nullopt;
}

Broken unused_pcp_fields_broken(const Machine& m) {
  const bool by_order = m.profile().pcp == ref::core::PcpPolicy::by_order;
  for (std::uint64_t i = 0; i < m.buddy.pcp.count; ++i) {
    const Pcp& p = m.arena.at(m.buddy.pcp, i);
    std::uint64_t unused = by_order ? p.low[0] | p.low[1] | p.high[1] : p.free_factor;
    if (!m.config.pcp)
      unused = p.low[0] | p.low[1] | p.high[0] | p.high[1] | p.batch | p.free_factor;
    if (unused != 0) return Witness{fmt::format("per-CPU limits {}, unused", i), 0, unused};
  }
  return std::nullopt;
}

}  // namespace

Broken geometry_broken(const Machine& m) {
  std::array<std::array<std::uint8_t, ref::core::zone_kinds>, ref::core::nodes_max> zone_of;
  for (auto& kinds : zone_of) kinds.fill(no_zone);
  Index map = 0;
  for (Index z = 0; z < m.config.zone_count; ++z) {
    const Zone& zone = zone_at(m, z);
    const ref::core::ZoneSpec& spec = m.config.zones[z];
    zone_of[spec.node][static_cast<std::size_t>(spec.kind)] = static_cast<std::uint8_t>(z);
    const Broken broken = Equal()
                              .of("first frame", spec.first, zone.first)
                              .of("pages", spec.pages, zone.pages)
                              .of("first record", map, zone.map)
                              .of("node", spec.node, zone.node)
                              .of("kind", as_number(spec.kind), as_number(zone.kind))
                              .of("managed and reserved pages", spec.pages,
                                  zone.managed + reserved_frames(m, map, spec.pages))
                              .in("zone", z);
    if (broken) return broken;
    map += spec.pages;
  }
  for (std::uint32_t node = 0; node < zone_of.size(); ++node)
    for (std::size_t kind = 0; kind < ref::core::zone_kinds; ++kind)
      if (zone_of[node][kind] != m.buddy.zone_of[node][kind])
        return Witness{fmt::format("zone {} of node {}", ref::core::zone_names[kind], node),
                       zone_of[node][kind], m.buddy.zone_of[node][kind]};
  return std::nullopt;
}

Broken context_broken(const Machine& m) {
  if (const Broken broken = globals_broken(m)) return broken;
  for (std::uint32_t i = 0; i < m.core.cpu.count; ++i)
    if (const Broken broken = cpu_broken(m, i)) return broken;
  for (std::uint32_t i = 0; i < m.core.task.count; ++i)
    if (const Broken broken = task_broken(m, i)) return broken;
  return std::nullopt;
}

Broken unused_fields_broken(const Machine& m) {
  if (const Broken broken = unused_list_fields_broken(m)) return broken;
  if (const Broken broken = unused_pcp_fields_broken(m)) return broken;
  for (Index z = 0; z < m.config.zone_count; ++z) {
    const Zone& zone = zone_at(m, z);
    const bool clean = zone.zero == 0 && zone.zero_too == decltype(zone.zero_too){};
    if (!clean) return Witness{fmt::format("zone {}, padding", z), 0, 1};
    if (zone.reclaim_active > 1)
      return Witness{fmt::format("zone {}, reclaim switch", z), 1, zone.reclaim_active};
  }
  return std::nullopt;
}

}  // namespace props::buddy
