// areas: a range of the window with a descriptor, before anything is mapped and after everything
// is unmapped.
//
//   get_area ─▶ descriptor ─▶ lowest place (6.1: purge and search again) ─▶ Range busy, Area
//   take_area ─▶ the Area, which nobody finds any more; its Range is still busy
//            ─▶ unmap ─▶ release_range ─▶ 2.6.11: flushed, gone   6.1: lazy, free after a purge
#pragma once
#include "ref/vmalloc/ranges.hpp"

namespace ref::vmalloc {

using Node = std::optional<std::uint32_t>;  // none: the caller's

// GFP_RECLAIM_MASK: what a caller's flags say about waiting, without where memory may lie.
constexpr Gfp reclaim_mask = core::GFP_BIT_DIRECT_RECLAIM | core::GFP_BIT_KSWAPD_RECLAIM |
                             core::GFP_BIT_HIGH | core::GFP_BIT_IO | core::GFP_BIT_FS |
                             core::GFP_BIT_NOWARN | core::GFP_BIT_RETRY_MAYFAIL |
                             core::GFP_BIT_NOFAIL | core::GFP_BIT_NORETRY | core::GFP_BIT_MEMALLOC |
                             core::GFP_BIT_NOMEMALLOC | core::GFP_BIT_ATOMIC;

struct AreaAsk {
  std::uint64_t bytes;  // without the guard
  std::uint32_t flags;
  Gfp gfp;
  Node node = {};
};
// The page where it begins. No address finds it before it is handed out.
[[nodiscard]] Answer<Index> get_area(Env&, Machine&, const AreaAsk&);
void hand_out(Machine&, Index page);

// A range of so many pages, guard included, and no descriptor.
[[nodiscard]] Answer<Index> alloc_range(Env&, Machine&, std::uint64_t pages, std::uint64_t align,
                                        Gfp, Node);
// Its pages are unmapped; nobody uses its addresses.
void release_range(Env&, Machine&, Index page);

// Flushes what is lazy together with other pages, and makes it free. False: nothing was lazy, and
// nothing was flushed.
struct Extent {
  Index begin = ~Index{0}, end = 0;  // pages
};
bool purge_lazy(Env&, Machine&, Extent also = {});

// The area that an address names, as its era finds it (V-25): by its first address, or by any.
std::optional<Index> find_area(const Machine&, Address);
// Takes the descriptor away, so that nobody finds the area. REQUIREs that one begins there.
Area take_area(Machine&, Index page);

bool up(const Machine&);
void might_sleep(Machine&);  // 6.1
// V-21, V-24: true, and the log says so, where no interrupt may call.
bool refused_in_interrupt(Machine&);

// The pages that a machine can have allocated at all (V-1).
std::uint64_t memory_pages(const Machine&);

// The bytes that an area may map: all but its guard.
inline std::uint32_t mappable_pages(const Machine& m, Index page, std::uint32_t flags) {
  return range_at(m, page).pages - (flags & VM_NO_GUARD ? 0 : 1);
}

}  // namespace ref::vmalloc
