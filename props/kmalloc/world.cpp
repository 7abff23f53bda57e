// The life of a world: boot, steps, armed steps, and the checks that are not about one answer.
#include "props/kmalloc/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "props/buddy/world.hpp"
#include "props/core/mixer.hpp"
#include "props/core/probe.hpp"
#include "props/kmalloc/runner.hpp"
#include "props/slab/invariants.hpp"
#include "props/slab/rules.hpp"

template class props::Stepping<props::kmalloc::World, ref::kmalloc::Machine,
                               props::kmalloc::Operation, props::kmalloc::Reach>;

namespace props::kmalloc {
namespace {

using ref::core::Index;

ZonePages free_pages(const Machine& m) {
  ZonePages free{};
  for (Index z = 0; z < m.config.zone_count; ++z) free[z] = ref::buddy::zone_at(m, z).free_pages;
  return free;
}

}  // namespace

// What one cache gives back may be the management of another's slabs: until nothing more comes.
void settle(ref::core::Env& env, Machine& m) {
  constexpr int rounds_max = 8;
  for (int round = 0; round < rounds_max; ++round) {
    const ZonePages before = free_pages(m);
    for (std::uint64_t i = 0; i < m.slab.general.count; ++i)
      if (const Index cache = m.arena.at(m.slab.general, i); cache != 0)
        (void)ref::slab::kmem_cache_shrink(env, m, ref::slab::CacheId{cache - 1});
    ref::buddy::drain_all_pages(env, m);
    if (round > 0 && free_pages(m) == before) return;
  }
}

Newborn::Newborn(const Config& config) : machine(config) {
  Machine copy = machine;
  QuietEnv env;
  free_hands(copy, ref::core::PF_MEMALLOC);
  settle(env, copy);
  settled = free_pages(copy);
}

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
  memory_ = {}, blocks_ = {};
  live_ = live_blocks_ = busy_ = busy_blocks_ = 0;
  pending_ = {};
  moving_ = {};
  largest_ = 0, largest_gfp_ = 0;
  stamps_ = 0;
  if (!judging_.reach) return;
  ++reach_.runs[0];
  ++reach_.eras[static_cast<std::size_t>(machine_.config.era)];
}

const Rule* World::rule_of(std::string_view id) const {
  for (const auto known : {rules(), slab::rules(), buddy::rules()})
    if (const Rule* rule = find_rule(known, id)) return rule;
  return nullptr;
}

Answer World::run_operation(const Operation& op) { return Runner(*this).run(op); }

// --- the checks -------------------------------------------------------------------------------

void World::after_step() {
  const std::size_t n = step_ + 1;
  if (judging_.exhaust_every > 0 && n % judging_.exhaust_every == 0) check_empty();
  if (judging_.invariants_every > 0 && n % judging_.invariants_every == 0) check_invariants();
}

void World::finish() {
  if (broken()) return;
  skip_armed();
  check_contents();
  if (!judging_.walk_at_end) return;
  check_empty();
  check_invariants();
}

void World::check_contents() {
  for (const Memory& held : memory_)
    if (held.live && !broken()) check_content(held);
  for (const Block& b : blocks_)
    if (b.live && !broken()) check_content(b);
}

bool World::check_content(const Memory& held) {
  if (held.stamp == 0) return true;
  const Broken w =
      slab::contents_broken(machine_, held.ram, held.owned, held.stamp, judging_.stamps);
  if (!w) return true;
  break_rule("KMALLOC-CONTENT",
             fmt::format("{:#x} at {} at {:#x}", w->expected, w->where,
                         static_cast<std::uint64_t>(held.address)),
             fmt::format("{:#x}", w->actual));
  return false;
}

// Pages of somebody else hold their frame's number.
bool World::check_content(const Block& b) {
  if (judging_.stamps == Stamps::none) return true;
  const std::uint64_t bytes = std::uint64_t{machine_.config.page_bytes} << b.order;
  const Broken w = buddy::stamp_broken(machine_, ref::buddy::ram_offset(machine_, b.pfn), bytes,
                                       b.pfn + 1, buddy::Stamps::ends);
  if (!w) return true;
  break_rule("KMALLOC-CONTENT",
             fmt::format("{:#x} at {} at pfn {}, which the page allocator gave to somebody",
                         w->expected, w->where, b.pfn),
             fmt::format("{:#x}", w->actual));
  return false;
}

