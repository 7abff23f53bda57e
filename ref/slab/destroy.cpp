// Implements the emptying and the end of caches.
#include "ref/slab/alloc.hpp"
#include "ref/slab/create.hpp"

namespace ref::slab {

using core::Effect;
using core::Fault;
using core::Point;
using core::SlabMisuse;

void drain_cpu_caches(Env& env, Machine& m, Index cache) {
  for (std::uint32_t cpu = 0; cpu < m.config.cpus; ++cpu) {
    if (cpu > 0) env.at(Point::slab_drain_cpu_next);
    free_array(env, m, cache, cpu_array(m, cache, cpu), buddy::node_of_cpu(m, cpu));
  }
  for (std::uint32_t node = 0; node < m.config.nodes && m.config.nodes > 1; ++node)
    for (std::uint32_t of = 0; of < m.config.nodes; ++of)
      drain_alien_array(env, m, cache, node, of);
  for (std::uint32_t node = 0; node < m.config.nodes; ++node)
    free_array(env, m, cache, shared_array(m, cache, node), node);
}

bool shrink_cache(Env& env, Machine& m, Index cache) {
  ++edit_cache(m, cache).users;
  drain_cpu_caches(env, m, cache);
  bool remain = false;
  for (std::uint32_t node = 0; node < m.config.nodes; ++node) {
    drain_freelist(env, m, cache, node, UINT32_MAX);
    const Node& n = node_at(m, cache, node);
    remain |= n.full.count > 0 || n.partial.count > 0;
  }
  return --edit_cache(m, cache).users > 0 || remain;  // with users there will be a slab
}

namespace {

// slab_kmem_cache_release.
void release_cache(Env& env, Machine& m, Index cache) {
  const std::uint64_t descriptor = cache_at(m, cache).object;
  free_parts(env, m, cache);
  edit_cache(m, cache) = {};
  free_own(env, m, descriptor);
}

bool is_general(const Machine& m, Index cache) {
  for (std::uint64_t i = 0; i < m.slab.general.count; ++i)
    if (m.arena.at(m.slab.general, i) == cache + 1) return true;
  return false;
}

Destroyed busy(Machine& m, Index cache) {
  switch (m.profile().slab_misuse) {
    case SlabMisuse::tolerated:  // S-41: warned of, and kept in the chain
      edit_cache(m, cache).state = CacheState::zombie;
      break;
    case SlabMisuse::stops_the_kernel:  // linked again, in front: it goes on as before
      unlink_cache(m, cache);
      link_cache(m, cache);
      break;
  }
  warn(m);
  return Destroyed::busy;
}

Destroyed shutdown_cache(Env& env, Machine& m, Index cache) {
  if (shrink_cache(env, m, cache)) return busy(m, cache);
  unlink_cache(m, cache);
  // Its pages wait for a grace period, and so does it. 2.6.11 would wait here.
  if (cache_at(m, cache).flags & SLAB_TYPESAFE_BY_RCU)
    edit_cache(m, cache).state = CacheState::rcu_dying;
  else release_cache(env, m, cache);
  return Destroyed::gone;
}

Answer<Destroyed> no_such_cache(Machine& m) {
  report(m, Fault::no_such_cache, Effect::none);
  return std::unexpected(Refused::misuse);
}

// 2.6.11 stops when it is called in an interrupt (S-40, S-41); 6.1 may sleep.
std::optional<Refused> refused_here(Machine& m) {
  switch (m.profile().slab_misuse) {
    case SlabMisuse::tolerated:
      if (in_atomic(m)) report(m, Fault::sleeping_in_atomic, Effect::none);
      return std::nullopt;
    case SlabMisuse::stops_the_kernel:
      if (!in_interrupt(m)) return std::nullopt;
      report(m, Fault::bad_cache, Effect::none);
      return Refused::misuse;
  }
  UNREACHABLE("a slab misuse policy outside the list");
}

}  // namespace

Refused wait_for_mutex(Machine& m) {
  if (!in_atomic(m)) return Refused::suspended;
  report(m, Fault::sleeping_in_atomic, Effect::none);
  return Refused::misuse;
}

void release_dying_caches(Env& env, Machine& m) {
  for (Index c = 0; c < caches_max; ++c)
    if (cache_at(m, c).state == CacheState::rcu_dying) release_cache(env, m, c);
}

Answer<Destroyed> kmem_cache_destroy(Env& env, Machine& m, std::optional<CacheId> cache) {
  if (globals_of(m).up == 0) return std::unexpected(Refused::no_memory);
  if (!cache && m.profile().slab_misuse == SlabMisuse::tolerated) return Destroyed::gone;  // S-41
  if (!cache || !usable(m, *cache)) return no_such_cache(m);
  if (const auto why = refused_here(m)) return std::unexpected(*why);
  const auto index = static_cast<Index>(*cache);
  const Cache& c = cache_at(m, index);
  // The allocator's own reference of a general cache is nobody's to give back.
  if (index == 0 || (c.refcount <= 1 && is_general(m, index))) return no_such_cache(m);
  if (!mutex_trylock(m)) return std::unexpected(wait_for_mutex(m));
  if (c.refcount > 0) --edit_cache(m, index).refcount;
  const Destroyed end = c.refcount > 0 ? Destroyed::still_used : shutdown_cache(env, m, index);
  mutex_unlock(m);
  return end;
}

Answer<bool> kmem_cache_shrink(Env& env, Machine& m, std::optional<CacheId> cache) {
  if (globals_of(m).up == 0) return std::unexpected(Refused::no_memory);
  if (!cache || !usable(m, *cache)) {
    report(m, Fault::no_such_cache, Effect::none);
    return std::unexpected(Refused::misuse);
  }
  if (const auto why = refused_here(m)) return std::unexpected(*why);
  return shrink_cache(env, m, static_cast<Index>(*cache));
}

std::uint32_t kmem_cache_size(const Machine& m, CacheId cache) {
  const Cache& c = cache_at(m, static_cast<Index>(cache));
  switch (m.profile().slab_management) {
    case core::SlabManagement::index_stack: return c.object_size;
    case core::SlabManagement::bufctl_chain:  // what lies behind the object may be used, too
      if (!m.config.slab_debug) return c.size;
      return (c.object_size + m.profile().word_bytes - 1) & ~(m.profile().word_bytes - 1);
  }
  UNREACHABLE("a slab management outside the list");
}

}  // namespace ref::slab
