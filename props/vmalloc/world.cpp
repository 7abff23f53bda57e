// The life of a world: boot, steps, armed steps.
#include "props/vmalloc/world.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "props/core/mixer.hpp"
#include "props/slab/rules.hpp"
#include "props/vmalloc/runner.hpp"

template class props::Stepping<props::vmalloc::World, ref::vmalloc::Machine,
                               props::vmalloc::Operation, props::vmalloc::Reach>;

namespace props::vmalloc {

Judging Judging::scaled(std::uint64_t pages, std::uint64_t turn) const {
  constexpr std::uint64_t pages_each_step = 256, pages_each_run = 1024;
  Judging scaled = *this;
  const auto times = static_cast<std::uint32_t>(1 + pages / pages_each_step);
  scaled.invariants_every *= times;
  scaled.exhaust_every *= times;
  scaled.walk_at_end = turn % (1 + pages / pages_each_run) == 0;
  return scaled;
}

World::World(const Newborn& newborn, const Judging& judging)
    : Stepping(newborn.machine), scratch_(newborn.machine) {
  reset(newborn, judging);
}

void World::reset(const Newborn& newborn, const Judging& judging) {
  restart(newborn.machine, judging.reach);
  newborn_ = &newborn;
  judging_ = judging;
  areas_ = {}, blocks_ = {};
  const auto& window = machine_.mmu.window;
  ranges_ = Ranges(Range{window.vmalloc_start, window.vmalloc_end});
  contents_.clear();
  lost_.clear(), lost_lists_.clear();
  lost_counted_ = 0;
  pending_ = {};
  lazy_.clear();
  hidden_ = false;
  busy_ = 0, busy_blocks_ = 0;
  stamps_ = 0;
  if (!judging.reach) return;
  ++reach_.runs[0];
  ++reach_.eras[static_cast<std::size_t>(machine_.config.era)];
}

std::uint32_t World::waiting() const {
  return static_cast<std::uint32_t>(
      std::ranges::count_if(pending_, [](const auto& p) { return p.has_value(); }));
}

// Of this row, or of the caches under it.
const Rule* World::rule_of(std::string_view id) const {
  const Rule* own = find_rule(rules(), id);
  return own != nullptr ? own : slab::find_rule(id);
}

Answer World::run_operation(const Operation& op) { return Runner(*this).run(op); }

// --- the state as numbers, and as a picture ------------------------------------------------------

ref::core::Hash World::exact_state() const {
  Mixer state;
  state.add(machine_.arena.hash());
  for (const Area& a : areas_) {
    state.add(static_cast<std::uint64_t>(a.state) | static_cast<std::uint64_t>(a.kind) << 8 |
              (a.owns_pages ? 1u << 16 : 0u) | std::uint64_t{a.flags} << 32);
    state.add(static_cast<std::uint64_t>(a.address)), state.add(a.first);
    state.add(a.bytes), state.add(a.guard), state.add(a.stamp), state.add(a.pages.size());
    for (const Pfn pfn : a.pages) state.add(pfn);
  }
  for (const Block& b : blocks_)
    state.add((b.live ? 1u : 0u) | std::uint64_t{b.order} << 8 | std::uint64_t{b.pfn} << 16);
  for (const auto& [pfn, stamp] : contents_) state.add(std::uint64_t{pfn} << 32 | stamp);
  for (const Range& r : lazy_) state.add(r.first), state.add(r.end);
  for (const Pfn pfn : lost_) state.add(pfn);
  for (const Address list : lost_lists_) state.add(static_cast<std::uint64_t>(list));
  for (const auto& p : pending_)
    state.add(p ? print_operation(*p, machine_.config.era) : std::string());
  for (const Step& step : armed_) state.add(print_step(step, machine_.config.era));
  state.add(stamps_), state.add(hidden_), state.add(lost_counted_);
  return state.sum();
}

// What the registers hold, and the window by pages.
std::string World::picture() const {
  constexpr std::array<std::string_view, 6> kinds{"vmalloc",  "vmap",       "ioremap",
                                                  "reserved", "vm_map_ram", "kmalloc"};
  std::string text;
  for (std::size_t r = 0; r < areas_.size(); ++r) {
    const Area& a = areas_[r];
    if (!a.taken()) continue;
    text += fmt::format("a{:<3} {:#x}  {} bytes and {} of guard, {}{}\n", r,
                        static_cast<std::uint64_t>(a.address), a.bytes, a.guard,
                        kinds[static_cast<std::size_t>(a.kind)],
                        a.state == Area::State::deferred ? ", to be freed" : "");
  }
  constexpr std::uint64_t most = 512, row = 64;
  const Range& window = ranges_.window();
  const std::uint64_t page = machine_.config.page_bytes;
  std::uint64_t i = 0;
  for (std::uint64_t at = window.first; at < window.end && i < most; at += page, ++i) {
    if (i % row == 0) text += fmt::format("{}{:#x}  ", i == 0 ? "" : "\n", at);
    char c = ranges_.free_at(at) ? '.' : '?';
    for (const Area& a : areas_)
      if (a.taken() && a.range().holds(at)) c = at < a.first + a.bytes ? '#' : 'g';
    if (c == '.' && ref::mmu::walk(machine_, Address{at})) c = '!';
    text += c;
  }
  if (i == most) text += " ...";
  return text + "\n  # an area   g its guard   . nobody's   ! nobody's, but mapped\n";
}

}  // namespace props::vmalloc
