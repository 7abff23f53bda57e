// Implements the life of a block between the lists and its owner, and the fields of a page.
#include "ref/buddy/page.hpp"

#include <algorithm>

#include "ref/buddy/buddy.hpp"

namespace ref::buddy {
namespace {

Page& edit_pfn(Machine& m, Pfn pfn) {
  const Index z = zone_of_pfn(m, pfn);
  REQUIRE(z != no_zone);
  return edit_page(m, page_index(zone_at(m, z), pfn));
}

bool owned(const Page& p) { return p.kind == PageKind::live_head; }

// Forgets what was written into free frames [pfn, pfn + 2^order). True if there was anything.
bool wipe_scribbles(Machine& m, Pfn pfn, unsigned order) {
  if (m.arena.at(m.buddy.sysctl, 0).scribbled == 0) return false;
  bool any = false;
  for (Pfn i = 0; i < (Pfn{1} << order); ++i) {
    Page& p = edit_pfn(m, pfn + i);
    if (p.flags == 0 && p.mapcount == 0) continue;
    any = true;
    p.flags = 0, p.mapcount = 0;
    --m.arena.edit(m.buddy.sysctl, 0).scribbled;
  }
  return any;
}

}  // namespace

std::uint64_t ram_offset(const Machine& m, Pfn pfn) {
  const Index z = zone_of_pfn(m, pfn);
  REQUIRE(z != no_zone);
  return std::uint64_t{page_index(zone_at(m, z), pfn)} * m.config.page_bytes;
}

bool prep_new_page(Machine& m, Pfn pfn, unsigned order, core::Gfp gfp, bool pfmemalloc) {
  if (wipe_scribbles(m, pfn, order)) {
    switch (m.profile().bad_page) {
      case core::BadPage::leaked:
        report(m, Fault::bad_page, Effect::leaked, pfn);
        leak(m, pfn, 1u << order);
        return false;
      case core::BadPage::freed_anyway: report(m, Fault::bad_page, Effect::none, pfn); break;
    }
  }
  Page& head = edit_pfn(m, pfn);
  REQUIRE(head.kind == PageKind::inner);
  head.kind = PageKind::live_head;
  head.order = static_cast<std::uint8_t>(order);
  head.refcount = 1;
  if (order > 0 && (gfp & core::GFP_BIT_COMP)) head.flags |= PG_head;
  if (pfmemalloc) head.flags |= PG_pfmemalloc;
  if (gfp & core::GFP_BIT_ZERO) {
    const std::uint64_t bytes = std::uint64_t{m.config.page_bytes} << order;
    if (!pages_are_zero(m, pfn, bytes))
      std::ranges::fill(write_pages(m, pfn, 0, bytes), std::byte{0});
  }
  return true;
}

bool free_pages_prepare(Machine& m, Pfn pfn, unsigned order) {
  Page& head = edit_pfn(m, pfn);
  REQUIRE(owned(head));
  const bool bad = (head.flags & page_flags_check_at_free) != 0 || head.mapcount != 0;
  head = {};
  if (!bad) return true;
  switch (m.profile().bad_page) {
    case core::BadPage::freed_anyway: report(m, Fault::bad_page, Effect::freed, pfn); return true;
    case core::BadPage::leaked:
      report(m, Fault::bad_page, Effect::leaked, pfn);
      leak(m, pfn, 1u << order);
      return false;
  }
  UNREACHABLE("a bad page policy outside the list");
}

void leak(Machine& m, Pfn first, std::uint32_t pages) {
  for (Pfn pfn = first; pfn < first + pages; ++pfn) {
    Page& p = edit_pfn(m, pfn);
    p = {};
    p.kind = PageKind::leaked;
  }
  report_leak(m, first, pages);
}

void set_page_private(Machine& m, Pfn pfn, std::uint32_t value) {
  Page& p = edit_pfn(m, pfn);
  if (owned(p)) p.private_data = value;
}

std::uint32_t page_private(const Machine& m, Pfn pfn) {
  const Index z = zone_of_pfn(m, pfn);
  REQUIRE(z != no_zone);
  return page_at(m, page_index(zone_at(m, z), pfn)).private_data;
}

bool page_is_pfmemalloc(const Machine& m, Pfn pfn) {
  const Index z = zone_of_pfn(m, pfn);
  REQUIRE(z != no_zone);
  return page_at(m, page_index(zone_at(m, z), pfn)).flags & PG_pfmemalloc;
}

void set_page_flags(Machine& m, Pfn pfn, std::uint16_t flags) {
  Page& p = edit_pfn(m, pfn);
  if (p.kind == PageKind::reserved || p.kind == PageKind::leaked) return;
  if (owned(p)) {
    p.flags = static_cast<std::uint16_t>((p.flags & (PG_head | PG_pfmemalloc)) | flags);
    return;
  }
  if (head_of(m, pfn) && edit_pfn(m, *head_of(m, pfn)).kind == PageKind::live_head) return;
  std::uint32_t& scribbled = m.arena.edit(m.buddy.sysctl, 0).scribbled;
  const bool before = p.flags != 0;
  p.flags = flags;
  scribbled += static_cast<std::uint32_t>(flags != 0) - static_cast<std::uint32_t>(before);
}

void set_page_mapcount(Machine& m, Pfn pfn, std::uint32_t count) {
  Page& p = edit_pfn(m, pfn);
  if (owned(p)) p.mapcount = count;
}

std::uint32_t page_count(const Machine& m, Pfn pfn) {
  const Index z = zone_of_pfn(m, pfn);
  REQUIRE(z != no_zone);
  const Page& own = page_at(m, page_index(zone_at(m, z), pfn));
  if (own.kind != PageKind::inner) return own.refcount;
  const std::optional<Pfn> head = head_of(m, pfn);
  if (!head) return 0;
  const Page& p = page_at(m, page_index(zone_at(m, z), *head));
  return p.flags & PG_head ? p.refcount : 0;  // tails of other blocks count nothing (B-30)
}

std::optional<Address> page_address(const Machine& m, Pfn pfn) {
  const Index z = zone_of_pfn(m, pfn);
  if (z == no_zone || zone_at(m, z).kind == ZoneKind::highmem) return std::nullopt;
  return Address{core::page_offset + std::uint64_t{pfn} * m.config.page_bytes};
}

std::optional<Pfn> virt_to_pfn(const Machine& m, Address address) {
  const auto at = static_cast<std::uint64_t>(address);
  if (at < core::page_offset) return std::nullopt;
  const std::uint64_t pfn = (at - core::page_offset) / m.config.page_bytes;
  if (pfn >= core::pfn_end || !page_address(m, static_cast<Pfn>(pfn))) return std::nullopt;
  return static_cast<Pfn>(pfn);
}

std::span<const std::byte> read_pages(const Machine& m, Pfn pfn, std::uint64_t offset,
                                      std::uint64_t bytes) {
  return m.arena.bytes(m.ram, ram_offset(m, pfn) + offset, bytes);
}

std::span<std::byte> write_pages(Machine& m, Pfn pfn, std::uint64_t offset, std::uint64_t bytes) {
  return m.arena.edit_bytes(m.ram, ram_offset(m, pfn) + offset, bytes);
}

bool pages_are_zero(const Machine& m, Pfn pfn, std::uint64_t bytes) {
  if (m.arena.untouched(m.ram, ram_offset(m, pfn), bytes)) return true;
  return std::ranges::all_of(read_pages(m, pfn, 0, bytes),
                             [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace ref::buddy
