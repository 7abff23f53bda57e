// Implements the invariants of what a step touched.
#include "props/buddy/touched.hpp"

#include <fmt/format.h>

namespace props::buddy {
namespace {

using namespace ref::buddy;

[[gnu::noinline, gnu::cold]] Finding finding(std::string_view rule, std::string where,
                                             std::uint64_t expected, std::uint64_t actual) {
  return {rule, fmt::format("{}: {}", where, expected), fmt::format("{}", actual)};
}

// What is wrong with the first and the last block of a list, in one word; null when nothing is.
const char* wrong_end(const Machine& m, const Zone& zone, const List& list, PageKind kind,
                      unsigned order) {
  if (list.count == 0) return (list.head | list.tail) == 0 ? nullptr : "an empty list's ends";
  if (list.head - 1 - zone.map >= zone.pages || list.tail - 1 - zone.map >= zone.pages)
    return "its ends";
  if ((list.head == list.tail) != (list.count == 1)) return "its length";
  const Page &first = page_at(m, list.head - 1), &last = page_at(m, list.tail - 1);
  if (first.kind != kind || last.kind != kind) return "the kind of its ends";
  if (first.order != order || last.order != order) return "the order of its ends";
  if (first.prev != 0 || last.next != 0) return "the links past its ends";
  if (list.count == 1) return nullptr;
  if (first.next - 1 - zone.map >= zone.pages || last.prev - 1 - zone.map >= zone.pages)
    return "the links of its ends";
  const bool linked_back =
      page_at(m, first.next - 1).prev == list.head && page_at(m, last.prev - 1).next == list.tail;
  return linked_back ? nullptr : "the links back to its ends";
}

std::optional<Finding> cpu_broken(const Machine& m, Index z) {
  const std::uint32_t cpu = m.globals().cpu;
  const Zone& zone = zone_at(m, z);
  const Pcp& pcp = pcp_at(m, z, cpu);
  const bool by_order = m.profile().pcp == ref::core::PcpPolicy::by_order;
  std::array<std::uint64_t, 2> pages{};
  for (unsigned i = 0; i < pcp_lists; ++i) {
    const List& list = pcp_list_at(m, z, cpu, i);
    const unsigned order = by_order ? i : 0;
    pages[by_order ? 0 : i & 1u] += std::uint64_t{list.count} << order;
    if (const char* what = wrong_end(m, zone, list, PageKind::pcp_head, order))
      return finding("PCP-LISTED", fmt::format("zone {}, list {} of CPU {}, {}", z, i, cpu, what),
                     0, 1);
  }
  for (std::size_t i = 0; i < 2; ++i)
    if (pcp.count[i] != pages[i])
      return finding("PCP-LISTED", fmt::format("zone {}, pages counted on CPU {}", z, cpu),
                     pages[i], pcp.count[i]);
  if (pcp.locked)
    return finding("PCP-UNLOCKED", fmt::format("zone {}, lists of CPU {} are held", z, cpu), 0, 1);
  return std::nullopt;
}

// A block on a list: its neighbours know it.
bool linked(const Machine& m, const Zone& zone, Index page) {
  const Page& p = page_at(m, page);
  const auto inside = [&](Index link) { return link - 1 - zone.map < zone.pages; };
  return (p.next == 0 || (inside(p.next) && page_at(m, p.next - 1).prev == page + 1)) &&
         (p.prev == 0 || (inside(p.prev) && page_at(m, p.prev - 1).next == page + 1));
}

std::optional<Finding> free_block_broken(const Machine& m, const Zone& zone, Pfn pfn,
                                         const Page& p) {
  const auto at = [&] { return fmt::format("pfn {}", pfn); };
  if (!linked(m, zone, page_index(zone, pfn)))
    return finding("BUDDY-LISTED", at() + ", links", 0, 1);
  if (p.order + 1u >= m.config.orders) return std::nullopt;
  const Pfn origin = block_origin(m, zone);
  const Pfn buddy = ((pfn - origin) ^ (Pfn{1} << p.order)) + origin;
  if (buddy < zone.first || buddy - zone.first >= zone.pages) return std::nullopt;
  const Page& b = page_at(m, page_index(zone, buddy));
  if (b.kind != PageKind::free_head || b.order != p.order) return std::nullopt;
  return finding("BUDDY-MERGED", at() + " and its buddy are free, order", p.order + 1u, p.order);
}

std::optional<Finding> block_broken(const Machine& m, Pfn pfn) {
  const Index z = zone_of_pfn(m, pfn);
  if (z == no_zone) return std::nullopt;  // the oracle has said so
  const Zone& zone = zone_at(m, z);
  const auto at = [&](const char* what) { return fmt::format("pfn {}{}", pfn, what); };
  const std::optional<Pfn> head = head_of(m, pfn);
  const Page& own = page_at(m, page_index(zone, pfn));
  if (!head && own.kind == PageKind::inner)
    return finding("BUDDY-TILED", at(", a frame of no block"), 1, 0);
  if (!head) return std::nullopt;
  const Page& p = page_at(m, page_index(zone, *head));
  switch (p.kind) {
    case PageKind::free_head: return free_block_broken(m, zone, *head, p);
    case PageKind::pcp_head:
      if (!linked(m, zone, page_index(zone, *head)))
        return finding("PCP-LISTED", at(", links"), 0, 1);
      return std::nullopt;
    case PageKind::live_head:
      if (p.refcount == 0) return finding("BUDDY-REFERENCED", at(", references"), 1, 0);
      if ((p.next | p.prev) != 0) return finding("BUDDY-CANONICAL", at(", links"), 0, 1);
      return std::nullopt;
    case PageKind::inner:
    case PageKind::reserved:
    case PageKind::leaked: return std::nullopt;
  }
  return finding("BUDDY-TILED", at(", its kind"), 5, static_cast<std::uint64_t>(p.kind));
}

}  // namespace

// The whole of it in one piece: it runs after every step.
[[gnu::flatten]] std::optional<Finding> TouchedCheck::zone_broken(const Machine& m, Index z) {
  const Zone& zone = zone_at(m, z);
  std::uint64_t sum = 0;
  for (unsigned order = 0; order < m.config.orders; ++order) {
    const List& list = area_at(m, z, order);
    sum += std::uint64_t{list.count} << order;
    List& right = right_[z][order];
    if (list.head == right.head && list.tail == right.tail && list.count == right.count) continue;
    right = list;
    if (const char* what = wrong_end(m, zone, list, PageKind::free_head, order))
      return finding("BUDDY-LISTED", fmt::format("zone {}, free list {}, {}", z, order, what), 0,
                     1);
  }
  if (sum == zone.free_pages) return std::nullopt;
  return finding("BUDDY-COUNTED", fmt::format("zone {}, NR_FREE_PAGES", z), sum, zone.free_pages);
}

std::optional<Finding> TouchedCheck::first_broken(const Machine& m, const Touched& touched) {
  if (touched.block)
    if (auto broken = block_broken(m, *touched.block)) return broken;
  for (Index z = 0; z < m.config.zone_count; ++z) {
    if (!(touched.zones >> z & 1u)) continue;
    if (auto broken = zone_broken(m, z)) return broken;
    if (auto broken = cpu_broken(m, z)) return broken;
  }
  return std::nullopt;
}

}  // namespace props::buddy
