// Properties about temporary maps, and about pages that are mapped in several ways.
#include <fmt/format.h>

#include <algorithm>

#include "props/kmap/property_case.hpp"

namespace props::kmap {
namespace {

using namespace ref::core;

// A type that a CPU has free, or none.
std::optional<KmType> free_type(const World& world, std::uint32_t cpu) {
  for (std::size_t t = 0; t + 1 < AtomicTypeArg::words.size(); ++t) {
    const auto type = static_cast<KmType>(t);
    const bool busy = std::ranges::any_of(world.maps(), [&](const HeldMap& h) {
      return h.live && h.kind == HeldMap::Kind::atomic && h.cpu == cpu && h.type == type;
    });
    if (!busy) return type;
  }
  return std::nullopt;
}

}  // namespace

// For a moment, on whatever else is mapped: nothing remembers it.
void atomic_leaves_nothing(Case& c) {
  const World world = c.played();
  const Machine before = at_rest(world);
  const auto type = free_type(world, before.globals().cpu);
  if (c.broken() || !world.up() || !type || before.cpu().preempt_count > 200 ||
      world.depth(before.cpu().task) > 13)
    return;
  Machine m = before;
  QuietEnv env;
  for (const Pfn pfn : unmapped_frames(world)) {
    const auto got = c.calls.map_atomic(env, m, pfn, *type);
    if (!c.holds(got.has_value(), fmt::format("a map of pfn {}", pfn), "refused", world)) return;
    std::array<std::byte, 1> byte{};
    (void)ref::mmu::load(m, *got, byte);
    c.calls.unmap_atomic(env, m, *got, *type);
    if (!c.holds(m == before, "the state before the map", "another state behind its end", world))
      return;
  }
}

// Another task runs for a while, and maps pages too.
void there_and_back(Case& c) {
  const World world = c.played();
  if (c.broken() || !world.up() || !world.stacked()) return;
  Machine m = at_rest(world);
  const std::uint32_t cpu = m.globals().cpu, task = m.cpu().task;
  const auto frames = unmapped_frames(world);
  if (m.cpu().preempt_count > 0 || frames.empty()) return;
  QuietEnv env;
  for (std::uint32_t other = 0; other < m.core.task.count; ++other) {
    if (other == task || !c.calls.switch_task(m, other)) continue;
    const auto got = c.calls.map_atomic(env, m, frames.front(), KmType::KM_USER0);
    if (got) c.calls.unmap_atomic(env, m, *got, KmType::KM_USER0);
    if (!c.holds(c.calls.switch_task(m, task), "the task comes back", "it does not", world)) return;
    for (const HeldMap& h : world.maps()) {
      if (!h.live || h.lost || !h.high || !h.temporary() || h.task != task || h.cpu != cpu)
        continue;
      const auto seen = ref::mmu::translate(m, cpu, Address{h.address});
      if (!c.holds(seen == h.pfn, fmt::format("pfn {} at {:#x} again", h.pfn, h.address),
                   seen ? fmt::format("pfn {}", *seen) : "no translation", world))
        return;
    }
  }
}

// One page by all its addresses, and by one more, that is written through.
void all_read_the_same(Case& c) {
  const World world = c.played();
  if (c.broken() || !world.up()) return;
  Machine m = at_rest(world);
  const std::uint32_t cpu = m.globals().cpu;
  const auto type = free_type(world, cpu);
  if (!type || m.cpu().preempt_count > 200 || world.depth(m.cpu().task) > 14) return;
  QuietEnv env;
  std::array<std::byte, 2> mark{std::byte{0x5a}, std::byte{0}};
  for (const HeldMap& h : live_maps(world)) {
    const auto got = c.calls.map_atomic(env, m, h.pfn, *type);
    if (!c.holds(got.has_value(), fmt::format("a map of pfn {}", h.pfn), "refused", world)) return;
    mark[0] ^= std::byte{1};
    const bool written = ref::mmu::store(m, *got, std::span(mark).first(1)).has_value();
    for (std::uint32_t reader = 0; reader < m.config.cpus; ++reader) {
      select_cpu(m, reader);
      const bool read = ref::mmu::load(m, Address{h.address}, std::span(mark).last(1)).has_value();
      if (!c.holds(written && read && mark[0] == mark[1],
                   fmt::format("{:#x} of pfn {} on CPU {}", std::to_integer<unsigned>(mark[0]),
                               h.pfn, reader),
                   read ? fmt::format("{:#x}", std::to_integer<unsigned>(mark[1])) : "a page fault",
                   world))
        return;
    }
    select_cpu(m, cpu);
    c.calls.unmap_atomic(env, m, *got, *type);
  }
}

}  // namespace props::kmap
