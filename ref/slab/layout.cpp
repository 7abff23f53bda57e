// Implements the layout of slabs: what both eras share, and the way of 6.1.
#include "ref/slab/layout.hpp"

#include <algorithm>
#include <bit>

#include "ref/slab/layout_chain.hpp"

namespace ref::slab {
namespace {

constexpr std::uint64_t redzone_bytes = 8, obj_min_size = 16;
constexpr std::uint64_t size_end = std::uint64_t{1} << 32;  // sizes are 32-bit numbers

// What one way to place the free indices comes to.
struct Found {
  std::uint64_t num = 0, left_over = 0;
  std::uint8_t order = 0;
  Index freelist_cache = 0;
};

// Whether a general cache can hold the indices, and is worth it (S-7, K-14). Its index + 1.
Index off_slab_holder(const Machine& m, std::uint64_t bytes, std::uint64_t size) {
  const std::optional<CacheId> cache = general_cache(m, bytes, 0);
  if (!cache) return 0;
  const auto index = static_cast<Index>(*cache);
  const Cache& c = cache_at(m, index);
  return (c.flags & CFLGS_OFF_SLAB) || c.size > size / 2 ? 0 : index + 1;
}

// S-8: the lowest order that wastes little enough.
Found calculate_slab_order(const Machine& m, std::uint64_t size, std::uint32_t flags) {
  const std::uint64_t wide = freelist_idx_bytes(m), num_max = (std::uint64_t{1} << 8 * wide) - 1;
  const bool apart = flags & (CFLGS_OBJFREELIST_SLAB | CFLGS_OFF_SLAB);
  const std::uint64_t each = apart ? size : size + wide;
  Found found;
  for (std::uint8_t order = 0; order < m.config.orders; ++order) {
    const std::uint64_t bytes = std::uint64_t{m.config.page_bytes} << order, num = bytes / each;
    if (num == 0) continue;
    if (num > num_max) break;
    Index holder = 0;
    if (flags & CFLGS_OFF_SLAB) {
      holder = off_slab_holder(m, num * wide, size);
      if (holder == 0) continue;
    }
    found = {num, bytes % each, order, holder};
    if (flags & SLAB_RECLAIM_ACCOUNT) break;
    if (order >= globals_of(m).slab_max_order) break;
    if (found.left_over * 8 <= bytes) break;
  }
  return found;
}

// S-7: in a free object, off the slab, at its end; the first that can be.
std::optional<Layout> place_indices(const Machine& m, const LayoutAsk& ask, Layout layout) {
  const std::uint64_t wide = freelist_idx_bytes(m);
  const auto finish = [&](const Found& found, std::uint32_t flag) {
    layout.flags |= flag;
    layout.num = static_cast<std::uint32_t>(found.num);
    layout.freelist_size = static_cast<std::uint32_t>(found.num * wide);
    layout.gfporder = found.order;
    layout.freelist_cache = found.freelist_cache;
    layout.colour = static_cast<std::uint32_t>(found.left_over / layout.colour_off);
    return layout;
  };
  if (ask.ctor == 0 && !(layout.flags & SLAB_TYPESAFE_BY_RCU)) {
    const Found in = calculate_slab_order(m, layout.size, layout.flags | CFLGS_OBJFREELIST_SLAB);
    if (in.num > 0 && in.num * wide <= ask.object_size) return finish(in, CFLGS_OBJFREELIST_SLAB);
  }
  if (!(layout.flags & SLAB_NOLEAKTRACE)) {
    const Found off = calculate_slab_order(m, layout.size, layout.flags | CFLGS_OFF_SLAB);
    if (off.num > 0 && off.left_over < off.num * wide) return finish(off, CFLGS_OFF_SLAB);
  }
  const Found on = calculate_slab_order(m, layout.size, layout.flags);
  if (on.num == 0) return std::nullopt;
  return finish(on, 0);
}

// __kmem_cache_create, up to its arrays.
std::optional<Layout> layout_stack(const Machine& m, const LayoutAsk& ask) {
  std::uint32_t flags = ask.flags;
  if (m.config.slab_debug) {  // FORCED_DEBUG (S-34): where it does not cost a power of two
    const auto fls = [](std::uint32_t x) { return std::bit_width(x); };
    const std::uint32_t last = ask.object_size - 1;
    if (ask.object_size < 4096 ||
        fls(last) == fls(last + static_cast<std::uint32_t>(3 * redzone_bytes)))
      flags |= SLAB_RED_ZONE | SLAB_STORE_USER;
    if (!(flags & SLAB_TYPESAFE_BY_RCU)) flags |= SLAB_POISON;  // S-27
  }
  std::uint64_t size = align_up(ask.object_size, m.profile().word_bytes);
  const std::uint64_t align = std::max<std::uint64_t>(m.profile().word_bytes, ask.align);
  if (align > redzone_bytes) flags &= ~std::uint32_t{SLAB_RED_ZONE | SLAB_STORE_USER};
  Layout layout{};
  if (flags & SLAB_RED_ZONE) {
    layout.obj_offset = static_cast<std::uint32_t>(redzone_bytes);
    size += 2 * redzone_bytes;
  }
  if (flags & SLAB_STORE_USER) size += redzone_bytes;
  size = align_up(size, align);  // S-5
  if (freelist_idx_bytes(m) == 1 && size < obj_min_size) size = align_up(obj_min_size, align);
  // A size that a 32-bit number does not hold wraps in the kernel, and 0 divides by itself there.
  if (size == 0 || size >= size_end) return std::nullopt;
  layout.size = static_cast<std::uint32_t>(size);
  layout.align = static_cast<std::uint32_t>(align);
  layout.flags = flags;
  layout.colour_off = std::max(m.config.cache_line, layout.align);  // S-9
  return place_indices(m, ask, layout);
}

}  // namespace

std::uint32_t freelist_idx_bytes(const Machine& m) {
  switch (m.profile().slab_management) {
    case core::SlabManagement::bufctl_chain: return 2;
    case core::SlabManagement::index_stack:
      return (m.config.page_bytes >> 8) <= obj_min_size ? 1 : 2;
  }
  UNREACHABLE("a slab management outside the list");
}

std::uint64_t calculate_alignment(const Machine& m, std::uint32_t flags, std::uint64_t align,
                                  std::uint64_t size) {
  if (flags & SLAB_HWCACHE_ALIGN) {
    std::uint64_t line = m.config.cache_line;
    while (line > 0 && size <= line / 2) line /= 2;  // for size 0 the kernel does not end
    align = std::max(align, line);
  }
  const std::uint64_t word = m.profile().word_bytes;
  return align_up(std::max(align, word), word);
}

std::optional<Layout> calculate_layout(const Machine& m, const LayoutAsk& ask) {
  switch (m.profile().slab_management) {
    case core::SlabManagement::index_stack: return layout_stack(m, ask);
    case core::SlabManagement::bufctl_chain: return layout_chain(m, ask);
  }
  UNREACHABLE("a slab management outside the list");
}

}  // namespace ref::slab
