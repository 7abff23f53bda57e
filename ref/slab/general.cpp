// Implements the table of general caches: sizes, and which serves a request.
#include <algorithm>
#include <bit>

#include "ref/slab/direct.hpp"
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

// Sizes by the doubling that they are in, and which half of it: all of one such range have one
// class, for no class ends within.
constexpr std::uint64_t least = 32, largest_size = 131072;
constexpr std::size_t range_of(std::uint64_t size) {
  const std::uint64_t last = (size - (size != 0)) | (least - 1);
  const auto width = static_cast<unsigned>(std::bit_width(last));
  return 2 * width + (last >> (width - 2) & 1);
}
constexpr std::size_t ranges = range_of(largest_size) + 1;

// A list of sizes, and the first class that serves a range.
struct Classes {
  std::span<const std::uint32_t> sizes;
  std::array<std::uint8_t, ranges> serves{};
  explicit constexpr Classes(std::span<const std::uint32_t> all) : sizes(all) {
    for (std::size_t i = all.size(); i-- > 0;)
      for (std::size_t range = 0; range <= range_of(all[i]); ++range)
        serves[range] = static_cast<std::uint8_t>(i);
  }
};
constexpr Classes all_classes{with_both}, classes_with_192{with_192}, classes_of_powers{powers};

// K-2: 2.6.11 asks for the machine's cache line, 6.1 for the smallest alignment of kmalloc.
const Classes& classes_of(const core::Config& c) {
  switch (c.profile().slab_management) {
    case core::SlabManagement::index_stack: return all_classes;
    case core::SlabManagement::bufctl_chain:
      return c.cache_line < 64    ? all_classes
             : c.cache_line < 128 ? classes_with_192
                                  : classes_of_powers;
  }
  UNREACHABLE("a slab management outside the list");
}

// The first class of a machine: on the large pages of 2.6.11 not the smallest.
std::uint32_t first_class(const core::Config& c) {
  switch (c.profile().slab_management) {
    case core::SlabManagement::index_stack: return 0;
    case core::SlabManagement::bufctl_chain: return c.page_bytes <= 4096 ? 0 : 1;
  }
  UNREACHABLE("a slab management outside the list");
}

// The number of classes up to the largest of a machine; a block of pages is a power of two, as all
// large classes are.
std::uint32_t behind_last(const core::Config& c) {
  const std::uint32_t order = std::min(c.profile().general_order_max, c.orders - 1);
  const std::uint64_t most = std::uint64_t{c.page_bytes} << order;
  return classes_of(c).serves[range_of(std::min(most, largest_size))] + 1u;
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
  const std::uint32_t first = first_class(c);
  return classes_of(c).sizes.subspan(first, behind_last(c) - first);
}

Index general_entry(const Machine& m, std::uint64_t size, Gfp gfp) {
  if (size > largest_size) return 0;
  const std::uint32_t fit = classes_of(m.config).serves[range_of(size)];
  if (fit >= behind_last(m.config)) return 0;
  const std::uint32_t first = first_class(m.config);
  const auto kind = static_cast<std::uint32_t>(kmalloc_type(m, gfp));
  return m.arena.at(m.slab.general, kind * general_classes_max + std::max(fit, first) - first);
}

std::optional<CacheId> general_cache(const Machine& m, std::uint64_t size, Gfp gfp) {
  const Index entry = general_entry(m, size, gfp);
  if (entry == 0) return std::nullopt;
  return CacheId{entry - 1};
}

}  // namespace ref::slab
