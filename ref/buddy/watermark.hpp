// watermark: how much of a zone must stay free, and who may go below.
//
//   free pages   |─────────── high ─────── low ─────── min ───────── 0|
//                        fast pass ▲     slow pass ▲      reserves ▲
//
// A request that could have used a higher zone must also leave `lowmem_reserve` of a lower one.
#pragma once
#include "ref/buddy/machine.hpp"

namespace ref::buddy {

struct AllocFlags {
  Mark mark = mark_low;
  bool no_watermarks = false;
  bool high = false;    // __GFP_HIGH: half of the minimum may be used
  bool harder = false;  // cannot wait (6.1: NON_BLOCK), or a realtime task (2.6): more of it
};

// W-3 to W-6. `extra` is added to the mark (bulk requests, B-43).
[[nodiscard]] bool zone_watermark_ok(const Machine&, Index zone, unsigned order, ZoneKind highest,
                                     const AllocFlags&, std::uint32_t extra = 0);

// Recomputes what depends on min_free_kbytes (W-10, P-7) and on the ratios (W-9).
void setup_per_zone_wmarks(Machine&);
void setup_per_zone_lowmem_reserve(Machine&);

// The sysctl files.
void set_min_free_kbytes(Machine&, std::uint32_t kbytes);
void set_lowmem_reserve_ratio(Machine&, ZoneKind, std::uint32_t ratio);  // DMA or NORMAL

}  // namespace ref::buddy
