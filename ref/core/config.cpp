// Validation of a machine's geometry, and the defaults that depend on its size.
#include "ref/core/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "ref/core/require.hpp"
#include "ref/core/window.hpp"

namespace ref::core {
namespace {

std::uint64_t end_of(const ZoneSpec& z) { return std::uint64_t{z.first} + z.pages; }

std::uint64_t int_sqrt(std::uint64_t x) {
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 31; bit > 0; bit >>= 1)
    if ((root | bit) * (root | bit) <= x) root |= bit;
  return root;
}

std::optional<ConfigError> zone_error(const Config& c, std::uint32_t i) {
  const ZoneSpec& z = c.zones[i];
  const std::string name(zone_names[static_cast<std::size_t>(z.kind)]);
  if (z.pages == 0)
    return ConfigError{"zones", "zone " + name + " has no pages", "at least 1 page"};
  if (z.node >= c.nodes) {
    return ConfigError{"zones", fmt::format("zone {} is on node {}", name, z.node),
                       fmt::format("a node below {}", c.nodes)};
  }
  if (end_of(z) > pfn_end) {
    return ConfigError{"zones", fmt::format("zone {} ends at pfn {}", name, end_of(z)),
                       fmt::format("an end of at most {}", pfn_end)};
  }
  for (std::uint32_t j = 0; j < i; ++j) {
    const ZoneSpec& o = c.zones[j];
    if (o.node == z.node && o.kind == z.kind)
      return ConfigError{"zones", "zone " + name + " is listed twice", "each zone of a node once"};
    if (z.first < end_of(o) && o.first < end_of(z)) {
      return ConfigError{
          "zones",
          fmt::format("zone {} [{}, {}) overlaps zone {} [{}, {})", name, z.first, end_of(z),
                      zone_names[static_cast<std::size_t>(o.kind)], o.first, end_of(o)),
          "zones that share no page"};
    }
  }
  return std::nullopt;
}

std::optional<ConfigError> reserved_error(const Config& c, std::uint32_t i) {
  const PfnRange& r = c.reserved[i];
  const std::string text = fmt::format("{}-{}", r.first, r.last);
  if (r.first > r.last)
    return ConfigError{"reserved", "range " + text + " runs backwards",
                       "first-last, first <= last"};
  for (std::uint32_t j = 0; j < i; ++j)
    if (r.first <= c.reserved[j].last && c.reserved[j].first <= r.last)
      return ConfigError{"reserved", "range " + text + " overlaps another", "ranges apart"};
  for (std::uint32_t z = 0; z < c.zone_count; ++z)
    if (c.zones[z].first <= r.first && r.last < end_of(c.zones[z])) return std::nullopt;
  return ConfigError{"reserved", "range " + text + " is not inside one zone", "pages of one zone"};
}

}  // namespace

void Config::add_zone(ZoneKind kind, std::uint32_t count, std::uint32_t node) {
  const std::uint64_t first = zone_count == 0 ? 0 : end_of(zones[zone_count - 1]);
  REQUIRE(first < pfn_end);
  add_zone_at(kind, static_cast<Pfn>(first), count, node);
}

void Config::add_zone_at(ZoneKind kind, Pfn first, std::uint32_t count, std::uint32_t node) {
  REQUIRE(zone_count < zones_max);
  zones[zone_count++] = {node, kind, first, count};
}

bool Config::is_reserved(Pfn pfn) const {
  for (std::uint32_t i = 0; i < reserved_count; ++i)
    if (reserved[i].first <= pfn && pfn <= reserved[i].last) return true;
  return false;
}

std::uint64_t Config::pages() const {
  std::uint64_t sum = 0;
  for (std::uint32_t z = 0; z < zone_count; ++z) sum += zones[z].pages;
  return sum;
}

std::uint64_t Config::managed(std::uint32_t zone) const {
  std::uint64_t sum = zones[zone].pages;
  for (std::uint32_t i = 0; i < reserved_count; ++i)
    if (zones[zone].first <= reserved[i].first && reserved[i].last < end_of(zones[zone]))
      sum -= reserved[i].last - reserved[i].first + 1;
  return sum;
}

std::uint64_t Config::lowmem_pages() const {
  std::uint64_t sum = 0;
  for (std::uint32_t z = 0; z < zone_count; ++z)
    if (zones[z].kind != ZoneKind::highmem) sum += managed(z);
  return sum;
}

std::optional<ConfigError> validate(const Config& c) {
  if (c.page_bytes < 64 || c.page_bytes > 65536 || !std::has_single_bit(c.page_bytes)) {
    return ConfigError{"page", fmt::format("{} bytes", c.page_bytes),
                       "a power of two from 64 to 65536"};
  }
  if (c.orders < 1 || c.orders > orders_max)
    return ConfigError{"orders", fmt::format("{} orders", c.orders),
                       fmt::format("1 to {}", orders_max)};
  if (c.nodes < 1 || c.nodes > nodes_max)
    return ConfigError{"nodes", fmt::format("{} nodes", c.nodes),
                       fmt::format("1 to {}", nodes_max)};
  if (c.nodes > 1 && !c.profile().numa) {
    return ConfigError{"nodes", fmt::format("{} nodes in era {}", c.nodes, c.profile().name),
                       "1: this era is modelled with one node"};
  }
  if (c.cpus < 1 || c.cpus > cpus_max)
    return ConfigError{"cpus", fmt::format("{} cpus", c.cpus), fmt::format("1 to {}", cpus_max)};
  if (c.min_free_kbytes && *c.min_free_kbytes > min_free_kbytes_max) {
    return ConfigError{"min_free_kbytes", fmt::format("{} kB", *c.min_free_kbytes),
                       fmt::format("0 to {}", min_free_kbytes_max)};
  }
  if (c.cache_line < 16 || c.cache_line > 256 || !std::has_single_bit(c.cache_line)) {
    return ConfigError{"cache_line", fmt::format("{} bytes", c.cache_line),
                       "a power of two from 16 to 256"};
  }
  if (c.zone_count == 0) return ConfigError{"zones", "no zones", "at least one zone"};
  for (std::uint32_t z = 0; z < c.zone_count; ++z)
    if (auto error = zone_error(c, z)) return error;
  if (c.pages() > pages_max) {
    return ConfigError{"zones", fmt::format("{} pages in all", c.pages()),
                       fmt::format("at most {}", pages_max)};
  }
  for (std::uint32_t i = 0; i < c.reserved_count; ++i)
    if (auto error = reserved_error(c, i)) return error;
  return window_error(c);
}

std::uint32_t min_free_kbytes_of(const Config& c) {
  if (c.min_free_kbytes) return *c.min_free_kbytes;
  if (c.pages() < formula_pages) return 0;
  const std::uint64_t kbytes = int_sqrt(c.lowmem_pages() * c.page_bytes / 1024 * 16);
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(kbytes, 128, c.profile().min_free_kbytes_max));
}

std::array<std::uint32_t, 2> lowmem_reserve_ratio_of(const Config& c) {
  if (c.lowmem_reserve_ratio) return *c.lowmem_reserve_ratio;
  if (c.pages() < formula_pages) return {0, 0};
  return c.profile().lowmem_reserve_ratio;
}

}  // namespace ref::core
