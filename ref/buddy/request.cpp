// Implements the reading of a caller's flags and context.
#include "ref/buddy/request.hpp"

namespace ref::buddy {

using namespace core;  // the gfp bits

namespace {

// B-22: of the zones that exclude each other, at most one.
bool bad_zone_modifiers(Gfp gfp) {
  const bool dma = gfp & GFP_BIT_DMA, highmem = gfp & GFP_BIT_HIGHMEM, dma32 = gfp & GFP_BIT_DMA32;
  return int{dma} + int{highmem} + int{dma32} > 1;
}

ZoneKind gfp_zone(Gfp gfp) {
  if (gfp & GFP_BIT_DMA) return ZoneKind::dma;
  return gfp & GFP_BIT_HIGHMEM ? ZoneKind::highmem : ZoneKind::normal;
}

}  // namespace

Request request_of(const Machine& m, Gfp gfp, unsigned order) {
  return {gfp, order, gfp_zone(gfp), node_of_cpu(m, m.globals().cpu)};
}

Gfp current_gfp_context(const Machine& m, Gfp gfp) {
  if (m.profile().slow_path == SlowPath::classic) return gfp;  // that era has no scopes
  const std::uint32_t flags = m.current().flags;
  if (flags & PF_MEMALLOC_NOIO) return gfp & ~Gfp{GFP_BIT_IO | GFP_BIT_FS};
  if (flags & PF_MEMALLOC_NOFS) return gfp & ~Gfp{GFP_BIT_FS};
  return gfp;
}

bool refused_for_its_flags(Machine& m, Gfp gfp) {
  if (bad_zone_modifiers(gfp)) {
    report(m, Fault::bad_zone_modifiers, Effect::none);
    return true;
  }
  if (m.profile().zero_highmem_needs_wait && (gfp & GFP_BIT_ZERO) && (gfp & GFP_BIT_HIGHMEM) &&
      !may_block(gfp)) {
    report(m, Fault::zero_highmem_atomic, Effect::none);
    return true;
  }
  return false;
}

bool prepare_alloc_pages(Machine& m, Gfp gfp) {
  if (may_block(gfp) && in_atomic(m)) report(m, Fault::sleeping_in_atomic, Effect::none);
  return (gfp & GFP_BIT_NOFAIL) || !should_fail(m);
}

AllocFlags gfp_to_alloc_flags(const Machine& m, Gfp gfp) {
  AllocFlags flags{.mark = mark_min, .high = (gfp & GFP_BIT_HIGH) != 0};
  const bool realtime = m.current().flags & PF_REALTIME;
  switch (m.profile().reserves) {
    case Reserves::harder_and_high:
      flags.harder = !may_block(gfp) || (realtime && !in_interrupt(m));
      return flags;
    case Reserves::min_reserve_non_block:
      flags.harder = !may_block(gfp) && !(gfp & GFP_BIT_NOMEMALLOC);
      if (may_block(gfp) && realtime && in_task(m)) flags.high = true;
      return flags;
  }
  UNREACHABLE("a reserve policy outside the list");
}

bool ignores_watermarks(const Machine& m, Gfp gfp) {
  const bool memalloc = m.current().flags & PF_MEMALLOC;
  switch (m.profile().slow_path) {
    case SlowPath::classic: return memalloc && !in_interrupt(m);
    case SlowPath::modern:
      if (gfp & GFP_BIT_NOMEMALLOC) return false;
      if (gfp & GFP_BIT_MEMALLOC) return true;
      return memalloc && (serving_softirq(m) || !in_interrupt(m));
  }
  UNREACHABLE("a slow path outside the list");
}

bool never_fails(const Machine& m, const Request& r) {
  const bool small = r.order <= costly_order;
  switch (m.profile().slow_path) {
    case SlowPath::classic:
      if (r.gfp & GFP_BIT_NORETRY) return false;
      return small || (r.gfp & (GFP_BIT_RETRY_MAYFAIL | GFP_BIT_NOFAIL));
    case SlowPath::modern:
      if (r.gfp & GFP_BIT_NOFAIL) return true;
      return small && r.highest != ZoneKind::dma &&
             !(r.gfp & (GFP_BIT_NORETRY | GFP_BIT_RETRY_MAYFAIL | GFP_BIT_THISNODE));
  }
  UNREACHABLE("a slow path outside the list");
}

}  // namespace ref::buddy
