// Who gets what: the model's requests, from the flags to the frame or the refusal.
#include <algorithm>
#include <bit>

#include "props/buddy/model.hpp"
#include "ref/core/require.hpp"

namespace props::buddy {

using namespace ref::core;
using ref::buddy::mark_low;
using ref::buddy::mark_min;

namespace {

constexpr unsigned costly_order = 3;
constexpr Prediction no_memory{Outcome::no_memory, 0, false};
constexpr Prediction misuse{Outcome::misuse, 0, false};

Prediction granted(Pfn pfn, bool pfmemalloc = false) { return {Outcome::granted, pfn, pfmemalloc}; }

}  // namespace

Caller caller_of(const Machine& m) {
  const Cpu& cpu = m.cpu();
  return {.cpu = m.globals().cpu,
          .atomic = in_atomic(m),
          .in_interrupt = in_interrupt(m),
          .serving_softirq = cpu.softirq_count > 0,
          .task_flags = m.current().flags,
          .only_bottom_halves_off = cpu.hardirq_count == 0 && cpu.softirq_count == 0};
}

// B-22 and B-25: flags that no request may have.
bool Model::contradictory(Gfp gfp) const {
  const Gfp zones = gfp & gfp_known(config_.era) & (GFP_BIT_DMA | GFP_BIT_HIGHMEM | GFP_BIT_DMA32);
  if (std::popcount(zones) > 1) return true;
  constexpr Gfp zero_high = GFP_BIT_ZERO | GFP_BIT_HIGHMEM;
  return config_.profile().zero_highmem_needs_wait && (gfp & zero_high) == zero_high &&
         (gfp & GFP_BIT_DIRECT_RECLAIM) == 0;
}

bool Model::made_to_fail(Gfp gfp) {
  if (fail_nth_ == 0 || (gfp & GFP_BIT_NOFAIL) != 0) return false;
  return --fail_nth_ == 0;
}

// W-1: nodes from the caller's own onwards, and within a node from the highest zone downwards.
Model::Request Model::request(const Caller& caller, Gfp gfp, unsigned order) const {
  ZoneKind highest = ZoneKind::normal;
  if ((gfp & GFP_BIT_DMA) != 0) highest = ZoneKind::dma;
  if ((gfp & GFP_BIT_HIGHMEM) != 0) highest = ZoneKind::highmem;
  Request r{caller, gfp, order, highest, {}};
  const std::uint32_t nodes = r.has(GFP_BIT_THISNODE) ? 1 : config_.nodes;
  for (std::uint32_t n = 0; n < nodes; ++n) {
    const std::uint32_t node = (caller.cpu + n) % config_.nodes;
    for (int kind = static_cast<int>(highest); kind >= 0; --kind)
      for (std::uint32_t z = 0; z < zones_.size(); ++z)
        if (zones_[z].spec.node == node && static_cast<int>(zones_[z].spec.kind) == kind)
          r.zones.push_back(z);
  }
  return r;
}

// W-3 to W-6. Signed: what is left may be less than nothing.
bool Model::watermark_ok(std::uint32_t z, const Request& r, const Rights& rights,
                         std::int64_t extra) const {
  const Zone& zone = zones_[z];
  std::int64_t left = static_cast<std::int64_t>(free_pages(z)) - (std::int64_t{1} << r.order) + 1;
  std::int64_t min = std::int64_t{zone.mark[rights.mark]} + extra;
  const std::int64_t reserve = zone.reserve[static_cast<std::size_t>(r.highest)];
  if (rights.high) min -= min / 2;
  switch (config_.profile().reserves) {
    case Reserves::harder_and_high:
      if (rights.harder) min -= min / 4;
      break;
    case Reserves::min_reserve_non_block:  // being unable to wait counts only on top of `high`
      if (rights.high && rights.harder) min -= min / 4;
      break;
  }
  if (left <= min + reserve) return false;
  switch (config_.profile().high_order_mark) {
    case HighOrderMark::halving_loop:
      for (unsigned order = 0; order < r.order; ++order) {
        left -= std::int64_t{nr_free(z, order)} << order;
        min /= 2;
        if (left <= min) return false;
      }
      return true;
    case HighOrderMark::block_exists: {
      if (r.order == 0) return true;
      for (unsigned order = r.order; order < config_.orders; ++order)
        if (nr_free(z, order) > 0) return true;
      return false;
    }
  }
  return false;
}

// Once over the zones: the per-CPU lists of each that has enough, then its free lists.
std::optional<Pfn> Model::pass(const Request& r, const Rights& rights) {
  for (const std::uint32_t z : r.zones) {
    if (!rights.no_watermarks && !watermark_ok(z, r, rights)) continue;
    if (config_.pcp && r.order <= config_.profile().pcp_order_max) {
      zones_[z].pcp[r.caller.cpu].free_factor /= 2;  // P-2: also when the list turns out empty
      if (const auto pfn = take_from_pcp(z, r.caller.cpu, r.order, r.has(GFP_BIT_COLD))) return pfn;
    }
    if (const auto pfn = take(z, r.order)) return pfn;
  }
  return std::nullopt;
}

Prediction Model::alloc_pages(const Caller& caller, Gfp gfp, unsigned order) {
  if (order >= config_.orders) return no_memory;
  if (contradictory(gfp)) return misuse;
  if (made_to_fail(gfp)) return no_memory;
  const Request r = request(caller, gfp, order);
  if (const auto pfn = pass(r, {.mark = mark_low})) return granted(*pfn);
  return slow_path(r);
}

Prediction Model::resume(const Caller& caller, Gfp gfp, unsigned order) {
  return slow_path(request(caller, gfp, order));
}

Prediction Model::slow_path(const Request& r) {
  switch (config_.profile().slow_path) {
    case SlowPath::classic: return classic_slow_path(r);
    case SlowPath::modern: return modern_slow_path(r);
  }
  return no_memory;
}

// __alloc_pages() of 2.6.11 behind its first pass. Nothing is ever reclaimed, and nobody is killed.
Prediction Model::classic_slow_path(const Request& r) {
  if (r.zones.empty()) return no_memory;
  const bool wait = r.has(GFP_BIT_DIRECT_RECLAIM);
  const bool realtime = (r.caller.task_flags & PF_REALTIME) != 0 && !r.caller.in_interrupt;
  const Rights rights{.mark = mark_min, .high = r.has(GFP_BIT_HIGH), .harder = realtime || !wait};
  if (const auto pfn = pass(r, rights)) return granted(*pfn);
  if ((r.caller.task_flags & PF_MEMALLOC) != 0 && !r.caller.in_interrupt) {
    const auto pfn = pass(r, {.mark = mark_min, .no_watermarks = true});
    return pfn ? granted(*pfn) : no_memory;
  }
  const bool again = r.order <= costly_order || r.has(GFP_BIT_RETRY_MAYFAIL | GFP_BIT_NOFAIL);
  if (!wait || r.has(GFP_BIT_NORETRY) || !again) return no_memory;
  return {r.caller.atomic ? Outcome::no_memory : Outcome::suspended, 0, false};
}

// __alloc_pages_slowpath() of 6.1. Waiting stands where the kernel would kill somebody.
Prediction Model::modern_slow_path(const Request& r) {
  const bool may_block = r.has(GFP_BIT_DIRECT_RECLAIM), must = r.has(GFP_BIT_NOFAIL);
  const bool memalloc = (r.caller.task_flags & PF_MEMALLOC) != 0;
  const bool in_task = !r.caller.in_interrupt || r.caller.only_bottom_halves_off;
  Rights rights{.mark = mark_min, .high = r.has(GFP_BIT_HIGH)};
  if (!may_block) rights.harder = !r.has(GFP_BIT_NOMEMALLOC);
  else if ((r.caller.task_flags & PF_REALTIME) != 0 && in_task) rights.high = true;
  if (const auto pfn = pass(r, rights)) return granted(*pfn);

  // W-11. The kernel asks the zones a second time also without this right, which changes nothing.
  const bool reserves = !r.has(GFP_BIT_NOMEMALLOC) &&
                        (r.has(GFP_BIT_MEMALLOC) ||
                         (memalloc && (r.caller.serving_softirq || !r.caller.in_interrupt)));
  if (reserves)
    if (const auto pfn = pass(r, {.mark = mark_min, .no_watermarks = true}))
      return granted(*pfn, true);

  if (!may_block) return no_memory;
  if (!must) {
    const bool gives_up = r.zones.empty() || memalloc || r.order > costly_order ||
                          r.has(GFP_BIT_NORETRY | GFP_BIT_RETRY_MAYFAIL | GFP_BIT_THISNODE) ||
                          r.highest == ZoneKind::dma;
    if (gives_up) return no_memory;
  } else if (const auto pfn = pass(r, {.mark = mark_min, .high = true})) {
    return granted(*pfn);  // W-14
  }
  return {r.caller.atomic ? Outcome::no_memory : Outcome::suspended, 0, false};
}

// Bulk and exact -----------------------------------------------------------------------------

std::vector<Prediction> Model::alloc_pages_bulk(const Caller& caller, Gfp gfp,
                                                std::size_t empty_slots, std::size_t all_slots,
                                                std::size_t leading_filled) {
  const auto one_page = [&]() -> std::vector<Prediction> {
    const Prediction p = alloc_pages(caller, gfp, 0);
    if (p.outcome != Outcome::granted) return {};
    return {p};
  };
  if (empty_slots == 0) return {};
  REQUIRE(leading_filled + empty_slots <= all_slots);
  if (all_slots - leading_filled == 1) return one_page();
  if (contradictory(gfp)) return {};
  if (made_to_fail(gfp)) return {};
  const Request r = request(caller, gfp, 0);
  for (const std::uint32_t z : r.zones) {
    if (zones_[z].spec.node != zones_[r.zones.front()].spec.node) break;
    if (!watermark_ok(z, r, {.mark = mark_low}, static_cast<std::int64_t>(all_slots))) continue;
    if (!config_.pcp) break;
    std::vector<Prediction> pages;
    while (pages.size() < empty_slots) {
      const auto pfn = take_from_pcp(z, caller.cpu, 0, r.has(GFP_BIT_COLD));
      if (!pfn) break;
      pages.push_back(granted(*pfn));
    }
    if (!pages.empty()) return pages;
    break;
  }
  return one_page();
}

unsigned Model::order_for(std::uint64_t bytes) const {
  if (bytes == 0) return orders_max;  // get_order(0) is beyond every limit
  const std::uint64_t pages = (bytes - 1) / config_.page_bytes + 1;
  return static_cast<unsigned>(std::bit_width(pages - 1));
}

// The frames that `bytes` do not need go back singly, in ascending order, each to the tail, and not
// by way of the per-CPU lists.
void Model::give_back_the_rest(const Prediction& p, std::uint64_t bytes) {
  if (p.outcome != Outcome::granted) return;
  const auto needed = static_cast<Pfn>((bytes - 1) / config_.page_bytes + 1);
  const auto zone = zone_with(p.pfn);
  for (Pfn i = needed; i < Pfn{1} << order_for(bytes); ++i) give(*zone, p.pfn + i, 0, true);
}

Prediction Model::alloc_exact(const Caller& caller, Gfp gfp, std::uint64_t bytes) {
  gfp &= ~Gfp{GFP_BIT_COMP | GFP_BIT_HIGHMEM};
  const Prediction p = alloc_pages(caller, gfp, order_for(bytes));
  give_back_the_rest(p, bytes);
  return p;
}

Prediction Model::resume_exact(const Caller& caller, Gfp gfp, std::uint64_t bytes) {
  gfp &= ~Gfp{GFP_BIT_COMP | GFP_BIT_HIGHMEM};
  const Prediction p = resume(caller, gfp, order_for(bytes));
  give_back_the_rest(p, bytes);
  return p;
}

}  // namespace props::buddy
