// Implements the debugging of objects.
#include "ref/slab/debug.hpp"

#include <algorithm>

#include "ref/slab/freelist.hpp"
#include "ref/slab/layout.hpp"

namespace ref::slab {
namespace {

using core::Effect;
using core::Fault;

constexpr std::byte poison_inuse{0x5a}, poison_freed{0x6b}, poison_end{0xa5};

// The words of the era (S-34). 2.6.11: as its slab.c defines them.
struct Zones {
  std::uint64_t inactive, active;
  std::uint32_t bytes;
};
Zones zones_of(const Machine& m) {
  switch (m.profile().slab_management) {
    case core::SlabManagement::index_stack: return {0x09F911029D74E35B, 0xD84156C5635688C0, 8};
    case core::SlabManagement::bufctl_chain: return {0x5A2CF071, 0x170FC2A5, 4};
  }
  UNREACHABLE("a slab management outside the list");
}

std::uint64_t word_at(const Machine& m, std::uint64_t address, std::uint32_t bytes) {
  std::uint64_t word = 0;
  const auto b = m.arena.bytes(m.ram, place_in_slab(m, address), bytes);
  for (std::size_t i = bytes; i-- > 0;) word = word << 8 | std::to_integer<std::uint64_t>(b[i]);
  return word;
}
void set_word(Machine& m, std::uint64_t address, std::uint32_t bytes, std::uint64_t word) {
  for (std::byte& b : m.arena.edit_bytes(m.ram, place_in_slab(m, address), bytes))
    b = static_cast<std::byte>(word), word >>= 8;
}

std::uint64_t red_zone_1(const Machine& m, std::uint64_t address) {
  return address - zones_of(m).bytes;
}
std::uint64_t red_zone_2(const Machine& m, const Cache& c, std::uint64_t address) {
  const std::uint32_t bytes = zones_of(m).bytes;
  return address - c.obj_offset + c.size - (c.flags & SLAB_STORE_USER ? 2 * bytes : bytes);
}
void set_red_zones(Machine& m, const Cache& c, std::uint64_t address, std::uint64_t word) {
  set_word(m, red_zone_1(m, address), zones_of(m).bytes, word);
  set_word(m, red_zone_2(m, c, address), zones_of(m).bytes, word);
}
bool red_zones_are(const Machine& m, const Cache& c, std::uint64_t address, std::uint64_t word) {
  const std::uint32_t bytes = zones_of(m).bytes;
  return word_at(m, red_zone_1(m, address), bytes) == word &&
         word_at(m, red_zone_2(m, c, address), bytes) == word;
}
void set_owner(Machine& m, const Cache& c, std::uint64_t address, std::uint32_t owner) {
  const std::uint32_t word = m.profile().word_bytes;
  set_word(m, address - c.obj_offset + c.size - word, word, owner);
}

// 2.6.11 poisons whole words.
std::uint64_t poisoned_bytes(const Machine& m, const Cache& c) {
  switch (m.profile().slab_management) {
    case core::SlabManagement::index_stack: return c.object_size;
    case core::SlabManagement::bufctl_chain: return align_up(c.object_size, m.profile().word_bytes);
  }
  UNREACHABLE("a slab management outside the list");
}

void poison_obj(Machine& m, const Cache& c, std::uint64_t address, std::byte value) {
  const auto bytes = m.arena.edit_bytes(m.ram, place_in_slab(m, address), poisoned_bytes(m, c));
  std::ranges::fill(bytes, value);
  if (!bytes.empty()) bytes.back() = poison_end;
}

void overwritten(Machine& m, std::uint64_t address) {
  report(m, Fault::overwritten, Effect::none, pfn_of_slab(m, slab_of(m, address)));
}

void check_poison_obj(Machine& m, const Cache& c, std::uint64_t address) {
  const auto bytes = m.arena.bytes(m.ram, place_in_slab(m, address), poisoned_bytes(m, c));
  if (bytes.empty()) return;
  const auto body = bytes.first(bytes.size() - 1);
  const bool intact = bytes.back() == poison_end &&
                      std::ranges::all_of(body, [](std::byte b) { return b == poison_freed; });
  if (!intact) overwritten(m, address);
}

}  // namespace

void debug_new_object(Machine& m, Index cache, std::uint64_t address) {
  const Cache& c = cache_at(m, cache);
  if (!(c.flags & any_debug)) return;
  if (c.flags & SLAB_STORE_USER) set_owner(m, c, address, 0);
  if (c.flags & SLAB_RED_ZONE) set_red_zones(m, c, address, zones_of(m).inactive);
  if (c.flags & SLAB_POISON) poison_obj(m, c, address, poison_freed);
}

void debug_poison_free(Machine& m, Index cache, std::uint64_t address) {
  const Cache& c = cache_at(m, cache);
  if (c.flags & SLAB_POISON) poison_obj(m, c, address, poison_freed);
}

void debug_alloc(Machine& m, Index cache, std::uint64_t address, Gfp gfp) {
  const Cache& c = cache_at(m, cache);
  if (c.ctor != 0 && (gfp & core::GFP_BIT_ZERO))  // S-31
    warn_once(m, core::WarnOnce::ctor_zero_at_alloc);
  if (!(c.flags & any_debug)) return;
  if (c.flags & SLAB_POISON) {
    check_poison_obj(m, c, address);
    poison_obj(m, c, address, poison_inuse);
  }
  if (c.flags & SLAB_STORE_USER) set_owner(m, c, address, m.cpu().task + 1);
  if (c.flags & SLAB_RED_ZONE) {
    if (!red_zones_are(m, c, address, zones_of(m).inactive)) overwritten(m, address);
    set_red_zones(m, c, address, zones_of(m).active);
  }
  if (c.ctor != 0 && (c.flags & SLAB_POISON)) construct(m, cache, address);  // S-30
}

void debug_free(Machine& m, Index cache, std::uint64_t address) {
  const Cache& c = cache_at(m, cache);
  if (c.flags & SLAB_RED_ZONE) {
    if (!red_zones_are(m, c, address, zones_of(m).active)) overwritten(m, address);
    set_red_zones(m, c, address, zones_of(m).inactive);
  }
  if (c.flags & SLAB_STORE_USER) set_owner(m, c, address, m.cpu().task + 1);
  if (c.flags & SLAB_POISON) poison_obj(m, c, address, poison_freed);
}

void debug_destroy(Machine& m, Index page) {
  const Index cache = slab_at(m, page).cache - 1;
  const Cache& c = cache_at(m, cache);
  if (!(c.flags & any_debug)) return;
  if (c.flags & CFLGS_OBJFREELIST_SLAB) debug_poison_free(m, cache, slab_at(m, page).freelist);
  for (std::uint32_t i = 0; i < c.num; ++i) {
    const std::uint64_t address = index_to_obj(m, page, i);
    if (c.flags & SLAB_POISON) check_poison_obj(m, c, address);
    if ((c.flags & SLAB_RED_ZONE) && !red_zones_are(m, c, address, zones_of(m).inactive))
      overwritten(m, address);
  }
}

}  // namespace ref::slab
