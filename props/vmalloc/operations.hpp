// operations: what a trace can do to the vmalloc window, listed once.
//
//   a0 = vmalloc(size=20000)               an area register holds an address, and what is behind it
//   touch_area(area=a0)                    looks at the contents of all its pages, writes new ones
//   prefetch(area=a0, page=5, cpu=1)       that CPU caches a translation, if there is one
//   vfree(area=a0)                         gives it back
//   a1 = vmap(first=p0, count=4, hole=0)   maps pages that the page registers hold
//   vfree_stale(area=a0)                   again: misuse, unless it is somebody's
//
// Every call that gives back takes every kind of area: which of them fit is the kernel's to say.
#pragma once
#include "props/buddy/operations.hpp"
#include "ref/vmalloc/vmalloc.hpp"

namespace props::vmalloc {

using AreaBytes = Number<UINT64_MAX>;
using OffsetArg = Number<(1u << 24) - 1>;
using CountArg = Number<255>;
using AddressArg = Number<UINT64_MAX>;
using CpuArg = Number<ref::core::cpus_max - 1>;

inline constexpr auto area_flag_names = [] {
  std::array<std::string_view, ref::vmalloc::vm_flag_names.size()> names{};
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = ref::vmalloc::vm_flag_names[i].name;
  return names;
}();
using AreaFlags = Flags<area_flag_names>;

// The calls that put an area of a size into a register.
#define ALLOCHECK_BY_SIZE(Struct, word, number, text)                           \
  struct Struct {                                                               \
    AreaRegister out;                                                           \
    AreaBytes size;                                                             \
    static constexpr std::string_view name = word;                              \
    static constexpr std::uint8_t code = number;                                \
    static constexpr std::string_view help = text;                              \
    static void fields(auto& op, auto v) { v("", op.out), v("size", op.size); } \
  }
ALLOCHECK_BY_SIZE(Vmalloc, "vmalloc", 160, "Allocates pages, and maps them one behind the other.");
ALLOCHECK_BY_SIZE(Vzalloc, "vzalloc", 161, "The same, filled with zeros.");
ALLOCHECK_BY_SIZE(Vmalloc32, "vmalloc_32", 162, "The same, of pages that 32 bits address.");
ALLOCHECK_BY_SIZE(VmallocUser, "vmalloc_user", 192, "Zeros, to be shown to a user.");
#undef ALLOCHECK_BY_SIZE

// The same, with gfp flags.
#define ALLOCHECK_BY_SIZE(Struct, word, number, text)                                             \
  struct Struct {                                                                                 \
    AreaRegister out;                                                                             \
    AreaBytes size;                                                                               \
    GfpArg gfp;                                                                                   \
    static constexpr std::string_view name = word;                                                \
    static constexpr std::uint8_t code = number;                                                  \
    static constexpr std::string_view help = text;                                                \
    static void fields(auto& op, auto v) { v("", op.out), v("size", op.size), v("gfp", op.gfp); } \
  }
ALLOCHECK_BY_SIZE(VmallocGfp, "__vmalloc", 163, "vmalloc of pages that `gfp` allows.");
ALLOCHECK_BY_SIZE(Kvmalloc, "kvmalloc", 164,
                  "Memory of kmalloc where that has it, else of vmalloc.");
ALLOCHECK_BY_SIZE(Kvzalloc, "kvzalloc", 165, "The same, filled with zeros.");
#undef ALLOCHECK_BY_SIZE

struct Vmap {
  AreaRegister out;
  PageRegister first;
  CountArg count, hole;
  AreaFlags flags;
  static constexpr std::string_view name = "vmap";
  static constexpr std::uint8_t code = 166;
  static constexpr std::string_view help =
      "Maps `count` pages: those that the registers from `first` on hold, in turn, again and "
      "again. "
      "The page number `hole` of the list is NULL, for which the call fails; 0: none is.";
  static void fields(auto& op, auto v) {
    v("", op.out), v("first", op.first), v("count", op.count), v("hole", op.hole),
        v("flags", op.flags);
  }
};

struct VmapPutPages {
  AreaRegister out;
  PageRegister first;
  CountArg count;
  static constexpr std::string_view name = "vmap_put_pages";
  static constexpr std::uint8_t code = 167;
  static constexpr std::string_view help =
      "vmap with VM_MAP_PUT_PAGES of an array of kmalloc: single pages, of at most `count` "
      "registers "
      "from `first` on, go over to the area and are put when vfree gives it back. 6.1 only.";
  static void fields(auto& op, auto v) {
    v("", op.out), v("first", op.first), v("count", op.count);
  }
};

struct Ioremap {
  AreaRegister out;
  AddressArg phys;
  AreaBytes size;
  static constexpr std::string_view name = "ioremap";
  static constexpr std::uint8_t code = 168;
  static constexpr std::string_view help =
      "Maps device memory, from a physical address on that need not begin a page.";
  static void fields(auto& op, auto v) { v("", op.out), v("phys", op.phys), v("size", op.size); }
};

struct GetVmArea {
  AreaRegister out;
  AreaBytes size;
  AreaFlags flags;
  static constexpr std::string_view name = "get_vm_area";
  static constexpr std::uint8_t code = 169;
  static constexpr std::string_view help = "Takes room in the window, and maps nothing there.";
  static void fields(auto& op, auto v) { v("", op.out), v("size", op.size), v("flags", op.flags); }
};

// The calls that act on one area.
ALLOCHECK_ON(AreaRegister, area, Vfree, "vfree", 170,
             "Gives back an area and the pages that it owns; in an interrupt, later.");
ALLOCHECK_ON(AreaRegister, area, Vunmap, "vunmap", 171,
             "Takes an area away, and no page: what a vmalloc area owned is lost.");
ALLOCHECK_ON(AreaRegister, area, Iounmap, "iounmap", 172,
             "Takes an area of ioremap away; others as vunmap does.");
ALLOCHECK_ON(AreaRegister, area, FreeVmArea, "free_vm_area", 173,
             "Takes an area of get_vm_area away.");
ALLOCHECK_ON(AreaRegister, area, Kvfree, "kvfree", 174,
             "Gives back what kvmalloc gave, wherever it lies.");
ALLOCHECK_ON(AreaRegister, area, TouchArea, "touch_area", 175,
             "Looks at the contents through this CPU's translations, and writes new ones.");
ALLOCHECK_ON(AreaRegister, area, VfreeAtomic, "vfree_atomic", 193,
             "vfree, later in 6.1, wherever it is called.");
ALLOCHECK_ON(AreaRegister, area, RemoveVmArea, "remove_vm_area", 194,
             "Takes an area away, as vunmap, and frees its descriptor.");
ALLOCHECK_ON(AreaRegister, area, UnmapRam, "vm_unmap_ram", 195,
             "Gives back what vm_map_ram mapped, and only that.");
ALLOCHECK_ON(AreaRegister, area, VfreeStale, "vfree_stale", 176,
             "vfree of what the register held last: misuse, unless somebody has it now, which "
             "makes it a skip.");
ALLOCHECK_ON(AreaRegister, area, VunmapStale, "vunmap_stale", 177, "The same with vunmap.");
ALLOCHECK_ON(AreaRegister, area, LoadStale, "load_stale", 178,
             "Reads where the register's area was, through this CPU's translations: misuse.");

// The calls at an offset of an area.
#define ALLOCHECK_AT_OFFSET(Struct, word, number, text)                                  \
  struct Struct {                                                                        \
    AreaRegister area;                                                                   \
    OffsetArg offset;                                                                    \
    static constexpr std::string_view name = word;                                       \
    static constexpr std::uint8_t code = number;                                         \
    static constexpr std::string_view help = text;                                       \
    static void fields(auto& op, auto v) { v("area", op.area), v("offset", op.offset); } \
  }
ALLOCHECK_AT_OFFSET(VmallocToPage, "vmalloc_to_page", 179,
                    "Answers the frame behind an address of the area.");
ALLOCHECK_AT_OFFSET(LoadArea, "load", 180,
                    "Reads a byte of the area, or of its guard, through this CPU's translations.");
ALLOCHECK_AT_OFFSET(StoreArea, "store", 181,
                    "Writes a byte of the area, or of its guard, through this CPU's translations.");
ALLOCHECK_AT_OFFSET(VfreeInside, "vfree_inside", 182,
                    "vfree of an address within the area or its guard: misuse, but for 6.1 where a "
                    "page begins.");
#undef ALLOCHECK_AT_OFFSET

struct VfreeAt {
  AddressArg address;
  static constexpr std::string_view name = "vfree_at";
  static constexpr std::uint8_t code = 183;
  static constexpr std::string_view help =
      "vfree of any address: NULL, or misuse. Skipped where somebody has an area.";
  static void fields(auto& op, auto v) { v("address", op.address); }
};

struct Prefetch {
  AreaRegister area;
  CountArg page;
  CpuArg cpu;
  static constexpr std::string_view name = "prefetch";
  static constexpr std::uint8_t code = 184;
  static constexpr std::string_view help =
      "That CPU caches the translation of a page of the area, or of what lies behind it, if there "
      "is "
      "one. Also of an area that is gone.";
  static void fields(auto& op, auto v) { v("area", op.area), v("page", op.page), v("cpu", op.cpu); }
};

// The calls without arguments.
ALLOCHECK_PLAIN(VmUnmapAliases, "vm_unmap_aliases", 185,
                "Nothing that is gone is translated any more, on no CPU.");
ALLOCHECK_PLAIN(
    RunWork, "run_work", 186,
    "The kernel's threads do what was put off: areas that interrupts freed, and purging "
    "where there is much of it.");
ALLOCHECK_PLAIN(ReadVmallocinfo, "vmallocinfo", 187,
                "Reads /proc/vmallocinfo, and checks it against what callers have.");

struct VmallocNode {
  AreaRegister out;
  AreaBytes size;
  Number<ref::core::nodes_max - 1> node;
  static constexpr std::string_view name = "vmalloc_node";
  static constexpr std::uint8_t code = 188;
  static constexpr std::string_view help =
      "vmalloc, of pages of that node where it can; skipped where no such node is.";
  static void fields(auto& op, auto v) { v("", op.out), v("size", op.size), v("node", op.node); }
};

struct VmapRam {
  AreaRegister out;
  PageRegister first;
  CountArg count;
  static constexpr std::string_view name = "vm_map_ram";
  static constexpr std::uint8_t code = 189;
  static constexpr std::string_view help =
      "Maps pages as vmap does, for a short time: small ones share a block.";
  static void fields(auto& op, auto v) {
    v("", op.out), v("first", op.first), v("count", op.count);
  }
};

struct RemapRange {
  AreaRegister area;
  AddressArg pgoff;
  AreaBytes size;
  static constexpr std::string_view name = "remap_vmalloc_range";
  static constexpr std::uint8_t code = 190;
  static constexpr std::string_view help =
      "Shows a part of the area, from a page on, to a user; answers how many pages he sees.";
  static void fields(auto& op, auto v) {
    v("area", op.area), v("pgoff", op.pgoff), v("size", op.size);
  }
};

struct Vread {
  AreaRegister area;
  OffsetArg offset;
  Number<65535> count;
  static constexpr std::string_view name = "vread";
  static constexpr std::uint8_t code = 191;
  static constexpr std::string_view help =
      "Reads bytes of the window as /dev/kmem does: holes, guards and devices are zeros.";
  static void fields(auto& op, auto v) {
    v("area", op.area), v("offset", op.offset), v("count", op.count);
  }
};

using buddy::AllocPages, buddy::FreePages, buddy::DrainAllPages;

using Operation = std::variant<
    Vmalloc, Vzalloc, Vmalloc32, VmallocUser, VmallocGfp, VmallocNode, Kvmalloc, Kvzalloc, Vmap,
    VmapPutPages, VmapRam, Ioremap, GetVmArea, Vfree, VfreeAtomic, Vunmap, Iounmap, FreeVmArea,
    RemoveVmArea, Kvfree, UnmapRam, TouchArea, VmallocToPage, LoadArea, StoreArea, RemapRange,
    Vread, VfreeStale, VunmapStale, LoadStale, VfreeInside, VfreeAt, Prefetch, VmUnmapAliases,
    RunWork, ReadVmallocinfo, AllocPages, FreePages, DrainAllPages, SelectCpu, SelectTask,
    PreemptDisable, PreemptEnable, LocalIrqDisable, LocalIrqEnable, LocalBhDisable, LocalBhEnable,
    SoftirqEnter, SoftirqExit, IrqEnter, IrqExit, SetTaskFlags, FailPageAlloc>;
static_assert(codes_are_distinct<Operation>());

}  // namespace props::vmalloc
