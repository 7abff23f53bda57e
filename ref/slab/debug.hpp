// debug: red zones, poison and owners around and in objects (S-34). Nothing without the flags.
//
//   [ fill | red zone ][ object ............ 0xa5 ][ fill | red zone | owner ]
//                       ^ the address that callers know
//
// The owner is the number of the task that allocated or freed the object last, plus one: a kernel
// keeps the address of the calling code.
#pragma once
#include "ref/slab/records.hpp"

namespace ref::slab {

// A cache without these is of no interest here.
constexpr std::uint32_t any_debug = SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER;

void debug_new_object(Machine& m, Index cache, std::uint64_t address);
// On the way to a caller, and back: what was overwritten is in the log.
void debug_alloc(Machine& m, Index cache, std::uint64_t address, Gfp gfp);
void debug_free(Machine& m, Index cache, std::uint64_t address);
// Before the pages of a slab go: all its objects are free.
void debug_destroy(Machine& m, Index page);
void debug_poison_free(Machine& m, Index cache, std::uint64_t address);

}  // namespace ref::slab
