// Bulk allocation of single pages (B-43).
#include <algorithm>

#include "ref/buddy/alloc.hpp"
#include "ref/buddy/page.hpp"
#include "ref/buddy/pcp.hpp"

namespace ref::buddy {
namespace {

using Slots = std::span<std::optional<Pfn>>;

std::size_t leading_filled(Slots slots) {
  const auto empty = [](const std::optional<Pfn>& slot) { return !slot; };
  return static_cast<std::size_t>(std::ranges::find_if(slots, empty) - slots.begin());
}

// The first zone that is above its low mark by the whole request, on the node of the first zone
// asked.
std::optional<Index> zone_for_bulk(const Machine& m, const Request& r, std::size_t pages) {
  const Zonelist zonelist(m, r);
  for (const std::uint8_t z : zonelist) {
    if (zone_at(m, z).node != zone_at(m, *zonelist.begin()).node) break;
    if (zone_watermark_ok(m, z, 0, r.highest, {.mark = mark_low},
                          static_cast<std::uint32_t>(pages)))
      return z;
  }
  return std::nullopt;
}

// Fills empty slots from this CPU's list. Returns how many pages were taken.
std::size_t fill_from_pcp(Env& env, Machine& m, Index z, Gfp gfp, Slots slots) {
  std::size_t taken = 0;
  PcpHolder holder(env, m, z, (gfp & core::GFP_BIT_COLD) != 0);
  for (std::optional<Pfn>& slot : slots) {
    if (slot) continue;
    while (const MaybePfn pfn = holder.take()) {
      if (!prep_new_page(m, *pfn, 0, gfp, false)) continue;
      slot = *pfn;
      break;
    }
    if (!slot) break;
    ++taken;
  }
  m.events[z].pgalloc += taken;
  return taken;
}

}  // namespace

std::size_t alloc_pages_bulk(Env& env, Machine& m, Gfp gfp, Slots slots) {
  REQUIRE(!is_suspended(m));
  const std::size_t filled = leading_filled(slots);
  if (filled == slots.size()) return filled;
  if (slots.size() - filled > 1) {
    if (refused_for_its_flags(m, gfp) || !prepare_alloc_pages(m, gfp)) return filled;
    const Request r = request_of(m, gfp, 0);
    const std::optional<Index> z = zone_for_bulk(m, r, slots.size());
    if (z && pcp_allowed_order(m, 0) && fill_from_pcp(env, m, *z, gfp, slots) > 0)
      return leading_filled(slots);
  }
  const Answer<Pfn> pfn = alloc_page(env, m, gfp);
  if (!pfn) return filled;
  slots[filled] = *pfn;
  return filled + 1;  // even where the slots behind it were filled before
}

}  // namespace ref::buddy
