// Counts what a call reached: looks at the subject just before and just after it.
//
//   grant    free pages fall by more or less than the block     refilled, or from a per-CPU list
//            the block's buddy is free                          it was just cut off: a split
//   free     the block's buddy is free before                   they merge
//
// Nothing here judges: a wrong subject makes wrong counts and nothing else.
#include "props/buddy/runner.hpp"
#include "ref/buddy/pcp.hpp"

namespace props::buddy {

using namespace ref::core;
using ref::buddy::PageKind;

namespace {

// The buddy of a block, if it lies in the zone as a free block of that order.
bool buddy_is_free(const ref::buddy::Machine& m, const ref::buddy::Zone& zone, Pfn origin, Pfn pfn,
                   unsigned order) {
  const Pfn buddy = ((pfn - origin) ^ (Pfn{1} << order)) + origin;
  if (buddy - zone.first >= zone.pages) return false;
  const ref::buddy::Page& p = ref::buddy::page_at(m, ref::buddy::page_index(zone, buddy));
  return p.kind == PageKind::free_head && p.order == order;
}

// How many buddies in a row are free, from the block's own order on.
unsigned free_buddies(const ref::buddy::Machine& m, Index z, Pfn pfn, unsigned order) {
  const ref::buddy::Zone& zone = ref::buddy::zone_at(m, z);
  const Pfn origin = ref::buddy::block_origin(m, zone);
  unsigned levels = 0;
  for (; order + 1 < m.config.orders && buddy_is_free(m, zone, origin, pfn, order); ++order) {
    pfn = ((pfn - origin) & ~(Pfn{1} << order)) + origin;
    ++levels;
  }
  return levels;
}

}  // namespace

std::uint64_t Runner::free_pages() const {
  std::uint64_t all = 0;
  for (std::uint32_t z = 0; z < m_.config.zone_count; ++z)
    all += ref::buddy::zone_at(m_, z).free_pages;
  return all;
}

void Runner::count_context() {
  const Cpu& c = m_.cpu();
  const std::uint32_t flags = m_.arena.at(m_.core.task, c.task).flags;
  auto& to = w_.reach_.contexts;
  to[0] += in_task(m_);
  to[1] += c.preempt_count > 0;
  to[2] += c.irqs_off > 0;
  to[3] += c.bh_off > 0;
  to[4] += c.softirq_count > 0;
  to[5] += c.hardirq_count > 0;
  for (std::size_t i = 0; flags >> i != 0; ++i) to[reach_levels + i] += flags >> i & 1u;
}

Runner::Before Runner::before_alloc(const Want& want) const {
  constexpr auto slow = static_cast<std::size_t>(Point::buddy_alloc_fast_failed);
  return {.free = free_pages(),
          .slow = w_.reach_.reached[slow],
          .counts = !w_.inside_ && want.by != By::exact,
          .pcp = ref::buddy::pcp_allowed_order(m_, want.order)};
}

void Runner::count_alloc(const Want& want, const Got& got, const Before& before) {
  Reach& r = w_.reach_;
  r.count_gfp(m_.config.era, want.gfp, got.has_value());
  count_context();
  if (!got) {
    ++(want.order < Reach::orders ? r.refused[want.order] : r.too_large[0]);
    return;
  }
  ++r.granted[want.order];
  const auto zone = w_.oracle_.zone_of(*got);
  if (!zone) return;  // the oracle will say so
  constexpr auto slow = static_cast<std::size_t>(Point::buddy_alloc_fast_failed);
  r[ReachEvent::slow_grant] += !w_.inside_ && r.reached[slow] > before.slow;
  r[ReachEvent::reserve_grant] += ref::buddy::page_is_pfmemalloc(m_, *got);
  r[ReachEvent::resumed_granted] += want.retried;
  const ZoneSpec& spec = m_.config.zones[*zone];
  const Ask ask = ask_of(want.gfp, want.order);
  const auto asked = m_.buddy.zone_of[ask.node][static_cast<std::size_t>(ask.highest)];
  r[ReachEvent::node_fallback] += spec.node != ask.node;
  r[ReachEvent::zone_fallback] +=
      spec.node == ask.node && spec.kind != ask.highest && asked != ref::buddy::no_zone;
  if (!before.counts || w_.interleaved_) return;
  const std::uint64_t now = free_pages();
  if (before.pcp) ++r[now == before.free ? ReachEvent::pcp_hit : ReachEvent::pcp_refill];
  if (now != before.free) count_split(*zone, *got, want.order);
}

void Runner::count_split(std::uint32_t zone, Pfn pfn, unsigned order) {
  for (unsigned levels = free_buddies(m_, zone, pfn, order); levels > 0; --levels)
    ++w_.reach_.splits[order + levels - 1];
}

Runner::Before Runner::before_free(Pfn pfn, unsigned order) const {
  const auto zone = w_.oracle_.zone_of(pfn);
  if (!zone || order >= m_.config.orders) return {};
  const bool pcp = ref::buddy::pcp_allowed_order(m_, order);
  return {.free = ref::buddy::zone_at(m_, *zone).free_pages,
          .merges = pcp ? 0 : free_buddies(m_, *zone, pfn, order),
          .counts = true,
          .pcp = pcp,
          .held = pcp && m_.profile().pcp == PcpPolicy::by_order &&
                  ref::buddy::pcp_at(m_, *zone, m_.globals().cpu).locked != 0};
}

void Runner::count_free(Pfn pfn, unsigned order, const Before& before) {
  if (!before.counts) return;
  Reach& r = w_.reach_;
  for (unsigned level = 0; level < before.merges; ++level) ++r.merges[order + level];
  if (!before.pcp || w_.interleaved_ != w_.inside_) return;
  const std::uint64_t now = ref::buddy::zone_at(m_, *w_.oracle_.zone_of(pfn)).free_pages;
  if (before.held) ++r[ReachEvent::pcp_bypass];
  else ++r[now == before.free ? ReachEvent::pcp_cached : ReachEvent::pcp_overflow];
}

}  // namespace props::buddy
