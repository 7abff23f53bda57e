// SLAB-LAYOUT: what a cache's slabs must look like, worked out again from its sizes and flags.
#include <algorithm>
#include <bit>
#include <tuple>

#include "props/slab/invariants_parts.hpp"

namespace props::slab {
namespace {

using namespace ref::slab;

struct Layout {
  std::uint32_t order = 0;
  std::uint64_t num = 0, left = 0, management = 0;
  std::uint32_t flags = 0;  // CFLGS_OFF_SLAB, CFLGS_OBJFREELIST_SLAB
};

// As the kernels round: for an alignment that is no power of two to whatever comes out.
std::uint64_t round_up(std::uint64_t n, std::uint64_t to) { return (n + (to - 1)) & ~(to - 1); }

// The general cache for so many bytes; null where it is not there yet when the cache is made: the
// first caches are made in their order.
const Cache* holder_of(const Machine& m, const Cache& c, std::uint64_t bytes) {
  for (std::uint32_t i = 0; i < general_classes_max; ++i) {
    const Index entry = m.arena.at(m.slab.general, i);
    if (entry == 0 || !exists(m, entry - 1)) continue;
    const Cache& holder = cache_at(m, entry - 1);
    if (holder.object_size >= bytes) return &holder < &c ? &holder : nullptr;
  }
  return nullptr;
}

// 6.1: the smallest order that wastes little, with the free indices in one of three places.
Layout order_of(const Machine& m, const Cache& c, std::uint32_t place) {
  const std::uint64_t wide = index_bytes(m), most = (std::uint64_t{1} << 8 * wide) - 1;
  Layout chosen;
  for (std::uint32_t order = 0; order < m.config.orders; ++order) {
    const std::uint64_t bytes = std::uint64_t{m.config.page_bytes} << order;
    const std::uint64_t each = c.size + (place == 0 ? wide : 0), num = bytes / each;
    if (num == 0) continue;
    if (num > most) break;
    if (place == CFLGS_OFF_SLAB) {
      const Cache* holder = holder_of(m, c, num * wide);
      if (holder == nullptr || (holder->flags & CFLGS_OFF_SLAB) != 0) continue;
      if (holder->size > c.size / 2) continue;
    }
    chosen = {order, num, bytes % each, num * wide, place};
    if ((c.flags & SLAB_RECLAIM_ACCOUNT) != 0 || order >= globals_of(m).slab_max_order) break;
    if (chosen.left * 8 <= bytes) break;
  }
  return chosen;
}

Layout layout_new(const Machine& m, const Cache& c) {
  const Layout inside = order_of(m, c, CFLGS_OBJFREELIST_SLAB);
  const bool may = c.ctor == 0 && (c.flags & SLAB_TYPESAFE_BY_RCU) == 0 && inside.num > 0 &&
                   inside.management <= c.object_size;
  // A cache may have been made for smaller objects, before others were merged into it.
  const std::uint64_t rounding = std::max<std::uint64_t>(c.align, m.profile().word_bytes);
  const bool was_larger = (c.flags & CFLGS_OBJFREELIST_SLAB) != 0 || c.refcount < 0 ||
                          !m.config.slab_merge || inside.management + rounding + 16 <= c.size;
  if (may && was_larger) return inside;
  if ((c.flags & SLAB_NOLEAKTRACE) == 0) {
    const Layout off = order_of(m, c, CFLGS_OFF_SLAB);
    if (off.num > 0 && off.left < off.management) return off;
  }
  return order_of(m, c, 0);
}

// 2.6.11: as many objects as fit beside the management, which is rounded up to the alignment.
Layout estimate(const Machine& m, const Cache& c, std::uint32_t order, bool off) {
  const std::uint64_t bytes = std::uint64_t{m.config.page_bytes} << order;
  const auto managed = [&](std::uint64_t num) {
    return off ? 0 : round_up(slab_struct_bytes + num * index_bytes(m), c.align);
  };
  std::uint64_t num = bytes / c.size;
  while (num > 0 && num * c.size + managed(num) > bytes) --num;
  num = std::min<std::uint64_t>(num, bufctl_end - 2);
  const std::uint64_t used = num * c.size + managed(num);
  return {order, num, used > bytes ? 0 : bytes - used, 0, off ? CFLGS_OFF_SLAB : 0u};
}

bool can_be_off(const Machine& m, const Cache& c, std::uint64_t num) {
  const Cache* holder = holder_of(m, c, slab_struct_bytes + num * index_bytes(m));
  return holder != nullptr && (holder->flags & CFLGS_OFF_SLAB) == 0;
}

Layout order_of_old(const Machine& m, const Cache& c, bool off) {
  constexpr std::uint32_t order_max = 5;
  const std::uint32_t last = std::min(order_max, m.config.orders - 1);
  Layout chosen = estimate(m, c, 0, off);
  const bool first = (c.flags & SLAB_RECLAIM_ACCOUNT) != 0 && c.size <= m.config.page_bytes;
  for (std::uint32_t order = 0; !first && order <= last; ++order) {
    const Layout found = estimate(m, c, order, off);
    if (off && found.num > 0 && !can_be_off(m, c, found.num)) break;  // the one before it stays
    chosen = found;
    if (found.num == 0) continue;
    const std::uint64_t bytes = std::uint64_t{m.config.page_bytes} << order;
    if (order >= globals_of(m).slab_max_order || found.left * 8 <= bytes) break;
  }
  const std::uint64_t needed = slab_struct_bytes + chosen.num * index_bytes(m);
  chosen.management = off ? needed : round_up(needed, c.align);
  return chosen;
}

Layout layout_old(const Machine& m, const Cache& c) {
  const std::uint64_t word = m.profile().word_bytes;
  std::uint64_t large = round_up(c.object_size, word);
  if ((c.flags & SLAB_RED_ZONE) != 0) large += 2 * word;
  if ((c.flags & SLAB_STORE_USER) != 0) large += word;
  if (large < m.config.page_bytes / 8) return order_of_old(m, c, false);
  Layout off = order_of_old(m, c, true);
  const std::uint64_t rounded = round_up(off.management, c.align);
  if (off.num > 0 && off.left >= rounded) {  // what is left over holds it: on the slab again
    off.left -= rounded;
    off.management = rounded;
    off.flags = 0;
    return off;
  }
  return off.num > 0 && can_be_off(m, c, off.num) ? off : order_of_old(m, c, false);
}

// From one object to the next: with red zones and the last user's word around it, rounded up.
std::uint64_t stride_of(const Machine& m, const Cache& c) {
  constexpr std::uint64_t zone_new = 8, smallest = 16;
  const std::uint64_t word = m.profile().word_bytes, zone = is_old(m) ? word : zone_new;
  std::uint64_t size = round_up(c.object_size, word);
  if ((c.flags & SLAB_RED_ZONE) != 0) size += 2 * zone;
  if ((c.flags & SLAB_STORE_USER) != 0) size += zone;
  size = round_up(size, c.align);
  const bool small = !is_old(m) && index_bytes(m) == 1 && size < smallest;
  return small ? round_up(smallest, c.align) : size;
}

std::uint64_t zone_of(const Machine& m, const Cache& c) {
  if ((c.flags & SLAB_RED_ZONE) == 0) return 0;
  return is_old(m) ? m.profile().word_bytes : 8;
}

ref::core::Gfp allocflags_of(const Machine& m, const Cache& c) {
  ref::core::Gfp gfp = is_old(m) ? 0u : ref::core::Gfp{ref::core::GFP_BIT_COMP};
  if ((c.flags & SLAB_CACHE_DMA) != 0) gfp |= ref::core::GFP_BIT_DMA;
  if (!is_old(m) && (c.flags & SLAB_RECLAIM_ACCOUNT) != 0) gfp |= ref::core::GFP_BIT_RECLAIMABLE;
  return gfp;
}

// The debugging that is on wherever it fits (S-34), as far as a caller cannot ask for more.
bool debugging_fits(const Machine& m, const Cache& c) {
  constexpr std::uint32_t zones = SLAB_RED_ZONE | SLAB_STORE_USER, small = 4096;
  if (!m.config.slab_debug) return (c.flags & (zones | SLAB_POISON)) == 0;
  if ((c.flags & (SLAB_TYPESAFE_BY_RCU | SLAB_POISON)) == 0) return false;
  if (c.align > m.profile().word_bytes) return (c.flags & zones) == 0;
  return c.object_size >= small || (c.flags & zones) == zones;
}

// Index + 1 of the general cache that an off-slab cache's indices come from.
std::uint64_t holder_index(const Machine& m, const Cache& c) {
  if ((c.flags & CFLGS_OFF_SLAB) == 0) return 0;
  const Cache* holder = holder_of(m, c, c.freelist_size);
  return holder == nullptr ? 0 : static_cast<std::uint64_t>(holder - &cache_at(m, 0)) + 1;
}

// Whether the machine is large enough for slabs of two pages (S-8).
std::uint64_t slab_max_order_of(const Machine& m) {
  return m.config.pages() * m.config.page_bytes > (std::uint64_t{32} << 20) ? 1 : 0;
}

}  // namespace

Broken layout_broken(const Machine& m) {
  if (globals_of(m).slab_max_order != slab_max_order_of(m))
    return Witness{"slab_max_order", slab_max_order_of(m), globals_of(m).slab_max_order};
  for (Index i = 0; i < m.slab.cache.count; ++i) {
    if (!exists(m, i)) continue;
    const Cache& c = cache_at(m, i);
    if (c.size == 0 || c.align == 0) return of_cache(m, i, "its size and its alignment", 1, 0);
    if (std::has_single_bit(c.align) && c.size % c.align != 0)
      return of_cache(m, i, "its size modulo its alignment", 0, c.size % c.align);
    if (std::uint64_t{c.object_size} + c.obj_offset > c.size)
      return of_cache(m, i, "its size, at least", c.object_size + c.obj_offset, c.size);
    const Layout wanted = is_old(m) ? layout_old(m, c) : layout_new(m, c);
    const std::uint64_t colour_off = std::max(m.config.cache_line, c.align);
    constexpr std::uint32_t places = CFLGS_OFF_SLAB | CFLGS_OBJFREELIST_SLAB;
    constexpr std::uint32_t known = ((1u << slab_flag_names.size()) - 1 - SLAB_UNKNOWN) | places;
    for (const auto& [what, expected, actual] :
         {std::tuple{"size", stride_of(m, c), std::uint64_t{c.size}},
          std::tuple{"unknown flags", std::uint64_t{0}, std::uint64_t{c.flags & ~known}},
          std::tuple{"debugging where it fits", std::uint64_t{1},
                     std::uint64_t{debugging_fits(m, c)}},
          std::tuple{"obj_offset", zone_of(m, c), std::uint64_t{c.obj_offset}},
          std::tuple{"allocflags", std::uint64_t{allocflags_of(m, c)}, std::uint64_t{c.allocflags}},
          std::tuple{"cache of its free indices", holder_index(m, c),
                     std::uint64_t{c.freelist_cache}},
          std::tuple{"order", std::uint64_t{wanted.order}, std::uint64_t{c.gfporder}},
          std::tuple{"num", wanted.num, std::uint64_t{c.num}},
          std::tuple{"place of its free indices", std::uint64_t{wanted.flags},
                     std::uint64_t{c.flags & places}},
          std::tuple{"freelist_size", wanted.management, std::uint64_t{c.freelist_size}},
          std::tuple{"colour_off", colour_off, std::uint64_t{c.colour_off}},
          std::tuple{"colour", wanted.left / colour_off, std::uint64_t{c.colour}}})
      if (const Broken broken = of_cache(m, i, what, expected, actual)) return broken;
  }
  return std::nullopt;
}

}  // namespace props::slab
