// operations: what a trace can do to the page allocator, listed once.
//
//   p0 = alloc_pages(order=2, gfp=GFP_KERNEL)      a register holds a block, with its order
//   get_page(page=p0, index=0)                     somebody else holds it too
//   free_pages(page=p0)                            gives it back as it was allocated
//   free_stale(page=p0)                            gives it back again: misuse, unless it is
//   somebody's
//
// A step whose operand is empty, or whose result is occupied, is skipped.
#pragma once
#include "props/core/context_ops.hpp"
#include "ref/buddy/buddy.hpp"

namespace props::buddy {

using PageFlags = Flags<ref::buddy::page_flag_names>;
using PfnArg = Number<ref::core::pfn_end - 1>;
using IndexArg = Number<1023>;  // a frame of a block, counted from its first

// The calls that allocate a block into a register, and take an order and gfp flags.
#define ALLOCHECK_ALLOC(Struct, word, number, text)          \
  struct Struct {                                            \
    PageRegister out;                                        \
    OrderArg order;                                          \
    GfpArg gfp;                                              \
    static constexpr std::string_view name = word;           \
    static constexpr std::uint8_t code = number;             \
    static constexpr std::string_view help = text;           \
    static void fields(auto& op, auto v) {                   \
      v("", op.out), v("order", op.order), v("gfp", op.gfp); \
    }                                                        \
  }
ALLOCHECK_ALLOC(AllocPages, "alloc_pages", 1, "Allocates 2^order pages.");
ALLOCHECK_ALLOC(GetFreePages, "__get_free_pages", 3, "The same, by kernel address.");
ALLOCHECK_ALLOC(GetDmaPages, "__get_dma_pages", 6, "The same, from DMA.");
#undef ALLOCHECK_ALLOC

// The calls that allocate one page.
#define ALLOCHECK_ALLOC_ONE(Struct, word, number, text)                       \
  struct Struct {                                                             \
    PageRegister out;                                                         \
    GfpArg gfp;                                                               \
    static constexpr std::string_view name = word;                            \
    static constexpr std::uint8_t code = number;                              \
    static constexpr std::string_view help = text;                            \
    static void fields(auto& op, auto v) { v("", op.out), v("gfp", op.gfp); } \
  }
ALLOCHECK_ALLOC_ONE(AllocPage, "alloc_page", 2, "Allocates one page.");
ALLOCHECK_ALLOC_ONE(GetFreePage, "__get_free_page", 4, "One page, by kernel address.");
ALLOCHECK_ALLOC_ONE(GetZeroedPage, "get_zeroed_page", 5, "One page of zeros, by kernel address.");
#undef ALLOCHECK_ALLOC_ONE

struct AllocPagesBulk {
  PageRegister first;
  Number<64> count;
  GfpArg gfp;
  static constexpr std::string_view name = "alloc_pages_bulk";
  static constexpr std::uint8_t code = 7;
  static constexpr std::string_view help =
      "Takes `count` registers from `first` on as an array and fills the empty ones with single "
      "pages; answers how many leading ones are filled.";
  static void fields(auto& op, auto v) {
    v("first", op.first), v("count", op.count), v("gfp", op.gfp);
  }
};

struct AllocPagesExact {
  PageRegister out;
  BytesArg bytes;
  GfpArg gfp;
  static constexpr std::string_view name = "alloc_pages_exact";
  static constexpr std::uint8_t code = 8;
  static constexpr std::string_view help = "As many single pages in a row as `bytes` need.";
  static void fields(auto& op, auto v) { v("", op.out), v("bytes", op.bytes), v("gfp", op.gfp); }
};

struct SplitPage {
  PageRegister page, first;
  static constexpr std::string_view name = "split_page";
  static constexpr std::uint8_t code = 9;
  static constexpr std::string_view help =
      "Makes single pages of a block; all but the first go to the registers from `first` on, which "
      "must be empty.";
  static void fields(auto& op, auto v) { v("page", op.page), v("first", op.first); }
};

struct FreePagesByPage {
  PageRegister page;
  OrderArg order;
  static constexpr std::string_view name = "__free_pages";
  static constexpr std::uint8_t code = 10;
  static constexpr std::string_view help =
      "Gives a block back, saying an order: misuse if it is not the block's.";
  static void fields(auto& op, auto v) { v("page", op.page), v("order", op.order); }
};

// The calls that act on one register.
ALLOCHECK_ON(PageRegister, page, FreePageByPage, "__free_page", 11,
             "Gives one page back: misuse on a larger block.");
ALLOCHECK_ON(PageRegister, page, FreePages, "free_pages", 12,
             "Gives a block back with the order it was allocated with, by its address where it "
             "has one.");
ALLOCHECK_ON(PageRegister, page, FreePage, "free_page", 13,
             "Gives one page back by its address; nothing happens without one.");
ALLOCHECK_ON(PageRegister, page, FreePagesExact, "free_pages_exact", 14,
             "Gives back what alloc_pages_exact gave.");
ALLOCHECK_ON(PageRegister, page, FreeColdPage, "free_cold_page", 15,
             "Gives one page back to the cold list.");
ALLOCHECK_ON(PageRegister, page, PageAddress, "page_address", 18,
             "Answers the block's kernel address, 0 in HIGHMEM.");
ALLOCHECK_ON(PageRegister, page, FreeStale, "free_stale", 22,
             "Frees what the register held last, with that order: a double free, unless "
             "somebody owns just that block now.");
ALLOCHECK_ON(PageRegister, page, Touch, "touch", 30,
             "Checks the block's contents and writes new ones.");

// The calls that act on one frame of a block.
#define ALLOCHECK_ON_FRAME(Struct, word, number, text)                                 \
  struct Struct {                                                                      \
    PageRegister page;                                                                 \
    IndexArg index;                                                                    \
    static constexpr std::string_view name = word;                                     \
    static constexpr std::uint8_t code = number;                                       \
    static constexpr std::string_view help = text;                                     \
    static void fields(auto& op, auto v) { v("page", op.page), v("index", op.index); } \
  }
ALLOCHECK_ON_FRAME(GetPage, "get_page", 16, "Takes a reference of a frame of the block.");
ALLOCHECK_ON_FRAME(PutPage, "put_page", 17,
                   "Drops a reference of a frame of the block; the last one frees.");
ALLOCHECK_ON_FRAME(PageCount, "page_count", 19, "Answers the references of a frame of the block.");
ALLOCHECK_ON_FRAME(FreeTail, "free_tail", 23,
                   "Frees a frame of the block by itself: misuse, but for a single page.");
#undef ALLOCHECK_ON_FRAME

// The calls without arguments.
ALLOCHECK_PLAIN(DrainAllPages, "drain_all_pages", 20, "Empties the per-CPU lists of all CPUs.");
ALLOCHECK_PLAIN(DrainLocalPages, "drain_local_pages", 21, "Empties the per-CPU lists of this CPU.");
ALLOCHECK_PLAIN(ReadBuddyinfo, "buddyinfo", 48,
                "Reads /proc/buddyinfo, and checks it against what is owned.");
ALLOCHECK_PLAIN(ReadZoneinfo, "zoneinfo", 49, "Reads /proc/zoneinfo, and checks it.");
ALLOCHECK_PLAIN(FreePagesNull, "free_pages_null", 50, "free_pages(0, 0): nothing happens.");

struct FreeAt {
  PfnArg pfn;
  OrderArg order;
  static constexpr std::string_view name = "free_at";
  static constexpr std::uint8_t code = 24;
  static constexpr std::string_view help = "Frees any frame of the world, with any order.";
  static void fields(auto& op, auto v) { v("pfn", op.pfn), v("order", op.order); }
};

struct SetPagePrivate {
  PageRegister page;
  Number<UINT32_MAX> value;
  static constexpr std::string_view name = "set_page_private";
  static constexpr std::uint8_t code = 26;
  static constexpr std::string_view help = "The owner writes page->private.";
  static void fields(auto& op, auto v) { v("page", op.page), v("value", op.value); }
};

struct SetPageFlags {
  PageRegister page;
  PageFlags flags;
  static constexpr std::string_view name = "set_page_flags";
  static constexpr std::uint8_t code = 27;
  static constexpr std::string_view help =
      "The owner sets the page's flags; some make it bad to free.";
  static void fields(auto& op, auto v) { v("page", op.page), v("flags", op.flags); }
};

struct SetPageMapcount {
  PageRegister page;
  Number<255> count;
  static constexpr std::string_view name = "set_page_mapcount";
  static constexpr std::uint8_t code = 28;
  static constexpr std::string_view help =
      "The page is mapped so often; a mapped page is bad to free.";
  static void fields(auto& op, auto v) { v("page", op.page), v("count", op.count); }
};

struct ScribblePageFlags {
  PfnArg pfn;
  PageFlags flags;
  static constexpr std::string_view name = "scribble_page_flags";
  static constexpr std::uint8_t code = 29;
  static constexpr std::string_view help =
      "Sets flags of a frame that nobody owns; skipped where somebody does.";
  static void fields(auto& op, auto v) { v("pfn", op.pfn), v("flags", op.flags); }
};

ALLOCHECK_ON(Number<ref::core::min_free_kbytes_max>, kbytes, SetMinFreeKbytes,
             "set_min_free_kbytes", 45, "Writes vm.min_free_kbytes.");

struct SetLowmemReserveRatio {
  ZoneArg zone;
  Number<UINT32_MAX> ratio;
  static constexpr std::string_view name = "set_lowmem_reserve_ratio";
  static constexpr std::uint8_t code = 46;
  static constexpr std::string_view help =
      "Writes one number of vm.lowmem_reserve_ratio; skipped for HIGHMEM.";
  static void fields(auto& op, auto v) { v("zone", op.zone), v("ratio", op.ratio); }
};

struct SetReclaimActive {
  ZoneArg zone;
  Number<1> on;
  static constexpr std::string_view name = "set_reclaim_active";
  static constexpr std::uint8_t code = 47;
  static constexpr std::string_view help = "kswapd is at work in the zone, or no longer.";
  static void fields(auto& op, auto v) { v("zone", op.zone), v("on", op.on); }
};

using Operation =
    std::variant<AllocPages, AllocPage, GetFreePages, GetFreePage, GetZeroedPage, GetDmaPages,
                 AllocPagesBulk, AllocPagesExact, SplitPage, FreePagesByPage, FreePageByPage,
                 FreePages, FreePage, FreePagesExact, FreeColdPage, GetPage, PutPage, PageAddress,
                 PageCount, DrainAllPages, DrainLocalPages, FreeStale, FreeTail, FreeAt,
                 SetPagePrivate, SetPageFlags, SetPageMapcount, ScribblePageFlags, Touch, SelectCpu,
                 SelectTask, PreemptDisable, PreemptEnable, LocalIrqDisable, LocalIrqEnable,
                 LocalBhDisable, LocalBhEnable, SoftirqEnter, SoftirqExit, IrqEnter, IrqExit,
                 SetTaskFlags, FailPageAlloc, SetMinFreeKbytes, SetLowmemReserveRatio,
                 SetReclaimActive, ReadBuddyinfo, ReadZoneinfo, FreePagesNull>;
static_assert(codes_are_distinct<Operation>());

}  // namespace props::buddy
