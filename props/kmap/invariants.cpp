// The white-box invariants of persistent maps: slots, hash, TLBs, sleepers; and the list of all.
#include "props/kmap/invariants.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>
#include <vector>

#include "props/kmap/invariants_parts.hpp"
#include "props/mmu/invariants.hpp"

namespace props::kmap {
namespace {

using ref::kmap::Chain;
using ref::kmap::KmapGlobals;
using ref::kmap::PageAddress;

const KmapGlobals& globals_of(const Machine& m) { return m.arena.at(m.kmap.globals, 0); }
bool keeps_pool(const Machine& m) { return m.profile().page_hash == ref::core::PageHash::pool; }
const PageAddress& record_at(const Machine& m, Index link) {
  return m.arena.at(m.kmap.page_address, link - 1);
}

// --- slots --------------------------------------------------------------------------------------

Broken bijection_broken(const Machine& m) {
  std::vector<std::uint64_t> known(m.kmap.count.count);  // records of the hash, by slot
  const std::uint64_t base = m.mmu.window.pkmap_base, page = m.config.page_bytes;
  for (std::uint64_t i = 0; i < m.kmap.page_address.count; ++i) {
    const PageAddress& r = m.arena.at(m.kmap.page_address, i);
    if (r.address == 0) continue;
    const std::uint64_t slot = (r.address - base) / page;
    if (r.address < base || (r.address - base) % page != 0 || slot >= known.size())
      return Witness{fmt::format("record {}, a slot at {:#x}", i, r.address), 1, 0};
    ++known[slot];
    const Pte pte = mmu::pte_at(m, r.address);
    if (pte != ref::mmu::pte_of(r.page))
      return Witness{fmt::format("slot {}, the page table's entry of pfn {}", slot, r.page),
                     ref::mmu::pte_of(r.page), pte};
    if (!is_high_frame(m, r.page))
      return Witness{fmt::format("slot {}, a page of HIGHMEM: pfn {}", slot, r.page), 1, 0};
  }
  for (std::uint64_t slot = 0; slot < known.size(); ++slot) {
    const std::uint64_t live = m.arena.at(m.kmap.count, slot) >= 1;
    if (live != (mmu::pte_at(m, base + slot * page) != 0))
      return Witness{fmt::format("slot {}, whether the page tables have it", slot), live, 1 - live};
    if (known[slot] != live)
      return Witness{fmt::format("slot {}, addresses in the hash", slot), live, known[slot]};
  }
  return std::nullopt;
}

// --- the hash -----------------------------------------------------------------------------------

// hash_long over the address of a struct page, with 32 bytes for each.
std::uint32_t bucket_of(const Machine& m, Pfn pfn) {
  const bool old = keeps_pool(m);
  const std::uint32_t golden = old ? 0x9e370001 : 0x61c88647;
  return static_cast<std::uint32_t>(pfn * 32u * golden) >> 25;
}

// Walks a chain; each member is marked, and must not be yet.
Broken chain_broken(const Machine& m, const Chain& chain, std::string_view name, bool pooled,
                    std::optional<std::uint32_t> bucket, std::vector<bool>& seen) {
  Index before = 0;
  for (Index link = chain.head; link != 0; before = link, link = record_at(m, link).next) {
    if (link > seen.size())
      return Witness{fmt::format("{}, links to records", name), seen.size(), link};
    if (seen[link - 1]) return Witness{fmt::format("{}, record {} twice", name, link - 1), 1, 2};
    seen[link - 1] = true;
    const PageAddress& r = record_at(m, link);
    if (r.prev != before)
      return Witness{fmt::format("{}, back link of record {}", name, link - 1), before, r.prev};
    if ((r.address == 0) != pooled || (pooled && r.page != 0))
      return Witness{fmt::format("{}, record {} is in use", name, link - 1), pooled ? 0u : 1u,
                     pooled ? 1u : 0u};
    if (bucket && bucket_of(m, r.page) != *bucket)
      return Witness{fmt::format("{}, bucket of pfn {}", name, r.page), bucket_of(m, r.page),
                     *bucket};
  }
  if (chain.tail != before) return Witness{fmt::format("{}, its tail", name), before, chain.tail};
  return std::nullopt;
}

Broken hash_broken(const Machine& m) {
  if (m.kmap.globals.count == 0) return std::nullopt;
  std::vector<bool> seen(m.kmap.page_address.count);
  for (std::uint32_t b = 0; b < m.kmap.bucket.count; ++b)
    if (auto w = chain_broken(m, m.arena.at(m.kmap.bucket, b), fmt::format("bucket {}", b), false,
                              b, seen))
      return w;
  if (auto w = chain_broken(m, globals_of(m).pool, "the pool", true, {}, seen)) return w;
  for (Index link = 1; link <= seen.size(); ++link) {
    const PageAddress& r = record_at(m, link);
    if (!keeps_pool(m) && r.address != 0 &&
        r.address != m.mmu.window.pkmap_base + std::uint64_t{link - 1} * m.config.page_bytes)
      return Witness{fmt::format("record {}, the address of its slot", link - 1),
                     m.mmu.window.pkmap_base + std::uint64_t{link - 1} * m.config.page_bytes,
                     r.address};
    if (seen[link - 1]) continue;
    if (keeps_pool(m)) return Witness{fmt::format("record {}, on some chain", link - 1), 1, 0};
    if (!is_zero(r)) return Witness{fmt::format("record {}, of no page", link - 1), 0, 1};
  }
  return std::nullopt;
}

// --- TLBs, sleepers
// -------------------------------------------------------------------------------

Broken tlb_broken(const Machine& m) {
  const ref::core::Window& w = m.mmu.window;
  const std::uint64_t page = m.config.page_bytes;
  const std::uint64_t of_a_cpu = m.profile().atomic_slots * page;
  for (std::uint32_t cpu = 0; cpu < m.mmu.tlb.count; ++cpu)
    for (std::uint64_t i = 0; i < m.mmu.pages; ++i) {
      const Pte pte = m.arena.at(m.mmu.entry, cpu * m.mmu.pages + i).pte;
      const std::uint64_t at = m.mmu.base + i * page;
      // Slots grow downwards, CPU after CPU.
      const std::uint64_t own_end = w.fixaddr_top - cpu * of_a_cpu;
      const bool judged =
          (at >= w.pkmap_base && at < w.pkmap_end) || (at >= own_end - of_a_cpu && at < own_end);
      if (pte == 0 || !judged || pte == mmu::pte_at(m, at)) continue;
      return Witness{fmt::format("CPU {}, what it has cached of {:#x}", cpu, at),
                     mmu::pte_at(m, at), pte};
    }
  return std::nullopt;
}

Broken queue_broken(const Machine& m) {
  if (m.kmap.globals.count == 0) return std::nullopt;
  const KmapGlobals& g = globals_of(m);
  if (g.last_pkmap_nr >= std::max<std::uint64_t>(m.kmap.count.count, 1))
    return Witness{"the cursor, a slot", m.kmap.count.count, g.last_pkmap_nr};
  for (std::uint32_t t = 0; t < 32; ++t) {
    const ref::core::Wait none{};
    const auto& wait = t < m.core.task.count ? m.arena.at(m.core.task, t).wait : none;
    const bool waits = wait.call == ref::kmap::call_kmap;
    if ((g.sleepers >> t & 1u) != 0 && !waits)
      return Witness{fmt::format("task {} sleeps, its call", t), ref::kmap::call_kmap, wait.call};
    if (waits && (wait.argument > UINT32_MAX || !is_high_frame(m, static_cast<Pfn>(wait.argument))))
      return Witness{fmt::format("task {}, a page of HIGHMEM", t), 1, 0};
  }
  if (g.sleepers == 0) return std::nullopt;
  for (std::uint64_t slot = 0; slot < m.kmap.count.count; ++slot)
    if (m.arena.at(m.kmap.count, slot) < 2)
      return Witness{fmt::format("tasks sleep, users of slot {}", slot), 1, 0};
  return std::nullopt;
}

// Maps first, because what follows is built on what they say.
constexpr std::array table{
    Invariant{"KMAP-HASHED", hash_broken},         Invariant{"KMAP-BIJECTION", bijection_broken},
    Invariant{"KMAP-CLEAN", tlb_broken},           Invariant{"KMAP-QUEUE", queue_broken},
    Invariant{"ATOMIC-SAVED", saved_broken},       Invariant{"ATOMIC-SLOTS", slots_broken},
    Invariant{"KMAP-CANONICAL", canonical_broken},
};

}  // namespace

bool is_high_frame(const Machine& m, Pfn pfn) {
  const Index z = ref::buddy::zone_of_pfn(m, pfn);
  return z != ref::buddy::no_zone && m.config.zones[z].kind == ref::core::ZoneKind::highmem;
}

std::span<const Invariant> invariants() { return table; }

std::optional<Finding> first_broken(const Machine& m) {
  if (auto finding = mmu::first_broken(m)) return finding;
  for (const Invariant& invariant : table)
    if (const Broken w = invariant.broken(m))
      return Finding{invariant.rule, fmt::format("{}: {}", w->where, w->expected),
                     fmt::format("{}", w->actual)};
  return std::nullopt;
}

}  // namespace props::kmap
