// Draws a geometry that is cheap to search.
#include "props/slab/generator.hpp"

namespace props::slab {
namespace {

using namespace ref::core;

std::uint32_t below(Random& random, std::uint64_t n) {
  return static_cast<std::uint32_t>(random.below(n));
}

// Small pages need more of them: the general caches alone fill some hundred.
std::uint32_t pages_of_node(const Config& c, Random& random) {
  if (random.chance(40)) return 1 + below(random, 60);  // too few to boot, mostly
  const std::uint32_t least = 1u << (20 - std::min(20u - 7u, c.page_bytes == 256    ? 9u
                                                             : c.page_bytes == 1024 ? 11u
                                                                                    : 12u));
  return least + below(random, least);
}

}  // namespace

Config draw_machine(Random& random) {
  Config c;
  c.era = random.chance(2) ? EraId::linux_2_6_11 : EraId::linux_6_1;
  constexpr std::array<std::uint32_t, 3> page_sizes{256, 1024, 4096};
  c.page_bytes = page_sizes[random.below(page_sizes.size())];
  c.orders = random.chance(3) ? 5 + below(random, 7) : orders_max;
  if (c.profile().numa && random.chance(3)) c.nodes = 2;
  c.cpus = random.chance(3) ? 1 : 1 + below(random, random.chance(8) ? cpus_max : 4);
  c.pcp = !random.chance(4);
  if (random.chance(2)) c.cache_line = 16u << below(random, 5);
  c.slab_debug = random.chance(4);
  c.slab_merge = !random.chance(4);
  const bool dma = random.chance(2);
  for (std::uint32_t node = 0; node < c.nodes; ++node) {
    if (node == 0 && dma) c.add_zone(ZoneKind::dma, 32u << below(random, 3), node);
    c.add_zone(ZoneKind::normal, pages_of_node(c, random), node);
    if (node + 1 == c.nodes && random.chance(8)) c.add_zone(ZoneKind::highmem, 64, node);
  }
  if (random.chance(4)) c.min_free_kbytes = below(random, c.page_bytes / 16);
  return c;
}

}  // namespace props::slab
