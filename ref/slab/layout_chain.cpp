// Implements the layout of slabs in 2.6.11.
//
//   [ colour | struct slab | index 0, 1, ... | fill | obj 0 | obj 1 | ... | rest ]
#include "ref/slab/layout_chain.hpp"

#include <algorithm>
#include <bit>

namespace ref::slab {
namespace {

constexpr std::uint64_t bufctl_bytes = 2, slab_limit = bufctl_end - 2;
constexpr std::uint32_t gfp_order_max = 5;  // MAX_GFP_ORDER

struct Found {
  std::uint64_t num = 0, left_over = 0;
  std::uint8_t order = 0;
  bool off = false;
};

std::uint64_t management_bytes(std::uint64_t num) { return slab_struct_bytes + num * bufctl_bytes; }

// cache_estimate: as many objects as fit beside the management, which is rounded up.
Found cache_estimate(const Machine& m, std::uint8_t order, std::uint64_t size, std::uint64_t align,
                     bool off) {
  const std::uint64_t bytes = std::uint64_t{m.config.page_bytes} << order;
  const auto managed = [&](std::uint64_t num) {
    return off ? 0 : align_up(management_bytes(num), align);
  };
  std::uint64_t num = bytes / (off ? size : size + bufctl_bytes);
  while (num > 0 && num * size + managed(num) > bytes) --num;
  num = std::min(num, slab_limit);
  const std::uint64_t used = num * size + managed(num);
  return {num, bytes - std::min(used, bytes), order, off};
}

// The general cache for so much management, unless its own is off its slabs (K-14). Index + 1.
Index off_slab_holder(const Machine& m, std::uint64_t num) {
  const std::optional<CacheId> cache = general_cache(m, management_bytes(num), 0);
  if (!cache) return 0;
  const auto index = static_cast<Index>(*cache);
  return cache_at(m, index).flags & CFLGS_OFF_SLAB ? 0 : index + 1;
}

// S-8. Off slab, no order whose management would not find a cache to be in: the one before.
Found choose_order(const Machine& m, std::uint64_t size, std::uint64_t align, std::uint32_t flags,
                   bool off) {
  Found chosen = cache_estimate(m, 0, size, align, off);
  if ((flags & SLAB_RECLAIM_ACCOUNT) && size <= m.config.page_bytes) return chosen;
  const std::uint32_t last = std::min(gfp_order_max, m.config.orders - 1);
  for (std::uint8_t order = 0; order <= last; ++order) {
    const Found found = cache_estimate(m, order, size, align, off);
    if (off && found.num > 0 && off_slab_holder(m, found.num) == 0) break;
    chosen = found;
    if (found.num == 0) continue;
    if (order >= globals_of(m).slab_max_order) break;
    if (found.left_over * 8 <= std::uint64_t{m.config.page_bytes} << order) break;
  }
  return chosen;
}

Found choose_layout(const Machine& m, std::uint64_t size, std::uint64_t align, std::uint32_t flags,
                    bool off) {
  if (off) {
    Found found = choose_order(m, size, align, flags, true);
    const std::uint64_t needed = align_up(management_bytes(found.num), align);
    if (found.num > 0 && found.left_over >= needed) {  // S-7: pulled back on the slab
      found.left_over -= needed, found.off = false;
      return found;
    }
    // Pages of 4096 bytes always have a cache for it; smaller ones may not.
    if (found.num > 0 && off_slab_holder(m, found.num) != 0) return found;
  }
  return choose_order(m, size, align, flags, false);
}

}  // namespace

// kmem_cache_create, from the rounding of the size on.
std::optional<Layout> layout_chain(const Machine& m, const LayoutAsk& ask) {
  const std::uint64_t word = m.profile().word_bytes;
  std::uint32_t flags = ask.flags;
  if (m.config.slab_debug) {  // FORCED_DEBUG
    const std::uint32_t last = ask.object_size - 1;
    if (ask.object_size < 4096 ||
        std::bit_width(last) == std::bit_width(last + static_cast<std::uint32_t>(3 * word)))
      flags |= SLAB_RED_ZONE | SLAB_STORE_USER;
    if (!(flags & SLAB_TYPESAFE_BY_RCU)) flags |= SLAB_POISON;
  }
  std::uint64_t size = align_up(ask.object_size, word), align = word;
  if (flags & SLAB_HWCACHE_ALIGN) {
    align = m.config.cache_line;
    while (align > word && size <= align / 2) align /= 2;
  }
  if (align < ask.align) {
    align = ask.align;
    if (align > word) flags &= ~std::uint32_t{SLAB_RED_ZONE | SLAB_STORE_USER};
  }
  Layout layout{};
  if (flags & SLAB_RED_ZONE) {
    align = word, size += 2 * word;
    layout.obj_offset = static_cast<std::uint32_t>(word);
  }
  if (flags & SLAB_STORE_USER) align = word, size += word;
  const bool off = size >= m.config.page_bytes / 8;  // S-7
  size = align_up(size, align);
  if (size >> 32 != 0) return std::nullopt;  // wraps in the kernel
  const Found found = choose_layout(m, size, align, flags, off);
  if (found.num == 0) return std::nullopt;
  layout.size = static_cast<std::uint32_t>(size);
  layout.align = static_cast<std::uint32_t>(align);
  layout.flags = flags | (found.off ? CFLGS_OFF_SLAB : 0u);
  layout.num = static_cast<std::uint32_t>(found.num);
  layout.freelist_size = static_cast<std::uint32_t>(
      found.off ? management_bytes(found.num) : align_up(management_bytes(found.num), align));
  layout.freelist_cache = found.off ? off_slab_holder(m, found.num) : 0;
  layout.gfporder = found.order;
  layout.colour_off = std::max(m.config.cache_line, layout.align);
  layout.colour = static_cast<std::uint32_t>(found.left_over / layout.colour_off);
  return layout;
}

}  // namespace ref::slab
