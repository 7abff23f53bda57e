// context: who is calling. CPUs, tasks, interrupts, waits and the fault plan, all plain records.
//
//   CPU 0  task 0   preempt 0  hardirq 0  softirq 0  irqs on      may sleep
//   CPU 1  task 1   preempt 1  hardirq 0  softirq 0  irqs on      atomic
//
// A call that has to wait does not block anything here: it leaves a Wait in its task, and is tried
// again when the task is selected. What Linux would print to its log ends in `Log`, to be read and
// cleared by whoever drives the machine.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "ref/core/config.hpp"

namespace ref::core {

struct Cpu {
  std::uint32_t task;           // the task that runs here
  std::uint16_t preempt_count;  // nested preempt_disable()
  std::uint16_t bh_off;         // nested local_bh_disable()
  std::uint16_t softirq_count;  // softirqs being served
  std::uint16_t hardirq_count;
  std::uint16_t irqs_off;  // nested local_irq_disable()
  // Nested pagefault_disable(): the atomic maps that are live. Each is a preempt_disable() too.
  std::uint16_t pagefault_disabled;
};

enum TaskFlag : std::uint32_t {
  PF_MEMALLOC = 1u << 0,
  PF_MEMALLOC_NOIO = 1u << 1,
  PF_MEMALLOC_NOFS = 1u << 2,
  PF_REALTIME =
      1u << 3,  // the task has a realtime policy; a flag here, so that one record tells all
};
inline constexpr std::array<std::string_view, 4> task_flag_names{"PF_MEMALLOC", "PF_MEMALLOC_NOIO",
                                                                 "PF_MEMALLOC_NOFS", "PF_REALTIME"};

// A suspended call: which one of its layer, and its arguments. All zero when the task runs.
struct Wait {
  std::uint8_t call;
  std::uint8_t order;
  std::uint16_t zero;
  Gfp gfp;
  std::uint64_t argument;
};

// From here on calls are of rows above the page allocator: their waits have an argument only.
constexpr std::uint8_t wait_calls_above = 16;

struct Task {
  std::uint32_t flags;  // TaskFlag
  std::uint32_t zero;
  Wait wait;
  std::uint64_t zero_too;
};

// What went wrong in a call, named. `none` is the only good one.
enum class Fault : std::uint8_t {
  none,
  sleeping_in_atomic,   // a call that may sleep, made where it must not (B-23)
  bad_zone_modifiers,   // gfp names zones that exclude each other (B-22)
  zero_highmem_atomic,  // __GFP_ZERO of highmem where it cannot be mapped (B-25)
  highmem_address,      // a page without a kernel address was asked for by address (B-26)
  no_such_page,         // a frame that no zone has
  double_free,          // already free
  free_of_tail,         // an inner page of a block
  free_of_reserved,     // a page that was never given out
  wrong_order,          // freed with another order than it was allocated with
  bad_page,             // freed while flagged, mapped or owned (B-36)
  unreferenced,         // a reference of a page that has none (B-32)
  compound_page,        // split_page of a compound block (B-41)
  bad_cache,            // kmem_cache_create was told what it stops the kernel for (S-1, S-3)
  duplicate_name,       // a cache of that name exists (S-2)
  no_such_cache,        // NULL, or destroyed
  bad_slab_gfp,         // gfp that stops the kernel in an object allocator (S-33)
  wrong_cache,          // an object of another cache (S-35)
  not_an_object,        // an address at which no object and no block begins
  overwritten,          // bytes around an object, or of a free one, are not as left (S-34)
  kunmap_of_unmapped,   // a page, or an address, that is not mapped (M-6)
  kunmap_of_zombie,     // a page whose last user is gone, its slot not yet flushed (M-6)
  in_interrupt,         // a call that no interrupt may make
  wrong_atomic_type,    // a type that is none, or of another slot
  atomic_slot_busy,     // a slot that holds a map
  unmap_out_of_order,   // not the newest map, which dies instead
  too_many_local_maps,  // the stack of a task, or the count of a CPU, is full
  bad_segment,          // bytes behind the end of a page
  deadlock,             // everybody who holds what is waited for waits as well
  not_an_area,          // an address at which no area begins (V-25)
  bad_area_address,     // of an area, and not where it begins (V-25)
  area_pages_lost,      // an area that owned pages is gone, and they stay (V-26)
};
// The first rows' own: what a call of the page allocator, or of an object allocator, can be found
// guilty of.
constexpr std::size_t faults_of_pages = static_cast<std::size_t>(Fault::compound_page) + 1;
constexpr std::size_t faults_of_objects = static_cast<std::size_t>(Fault::overwritten) + 1;
inline constexpr std::array<std::string_view, 32> fault_names{"none",
                                                              "sleeping-in-atomic",
                                                              "bad-zone-modifiers",
                                                              "zero-highmem-atomic",
                                                              "highmem-address",
                                                              "no-such-page",
                                                              "double-free",
                                                              "free-of-tail",
                                                              "free-of-reserved",
                                                              "wrong-order",
                                                              "bad-page",
                                                              "unreferenced",
                                                              "compound-page",
                                                              "bad-cache",
                                                              "duplicate-name",
                                                              "no-such-cache",
                                                              "bad-slab-gfp",
                                                              "wrong-cache",
                                                              "not-an-object",
                                                              "overwritten",
                                                              "kunmap-of-unmapped",
                                                              "kunmap-of-zombie",
                                                              "in-interrupt",
                                                              "wrong-atomic-type",
                                                              "atomic-slot-busy",
                                                              "unmap-out-of-order",
                                                              "too-many-local-maps",
                                                              "bad-segment",
                                                              "deadlock",
                                                              "not-an-area",
                                                              "bad-area-address",
                                                              "area-pages-lost"};

// What a fault does to ownership.
enum class Effect : std::uint8_t {
  none,    // nothing changed hands
  leaked,  // pages that nobody owns and nobody can get
  freed,   // the pages went back all the same
};
inline constexpr std::array<std::string_view, 3> effect_names{"none", "leaked", "freed"};

// Frames that a fault lost: they belong to nobody, and nobody can get them.
struct Leak {
  Pfn first;
  std::uint32_t pages;
};

// The first fault since the log was cleared, and all that was lost since.
struct Log {
  Fault fault;
  Effect effect;
  std::uint16_t warnings;  // splats (WARN) that leave the call going on
  Pfn pfn;                 // where, for faults of a page
  std::uint32_t leaks;     // how many; only the first four are kept
  std::uint32_t zero;
  std::array<Leak, 4> leak;
};

// Everything else that one machine has once.
struct Globals {
  std::uint32_t cpu;              // the CPU whose turn it is
  std::uint32_t fail_page_alloc;  // the nth page request from now fails; 0: none does
  std::uint32_t warned;           // bits of the WARN_ON_ONCE that have fired
  std::uint32_t injected;         // 1 while the log is of a call that was made to fail
  Log log;
};

}  // namespace ref::core
