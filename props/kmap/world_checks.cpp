// What a world checks beside answers: translations, contents, capacity, and what is left.
#include <fmt/format.h>

#include <algorithm>

#include "props/core/probe.hpp"
#include "props/kmap/invariants.hpp"
#include "props/kmap/world.hpp"

namespace props::kmap {

using ref::buddy::Address;
namespace ref_kmap = ref::kmap;

namespace {

// No CPU is in an interrupt, and nothing is planned to fail.
void stand_in_tasks(ref::kmap::Machine& m) {
  ref::core::plan_failure(m, 0);
  for (std::uint32_t cpu = 0; cpu < m.config.cpus; ++cpu) {
    ref::core::Cpu& c = m.arena.edit(m.core.cpu, cpu);
    c = {.task = c.task,
         .preempt_count = c.pagefault_disabled,
         .bh_off = 0,
         .softirq_count = 0,
         .hardirq_count = 0,
         .irqs_off = 0,
         .pagefault_disabled = c.pagefault_disabled};
  }
}

std::string text_of(std::optional<Pfn> pfn) {
  return pfn ? fmt::format("pfn {}", *pfn) : std::string("no translation");
}

}  // namespace

void World::after_step() {
  const std::size_t n = step_ + 1;
  if (judging_.contents_every > 0 && n % judging_.contents_every == 0) check_all_contents();
  if (judging_.invariants_every > 0 && n % judging_.invariants_every == 0) check_invariants();
  if (judging_.exhaust_every > 0 && n % judging_.exhaust_every == 0) {
    check_capacity();
    check_returned();
  }
}

void World::finish() {
  if (broken()) return;
  skip_armed();
  check_all_contents();
  if (!judging_.walk_at_end) return;
  check_capacity();
  check_returned();
  check_invariants();
}

void World::check_invariants() {
  if (broken()) return;
  if (const auto finding = first_broken(machine_)) break_rule(*finding);
}

bool World::check_translation(const HeldMap& h) {
  if (broken()) return false;
  if (h.lost) return true;
  const auto reads = [&](std::uint32_t cpu) {
    const auto seen = ref::mmu::translate(machine_, cpu, Address{h.address});
    if (seen == h.pfn) return true;
    break_rule(h.temporary() ? "ATOMIC-TRANSLATES" : "KMAP-TRANSLATES",
               fmt::format("CPU {} reads pfn {} at {:#x}", cpu, h.pfn, h.address), text_of(seen));
    return false;
  };
  if (h.temporary()) {
    const bool runs = machine_.arena.at(machine_.core.cpu, h.cpu).task == h.task;
    return !runs || reads(h.cpu);
  }
  for (std::uint32_t cpu = 0; cpu < machine_.config.cpus; ++cpu)
    if (!reads(cpu)) return false;
  return true;
}

void World::check_all_contents() {
  for (const HeldMap& h : maps_)
    if (h.live && !check_translation(h)) return;
  for (const auto& [pfn, stamp] : stamp_) {
    if (broken()) return;
    if (const Broken w = page_broken(machine_, pfn, stamp, judging_.stamps))
      break_rule("KMAP-CONTENT",
                 fmt::format("{:#x} at {} of pfn {}, as written through a map", w->expected,
                             w->where, pfn),
                 fmt::format("{:#x}", w->actual));
  }
}

void World::forget_contents(Pfn first, Pfn pages) {
  for (auto at = stamp_.lower_bound(first); at != stamp_.end() && at->first - first < pages;)
    at = stamp_.erase(at);
}

// --- on copies --------------------------------------------------------------------------------

// Every slot without users can be had, without waiting.
void World::check_capacity() {
  if (broken() || !up() || slots_.window().slots() == 0) return;
  scratch_ = machine_;
  stand_in_tasks(scratch_);
  const std::uint32_t task = scratch_.cpu().task;
  scratch_.arena.edit(scratch_.core.task, task).wait = {};
  QuietEnv env;
  std::uint64_t left = slots_.window().slots() - slots_.used();
  for (std::uint32_t z = 0; z < machine_.config.zone_count && left > 0; ++z) {
    const ref::core::ZoneSpec& zone = machine_.config.zones[z];
    if (zone.kind != ref::core::ZoneKind::highmem) continue;
    for (Pfn pfn = zone.first; pfn < zone.first + zone.pages && left > 0; ++pfn) {
      if (slots_.users(pfn) > 0) continue;
      const auto got = ref_kmap::kmap(env, scratch_, pfn);
      if (!got) {
        break_rule("KMAP-CAPACITY", fmt::format("room for {} more pages", left),
                   fmt::format("none for pfn {}", pfn));
        return;
      }
      --left;
    }
  }
  ++reach_[ReachEvent::exhausted];
}

// Everybody ends his maps, and the slots are flushed: no page has an address, no CPU a translation,
// and all pages can be given back.
void World::check_returned() {
  if (broken() || !up()) return;
  ++reach_[ReachEvent::returned];
  scratch_ = machine_;
  stand_in_tasks(scratch_);
  QuietEnv env;
  for (const HeldMap& h : maps_)
    if (h.live && h.kind == HeldMap::Kind::persistent) ref_kmap::kunmap(scratch_, h.pfn);
  ref_kmap::kmap_flush_unused(scratch_);
  for (const HeldMap& h : maps_) {
    if (h.kind != HeldMap::Kind::persistent || !h.high) continue;
    if (const auto address = ref_kmap::page_address(scratch_, h.pfn))
      return break_rule("KMAP-RETURNED", fmt::format("no address of pfn {}", h.pfn),
                        fmt::format("{:#x}", static_cast<std::uint64_t>(*address)));
    for (std::uint32_t cpu = 0; cpu < machine_.config.cpus; ++cpu)
      if (const auto seen = ref::mmu::translate(scratch_, cpu, Address{h.address}))
        return break_rule("KMAP-RETURNED",
                          fmt::format("CPU {} has no translation of {:#x}", cpu, h.address),
                          text_of(seen));
  }
  for (const HeldPages& p : pages_)
    if (p.live) ref::buddy::free_pages_(env, scratch_, p.pfn, p.order);
  ref::buddy::drain_all_pages(env, scratch_);
  const std::string now = ref::buddy::buddyinfo(scratch_);
  if (now != *settled_)
    break_rule("KMAP-RETURNED", "free blocks as after boot:\n" + *settled_, "\n" + now);
}

// --- the picture -------------------------------------------------------------------------------

std::string World::picture() const {
  if (!up()) return "no window\n";
  std::string text;
  const Slots::Window& w = slots_.window();
  text += fmt::format("pkmap {} slots from {:#x} on, the last one handed out was {}\n", w.slots(),
                      w.begin, machine_.arena.at(machine_.kmap.globals, 0).last_pkmap_nr);
  const auto registers = [&](std::uint64_t address) {
    std::string names;
    for (std::size_t i = 0; i < maps_.size(); ++i)
      if (maps_[i].live && maps_[i].address == address) names += fmt::format(" m{}", i);
    return names;
  };
  for (std::uint32_t slot = 0; slot < w.slots(); ++slot) {
    const std::uint32_t count = ref_kmap::pkmap_count(machine_, slot);
    const Address address = ref_kmap::pkmap_address(machine_, slot);
    const auto at = static_cast<std::uint64_t>(address);
    if (count == 0 && !ref::mmu::walk(machine_, address)) continue;
    text += fmt::format("  slot {:<4} {:#x}  count {}  {}{}\n", slot, at, count,
                        text_of(ref::mmu::walk(machine_, address)), registers(at));
  }
  for (const HeldMap& h : maps_)
    if (h.live && h.temporary())
      text += fmt::format("  CPU {} task {}  {:#x}  pfn {}{}{}\n", h.cpu, h.task, h.address, h.pfn,
                          registers(h.address), h.lost ? "  lost" : "");
  for (std::uint32_t task = 0; task < pending_.size(); ++task)
    if (pending_[task])
      text += fmt::format("  task {} waits in {}\n", task,
                          print_operation(*pending_[task], machine_.config.era));
  return text;
}

ref::core::Hash World::exact_state() const {
  Mixer state;
  const EraId era = machine_.config.era;
  state.add(machine_.arena.hash());
  // They only grow, and are judged by their difference alone.
  std::uint64_t counted = 0;
  for (const auto& e : machine_.events) counted += e.pgalloc - e.pgfree;
  state.add(counted);
  // Which of two maps is newer counts, not how many there were before.
  std::vector<std::uint64_t> serials;
  for (const HeldMap& h : maps_)
    if (h.live) serials.push_back(h.serial);
  std::ranges::sort(serials);
  for (const HeldMap& h : maps_) {
    state.add((h.live ? 1u : 0u) | (h.high ? 2u : 0u) | (h.lost ? 4u : 0u) |
              std::uint64_t{h.cpu} << 8 | std::uint64_t{h.task} << 16 |
              static_cast<std::uint64_t>(h.kind) << 24 | static_cast<std::uint64_t>(h.type) << 32);
    state.add(h.address);
    state.add(h.pfn);
    if (h.live)
      state.add(static_cast<std::uint64_t>(std::ranges::find(serials, h.serial) - serials.begin()));
  }
  for (const HeldPages& p : pages_)
    state.add((p.live ? 1u : 0u) | (p.compound ? 2u : 0u) | std::uint64_t{p.order} << 8 |
              std::uint64_t{p.pfn} << 32);
  for (const auto& [pfn, stamp] : stamp_) state.add(std::uint64_t{pfn} << 32 | stamp);
  for (const auto& stack : stack_) {
    state.add(stack.size());
    for (const Stacked& s : stack) state.add(s.address), state.add(s.pfn);
  }
  for (const auto& op : pending_) state.add(op ? print_operation(*op, era) : "");
  for (const Step& step : armed_) state.add(print_step(step, era));
  state.add(stamps_ * 2u + (searched_ ? 1u : 0u));
  return state.sum();
}

}  // namespace props::kmap
