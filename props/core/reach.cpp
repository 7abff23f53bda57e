// Decides on which machines something can happen.
#include "props/core/reach.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace props {

using ref::core::Config;
using ref::core::ZoneKind;

bool possible_in(const ReachNeeds& needs, ref::core::EraId era) {
  return !needs.era || *needs.era == era;
}

bool possible_on(const ReachNeeds& needs, const Config& c) {
  std::uint32_t zones = 0;
  std::uint64_t pages = 0;
  bool dma = false, highmem = false;
  for (std::uint32_t z = 0; z < c.zone_count; ++z) {
    zones += c.zones[z].node == c.zones[0].node ? 1 : 0;
    pages = std::max(pages, c.managed(z));
    dma = dma || c.zones[z].kind == ZoneKind::dma;
    highmem = highmem || c.zones[z].kind == ZoneKind::highmem;
  }
  return !needs.drawn && possible_in(needs, c.era) && c.nodes >= needs.nodes &&
         zones >= needs.zones && c.cpus >= needs.cpus && c.orders >= needs.orders &&
         pages >= needs.pages && (dma || !needs.dma) && (highmem || !needs.highmem) &&
         (c.pcp || !needs.pcp);
}

std::string print_needs(const ReachNeeds& needs) {
  std::string text;
  const auto add = [&](bool needed, const std::string& words) {
    if (!needed) return;
    if (!text.empty()) text += ", ";
    text += words;
  };
  add(needs.era.has_value(),
      std::string(needs.era ? ref::core::profile_of(*needs.era).name : std::string_view{}));
  add(needs.nodes > 1, fmt::format("{} nodes", needs.nodes));
  add(needs.zones > 1, fmt::format("{} zones", needs.zones));
  add(needs.cpus > 1, fmt::format("{} CPUs", needs.cpus));
  add(needs.orders > 1, fmt::format("{} orders", needs.orders));
  add(needs.pages > 1, fmt::format("{} pages", needs.pages));
  add(needs.dma, "DMA");
  add(needs.highmem, "HIGHMEM");
  add(needs.pcp, "per-CPU lists");
  add(needs.drawn, "drawn machines");
  return text;
}

}  // namespace props
