// Implements the way of an allocation below this CPU's array: shared array, slabs, new slab.
#include <algorithm>

#include "ref/slab/alloc.hpp"
#include "ref/slab/freelist.hpp"

namespace ref::slab {
namespace {

constexpr std::uint32_t batchrefill_limit = 16;

// Objects of a slab into the array; how many of the batch are still missing.
std::uint32_t alloc_block(Machine& m, const ArrayRef& ac, Index page, std::uint32_t batch) {
  const std::uint32_t num = cache_at(m, slab_at(m, page).cache - 1).num;
  for (; slab_at(m, page).active < num && batch > 0; --batch) push(m, ac, slab_get_obj(m, page));
  return batch;
}

// S-23: the first partial slab, else the first free one. Nothing: none of either.
std::optional<Index> get_first_slab(Machine& m, Index cache, std::uint32_t node) {
  const Node& n = node_at(m, cache, node);
  if (n.partial.head != 0) return n.partial.head - 1;
  if (n.free_touched == 0) edit_node(m, cache, node).free_touched = 1;
  if (n.free.head != 0) return n.free.head - 1;
  return std::nullopt;
}

std::uint32_t batch_of(const Machine& m, const ArrayRef& ac) {
  const ArrayCache& array = array_at(m, ac);
  return array.touched ? array.batchcount : std::min(array.batchcount, batchrefill_limit);
}

bool take_from_shared(Machine& m, Index cache, const ArrayRef& ac, std::uint32_t node,
                      std::uint32_t batch) {
  const ArrayRef shared = shared_array(m, cache, node);
  if (array_at(m, shared).avail == 0 || transfer(m, ac, shared, batch) == 0) return false;
  edit_array(m, shared).touched = 1;
  return true;
}

// What arrays and slabs have; the array stays empty when they have nothing.
void refill(Machine& m, Index cache, const ArrayRef& ac, std::uint32_t node) {
  std::uint32_t batch = batch_of(m, ac);
  if (take_from_shared(m, cache, ac, node, batch)) return;
  while (batch > 0) {
    const std::optional<Index> page = get_first_slab(m, cache, node);
    if (!page) break;
    batch = alloc_block(m, ac, *page, batch);
    fixup_slab_list(m, *page);
  }
  if (const std::uint32_t got = array_at(m, ac).avail; got > 0)
    edit_node(m, cache, node).free_objects -= got;
}

// 6.1 does not lock, nor touch, lists that have nothing.
bool worth_a_look(const Machine& m, Index cache, std::uint32_t node) {
  switch (m.profile().new_slab) {
    case core::NewSlab::listed_free: return true;
    case core::NewSlab::used_directly:
      return node_at(m, cache, node).free_objects > 0 ||
             array_at(m, shared_array(m, cache, node)).avail > 0;
  }
  UNREACHABLE("a policy for new slabs outside the list");
}

// 6.1: memory of exactly this node, without waiting for it; a machine of one node knows no such.
Gfp gfp_exact_node(const Machine& m, Gfp gfp) {
  if (m.config.nodes == 1) return gfp & ~Gfp{core::GFP_BIT_NOFAIL};
  constexpr Gfp never =
      core::GFP_BIT_DIRECT_RECLAIM | core::GFP_BIT_KSWAPD_RECLAIM | core::GFP_BIT_NOFAIL;
  return (gfp | core::GFP_BIT_THISNODE | core::GFP_BIT_NOWARN) & ~never;
}

Answer<std::uint64_t> grow_and_use(Env& env, Machine& m, Index cache, Gfp gfp, std::uint32_t node) {
  const Answer<Index> page = cache_grow_begin(env, m, cache, gfp_exact_node(m, gfp), node);
  const ArrayRef ac = cpu_array(m, cache);  // it may have changed, or the CPU's objects
  if (page) {
    if (array_at(m, ac).avail == 0) alloc_block(m, ac, *page, batch_of(m, ac));
    cache_grow_end(m, *page);
  }
  if (array_at(m, ac).avail == 0) return std::unexpected(page.error());
  return take_newest(m, ac);
}

// 2.6.11: a new slab is listed free, and looked for again. Others may be faster, so more than once.
Answer<std::uint64_t> grow_and_retry(Env& env, Machine& m, Index cache, Gfp gfp,
                                     std::uint32_t node) {
  for (;;) {
    const Answer<Index> page = cache_grow_begin(env, m, cache, gfp, node);
    if (page) cache_grow_end(m, *page);
    const ArrayRef ac = cpu_array(m, cache);
    if (array_at(m, ac).avail > 0) return take_newest(m, ac);
    if (!page) return std::unexpected(page.error());
    refill(m, cache, ac, node);
    if (array_at(m, ac).avail > 0) return take_newest(m, ac);
  }
}

}  // namespace

Answer<std::uint64_t> cache_alloc_refill(Env& env, Machine& m, Index cache, Gfp gfp) {
  const std::uint32_t node = numa_mem_id(m);
  const ArrayRef ac = cpu_array(m, cache);
  if (worth_a_look(m, cache, node)) refill(m, cache, ac, node);
  if (array_at(m, ac).avail > 0) return take_newest(m, ac);
  switch (m.profile().new_slab) {
    case core::NewSlab::used_directly: return grow_and_use(env, m, cache, gfp, node);
    case core::NewSlab::listed_free: return grow_and_retry(env, m, cache, gfp, node);
  }
  UNREACHABLE("a policy for new slabs outside the list");
}

namespace {

// fallback_alloc: whatever another node has, else a new slab from anywhere.
Answer<std::uint64_t> fallback_alloc(Env& env, Machine& m, Index cache, Gfp gfp) {
  if (gfp & core::GFP_BIT_THISNODE) return std::unexpected(Refused::no_memory);
  const std::uint32_t here = numa_mem_id(m);
  const auto take = [&](std::uint32_t node) {
    const std::optional<Index> page = get_first_slab(m, cache, node);
    REQUIRE(page.has_value());
    const std::uint64_t object = slab_get_obj(m, *page);
    --edit_node(m, cache, node).free_objects;
    fixup_slab_list(m, *page);
    return object;
  };
  for (std::uint32_t i = 0; i < m.config.nodes; ++i) {
    const std::uint32_t node = (here + i) % m.config.nodes;
    if (node_at(m, cache, node).free_objects > 0) return take(node);
  }
  const Answer<Index> page = cache_grow_begin(env, m, cache, gfp, here);
  if (!page) return std::unexpected(page.error());
  cache_grow_end(m, *page);
  return take(node_of_slab(m, *page));
}

// ____cache_alloc_node: from one node's slabs, past the arrays.
Answer<std::uint64_t> alloc_from_node(Env& env, Machine& m, Index cache, Gfp gfp,
                                      std::uint32_t node) {
  if (const std::optional<Index> page = get_first_slab(m, cache, node)) {
    const std::uint64_t object = slab_get_obj(m, *page);
    --edit_node(m, cache, node).free_objects;
    fixup_slab_list(m, *page);
    return object;
  }
  const Answer<Index> page = cache_grow_begin(env, m, cache, gfp_exact_node(m, gfp), node);
  if (!page) return fallback_alloc(env, m, cache, gfp);
  const std::uint64_t object = slab_get_obj(m, *page);
  cache_grow_end(m, *page);
  return object;
}

// __do_cache_alloc, when this CPU's array has nothing or is not asked.
Answer<std::uint64_t> alloc_slow(Env& env, Machine& m, Index cache, Gfp gfp,
                                 std::optional<std::uint32_t> node) {
  const std::uint32_t here = numa_mem_id(m);
  if (node.value_or(here) == here) {
    const Answer<std::uint64_t> object = cache_alloc_refill(env, m, cache, gfp);
    if (object || m.config.nodes == 1) return object;
  }
  return alloc_from_node(env, m, cache, gfp, node.value_or(here));
}

}  // namespace

Answer<std::uint64_t> alloc_behind(Env& env, Machine& m, Index cache, Gfp gfp,
                                   std::optional<std::uint32_t> node) {
  ++edit_cache(m, cache).users;
  const Answer<std::uint64_t> object = alloc_slow(env, m, cache, gfp, node);
  --edit_cache(m, cache).users;
  return object;
}

void zero_object(Machine& m, Index cache, std::uint64_t address) {
  std::ranges::fill(
      m.arena.edit_bytes(m.ram, place_in_slab(m, address), cache_at(m, cache).object_size),
      std::byte{0});
}

}  // namespace ref::slab
