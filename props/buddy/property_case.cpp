// What the properties share about a machine.
#include "props/buddy/property_case.hpp"

#include <fmt/format.h>

namespace props::buddy {

using ref::buddy::Machine;
using ref::core::Index;

Machine settled(const World& world) {
  Machine m = world.machine();
  QuietEnv env;
  ref::core::plan_failure(m, 0);
  ref::core::Cpu& cpu = m.arena.edit(m.core.cpu, m.globals().cpu);
  const std::uint32_t task = cpu.task;
  cpu = {};
  cpu.task = task;
  m.arena.edit(m.core.task, task) = {};
  ref::buddy::drain_all_pages(env, m);
  ref::core::clear_log(m);
  return m;
}

std::vector<std::pair<Pfn, unsigned>> shape_of(const Machine& m) {
  std::vector<std::pair<Pfn, unsigned>> shape;
  for (Index z = 0; z < m.config.zone_count; ++z) {
    const auto& zone = ref::buddy::zone_at(m, z);
    for (Index i = 0; i < zone.pages; ++i) {
      const auto& page = ref::buddy::page_at(m, zone.map + i);
      if (page.kind == ref::buddy::PageKind::free_head)
        shape.emplace_back(zone.first + i, page.order);
    }
  }
  return shape;
}

std::string text_of(const std::vector<std::pair<Pfn, unsigned>>& shape) {
  constexpr std::size_t most = 24;
  std::string text = "free blocks (pfn:order)";
  for (std::size_t i = 0; i < std::min(most, shape.size()); ++i)
    text += fmt::format(" {}:{}", shape[i].first, shape[i].second);
  return text + (shape.empty() ? " none" : shape.size() > most ? " ..." : "");
}

std::uint64_t parked(const Machine& m, Index zone) {
  std::uint64_t pages = 0;
  for (std::uint32_t cpu = 0; cpu < m.config.cpus; ++cpu)
    for (const std::uint32_t count : ref::buddy::pcp_at(m, zone, cpu).count) pages += count;
  return pages;
}

bool scribbled(const World& world) {
  const Machine& m = world.machine();
  return m.arena.at(m.buddy.sysctl, 0).scribbled > 0;
}

}  // namespace props::buddy
