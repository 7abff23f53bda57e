// array: stacks of free objects in front of the slabs: of a CPU, shared by a node, alien.
//
//   oldest [ o o o o o . . . ] limit      taken from the newest end (S-22), flushed from the oldest
//
// Entries are the addresses that callers know. Those behind `avail` hold zero.
#pragma once
#include "ref/slab/records.hpp"

namespace ref::slab {

constexpr std::uint32_t no_batchcount = 0xbaadf00d;  // of arrays that nobody refills
constexpr std::uint32_t alien_limit = 12;

// Where an array and its entries are.
struct ArrayRef {
  core::Table<ArrayCache> records;
  core::Table<std::uint64_t> entries;
  std::uint64_t index;
  std::uint32_t room;
};

inline ArrayRef cpu_array(const Machine& m, Index c, std::uint32_t cpu) {
  return {m.slab.cpu_array, m.slab.cpu_entry, std::uint64_t{c} * m.config.cpus + cpu,
          cpu_entries_max};
}
inline ArrayRef cpu_array(const Machine& m, Index c) { return cpu_array(m, c, m.globals().cpu); }
inline ArrayRef shared_array(const Machine& m, Index c, std::uint32_t node) {
  return {m.slab.shared_array, m.slab.shared_entry, std::uint64_t{c} * m.config.nodes + node,
          shared_entries_max};
}
inline ArrayRef alien_array(const Machine& m, Index c, std::uint32_t node, std::uint32_t of) {
  return {m.slab.alien_array, m.slab.alien_entry,
          (std::uint64_t{c} * m.config.nodes + node) * m.config.nodes + of, alien_entries_max};
}

inline const ArrayCache& array_at(const Machine& m, const ArrayRef& a) {
  return m.arena.at(a.records, a.index);
}
inline ArrayCache& edit_array(Machine& m, const ArrayRef& a) {
  return m.arena.edit(a.records, a.index);
}

inline void push(Machine& m, const ArrayRef& a, std::uint64_t address) {
  ArrayCache& array = edit_array(m, a);
  REQUIRE(array.avail < array.limit);
  m.arena.edit(a.entries, a.index * a.room + array.avail++) = address;
}
// S-22.
inline std::uint64_t take_newest(Machine& m, const ArrayRef& a) {
  ArrayCache& array = edit_array(m, a);
  array.touched = 1;
  return std::exchange(m.arena.edit(a.entries, a.index * a.room + --array.avail), 0);
}

// The objects of an array that is emptied, while nobody has them: at most what an array holds.
struct Taken {
  std::array<std::uint64_t, shared_entries_max> object;
  std::uint32_t count;
  std::span<const std::uint64_t> all() const { return {object.data(), count}; }
};
// The `count` oldest leave, the others move down (S-24). `avail` is right before anybody acts on
// what was taken (S-26).
void take_oldest(Machine& m, const ArrayRef& a, std::uint32_t count, Taken& taken);

// transfer_objects: the newest of `from`, at most `max`, and what `to` has room for.
std::uint32_t transfer(Machine& m, const ArrayRef& to, const ArrayRef& from, std::uint32_t max);

}  // namespace ref::slab
