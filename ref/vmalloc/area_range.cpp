// Implements the search for a range's place, and what a place costs in objects.
//
//   fit in a free range   full [nnnn]   left [nn..]   right [..nn]   no edge [.nn.]
//   vmap_area objects      -1              0             0             +1, from this CPU's preload
#include "ref/vmalloc/mapping.hpp"

namespace ref::vmalloc {
namespace {

using namespace core;  // the gfp bits

slab::CacheId vmap_area_cache(const Machine& m) {
  return slab::CacheId{globals_of(m).vmap_area_cache - 1};
}

Answer<std::uint64_t> alloc_object(Env& env, Machine& m, Gfp gfp, Node node) {
  const auto cache = vmap_area_cache(m);
  const Answer<Address> got = node ? slab::kmem_cache_alloc_node(env, m, cache, gfp, *node)
                                   : slab::kmem_cache_alloc(env, m, cache, gfp);
  if (!got) return std::unexpected(got.error());
  return static_cast<std::uint64_t>(*got);
}

void free_object(Env& env, Machine& m, std::uint64_t object) {
  if (object != 0) slab::kmem_cache_free(env, m, vmap_area_cache(m), Address{object});
}

bool splits(const Machine& m, const Fit& fit, std::uint64_t pages) {
  const std::uint64_t end = fit.range + range_at(m, fit.range).pages;
  return fit.page > fit.range && fit.page + pages < end;
}

// Takes [fit.page, + pages) out of its free range; the object that is left over, if any.
std::uint64_t carve(Machine& m, const Fit& fit, std::uint32_t pages) {
  const Index begin = fit.range, end = begin + range_at(m, begin).pages, rest = fit.page + pages;
  if (splits(m, fit, pages)) {
    const std::uint64_t object =
        std::exchange(edit_cpu_of(m, m.globals().cpu).preload, std::uint64_t{0});
    move_begin(m, begin, rest);
    insert_range(m, RangeSet::free, begin, fit.page - begin, object);
  } else if (fit.page > begin) {
    move_end(m, begin, fit.page);
  } else if (rest < end) {
    move_begin(m, begin, rest);
  } else {
    return erase_range(m, begin).object;
  }
  return 0;
}

// Provides this CPU with an object for a split. Somebody else may have done so meanwhile.
Answer<bool> preload(Env& env, Machine& m, Gfp gfp, Node node) {
  if (cpu_of(m, m.globals().cpu).preload != 0) return true;
  const Answer<std::uint64_t> got = alloc_object(env, m, gfp, node);
  if (!got && got.error() == Refused::suspended) return std::unexpected(got.error());
  if (!got) return false;
  if (cpu_of(m, m.globals().cpu).preload == 0) edit_cpu_of(m, m.globals().cpu).preload = *got;
  else free_object(env, m, *got);
  return true;
}

// The lowest place in the free tree, moved to the busy one.
Answer<Index> take_lowest_free(Env& env, Machine& m, std::uint64_t pages, std::uint64_t align,
                               Gfp gfp, Node node, std::uint64_t object) {
  if (const Answer<bool> loaded = preload(env, m, gfp, node); !loaded)
    return std::unexpected(loaded.error());
  std::optional<Fit> fit = lowest_free(m, pages, align);
  if (fit && splits(m, *fit, pages) && cpu_of(m, m.globals().cpu).preload == 0) {
    const Answer<bool> loaded = preload(env, m, GFP_BIT_KSWAPD_RECLAIM, std::nullopt);
    if (!loaded || !*loaded) {
      warn_once(m, WarnOnce::vmap_split);
      return std::unexpected(Refused::no_memory);
    }
    fit = lowest_free(m, pages, align);  // others may have been there
  }
  if (!fit) return std::unexpected(Refused::no_memory);
  const auto count = static_cast<std::uint32_t>(pages);
  const std::uint64_t spare = carve(m, *fit, count);
  insert_range(m, RangeSet::busy, fit->page, count, object);
  free_object(env, m, spare);
  return fit->page;
}

// alloc_vmap_area
Answer<Index> alloc_in_tree(Env& env, Machine& m, std::uint64_t pages, std::uint64_t align, Gfp gfp,
                            Node node) {
  might_sleep(m);
  gfp &= reclaim_mask;
  const Answer<std::uint64_t> object = alloc_object(env, m, gfp, node);
  if (!object) return std::unexpected(object.error());
  for (bool purged = false;; purged = true) {
    const Answer<Index> page = take_lowest_free(env, m, pages, align, gfp, node, *object);
    if (page) return page;
    if (purged || page.error() == Refused::suspended) {
      free_object(env, m, *object);
      return page;
    }
    purge_vmap_area_lazy(env, m);  // V-8
  }
}

Answer<Index> alloc_in_list(Machine& m, std::uint64_t pages, std::uint64_t align) {
  const std::optional<Fit> fit = lowest_gap(m, pages, align);
  if (!fit) return std::unexpected(Refused::no_memory);
  const Index after =
      fit->range == 0 ? set_of(m, RangeSet::busy).first : linked(m, fit->range).next;
  insert_between(m, RangeSet::busy, fit->page, static_cast<std::uint32_t>(pages), 0,
                 {fit->range, after});
  return fit->page;
}

// The objects of ranges that a merge made superfluous.
struct Spare {
  std::array<std::uint64_t, 2> object{};
  std::size_t count = 0;
  void add(std::uint64_t o) { object[count++] = o; }
};

// Merges a range that is in no set with its neighbours of a set, or adds it.
Spare merge_or_add(Machine& m, RangeSet set, Index page, const Range& r) {
  Spare spare;
  const Neighbours beside = neighbours(m, set, page);
  Index begin = page;
  const bool after = beside.after != 0 && page + r.pages == beside.after - 1;
  const bool before =
      beside.before != 0 && beside.before - 1 + linked(m, beside.before).pages == page;
  if (after) {
    spare.add(r.object);
    move_begin(m, beside.after - 1, page);
  }
  if (before) {
    const Index end = page + (after ? range_at(m, page).pages : r.pages);
    spare.add(after ? erase_range(m, page).object : r.object);
    begin = beside.before - 1;
    move_end(m, begin, end);
  }
  if (!after && !before) insert_range(m, set, begin, r.pages, r.object);
  return spare;
}

void free_spare(Env& env, Machine& m, const Spare& spare) {
  for (const std::uint64_t object : spare.object) free_object(env, m, object);
}

// free_vmap_area_noflush: no CPU may see the addresses used again before a purge (V-40).
void make_lazy(Env& env, Machine& m, Index page) {
  const Range r = erase_range(m, page);
  VmallocGlobals& g = edit_globals_of(m);
  g.vmap_lazy_nr += r.pages;
  const bool above = g.vmap_lazy_nr > lazy_max_pages(m.config);
  const Spare spare = merge_or_add(m, RangeSet::lazy, page, r);
  if (above) g.drain_pending = 1;
  free_spare(env, m, spare);
}

}  // namespace

Answer<Index> alloc_range(Env& env, Machine& m, std::uint64_t pages, std::uint64_t align, Gfp gfp,
                          Node node) {
  switch (m.profile().area_search) {
    case AreaSearch::sorted_list: return alloc_in_list(m, pages, align);
    case AreaSearch::augmented_tree: return alloc_in_tree(env, m, pages, align, gfp, node);
  }
  UNREACHABLE("an area search outside the list");
}

void release_range(Env& env, Machine& m, Index page) {
  switch (m.profile().unmapping) {
    case Unmapping::flushed_at_once: erase_range(m, page); return;
    case Unmapping::lazy_purge: return make_lazy(env, m, page);
  }
  UNREACHABLE("an unmapping outside the list");
}

// Everything lazy becomes free before anybody else can act; objects go afterwards.
bool purge_lazy(Env& env, Machine& m, Extent also) {
  const Ranges lazy = set_of(m, RangeSet::lazy);
  if (lazy.count == 0) return false;
  const Index end = lazy.last - 1 + linked(m, lazy.last).pages;
  flush_window(m, std::min(also.begin, lazy.first - 1), std::max(also.end, end));
  std::vector<std::uint64_t> spare;
  for (Index first = lazy.first; first != 0; first = set_of(m, RangeSet::lazy).first) {
    const Range r = erase_range(m, first - 1);
    for (const std::uint64_t object : merge_or_add(m, RangeSet::free, first - 1, r).object)
      if (object != 0) spare.push_back(object);
    edit_globals_of(m).vmap_lazy_nr -= r.pages;
  }
  for (const std::uint64_t object : spare) free_object(env, m, object);
  return true;
}

}  // namespace ref::vmalloc
