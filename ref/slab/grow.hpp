// grow: slabs come from the page allocator, and go back to it.
//
//   cache_grow_begin ─▶ pages, indices, objects ─▶ cache_grow_end ─▶ on a list, counted
//   slab_destroy     ─▶ pages back at once, or after a grace period
#pragma once
#include "ref/slab/lists.hpp"

namespace ref::slab {

// A new slab, on no list and counted nowhere; the page index of its first frame.
[[nodiscard]] Answer<Index> cache_grow_begin(Env&, Machine&, Index cache, Gfp, std::uint32_t node);
void cache_grow_end(Machine&, Index page);
// Puts a slab where its `active` says, at the head (S-23).
void fixup_slab_list(Machine&, Index page);

// Slabs that were unlinked and wait to be destroyed, linked by `next`.
struct Detached {
  Index first = 0;
};
void detach(Machine&, Index page, Detached&);  // from its list, uncounting it
void slab_destroy(Env&, Machine&, Index page);
void slabs_destroy(Env&, Machine&, Detached);
// drain_freelist: at most `most` free slabs, from the end that the era takes (S-42).
void drain_freelist(Env&, Machine&, Index cache, std::uint32_t node, std::uint32_t most);

// 2.6.11 counts and colours in the cache, 6.1 on each node.
std::uint32_t free_limit_of(const Machine&, Index cache, std::uint32_t node);
void set_free_limit(Machine&, Index cache, std::uint32_t node);  // S-11

// Objects that the allocator needs for itself.
[[nodiscard]] Answer<std::uint64_t> alloc_own(Env&, Machine&, Index cache, Gfp,
                                              std::optional<std::uint32_t> node);
// Where pages are so small that no general cache holds an array: a compound block (K-5).
[[nodiscard]] Answer<std::uint64_t> alloc_own_pages(Env&, Machine&, std::uint64_t bytes, Gfp,
                                                    std::uint32_t node);
void free_own(Env&, Machine&, std::uint64_t address);  // 0: nothing

inline bool may_block(Gfp gfp) { return gfp & core::GFP_BIT_DIRECT_RECLAIM; }

// A task does not keep that it waits inside: the whole call is made again.
Refused forget_wait(Machine&, Refused);

}  // namespace ref::slab
