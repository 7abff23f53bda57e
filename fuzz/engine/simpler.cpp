// Simpler flags, zones and machines.
#include "fuzz/engine/simpler.hpp"

#include <algorithm>

namespace fuzz {

using ref::core::Config;
using ref::core::ZoneKind;
using ref::core::ZoneSpec;

std::uint64_t weight_of(const props::GfpArg& gfp, props::EraId era) {
  if (gfp.value == ref::core::gfp_of(era, "GFP_KERNEL")) return 0;
  if (gfp.value == ref::core::gfp_of(era, "GFP_ATOMIC")) return 1;
  return 2 + static_cast<std::uint64_t>(std::popcount(gfp.value));
}

std::vector<props::GfpArg> simpler(const props::GfpArg& gfp, props::EraId era) {
  std::vector<props::GfpArg> out{{ref::core::gfp_of(era, "GFP_KERNEL")},
                                 {ref::core::gfp_of(era, "GFP_ATOMIC")}};
  for (std::uint32_t bits = gfp.value; bits != 0; bits &= bits - 1)
    out.push_back({gfp.value & ~(bits & -bits)});
  std::erase_if(out, [&](const auto& g) { return weight_of(g, era) >= weight_of(gfp, era); });
  return out;
}

std::uint64_t weight_of(const props::ZoneArg& zone, props::EraId) {
  return zone.node * 2u + (zone.kind == ZoneKind::normal ? 0 : 1);
}

std::vector<props::ZoneArg> simpler(const props::ZoneArg& zone, props::EraId era) {
  std::vector<props::ZoneArg> out{
      {ZoneKind::normal, 0}, {zone.kind, 0}, {ZoneKind::normal, zone.node}};
  std::erase_if(out, [&](const auto& z) { return weight_of(z, era) >= weight_of(zone, era); });
  return out;
}

namespace {

std::uint64_t end_of(const Config& c, std::uint32_t zone) {
  return std::uint64_t{c.zones[zone].first} + c.zones[zone].pages;
}

// The frames before a zone that no zone has.
std::uint64_t hole_before(const Config& c, std::uint32_t zone) {
  return c.zones[zone].first - (zone == 0 ? 0 : end_of(c, zone - 1));
}

Config without_zone(const Config& c, std::uint32_t zone) {
  Config out = c;
  std::ranges::copy(c.zones.begin() + zone + 1, c.zones.end(), out.zones.begin() + zone);
  out.zones.back() = {};
  --out.zone_count;
  return out;
}

Config without_reserved(const Config& c, std::uint32_t range) {
  Config out = c;
  std::ranges::copy(c.reserved.begin() + range + 1, c.reserved.end(), out.reserved.begin() + range);
  out.reserved.back() = {};
  --out.reserved_count;
  return out;
}

// The zones from `zone` on begin so many frames earlier, with the ranges reserved there.
void move_down(Config& c, std::uint32_t zone, std::uint32_t frames) {
  const ref::core::Pfn from = c.zones[zone].first;
  for (; zone < c.zone_count; ++zone) c.zones[zone].first -= frames;
  for (std::uint32_t i = 0; i < c.reserved_count; ++i)
    if (c.reserved[i].first >= from) c.reserved[i].first -= frames, c.reserved[i].last -= frames;
}

void offer_fewer_nodes(const Config& c, std::vector<Config>& out) {
  if (c.nodes == 1) return;
  Config fewer = c;
  --fewer.nodes;
  for (std::uint32_t z = fewer.zone_count; z-- > 0;)
    if (fewer.zones[z].node >= fewer.nodes) fewer = without_zone(fewer, z);
  out.push_back(fewer);
}

void offer_zones(const Config& c, std::vector<Config>& out) {
  if (c.zone_count > 1)
    for (std::uint32_t z = 0; z < c.zone_count; ++z) {
      out.push_back(without_zone(c, z));
      if (z + 1 == c.zone_count) continue;
      // What comes behind may move into the place that became free.
      Config moved = without_zone(c, z);
      move_down(moved, z, c.zones[z + 1].first - c.zones[z].first);
      out.push_back(moved);
    }
  for (std::uint32_t z = 0; z < c.zone_count; ++z) {
    Config normal = c;
    normal.zones[z].kind = ZoneKind::normal;
    out.push_back(normal);
    if (const std::uint64_t hole = hole_before(c, z); hole > 0) {
      Config closed = c;
      move_down(closed, z, static_cast<std::uint32_t>(hole));
      out.push_back(closed);
    }
    for (const std::uint64_t pages : smaller_numbers(c.zones[z].pages, 1)) {
      Config smaller = c;
      smaller.zones[z].pages = static_cast<std::uint32_t>(pages);
      out.push_back(smaller);  // leaves a hole, unless there was one or it is the last zone
      if (z + 1 == c.zone_count) continue;
      move_down(smaller, z + 1, c.zones[z].pages - static_cast<std::uint32_t>(pages));
      out.push_back(smaller);
    }
  }
}

void offer_defaults(const Config& c, std::vector<Config>& out) {
  const Config standard;
  const auto offer = [&](auto Config::* key) {
    if (c.*key == standard.*key) return;
    out.push_back(c);
    out.back().*key = standard.*key;
  };
  offer(&Config::min_free_kbytes);
  offer(&Config::lowmem_reserve_ratio);
  offer(&Config::pcp);
  offer(&Config::orders);
  offer(&Config::page_bytes);
  offer(&Config::cache_line);
  offer(&Config::slab_debug);
  offer(&Config::slab_merge);
  offer(&Config::pkmap);
  offer(&Config::vmalloc);
}

void offer_smaller_windows(const Config& c, std::vector<Config>& out) {
  for (auto Config::* const key : {&Config::pkmap, &Config::vmalloc})
    for (const std::uint64_t fewer : smaller_numbers(c.*key, 1)) {
      out.push_back(c);
      out.back().*key = static_cast<std::uint32_t>(fewer);
    }
}

}  // namespace

MachineWeight weight_of(const Config& c) {
  const Config standard;
  std::uint32_t keys = 0, holes = 0, special = 0;
  for (const bool differs :
       {c.min_free_kbytes != standard.min_free_kbytes,
        c.lowmem_reserve_ratio != standard.lowmem_reserve_ratio, c.pcp != standard.pcp,
        c.orders != standard.orders, c.page_bytes != standard.page_bytes,
        c.cache_line != standard.cache_line, c.slab_debug != standard.slab_debug,
        c.slab_merge != standard.slab_merge, c.pkmap != standard.pkmap,
        c.vmalloc != standard.vmalloc})
    keys += differs ? 1 : 0;
  for (std::uint32_t z = 0; z < c.zone_count; ++z) {
    holes += hole_before(c, z) > 0 ? 1 : 0;
    special += c.zones[z].kind != ZoneKind::normal ? 1 : 0;
  }
  const auto doublings = static_cast<std::uint32_t>(std::bit_width(c.pages() - 1));
  const std::uint64_t window = std::uint64_t{c.pkmap} + c.vmalloc;
  return {c.nodes, c.zone_count, special, c.cpus,    c.reserved_count,
          holes,   doublings,    keys,    c.pages(), window};
}

std::vector<Config> simpler(const Config& c) {
  std::vector<Config> out;
  offer_fewer_nodes(c, out);
  for (std::uint32_t i = 0; i < c.reserved_count; ++i) out.push_back(without_reserved(c, i));
  for (const std::uint64_t cpus : smaller_numbers(c.cpus, 1)) {
    out.push_back(c);
    out.back().cpus = static_cast<std::uint32_t>(cpus);
  }
  for (const std::uint64_t pages : smaller_numbers(c.vmalloc)) {
    out.push_back(c);
    out.back().vmalloc = static_cast<std::uint32_t>(pages);
  }
  for (std::uint32_t slots = c.pkmap; slots > 0;) {
    out.push_back(c);
    out.back().pkmap = slots /= 2;
  }
  offer_defaults(c, out);
  offer_smaller_windows(c, out);
  offer_zones(c, out);
  std::erase_if(out, [&](const Config& simpler) {
    return weight_of(simpler) >= weight_of(c) || ref::core::validate(simpler).has_value();
  });
  return out;
}

}  // namespace fuzz
