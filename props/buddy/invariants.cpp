// The white-box invariants of the page allocator.
#include "props/buddy/invariants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "props/buddy/invariants_records.hpp"
#include "ref/buddy/buddy.hpp"

namespace props::buddy {
namespace {

using namespace ref::buddy;

std::string at_pfn(Pfn pfn) { return fmt::format("pfn {}", pfn); }

std::string at_zone(const Machine& m, Index z) {
  const ref::core::ZoneSpec& zone = m.config.zones[z];
  return fmt::format("zone {} of node {}",
                     ref::core::zone_names[static_cast<std::size_t>(zone.kind)], zone.node);
}

bool is_head(PageKind kind) {
  return kind == PageKind::free_head || kind == PageKind::pcp_head || kind == PageKind::live_head;
}

// BUDDY-TILED: the blocks of a zone, in address order, cover each frame exactly once.
Broken tiling_broken(const Machine& m) {
  for (Index z = 0; z < m.config.zone_count; ++z) {
    const Zone& zone = zone_at(m, z);
    const Pfn origin = block_origin(m, zone);
    for (Pfn i = 0; i < zone.pages;) {
      const Page& page = page_at(m, zone.map + i);
      if (page.kind > PageKind::leaked)
        return Witness{at_pfn(zone.first + i), 5, static_cast<std::uint64_t>(page.kind)};
      if (page.kind == PageKind::inner)
        return Witness{at_pfn(zone.first + i) + ", a frame of no block", 1, 0};
      if (!is_head(page.kind)) {
        ++i;
        continue;
      }
      if (page.order >= m.config.orders)
        return Witness{at_pfn(zone.first + i) + ", its order", m.config.orders - 1, page.order};
      const Pfn pages = Pfn{1} << page.order;
      if ((zone.first + i - origin) % pages != 0)
        return Witness{at_pfn(zone.first + i) + ", its alignment", pages,
                       (zone.first + i - origin) % pages};
      if (pages > zone.pages - i)
        return Witness{at_pfn(zone.first + i) + ", pages up to the zone's end", zone.pages - i,
                       pages};
      for (Pfn j = 1; j < pages; ++j)
        if (page_at(m, zone.map + i + j).kind != PageKind::inner)
          return Witness{at_pfn(zone.first + i + j) + ", inside a block", 0,
                         static_cast<std::uint64_t>(page_at(m, zone.map + i + j).kind)};
      i += pages;
    }
  }
  return std::nullopt;
}

// Walks one list: every member is of that kind and order, linked both ways, and as many as counted.
// `where` names the list, and is asked only when something is wrong.
template <class Where>
Broken list_broken(const Machine& m, const Zone& zone, const List& list, PageKind kind,
                   unsigned order, Where where) {
  Index previous = 0, length = 0;
  for (Index link = list.head; link != 0;) {
    const Index page = link - 1;
    if (page < zone.map || page - zone.map >= zone.pages || ++length > zone.pages)
      return Witness{where() + ", a link", zone.pages, page};
    const Page& p = page_at(m, page);
    if (p.kind != kind)
      return Witness{where() + ", the kind of " + at_pfn(pfn_of(zone, page)),
                     static_cast<std::uint64_t>(kind), static_cast<std::uint64_t>(p.kind)};
    if (p.order != order)
      return Witness{where() + ", the order of " + at_pfn(pfn_of(zone, page)), order, p.order};
    if (p.prev != previous)
      return Witness{where() + ", the back link of " + at_pfn(pfn_of(zone, page)), previous,
                     p.prev};
    previous = link;
    link = p.next;
  }
  if (list.tail != previous) return Witness{where() + ", its tail", previous, list.tail};
  if (list.count != length) return Witness{where() + ", its length", length, list.count};
  return std::nullopt;
}

std::uint64_t heads_of(const Machine& m, const Zone& zone, PageKind kind) {
  std::uint64_t count = 0;
  for (Index i = 0; i < zone.pages; ++i) count += page_at(m, zone.map + i).kind == kind;
  return count;
}

// BUDDY-LISTED
Broken free_lists_broken(const Machine& m) {
  for (Index z = 0; z < m.config.zone_count; ++z) {
    const Zone& zone = zone_at(m, z);
    std::uint64_t listed = 0;
    for (unsigned order = 0; order < m.config.orders; ++order) {
      const auto where = [&] { return fmt::format("{}, free list {}", at_zone(m, z), order); };
      const List& list = area_at(m, z, order);
      if (auto w = list_broken(m, zone, list, PageKind::free_head, order, where)) return w;
      listed += list.count;
    }
    const std::uint64_t heads = heads_of(m, zone, PageKind::free_head);
    if (heads != listed) return Witness{at_zone(m, z) + ", free blocks on lists", heads, listed};
  }
  return std::nullopt;
}

// BUDDY-COUNTED
Broken free_count_broken(const Machine& m) {
  for (Index z = 0; z < m.config.zone_count; ++z) {
    std::uint64_t sum = 0;
    for (unsigned order = 0; order < m.config.orders; ++order)
      sum += std::uint64_t{area_at(m, z, order).count} << order;
    if (sum != zone_at(m, z).free_pages)
      return Witness{at_zone(m, z) + ", NR_FREE_PAGES", sum, zone_at(m, z).free_pages};
  }
  return std::nullopt;
}

// BUDDY-MERGED
Broken coalescing_broken(const Machine& m) {
  for (Index z = 0; z < m.config.zone_count; ++z) {
    const Zone& zone = zone_at(m, z);
    const Pfn origin = block_origin(m, zone);
    for (Index i = 0; i < zone.pages; ++i) {
      const Page& p = page_at(m, zone.map + i);
      if (p.kind != PageKind::free_head || p.order + 1u >= m.config.orders) continue;
      const Pfn buddy = ((zone.first + i - origin) ^ (Pfn{1} << p.order)) + origin;
      if (buddy < zone.first || buddy - zone.first >= zone.pages) continue;
      const Page& b = page_at(m, page_index(zone, buddy));
      if (b.kind == PageKind::free_head && b.order == p.order)
        return Witness{at_pfn(zone.first + i) + " and its buddy are free, order", p.order + 1u,
                       p.order};
    }
  }
  return std::nullopt;
}

bool dead_fields_are_zero(const Page& p, bool scribbles) {
  const bool listed = p.kind == PageKind::free_head || p.kind == PageKind::pcp_head;
  const bool live = p.kind == PageKind::live_head;
  if (!listed && (p.next | p.prev) != 0) return false;
  if (!live && p.kind != PageKind::reserved && p.refcount != 0) return false;
  if (!live && (p.private_data | p.mapcount) != 0) return false;
  if (!live && !scribbles && p.flags != 0) return false;
  if (!live && (p.flags & (PG_head | PG_pfmemalloc)) != 0) return false;
  if (!is_head(p.kind) && p.order != 0) return false;
  return p.zero == 0;
}

// BUDDY-CANONICAL
Broken canonical_broken(const Machine& m) {
  const std::uint32_t scribbled = m.arena.at(m.buddy.sysctl, 0).scribbled;
  std::uint32_t seen = 0;
  for (Index z = 0; z < m.config.zone_count; ++z) {
    const Zone& zone = zone_at(m, z);
    for (Index i = 0; i < zone.pages; ++i) {
      const Page& p = page_at(m, zone.map + i);
      if (!dead_fields_are_zero(p, scribbled > 0))
        return Witness{at_pfn(zone.first + i) + ", a field without meaning", 0, 1};
      seen += p.kind != PageKind::live_head && p.flags != 0;
    }
  }
  if (seen != scribbled) return Witness{"flagged frames that nobody owns", seen, scribbled};
  return unused_fields_broken(m);
}

// BUDDY-REFERENCED
Broken references_broken(const Machine& m) {
  for (Index z = 0; z < m.config.zone_count; ++z) {
    const Zone& zone = zone_at(m, z);
    for (Index i = 0; i < zone.pages; ++i) {
      const Page& p = page_at(m, zone.map + i);
      const bool wrong = (p.kind == PageKind::live_head && p.refcount == 0) ||
                         (p.kind == PageKind::reserved && p.refcount != 1);
      if (wrong) return Witness{at_pfn(zone.first + i) + ", references", 1, p.refcount};
      if ((p.flags & PG_head) && p.order == 0)
        return Witness{at_pfn(zone.first + i) + ", a compound block's order", 1, 0};
    }
  }
  return std::nullopt;
}

// PCP-LISTED
Broken pcp_lists_broken(const Machine& m) {
  const bool by_order = m.profile().pcp == ref::core::PcpPolicy::by_order;
  for (Index z = 0; z < m.config.zone_count; ++z) {
    const Zone& zone = zone_at(m, z);
    std::uint64_t listed = 0;
    for (std::uint32_t cpu = 0; cpu < m.config.cpus; ++cpu) {
      std::array<std::uint64_t, 2> pages{};
      for (unsigned i = 0; i < pcp_lists; ++i) {
        const List& list = pcp_list_at(m, z, cpu, i);
        const unsigned order = by_order ? i : 0;
        const auto where = [&] {
          return fmt::format("{}, list {} of CPU {}", at_zone(m, z), i, cpu);
        };
        if (!by_order && i > 1 && list.count > 0)
          return Witness{where() + ", its length", 0, list.count};
        if (auto w = list_broken(m, zone, list, PageKind::pcp_head, order, where)) return w;
        pages[by_order ? 0 : i & 1u] += std::uint64_t{list.count} << order;
        listed += list.count;
      }
      for (std::size_t i = 0; i < 2; ++i)
        if (pcp_at(m, z, cpu).count[i] != pages[i])
          return Witness{fmt::format("{}, pages counted on CPU {}", at_zone(m, z), cpu), pages[i],
                         pcp_at(m, z, cpu).count[i]};
    }
    const std::uint64_t heads = heads_of(m, zone, PageKind::pcp_head);
    if (heads != listed) return Witness{at_zone(m, z) + ", blocks on per-CPU lists", heads, listed};
  }
  return std::nullopt;
}

// PCP-BOUNDED. In 6.1 a refill may pass `high` by the batch it takes, at most 2^3 pages a block.
Broken pcp_bound_broken(const Machine& m) {
  for (Index z = 0; z < m.config.zone_count; ++z) {
    for (std::uint32_t cpu = 0; cpu < m.config.cpus; ++cpu) {
      const Pcp& pcp = pcp_at(m, z, cpu);
      for (std::size_t i = 0; i < 2; ++i) {
        std::uint64_t bound = 0;
        switch (m.profile().pcp) {
          case ref::core::PcpPolicy::hot_and_cold: bound = pcp.high[i]; break;
          case ref::core::PcpPolicy::by_order:
            // Lowering `high` (a write to min_free_kbytes) lets a longer list stand until it is
            // used.
            bound = std::max<std::uint64_t>(zone_at(m, z).managed, pcp.high[i] + 16u + pcp.batch);
            break;
        }
        if (pcp.count[i] > bound)
          return Witness{fmt::format("{}, pages on CPU {}", at_zone(m, z), cpu), bound,
                         pcp.count[i]};
      }
    }
  }
  return std::nullopt;
}

// PCP-UNLOCKED
Broken pcp_lock_broken(const Machine& m) {
  for (Index z = 0; z < m.config.zone_count; ++z)
    for (std::uint32_t cpu = 0; cpu < m.config.cpus; ++cpu)
      if (pcp_at(m, z, cpu).locked)
        return Witness{fmt::format("{}, lists of CPU {} are held", at_zone(m, z), cpu), 0, 1};
  return std::nullopt;
}

// BUDDY-EVENTS
Broken events_broken(const Machine& m) {
  for (Index z = 0; z < m.config.zone_count; ++z) {
    const Zone& zone = zone_at(m, z);
    std::uint64_t live = 0, leaked = 0;
    for (Index i = 0; i < zone.pages; ++i) {
      const Page& p = page_at(m, zone.map + i);
      if (p.kind == PageKind::live_head) live += std::uint64_t{1} << p.order;
      leaked += p.kind == PageKind::leaked;
    }
    // A page can be lost on its way out, before it was counted, or on its way back, after it was.
    const std::uint64_t difference = m.events[z].pgalloc - m.events[z].pgfree;
    if (difference < live || difference > live + leaked)
      return Witness{at_zone(m, z) + ", PGALLOC - PGFREE", live, difference};
  }
  for (std::size_t z = m.config.zone_count; z < m.events.size(); ++z)
    if (m.events[z] != ref::buddy::Events{}) return Witness{"events of no zone", 0, 1};
  return std::nullopt;
}

// Reads a number at the front of a text, and what is around it away.
std::uint64_t take_number(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  std::uint64_t value = UINT64_MAX;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

bool take_word(std::string_view& text, std::string_view word) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

// One line of the file: `Node 0, zone   Normal      1      0      3 `.
Broken buddyinfo_line_broken(const Machine& m, const std::string_view line) {
  std::string_view rest = line;
  const bool named = take_word(rest, "Node");
  const std::uint64_t node = take_number(rest);
  if (!named || node >= m.config.nodes || !take_word(rest, ",") || !take_word(rest, "zone") ||
      !line.ends_with(' '))
    return Witness{fmt::format("line '{}'", line), 1, 0};
  std::size_t kind = 0;
  while (kind < ref::core::zone_kinds && !take_word(rest, ref::core::zone_proc_names[kind])) ++kind;
  const Index z = kind == ref::core::zone_kinds ? no_zone : m.buddy.zone_of[node][kind];
  if (z >= m.config.zone_count) return Witness{fmt::format("zone of line '{}'", line), 1, 0};
  for (unsigned order = 0; order < m.config.orders; ++order) {
    const std::uint64_t shown = take_number(rest), count = area_at(m, z, order).count;
    if (shown != count)
      return Witness{fmt::format("{}, order {} shown", at_zone(m, z), order), count, shown};
  }
  return std::nullopt;
}

// BUDDYINFO-TEXT: the file, read back, says what the lists are.
Broken buddyinfo_broken(const Machine& m) {
  const std::string text = ref::buddy::buddyinfo(m);
  std::uint32_t lines = 0;
  for (std::size_t at = 0; at < text.size(); ++lines) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (auto w = buddyinfo_line_broken(m, std::string_view(text).substr(at, end - at))) return w;
    at = end + 1;
  }
  if (lines != m.config.zone_count)
    return Witness{"lines of buddyinfo", m.config.zone_count, lines};
  return std::nullopt;
}

// The first two come first because the others, and the picture, are built on what they look at.
constexpr std::array table{
    Invariant{"ZONE-GEOMETRY", geometry_broken},
    Invariant{"CONTEXT-LEGAL", context_broken},
    Invariant{"BUDDY-TILED", tiling_broken},
    Invariant{"BUDDY-LISTED", free_lists_broken},
    Invariant{"BUDDY-COUNTED", free_count_broken},
    Invariant{"BUDDY-MERGED", coalescing_broken},
    Invariant{"PCP-LISTED", pcp_lists_broken},
    Invariant{"PCP-BOUNDED", pcp_bound_broken},
    Invariant{"PCP-UNLOCKED", pcp_lock_broken},
    Invariant{"BUDDY-REFERENCED", references_broken},
    Invariant{"BUDDY-CANONICAL", canonical_broken},
    Invariant{"BUDDY-EVENTS", events_broken},
    Invariant{"BUDDYINFO-TEXT", buddyinfo_broken},
};

}  // namespace

std::span<const Invariant> invariants() { return table; }

std::optional<Finding> first_broken(const Machine& m) {
  for (const Invariant& invariant : table)
    if (const Broken w = invariant.broken(m))
      return Finding{invariant.rule, fmt::format("{}: {}", w->where, w->expected),
                     fmt::format("{}", w->actual)};
  return std::nullopt;
}

}  // namespace props::buddy
