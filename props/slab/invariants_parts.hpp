// What the invariants of slab machines are made of: their own reading of the tables.
//
//   address ─▶ place in RAM ─▶ frame ─▶ slab ─▶ object number
//
// Nothing here trusts a record: a slab that SLAB-PAGES or SLAB-LAYOUT would report is left out by
// `sound_slabs`, and everything that follows looks at the others.
#pragma once
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "props/slab/invariants.hpp"
#include "ref/slab/slab.hpp"

namespace props::slab {

using ref::core::Index;
using ref::slab::ArrayCache;
using ref::slab::Cache;
using ref::slab::CacheState;
using ref::slab::Node;
using ref::slab::Slab;
using ref::slab::SlabGlobals;

// --- records ------------------------------------------------------------------------------------

inline const SlabGlobals& globals_of(const Machine& m) { return m.arena.at(m.slab.globals, 0); }
inline const Cache& cache_at(const Machine& m, Index c) { return m.arena.at(m.slab.cache, c); }
inline const Slab& slab_at(const Machine& m, Index page) { return m.arena.at(m.slab.slab, page); }
inline const Node& node_at(const Machine& m, Index c, std::uint32_t node) {
  return m.arena.at(m.slab.node, std::uint64_t{c} * m.config.nodes + node);
}
inline bool exists(const Machine& m, Index c) {
  return c < m.slab.cache.count && cache_at(m, c).state != CacheState::unused;
}
bool is_old(const Machine&);  // the era with bufctl chains
std::string name_of(const Machine&, Index cache);
// Answers what differs, said of a cache.
Broken of_cache(const Machine&, Index cache, std::string_view what, std::uint64_t expected,
                std::uint64_t actual);

// --- memory -------------------------------------------------------------------------------------

// Where an address lies in RAM; nothing outside of it.
std::optional<std::uint64_t> ram_of(const Machine&, std::uint64_t address);
std::optional<std::uint64_t> address_of_page(const Machine&, Index page);
std::uint32_t node_of_page(const Machine&, Index page);
// Of a table with a bit for each word of RAM: the one of an address; how many are set.
bool has_bit(const Machine&, const ref::core::Table<std::uint64_t>&, std::uint64_t address);
std::uint64_t bits_of(const Machine&, const ref::core::Table<std::uint64_t>&);
bool is_live(const Machine&, std::uint64_t address);  // an object that a caller has begins there
std::uint32_t read_index(const Machine&, std::uint64_t ram, std::uint32_t bytes);
std::uint32_t index_bytes(const Machine&);  // of one free index

// --- slabs --------------------------------------------------------------------------------------

struct SlabView {
  Index page, cache;
  std::uint32_t node;
  std::uint64_t address, ram, bytes;  // of its frames
  const Slab* slab;
  const Cache* of;
  std::uint64_t object(std::uint64_t i) const { return slab->s_mem + i * of->size; }  // raw
  std::uint64_t given(std::uint64_t i) const { return object(i) + of->obj_offset; }
};

// A slab whose record, frames and cache can be worked with; nothing if one of them cannot.
std::optional<SlabView> sound_slab(const Machine&, Index page);
std::vector<SlabView> sound_slabs(const Machine&);

// The free objects of a slab by its indices; false where they cannot be read as such.
struct FreeObjects {
  std::vector<bool> is_free;
  std::deque<std::uint32_t> numbers;  // the next to go out first; as many as can be read
  std::string wrong;                  // "" or what is
  std::uint64_t expected = 0, actual = 0;
};
FreeObjects free_objects(const Machine&, const SlabView&);

// The slab that an address lies in, and the number of the object that begins there.
struct ObjectIn {
  SlabView slab;
  std::uint64_t number;
};
std::optional<ObjectIn> object_given_at(const Machine&, std::uint64_t address);

// --- arrays -------------------------------------------------------------------------------------

enum class ArrayKind : std::uint8_t { cpu, shared, alien };
struct ArrayView {
  ArrayKind kind;
  Index cache;
  std::uint32_t whose, of;  // CPU or node; alien: whose objects
  const ArrayCache* array;
  const std::uint64_t* entry;
  std::uint32_t entries_max;
  std::string name(const Machine&) const;
};
// Every record of the three tables; those of one cache.
void for_each_array(const Machine&, const std::function<void(const ArrayView&)>&);
void for_each_array_of(const Machine&, Index cache, const std::function<void(const ArrayView&)>&);

// --- the checks ---------------------------------------------------------------------------------

Broken chain_broken(const Machine&);
Broken merged_broken(const Machine&);
Broken limits_broken(const Machine&);
Broken general_broken(const Machine&);
Broken layout_broken(const Machine&);
Broken pages_broken(const Machine&);
Broken lists_broken(const Machine&);
Broken counts_broken(const Machine&);
Broken rcu_broken(const Machine&);
Broken colours_broken(const Machine&);
Broken management_broken(const Machine&);
Broken indices_broken(const Machine&);
Broken arrays_broken(const Machine&);
Broken sums_broken(const Machine&);
Broken held_broken(const Machine&);
Broken canonical_broken(const Machine&);
Broken slabinfo_broken(const Machine&);

}  // namespace props::slab
