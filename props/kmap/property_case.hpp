// property_case: the subject of a property's own questions, and what is left when all maps ended.
//
//   world at the end of a trace ──▶ copy, caller free to act ──▶ calls ──▶ flushed ──▶ shape
//
// The calls are a value of the case: a test hands in a broken one, and sees the property name it.
#pragma once
#include "props/buddy/property_case.hpp"
#include "props/core/probe.hpp"
#include "props/kmap/properties.hpp"

namespace props::kmap {

using ref::buddy::Address;
using ref::kmap::Machine;

struct Calls {
  decltype(&ref::kmap::kmap) map = ref::kmap::kmap;
  decltype(&ref::kmap::kunmap) unmap = ref::kmap::kunmap;
  decltype(&ref::kmap::resume) resume = ref::kmap::resume;
  decltype(&ref::kmap::kmap_flush_unused) flush = ref::kmap::kmap_flush_unused;
  decltype(&ref::kmap::kmap_atomic) map_atomic = ref::kmap::kmap_atomic;
  decltype(&ref::kmap::kunmap_atomic) unmap_atomic = ref::kmap::kunmap_atomic;
  decltype(&ref::kmap::switch_task) switch_task = ref::kmap::switch_task;
};

struct Case : props::Case<World, Newborn, Judging> {
  using props::Case<World, Newborn, Judging>::Case;
  Calls calls{};
};

// What the window looks like from far: which pages have an address, with how many users, and what
// each CPU would read where.
struct Shape {
  struct Slot {
    std::uint32_t count = 0;
    std::optional<Pfn> page, addressed;  // in the page tables; which knows this address
    bool operator==(const Slot&) const = default;
  };
  std::vector<Slot> slots;
  std::uint64_t cached = 0;  // translations of slots, on all CPUs
  bool operator==(const Shape&) const = default;
};
Shape shape_of(const Machine&);
std::string text_of(const Shape&);

// A copy whose callers are tasks that may sleep and do not, with no fault planned and nothing in
// the log. The tasks that waited have given up.
Machine at_rest(const World&);

// The registers that hold a persistent map of high memory.
std::vector<HeldMap> live_maps(const World&);
// Frames of HIGHMEM that no slot has users of, lowest first.
std::vector<Pfn> unmapped_frames(const World&);

// About slots.
void newborn_again(Case&), any_order_of_unmaps(Case&), flushing_twice_is_once(Case&),
    mapped_again_is_there(Case&), one_unmap_wakes(Case&), every_slot_once(Case&);
// About temporary maps.
void atomic_leaves_nothing(Case&), there_and_back(Case&), all_read_the_same(Case&);

}  // namespace props::kmap
