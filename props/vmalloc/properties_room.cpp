// Properties about the room of the window.
#include <fmt/format.h>

#include <algorithm>

#include "props/core/probe.hpp"
#include "props/vmalloc/property_case.hpp"
#include "ref/mmu/mmu.hpp"

namespace props::vmalloc {
namespace {

using ref::vmalloc::RangeSet;

bool lazily(const World& world) {
  return world.machine().profile().unmapping == ref::core::Unmapping::lazy_purge;
}

// Busy ranges that somebody has. A block of vm_map_ram with nothing mapped is the allocator's own
// store, and a purge may take it (V-43): in use is what has an area, or a page that is mapped.
std::vector<Range> used_ranges(const Machine& m) {
  std::vector<Range> used;
  for (const Range& r : ranges_of(m, RangeSet::busy)) {
    bool is_used = ref::vmalloc::area_at(m, ref::vmalloc::Address{r.first}).has_value();
    for (std::uint64_t at = r.first; at < r.end && !is_used; at += m.config.page_bytes)
      is_used = ref::mmu::walk(m, ref::vmalloc::Address{at}).has_value();
    if (is_used) used.push_back(r);
  }
  return used;
}

// All areas go back in this order, and what is lazy becomes free.
std::vector<Range> emptied(const Case& c, const World& world, const std::vector<Area>& order) {
  Machine m = at_rest(world);
  QuietEnv env;
  for (const Area& a : order) give_back(c.calls, m, a);
  c.calls.vm_unmap_aliases(env, m);
  return ranges_of(m, lazily(world) ? RangeSet::free : RangeSet::busy);
}

}  // namespace

void window_is_whole_again(Case& c) {
  const World world = c.played();
  if (c.broken() || !world.up() || world.lost_in_window()) return;
  std::vector<Range> wanted;
  if (lazily(world)) wanted.push_back(world.ranges().window());
  std::vector<Area> all = live_areas(world);
  for (const Area& a : world.areas())
    if (a.live() && a.kind == AreaKind::ram) all.push_back(a);
  const std::vector<Range> actual = emptied(c, world, all);
  c.holds(actual == wanted, text_of(wanted), text_of(actual), world);
}

void any_order_of_frees(Case& c) {
  const World world = c.played();
  std::vector<Area> order = live_areas(world);
  if (c.broken() || !world.up() || order.size() < 2) return;
  order.pop_back();  // one stays, so that there is something to merge beside
  const std::vector<Range> wanted = emptied(c, world, order);
  const auto compare = [&](std::string_view how) {
    const std::vector<Range> actual = emptied(c, world, order);
    c.holds(actual == wanted, text_of(wanted), fmt::format("freed {}: {}", how, text_of(actual)),
            world);
  };
  std::ranges::reverse(order);
  compare("from the last register on");
  std::ranges::sort(order, {}, &Area::first);
  compare("by address");
  std::vector<Area> halves;
  for (const std::size_t first : {1u, 0u})
    for (std::size_t i = first; i < order.size(); i += 2) halves.push_back(order[i]);
  order = halves;
  compare("every second first");
}

// First fit: what was given back and flushed is there again, if nothing lower is.
void served_again(Case& c) {
  const World world = c.played();
  if (c.broken() || !world.up()) return;
  QuietEnv env;
  for (const Area& a : live_areas(world)) {
    Machine m = at_rest(world);
    give_back(c.calls, m, a);
    c.calls.vm_unmap_aliases(env, m);
    const auto got = c.calls.get_vm_area(env, m, a.bytes, a.flags);
    if (!got && got.error() != ref::vmalloc::Refused::no_memory) continue;
    if (m.globals().injected || !memory_left(m)) continue;
    const bool lower = got && static_cast<std::uint64_t>(*got) <= a.first;
    if (!c.holds(lower, fmt::format("{:#x} or lower: it was just given back", a.first),
                 got ? fmt::format("{:#x}", static_cast<std::uint64_t>(*got)) : "refused", world))
      return;
  }
}

void purging_twice_is_once(Case& c) {
  const World world = c.played();
  if (c.broken() || !world.up()) return;
  Machine once = at_rest(world);
  QuietEnv env;
  c.calls.vm_unmap_aliases(env, once);
  Machine twice = once;
  c.calls.vm_unmap_aliases(env, twice);
  c.holds(once == twice, "the machine as it was", "another", world);
  const auto lazy = ranges_of(once, RangeSet::lazy);
  c.holds(lazy.empty(), "nothing lazy", text_of(lazy), world);
}

void purging_leaves_what_is_used(Case& c) {
  const World world = c.played();
  if (c.broken() || !world.up()) return;
  const Machine before = at_rest(world);
  Machine m = before;
  QuietEnv env;
  c.calls.vm_unmap_aliases(env, m);
  const auto wanted = used_ranges(before), actual = used_ranges(m);
  if (!c.holds(actual == wanted, text_of(wanted), text_of(actual), world)) return;
  for (const Range& r : wanted)
    for (std::uint64_t at = r.first; at < r.end; at += m.config.page_bytes) {
      const auto pfn = ref::mmu::walk(m, ref::vmalloc::Address{at});
      const auto old = ref::mmu::walk(before, ref::vmalloc::Address{at});
      if (!c.holds(pfn == old, fmt::format("pfn {} behind {:#x}", old.value_or(0), at),
                   fmt::format("pfn {}", pfn.value_or(0)), world))
        return;
    }
}

}  // namespace props::vmalloc
