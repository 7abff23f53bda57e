// What properties of maps ask with.
#include "props/kmap/property_case.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace props::kmap {

using namespace ref::core;

Shape shape_of(const Machine& m) {
  Shape shape;
  for (std::uint32_t i = 0; i < m.kmap.count.count; ++i) {
    const Address address = ref::kmap::pkmap_address(m, i);
    Shape::Slot slot{ref::kmap::pkmap_count(m, i), ref::mmu::walk(m, address), {}};
    if (slot.page && ref::kmap::page_address(m, *slot.page) == address) slot.addressed = slot.page;
    shape.slots.push_back(slot);
    for (std::uint32_t cpu = 0; cpu < m.config.cpus; ++cpu)
      shape.cached += ref::mmu::cached(m, cpu, address).has_value();
  }
  return shape;
}

std::string text_of(const Shape& shape) {
  std::string text;
  for (std::size_t i = 0; i < shape.slots.size(); ++i) {
    const Shape::Slot& s = shape.slots[i];
    if (s == Shape::Slot{}) continue;
    text += fmt::format(" slot {}: count {}, {}{};", i, s.count,
                        s.page ? fmt::format("pfn {}", *s.page) : std::string("no page"),
                        s.addressed == s.page ? "" : " that does not know");
  }
  return (text.empty() ? " no slot in use;" : text) + fmt::format(" {} cached", shape.cached);
}

Machine at_rest(const World& world) {
  Machine m = world.machine();
  plan_failure(m, 0);
  for (std::uint32_t t = 0; t < m.core.task.count; ++t) m.arena.edit(m.core.task, t) = {};
  if (m.kmap.globals.count > 0) m.arena.edit(m.kmap.globals, 0).sleepers = 0;
  for (std::uint32_t c = 0; c < m.config.cpus; ++c) {
    Cpu& cpu = m.arena.edit(m.core.cpu, c);
    const std::uint16_t atomics = cpu.pagefault_disabled;
    const std::uint32_t task = cpu.task;
    cpu = {};
    cpu.task = task;
    cpu.preempt_count = cpu.pagefault_disabled = atomics;
  }
  clear_log(m);
  return m;
}

std::vector<HeldMap> live_maps(const World& world) {
  std::vector<HeldMap> live;
  for (const HeldMap& h : world.maps())
    if (h.live && h.high && h.kind == HeldMap::Kind::persistent) live.push_back(h);
  return live;
}

std::vector<Pfn> unmapped_frames(const World& world) {
  std::vector<Pfn> frames;
  const Config& c = world.machine().config;
  for (std::uint32_t z = 0; z < c.zone_count; ++z)
    for (std::uint32_t i = 0; i < c.zones[z].pages; ++i)
      if (c.zones[z].kind == ZoneKind::highmem && world.slots().users(c.zones[z].first + i) == 0)
        frames.push_back(c.zones[z].first + i);
  return frames;
}

}  // namespace props::kmap
