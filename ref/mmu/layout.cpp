// The parts of the address space, and their text.
#include "ref/mmu/layout.hpp"

#include <fmt/format.h>

#include <ranges>

namespace ref::mmu {
namespace {

// In the largest unit that the kernel uses there, and that leaves something to see.
std::string size_text(std::uint64_t bytes) {
  if (bytes >= 8u << 20) return fmt::format("{:4} MB", bytes >> 20);
  if (bytes >= 1024) return fmt::format("{:4} kB", bytes >> 10);
  return fmt::format("{:4} B ", bytes);
}

}  // namespace

std::vector<Region> regions(const Machine& m) {
  const core::Window& w = m.mmu.window;
  std::vector<Region> out;
  std::uint64_t at = core::page_offset;
  const auto add = [&](RegionKind kind, std::uint64_t begin, std::uint64_t end) {
    if (begin == end) return;
    if (at < begin) out.push_back({RegionKind::hole, at, begin});
    out.push_back({kind, begin, end});
    at = end;
  };
  if (!m.config.has_window()) {
    std::uint64_t end = 0;
    for (Index z = 0; z < m.config.zone_count; ++z)
      if (const buddy::Zone& zone = buddy::zone_at(m, z); zone.kind != buddy::ZoneKind::highmem)
        end = std::max(end, std::uint64_t{zone.first} + zone.pages);
    add(RegionKind::lowmem, at, at + end * m.config.page_bytes);
    return out;
  }
  add(RegionKind::lowmem, core::page_offset, w.high_memory);
  add(RegionKind::vmalloc, w.vmalloc_start, w.vmalloc_end);
  add(RegionKind::pkmap, w.pkmap_base, w.pkmap_end);
  add(RegionKind::fixmap, w.fixmap_start, w.fixaddr_top);
  out.push_back({RegionKind::hole, at, core::address_end});
  return out;
}

std::string window_text(const Machine& m) {
  std::string text;
  for (const Region& r : std::views::reverse(regions(m))) {
    if (r.kind == RegionKind::hole) continue;
    text += fmt::format("    {:<8}: 0x{:08x} - 0x{:08x}   ({})\n",
                        region_names[static_cast<std::size_t>(r.kind)], r.begin, r.end,
                        size_text(r.end - r.begin));
  }
  return text;
}

}  // namespace ref::mmu
