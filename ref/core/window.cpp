// Lays out the window above the direct map, and finds machines that have no room for theirs.
#include "ref/core/window.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "ref/core/require.hpp"

namespace ref::core {
namespace {

// Behind the last frame that has an address in the direct map.
std::uint64_t lowmem_end(const Config& c) {
  std::uint64_t end = 0;
  for (std::uint32_t z = 0; z < c.zone_count; ++z)
    if (c.zones[z].kind != ZoneKind::highmem)
      end = std::max(end, std::uint64_t{c.zones[z].first} + c.zones[z].pages);
  return end * c.page_bytes;
}

// Everything but where vmalloc begins, which hangs on its size.
Window lay_out(const Config& c) {
  const std::uint64_t page = c.page_bytes;
  Window w;
  w.high_memory = page_offset + lowmem_end(c);
  w.fixaddr_top = address_end - page;
  w.fixmap_start = w.fixaddr_top - std::uint64_t{c.profile().atomic_slots} * c.cpus * page;
  w.pkmap_base = (w.fixmap_start - (std::uint64_t{c.pkmap} + 1) * page) & ~(table_span(page) - 1);
  w.pkmap_end = w.pkmap_base + c.pkmap * page;
  w.vmalloc_end = w.pkmap_base - 2 * page;
  return w;
}

// Pages between the hole and the end of vmalloc; negative: not even the hole has room.
std::int64_t room(const Config& c, const Window& w) {
  const std::uint64_t page = c.page_bytes;
  const auto least = static_cast<std::int64_t>(w.high_memory + hole_pages * page);
  return (static_cast<std::int64_t>(w.vmalloc_end) - least) / static_cast<std::int64_t>(page);
}

}  // namespace

Window window_of(const Config& c) {
  if (!c.has_window()) return {};
  REQUIRE(!window_error(c));
  Window w = lay_out(c);
  w.vmalloc_start = w.vmalloc_end - std::uint64_t{c.vmalloc} * c.page_bytes;
  return w;
}

std::optional<ConfigError> window_error(const Config& c) {
  if (!c.has_window()) return std::nullopt;
  if (c.pkmap > pkmap_max || (c.pkmap > 0 && !std::has_single_bit(c.pkmap))) {
    return ConfigError{"pkmap", fmt::format("{} slots", c.pkmap),
                       fmt::format("0, or a power of two up to {}", pkmap_max)};
  }
  if (c.vmalloc > vmalloc_max)
    return ConfigError{"vmalloc", fmt::format("{} pages", c.vmalloc),
                       fmt::format("0 to {}", vmalloc_max)};
  if (const std::uint64_t end = lowmem_end(c); end > direct_map_max) {
    return ConfigError{
        "zones", fmt::format("pages below HIGHMEM end at pfn {}", end / c.page_bytes),
        fmt::format("an end of at most {}: {} MiB are mapped directly below a window",
                    direct_map_max / c.page_bytes, direct_map_max >> 20)};
  }
  const std::int64_t pages = room(c, lay_out(c));
  if (pages < 0)
    return ConfigError{"page", fmt::format("no room for a window with {} bytes", c.page_bytes),
                       "smaller pages, or fewer of them below HIGHMEM"};
  if (pages < std::int64_t{c.vmalloc})
    return ConfigError{"vmalloc", fmt::format("{} pages", c.vmalloc),
                       fmt::format("at most {} on this machine", pages)};
  return std::nullopt;
}

std::uint32_t i386_vmalloc_pages(const Config& c) {
  const std::int64_t pages = room(c, lay_out(c));
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(pages, 0, vmalloc_max));
}

}  // namespace ref::core
