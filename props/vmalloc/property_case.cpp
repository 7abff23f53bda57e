// What the properties share about machines with a window.
#include "props/vmalloc/property_case.hpp"

#include <fmt/format.h>

#include "props/core/probe.hpp"

namespace props::vmalloc {

using ref::vmalloc::RangeSet;

std::vector<Range> ranges_of(const Machine& m, RangeSet set) {
  std::vector<Range> ranges;
  const std::uint64_t page = m.config.page_bytes;
  for (std::uint64_t p = 0; p < m.vmalloc.range.count; ++p) {
    const auto& r = m.arena.at(m.vmalloc.range, p);
    if (r.pages == 0 || r.set != set) continue;
    const std::uint64_t first = m.mmu.window.vmalloc_start + p * page;
    ranges.push_back({first, first + r.pages * page});
  }
  return ranges;
}

std::string text_of(const std::vector<Range>& ranges) {
  std::string text = fmt::format("{} ranges", ranges.size());
  for (const Range& r : ranges) text += fmt::format(" {:#x}-{:#x}", r.first, r.end);
  return text;
}

Machine at_rest(const World& world) {
  Machine m = world.machine();
  ref::core::plan_failure(m, 0);
  for (std::uint32_t c = 0; c < m.config.cpus; ++c) {
    ref::core::Cpu& cpu = m.arena.edit(m.core.cpu, c);
    const std::uint32_t task = cpu.task;
    cpu = {};
    cpu.task = task;
    m.arena.edit(m.core.task, task).flags = 0;
  }
  QuietEnv env;
  for (std::uint32_t c = 0; c < m.config.cpus; ++c) ref::vmalloc::free_work(env, m, c);
  ref::core::clear_log(m);
  return m;
}

std::vector<Area> live_areas(const World& world) {
  std::vector<Area> live;
  for (const Area& a : world.areas())
    if (a.live() && a.kind != AreaKind::kmalloc && a.kind != AreaKind::ram) live.push_back(a);
  return live;
}

bool memory_left(const Machine& m) {
  constexpr std::uint64_t plenty = 24;
  std::uint64_t free = 0;
  for (ref::core::Index z = 0; z < m.config.zone_count; ++z)
    if (const auto& zone = ref::buddy::zone_at(m, z); zone.kind != ref::core::ZoneKind::highmem)
      free += zone.free_pages;
  return free >= plenty;
}

void give_back(const Calls& calls, Machine& m, const Area& a) {
  QuietEnv env;
  if (a.kind == AreaKind::ram)
    calls.vm_unmap_ram(env, m, a.address, static_cast<std::uint32_t>(a.pages.size()));
  else if (a.owns_pages) calls.vfree(env, m, a.address);
  else calls.vunmap(env, m, ref::vmalloc::Address{a.first});
}

}  // namespace props::vmalloc
