// operations: what a trace can do to mappings of high memory, listed once.
//
//   m0 = kmap(page=p0, index=3)                       a register holds a mapping: address and page
//   kunmap(map=m0)                                    ends it
//   kunmap_stale(map=m0)                              again: misuse, unless somebody maps the page
//   m1 = kmap_atomic(page=p1, index=0, type=KM_USER0)
//
// A page is a frame of a block that a p register holds. A step whose operand is empty, or whose
// result is occupied, is skipped. What an interrupt mapped, and did not unmap, is unmapped when it
// ends.
#pragma once
#include "props/buddy/operations.hpp"
#include "props/kmap/atomic_type.hpp"

namespace props::kmap {

using buddy::AllocPages;
using buddy::FreePages;
using buddy::IndexArg;

using SlotArg = Number<1024>;  // the last one is the first behind the largest window
using OffsetArg = Number<65536>;

// The calls that map a page.
#define ALLOCHECK_MAP(Struct, word, number, text)              \
  struct Struct {                                              \
    MapRegister out;                                           \
    PageRegister page;                                         \
    IndexArg index;                                            \
    static constexpr std::string_view name = word;             \
    static constexpr std::uint8_t code = number;               \
    static constexpr std::string_view help = text;             \
    static void fields(auto& op, auto v) {                     \
      v("", op.out), v("page", op.page), v("index", op.index); \
    }                                                          \
  }
ALLOCHECK_MAP(Kmap, "kmap", 130,
              "Maps a page for as long as one likes; waits while all slots are in use.");
ALLOCHECK_MAP(KmapLocal, "kmap_local_page", 131,
              "Maps a page for the running task, on top of its stack; linux-6.1.");
ALLOCHECK_MAP(
    KmapHighGet, "kmap_high_get", 146,
    "One more user of the address that a page of HIGHMEM has, if it has one; never waits.");
#undef ALLOCHECK_MAP

struct KmapAtomic {
  MapRegister out;
  PageRegister page;
  IndexArg index;
  AtomicTypeArg type;
  static constexpr std::string_view name = "kmap_atomic";
  static constexpr std::uint8_t code = 132;
  static constexpr std::string_view help =
      "Maps a page until this CPU does something else; linux-2.6.11 at the place of that type.";
  static void fields(auto& op, auto v) {
    v("", op.out), v("page", op.page), v("index", op.index), v("type", op.type);
  }
};

// The calls that act on one mapping.
#define ALLOCHECK_ON_MAP(Struct, word, number, text)           \
  struct Struct {                                              \
    MapRegister map;                                           \
    static constexpr std::string_view name = word;             \
    static constexpr std::uint8_t code = number;               \
    static constexpr std::string_view help = text;             \
    static void fields(auto& op, auto v) { v("map", op.map); } \
  }
ALLOCHECK_ON_MAP(Kunmap, "kunmap", 133, "Ends what kmap made.");
ALLOCHECK_ON_MAP(KunmapStale, "kunmap_stale", 134,
                 "kunmap of the page that the register mapped last: misuse, unless somebody has it "
                 "mapped, whose mapping ends then.");
ALLOCHECK_ON_MAP(KunmapAtomic, "kunmap_atomic", 135, "Ends what kmap_atomic made.");
ALLOCHECK_ON_MAP(
    KunmapLocal, "kunmap_local", 136,
    "Ends what kmap_local_page made: misuse, if it is not the newest; or kmap_high_get.");
ALLOCHECK_ON_MAP(TouchMap, "touch_map", 137,
                 "Reads the page through all its mappings, and writes it through this one.");
ALLOCHECK_ON_MAP(Prefetch, "prefetch", 138,
                 "The CPU caches the translation of the address that the register has or had, if "
                 "there is one.");
ALLOCHECK_ON_MAP(KmapToPage, "kmap_to_page", 139, "Answers the frame that the mapping is of.");
#undef ALLOCHECK_ON_MAP

struct KunmapAtomicAs {
  MapRegister map;
  AtomicTypeArg type;
  static constexpr std::string_view name = "kunmap_atomic_as";
  static constexpr std::uint8_t code = 140;
  static constexpr std::string_view help =
      "kunmap_atomic with a type: misuse, if it is not the mapping's; linux-2.6.11.";
  static void fields(auto& op, auto v) { v("map", op.map), v("type", op.type); }
};

// The calls that act on one page.
#define ALLOCHECK_ON_PAGE(Struct, word, number, text)                                  \
  struct Struct {                                                                      \
    PageRegister page;                                                                 \
    IndexArg index;                                                                    \
    static constexpr std::string_view name = word;                                     \
    static constexpr std::uint8_t code = number;                                       \
    static constexpr std::string_view help = text;                                     \
    static void fields(auto& op, auto v) { v("page", op.page), v("index", op.index); } \
  }
ALLOCHECK_ON_PAGE(KunmapPage, "kunmap_page", 141,
                  "kunmap of a page: misuse, unless somebody has it mapped, whose mapping ends "
                  "then; nothing below HIGHMEM.");
ALLOCHECK_ON_PAGE(PageAddress, "page_address", 142,
                  "Answers the address that the page has now, 0 for none.");
#undef ALLOCHECK_ON_PAGE

struct FlushUnused {
  static constexpr std::string_view name = "kmap_flush_unused";
  static constexpr std::uint8_t code = 143;
  static constexpr std::string_view help = "Makes every slot without users free at once.";
  static void fields(auto&, auto) {}
};

struct SlotToPage {
  SlotArg slot;
  static constexpr std::string_view name = "kmap_slot_to_page";
  static constexpr std::uint8_t code = 144;
  static constexpr std::string_view help =
      "kmap_to_page of the address of that slot; nothing is mapped behind the last one.";
  static void fields(auto& op, auto v) { v("slot", op.slot); }
};

struct ZeroSegments {
  PageRegister page;
  IndexArg index;
  OffsetArg start1, end1, start2, end2;
  static constexpr std::string_view name = "zero_user_segments";
  static constexpr std::uint8_t code = 145;
  static constexpr std::string_view help =
      "Clears two pieces of a page through a mapping of its own; a piece that ends before it "
      "begins is none, one that ends behind the page is misuse.";
  static void fields(auto& op, auto v) {
    v("page", op.page), v("index", op.index), v("start1", op.start1), v("end1", op.end1),
        v("start2", op.start2), v("end2", op.end2);
  }
};

using Operation =
    std::variant<AllocPages, FreePages, Kmap, Kunmap, KunmapStale, KunmapPage, KmapAtomic,
                 KunmapAtomic, KunmapAtomicAs, KmapLocal, KunmapLocal, TouchMap, Prefetch,
                 PageAddress, KmapToPage, SlotToPage, FlushUnused, ZeroSegments, KmapHighGet,
                 SelectCpu, SelectTask, PreemptDisable, PreemptEnable, LocalIrqDisable,
                 LocalIrqEnable, LocalBhDisable, LocalBhEnable, SoftirqEnter, SoftirqExit, IrqEnter,
                 IrqExit, SetTaskFlags, FailPageAlloc>;
static_assert(codes_are_distinct<Operation>());

}  // namespace props::kmap
