// Implements the watermarks: the check of a request, and the values of a zone.
#include "ref/buddy/watermark.hpp"

#include <algorithm>

#include "ref/buddy/pcp.hpp"

namespace ref::buddy {
namespace {

using Signed = std::int64_t;  // free pages may go below zero while they are counted (W-3)

Signed reduced_min(const Machine& m, Signed min, const AllocFlags& flags) {
  switch (m.profile().reserves) {
    case core::Reserves::harder_and_high:  // W-6: one after the other
      if (flags.high) min -= min / 2;
      if (flags.harder) min -= min / 4;
      return min;
    case core::Reserves::min_reserve_non_block:  // W-3: the second only inside the first
      if (flags.high) min -= min / 2;
      if (flags.high && flags.harder) min -= min / 4;
      return min;
  }
  UNREACHABLE("a reserve policy outside the list");
}

bool high_order_ok(const Machine& m, Index z, unsigned order, Signed free, Signed min) {
  switch (m.profile().high_order_mark) {
    case core::HighOrderMark::halving_loop:  // W-5
      for (unsigned o = 0; o < order; ++o) {
        free -= Signed{area_at(m, z, o).count} << o;
        min >>= 1;
        if (free <= min) return false;
      }
      return true;
    case core::HighOrderMark::block_exists:  // W-4
      for (unsigned o = order; o < m.config.orders; ++o)
        if (area_at(m, z, o).count > 0) return true;
      return order == 0;
  }
  UNREACHABLE("a high-order mark outside the list");
}

std::uint64_t lowmem_managed(const Machine& m) {
  std::uint64_t sum = 0;
  for (Index z = 0; z < m.config.zone_count; ++z)
    if (zone_at(m, z).kind != ZoneKind::highmem) sum += zone_at(m, z).managed;
  return sum;
}

void set_zone_marks(const Machine& m, Zone& zone, std::uint64_t pages_min, std::uint64_t lowmem) {
  if (pages_min == 0) {  // a machine without watermarks, see Config
    zone.watermark = {};
    return;
  }
  const std::uint64_t share = lowmem == 0 ? 0 : pages_min * zone.managed / lowmem;
  const std::uint64_t min = zone.kind == ZoneKind::highmem
                                ? std::clamp<std::uint64_t>(zone.managed / 1024, 32, 128)
                                : share;
  std::uint64_t low = 0, high = 0;
  switch (m.profile().slow_path) {
    case core::SlowPath::classic:
      low = min * 5 / 4;
      high = min * 6 / 4;
      break;
    case core::SlowPath::modern: {
      const std::uint64_t distance = std::max<std::uint64_t>(
          share / 4, zone.managed / 10000 * 10 + zone.managed % 10000 * 10 / 10000);
      low = min + distance;
      high = low + distance;
      break;
    }
  }
  const auto mark = [](std::uint64_t pages) {  // no zone has more pages than this
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(pages, INT32_MAX));
  };
  zone.watermark = {mark(min), mark(low), mark(high)};
}

}  // namespace

bool zone_watermark_ok(const Machine& m, Index z, unsigned order, ZoneKind highest,
                       const AllocFlags& flags, std::uint32_t extra) {
  const Zone& zone = zone_at(m, z);
  const Signed free = static_cast<Signed>(zone.free_pages) - ((Signed{1} << order) - 1);
  const Signed min = reduced_min(m, Signed{zone.watermark[flags.mark]} + extra, flags);
  if (free <= min + zone.lowmem_reserve[static_cast<std::size_t>(highest)]) return false;
  return high_order_ok(m, z, order, free, min);
}

void setup_per_zone_wmarks(Machine& m) {
  const std::uint64_t pages_min =
      std::uint64_t{m.arena.at(m.buddy.sysctl, 0).min_free_kbytes} * 1024 / m.config.page_bytes;
  const std::uint64_t lowmem = lowmem_managed(m);
  for (Index z = 0; z < m.config.zone_count; ++z) {
    set_zone_marks(m, edit_zone(m, z), pages_min, lowmem);
    setup_pageset(m, z);
  }
}

void setup_per_zone_lowmem_reserve(Machine& m) {
  const auto& ratio = m.arena.at(m.buddy.sysctl, 0).lowmem_reserve_ratio;
  for (Index z = 0; z < m.config.zone_count; ++z) {
    Zone& zone = edit_zone(m, z);
    const auto own = static_cast<std::size_t>(zone.kind);
    std::uint64_t above = 0;
    zone.lowmem_reserve = {};
    for (std::size_t kind = own + 1; kind < core::zone_kinds; ++kind) {
      const std::uint8_t upper = m.buddy.zone_of[zone.node][kind];
      if (upper != no_zone) above += zone_at(m, upper).managed;
      const bool none = ratio[own] == 0 || zone.managed == 0;
      zone.lowmem_reserve[kind] = none ? 0 : static_cast<std::uint32_t>(above / ratio[own]);
    }
  }
}

void set_min_free_kbytes(Machine& m, std::uint32_t kbytes) {
  m.arena.edit(m.buddy.sysctl, 0).min_free_kbytes = kbytes;
  setup_per_zone_wmarks(m);
}

void set_lowmem_reserve_ratio(Machine& m, ZoneKind kind, std::uint32_t ratio) {
  REQUIRE(kind != ZoneKind::highmem);
  m.arena.edit(m.buddy.sysctl, 0).lowmem_reserve_ratio[static_cast<std::size_t>(kind)] = ratio;
  setup_per_zone_lowmem_reserve(m);
}

}  // namespace ref::buddy
