// alloc: an object from the arrays, from slabs, from new slabs; and back into arrays.
#pragma once
#include "ref/slab/array.hpp"
#include "ref/slab/debug.hpp"
#include "ref/slab/grow.hpp"

namespace ref::slab {

// An object from behind this CPU's array, or of another node.
[[nodiscard]] Answer<std::uint64_t> alloc_behind(Env&, Machine&, Index cache, Gfp,
                                                 std::optional<std::uint32_t> node);
// cache_alloc_refill: fills this CPU's array, and takes from it.
[[nodiscard]] Answer<std::uint64_t> cache_alloc_refill(Env&, Machine&, Index cache, Gfp);
void zero_object(Machine&, Index cache, std::uint64_t address);  // not what is before the next

// slab_alloc_node: an object as callers get it, debugged and zeroed, that nobody is said to have.
// No node: the caller's, with the others behind it. Here and in cache_free what an array serves is
// inline, and all else out of the way: nearly every call ends there.
[[nodiscard]] inline Answer<std::uint64_t> slab_alloc(Env& env, Machine& m, Index cache, Gfp gfp,
                                                      std::optional<std::uint32_t> node) {
  if (may_block(gfp) && in_atomic(m)) [[unlikely]]
    report(m, core::Fault::sleeping_in_atomic, core::Effect::none);  // B-23
  std::uint64_t object = 0;
  const ArrayRef ac = cpu_array(m, cache);
  if (array_at(m, ac).avail > 0 && (!node || *node == numa_mem_id(m))) [[likely]] {
    object = take_newest(m, ac);  // S-22
  } else {
    const Answer<std::uint64_t> behind = alloc_behind(env, m, cache, gfp, node);
    if (!behind) return behind;
    object = *behind;
  }
  if (m.config.slab_debug) [[unlikely]]
    debug_alloc(m, cache, object, gfp);
  if (gfp & core::GFP_BIT_ZERO) [[unlikely]]
    zero_object(m, cache, object);  // S-32
  return object;
}

// To the array of another node's objects (S-28); to this CPU's array, which is full.
void cache_free_alien(Env&, Machine&, Index cache, std::uint64_t address, std::uint32_t slab_node);
void cache_free_full(Env&, Machine&, Index cache, std::uint64_t address);

// __cache_free: an object that nobody has any more.
inline void cache_free(Env& env, Machine& m, Index cache, std::uint64_t address) {
  if (cache_at(m, cache).flags & any_debug) [[unlikely]]
    debug_free(m, cache, address);
  if (m.config.nodes > 1) {
    const std::uint32_t slab_node = node_of_slab(m, slab_of(m, address));
    if (slab_node != numa_mem_id(m)) return cache_free_alien(env, m, cache, address, slab_node);
  }
  const ArrayRef ac = cpu_array(m, cache);
  if (array_at(m, ac).avail == array_at(m, ac).limit) [[unlikely]]
    return cache_free_full(env, m, cache, address);
  push(m, ac, address);
}
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
