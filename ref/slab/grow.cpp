// Implements the making of slabs, and their end.
#include "ref/slab/grow.hpp"

#include "ref/slab/create.hpp"
#include "ref/slab/debug.hpp"
#include "ref/slab/freelist.hpp"

namespace ref::slab {

using namespace core;  // the gfp bits

namespace {

// 6.1: GFP_CONSTRAINT_MASK | GFP_RECLAIM_MASK; 2.6.11: GFP_LEVEL_MASK.
constexpr Gfp constraint_mask = GFP_BIT_HARDWALL | GFP_BIT_THISNODE;
constexpr Gfp reclaim_mask = GFP_BIT_DIRECT_RECLAIM | GFP_BIT_KSWAPD_RECLAIM | GFP_BIT_HIGH |
                             GFP_BIT_IO | GFP_BIT_FS | GFP_BIT_NOWARN | GFP_BIT_RETRY_MAYFAIL |
                             GFP_BIT_NOFAIL | GFP_BIT_NORETRY | GFP_BIT_MEMALLOC |
                             GFP_BIT_NOMEMALLOC | GFP_BIT_ATOMIC;
constexpr Gfp level_mask = GFP_BIT_DIRECT_RECLAIM | GFP_BIT_HIGH | GFP_BIT_IO | GFP_BIT_FS |
                           GFP_BIT_COLD | GFP_BIT_NOWARN | GFP_BIT_RETRY_MAYFAIL | GFP_BIT_NOFAIL |
                           GFP_BIT_NORETRY | GFP_BIT_NO_GROW | GFP_BIT_COMP;

// What of a caller's flags reaches the page allocator (S-33).
Gfp local_flags(Machine& m, Index cache, Gfp gfp) {
  constexpr Gfp bug_mask = GFP_BIT_DMA32 | GFP_BIT_HIGHMEM;
  switch (m.profile().slab_misuse) {
    case SlabMisuse::stops_the_kernel: return gfp & level_mask;  // others were refused before
    case SlabMisuse::tolerated:
      if (gfp & bug_mask) warn(m);
      if (cache_at(m, cache).ctor != 0 && (gfp & GFP_BIT_ZERO))  // S-31
        warn_once(m, WarnOnce::ctor_zero_at_grow);
      return gfp & (constraint_mask | reclaim_mask);
  }
  UNREACHABLE("a slab misuse policy outside the list");
}

// S-9: the offset of a new slab.
std::uint32_t next_colour(Machine& m, Index cache, std::uint32_t node) {
  Cache& c = edit_cache(m, cache);
  const auto advance = [&](std::uint32_t& next) {
    if (++next >= c.colour) next = 0;
    return next;
  };
  switch (m.profile().new_slab) {
    case NewSlab::used_directly:
      return advance(edit_node(m, cache, node).colour_next) * c.colour_off;
    case NewSlab::listed_free: {
      const std::uint32_t colour = c.colour_next;
      advance(c.colour_next);
      return colour * c.colour_off;
    }
  }
  UNREACHABLE("a policy for new slabs outside the list");
}

Index page_of_pfn(const Machine& m, Pfn pfn) {
  return buddy::page_index(buddy::zone_at(m, buddy::zone_of_pfn(m, pfn)), pfn);
}

void kmem_freepages(Env& env, Machine& m, Index page) {
  const Pfn pfn = pfn_of_slab(m, page);
  const unsigned order = buddy::page_at(m, page).order;
  for (Index i = 0; i < Index{1} << order; ++i) edit_slab(m, page + i) = {};
  buddy::set_page_flags(m, pfn, 0);  // PG_slab: a page freed with it is bad
  buddy::free_pages_(env, m, pfn, order);
}

// The free indices' place, and the objects' (S-7).
void place_objects(Machine& m, Index page, std::uint64_t management) {
  const Index cache = slab_at(m, page).cache - 1;
  const Cache& c = cache_at(m, cache);
  Slab& s = edit_slab(m, page);
  const std::uint64_t address = slab_address(m, page);
  s.s_mem = address + s.colour;
  switch (m.profile().slab_management) {
    case SlabManagement::index_stack:
      if (c.flags & CFLGS_OFF_SLAB) s.freelist = management;
      else if (!(c.flags & CFLGS_OBJFREELIST_SLAB))
        s.freelist = address + (std::uint64_t{m.config.page_bytes} << c.gfporder) - c.freelist_size;
      return;
    case SlabManagement::bufctl_chain:
      if (!(c.flags & CFLGS_OFF_SLAB)) management = s.s_mem, s.s_mem += c.freelist_size;
      s.freelist = management + slab_struct_bytes;
      return;
  }
}

// Where the object that holds a slab's management begins; 0 if none does.
std::uint64_t off_slab_object(const Machine& m, Index page) {
  const Slab& s = slab_at(m, page);
  if (!(cache_at(m, s.cache - 1).flags & CFLGS_OFF_SLAB)) return 0;
  switch (m.profile().slab_management) {
    case SlabManagement::index_stack: return s.freelist;
    case SlabManagement::bufctl_chain: return s.freelist - slab_struct_bytes;
  }
  UNREACHABLE("a slab management outside the list");
}

void count_slab(Machine& m, Index page, std::uint32_t slabs, std::uint32_t objects) {
  Node& n = edit_node(m, slab_at(m, page).cache - 1, node_of_slab(m, page));
  n.total_slabs += slabs;
  n.free_objects += objects;
}

}  // namespace

Refused forget_wait(Machine& m, Refused refused) {
  if (refused == Refused::suspended) m.arena.edit(m.core.task, m.cpu().task).wait = {};
  return refused;
}

Answer<Index> cache_grow_begin(Env& env, Machine& m, Index cache, Gfp gfp, std::uint32_t node) {
  if (gfp & GFP_BIT_NO_GROW) return std::unexpected(Refused::no_memory);
  const Gfp local = local_flags(m, cache, gfp);
  if (may_block(local)) env.at(Point::slab_grow_unlocked);
  const std::uint8_t order = cache_at(m, cache).gfporder;
  const Answer<Pfn> pfn =
      buddy::alloc_pages_node(env, m, node, local | cache_at(m, cache).allocflags, order);
  if (!pfn) return std::unexpected(forget_wait(m, pfn.error()));
  buddy::set_page_flags(m, *pfn, buddy::PG_slab);
  const Index page = page_of_pfn(m, *pfn);
  const std::uint32_t slab_node = node_of_slab(m, page);
  for (Index i = 0; i < Index{1} << order; ++i) edit_slab(m, page + i).head = page + 1;
  Slab& s = edit_slab(m, page);
  s.cache = cache + 1;
  s.colour = next_colour(m, cache, slab_node);
  std::uint64_t management = 0;
  if (cache_at(m, cache).flags & CFLGS_OFF_SLAB) {
    const Index holder = cache_at(m, cache).freelist_cache - 1;
    const auto object = alloc_own(env, m, holder, local & ~constraint_mask, slab_node);
    if (!object) {
      kmem_freepages(env, m, page);
      return std::unexpected(object.error());
    }
    management = *object;
  }
  place_objects(m, page, management);
  cache_init_objs(m, page);
  if (may_block(local)) env.at(Point::slab_grown);
  return page;
}

void cache_grow_end(Machine& m, Index page) {
  const Slab& s = slab_at(m, page);
  count_slab(m, page, 1, cache_at(m, s.cache - 1).num - s.active);
  if (s.active == 0) push_back(m, page, on_free);
  else fixup_slab_list(m, page);
}

void fixup_slab_list(Machine& m, Index page) {
  unlink_slab(m, page);
  const bool full = slab_at(m, page).active == cache_at(m, slab_at(m, page).cache - 1).num;
  push_front(m, page, full ? on_full : on_partial);
  if (full) drop_indices(m, page);
}

void detach(Machine& m, Index page, Detached& detached) {
  unlink_slab(m, page);
  Slab& s = edit_slab(m, page);
  REQUIRE(s.active == 0);
  Node& n = edit_node(m, s.cache - 1, node_of_slab(m, page));
  --n.total_slabs;
  n.free_objects -= cache_at(m, s.cache - 1).num;
  s.next = detached.first;
  detached.first = page + 1;
}

void slab_destroy(Env& env, Machine& m, Index page) {
  debug_destroy(m, page);
  const std::uint64_t management = off_slab_object(m, page);
  if (cache_at(m, slab_at(m, page).cache - 1).flags & SLAB_TYPESAFE_BY_RCU) {  // S-27
    SlabGlobals& g = edit_globals_of(m);
    Slab& s = edit_slab(m, page);
    s.rcu = 1, s.next = 0, s.prev = g.rcu_last;
    (g.rcu_last != 0 ? edit_slab(m, g.rcu_last - 1).next : g.rcu_first) = page + 1;
    g.rcu_last = page + 1;
    // 6.1 needs no indices any more; 2.6.11 keeps its struct slab for the callback.
    if (m.profile().slab_management == SlabManagement::bufctl_chain) return;
    s.freelist = 0;
  } else {
    kmem_freepages(env, m, page);
  }
  free_own(env, m, management);
}

void slabs_destroy(Env& env, Machine& m, Detached detached) {
  while (detached.first != 0) {
    const Index page = detached.first - 1;
    detached.first = std::exchange(edit_slab(m, page).next, 0);
    slab_destroy(env, m, page);
  }
}

void drain_freelist(Env& env, Machine& m, Index cache, std::uint32_t node, std::uint32_t most) {
  for (; most > 0; --most) {
    const List& free = node_at(m, cache, node).free;
    if (free.count == 0) return;
    Detached one;
    detach(m, free.tail - 1, one);
    slabs_destroy(env, m, one);
  }
}

// The pages of slabs that wait, in the order in which they were given up; then the caches.
void rcu_grace_period(Env& env, Machine& m) {
  while (globals_of(m).rcu_first != 0) {
    SlabGlobals& g = edit_globals_of(m);
    const Index page = g.rcu_first - 1;
    g.rcu_first = slab_at(m, page).next;
    (g.rcu_first != 0 ? edit_slab(m, g.rcu_first - 1).prev : g.rcu_last) = 0;
    const std::uint64_t management = slab_at(m, page).freelist != 0 ? off_slab_object(m, page) : 0;
    kmem_freepages(env, m, page);
    free_own(env, m, management);
  }
  release_dying_caches(env, m);
}

std::uint32_t free_limit_of(const Machine& m, Index cache, std::uint32_t node) {
  switch (m.profile().new_slab) {
    case NewSlab::listed_free: return cache_at(m, cache).free_limit;
    case NewSlab::used_directly: return node_at(m, cache, node).free_limit;
  }
  UNREACHABLE("a policy for new slabs outside the list");
}

void set_free_limit(Machine& m, Index cache, std::uint32_t node) {
  std::uint32_t cpus = 0;
  for (std::uint32_t cpu = 0; cpu < m.config.cpus; ++cpu)
    cpus += buddy::node_of_cpu(m, cpu) == node;
  Cache& c = edit_cache(m, cache);
  const std::uint32_t limit = (1 + cpus) * c.batchcount + c.num;
  switch (m.profile().new_slab) {
    case NewSlab::listed_free: c.free_limit = limit; return;
    case NewSlab::used_directly: edit_node(m, cache, node).free_limit = limit; return;
  }
}

}  // namespace ref::slab
