// env: the two calls that go upward, from any layer to whoever drives the machine.
//
//   alloc_pages ──at(buddy.alloc.slow)──▶ an interrupt of the trace runs here
//        └───────reclaim(order 2)──────▶ the layers above give memory back
//
// Everything else that looks like a cycle between layers is arranged downward.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "ref/core/gfp.hpp"

namespace ref::core {

// Places where another CPU or an interrupt may act. Named for what has just happened.
enum class Point : std::uint8_t {
  buddy_alloc_fast_failed,  // the fast pass found nothing; kswapd was woken
  buddy_alloc_zone_next,    // one zone refused, the next is not yet asked
  buddy_pcp_locked,         // a per-CPU list is held (6.1: interrupts are on here)
  buddy_free_ref_dropped,   // the last reference is gone, the pages are on no list
  buddy_drain_cpu_next,     // one CPU's lists are drained, the next one's not yet
  slab_grow_unlocked,       // a cache grows: interrupts are on, the CPU's array may change
  slab_grown,               // the new slab is made, and on no list yet
  slab_drain_cpu_next,      // one CPU's array is drained, the next one's not yet
  kmap_unlocked,            // no slot is free: the caller queued, and dropped the kmap lock
  kmap_atomic_cleared,      // a temporary map is unmapped, its slot still taken
  vmalloc_unmapped,         // an area's pages are unmapped, and no TLB has heard of it
};
// The first so many are of the page allocator, and of the object allocators.
constexpr std::size_t points_of_pages = static_cast<std::size_t>(Point::buddy_drain_cpu_next) + 1;
constexpr std::size_t points_of_objects = static_cast<std::size_t>(Point::slab_drain_cpu_next) + 1;
inline constexpr std::array<std::string_view, 11> point_names{"buddy.alloc.fast_failed",
                                                              "buddy.alloc.zone_next",
                                                              "buddy.pcp.locked",
                                                              "buddy.free.ref_dropped",
                                                              "buddy.drain.cpu_next",
                                                              "slab.grow.unlocked",
                                                              "slab.grown",
                                                              "slab.drain.cpu_next",
                                                              "kmap.unlocked",
                                                              "kmap.atomic.cleared",
                                                              "vmalloc.unmapped"};

constexpr std::optional<Point> point_of(std::string_view name) {
  for (std::size_t i = 0; i < point_names.size(); ++i)
    if (point_names[i] == name) return static_cast<Point>(i);
  return std::nullopt;
}

struct ReclaimRequest {
  Gfp gfp;
  unsigned order;
};

class Env {
 public:
  virtual void at(Point) {}
  virtual bool reclaim(const ReclaimRequest&) { return false; }  // true: something was given back

 protected:
  ~Env() = default;
};

}  // namespace ref::core
