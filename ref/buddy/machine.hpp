// buddy::Machine: the tables of the page allocator, and nothing that acts.
//
//   zone NORMAL   first 16, 64 pages, map 16          page records, one per frame of every zone
//     free lists  order 0 [ 17 ]                        16   live_head order 0, refcount 1
//                 order 1 [ 18 ]                        17   free_head order 0
//                 order 2 [ 20 ]   ...                  18   free_head order 1
//     per CPU     count, high, batch, lists             19   inner: zero, its head tells
//
// A record says what its frame is; an inner frame of a block holds zeros, so making or freeing a
// block of 1024 frames writes one record. Links are index + 1, so that zero means "none".
#pragma once
#include "ref/core/machine.hpp"
#include "ref/core/maybe_pfn.hpp"

namespace ref::buddy {

using core::Index;
using core::MaybePfn;
using core::Pfn;
using core::ZoneKind;

enum class PageKind : std::uint8_t {
  inner,      // not the first frame of its block; every other field is zero
  free_head,  // on a free list of its zone
  pcp_head,   // on a per-CPU list
  live_head,  // owned by a caller, order as allocated
  reserved,   // never given out
  leaked,     // lost by a fault; each such frame for itself
};

// What an owner may set on the first frame of a block. Kernel names; the bits are ours.
enum PageFlag : std::uint16_t {
  PG_locked = 1u << 0,
  PG_referenced = 1u << 1,
  PG_uptodate = 1u << 2,
  PG_dirty = 1u << 3,
  PG_lru = 1u << 4,
  PG_active = 1u << 5,
  PG_private = 1u << 6,
  PG_writeback = 1u << 7,
  PG_slab = 1u << 8,
  PG_unevictable = 1u << 9,
  PG_mlocked = 1u << 10,
  PG_head = 1u << 11,        // a compound block starts here; set by the allocator only
  PG_pfmemalloc = 1u << 12,  // taken from below the watermarks (W-11); set by the allocator only
};
inline constexpr std::array<std::string_view, 11> page_flag_names{
    "PG_locked",  "PG_referenced", "PG_uptodate", "PG_dirty",       "PG_lru",    "PG_active",
    "PG_private", "PG_writeback",  "PG_slab",     "PG_unevictable", "PG_mlocked"};
// A page freed with one of these is bad (B-36); the others are dropped with the page.
constexpr std::uint16_t page_flags_check_at_free =
    PG_locked | PG_lru | PG_active | PG_private | PG_writeback | PG_slab | PG_unevictable;

struct Page {
  Index next, prev;            // list links; zero unless on a list
  std::uint32_t refcount;      // zero unless live or reserved
  std::uint32_t private_data;  // page->private: zero on a fresh page (B-39)
  std::uint32_t mapcount;      // mappings; zero unless live
  std::uint16_t flags;         // PageFlag
  std::uint8_t order;          // zero unless a head
  PageKind kind;
  std::uint64_t zero;
};
static_assert(sizeof(Page) == 32);

// The ends of a list of pages, and how many blocks it holds.
struct List {
  Index head, tail, count;
  std::uint32_t zero;
};

enum Mark : std::size_t { mark_min, mark_low, mark_high, mark_count };

struct Zone {
  std::uint64_t free_pages;  // NR_FREE_PAGES: pages on the free lists, not on per-CPU lists (B-14)
  Pfn first;
  std::uint32_t pages, managed;
  Index map;  // index of the record of `first`
  std::array<std::uint32_t, mark_count> watermark;
  std::array<std::uint32_t, core::zone_kinds> lowmem_reserve;  // by the highest zone of a request
  std::uint32_t node;
  ZoneKind kind;
  std::uint8_t reclaim_active;  // P-5
  std::uint16_t zero;
  std::array<std::uint32_t, 18> zero_too;
};
static_assert(sizeof(Zone) == 128);

// Per-CPU lists of one zone. 2.6.11: [0] hot, [1] cold; 6.1: [0] only, and four lists by order.
struct Pcp {
  std::array<std::uint32_t, 2> count;  // base pages
  std::array<std::uint32_t, 2> low, high;
  std::uint32_t batch;
  std::uint16_t free_factor;  // 6.1: how often batches were doubled
  std::uint16_t locked;       // 6.1: somebody is inside; zero between calls
};
static_assert(sizeof(Pcp) == 32);
constexpr std::uint32_t pcp_lists = 4;

struct Sysctl {
  std::uint32_t min_free_kbytes;
  std::array<std::uint32_t, 2> lowmem_reserve_ratio;
  std::uint32_t scribbled;  // frames flagged while nobody owns them; zero in good company (B-38)
};

constexpr std::uint8_t no_zone = 0xff;

struct State {
  core::Table<Zone> zone;
  core::Table<List> area;      // [zone * orders + order]
  core::Table<Pcp> pcp;        // [zone * cpus + cpu]
  core::Table<List> pcp_list;  // [(zone * cpus + cpu) * pcp_lists + list]
  core::Table<Sysctl> sysctl;  // one record
  core::Table<Page> page;      // [zone.map + pfn - zone.first]
  // The zone of a node and kind, or no_zone.
  std::array<std::array<std::uint8_t, core::zone_kinds>, core::nodes_max> zone_of;
  bool operator==(const State&) const = default;
};

// Counts since boot (P-9). Beside the arena, because they only grow: a state that is reached again
// must be recognised.
struct Events {
  std::uint64_t pgalloc = 0, pgfree = 0;  // pages
  bool operator==(const Events&) const = default;
};

class Machine : public core::Machine {
 public:
  explicit Machine(const core::Config&);  // a newborn machine: every managed page is free
  bool operator==(const Machine&) const = default;

