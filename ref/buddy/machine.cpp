// Boots a machine: lays the tables, then gives every managed page to the buddy system.
#include "ref/buddy/machine.hpp"

#include <algorithm>
#include <bit>

#include "ref/buddy/free_area.hpp"
#include "ref/buddy/watermark.hpp"

namespace ref::buddy {
namespace {

void lay_zone(Machine& m, Index z, Index map) {
  const core::ZoneSpec& spec = m.config.zones[z];
  Zone& zone = edit_zone(m, z);
  zone.first = spec.first;
  zone.pages = spec.pages;
  zone.managed = static_cast<std::uint32_t>(m.config.managed(z));
  zone.map = map;
  zone.node = spec.node;
  zone.kind = spec.kind;
  m.buddy.zone_of[spec.node][static_cast<std::size_t>(spec.kind)] = static_cast<std::uint8_t>(z);
}

void mark_reserved(Machine& m) {
  for (std::uint32_t i = 0; i < m.config.reserved_count; ++i) {
    const core::PfnRange& r = m.config.reserved[i];
    const Zone& zone = zone_at(m, zone_of_pfn(m, r.first));
    for (Pfn pfn = r.first; pfn <= r.last; ++pfn) {
      Page& page = edit_page(m, page_index(zone, pfn));
      page.kind = PageKind::reserved;
      page.refcount = 1;  // B-40
    }
  }
}

// The end of the run of managed pages that begins at `pfn`.
Pfn end_of_run(const Machine& m, const Zone& zone, Pfn pfn) {
  Pfn end = zone.first + zone.pages;
  for (std::uint32_t i = 0; i < m.config.reserved_count; ++i)
    if (m.config.reserved[i].first >= pfn) end = std::min(end, m.config.reserved[i].first);
  return end;
}

// Gives [pfn, end) to the free lists in the largest aligned blocks, in address order.
void free_run(Machine& m, Index z, Pfn pfn, Pfn end) {
  const Pfn origin = block_origin(m, zone_at(m, z));
  const FreeTo where = m.profile().boot_frees_to_tail ? FreeTo::tail : FreeTo::era_choice;
  while (pfn < end) {
    unsigned order = m.config.orders - 1;
    if (pfn != origin)
      order = std::min<unsigned>(order, static_cast<unsigned>(std::countr_zero(pfn - origin)));
    order = std::min<unsigned>(order, static_cast<unsigned>(std::bit_width(end - pfn)) - 1);
    free_one_page(m, z, pfn, order, where);
    pfn += Pfn{1} << order;
  }
}

void free_all_managed(Machine& m, Index z) {
  const Zone& zone = zone_at(m, z);
  const Pfn end = zone.first + zone.pages;
  for (Pfn pfn = zone.first; pfn < end;) {
    if (page_at(m, page_index(zone, pfn)).kind == PageKind::reserved) {
      ++pfn;
      continue;
    }
    const Pfn run_end = end_of_run(m, zone, pfn);
    free_run(m, z, pfn, run_end);
    pfn = run_end;
  }
}

}  // namespace

Machine::Machine(const core::Config& c) : Machine(c, Laid{}) { boot(); }

Machine::Machine(const core::Config& c, Laid) : core::Machine(c) {
  const std::uint64_t sets = std::uint64_t{c.zone_count} * c.cpus;
  buddy.zone = arena.lay<Zone>(c.zone_count);
  buddy.area = arena.lay<List>(std::uint64_t{c.zone_count} * c.orders);
  buddy.pcp = arena.lay<Pcp>(sets);
  buddy.pcp_list = arena.lay<List>(sets * pcp_lists);
  buddy.sysctl = arena.lay<Sysctl>(1);
  buddy.page = arena.lay<Page>(c.pages());
}

void Machine::boot() {
  lay_ram();
  arena.fit();
  boot_contexts();

  for (auto& kinds : buddy.zone_of) kinds.fill(no_zone);
  const core::Config& c = config;
  Index map = 0;
  for (Index z = 0; z < c.zone_count; ++z) {
    lay_zone(*this, z, map);
    map += c.zones[z].pages;
  }
  mark_reserved(*this);
  for (Index z = 0; z < c.zone_count; ++z) free_all_managed(*this, z);
  arena.edit(buddy.sysctl, 0) = {.min_free_kbytes = core::min_free_kbytes_of(c),
                                 .lowmem_reserve_ratio = core::lowmem_reserve_ratio_of(c),
                                 .scribbled = 0};
  setup_per_zone_lowmem_reserve(*this);
  setup_per_zone_wmarks(*this);
  arena.rebase();
}

Pfn block_origin(const Machine& m, const Zone& zone) {
  switch (m.profile().buddy_index) {
    case core::BuddyIndex::zone_relative: return zone.first;
    case core::BuddyIndex::pfn_relative: return 0;
  }
  UNREACHABLE("a buddy index outside the list");
}

std::optional<Pfn> head_of(const Machine& m, Pfn pfn) {
  const Index z = zone_of_pfn(m, pfn);
  if (z == no_zone) return std::nullopt;
  const Zone& zone = zone_at(m, z);
  const Pfn origin = block_origin(m, zone);
  for (unsigned order = 0; order < m.config.orders; ++order) {
    const Pfn head = ((pfn - origin) & ~((Pfn{1} << order) - 1)) + origin;
    if (head < zone.first || head - zone.first >= zone.pages) return std::nullopt;
    const Page& page = page_at(m, page_index(zone, head));
    if (page.kind == PageKind::inner) continue;
    const bool is_head = page.kind == PageKind::free_head || page.kind == PageKind::pcp_head ||
                         page.kind == PageKind::live_head;
    if (is_head && pfn - head < (Pfn{1} << page.order)) return head;
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace ref::buddy