void World::check_invariants() {
  if (broken()) return;
  if (const auto finding = slab::first_broken(machine_))
    break_rule(finding->rule, finding->expected, finding->actual);
}

// Gives everything back on a copy: every page must be there again, and the largest memory that was
// ever granted can be had once more.
void World::check_empty() {
  if (broken() || machine_.globals().log.leaks > 0) return;
  ++reach_[ReachEvent::emptied];
  scratch_ = machine_;
  QuietEnv env;
  free_hands(scratch_, ref::core::PF_MEMALLOC);
  for (const Memory& held : memory_)
    if (held.live && !held.nothing) ref::kmalloc::kfree(env, scratch_, held.address);
  for (const Block& b : blocks_)
    if (b.live) ref::buddy::free_pages_(env, scratch_, b.pfn, b.order);
  settle(env, scratch_);
  const ZonePages free = free_pages(scratch_);
  for (std::uint32_t z = 0; z < machine_.config.zone_count; ++z)
    if (free[z] != newborn_->settled[z])
      return break_rule(
          "KMALLOC-RETURNED",
          fmt::format("{} free pages in zone {} when all is given back", newborn_->settled[z], z),
          fmt::format("{}", free[z]));
  if (largest_ == 0 || ref::kmalloc::kmalloc(env, scratch_, largest_, largest_gfp_)) return;
  scratch_ = newborn_->machine;
  free_hands(scratch_, ref::core::PF_MEMALLOC);
  settle(env, scratch_);
  if (!ref::kmalloc::kmalloc(env, scratch_, largest_, largest_gfp_)) return;
  break_rule("KMALLOC-AGAIN", fmt::format("{} bytes: they were granted before", largest_),
             "refused, with everything given back");
}

// --- the state as numbers, and as a picture ------------------------------------------------------

ref::core::Hash World::exact_state() const {
  Mixer state;
  state.add(machine_.arena.hash());
  for (const Memory& held : memory_) {
    state.add((held.live ? 1u : 0u) | (held.nothing ? 2u : 0u) | std::uint64_t{held.stamp} << 8);
    state.add(static_cast<std::uint64_t>(held.address));
    state.add(held.size), state.add(held.usable), state.add(held.owned);
  }
  for (const Block& b : blocks_)
    state.add((b.live ? 1u : 0u) | (b.compound ? 2u : 0u) | std::uint64_t{b.order} << 8 |
              std::uint64_t{b.pfn} << 16);
  for (const auto& p : pending_)
    state.add(p ? print_operation(*p, machine_.config.era) : std::string());
  for (const Step& step : armed_) state.add(print_step(step, machine_.config.era));
  state.add(largest_), state.add(largest_gfp_), state.add(stamps_);
  return state.sum();
}

// What the registers hold, and which frames are slabs.
std::string World::picture() const {
  std::string text;
  for (std::size_t r = 0; r < memory_.size(); ++r) {
    const Memory& held = memory_[r];
    if (!held.live) continue;
    text += held.nothing
                ? fmt::format("o{:<3} nothing\n", r)
                : fmt::format("o{:<3} {:#x}  {} bytes of {}\n", r,
                              static_cast<std::uint64_t>(held.address), held.size, held.usable);
  }
  constexpr Pfn most = 256, row = 64;
  for (std::uint32_t z = 0; z < machine_.config.zone_count; ++z) {
    const ref::buddy::Zone& zone = ref::buddy::zone_at(machine_, z);
    text += fmt::format("{} node {}, {} pages from pfn {}, {} free",
                        ref::core::zone_names[static_cast<std::size_t>(zone.kind)], zone.node,
                        zone.pages, zone.first, zone.free_pages);
    for (Pfn i = 0; i < std::min(zone.pages, most); ++i) {
      if (i % row == 0) text += fmt::format("\n{:>8}  ", zone.first + i);
      const auto head = ref::buddy::head_of(machine_, zone.first + i);
      const bool live =
          head && ref::buddy::page_at(machine_, ref::buddy::page_index(zone, *head)).kind ==
                      ref::buddy::PageKind::live_head;
      const bool slab = machine_.arena.at(machine_.slab.slab, zone.map + i).head != 0;
      text += slab ? 's' : live ? 'p' : head ? '.' : 'R';
    }
    text +=
        zone.pages > most ? fmt::format("\n          ... and {} more\n", zone.pages - most) : "\n";
  }
  return text + "          s slab   p other pages in use   . free   R reserved or lost\n";
}

}  // namespace props::kmalloc
