// Implements the free indices of a slab, and its objects' first state.
#include "ref/slab/freelist.hpp"

#include <cstring>

#include "ref/slab/debug.hpp"
#include "ref/slab/layout.hpp"

namespace ref::slab {
namespace {

using core::SlabManagement;

// The bytes of free index `i`.
std::uint64_t place_of_index(const Machine& m, Index page, std::uint32_t i) {
  const Slab& s = slab_at(m, page);
  REQUIRE(s.freelist != 0);
  return place_in_slab(m, s.freelist) + std::uint64_t{i} * freelist_idx_bytes(m);
}

std::uint32_t get_free_obj(const Machine& m, Index page, std::uint32_t i) {
  std::uint32_t value = 0;
  const auto bytes = m.arena.bytes(m.ram, place_of_index(m, page, i), freelist_idx_bytes(m));
  for (std::size_t b = bytes.size(); b-- > 0;)  // little endian, as x86
    value = value << 8 | std::to_integer<std::uint32_t>(bytes[b]);
  return value;
}

void set_free_obj(Machine& m, Index page, std::uint32_t i, std::uint32_t value) {
  const auto bytes = m.arena.edit_bytes(m.ram, place_of_index(m, page, i), freelist_idx_bytes(m));
  for (std::byte& b : bytes) b = static_cast<std::byte>(value), value >>= 8;
}

}  // namespace

std::byte constructed(Ctor ctor, std::uint64_t offset) {
  return static_cast<std::byte>(0xc0 + 8 * ctor + offset % 8);
}

void construct(Machine& m, Index cache, std::uint64_t address) {
  const Cache& c = cache_at(m, cache);
  const auto bytes = m.arena.edit_bytes(m.ram, place_in_slab(m, address), c.object_size);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = constructed(c.ctor, i);
}

void cache_init_objs(Machine& m, Index page) {
  const Index cache = slab_at(m, page).cache - 1;
  const Cache& c = cache_at(m, cache);
  if (c.flags & CFLGS_OBJFREELIST_SLAB)
    edit_slab(m, page).freelist = index_to_obj(m, page, c.num - 1);
  for (std::uint32_t i = 0; i < c.num; ++i) {
    const std::uint64_t object = index_to_obj(m, page, i);
    // S-30: once per object; with poison at each allocation instead.
    if (c.ctor != 0 && !(c.flags & SLAB_POISON)) construct(m, cache, object);
    debug_new_object(m, cache, object);
  }
  switch (m.profile().slab_management) {
    case SlabManagement::index_stack:
      for (std::uint32_t i = 0; i < c.num; ++i) set_free_obj(m, page, i, i);
      return;
    case SlabManagement::bufctl_chain:
      for (std::uint32_t i = 0; i < c.num; ++i)
        set_free_obj(m, page, i, i + 1 < c.num ? i + 1 : bufctl_end);
      return;
  }
}

std::uint64_t slab_get_obj(Machine& m, Index page) {
  Slab& s = edit_slab(m, page);
  REQUIRE(s.active < cache_at(m, s.cache - 1).num);
  switch (m.profile().slab_management) {
    case SlabManagement::index_stack:
      return index_to_obj(m, page, get_free_obj(m, page, s.active++));
    case SlabManagement::bufctl_chain: {
      const std::uint32_t index = s.free;
      s.free = get_free_obj(m, page, index);
      ++s.active;
      if (m.config.slab_debug) set_free_obj(m, page, index, bufctl_end - 1);  // BUFCTL_FREE
      return index_to_obj(m, page, index);
    }
  }
  UNREACHABLE("a slab management outside the list");
}

// S-25: the object freed last is the first to go again.
void slab_put_obj(Machine& m, Index page, std::uint64_t address) {
  const std::uint32_t index = obj_to_index(m, page, address);
  Slab& s = edit_slab(m, page);
  REQUIRE(s.active > 0);
  --s.active;
  switch (m.profile().slab_management) {
    case SlabManagement::index_stack:
      if (s.freelist == 0) s.freelist = address;
      return set_free_obj(m, page, s.active, index);
    case SlabManagement::bufctl_chain:
      set_free_obj(m, page, index, s.free);
      s.free = index;
      return;
  }
}

void drop_indices(Machine& m, Index page) {
  Slab& s = edit_slab(m, page);
  const Index cache = s.cache - 1;
  if (!(cache_at(m, cache).flags & CFLGS_OBJFREELIST_SLAB)) return;
  debug_poison_free(m, cache, s.freelist);
  s.freelist = 0;
}

std::uint32_t obj_to_index(const Machine& m, Index page, std::uint64_t address) {
  const Slab& s = slab_at(m, page);
  const Cache& c = cache_at(m, s.cache - 1);
  const auto offset = static_cast<std::uint32_t>(address - c.obj_offset - s.s_mem);
  const std::uint32_t index = offset / c.size;
  REQUIRE(offset % c.size == 0);
  REQUIRE(index < c.num);
  return index;
}

}  // namespace ref::slab
