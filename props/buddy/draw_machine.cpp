// Draws machines: any geometry that is cheap to search.
#include <algorithm>

#include "props/buddy/generator.hpp"

namespace props::buddy {
namespace {

using namespace ref::core;

std::uint32_t pages_of_zone(const Config& c, Random& random) {
  switch (random.below(8)) {
    case 0: return static_cast<std::uint32_t>(1 + random.below(12));
    case 1: return static_cast<std::uint32_t>(1 + random.below(200));
    case 2: return 1u << random.below(9);
    case 4: return (1u << (c.orders - 1)) * static_cast<std::uint32_t>(1 + random.below(2));
    case 3: return static_cast<std::uint32_t>(3u << random.below(7));
    default: return static_cast<std::uint32_t>(8u << random.below(4));
  }
}

void draw_zones(Config& c, Random& random) {
  const std::uint64_t kinds = 1 + random.below(7);  // a set, not empty
  Pfn next = random.chance(3) ? static_cast<Pfn>(random.below(70)) : 0;
  for (std::uint32_t node = 0; node < c.nodes; ++node) {
    for (std::size_t kind = 0; kind < zone_kinds; ++kind) {
      if (!(kinds >> kind & 1u) && !(c.nodes > 1 && kind == 1)) continue;
      if (random.chance(6)) next += static_cast<Pfn>(random.below(40));  // a hole
      const std::uint32_t pages = pages_of_zone(c, random);
      c.add_zone_at(static_cast<ZoneKind>(kind), next, pages, node);
      next += pages;
    }
  }
}

void draw_reserved(Config& c, Random& random) {
  for (std::uint64_t n = random.below(3); n > 0; --n) {
    const ZoneSpec& z = c.zones[random.below(c.zone_count)];
    const auto end = static_cast<Pfn>(z.first + z.pages - 1);
    const auto first = static_cast<Pfn>(z.first + random.below(z.pages));
    const auto last = static_cast<Pfn>(std::min<std::uint64_t>(first + random.below(4), end));
    const bool whole = random.chance(8);  // a zone without managed pages
    c.reserved[c.reserved_count++] = whole ? PfnRange{z.first, end} : PfnRange{first, last};
    if (validate(c)) c.reserved[--c.reserved_count] = {};
  }
}

}  // namespace

Config draw_machine(Random& random) {
  Config c;
  c.era = random.chance(2) ? EraId::linux_2_6_11 : EraId::linux_6_1;
  c.page_bytes = random.chance(4) ? 4096 : 64;
  c.orders =
      random.chance(3) ? orders_max : static_cast<std::uint32_t>(1 + random.below(orders_max));
  if (c.profile().numa && random.chance(4))
    c.nodes = static_cast<std::uint32_t>(1 + random.below(3));
  c.cpus = random.chance(2) ? 1 : static_cast<std::uint32_t>(1 + random.below(4));
  c.pcp = !random.chance(4);
  draw_zones(c, random);
  if (random.chance(3)) draw_reserved(c, random);
  if (random.chance(3))
    c.min_free_kbytes = static_cast<std::uint32_t>(random.below(c.page_bytes / 16));
  if (random.chance(3))
    c.lowmem_reserve_ratio = {static_cast<std::uint32_t>(random.below(40)),
                              static_cast<std::uint32_t>(random.below(40))};
  if (random.chance(24)) {  // large enough for batches of more than one page
    c.zone_count = 0, c.reserved_count = 0, c.nodes = 1;
    c.zones = {}, c.reserved = {};
    c.page_bytes = 64;
    c.add_zone(ZoneKind::normal, 16384u << random.below(2));
  }
  return c;
}

}  // namespace props::buddy
