// Changes one field of a machine, and takes it only when the machine stays valid.
#include "fuzz/engine/mutate_machine.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace fuzz {
namespace {

using props::Random;
using namespace ref::core;

std::uint32_t below(Random& random, std::uint64_t n) {
  return static_cast<std::uint32_t>(random.below(n));
}

ZoneSpec& any_zone(Config& c, Random& random) { return c.zones[below(random, c.zone_count)]; }

// Zone `from` and all behind it move along, with what is reserved in them.
void shift(Config& c, std::uint32_t from, Pfn by) {
  for (std::uint32_t r = 0; r < c.reserved_count; ++r)
    if (from < c.zone_count && c.reserved[r].first >= c.zones[from].first)
      c.reserved[r].first += by, c.reserved[r].last += by;
  for (std::uint32_t i = from; i < c.zone_count; ++i) c.zones[i].first += by;
}

// Mostly the very next value: alignment hangs on single pages.
std::uint32_t little(Random& random) { return random.chance(2) ? 1 : 1 + below(random, 4); }

Pfn end_of(const ZoneSpec& zone) { return zone.first + zone.pages; }

// The zones behind move along, or a hole takes up the difference.
void resize_zone(Config& c, Random& random) {
  const std::uint32_t which = below(random, c.zone_count);
  std::uint32_t& pages = c.zones[which].pages;
  const std::uint32_t before = pages;
  switch (below(random, 4)) {
    case 0: pages += little(random); break;
    case 1: pages -= std::min(pages - 1, little(random)); break;
    case 2: pages = 1u << below(random, 10); break;
    default: pages = 1 + below(random, 100); break;
  }
  const bool room = which + 1 < c.zone_count && end_of(c.zones[which]) <= c.zones[which + 1].first;
  if (!room || random.chance(2)) shift(c, which + 1, pages - before);  // modulo 2^32: also back
}

// The hole in front of a zone goes, or becomes a little larger or smaller, or is drawn anew.
void move_zone(Config& c, Random& random) {
  const std::uint32_t which = below(random, c.zone_count);
  const Pfn hole = c.zones[which].first - (which == 0 ? 0 : end_of(c.zones[which - 1]));
  Pfn to = 0;
  switch (below(random, 4)) {
    case 0: to = hole + little(random); break;
    case 1: to = hole - std::min(hole, little(random)); break;
    case 2: to = below(random, 70); break;
    default: break;
  }
  shift(c, which, to - hole);
}

void add_zone(Config& c, Random& random) {
  if (c.zone_count == zones_max) return;
  c.add_zone(static_cast<ZoneKind>(below(random, zone_kinds)), 1 + below(random, 64),
             below(random, c.nodes));
}

void remove_zone(Config& c, Random& random) {
  const std::uint32_t at = below(random, c.zone_count);
  std::copy(c.zones.begin() + at + 1, c.zones.begin() + c.zone_count, c.zones.begin() + at);
  c.zones[--c.zone_count] = {};
}

void rename_zone(Config& c, Random& random) {
  ZoneSpec& zone = any_zone(c, random);
  if (random.chance(2)) zone.kind = static_cast<ZoneKind>(below(random, zone_kinds));
  else zone.node = below(random, c.nodes);
}

void change_nodes(Config& c, Random& random) {
  c.nodes = 1 + below(random, nodes_max);
  for (std::uint32_t i = 0; i < c.zone_count; ++i)
    c.zones[i].node = std::min(c.zones[i].node, c.nodes - 1);
}

void change_reserved(Config& c, Random& random) {
  if (c.reserved_count > 0 && random.chance(2)) {
    c.reserved[--c.reserved_count] = {};
    return;
  }
  if (c.reserved_count == reserved_max) return;
  const ZoneSpec& zone = any_zone(c, random);
  const Pfn first = zone.first + below(random, zone.pages);
  const Pfn last = std::min<Pfn>(first + below(random, 4), zone.first + zone.pages - 1);
  c.reserved[c.reserved_count++] = {first, last};
}

void change_min_free(Config& c, Random& random) {
  if (c.min_free_kbytes && random.chance(2)) c.min_free_kbytes.reset();
  else c.min_free_kbytes = below(random, random.chance(2) ? 64 : 1024);
}

void change_ratios(Config& c, Random& random) {
  if (c.lowmem_reserve_ratio && random.chance(2)) {
    c.lowmem_reserve_ratio.reset();
    return;
  }
  c.lowmem_reserve_ratio = std::array{below(random, 300), below(random, 64)};
}

// An era that knows no nodes has one, with those zones that are left.
void change_era(Config& c, Random& random) {
  c.era = static_cast<EraId>(below(random, era_count));
  if (c.profile().numa) return;
  const auto end = std::remove_if(c.zones.begin(), c.zones.begin() + c.zone_count,
                                  [](const ZoneSpec& z) { return z.node != 0; });
  std::fill(end, c.zones.end(), ZoneSpec{});
  c.zone_count = static_cast<std::uint32_t>(end - c.zones.begin());
  c.nodes = 1;
}

void change_pkmap(Config& c, Random& random) {
  c.pkmap = random.chance(4) ? 0 : 1u << below(random, random.chance(2) ? 5 : 11);
}

void change_vmalloc(Config& c, Random& random) {
  switch (below(random, 4)) {
    case 0: c.vmalloc += little(random); break;
    case 1: c.vmalloc -= std::min(c.vmalloc, little(random)); break;
    case 2: c.vmalloc = 1u << below(random, 10); break;
    default: c.vmalloc = below(random, 100); break;
  }
}

// Where zones lie has by far the most values, so it is changed more often than any other field.
constexpr std::array changes_of_pages{
    &change_era,
    +[](Config& c, Random& random) { c.page_bytes = 64u << below(random, 11); },
    +[](Config& c, Random& random) { c.orders = 1 + below(random, orders_max); },
    +[](Config& c, Random& random) { c.cpus = 1 + below(random, cpus_max); },
    +[](Config& c, Random&) { c.pcp = !c.pcp; },
    &change_nodes,
    &resize_zone,
    &resize_zone,
    &move_zone,
    &move_zone,
    &add_zone,
    &remove_zone,
    &rename_zone,
    &change_reserved,
    &change_min_free,
    &change_ratios,
};
// What only object allocators look at, and what only a window has.
constexpr std::array changes_of_objects{
    +[](Config& c, Random& random) { c.cache_line = 16u << below(random, 5); },
    +[](Config& c, Random&) { c.slab_debug = !c.slab_debug; },
    +[](Config& c, Random&) { c.slab_merge = !c.slab_merge; },
};
constexpr std::array changes_of_windows{
    &change_pkmap,
    &change_vmalloc,
};

}  // namespace

bool mutate_machine(Config& machine, Random& random, MachineKeys keys) {
  Config changed = machine;
  const std::size_t pages = changes_of_pages.size();
  const std::size_t objects = keys.objects ? changes_of_objects.size() : 0;
  const std::size_t windows = keys.windows ? changes_of_windows.size() : 0;
  const std::size_t which = below(random, pages + objects + windows);
  if (which < pages) changes_of_pages[which](changed, random);
  else if (which - pages < objects) changes_of_objects[which - pages](changed, random);
  else changes_of_windows[which - pages - objects](changed, random);
  const std::uint64_t most = std::max(mutated_pages_max, machine.pages());
  if (changed == machine || validate(changed) || changed.pages() > most) return false;
  machine = changed;
  return true;
}

}  // namespace fuzz
