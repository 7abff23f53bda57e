// alloc: an object from the arrays, from slabs, from new slabs; and back into arrays.
#pragma once
#include "ref/slab/array.hpp"
#include "ref/slab/grow.hpp"

namespace ref::slab {

// slab_alloc_node: an object as callers get it, debugged and zeroed, that nobody is said to have.
// No node: the caller's, with the others behind it.
[[nodiscard]] Answer<std::uint64_t> slab_alloc(Env&, Machine&, Index cache, Gfp,
                                               std::optional<std::uint32_t> node);
// cache_alloc_refill: fills this CPU's array, and takes from it.
[[nodiscard]] Answer<std::uint64_t> cache_alloc_refill(Env&, Machine&, Index cache, Gfp);

// __cache_free: an object that nobody has any more.
void cache_free(Env&, Machine&, Index cache, std::uint64_t address);
// free_block: objects of one node back to their slabs; slabs that are too many are detached.
void free_block(Env&, Machine&, Index cache, std::span<const std::uint64_t> objects,
                std::uint32_t node);
// Empties an array into the slabs of a node.
void free_array(Env&, Machine&, Index cache, const ArrayRef&, std::uint32_t node);
void drain_alien_array(Env&, Machine&, Index cache, std::uint32_t node, std::uint32_t of);

// Which objects are in use, and which of them the allocator has for itself; by place.
inline void set_bit(Machine& m, const core::Table<std::uint64_t>& bits, std::uint64_t place,
                    bool value) {
  const std::uint64_t bit = place >> word_shift(m), mask = std::uint64_t{1} << bit % 64;
  std::uint64_t& word = m.arena.edit(bits, bit / 64);
  word = value ? word | mask : word & ~mask;
}
inline bool has_bit(const Machine& m, const core::Table<std::uint64_t>& bits, std::uint64_t place) {
  const std::uint64_t bit = place >> word_shift(m);
  return m.arena.at(bits, bit / 64) >> bit % 64 & 1;
}

}  // namespace ref::slab
