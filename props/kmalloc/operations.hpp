// operations: what a trace can do to kmalloc, listed once.
//
//   o0 = kmalloc(size=100, gfp=GFP_KERNEL)         a register holds memory, and its size as asked
//   krealloc(object=o0, size=300, gfp=GFP_KERNEL)  it may move; an empty register is NULL
//   kfree(object=o0)                               gives it back
//   kfree_stale(object=o0)                         gives it back again: misuse, unless it is
//                                                  somebody's
//   p0 = alloc_pages(order=3, gfp=GFP_KERNEL)      somebody else's pages, so that memory runs short
#pragma once
#include "props/buddy/operations.hpp"
#include "ref/kmalloc/kmalloc.hpp"

namespace props::kmalloc {

using ObjectRegister = Register<'o'>;
using SizeArg = Number<UINT64_MAX>;
using OffsetArg = Number<(1u << 22) - 1>;  // into memory that was got

// The calls that put memory of a size into a register.
#define ALLOCHECK_BY_SIZE(Struct, word, number, text)                                             \
  struct Struct {                                                                                 \
    ObjectRegister out;                                                                           \
    SizeArg size;                                                                                 \
    GfpArg gfp;                                                                                   \
    static constexpr std::string_view name = word;                                                \
    static constexpr std::uint8_t code = number;                                                  \
    static constexpr std::string_view help = text;                                                \
    static void fields(auto& op, auto v) { v("", op.out), v("size", op.size), v("gfp", op.gfp); } \
  }
ALLOCHECK_BY_SIZE(Kmalloc, "kmalloc", 96, "Allocates memory of `size` bytes.");
ALLOCHECK_BY_SIZE(Kzalloc, "kzalloc", 97, "The same, filled with zeros.");
#undef ALLOCHECK_BY_SIZE

// The calls that put an array into a register.
#define ALLOCHECK_ARRAY(Struct, word, number, text)                      \
  struct Struct {                                                        \
    ObjectRegister out;                                                  \
    SizeArg n, size;                                                     \
    GfpArg gfp;                                                          \
    static constexpr std::string_view name = word;                       \
    static constexpr std::uint8_t code = number;                         \
    static constexpr std::string_view help = text;                       \
    static void fields(auto& op, auto v) {                               \
      v("", op.out), v("n", op.n), v("size", op.size), v("gfp", op.gfp); \
    }                                                                    \
  }
ALLOCHECK_ARRAY(KmallocArray, "kmalloc_array", 98,
                "Memory for `n` elements; refused when no number holds the product.");
ALLOCHECK_ARRAY(Kcalloc, "kcalloc", 99, "The same, filled with zeros.");
#undef ALLOCHECK_ARRAY

struct KmallocNode {
  ObjectRegister out;
  SizeArg size;
  GfpArg gfp;
  Number<ref::core::nodes_max - 1> node;
  static constexpr std::string_view name = "kmalloc_node";
  static constexpr std::uint8_t code = 100;
  static constexpr std::string_view help =
      "Memory of a node; of another one if that has none. Skipped where no such node is.";
  static void fields(auto& op, auto v) {
    v("", op.out), v("size", op.size), v("gfp", op.gfp), v("node", op.node);
  }
};

// The calls that change the size of a register's memory.
#define ALLOCHECK_RESIZE(Struct, word, number, text)                \
  struct Struct {                                                   \
    ObjectRegister object;                                          \
    SizeArg size;                                                   \
    GfpArg gfp;                                                     \
    static constexpr std::string_view name = word;                  \
    static constexpr std::uint8_t code = number;                    \
    static constexpr std::string_view help = text;                  \
    static void fields(auto& op, auto v) {                          \
      v("object", op.object), v("size", op.size), v("gfp", op.gfp); \
    }                                                               \
  }
ALLOCHECK_RESIZE(Krealloc, "krealloc", 101,
                 "Makes the register's memory larger or smaller; it may move. An empty register is "
                 "NULL; size 0 frees.");
ALLOCHECK_RESIZE(KreallocStale, "krealloc_stale", 102,
                 "krealloc of what the register held last: misuse, unless somebody has it now, "
                 "which makes it a skip.");
#undef ALLOCHECK_RESIZE

struct KreallocArray {
  ObjectRegister object;
  SizeArg n, size;
  GfpArg gfp;
  static constexpr std::string_view name = "krealloc_array";
  static constexpr std::uint8_t code = 103;
  static constexpr std::string_view help =
      "krealloc to `n` elements; refused, and nothing changed, when no number holds the product.";
  static void fields(auto& op, auto v) {
    v("object", op.object), v("n", op.n), v("size", op.size), v("gfp", op.gfp);
  }
};

// The calls that act on one register.
ALLOCHECK_ON(ObjectRegister, object, Kfree, "kfree", 104, "Gives the register's memory back.");
ALLOCHECK_ON(ObjectRegister, object, KfreeSensitive, "kfree_sensitive", 105,
             "The same, cleared before; what is usable of it, not only what was asked for.");
ALLOCHECK_ON(ObjectRegister, object, Ksize, "ksize", 106,
             "Answers how much is usable. From then on the owner uses all of it.");
ALLOCHECK_ON(ObjectRegister, object, KfreeStale, "kfree_stale", 107,
             "Frees what the register held last: a double free, unless somebody has just "
             "that now.");
ALLOCHECK_ON(ObjectRegister, object, WriteObject, "write_object", 108,
             "Checks the contents of the register's memory and writes new ones.");

struct KfreeBulk {
  ObjectRegister first;
  Number<64> count;
  static constexpr std::string_view name = "kfree_bulk";
  static constexpr std::uint8_t code = 109;
  static constexpr std::string_view help =
      "Gives back what `count` registers from `first` on hold, as one array; empty ones are left "
      "out.";
  static void fields(auto& op, auto v) { v("first", op.first), v("count", op.count); }
};

struct KfreeInside {
  ObjectRegister object;
  OffsetArg offset;
  static constexpr std::string_view name = "kfree_inside";
  static constexpr std::uint8_t code = 110;
  static constexpr std::string_view help =
      "kfree of an address within the register's memory, modulo its size as asked: misuse, but "
      "for its first byte.";
  static void fields(auto& op, auto v) { v("object", op.object), v("offset", op.offset); }
};

ALLOCHECK_ON(
    PageRegister, page, KfreePage, "kfree_page", 111,
    "kfree of pages that are no slab's: in 6.1 they go back, single ones with a warning; in "
    "2.6.11 it is misuse without effect. Skipped in HIGHMEM, and for blocks that are not "
    "compound.");

ALLOCHECK_ON(
    Number<65535>, address, KfreeAt, "kfree_at", 112,
    "kfree of a small number as an address: NULL, what 6.1 answers for nothing, or misuse.");

ALLOCHECK_ON(SizeArg, size, KmallocSizeRoundup, "kmalloc_size_roundup", 113,
             "Answers what would be usable of so many bytes.");

// The calls without arguments.
ALLOCHECK_PLAIN(
    ShrinkAll, "shrink_all", 114,
    "kmem_cache_shrink of every general cache: free slabs go back to the page allocator.");

ALLOCHECK_ON(Number<1000>, ticks, Reap, "reap", 115,
             "So much time passes, then this CPU does the periodic work of its caches.");

using buddy::AllocPages, buddy::FreePages, buddy::DrainAllPages;

using Operation =
    std::variant<Kmalloc, Kzalloc, KmallocArray, Kcalloc, KmallocNode, Krealloc, KreallocArray,
                 Kfree, KfreeSensitive, KfreeBulk, Ksize, KmallocSizeRoundup, WriteObject,
                 KfreeStale, KreallocStale, KfreeInside, KfreePage, KfreeAt, ShrinkAll, Reap,
                 AllocPages, FreePages, DrainAllPages, SelectCpu, SelectTask, PreemptDisable,
                 PreemptEnable, LocalIrqDisable, LocalIrqEnable, LocalBhDisable, LocalBhEnable,
                 SoftirqEnter, SoftirqExit, IrqEnter, IrqExit, SetTaskFlags, FailPageAlloc>;
static_assert(codes_are_distinct<Operation>());

}  // namespace props::kmalloc
