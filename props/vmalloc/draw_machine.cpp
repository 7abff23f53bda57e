// Draws machines with a window, on which the general caches fit.
#include "props/vmalloc/generator.hpp"

namespace props::vmalloc {
namespace {

using namespace ref::core;

void draw_zones(Config& c, Random& random) {
  for (std::uint32_t node = 0; node < c.nodes; ++node) {
    if (node == 0 && random.chance(3))
      c.add_zone(ZoneKind::dma, static_cast<std::uint32_t>(16u << random.below(3)), node);
    const std::uint64_t base = std::uint64_t{64} << random.below(3);
    c.add_zone(ZoneKind::normal, static_cast<std::uint32_t>(base + random.below(base)), node);
    if (random.chance(2))
      c.add_zone(ZoneKind::highmem, static_cast<std::uint32_t>(8u << random.below(4)), node);
  }
}

}  // namespace

Config draw_machine(Random& random) {
  Config c;
  c.era = random.chance(2) ? EraId::linux_2_6_11 : EraId::linux_6_1;
  // Small pages have lists of pages that do not fit one, and page tables of few entries.
  c.page_bytes = random.chance(3) ? (random.chance(2) ? 1024 : 16384) : 4096;
  c.orders = random.chance(2) ? orders_max : static_cast<std::uint32_t>(4 + random.below(7));
  if (c.profile().numa && random.chance(4)) c.nodes = 2;
  c.cpus =
      random.chance(3) ? 1 : static_cast<std::uint32_t>(1 + random.below(random.chance(4) ? 8 : 3));
  c.pcp = !random.chance(4);
  c.vmalloc = static_cast<std::uint32_t>(8 + random.below(random.chance(2) ? 24 : 120));
  if (random.chance(6)) c.pkmap = 16u << random.below(3);
  c.slab_debug = random.chance(8);
  draw_zones(c, random);
  return c;
}

}  // namespace props::vmalloc
