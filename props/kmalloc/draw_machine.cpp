// Draws machines on which the general caches fit.
#include "props/kmalloc/generator.hpp"

namespace props::kmalloc {
namespace {

using namespace ref::core;

void draw_zones(Config& c, Random& random) {
  for (std::uint32_t node = 0; node < c.nodes; ++node) {
    if (node == 0 && random.chance(2))
      c.add_zone(ZoneKind::dma, static_cast<std::uint32_t>(16u << random.below(4)), node);
    const std::uint64_t base = std::uint64_t{64} << random.below(4);
    c.add_zone(ZoneKind::normal, static_cast<std::uint32_t>(base + random.below(base)), node);
    if (random.chance(4))
      c.add_zone(ZoneKind::highmem, static_cast<std::uint32_t>(8u << random.below(4)), node);
  }
}

}  // namespace

Config draw_machine(Random& random) {
  Config c;
  c.era = random.chance(2) ? EraId::linux_2_6_11 : EraId::linux_6_1;
  c.page_bytes = random.chance(4) ? (random.chance(2) ? 1024 : 16384) : 4096;
  c.orders = random.chance(2) ? orders_max : static_cast<std::uint32_t>(4 + random.below(7));
  if (c.profile().numa && random.chance(4)) c.nodes = 2;
  const std::uint64_t most = random.chance(8) ? cpus_max : 4;
  c.cpus = random.chance(2) ? 1 : static_cast<std::uint32_t>(1 + random.below(most));
  c.pcp = !random.chance(4);
  c.cache_line = random.chance(3) ? 16u << random.below(5) : 64;
  c.slab_debug = random.chance(6);
  c.slab_merge = !random.chance(6);
  draw_zones(c, random);
  if (random.chance(4)) c.min_free_kbytes = static_cast<std::uint32_t>(random.below(128));
  return c;
}

}  // namespace props::kmalloc
