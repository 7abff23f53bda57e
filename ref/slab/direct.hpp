// direct: what kmalloc asks of the object allocator on every call, answered in one word each.
//
// An optional of a small number is written in two stores and read back as one load, which a
// processor cannot forward; here zero means none, as in the tables.
#pragma once
#include "ref/slab/slab.hpp"

namespace ref::slab {

// general_cache, as index + 1; 0: none.
Index general_entry(const Machine&, std::uint64_t size, Gfp);
// An object goes back to whatever cache it is of. False, and nothing changed: no object that a
// caller has begins there.
[[nodiscard]] bool kfree_object(Env&, Machine&, Address);

}  // namespace ref::slab
