// map_ram: blocks of vm_map_ram, each of one CPU, and what is dirty in them.
//
//   block of 8 pages   [ aa b~ ... ]   free 3: what was never mapped    dirty 1: what was unmapped
//   full of dirt: it goes    fragmented, nothing mapped (free + dirty = 8): a purge takes it
#pragma once
#include "ref/vmalloc/areas.hpp"

namespace ref::vmalloc {

// From the first to the last page of the window that some block has unmapped and no purge flushed.
Extent dirty_of_blocks(const Machine&);
// Blocks that are neither used nor all dirty become lazy.
void purge_fragmented_blocks(Env&, Machine&);

}  // namespace ref::vmalloc
