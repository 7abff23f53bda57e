// The life of a world: boot, steps, armed steps, and the checks that are not about one answer.
#include "props/buddy/world.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "props/buddy/invariants.hpp"
#include "props/buddy/runner.hpp"
#include "props/core/probe.hpp"
#include "ref/buddy/buddy.hpp"
#include "ref/buddy/pcp.hpp"

template class props::Stepping<props::buddy::World, ref::buddy::Machine, props::buddy::Operation,
                               props::buddy::Reach>;

namespace props::buddy {

Newborn::Newborn(const Config& config) : machine(config), oracle(config) {}

void Newborn::rebase() {
  machine.arena.rebase();
  oracle.rebase();
}

Judging Judging::scaled(std::uint64_t pages, std::uint64_t turn) const {
  constexpr std::uint64_t pages_each_step = 256, pages_each_run = 1024, pages_each_look = 32;
  Judging scaled = *this;
  const auto times = static_cast<std::uint32_t>(1 + pages / pages_each_step);
  scaled.invariants_every *= times;
  scaled.exhaust_every *= times;
  scaled.model_every = static_cast<std::uint32_t>(1 + pages / pages_each_look);
  scaled.walk_at_end = turn % (1 + pages / pages_each_run) == 0;
  return scaled;
}

World::World(const Newborn& newborn, const Judging& judging)
    : Stepping(newborn.machine),
      scratch_(newborn.machine),
      oracle_(newborn.oracle),
      scratch_oracle_(newborn.oracle) {
  reset(newborn, judging);
}

void World::reset(const Newborn& newborn, const Judging& judging) {
  restart(newborn.machine, judging.reach);
  oracle_ = newborn.oracle;
  judging_ = judging;
  looks_after_steps_ =
      judging.touched || judging.model || judging.exhaust_every > 0 || judging.invariants_every > 0;
  model_.reset();
  if (judging.model) model_ = Model::of(machine_);
  model_stale_ = false;
  blocks_ = {};
  live_ = 0;
  pending_ = {};
  waiting_ = 0;
  busy_first_ = busy_count_ = 0;
  leaving_pages_ = 0;
  touched_ = {};
  if (judging.touched) touched_check_.forget();
  stamps_ = 0;
  begin_reach();
}

void World::begin_reach() {
  if (!judging_.reach) return;
  reach_.count_machine(machine_.config);
  const bool all = judging_.model && judging_.invariants_every > 0 && judging_.exhaust_every > 0;
  const Judged how = all                             ? Judged::everything
                     : judging_.model                ? Judged::model
                     : judging_.invariants_every > 0 ? Judged::invariants
                     : judging_.exhaust_every > 0    ? Judged::exhaustion
                                                     : Judged::cheap;
  ++reach_.judged[static_cast<std::size_t>(how)];
  std::uint64_t managed = 0;
  for (std::uint32_t z = 0; z < machine_.config.zone_count; ++z)
    managed += ref::buddy::zone_at(machine_, z).managed;
  // Rounded up, so that a full machine is full.
  tenths_per_page_ = managed == 0 ? 0 : ((std::uint64_t{10} << 32) + managed - 1) / managed;
}

std::uint64_t World::taken() const {
  if (waiting_ == 0) return live_;
  std::uint64_t all = live_;
  for (const Pending& p : pending_)
    if (p.waits) all |= std::uint64_t{1} << p.out;
  return all;
}

Answer World::run_operation(const Operation& op) {
  if (judging_.touched && !inside_) touched_ = {};
  return Runner(*this).run(op);
}

void World::interrupted() {
  model_stale_ = true;
  touched_.all();
}

// --- the checks -------------------------------------------------------------------------------

void World::after_step() {
  if (!looks_after_steps_) return;
  // What a client can see first, then the records, then policy: the first to see a fault names it.
  const std::size_t n = step_ + 1;
  if (judging_.touched)
    if (const auto finding = touched_check_.first_broken(machine_, touched_)) break_rule(*finding);
  if (judging_.exhaust_every > 0 && n % judging_.exhaust_every == 0) exhaust();
  if (judging_.invariants_every > 0 && n % judging_.invariants_every == 0) check_invariants();
  if (model_ && !broken() && n % judging_.model_every == 0) check_model();
}

void World::finish() {
  if (broken()) return;
  skip_armed();
  check_contents();
  check_owners();
  if (model_ && !broken()) check_model();
  if (judging_.walk_at_end) exhaust();
  if (judging_.walk_at_end) check_invariants();
  check_marks();
}

void World::check_invariants() {
  if (broken()) return;
  if (const auto finding = first_broken(machine_)) break_rule(*finding);
}

void World::check_marks() {
  if (broken()) return;
  for (std::uint32_t z = 0; z < machine_.config.zone_count; ++z) {
    const ref::buddy::Zone& zone = ref::buddy::zone_at(machine_, z);
    const std::string_view name = ref::core::zone_names[static_cast<std::size_t>(zone.kind)];
    if (zone.watermark[ref::buddy::mark_low] != oracle_.low_mark(z)) {
      return break_rule("ZONE-MARKS", fmt::format("low mark {} of {}", oracle_.low_mark(z), name),
                        fmt::format("{}", zone.watermark[ref::buddy::mark_low]));
    }
    for (std::size_t kind = 0; kind < ref::core::zone_kinds; ++kind) {
      const std::uint64_t reserve = oracle_.reserve(z, static_cast<ZoneKind>(kind));
      if (zone.lowmem_reserve[kind] == reserve) continue;
      return break_rule("ZONE-RESERVE",
                        fmt::format("{} leaves {} to requests from {}", name, reserve,
                                    ref::core::zone_names[kind]),
                        fmt::format("{}", zone.lowmem_reserve[kind]));
    }
  }
}

void World::check_model() {
  if (model_stale_) {
    model_ = Model::of(machine_);
    model_stale_ = false;
    return;
  }
  if (const auto difference = model_->difference(machine_))
    break_rule("BUDDY-ORDERED", "lists, counts and marks as the naive model has them", *difference);
}

void World::check_contents() {
  for (const Block& b : blocks_) {
    if (b.live && !broken()) check_content(b);
  }
}

bool World::check_content(const Block& b) {
  if (b.stamp == 0) return true;
  const std::uint64_t bytes = std::uint64_t{b.pages} * machine_.config.page_bytes;
  if (stamp_stands(machine_, b.ram, bytes, b.stamp, judging_.stamps)) [[likely]]
    return true;
  const Broken w = stamp_broken(machine_, b.ram, bytes, b.stamp, judging_.stamps);
  if (!w) return true;
  break_rule("PAGE-CONTENT", fmt::format("{:#x} at {} at pfn {}", w->expected, w->where, b.pfn),
             fmt::format("{:#x}", w->actual));
  return false;
}

// References, and what owners wrote beside the contents: still there, and nobody else's.
void World::check_owners() {
  using namespace ref::buddy;
  for (const Block& b : blocks_) {
    for (Pfn pfn = b.pfn; b.live && pfn < b.pfn + b.pages && !broken(); ++pfn) {
      const bool single = pfn == b.pfn || b.exact;
      const std::uint32_t references = single || b.compound ? b.references : 0;
      if (page_count(machine_, pfn) != references)
        break_rule("PAGE-COUNT", fmt::format("{} references of pfn {}", references, pfn),
                   fmt::format("{}", page_count(machine_, pfn)));
      if (!single || broken()) continue;
      const Page& p = page_at(machine_, page_index(zone_at(machine_, *oracle_.zone_of(pfn)), pfn));
      const unsigned flags = b.flags | (b.compound ? unsigned{PG_head} : 0u);
      const unsigned seen = p.flags & ~unsigned{PG_pfmemalloc};
      constexpr auto text = "pfn {}: private {}, mapcount {}, flags {:#x}";
      if (p.private_data != b.private_data || p.mapcount != b.mapcount || seen != flags)
        break_rule("PAGE-CONTENT", fmt::format(text, pfn, b.private_data, b.mapcount, flags),
                   fmt::format(text, pfn, p.private_data, p.mapcount, seen));
    }
  }
}

// Settles a copy and takes everything that nobody owns, the largest blocks first. Each must be
// there: that is exact coalescing, seen from outside.
void World::exhaust() {
  if (broken() || machine_.arena.at(machine_.buddy.sysctl, 0).scribbled > 0) return;
  ++reach_[ReachEvent::exhaustion];
  scratch_ = machine_;
  QuietEnv env;
  ref::buddy::drain_all_pages(env, scratch_);
  free_hands(scratch_, ref::core::PF_MEMALLOC);
  std::vector<FreeBlock> wanted;
  for (std::uint32_t z = 0; z < machine_.config.zone_count; ++z)
    std::ranges::copy(oracle_.free_blocks(z), std::back_inserter(wanted));
  std::ranges::sort(wanted, [](const FreeBlock& a, const FreeBlock& b) {
    return a.order != b.order ? a.order > b.order : a.pfn < b.pfn;
  });
  PageOracle& taken = scratch_oracle_;
  taken = oracle_;
  const Gfp gfp = ref::core::GFP_BIT_HIGHMEM | ref::core::GFP_BIT_NOWARN;
  for (const FreeBlock& block : wanted) {
    const auto got = ref::buddy::alloc_pages(env, scratch_, gfp, block.order);
    if (!got) {
      return break_rule(
          "BUDDY-COALESCED",
          fmt::format("a block of order {}: the pages from pfn {} on are nobody's, and "
                      "no larger block is left untaken",
                      block.order, block.pfn),
          "refused, with all per-CPU lists drained");
    }
    if (const auto bad = taken.granted(*got, block.order, {block.order, ZoneKind::highmem}))
      return break_rule(*bad);
  }
}

// --- the picture -------------------------------------------------------------------------------

// One character a frame; long zones are cut.
std::string World::picture() const {
  constexpr Pfn most = 256, row = 64;
  std::string text;
  for (std::uint32_t z = 0; z < machine_.config.zone_count; ++z) {
    const ref::buddy::Zone& zone = ref::buddy::zone_at(machine_, z);
    text += fmt::format("{} node {}, {} pages from pfn {}, {} free\n",
                        ref::core::zone_names[static_cast<std::size_t>(zone.kind)], zone.node,
                        zone.pages, zone.first, zone.free_pages);
    char inside = '?';
    for (Pfn i = 0; i < std::min(zone.pages, most); ++i) {
      const ref::buddy::Page& p = ref::buddy::page_at(machine_, zone.map + i);
      constexpr std::string_view digits = "0123456789ab";
      const char order = digits[std::min<std::size_t>(p.order, 11)];
      if (i % row == 0) text += fmt::format("{}{:>8}  ", i == 0 ? "" : "\n", zone.first + i);
      char c = inside;
      switch (p.kind) {
        case ref::buddy::PageKind::inner: break;
        case ref::buddy::PageKind::free_head: c = '.', inside = '.'; break;
        case ref::buddy::PageKind::pcp_head: c = 'c', inside = 'c'; break;
        case ref::buddy::PageKind::live_head: c = order, inside = '-'; break;
        case ref::buddy::PageKind::reserved: c = 'R', inside = '?'; break;
        case ref::buddy::PageKind::leaked: c = 'L', inside = '?'; break;
      }
      text += c;
    }
    text +=
        zone.pages > most ? fmt::format("\n          ... and {} more\n", zone.pages - most) : "\n";
  }
  return text +
         "          . free   c on a per-CPU list   0-9a live, by order   - its other frames   "
         "R reserved   L lost\n";
}

}  // namespace props::buddy