  State buddy;
  std::array<Events, core::zones_max> events{};

 protected:
  // For a row above: the tables are laid, its own follow, then `boot` provides the memory.
  struct Laid {};
  Machine(const core::Config&, Laid);
  void boot();
};

// Reading ------------------------------------------------------------------------------------

inline const Zone& zone_at(const Machine& m, Index z) { return m.arena.at(m.buddy.zone, z); }
inline Zone& edit_zone(Machine& m, Index z) { return m.arena.edit(m.buddy.zone, z); }
inline const List& area_at(const Machine& m, Index z, unsigned order) {
  return m.arena.at(m.buddy.area, std::uint64_t{z} * m.config.orders + order);
}
inline const Pcp& pcp_at(const Machine& m, Index z, std::uint32_t cpu) {
  return m.arena.at(m.buddy.pcp, std::uint64_t{z} * m.config.cpus + cpu);
}
inline Pcp& edit_pcp(Machine& m, Index z, std::uint32_t cpu) {
  return m.arena.edit(m.buddy.pcp, std::uint64_t{z} * m.config.cpus + cpu);
}
inline std::uint64_t pcp_list_index(const Machine& m, Index z, std::uint32_t cpu, unsigned list) {
  return (std::uint64_t{z} * m.config.cpus + cpu) * pcp_lists + list;
}
inline const List& pcp_list_at(const Machine& m, Index z, std::uint32_t cpu, unsigned list) {
  return m.arena.at(m.buddy.pcp_list, pcp_list_index(m, z, cpu, list));
}

// The zone that has a frame, or no_zone.
inline Index zone_of_pfn(const Machine& m, Pfn pfn) {
  for (Index z = 0; z < m.config.zone_count; ++z)
    if (pfn - m.config.zones[z].first < m.config.zones[z].pages) return z;
  return no_zone;
}
inline Index page_index(const Zone& zone, Pfn pfn) { return zone.map + (pfn - zone.first); }
inline Pfn pfn_of(const Zone& zone, Index page) { return zone.first + (page - zone.map); }
inline const Page& page_at(const Machine& m, Index page) { return m.arena.at(m.buddy.page, page); }
inline Page& edit_page(Machine& m, Index page) { return m.arena.edit(m.buddy.page, page); }

// The number that a zone's block positions are multiples of (B-2): from the frame zero, or from the
// zone's own start.
Pfn block_origin(const Machine&, const Zone&);

// The first frame of the block that a frame is part of; nothing for reserved and leaked frames.
std::optional<Pfn> head_of(const Machine&, Pfn);

// The CPUs of a node, and the node of a CPU: dealt out in turn.
inline std::uint32_t node_of_cpu(const Machine& m, std::uint32_t cpu) {
  return m.config.nodes == 1 ? 0 : cpu % m.config.nodes;  // a division costs more than a branch
}

}  // namespace ref::buddy
