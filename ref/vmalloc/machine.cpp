// Makes a machine whose window is free, or says that there is none.
#include "ref/vmalloc/machine.hpp"

#include "ref/mmu/mmu.hpp"
#include "ref/vmalloc/ranges.hpp"

namespace ref::vmalloc {
namespace {

struct Quiet final : core::Env {};

// vmalloc_init of 6.1: the cache of ranges, and one range that is free. False: memory ran out.
bool make_free_range(Machine& m) {
  Quiet env;
  const auto cache =
      slab::kmem_cache_create(env, m, {.name = "vmap_area", .size = m.profile().vmap_area_bytes});
  if (!cache) return false;
  const auto object =
      slab::kmem_cache_alloc(env, m, *cache, core::gfp_of(m.config.era, "GFP_NOWAIT"));
  if (!object) return false;
  edit_globals_of(m).vmap_area_cache = static_cast<Index>(*cache) + 1;
  insert_range(m, RangeSet::free, 0, window_pages(m), static_cast<std::uint64_t>(*object));
  return true;
}

bool vmalloc_init(Machine& m) {
  if (m.arena.at(m.slab.globals, 0).up == 0 || !mmu::is_up(m)) return false;
  switch (m.profile().area_search) {
    case core::AreaSearch::sorted_list: break;
    case core::AreaSearch::augmented_tree:
      if (!make_free_range(m)) return false;
      break;
  }
  edit_globals_of(m).up = 1;
  return true;
}

}  // namespace

Machine::Machine(const core::Config& c, Bare) : slab::Machine(c, Laid{}) {
  vmalloc.globals = arena.lay<VmallocGlobals>(1);
  vmalloc.cpu = arena.lay<VmallocCpu>(c.cpus);
  vmalloc.range = arena.lay<Range>(c.vmalloc);
  vmalloc.area = arena.lay<Area>(c.vmalloc);
  const bool may_be_bare = c.profile().vmap_area_bytes > 0;  // ranges that are no areas
  if (may_be_bare && c.vmalloc > 0)
    vmalloc.block = arena.lay<Block>(c.vmalloc / vmap_block_pages(c) + 2);
  if (c.vmalloc > 0) vmalloc.base = mmu.window.vmalloc_start / c.page_bytes;
}

Machine::Machine(const core::Config& c) : Machine(c, Bare{}) {
  slab::Machine::boot();
  if (c.vmalloc == 0) return;
  const core::Arena without = arena;
  const auto no_events = events;
  if (!vmalloc_init(*this)) arena = without, events = no_events;
  core::wipe_log(*this);
  edit_globals().warned = 0;
  arena.rebase();
}

}  // namespace ref::vmalloc
