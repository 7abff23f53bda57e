// Implements the table of general caches: sizes, and which serves a request.
#include <algorithm>

#include "ref/slab/records.hpp"

namespace ref::slab {
namespace {

// With the classes between powers of two that small cache lines make worth while.
constexpr std::array<std::uint32_t, 15> with_both{
    32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072};
constexpr std::array<std::uint32_t, 14> with_192{32,   64,   128,  192,   256,   512,   1024,
                                                 2048, 4096, 8192, 16384, 32768, 65536, 131072};
constexpr std::array<std::uint32_t, 13> powers{32,   64,   128,   256,   512,   1024,  2048,
                                               4096, 8192, 16384, 32768, 65536, 131072};

// K-2: 2.6.11 asks for the machine's cache line, 6.1 for the smallest alignment of kmalloc.
std::span<const std::uint32_t> all_sizes(const core::Config& c) {
  switch (c.profile().slab_management) {
    case core::SlabManagement::index_stack: return with_both;
    case core::SlabManagement::bufctl_chain: {
      const std::span<const std::uint32_t> sizes =
          c.cache_line < 64    ? std::span<const std::uint32_t>(with_both)
          : c.cache_line < 128 ? std::span<const std::uint32_t>(with_192)
                               : std::span<const std::uint32_t>(powers);
      return c.page_bytes <= 4096 ? sizes : sizes.subspan(1);  // 32 only there
    }
  }
  UNREACHABLE("a slab management outside the list");
}

// K-6: the first of DMA, reclaimable, accounted.
GeneralKind kmalloc_type(const Machine& m, Gfp gfp) {
  if (gfp & core::GFP_BIT_DMA) return GeneralKind::dma;
  switch (m.profile().slab_management) {
    case core::SlabManagement::bufctl_chain: return GeneralKind::normal;
    case core::SlabManagement::index_stack:
      if (gfp & core::GFP_BIT_RECLAIMABLE) return GeneralKind::reclaimable;
      return gfp & core::GFP_BIT_ACCOUNT ? GeneralKind::cgroup : GeneralKind::normal;
  }
  UNREACHABLE("a slab management outside the list");
}

}  // namespace

std::span<const std::uint32_t> general_sizes(const core::Config& c) {
  const std::span<const std::uint32_t> sizes = all_sizes(c);
  const std::uint32_t order = std::min(c.profile().general_order_max, c.orders - 1);
  const std::uint64_t most = std::uint64_t{c.page_bytes} << order;
  const auto end = std::ranges::upper_bound(sizes, most);
  return sizes.first(static_cast<std::size_t>(end - sizes.begin()));
}

std::optional<CacheId> general_cache(const Machine& m, std::uint64_t size, Gfp gfp) {
  const std::span<const std::uint32_t> sizes = general_sizes(m.config);
  const auto fit = std::ranges::lower_bound(sizes, size);
  if (fit == sizes.end()) return std::nullopt;
  const auto kind = static_cast<std::uint32_t>(kmalloc_type(m, gfp));
  const auto i = static_cast<std::uint32_t>(fit - sizes.begin());
  const Index entry = m.arena.at(m.slab.general, kind * general_classes_max + i);
  if (entry == 0) return std::nullopt;
  return CacheId{entry - 1};
}

}  // namespace ref::slab
