// boot: the first caches, which need each other.
//
//   6.1      kmem_cache, kmalloc-128 (for nodes), then the others; arrays of one entry until all
//            are there          2.6.11: kmem_cache, size-32 (for arrays), size-32(DMA), ...
#pragma once
#include "ref/slab/create.hpp"

namespace ref::slab {

// False: memory ran out on the way, where a kernel would stop. The machine cannot be used then.
[[nodiscard]] bool kmem_cache_init(Machine&);

}  // namespace ref::slab
