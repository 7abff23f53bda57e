// Implements the way back: this CPU's array, shared and alien arrays, slabs.
#include <algorithm>

#include "ref/slab/alloc.hpp"
#include "ref/slab/freelist.hpp"

namespace ref::slab {
namespace {

using core::SlabRelease;

bool above_limit(const Machine& m, Index cache, std::uint32_t node) {
  return node_at(m, cache, node).free_objects > free_limit_of(m, cache, node);
}

// S-25: to the head of free, or to the tail of partial, wherever it was.
void put_back(Machine& m, Index page, std::uint64_t object) {
  unlink_slab(m, page);
  slab_put_obj(m, page, object);
  if (slab_at(m, page).active == 0) push_front(m, page, on_free);
  else push_back(m, page, on_partial);
}

}  // namespace

// S-26.
void free_block(Env& env, Machine& m, Index cache, std::span<const std::uint64_t> objects,
                std::uint32_t node) {
  if (!objects.empty())
    edit_node(m, cache, node).free_objects += static_cast<std::uint32_t>(objects.size());
  const SlabRelease release = m.profile().slab_release;
  for (const std::uint64_t object : objects) {
    const Index page = slab_of(m, object);
    put_back(m, page, object);
    if (release == SlabRelease::after_the_block || slab_at(m, page).active > 0) continue;
    if (!above_limit(m, cache, node)) continue;
    Detached emptied;
    detach(m, page, emptied);
    slabs_destroy(env, m, emptied);
  }
  if (release == SlabRelease::as_it_empties) return;
  Detached excess;
  while (above_limit(m, cache, node) && node_at(m, cache, node).free.count > 0)
    detach(m, node_at(m, cache, node).free.tail - 1, excess);
  slabs_destroy(env, m, excess);
}

void free_array(Env& env, Machine& m, Index cache, const ArrayRef& a, std::uint32_t node) {
  Taken taken;
  take_oldest(m, a, array_at(m, a).avail, taken);
  free_block(env, m, cache, taken.all(), node);
}

// S-28: first to the shared array of the objects' node, the rest to its slabs.
void drain_alien_array(Env& env, Machine& m, Index cache, std::uint32_t node, std::uint32_t of) {
  const ArrayRef alien = alien_array(m, cache, node, of);
  if (array_at(m, alien).avail == 0) return;
  const ArrayRef shared = shared_array(m, cache, of);
  if (array_at(m, shared).present) transfer(m, shared, alien, array_at(m, alien).limit);
  free_array(env, m, cache, alien, of);
}

namespace {

// S-24: the oldest batch to the shared array as far as it has room, else to the slabs.
void cache_flusharray(Env& env, Machine& m, Index cache, const ArrayRef& ac) {
  const std::uint32_t node = numa_mem_id(m);
  const std::uint32_t batch = array_at(m, ac).batchcount;
  const ArrayRef shared = shared_array(m, cache, node);
  const std::uint32_t room =
      array_at(m, shared).present ? array_at(m, shared).limit - array_at(m, shared).avail : 0;
  Taken taken;
  take_oldest(m, ac, room > 0 ? std::min(batch, room) : batch, taken);
  if (room == 0) return free_block(env, m, cache, taken.all(), node);
  for (const std::uint64_t object : taken.all()) push(m, shared, object);
}

}  // namespace

// S-28.
void cache_free_alien(Env& env, Machine& m, Index cache, std::uint64_t address,
                      std::uint32_t slab_node) {
  const std::uint32_t node = numa_mem_id(m);
  const ArrayRef alien = alien_array(m, cache, node, slab_node);
  if (!array_at(m, alien).present)
    return free_block(env, m, cache, std::span(&address, 1), slab_node);
  while (array_at(m, alien).avail == array_at(m, alien).limit)  // somebody may be faster
    drain_alien_array(env, m, cache, node, slab_node);
  push(m, alien, address);
}

void cache_free_full(Env& env, Machine& m, Index cache, std::uint64_t address) {
  const ArrayRef ac = cpu_array(m, cache);
  while (array_at(m, ac).avail == array_at(m, ac).limit) cache_flusharray(env, m, cache, ac);
  push(m, ac, address);
}

}  // namespace ref::slab
