// The model's free lists, and the limits that are computed from a zone's size.
#include "props/buddy/model.hpp"

#include <algorithm>
#include <bit>

#include "ref/core/require.hpp"

namespace props::buddy {

using ref::buddy::mark_high;
using ref::buddy::mark_low;
using ref::buddy::mark_min;

Model::Model(const Config& config)
    : config_(config),
      min_free_kbytes_(ref::core::min_free_kbytes_of(config)),
      ratio_(ref::core::lowmem_reserve_ratio_of(config)) {
  for (std::uint32_t z = 0; z < config.zone_count; ++z) {
    Zone zone;
    zone.spec = config.zones[z];
    zone.managed = config.managed(z);
    if (config.pcp) zone.pcp.resize(config.cpus);
    zones_.push_back(std::move(zone));
  }
  set_watermarks();
  set_lowmem_reserves();
  for (std::uint32_t z = 0; z < config.zone_count; ++z) boot(z);
}

// Each run of managed frames goes back in the largest aligned blocks that fit, in address order.
void Model::boot(std::uint32_t z) {
  const std::uint64_t first = zones_[z].spec.first, end = first + zones_[z].spec.pages;
  const auto reserved = [&](std::uint64_t pfn) {
    return config_.is_reserved(static_cast<Pfn>(pfn));
  };
  std::uint64_t origin = 0;
  switch (config_.profile().buddy_index) {
    case ref::core::BuddyIndex::zone_relative: origin = first; break;
    case ref::core::BuddyIndex::pfn_relative: break;
  }
  for (std::uint64_t at = first; at < end;) {
    if (reserved(at)) {
      ++at;
      continue;
    }
    std::uint64_t run = at;
    while (run < end && !reserved(run)) ++run;
    while (at < run) {
      unsigned order = config_.orders - 1;
      while ((at - origin) % (1ull << order) != 0 || at + (1ull << order) > run) --order;
      give(z, static_cast<Pfn>(at), order, config_.profile().boot_frees_to_tail);
      at += 1ull << order;
    }
  }
}

// Limits -------------------------------------------------------------------------------------

// W-10. A machine that keeps no page free keeps none in any zone, HIGHMEM included.
void Model::set_watermarks() {
  const std::uint64_t pages_min = std::uint64_t{min_free_kbytes_} * 1024 / config_.page_bytes;
  std::uint64_t lowmem = 0;
  for (const Zone& zone : zones_)
    if (zone.spec.kind != ZoneKind::highmem) lowmem += zone.managed;
  for (std::uint32_t z = 0; z < zones_.size(); ++z) {
    Zone& zone = zones_[z];
    const std::uint64_t share = lowmem == 0 ? 0 : pages_min * zone.managed / lowmem;
    std::uint64_t min = share, low = 0, high = 0;
    if (zone.spec.kind == ZoneKind::highmem)
      min = std::clamp<std::uint64_t>(zone.managed / 1024, 32, 128);
    switch (config_.profile().slow_path) {
      case ref::core::SlowPath::classic:
        low = min * 5 / 4;
        high = min * 6 / 4;
        break;
      case ref::core::SlowPath::modern: {
        // A thousandth of the zone, or a quarter of its share, which is not clamped for HIGHMEM.
        const std::uint64_t distance = std::max(share / 4, zone.managed * 10 / 10000);
        low = min + distance;
        high = low + distance;
        break;
      }
    }
    if (pages_min == 0) min = low = high = 0;
    zone.mark[mark_min] = static_cast<std::uint32_t>(min);
    zone.mark[mark_low] = static_cast<std::uint32_t>(low);
    zone.mark[mark_high] = static_cast<std::uint32_t>(high);
    set_pcp_limits(z);
  }
}

// P-7, P-21, P-23.
void Model::set_pcp_limits(std::uint32_t z) {
  if (!config_.pcp) return;
  Zone& zone = zones_[z];
  const std::uint64_t cap = config_.profile().batch_bytes_max / config_.page_bytes;
  const auto quarter_of = [&](std::uint64_t pages) {
    return std::max<std::uint64_t>(std::min(pages / 1024, cap) / 4, 1);
  };
  switch (config_.profile().pcp) {
    case ref::core::PcpPolicy::hot_and_cold: {
      const auto batch = static_cast<std::uint32_t>(quarter_of(zone.spec.pages));
      zone.limits = {{2 * batch, 0}, {6 * batch, 2 * batch}, batch};
      return;
    }
    case ref::core::PcpPolicy::by_order: {
      std::uint64_t batch = quarter_of(zone.managed);
      batch = std::max<std::uint64_t>(std::bit_floor(batch + batch / 2) - 1, 1);
      std::uint32_t sharers = 0;
      for (std::uint32_t c = 0; c < config_.cpus; ++c)
        if (c % config_.nodes == zone.spec.node) ++sharers;
      if (sharers == 0) sharers = config_.cpus;
      const std::uint64_t high = std::max<std::uint64_t>(zone.mark[mark_low] / sharers, batch * 4);
      zone.limits = {
          {0, 0}, {static_cast<std::uint32_t>(high), 0}, static_cast<std::uint32_t>(batch)};
      return;
    }
  }
}

// W-9: a zone keeps a share of all that lies above it, on its node, up to the zone of the request.
void Model::set_lowmem_reserves() {
  for (Zone& zone : zones_) {
    zone.reserve.fill(0);
    if (zone.spec.kind == ZoneKind::highmem || zone.managed == 0) continue;
    const std::uint32_t ratio = ratio_[static_cast<std::size_t>(zone.spec.kind)];
    if (ratio == 0) continue;
    for (std::size_t highest = 0; highest < ref::core::zone_kinds; ++highest) {
      std::uint64_t above = 0;
      for (const Zone& other : zones_)
        if (other.spec.node == zone.spec.node && other.spec.kind > zone.spec.kind &&
            static_cast<std::size_t>(other.spec.kind) <= highest)
          above += other.managed;
      zone.reserve[highest] = static_cast<std::uint32_t>(above / ratio);
    }
  }
}

void Model::set_min_free_kbytes(std::uint32_t kbytes) {
  min_free_kbytes_ = kbytes;
  set_watermarks();
}

void Model::set_lowmem_reserve_ratio(ZoneKind kind, std::uint32_t ratio) {
  REQUIRE(kind != ZoneKind::highmem);
  ratio_[static_cast<std::size_t>(kind)] = ratio;
  set_lowmem_reserves();
}

void Model::set_reclaim_active(std::uint32_t z, bool active) { zones_[z].reclaim_active = active; }

// Free lists ---------------------------------------------------------------------------------

std::optional<std::uint32_t> Model::zone_with(Pfn pfn) const {
  for (std::uint32_t z = 0; z < zones_.size(); ++z) {
    const std::uint64_t first = zones_[z].spec.first, end = first + zones_[z].spec.pages;
    if (first <= pfn && pfn < end) return z;
  }
  return std::nullopt;
}

bool Model::is_free(Pfn head, unsigned order, std::uint32_t z) const {
  const std::deque<Pfn>& list = zones_[z].free[order];
  return std::find(list.begin(), list.end(), head) != list.end();
}

// B-10: the head of the smallest list that can serve; upper halves go back, the largest first.
std::optional<Model::Pfn> Model::take(std::uint32_t z, unsigned order) {
  Zone& zone = zones_[z];
  for (unsigned found = order; found < config_.orders; ++found) {
    if (zone.free[found].empty()) continue;
    const Pfn pfn = zone.free[found].front();
    zone.free[found].pop_front();
    while (found > order) {
      --found;
      zone.free[found].push_front(pfn + (Pfn{1} << found));
    }
    return pfn;
  }
  return std::nullopt;
}

// B-11: whether the pair that a freed block belongs to would itself have a free buddy. The kernel
// asks whether that buddy lies in the zone of the pair's first frame, which at a zone's unaligned
// start is not the zone of the freed block; so that is what is asked here.
bool Model::merge_likely(Pfn pfn, Pfn origin, unsigned order) const {
  if (order + 2 >= config_.orders) return false;
  const Pfn pair = origin + ((pfn - origin) & ~(Pfn{1} << order));
  const Pfn other = origin + ((pair - origin) ^ (Pfn{2} << order));
  const auto zone = zone_with(pair);
  return zone && is_free(other, order + 1, *zone);
}

// B-6, B-8, B-11. A buddy beyond the zone's end is on none of its lists, so it is never found.
void Model::give(std::uint32_t z, Pfn pfn, unsigned order, bool to_tail) {
  Zone& zone = zones_[z];
  Pfn origin = 0;
  switch (config_.profile().buddy_index) {
    case ref::core::BuddyIndex::zone_relative: origin = zone.spec.first; break;
    case ref::core::BuddyIndex::pfn_relative: break;
  }
  REQUIRE((pfn - origin) % (Pfn{1} << order) == 0);
  for (; order + 1 < config_.orders; ++order) {
    const Pfn buddy = origin + ((pfn - origin) ^ (Pfn{1} << order));
    if (!is_free(buddy, order, z)) break;
    std::erase(zone.free[order], buddy);
    pfn = std::min(pfn, buddy);
  }
  switch (config_.profile().placement) {
    case ref::core::Placement::head_always: break;
    case ref::core::Placement::tail_if_merge_likely:
      to_tail = to_tail || merge_likely(pfn, origin, order);
      break;
  }
  if (to_tail) zone.free[order].push_back(pfn);
  else zone.free[order].push_front(pfn);
}

// Reading ------------------------------------------------------------------------------------

std::uint64_t Model::free_pages(std::uint32_t z) const {
  std::uint64_t sum = 0;
  for (unsigned order = 0; order < config_.orders; ++order)
    sum += std::uint64_t{nr_free(z, order)} << order;
  return sum;
}

std::uint32_t Model::nr_free(std::uint32_t z, unsigned order) const {
  return static_cast<std::uint32_t>(zones_[z].free[order].size());
}

const std::deque<Model::Pfn>& Model::free_list(std::uint32_t z, unsigned order) const {
  return zones_[z].free[order];
}

std::uint32_t Model::lowmem_reserve(std::uint32_t z, ZoneKind highest) const {
  return zones_[z].reserve[static_cast<std::size_t>(highest)];
}

}  // namespace props::buddy
