// operations: what a trace can do to the object allocator, listed once.
//
//   c0 = kmem_cache_create(name=inode, size=100, align=0, flags=0, ctor=1)
//   o0 = kmem_cache_alloc(cache=c0, gfp=GFP_KERNEL)      a register holds an object, with its cache
//   kmem_cache_free(object=o0)                           gives it back to the cache it is from
//   free_stale_object(object=o0)                         again: misuse, unless it is somebody's
//
// A step whose operand is empty, or whose result is occupied, is skipped. A register whose cache
// was destroyed is stale: what is done with it is misuse.
#pragma once
#include "props/buddy/operations.hpp"
#include "props/slab/cache_names.hpp"
#include "ref/slab/slab.hpp"

namespace props::slab {

using buddy::AllocPages;
using buddy::FreePages;

using SlabFlags = Flags<ref::slab::slab_flag_names>;
using AlignArg = Number<1u << 20>;
using CtorArg = Number<ref::slab::ctor_count - 1>;
using NodeArg = Number<ref::core::nodes_max - 1>;
using CountArg = Number<64>;
using OffsetArg = Number<UINT32_MAX>;
using TunableArg = Number<1023>;

struct CacheCreate {
  CacheRegister out;
  CacheName name_of;
  BytesArg size;
  AlignArg align;
  SlabFlags flags;
  CtorArg ctor;
  static constexpr std::string_view name = "kmem_cache_create";
  static constexpr std::uint8_t code = 64;
  static constexpr std::string_view help = "Makes a cache, or finds one that serves as well.";
  static void fields(auto& op, auto v) {
    v("", op.out), v("name", op.name_of), v("size", op.size), v("align", op.align),
        v("flags", op.flags), v("ctor", op.ctor);
  }
};

// The calls that act on one cache.
ALLOCHECK_ON(CacheRegister, cache, CacheDestroy, "kmem_cache_destroy", 65,
             "Destroys a cache; misuse while objects of it are live, or when it is gone.");
ALLOCHECK_ON(CacheRegister, cache, CacheShrink, "kmem_cache_shrink", 66,
             "Gives back every slab of which nothing is used; answers whether slabs remain.");
ALLOCHECK_ON(CacheRegister, cache, CacheSize, "kmem_cache_size", 67,
             "Answers the size of the cache's objects.");

struct CacheAlloc {
  ObjectRegister out;
  CacheRegister cache;
  GfpArg gfp;
  static constexpr std::string_view name = "kmem_cache_alloc";
  static constexpr std::uint8_t code = 68;
  static constexpr std::string_view help = "Allocates an object.";
  static void fields(auto& op, auto v) { v("", op.out), v("cache", op.cache), v("gfp", op.gfp); }
};

struct CacheAllocNode {
  ObjectRegister out;
  CacheRegister cache;
  GfpArg gfp;
  NodeArg node;
  static constexpr std::string_view name = "kmem_cache_alloc_node";
  static constexpr std::uint8_t code = 69;
  static constexpr std::string_view help =
      "Allocates an object, of that node where it can; skipped where the machine has no such node.";
  static void fields(auto& op, auto v) {
    v("", op.out), v("cache", op.cache), v("gfp", op.gfp), v("node", op.node);
  }
};

struct CacheAllocBulk {
  ObjectRegister first;
  CountArg count;
  CacheRegister cache;
  GfpArg gfp;
  static constexpr std::string_view name = "kmem_cache_alloc_bulk";
  static constexpr std::uint8_t code = 70;
  static constexpr std::string_view help =
      "Fills `count` empty registers from `first` on, or none; answers how many.";
  static void fields(auto& op, auto v) {
    v("first", op.first), v("count", op.count), v("cache", op.cache), v("gfp", op.gfp);
  }
};

struct CacheFreeBulk {
  ObjectRegister first;
  CountArg count;
  static constexpr std::string_view name = "kmem_cache_free_bulk";
  static constexpr std::uint8_t code = 71;
  static constexpr std::string_view help =
      "Gives back, in one call, those of `count` registers from `first` on whose objects are of "
      "the first one's cache.";
  static void fields(auto& op, auto v) { v("first", op.first), v("count", op.count); }
};

// The calls that act on one object.
ALLOCHECK_ON(ObjectRegister, object, CacheFree, "kmem_cache_free", 72,
             "Gives an object back to the cache that it is from.");
ALLOCHECK_ON(ObjectRegister, object, TouchObject, "touch_object", 73,
             "Checks the object's contents and writes new ones.");
ALLOCHECK_ON(ObjectRegister, object, FreeStaleObject, "free_stale_object", 74,
             "Frees what the register held last: a double free, unless somebody has an "
             "object just there.");

struct FreeToWrongCache {
  ObjectRegister object;
  CacheRegister cache;
  static constexpr std::string_view name = "free_to_wrong_cache";
  static constexpr std::uint8_t code = 75;
  static constexpr std::string_view help =
      "Frees an object to some cache: misuse, unless it is the object's.";
  static void fields(auto& op, auto v) { v("object", op.object), v("cache", op.cache); }
};

// Calls and writes at an offset of an object.
#define ALLOCHECK_AT_OFFSET(Struct, word, number, text)                                      \
  struct Struct {                                                                            \
    ObjectRegister object;                                                                   \
    OffsetArg offset;                                                                        \
    static constexpr std::string_view name = word;                                           \
    static constexpr std::uint8_t code = number;                                             \
    static constexpr std::string_view help = text;                                           \
    static void fields(auto& op, auto v) { v("object", op.object), v("offset", op.offset); } \
  }
ALLOCHECK_AT_OFFSET(FreeInterior, "free_interior", 76,
                    "Frees an address inside the object: misuse. Skipped outside, and at 0.");
ALLOCHECK_AT_OFFSET(Overrun, "overrun", 77,
                    "Writes one byte of the red zone behind the object: seen when it is freed. "
                    "Skipped where there is no red zone.");
ALLOCHECK_AT_OFFSET(WriteAfterFree, "write_after_free", 78,
                    "Writes one byte of what the register held last: seen when it is handed out. "
                    "Skipped where free objects are not poisoned.");
#undef ALLOCHECK_AT_OFFSET

// The calls without arguments.
ALLOCHECK_PLAIN(CacheReap, "cache_reap", 79, "The periodic work of this CPU.");
ALLOCHECK_PLAIN(RcuGracePeriod, "rcu_grace_period", 80,
                "All readers are gone: what waited for that goes back.");
ALLOCHECK_PLAIN(ReadSlabinfo, "slabinfo", 81,
                "Reads /proc/slabinfo, and checks it against what callers have.");

ALLOCHECK_ON(Number<4095>, ticks, PassTime, "pass_time", 82, "So many ticks of the clock pass.");

struct WriteSlabinfo {
  CacheName name_of;
  TunableArg limit, batch, shared;
  static constexpr std::string_view name = "slabinfo_write";
  static constexpr std::uint8_t code = 83;
  static constexpr std::string_view help = "Writes a cache's tunables to /proc/slabinfo.";
  static void fields(auto& op, auto v) {
    v("name", op.name_of), v("limit", op.limit), v("batch", op.batch), v("shared", op.shared);
  }
};

using Operation =
    std::variant<AllocPages, FreePages, CacheCreate, CacheDestroy, CacheShrink, CacheSize,
                 CacheAlloc, CacheAllocNode, CacheAllocBulk, CacheFree, CacheFreeBulk, TouchObject,
                 FreeStaleObject, FreeToWrongCache, FreeInterior, Overrun, WriteAfterFree,
                 CacheReap, RcuGracePeriod, PassTime, ReadSlabinfo, WriteSlabinfo, SelectCpu,
                 SelectTask, PreemptDisable, PreemptEnable, LocalIrqDisable, LocalIrqEnable,
                 LocalBhDisable, LocalBhEnable, SoftirqEnter, SoftirqExit, IrqEnter, IrqExit,
                 SetTaskFlags, FailPageAlloc>;
static_assert(codes_are_distinct<Operation>());

}  // namespace props::slab
