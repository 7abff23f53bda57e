// records: how the parts of the object allocator reach its tables.
//
//   address ─▶ place (byte of RAM) ─▶ page index ─▶ Slab of the frame ─▶ head ─▶ Slab ─▶ Cache
#pragma once
#include <bit>

#include "ref/slab/slab.hpp"

namespace ref::slab {

inline const SlabGlobals& globals_of(const Machine& m) { return m.arena.at(m.slab.globals, 0); }
inline SlabGlobals& edit_globals_of(Machine& m) { return m.arena.edit(m.slab.globals, 0); }

inline const Cache& cache_at(const Machine& m, Index c) { return m.arena.at(m.slab.cache, c); }
inline Cache& edit_cache(Machine& m, Index c) { return m.arena.edit(m.slab.cache, c); }
inline std::string_view name_of(const Cache& c) { return c.name.data(); }

inline const Node& node_at(const Machine& m, Index c, std::uint32_t node) {
  return m.arena.at(m.slab.node, std::uint64_t{c} * m.config.nodes + node);
}
inline Node& edit_node(Machine& m, Index c, std::uint32_t node) {
  return m.arena.edit(m.slab.node, std::uint64_t{c} * m.config.nodes + node);
}

inline const Slab& slab_at(const Machine& m, Index page) { return m.arena.at(m.slab.slab, page); }
inline Slab& edit_slab(Machine& m, Index page) { return m.arena.edit(m.slab.slab, page); }

// The node of the CPU whose turn it is.
inline std::uint32_t numa_mem_id(const Machine& m) {
  return buddy::node_of_cpu(m, m.globals().cpu);
}

// Addresses. Every frame of a slab has one; places are offsets in RAM.

// Sizes of pages and words are powers of two; dividing by them would cost more than all the rest.
inline int page_shift(const Machine& m) { return std::countr_zero(m.config.page_bytes); }
inline int word_shift(const Machine& m) { return std::countr_zero(m.profile().word_bytes); }
inline Index page_of_place(const Machine& m, std::uint64_t place) {
  return static_cast<Index>(place >> page_shift(m));
}

inline std::optional<std::uint64_t> place_of(const Machine& m, std::uint64_t address) {
  if (address < core::page_offset) return std::nullopt;
  const std::uint64_t at = address - core::page_offset, pfn = at >> page_shift(m);
  if (pfn >= core::pfn_end) return std::nullopt;
  const Index z = buddy::zone_of_pfn(m, static_cast<Pfn>(pfn));
  if (z == buddy::no_zone) return std::nullopt;
  const buddy::Zone& zone = buddy::zone_at(m, z);
  if (zone.kind == core::ZoneKind::highmem) return std::nullopt;
  return at +
         ((std::uint64_t{buddy::page_index(zone, static_cast<Pfn>(pfn))} - pfn) << page_shift(m));
}
// Of an address that lies in memory for certain.
inline std::uint64_t place_in_slab(const Machine& m, std::uint64_t address) {
  const std::optional<std::uint64_t> place = place_of(m, address);
  REQUIRE(place.has_value());
  return *place;
}
// The first frame's page index of the slab that an address lies in.
inline Index slab_of(const Machine& m, std::uint64_t address) {
  const Index head = slab_at(m, page_of_place(m, place_in_slab(m, address))).head;
  REQUIRE(head != 0);
  return head - 1;
}
Pfn pfn_of_slab(const Machine& m, Index page);
std::uint32_t node_of_slab(const Machine& m, Index page);  // S-28
inline std::uint64_t slab_address(const Machine& m, Index page) {
  return core::page_offset + std::uint64_t{pfn_of_slab(m, page)} * m.config.page_bytes;
}

// The chain of caches, newest first. What is in it can be used.
void link_cache(Machine& m, Index c);
void unlink_cache(Machine& m, Index c);

// A cache that callers may use: none of another state, and none where nothing was booted.
inline bool usable(const Machine& m, CacheId cache) {
  const auto c = static_cast<std::uint64_t>(cache);
  return c < m.slab.cache.count && cache_at(m, static_cast<Index>(c)).state == CacheState::live;
}

}  // namespace ref::slab
