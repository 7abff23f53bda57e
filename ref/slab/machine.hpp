// slab::Machine: the tables of the object allocator, and nothing that acts.
//
//   cache "dentry"  num 28  stride 144      slab of one page: colour, 28 objects, free indices
//     CPU 0   array [ o o o . . . ]           partial ─▶ [ x x . x . . ]   x: with a caller or in
//     an CPU 1   array [ o . . . . . ]           full    ─▶ [ x x x x x x ]      array, .: free
//     node 0  shared array, alien arrays      free    ─▶ [ . . . . . . ]
//
// What a kernel keeps in pages is kept in pages: free indices stand in RAM (at the slab's end, in a
// free object, or in an object of a general cache), and so do a cache's descriptor, its nodes and
// arrays occupy objects of other caches. What is only looked up stands in the tables here. Links
// and references to records are index + 1, so that zero means "none".
#pragma once
#include "ref/kmap/machine.hpp"

namespace ref::slab {

using buddy::Address;
using core::Gfp;
using core::Index;
using core::Pfn;

constexpr std::uint32_t caches_max = 96;        // general, own, and of users
constexpr std::uint32_t cpu_entries_max = 256;  // of one CPU's array: the largest `limit`
constexpr std::uint32_t shared_entries_max = 512;
constexpr std::uint32_t alien_entries_max = 12;   // S-28
constexpr std::uint32_t name_bytes_max = 64;      // with the zero behind; kernels have no limit
constexpr std::uint32_t array_struct_bytes = 16;  // struct array_cache, in both eras
constexpr std::uint32_t slab_struct_bytes = 24;   // 2.6.11: struct slab, before its free indices
constexpr std::uint32_t bufctl_end = 0xffff;      // 2.6.11: no further free object

// What kmem_cache_create may be told, and what the allocator decided. Kernel names; the bits are
// ours, the same in both eras.
enum SlabFlag : std::uint32_t {
  SLAB_RED_ZONE = 1u << 0,
  SLAB_POISON = 1u << 1,
  SLAB_STORE_USER = 1u << 2,
  SLAB_HWCACHE_ALIGN = 1u << 3,
  SLAB_CACHE_DMA = 1u << 4,
  SLAB_RECLAIM_ACCOUNT = 1u << 5,
  SLAB_PANIC = 1u << 6,
  SLAB_TYPESAFE_BY_RCU = 1u << 7,     // 2.6.11: SLAB_DESTROY_BY_RCU
  SLAB_NO_REAP = 1u << 8,             // 2.6.11
  SLAB_ACCOUNT = 1u << 9,             // 6.1
  SLAB_NOLEAKTRACE = 1u << 10,        // 6.1
  SLAB_UNKNOWN = 1u << 11,            // a bit that no kernel knows (S-3)
  CFLGS_OFF_SLAB = 1u << 16,          // set by the allocator only
  CFLGS_OBJFREELIST_SLAB = 1u << 17,  // 6.1; set by the allocator only
};
inline constexpr std::array<std::string_view, 12> slab_flag_names{
    "SLAB_RED_ZONE",  "SLAB_POISON",          "SLAB_STORE_USER",  "SLAB_HWCACHE_ALIGN",
    "SLAB_CACHE_DMA", "SLAB_RECLAIM_ACCOUNT", "SLAB_PANIC",       "SLAB_TYPESAFE_BY_RCU",
    "SLAB_NO_REAP",   "SLAB_ACCOUNT",         "SLAB_NOLEAKTRACE", "SLAB_UNKNOWN"};

// A constructor is a value: which pattern it writes. 0: none.
using Ctor = std::uint8_t;
constexpr Ctor ctor_count = 4;
// The byte that constructor `ctor` writes at an offset of an object. Never the byte of poison, and
// no two constructors agree everywhere.
std::byte constructed(Ctor ctor, std::uint64_t offset);

enum class CacheState : std::uint8_t {
  unused,
  live,
  zombie,     // destroyed with objects: still in the chain, refcount 0 (S-41, 6.1)
  rcu_dying,  // destroyed; goes when the grace period has passed
};

struct Cache {
  std::array<char, name_bytes_max> name;
  std::uint64_t object;       // address of its descriptor; 0: the first cache's is static
  std::uint32_t object_size;  // bytes, as asked
  std::uint32_t size;         // bytes from one object to the next
  std::uint32_t align;
  std::uint32_t flags;          // SlabFlag
  std::uint32_t num;            // objects of a slab
  std::uint32_t freelist_size;  // bytes of a slab's management
  std::uint32_t colour, colour_off;
  std::uint32_t colour_next;  // 2.6.11; 6.1 has one per node
  Gfp allocflags;
  std::uint32_t limit, batchcount, shared;
  std::uint32_t obj_offset;  // where the caller's bytes begin, with a red zone before them
  std::int32_t refcount;     // 6.1; -1: never merged
  std::uint32_t free_limit;  // 2.6.11; 6.1 has one per node
  Index freelist_cache;      // index + 1 of the general cache that holds the management, off slab
  Index next, prev;          // the chain of caches, newest first
  std::uint8_t gfporder;
  Ctor ctor;
  CacheState state;
  std::uint8_t zero;
  std::uint32_t users;  // calls that wait for memory inside; zero between calls
  std::array<std::uint32_t, 25> zero_too;
};
static_assert(sizeof(Cache) == 256);

struct List {
  Index head, tail, count;  // page index + 1 of a slab's first frame
  std::uint32_t zero;
};

// What a cache has on one node: the three lists (2.6.11: one node).
struct Node {
  List full, partial, free;
  std::uint64_t object;        // 6.1: address of its descriptor, an object of a general cache
  std::uint64_t alien_object;  // 6.1, several nodes: address of the table of alien arrays
  std::uint32_t free_objects;  // on slabs, without what arrays hold (S-21)
  std::uint32_t free_limit;
  std::uint32_t colour_next;
  std::uint32_t total_slabs;
  std::uint32_t next_reap;  // clock tick
  std::uint8_t free_touched, present;
  std::uint16_t zero;
  std::array<std::uint32_t, 10> zero_too;
};
static_assert(sizeof(Node) == 128);

// A stack of free objects in front of the slabs: of one CPU, shared by a node, or alien.
struct ArrayCache {
  std::uint64_t object;  // address of its memory; 0: per-CPU memory, static, or not there
  std::uint32_t avail, limit, batchcount;
  std::uint8_t touched, present;
  std::uint16_t zero;
  std::uint64_t zero_too;
};
static_assert(sizeof(ArrayCache) == 32);

// Of a frame, when it belongs to a slab. All but `head` only on the slab's first frame.
struct Slab {
  Index head;              // page index + 1 of the slab's first frame
  Index cache;             // index + 1
  Index next, prev;        // its list
  std::uint64_t s_mem;     // address of the first object
  std::uint64_t freelist;  // address of the free indices; 0: none now (6.1, in a free object)
  std::uint32_t active;    // objects with callers and in arrays (2.6.11: inuse)
  std::uint32_t free;      // 2.6.11: index of the first free object, or bufctl_end
  std::uint32_t colour;    // bytes of offset
  std::uint8_t list;       // 0 none, 1 full, 2 partial, 3 free
  std::uint8_t rcu;        // pages wait for the grace period
  std::uint16_t zero;
  std::uint64_t zero_too, zero_three;
};
static_assert(sizeof(Slab) == 64);

struct SlabGlobals {
  Index first, last;          // the chain of caches, index + 1
  Index rcu_first, rcu_last;  // slabs that wait for the grace period, page index + 1
  std::uint32_t clock;        // ticks of a second since boot
  std::uint8_t up;            // 1: booted; 0: the machine was too small, and nothing serves
  std::uint8_t slab_max_order;
  std::uint16_t zero;
  std::array<std::uint8_t, core::cpus_max> reap_node;  // whose alien array a CPU empties next
  std::uint32_t mutex;                                 // slab_mutex is held; zero between calls
  std::array<std::uint32_t, 7> zero_too;
};
static_assert(sizeof(SlabGlobals) == 64);

// The table of general caches: index + 1, by kind and class (K-2, K-6).
enum class GeneralKind : std::uint8_t { normal, reclaimable, cgroup, dma };
constexpr std::uint32_t general_kinds = 4;
constexpr std::uint32_t general_classes_max = 16;

struct State {
  core::Table<SlabGlobals> globals;  // one record
  core::Table<Cache> cache;
  core::Table<Node> node;                // [cache * nodes + node]
  core::Table<ArrayCache> cpu_array;     // [cache * cpus + cpu]
  core::Table<ArrayCache> shared_array;  // [cache * nodes + node]; none on one CPU
  core::Table<ArrayCache> alien_array;   // [(cache * nodes + node) * nodes + of]; none on one node
  core::Table<std::uint64_t> cpu_entry;  // addresses: [array * cpu_entries_max + i]
  core::Table<std::uint64_t> shared_entry;  // [array * shared_entries_max + i]
  core::Table<std::uint64_t> alien_entry;   // [array * alien_entries_max + i]
  core::Table<Slab> slab;                   // by page index, as buddy's records
  // A bit for each word of RAM: an object in use begins there; it is the allocator's own: a
  // descriptor, a node, an array, free indices.
  core::Table<std::uint64_t> live, own;
  core::Table<Index> general;  // [kind * general_classes_max + class]
  bool operator==(const State&) const = default;
};

class Machine : public kmap::Machine {
 public:
  explicit Machine(const core::Config&);  // newborn: the general caches are there
  bool operator==(const Machine&) const = default;

  State slab;

 protected:
  // For a row above: the tables are laid, its own follow, then `boot` makes the caches.
  Machine(const core::Config&, Laid);
  void boot();
};

}  // namespace ref::slab
