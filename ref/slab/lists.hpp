// lists: the three lists of slabs that a cache has on a node.
//
//   full  [x x x]      partial  [x . x] [. x .]      free  [. . .]
//
// A slab that is on its way is on none of them.
#pragma once
#include "ref/slab/records.hpp"

namespace ref::slab {

enum SlabList : std::uint8_t { on_none, on_full, on_partial, on_free };

void push_front(Machine& m, Index page, SlabList list);
void push_back(Machine& m, Index page, SlabList list);
void unlink_slab(Machine& m, Index page);  // from the list that it is on, if any

}  // namespace ref::slab
