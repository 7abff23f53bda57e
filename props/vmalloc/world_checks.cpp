// The checks of a world that are not about one answer: contents, invariants, is every page back.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "props/core/probe.hpp"
#include "props/vmalloc/contents.hpp"
#include "props/vmalloc/invariants.hpp"
#include "props/vmalloc/world.hpp"
#include "ref/mmu/mmu.hpp"

namespace props::vmalloc {
namespace {

using ref::core::Index;

ZonePages free_pages(const Machine& m) {
  ZonePages free{};
  for (Index z = 0; z < m.config.zone_count; ++z) free[z] = ref::buddy::zone_at(m, z).free_pages;
  return free;
}

std::uint64_t free_below_highmem(const Machine& m) {
  std::uint64_t free = 0;
  for (Index z = 0; z < m.config.zone_count; ++z)
    if (const auto& zone = ref::buddy::zone_at(m, z); zone.kind != ref::core::ZoneKind::highmem)
      free += zone.free_pages;
  return free;
}

// Page tables stay for ever; they are not anybody's leak.
ZonePages table_pages(const Machine& m) {
  ZonePages tables{};
  for (std::uint64_t i = 0; i < m.mmu.directory.count; ++i)
    if (const Index table = m.arena.at(m.mmu.directory, i); table != 0)
      ++tables[ref::buddy::zone_of_pfn(m, table - 1)];
  return tables;
}

// An image on which a probe may ask whatever it likes: nothing planned, nobody atomic.
void free_hands(Machine& m) {
  ref::core::plan_failure(m, 0);
  for (std::uint32_t c = 0; c < m.config.cpus; ++c) {
    ref::core::Cpu& cpu = m.arena.edit(m.core.cpu, c);
    const std::uint32_t task = cpu.task;
    cpu = {};
    cpu.task = task;
    m.arena.edit(m.core.task, task) = {};
  }
  m.arena.edit(m.core.task, m.cpu().task).flags = ref::core::PF_MEMALLOC;
}

// The object that each CPU keeps for its next split, back to its cache.
void free_preloads(ref::core::Env& env, Machine& m) {
  const Index cache = m.arena.at(m.vmalloc.globals, 0).vmap_area_cache;
  for (std::uint32_t cpu = 0; cpu < m.vmalloc.cpu.count && cache != 0; ++cpu) {
    const std::uint64_t object = m.arena.at(m.vmalloc.cpu, cpu).preload;
    if (object == 0) continue;
    m.arena.edit(m.vmalloc.cpu, cpu).preload = 0;
    ref::slab::kmem_cache_free(env, m, ref::slab::CacheId{cache - 1}, Address{object});
  }
}

}  // namespace

// What one cache gives back may be the management of another's slabs: until nothing more comes.
void settle(ref::core::Env& env, Machine& m) {
  for (std::uint32_t cpu = 0; cpu < m.config.cpus; ++cpu) ref::vmalloc::free_work(env, m, cpu);
  ref::vmalloc::vm_unmap_aliases(env, m);
  ref::vmalloc::drain_vmap_area_work(env, m);
  free_preloads(env, m);
  constexpr int rounds_max = 8;
  for (int round = 0; round < rounds_max; ++round) {
    const ZonePages before = free_pages(m);
    for (Index i = 0; i < m.slab.cache.count; ++i)
      if (m.arena.at(m.slab.cache, i).state == ref::slab::CacheState::live)
        (void)ref::slab::kmem_cache_shrink(env, m, ref::slab::CacheId{i});
    ref::buddy::drain_all_pages(env, m);
    if (round > 0 && free_pages(m) == before) return;
  }
}

Newborn::Newborn(const Config& config) : machine(config) {
  Machine copy = machine;
  QuietEnv env;
  free_hands(copy);
  settle(env, copy);
  settled = free_pages(copy);
}

void World::after_step() {
  const std::size_t n = step_ + 1;
  const auto due = [&](std::uint32_t every) { return every > 0 && n % every == 0; };
  if (due(judging_.contents_every)) check_contents();
  if (due(judging_.exhaust_every)) check_empty();
  if (due(judging_.invariants_every)) check_invariants();
}

void World::finish() {
  if (broken()) return;
  skip_armed();
  check_contents();
  if (!judging_.walk_at_end) return;
  check_empty();
  check_invariants();
}

// --- contents -----------------------------------------------------------------------------------

bool World::check_frame(Pfn pfn, std::string_view where) {
  const auto known = contents_.find(pfn);
  if (!judging_.stamps || known == contents_.end() || known->second == 0) return true;
  const std::uint64_t page = machine_.config.page_bytes;
  const std::uint64_t ram = ref::buddy::ram_offset(machine_, pfn);
  for (const StampedWord& word : stamp_of(known->second, page))
    for (std::size_t i = 0; i < word.bytes.size(); ++i) {
      const std::byte byte = machine_.arena.at(machine_.ram, ram + word.offset + i);
      if (byte == word.bytes[i]) continue;
      break_rule("VMALLOC-CONTENT",
                 fmt::format("{:#x} at byte {} of pfn {}{}",
                             std::to_integer<unsigned>(word.bytes[i]), word.offset + i, pfn, where),
                 fmt::format("{:#x}", std::to_integer<unsigned>(byte)));
      return false;
    }
  return true;
}

// What every CPU sees behind every address of an area, and behind its guard.
bool World::check_translations(const Area& a) {
  if (a.kind == AreaKind::kmalloc) return true;
  const std::uint64_t page = machine_.config.page_bytes;
  for (std::uint32_t cpu = 0; cpu < machine_.config.cpus; ++cpu)
    for (std::uint64_t i = 0; i * page < a.bytes + a.guard; ++i) {
      const std::uint64_t at = a.first + i * page;
      const auto seen = ref::mmu::translate(machine_, cpu, Address{at});
      const bool mapped = i < a.pages.size();
      const Pfn wanted = mapped ? a.pages[i] : 0;
      const auto right = [&](const std::optional<Pfn>& pfn) {
        return pfn.has_value() == mapped && pfn.value_or(0) == wanted;
      };
      if (right(seen)) continue;
      const auto walked = ref::mmu::walk(machine_, Address{at});
      const auto text = [](bool any, Pfn pfn) {
        return any ? fmt::format("pfn {}", pfn) : std::string("nothing");
      };
      const bool guard = i * page >= a.bytes;
      break_rule(right(walked) ? "VMALLOC-STALE"
                 : guard       ? "VMALLOC-GUARD"
                               : "VMALLOC-MAPPED",
                 fmt::format("{} behind {:#x}, page {} of an area of {}, on CPU {}",
                             text(mapped, wanted), at, i, a.bytes / page, cpu),
                 text(seen.has_value(), seen.value_or(0)));
      return false;
    }
  return true;
}

void World::check_contents() {
  for (const Area& a : areas_)
    if (a.live() && !broken()) check_translations(a);
  for (const auto& [pfn, stamp] : contents_)
    if (!broken()) check_frame(pfn, ", which a caller has");
}

// --- walks
// ----------------------------------------------------------------------------------------

void World::check_invariants() {
  if (broken()) return;
  if (const auto finding = first_broken(machine_)) break_rule(*finding);
}

// Gives everything back on a copy: every page must be there again, but for page tables, and the
// whole window in one piece.
void World::check_empty() {
  if (broken() || machine_.globals().log.leaks > 0 || !up()) return;
  ++reach_[ReachEvent::emptied];
  scratch_ = machine_;
  QuietEnv env;
  free_hands(scratch_);
  for (const Area& a : areas_) {
    if (!a.live()) continue;
    if (a.kind == AreaKind::ram)
      ref::vmalloc::vm_unmap_ram(env, scratch_, a.address,
                                 static_cast<std::uint32_t>(a.pages.size()));
    else if (a.kind == AreaKind::ioremap) ref::vmalloc::iounmap(env, scratch_, a.address);
    else ref::vmalloc::kvfree(env, scratch_, a.address);
  }
  for (const Block& b : blocks_)
    if (b.live) ref::buddy::free_pages_(env, scratch_, b.pfn, b.order);
  for (const Address list : lost_lists_) ref::vmalloc::kvfree(env, scratch_, list);
  for (const Pfn pfn : lost_) ref::buddy::free_page_(env, scratch_, pfn);
  settle(env, scratch_);
  // Of all zones together: the last range's object may by now lie in another zone's slab.
  const auto sum = [](const ZonePages& zones) {
    return std::accumulate(zones.begin(), zones.end(), std::uint64_t{0});
  };
  const std::uint64_t wanted =
      sum(newborn_->settled) + sum(table_pages(newborn_->machine)) - sum(table_pages(scratch_));
  if (const std::uint64_t free = sum(free_pages(scratch_)); free != wanted)
    return break_rule("VMALLOC-RETURNED",
                      fmt::format("{} free pages when all is given back", wanted),
                      fmt::format("{}", free));
  const std::uint64_t nr = ref::vmalloc::vmalloc_nr_pages(scratch_);
  if (nr != lost_counted_)
    return break_rule("VMALLOC-ACCOUNTED", fmt::format("{} pages are vmalloc's", lost_counted_),
                      fmt::format("{}", nr));
  const Range& window = ranges_.window();
  const std::uint64_t all = window.end - window.first - machine_.config.page_bytes;
  if (all == 0) return;
  const std::uint64_t lowmem_free = free_below_highmem(scratch_);
  const auto whole = ref::vmalloc::get_vm_area(env, scratch_, all, ref::vmalloc::VM_MAP);
  if (whole && static_cast<std::uint64_t>(*whole) == window.first) return;
  // Boot may leave no page for the slabs of the two descriptors; then it is not room that is short.
  // That no page was lost is judged above, on every machine.
  constexpr std::uint64_t for_descriptors = 8;
  if (!whole && lowmem_free < for_descriptors) return;
  break_rule("VMALLOC-AGAIN", fmt::format("the whole window: {} bytes and a guard", all),
             whole ? fmt::format("{:#x}", static_cast<std::uint64_t>(*whole)) : "refused");
}

}  // namespace props::vmalloc
