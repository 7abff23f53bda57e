// freelist: which objects of a slab are free, kept in memory that the slab pays for.
//
//   6.1      indices [ 2 0 | 3 1 ]  active 2: objects 3 and 1 are free, 3 goes next     a stack
//   2.6.11   free 3, bufctl [ - end . 1 ]: 3 goes next, then 1                          a chain
#pragma once
#include "ref/slab/records.hpp"

namespace ref::slab {

// A new slab: every object free, constructed, in the order of the slab. Its record says where.
void cache_init_objs(Machine& m, Index page);
// The next free object. REQUIREs that there is one.
std::uint64_t slab_get_obj(Machine& m, Index page);
void slab_put_obj(Machine& m, Index page, std::uint64_t address);
// 6.1: the last free object left a slab that kept its indices in it.
void drop_indices(Machine& m, Index page);

// The object that begins at an address, by number. REQUIREs that one does.
std::uint32_t obj_to_index(const Machine& m, Index page, std::uint64_t address);
inline std::uint64_t index_to_obj(const Machine& m, Index page, std::uint32_t index) {
  const Slab& s = slab_at(m, page);
  const Cache& c = cache_at(m, s.cache - 1);
  return s.s_mem + std::uint64_t{c.size} * index + c.obj_offset;
}

void construct(Machine& m, Index cache, std::uint64_t address);

}  // namespace ref::slab
