// Implements the policy-free oracle: the tree over each zone, and the judgement of answers.
#include "props/buddy/oracle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "ref/core/require.hpp"

namespace props::buddy {

using ref::core::zone_kinds;
using ref::core::zone_names;

namespace {

std::string block_text(Pfn pfn, unsigned order) {
  return fmt::format("the block of {} pages at pfn {}", std::uint64_t{1} << order, pfn);
}

}  // namespace

PageOracle::PageOracle(const Config& config) : config_(config) {
  count_ = arena_.lay<Count>(config.zone_count);
  const bool from_zone = config.profile().buddy_index == ref::core::BuddyIndex::zone_relative;
  const std::uint64_t largest_block = std::uint64_t{1} << (config.orders - 1);
  for (std::uint32_t z = 0; z < config.zone_count; ++z) {
    const auto& spec = config.zones[z];
    Zone& zone = zone_[z];
    zone.origin = from_zone ? spec.first : spec.first / largest_block * largest_block;
    const std::uint64_t span = spec.first + spec.pages - zone.origin;
    zone.height = static_cast<unsigned>(std::bit_width(std::max(span, largest_block) - 1));
    zone.node = arena_.lay<std::uint8_t>(std::uint64_t{2} << zone.height);
  }
  arena_.fit();
  for (std::uint32_t z = 0; z < config.zone_count; ++z) {
    mark_range(z, config.zones[z].first, config.zones[z].pages, true);
    for (std::uint32_t i = 0; i < config.reserved_count; ++i) {
      const auto& r = config.reserved[i];
      if (zone_of(r.first) == z) mark_range(z, r.first, r.last - r.first + 1, false);
    }
    const std::uint64_t managed = config.managed(z);
    arena_.edit(count_, z) = {managed, managed};
  }
  min_free_kbytes_ = ref::core::min_free_kbytes_of(config);
  ratio_ = ref::core::lowmem_reserve_ratio_of(config);
  recompute_marks();
  arena_.rebase();
}

std::optional<std::uint32_t> PageOracle::zone_of(Pfn pfn) const {
  for (std::uint32_t z = 0; z < config_.zone_count; ++z)
    if (pfn - config_.zones[z].first < config_.zones[z].pages) return z;
  return std::nullopt;
}

// --- the tree ---------------------------------------------------------------------------------

// Walks from the root to the block's node. A node that is wholly free, or wholly owned, may have
// children that nobody updated: they are told on the way down.
void PageOracle::mark(const Zone& zone, std::uint64_t position, unsigned order, bool free) {
  std::uint64_t node = 1;
  for (unsigned level = zone.height; level > order; --level) {
    const std::uint8_t value = arena_.at(zone.node, node);
    if (value == level + 1 || value == 0) {
      const auto child = static_cast<std::uint8_t>(value == 0 ? 0 : level);
      arena_.edit(zone.node, 2 * node) = child;
      arena_.edit(zone.node, 2 * node + 1) = child;
    }
    node = 2 * node + (position >> (level - 1) & 1u);
  }
  arena_.edit(zone.node, node) = static_cast<std::uint8_t>(free ? order + 1 : 0);
  for (unsigned level = order + 1; level <= zone.height; ++level) {
    node /= 2;
    const std::uint8_t left = arena_.at(zone.node, 2 * node);
    const std::uint8_t right = arena_.at(zone.node, 2 * node + 1);
    const bool whole = left == level && right == level;
    arena_.edit(zone.node, node) =
        static_cast<std::uint8_t>(whole ? level + 1 : std::max(left, right));
  }
}

void PageOracle::mark_range(std::uint32_t z, Pfn first, std::uint64_t pages, bool free) {
  const Zone& zone = zone_[z];
  std::uint64_t at = first - zone.origin;
  const std::uint64_t end = at + pages;
  while (at < end) {
    unsigned order = static_cast<unsigned>(std::bit_width(end - at)) - 1;
    if (at != 0) order = std::min(order, static_cast<unsigned>(std::countr_zero(at)));
    order = std::min(order, zone.height);
    mark(zone, at, order, free);
    at += std::uint64_t{1} << order;
  }
}

std::uint8_t PageOracle::largest(const Zone& zone) const { return arena_.at(zone.node, 1); }

bool PageOracle::is_free(Pfn pfn, unsigned order) const {
  const auto z = zone_of(pfn);
  if (!z) return false;
  const Zone& zone = zone_[*z];
  const std::uint64_t position = pfn - zone.origin;
  if (order > zone.height || position % (std::uint64_t{1} << order) != 0) return false;
  std::uint64_t node = 1;
  for (unsigned level = zone.height;; --level) {
    const std::uint8_t value = arena_.at(zone.node, node);
    if (value == level + 1) return true;
    if (value == 0 || level == order) return false;
    node = 2 * node + (position >> (level - 1) & 1u);
  }
}

void PageOracle::collect(const Zone& zone, std::uint64_t node, unsigned level,
                         std::uint64_t position, std::vector<FreeBlock>& to) const {
  const std::uint8_t value = arena_.at(zone.node, node);
  if (value == 0) return;
  if (value == level + 1) {
    const unsigned order = std::min(level, config_.orders - 1);
    for (std::uint64_t i = 0; i < std::uint64_t{1} << (level - order); ++i) {
      const std::uint64_t pfn = zone.origin + position + (i << order);
      to.push_back({static_cast<Pfn>(pfn), order});
    }
    return;
  }
  collect(zone, 2 * node, level - 1, position, to);
  collect(zone, 2 * node + 1, level - 1, position + (std::uint64_t{1} << (level - 1)), to);
}

std::vector<FreeBlock> PageOracle::free_blocks(std::uint32_t z) const {
  std::vector<FreeBlock> blocks;
  collect(zone_[z], 1, zone_[z].height, 0, blocks);
  return blocks;
}

std::uint64_t PageOracle::unowned(std::uint32_t z) const { return arena_.at(count_, z).unowned; }

// --- what changes hands -----------------------------------------------------------------------

std::optional<Finding> PageOracle::granted(Pfn pfn, unsigned order, const Ask& ask) {
  const std::uint64_t pages = std::uint64_t{1} << order;
  const auto z = zone_of(pfn);
  if (!z) {
    return Finding{"PAGE-INSIDE", "a block inside one zone of the machine",
                   fmt::format("pfn {}, which no zone has", pfn)};
  }
  const auto& spec = config_.zones[*z];
  const std::string name(zone_names[static_cast<std::size_t>(spec.kind)]);
  const bool zone_relative = config_.profile().buddy_index == ref::core::BuddyIndex::zone_relative;
  if ((pfn - (zone_relative ? spec.first : 0)) % pages != 0) {
    return Finding{"PAGE-ALIGNED",
                   fmt::format("a first page that is a multiple of {}{}", pages,
                               zone_relative ? " from the zone's start" : ""),
                   fmt::format("pfn {}", pfn)};
  }
  if (std::uint64_t{pfn} + pages > std::uint64_t{spec.first} + spec.pages) {
    return Finding{"PAGE-INSIDE",
                   fmt::format("a block that ends before pfn {}, with zone {}",
                               std::uint64_t{spec.first} + spec.pages, name),
                   block_text(pfn, order)};
  }
  if (!is_free(pfn, order)) {
    return Finding{"PAGE-DISJOINT", "pages that nobody owns",
                   block_text(pfn, order) + ", some of which are owned, reserved or lost"};
  }
  if (!allowed(*z, ask)) {
    return Finding{
        "PAGE-ZONE",
        fmt::format("a zone from {} downwards{}", zone_names[static_cast<std::size_t>(ask.highest)],
                    ask.this_node ? fmt::format(" of node {}", ask.node) : ""),
        fmt::format("zone {} of node {}", name, spec.node)};
  }
  mark(zone_[*z], pfn - zone_[*z].origin, order, false);
  arena_.edit(count_, *z).unowned -= pages;
  return std::nullopt;
}

void PageOracle::released(Pfn pfn, unsigned order) {
  const auto z = zone_of(pfn);
  REQUIRE(z.has_value());
  mark(zone_[*z], pfn - zone_[*z].origin, order, true);
  arena_.edit(count_, *z).unowned += std::uint64_t{1} << order;
}

void PageOracle::lost(Pfn first, std::uint32_t pages) {
  for (Pfn pfn = first; pfn < first + pages; ++pfn) {
    if (!is_free(pfn, 0)) continue;  // it was owned: its owner loses it, U does not change
    const auto z = zone_of(pfn);
    mark(zone_[*z], pfn - zone_[*z].origin, 0, false);
    --arena_.edit(count_, *z).unowned;
  }
}

// --- what must be answered --------------------------------------------------------------------

bool PageOracle::allowed(std::uint32_t z, const Ask& ask) const {
  const auto& spec = config_.zones[z];
  return spec.kind <= ask.highest && (!ask.this_node || spec.node == ask.node);
}

bool PageOracle::must_refuse(const Ask& ask) const {
  if (ask.order >= config_.orders) return true;
  for (std::uint32_t z = 0; z < config_.zone_count; ++z)
    if (allowed(z, ask)) return false;
  return true;
}

bool PageOracle::passes_strictest(std::uint32_t z, const Ask& ask) const {
  auto free = static_cast<std::int64_t>(unowned(z)) - ((std::int64_t{1} << ask.order) - 1);
  auto min = static_cast<std::int64_t>(marks_.low[z]);
  const auto reserve =
      static_cast<std::int64_t>(marks_.reserve[z][static_cast<std::size_t>(ask.highest)]);
  if (free <= min + reserve) return false;
  switch (config_.profile().high_order_mark) {
    case ref::core::HighOrderMark::block_exists: return true;  // the caller has seen the block
    case ref::core::HighOrderMark::halving_loop: break;
  }
  std::array<std::int64_t, ref::core::orders_max> blocks{};
  for (const FreeBlock& b : free_blocks(z)) ++blocks[b.order];
  for (unsigned o = 0; o < ask.order; ++o) {
    free -= blocks[o] << o;
    min /= 2;
    if (free <= min) return false;
  }
  return true;
}

bool PageOracle::must_grant(const Ask& ask) const {
  if (ask.order >= config_.orders) return false;
  for (std::uint32_t z = 0; z < config_.zone_count; ++z)
    if (allowed(z, ask) && largest(zone_[z]) > ask.order && passes_strictest(z, ask)) return true;
  return false;
}

void PageOracle::set_min_free_kbytes(std::uint32_t kbytes) {
  min_free_kbytes_ = kbytes;
  recompute_marks();
}

void PageOracle::set_lowmem_reserve_ratio(ZoneKind kind, std::uint32_t ratio) {
  ratio_[static_cast<std::size_t>(kind)] = ratio;
  recompute_marks();
}

// The low mark of each zone and what requests from above must leave: from the sentences, by hand.
void PageOracle::recompute_marks() {
  const std::uint64_t kernel_min = std::uint64_t{min_free_kbytes_} * 1024 / config_.page_bytes;
  const std::uint64_t lowmem = config_.lowmem_pages();
  for (std::uint32_t z = 0; z < config_.zone_count; ++z) {
    const std::uint64_t managed = config_.managed(z);
    const bool high = config_.zones[z].kind == ZoneKind::highmem;
    const std::uint64_t share = lowmem == 0 ? 0 : kernel_min * managed / lowmem;
    const std::uint64_t min = high ? std::clamp<std::uint64_t>(managed / 1024, 32, 128) : share;
    const bool old = config_.profile().slow_path == ref::core::SlowPath::classic;
    const std::uint64_t low = old ? min * 5 / 4 : min + std::max(share / 4, managed * 10 / 10000);
    marks_.low[z] = kernel_min == 0 ? 0 : std::min<std::uint64_t>(low, INT32_MAX);
    marks_.reserve[z] = {};
    for (std::uint32_t other = 0; other < config_.zone_count; ++other) {
      const auto kind = static_cast<std::size_t>(config_.zones[z].kind);
      if (config_.zones[other].node != config_.zones[z].node || high || ratio_[kind] == 0) continue;
      // Every upper zone counts in the reserve against itself and against those above it.
      for (auto k = static_cast<std::size_t>(config_.zones[other].kind); k < zone_kinds; ++k)
        if (config_.zones[other].kind > config_.zones[z].kind)
          marks_.reserve[z][k] += config_.managed(other);
    }
    for (std::size_t k = 0; k < zone_kinds; ++k)
      if (!high && ratio_[static_cast<std::size_t>(config_.zones[z].kind)] > 0)
        marks_.reserve[z][k] /= ratio_[static_cast<std::size_t>(config_.zones[z].kind)];
    if (managed == 0) marks_.reserve[z] = {};
  }
}

}  // namespace props::buddy
