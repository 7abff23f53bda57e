// Allocation: the fast pass, the slow pass, and the end of a request that found nothing.
#include "ref/buddy/alloc.hpp"

#include "ref/buddy/free_area.hpp"
#include "ref/buddy/page.hpp"
#include "ref/buddy/pcp.hpp"

namespace ref::buddy {

using namespace core;  // the gfp bits

namespace {

MaybePfn rmqueue(Env& env, Machine& m, Index z, const Request& r) {
  if (pcp_allowed_order(m, r.order)) {
    const auto pfn = rmqueue_pcplist(env, m, z, r.order, (r.gfp & GFP_BIT_COLD) != 0);
    if (pfn) return pfn;
  }
  return rmqueue_smallest(m, z, r.order);
}

MaybePfn take_from_zone(Env& env, Machine& m, Index z, const Request& r, const AllocFlags& flags) {
  if (!flags.no_watermarks && !zone_watermark_ok(m, z, r.order, r.highest, flags))
    return std::nullopt;
  if (m.profile().slow_path == SlowPath::modern && (r.gfp & GFP_BIT_NOFAIL) && r.order > 1)
    warn_once(m, WarnOnce::nofail_high_order);  // W-14: only where a zone is about to serve it
  const bool pfmemalloc = flags.no_watermarks && m.profile().slow_path == SlowPath::modern;
  while (const MaybePfn pfn = rmqueue(env, m, z, r)) {
    if (!prep_new_page(m, *pfn, r.order, r.gfp, pfmemalloc)) continue;
    m.events[z].pgalloc += std::uint64_t{1} << r.order;  // P-9
    return pfn;
  }
  return std::nullopt;
}

MaybePfn get_page_from_freelist(Env& env, Machine& m, const Request& r, const AllocFlags& flags) {
  bool first = true;
  for (const std::uint8_t z : Zonelist(m, r)) {
    if (!first) env.at(Point::buddy_alloc_zone_next);
    first = false;
    if (const auto pfn = take_from_zone(env, m, z, r, flags)) return pfn;
  }
  return std::nullopt;
}

void warn_of_nofail(Machine& m, const Request& r) {
  if (m.profile().slow_path == SlowPath::classic || !(r.gfp & GFP_BIT_NOFAIL)) return;
  if (r.gfp & GFP_BIT_NOWARN) return;
  if (!may_block(r.gfp)) return warn_once(m, WarnOnce::nofail_cannot_block);
  if (m.current().flags & PF_MEMALLOC) warn_once(m, WarnOnce::nofail_memalloc);
  if (r.order > costly_order) warn_once(m, WarnOnce::nofail_costly);
}

bool has_managed_dma(const Machine& m) {
  for (Index z = 0; z < m.config.zone_count; ++z)
    if (zone_at(m, z).kind == ZoneKind::dma && zone_at(m, z).managed > 0) return true;
  return false;
}

// W-12: a refusal is told, unless nobody wants to know, or it was bound to come.
std::unexpected<Refused> refuse(Machine& m, const Request& r) {
  const bool hopeless =
      m.profile().slow_path == SlowPath::modern && (r.gfp & GFP_BIT_DMA) && !has_managed_dma(m);
  if (!(r.gfp & GFP_BIT_NOWARN) && !hopeless) warn(m);
  return std::unexpected(Refused::no_memory);
}

// The end of a request that may wait: it waits, unless it may fail.
Answer<Pfn> wait_or_refuse(Env& env, Machine& m, const Request& r, Call call,
                           std::uint64_t argument) {
  warn_of_nofail(m, r);
  const bool modern = m.profile().slow_path == SlowPath::modern;
  const bool nofail = r.gfp & GFP_BIT_NOFAIL;
  const Zonelist zonelist(m, r);
  if (zonelist.begin() == zonelist.end() && !(modern && nofail)) return refuse(m, r);
  if (modern && !nofail && (m.current().flags & PF_MEMALLOC)) return refuse(m, r);
  if (!never_fails(m, r)) return refuse(m, r);
  if (modern && nofail) {  // W-14: some reserves, but not all
    const AllocFlags some_reserves{.mark = mark_min, .high = true};
    if (const auto pfn = get_page_from_freelist(env, m, r, some_reserves)) return *pfn;
  }
  if (in_atomic(m)) return refuse(m, r);  // it cannot sleep; that it wanted to is in the log
  Task& task = m.arena.edit(m.core.task, m.cpu().task);
  task.wait = {static_cast<std::uint8_t>(call), static_cast<std::uint8_t>(r.order), 0, r.gfp,
               argument};
  return std::unexpected(Refused::suspended);
}

}  // namespace

Zonelist::Zonelist(const Machine& m, const Request& r) {
  const std::uint32_t nodes = r.gfp & GFP_BIT_THISNODE ? 1 : m.config.nodes;
  for (std::uint32_t i = 0; i < nodes; ++i) {
    const std::uint32_t node = r.node + i;
    const auto& zones = m.buddy.zone_of[node < m.config.nodes ? node : node - m.config.nodes];
    for (int kind = static_cast<int>(r.highest); kind >= 0; --kind)
      if (const std::uint8_t z = zones[static_cast<std::size_t>(kind)]; z != no_zone)
        zones_[count_++] = z;
  }
}

Answer<Pfn> alloc_pages_slowpath(Env& env, Machine& m, Request r, Call call,
                                 std::uint64_t argument) {
  const bool modern = m.profile().slow_path == SlowPath::modern;
  if (modern && (r.gfp & GFP_BIT_ATOMIC) && may_block(r.gfp)) {
    warn_once(m, WarnOnce::atomic_may_block);  // B-24
    r.gfp &= ~Gfp{GFP_BIT_ATOMIC};
  }
  AllocFlags flags = gfp_to_alloc_flags(m, r.gfp);
  if (const auto pfn = get_page_from_freelist(env, m, r, flags)) return *pfn;
  if (ignores_watermarks(m, r.gfp)) {
    flags.no_watermarks = true;
    if (const auto pfn = get_page_from_freelist(env, m, r, flags)) return *pfn;
    if (!modern) return refuse(m, r);
  }
  if (!may_block(r.gfp)) {
    warn_of_nofail(m, r);
    return refuse(m, r);
  }
  if (!(m.current().flags & PF_MEMALLOC) && env.reclaim({r.gfp, r.order}))
    if (const auto pfn = get_page_from_freelist(env, m, r, flags)) return *pfn;
  return wait_or_refuse(env, m, r, call, argument);
}

Answer<Pfn> alloc_pages_for(Env& env, Machine& m, Gfp gfp, unsigned order, Call call,
                            std::uint64_t argument, std::optional<std::uint32_t> node) {
  REQUIRE(!is_suspended(m));
  if (order >= m.config.orders) {  // B-20
    if (m.profile().order_too_high_warns && !(gfp & GFP_BIT_NOWARN))
      warn_once(m, WarnOnce::order_too_high);
    return std::unexpected(Refused::no_memory);
  }
  if (refused_for_its_flags(m, gfp)) return std::unexpected(Refused::misuse);
  gfp = current_gfp_context(m, gfp);
  if (!prepare_alloc_pages(m, gfp)) return std::unexpected(Refused::no_memory);
  Request r = request_of(m, gfp, order);
  if (node) r.node = *node;
  if (const auto pfn = get_page_from_freelist(env, m, r, {.mark = mark_low})) return *pfn;
  env.at(Point::buddy_alloc_fast_failed);
  return alloc_pages_slowpath(env, m, r, call, argument);
}

Answer<Pfn> alloc_pages(Env& env, Machine& m, Gfp gfp, unsigned order) {
  return alloc_pages_for(env, m, gfp, order, Call::alloc_pages, 0);
}

Answer<Pfn> alloc_pages_node(Env& env, Machine& m, std::uint32_t node, Gfp gfp, unsigned order) {
  REQUIRE(node < m.config.nodes);
  return alloc_pages_for(env, m, gfp, order, Call::alloc_pages, 0, node);
}

Answer<Pfn> alloc_page(Env& env, Machine& m, Gfp gfp) { return alloc_pages(env, m, gfp, 0); }

}  // namespace ref::buddy
