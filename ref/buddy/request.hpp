// request: what a caller's flags and context mean, before any page is looked at.
//
//   gfp  ──scopes of the task──▶ gfp ──▶ highest zone, may it block, which reserves may it use
#pragma once
#include "ref/buddy/buddy.hpp"
#include "ref/buddy/watermark.hpp"

namespace ref::buddy {

struct Request {
  Gfp gfp;
  unsigned order;
  ZoneKind highest;    // the zonelist begins here and goes down (W-1)
  std::uint32_t node;  // whose zones come first
};

// What gfp and order ask, on the current CPU. The flags are good: see refused_for_its_flags.
Request request_of(const Machine&, Gfp, unsigned order);

// Whether the caller can sleep is decided by one flag alone (B-23).
inline bool may_block(Gfp gfp) { return gfp & core::GFP_BIT_DIRECT_RECLAIM; }

// B-21: what the task's scopes take away.
Gfp current_gfp_context(const Machine&, Gfp);

// True when the flags contradict themselves; the log says how (B-22, B-25).
[[nodiscard]] bool refused_for_its_flags(Machine&, Gfp);

// Reports a caller that must not sleep (B-23), and counts the request. False: it is made to fail.
[[nodiscard]] bool prepare_alloc_pages(Machine&, Gfp);

// The minimum mark, and the right to go below it (W-3, W-6).
AllocFlags gfp_to_alloc_flags(const Machine&, Gfp);

// W-11: who may take the last page.
bool ignores_watermarks(const Machine&, Gfp);

// Whether a request that reclaim could not help goes on asking instead of failing (W-13, W-14).
bool never_fails(const Machine&, const Request&);

constexpr unsigned costly_order = 3;  // PAGE_ALLOC_COSTLY_ORDER

}  // namespace ref::buddy
