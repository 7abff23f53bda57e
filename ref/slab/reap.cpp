// Implements the periodic work: what was not used lately goes back, a part at a time (S-42).
#include <algorithm>

#include "ref/slab/alloc.hpp"
#include "ref/slab/create.hpp"

namespace ref::slab {

using core::SlabReap;

namespace {

// A fifth of the array, from the oldest end; an array that was used only loses the mark.
void drain_array(Env& env, Machine& m, Index cache, const ArrayRef& a, std::uint32_t node) {
  const ArrayCache& array = array_at(m, a);
  if (!array.present) return;
  // 6.1 does not look at an empty array.
  if (array.avail == 0 && m.profile().slab_reap == SlabReap::tail_of_free) return;
  if (array.touched) {
    edit_array(m, a).touched = 0;
    return;
  }
  std::uint32_t count = (array.limit + 4) / 5;
  if (count > array.avail) count = (array.avail + 1) / 2;
  Taken taken;
  take_oldest(m, a, count, taken);
  free_block(env, m, cache, taken.all(), node);
}

void reap_free_slabs(Env& env, Machine& m, Index cache, std::uint32_t node) {
  const std::uint32_t fifth = 5 * cache_at(m, cache).num;
  std::uint32_t count = (free_limit_of(m, cache, node) + fifth - 1) / fifth;
  switch (m.profile().slab_reap) {
    case SlabReap::tail_of_free: drain_freelist(env, m, cache, node, count); return;
    case SlabReap::head_of_free:
      for (; count > 0 && node_at(m, cache, node).free.count > 0; --count) {
        Detached one;
        detach(m, node_at(m, cache, node).free.head - 1, one);
        slabs_destroy(env, m, one);
      }
      return;
  }
}

// Every four seconds: the shared array, and a fifth of the slabs that may be free.
void reap_node(Env& env, Machine& m, Index cache, std::uint32_t node) {
  const SlabGlobals& g = globals_of(m);
  if (g.clock < node_at(m, cache, node).next_reap) return;
  edit_node(m, cache, node).next_reap = g.clock + reap_timeout_node;
  drain_array(env, m, cache, shared_array(m, cache, node), node);
  if (node_at(m, cache, node).free_touched) edit_node(m, cache, node).free_touched = 0;
  else reap_free_slabs(env, m, cache, node);
}

}  // namespace

void cache_reap(Env& env, Machine& m) {
  if (globals_of(m).up == 0 || !mutex_trylock(m)) return;  // contended: the next time
  const std::uint32_t cpu = m.globals().cpu, node = numa_mem_id(m);
  for (Index link = globals_of(m).first; link != 0; link = cache_at(m, link - 1).next) {
    const Index cache = link - 1;
    if (cache_at(m, cache).flags & SLAB_NO_REAP) continue;
    if (const std::uint32_t of = globals_of(m).reap_node[cpu]; m.config.nodes > 1)
      drain_alien_array(env, m, cache, node, of);
    drain_array(env, m, cache, cpu_array(m, cache, cpu), node);
    reap_node(env, m, cache, node);
  }
  if (m.config.nodes > 1) {
    std::uint8_t& next = edit_globals_of(m).reap_node[cpu];
    next = static_cast<std::uint8_t>((next + 1u) % m.config.nodes);
  }
  mutex_unlock(m);
}

void pass_time(Machine& m, std::uint32_t ticks) { edit_globals_of(m).clock += ticks; }

}  // namespace ref::slab
