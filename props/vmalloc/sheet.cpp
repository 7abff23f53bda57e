// Restates numbers of the sheet.
#include "props/vmalloc/sheet.hpp"

#include <algorithm>
#include <bit>

namespace props::vmalloc {

using namespace ref::core;

std::uint64_t ioremap_align(const Machine& m, std::uint64_t pages) {
  const bool old = m.config.profile().unmapping == Unmapping::flushed_at_once;
  std::uint64_t align = 1;
  while (old ? align <= pages : align < pages) align *= 2;
  return std::min<std::uint64_t>(align, old ? 128 : m.config.page_bytes / 4);
}

bool is_ram(const Config& c, std::uint64_t first, std::uint64_t last) {
  for (std::uint32_t i = 0; i < c.zone_count; ++i) {
    const ZoneSpec& z = c.zones[i];
    for (std::uint64_t pfn = z.first; pfn < std::uint64_t{z.first} + z.pages; ++pfn)
      if (pfn >= first && pfn <= last && !c.is_reserved(static_cast<Pfn>(pfn))) return true;
  }
  return false;
}

std::uint64_t lazy_max(const Config& c) {
  std::uint64_t doublings = 0;
  for (std::uint32_t cpus = c.cpus; cpus > 0; cpus /= 2) ++doublings;
  const std::uint64_t each = (std::uint64_t{32} << 20) / c.page_bytes;
  return doublings * std::min<std::uint64_t>(each, c.vmalloc / 4);
}

std::uint32_t flags_of(const AreaFlags& flags) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < ref::vmalloc::vm_flag_names.size(); ++i)
    if (flags.value >> i & 1u) value |= ref::vmalloc::vm_flag_names[i].flag;
  return value;
}

bool from_below(Gfp gfp, Fault fault) {
  constexpr Gfp odd = GFP_BIT_DMA | GFP_BIT_DMA32 | GFP_BIT_HIGHMEM | GFP_BIT_ZERO;
  const bool of_flags = fault == Fault::bad_zone_modifiers || fault == Fault::zero_highmem_atomic ||
                        fault == Fault::bad_slab_gfp;
  return of_flags && (gfp & odd) != 0;
}

std::uint32_t busy_ranges(const Machine& m) {
  if (m.vmalloc.globals.count == 0) return 0;
  const auto& sets = m.arena.at(m.vmalloc.globals, 0).set;
  std::uint32_t blocks = 0;
  for (std::uint64_t b = 0; b < m.vmalloc.block.count; ++b)
    blocks += m.arena.at(m.vmalloc.block, b).object != 0;
  return sets[static_cast<std::size_t>(ref::vmalloc::RangeSet::busy)].count - blocks;
}

}  // namespace props::vmalloc
