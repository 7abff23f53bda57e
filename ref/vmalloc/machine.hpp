// vmalloc::Machine: the tables of the window's allocator, and nothing that acts.
//
//   window   [ busy  g|  free  | lazy  g| busy g|        free        ]    g: guard, never mapped
//   page     0        4        7        11      14                  N
//   range[0], range[4], range[7], ... stand at the page where their range begins: that is their
//   name, so a link is a page + 1, and the record of any other page holds zeros.
//
// What is reserved, free, or waits for its flush is a Range (6.1: vmap_area, an object of its own
// cache). What a caller was given is an Area (vm_struct, an object of a general cache), at the page
// where its range begins. 2.6.11 keeps no free ranges and no lazy ones, and its ranges are the
// areas: they have no object of their own.
#pragma once
#include "ref/slab/slab.hpp"

namespace ref::vmalloc {

using core::Gfp;
using core::Index;
using core::Pfn;
using slab::Address;

// What an area is for, and how it is given back. Kernel names and numbers.
enum VmFlag : std::uint32_t {
  VM_IOREMAP = 1u << 0,
  VM_ALLOC = 1u << 1,
  VM_MAP = 1u << 2,
  VM_USERMAP = 1u << 3,  // 6.1, as all that follow
  VM_DMA_COHERENT = 1u << 4,
  VM_UNINITIALIZED = 1u << 5,  // set by the allocator only: on its way to a caller
  VM_NO_GUARD = 1u << 6,
  VM_FLUSH_RESET_PERMS = 1u << 8,  // freed together with every stale translation
  VM_MAP_PUT_PAGES = 1u << 9,      // vfree drops a reference of each page, and frees the list
};
struct VmFlagName {
  std::string_view name;
  VmFlag flag;
};
inline constexpr std::array<VmFlagName, 8> vm_flag_names{
    {{"VM_IOREMAP", VM_IOREMAP},
     {"VM_ALLOC", VM_ALLOC},
     {"VM_MAP", VM_MAP},
     {"VM_USERMAP", VM_USERMAP},
     {"VM_DMA_COHERENT", VM_DMA_COHERENT},
     {"VM_NO_GUARD", VM_NO_GUARD},
     {"VM_FLUSH_RESET_PERMS", VM_FLUSH_RESET_PERMS},
     {"VM_MAP_PUT_PAGES", VM_MAP_PUT_PAGES}}};

enum class RangeSet : std::uint8_t {
  none,  // no range begins here
  busy,  // handed out, or on its way to or from a caller
  free,  // 6.1
  lazy,  // 6.1: unmapped, and some CPU may still have its translations
};
constexpr std::size_t range_sets = 4;

struct Range {
  std::uint32_t pages;  // with the guard; 0: no range begins here
  Index prev, next;     // its set in address order; page + 1
  Index parent, left, right;
  std::uint32_t largest;  // free set: pages of the largest range below and including this one
  RangeSet set;
  std::uint8_t red;  // of the red-black tree
  std::uint16_t zero;
  std::uint64_t object;  // 6.1: address of its vmap_area
  std::array<std::uint64_t, 3> zero_too;
};
static_assert(sizeof(Range) == 64);

struct Area {
  std::uint64_t object;      // address of its vm_struct; 0: no area begins here
  std::uint64_t page_array;  // address of the list of its pages; 0: it owns none
  std::uint64_t phys_addr;   // of VM_IOREMAP
  std::uint32_t nr_pages;    // in the list
  std::uint32_t flags;       // VmFlag
  std::uint32_t caller;      // the task that made it, plus one
  std::uint32_t deferred;    // 1: given to vfree in an interrupt, on some CPU's list
  std::array<std::uint64_t, 3> zero;
};
static_assert(sizeof(Area) == 64);

// The ends of a set in address order, and the root of its tree (6.1); page + 1.
struct Ranges {
  Index root, first, last, count;
};

struct VmallocGlobals {
  std::array<Ranges, range_sets> set;  // by RangeSet
  std::uint64_t nr_vmalloc_pages;      // V-27
  std::uint32_t vmap_lazy_nr;          // pages of the lazy set, with guards
  std::uint8_t drain_pending;          // 1: drain_vmap_work is scheduled
  std::uint8_t up;  // 1: there is a window; 0: none, or the machine was too small
  std::uint16_t zero;
  Index vmap_area_cache;  // 6.1: index + 1
  std::array<std::uint32_t, 11> zero_too;
};
static_assert(sizeof(VmallocGlobals) == 128);

struct VmallocCpu {
  std::uint64_t preload;   // 6.1: address of a vmap_area, ready to split a free range
  std::uint64_t deferred;  // the newest address that waits for free_work; it links to the others
  Index first, last;       // blocks of vm_map_ram with room, the oldest first; number + 1
  std::uint64_t zero;
};
static_assert(sizeof(VmallocCpu) == 32);

// A range that vm_map_ram of one CPU cuts from its beginning, and never twice (V-43).
struct Block {
  std::uint64_t object;                // address of its vmap_block; 0: no block here
  Index next, prev;                    // of its CPU's, while it has room; number + 1
  std::uint32_t free, dirty;           // pages that were not yet mapped; that were unmapped
  std::uint32_t dirty_min, dirty_max;  // where those lie; in pages
  std::uint32_t cpu;
  std::array<std::uint32_t, 7> zero;
};
static_assert(sizeof(Block) == 64);

struct State {
  core::Table<VmallocGlobals> globals;  // one record
  core::Table<VmallocCpu> cpu;
  core::Table<Range> range;  // by page of the window
  core::Table<Area> area;    // by page of the window
  core::Table<Block> block;  // by block of addresses, from the one where the window begins
  std::uint64_t base = 0;    // number of the window's first page, counted from address 0
  bool operator==(const State&) const = default;
};

class Machine : public slab::Machine {
 public:
  explicit Machine(const core::Config&);  // newborn: the window is free
  bool operator==(const Machine&) const = default;

  State vmalloc;

 private:
  struct Bare {};
  Machine(const core::Config&, Bare);  // its tables are laid, and nothing more
};

}  // namespace ref::vmalloc
