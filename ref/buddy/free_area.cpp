// Implements splitting and merging.
#include "ref/buddy/free_area.hpp"

#include "ref/buddy/lists.hpp"

namespace ref::buddy {
namespace {

void add_to_free_list(Machine& m, Index z, Pfn pfn, unsigned order, bool to_tail) {
  const Index page = page_index(zone_at(m, z), pfn);
  Page& head = edit_page(m, page);
  REQUIRE(head.kind == PageKind::inner);
  head.kind = PageKind::free_head;
  head.order = static_cast<std::uint8_t>(order);
  const std::uint64_t area = std::uint64_t{z} * m.config.orders + order;
  (to_tail ? push_back : push_front)(m, m.buddy.area, area, page);
}

void del_page_from_free_list(Machine& m, Index z, Index page, unsigned order) {
  unlink(m, m.buddy.area, std::uint64_t{z} * m.config.orders + order, page);
  Page& head = edit_page(m, page);
  head.kind = PageKind::inner;
  head.order = 0;
}

// The frame's buddy, if it may merge with it: a free head of the same order in the same zone.
MaybePfn free_buddy(const Machine& m, const Zone& zone, Pfn pfn, unsigned order) {
  const Pfn origin = block_origin(m, zone);
  const Pfn buddy = ((pfn - origin) ^ (Pfn{1} << order)) + origin;
  if (buddy < zone.first || buddy - zone.first >= zone.pages) return std::nullopt;
  const Page& p = page_at(m, page_index(zone, buddy));
  if (p.kind != PageKind::free_head || p.order != order) return std::nullopt;
  return buddy;
}

Pfn parent(const Machine& m, const Zone& zone, Pfn pfn, unsigned order) {
  const Pfn origin = block_origin(m, zone);
  return ((pfn - origin) & ~(Pfn{1} << order)) + origin;
}

// B-11: a block whose next merge is likely is kept from being handed out soon. The kernel compares
// the zone of the pair's first frame with that of its buddy: where a zone starts crooked, the pair
// may begin in the zone below, and then that zone counts.
bool merge_is_likely(const Machine& m, const Zone& zone, Pfn pfn, unsigned order) {
  if (order + 2 >= m.config.orders) return false;
  const Pfn pair = parent(m, zone, pfn, order);
  const Index z = zone_of_pfn(m, pair);
  return z != no_zone && free_buddy(m, zone_at(m, z), pair, order + 1).has_value();
}

bool goes_to_tail(const Machine& m, const Zone& zone, Pfn pfn, unsigned order) {
  switch (m.profile().placement) {
    case core::Placement::head_always: return false;
    case core::Placement::tail_if_merge_likely: return merge_is_likely(m, zone, pfn, order);
  }
  UNREACHABLE("a placement outside the list");
}

}  // namespace

MaybePfn rmqueue_smallest(Machine& m, Index z, unsigned order) {
  for (unsigned from = order; from < m.config.orders; ++from) {
    const List& area = area_at(m, z, from);
    if (area.head == 0) continue;
    const Index page = area.head - 1;
    const Pfn pfn = pfn_of(zone_at(m, z), page);
    del_page_from_free_list(m, z, page, from);
    while (from > order) {
      --from;
      add_to_free_list(m, z, pfn + (Pfn{1} << from), from, false);
    }
    edit_zone(m, z).free_pages -= std::uint64_t{1} << order;
    return pfn;
  }
  return std::nullopt;
}

void free_one_page(Machine& m, Index z, Pfn pfn, unsigned order, FreeTo where) {
  Zone& zone = edit_zone(m, z);
  zone.free_pages += std::uint64_t{1} << order;
  for (; order + 1 < m.config.orders; ++order) {
    const MaybePfn buddy = free_buddy(m, zone, pfn, order);
    if (!buddy) break;
    del_page_from_free_list(m, z, page_index(zone, *buddy), order);
    pfn = parent(m, zone, pfn, order);
  }
  const bool to_tail = where == FreeTo::tail || goes_to_tail(m, zone, pfn, order);
  add_to_free_list(m, z, pfn, order, to_tail);
}

}  // namespace ref::buddy
