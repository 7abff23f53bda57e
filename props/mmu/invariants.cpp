// The white-box invariants of page tables and TLBs.
#include "props/mmu/invariants.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <set>

#include "props/buddy/invariants.hpp"
#include "ref/core/window.hpp"

namespace props::mmu {
namespace {

using ref::core::Index;
using ref::core::Pfn;
using ref::core::ZoneKind;
using ref::mmu::Pte;
using ref::mmu::Tlb;
using ref::mmu::TlbEntry;

std::uint64_t entries_of_table(const Machine& m) { return m.config.page_bytes / sizeof(Pte); }

// --- page tables ------------------------------------------------------------------------------

Broken of_table(std::uint64_t i, std::string_view what, std::uint64_t expected,
                std::uint64_t actual) {
  if (expected == actual) return std::nullopt;
  return Witness{fmt::format("page table {}, {}", i, what), expected, actual};
}

Broken table_broken(const Machine& m, std::uint64_t i, Pfn pfn) {
  const Index z = ref::buddy::zone_of_pfn(m, pfn);
  if (z == ref::buddy::no_zone) return of_table(i, "a zone that has its frame", 1, 0);
  const ref::buddy::Zone& zone = ref::buddy::zone_at(m, z);
  if (zone.kind == ZoneKind::highmem) return of_table(i, "its frame is below HIGHMEM", 1, 0);
  const ref::buddy::Page& page = ref::buddy::page_at(m, ref::buddy::page_index(zone, pfn));
  if (page.kind != ref::buddy::PageKind::live_head)
    return of_table(i, "the kind of its page",
                    static_cast<std::uint64_t>(ref::buddy::PageKind::live_head),
                    static_cast<std::uint64_t>(page.kind));
  if (auto w = of_table(i, "the order of its page", 0, page.order)) return w;
  return of_table(i, "references of its page", 1, page.refcount);
}

// Whether boot gives a page table to what table number `i` maps.
bool from_boot(const Machine& m, std::uint64_t i) {
  const ref::core::Window w = ref::core::window_of(m.config);
  const std::uint64_t span = ref::core::table_span(m.config.page_bytes);
  const std::uint64_t begin = m.mmu.base + i * span, end = begin + span;
  return (begin < w.pkmap_end && end > w.pkmap_base) ||
         (begin < w.fixaddr_top && end > w.fixmap_start);
}

bool has_tables(const Machine& m) {
  for (std::uint64_t i = 0; i < m.mmu.directory.count; ++i)
    if (m.arena.at(m.mmu.directory, i) != 0) return true;
  return false;
}

Broken tables_broken(const Machine& m) {
  std::set<Pfn> seen;
  const bool up = has_tables(m);
  for (std::uint64_t i = 0; i < m.mmu.directory.count; ++i) {
    const Index link = m.arena.at(m.mmu.directory, i);
    if (link == 0) {
      if (up && from_boot(m, i)) return of_table(i, "there from boot on", 1, 0);
      continue;
    }
    if (const Broken w = table_broken(m, i, link - 1)) return w;
    if (!seen.insert(link - 1).second) return of_table(i, "of its own", 1, 0);
  }
  return std::nullopt;
}

bool may_be_mapped(const ref::core::Window& w, std::uint64_t address) {
  return (address >= w.vmalloc_start && address < w.vmalloc_end) ||
         (address >= w.pkmap_base && address < w.pkmap_end) ||
         (address >= w.fixmap_start && address < w.fixaddr_top);
}

Broken entries_broken(const Machine& m) {
  if (m.mmu.directory.count == 0) return std::nullopt;
  const ref::core::Window w = ref::core::window_of(m.config);
  const std::uint64_t entries = entries_of_table(m);
  for (std::uint64_t i = 0; i < m.mmu.directory.count; ++i) {
    const auto table = table_of(m, i);
    for (std::uint64_t n = 0; table && n < entries; ++n) {
      const Pte pte = entry_of(m, *table, n);
      if (pte == 0) continue;
      const std::uint64_t address = m.mmu.base + (i * entries + n) * m.config.page_bytes;
      if ((pte & 1u) == 0)
        return Witness{fmt::format("the present bit of the entry at {:#x}", address), 1, 0};
      if (!may_be_mapped(w, address))
        return Witness{fmt::format("the entry at {:#x}, where nothing may be", address), 0, pte};
    }
  }
  return std::nullopt;
}

// --- TLBs ---------------------------------------------------------------------------------------

const TlbEntry& entry_at(const Machine& m, std::uint32_t cpu, Index link) {
  return m.arena.at(m.mmu.entry, cpu * m.mmu.pages + link - 1);
}

Broken of_cpu(std::uint32_t cpu, std::string_view what, std::uint64_t expected,
              std::uint64_t actual) {
  if (expected == actual) return std::nullopt;
  return Witness{fmt::format("CPU {}, {}", cpu, what), expected, actual};
}

std::uint64_t filled(const Machine& m, std::uint32_t cpu) {
  std::uint64_t count = 0;
  for (std::uint64_t page = 0; page < m.mmu.pages; ++page)
    count += m.arena.at(m.mmu.entry, cpu * m.mmu.pages + page).pte != 0;
  return count;
}

Broken tlb_broken(const Machine& m) {
  for (std::uint32_t cpu = 0; cpu < m.mmu.tlb.count; ++cpu) {
    const Tlb& tlb = m.arena.at(m.mmu.tlb, cpu);
    Index before = 0;
    std::uint64_t members = 0;
    for (Index link = tlb.first; link != 0; before = link, link = entry_at(m, cpu, link).next) {
      if (link > m.mmu.pages || ++members > m.mmu.pages)
        return of_cpu(cpu, "links within the window", m.mmu.pages,
                      std::max<std::uint64_t>(link, members));
      const TlbEntry& e = entry_at(m, cpu, link);
      if (auto w = of_cpu(cpu, fmt::format("present bit of page {}", link - 1), 1, e.pte & 1u))
        return w;
      if (auto w = of_cpu(cpu, fmt::format("back link of page {}", link - 1), before, e.prev))
        return w;
    }
    if (auto w = of_cpu(cpu, "cached translations", members, tlb.count)) return w;
    if (auto w = of_cpu(cpu, "entries that hold one", members, filled(m, cpu))) return w;
  }
  return std::nullopt;
}

Broken canonical_broken(const Machine& m) {
  const bool up = has_tables(m);
  for (std::uint32_t cpu = 0; cpu < m.mmu.tlb.count; ++cpu) {
    if (!up)
      if (auto w = of_cpu(cpu, "cached without tables", 0, m.arena.at(m.mmu.tlb, cpu).count))
        return w;
    for (std::uint64_t page = 0; page < m.mmu.pages; ++page) {
      const TlbEntry& e = m.arena.at(m.mmu.entry, cpu * m.mmu.pages + page);
      if (auto w = of_cpu(cpu, fmt::format("padding of page {}", page), 0, e.zero)) return w;
      if (e.pte == 0 && (e.next | e.prev) != 0)
        return of_cpu(cpu, fmt::format("links of page {}, which caches nothing", page), 0, 1);
    }
  }
  return std::nullopt;
}

constexpr std::array invariant_table{
    Invariant{"MMU-TABLES", tables_broken},
    Invariant{"MMU-ENTRIES", entries_broken},
    Invariant{"MMU-TLB", tlb_broken},
    Invariant{"MMU-CANONICAL", canonical_broken},
};

}  // namespace

std::optional<Pfn> table_of(const Machine& m, std::uint64_t i) {
  if (i >= m.mmu.directory.count) return std::nullopt;
  const Index link = m.arena.at(m.mmu.directory, i);
  if (link == 0 || ref::buddy::zone_of_pfn(m, link - 1) == ref::buddy::no_zone) return std::nullopt;
  return link - 1;
}

Pte entry_of(const Machine& m, Pfn table, std::uint64_t n) {
  Pte pte = 0;
  const std::uint64_t at = ref::buddy::ram_offset(m, table) + n * sizeof pte;
  std::memcpy(&pte, m.arena.bytes(m.ram, at, sizeof pte).data(), sizeof pte);
  return pte;
}

Pte pte_at(const Machine& m, std::uint64_t address) {
  if (m.mmu.pages == 0 || address < m.mmu.base) return 0;
  const std::uint64_t page = (address - m.mmu.base) / m.config.page_bytes;
  const auto table = table_of(m, page / entries_of_table(m));
  return table ? entry_of(m, *table, page % entries_of_table(m)) : 0;
}

std::span<const Invariant> invariants() { return invariant_table; }

std::optional<Finding> first_broken(const Machine& m) {
  if (auto finding = buddy::first_broken(m)) return finding;
  for (const Invariant& invariant : invariant_table)
    if (const Broken w = invariant.broken(m))
      return Finding{invariant.rule, fmt::format("{}: {}", w->where, w->expected),
                     fmt::format("{}", w->actual)};
  return std::nullopt;
}

}  // namespace props::mmu
