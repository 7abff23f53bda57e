// Draws a geometry that is cheap to search.
#include "props/kmap/generator.hpp"

namespace props::kmap {

using namespace ref::core;

Config draw_machine(Random& random) {
  const auto below = [&](std::uint64_t n) { return static_cast<std::uint32_t>(random.below(n)); };
  Config c;
  c.era = random.chance(2) ? EraId::linux_2_6_11 : EraId::linux_6_1;
  constexpr std::array<std::uint32_t, 4> page_sizes{64, 64, 256, 4096};
  c.page_bytes = page_sizes[random.below(page_sizes.size())];
  c.orders = 4 + below(4);
  c.cpus = random.chance(3) ? 1 : random.chance(3) ? 1 + below(8) : 2;
  c.pcp = random.chance(2);
  c.pkmap = random.chance(24) ? 0 : 2u << below(4);
  if (c.pkmap == 0) c.vmalloc = below(2) * 16;
  if (random.chance(4)) c.add_zone(ZoneKind::dma, 16);
  // Page tables are of low memory: up to one for a CPU, and some for the window.
  c.add_zone(ZoneKind::normal, random.chance(40) ? 1 + below(4) : 24 + below(24));
  if (!random.chance(40)) c.add_zone(ZoneKind::highmem, 24 + below(40));
  return c;
}

}  // namespace props::kmap
