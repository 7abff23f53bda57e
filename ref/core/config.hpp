// config: the geometry of a machine, as the machine line of a trace spells it.
//
//   machine era=linux-6.1 zones=DMA:16,NORMAL@32:64,HIGHMEM:32 cpus=2 reserved=0-1
//
//   pfn    0      16    32            96          128
//          [ DMA  ]hole [   NORMAL    ][ HIGHMEM  ]
//
// The same code runs 8 pages of 64 bytes and the classic machine with 896 MiB below HIGHMEM:
// geometry is an input of the search, never a constant.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ref/core/era.hpp"

namespace ref::core {

using Pfn = std::uint32_t;

enum class ZoneKind : std::uint8_t { dma, normal, highmem };
constexpr std::size_t zone_kinds = 3;
inline constexpr std::array<std::string_view, zone_kinds> zone_names{"DMA", "NORMAL", "HIGHMEM"};
// As /proc prints them.
inline constexpr std::array<std::string_view, zone_kinds> zone_proc_names{"DMA", "Normal",
                                                                          "HighMem"};

constexpr std::uint32_t orders_max = 11;  // B-1: MAX_ORDER
constexpr std::uint32_t nodes_max = 4;
constexpr std::uint32_t cpus_max = 8;
constexpr std::uint32_t zones_max = nodes_max * zone_kinds;
constexpr std::uint32_t reserved_max = 16;
constexpr std::uint32_t task_count = 4;
constexpr std::uint64_t pfn_end = std::uint64_t{1} << 31;    // frames are numbered below
constexpr std::uint64_t pages_max = std::uint64_t{1} << 24;  // frames that one machine may have
constexpr std::uint32_t min_free_kbytes_max = 1u << 20;  // 1 GiB; the kernel's formulas stay below
constexpr std::uint32_t pkmap_max = 1024;                // LAST_PKMAP
constexpr std::uint32_t vmalloc_max = 1u << 20;          // pages
constexpr std::uint32_t formula_pages = 4096;  // from here on defaults are the era's formulas

// The room of a machine's links, and its kernel's virtual addresses: page_address(pfn) = base + pfn
// * page.
constexpr std::uint64_t page_offset = 0xC0000000;

struct ZoneSpec {
  std::uint32_t node = 0;
  ZoneKind kind = ZoneKind::normal;
  Pfn first = 0;
  std::uint32_t pages = 0;
  bool operator==(const ZoneSpec&) const = default;
};

struct PfnRange {  // both ends inside
  Pfn first = 0, last = 0;
  bool operator==(const PfnRange&) const = default;
};

struct Config {
  EraId era = EraId::linux_6_1;
  std::uint32_t page_bytes = 4096;    // a power of two, 64 .. 65536
  std::uint32_t orders = orders_max;  // number of free lists
  std::uint32_t nodes = 1;
  std::uint32_t cpus = 1;
  std::uint32_t zone_count = 0;
  std::array<ZoneSpec, zones_max> zones{};
  std::uint32_t reserved_count = 0;
  std::array<PfnRange, reserved_max> reserved{};
  std::optional<std::uint32_t> min_free_kbytes;  // unset: see min_free_kbytes_of
  std::optional<std::array<std::uint32_t, 2>> lowmem_reserve_ratio;  // of DMA, NORMAL
  bool pcp = true;
  std::uint32_t cache_line = 64;  // bytes, a power of two, 16 .. 256
  bool slab_debug = false;        // CONFIG_DEBUG_SLAB: red zones, poison, owners in every cache
  bool slab_merge = true;         // 6.1; false is slab_nomerge (S-6)
  // The kernel's window above the direct map; it is there when either is not 0. See window.hpp.
  std::uint32_t pkmap = 0;    // slots of persistent maps: 0, or a power of two up to pkmap_max
  std::uint32_t vmalloc = 0;  // pages of the vmalloc area, up to vmalloc_max

  void add_zone(ZoneKind kind, std::uint32_t pages, std::uint32_t node = 0);  // behind the last
  void add_zone_at(ZoneKind kind, Pfn first, std::uint32_t pages, std::uint32_t node = 0);
  bool is_reserved(Pfn pfn) const;
  bool has_window() const { return pkmap > 0 || vmalloc > 0; }
  std::uint64_t pages() const;                      // of all zones
  std::uint64_t lowmem_pages() const;               // managed pages that are not HIGHMEM
  std::uint64_t managed(std::uint32_t zone) const;  // pages of a zone that are not reserved
  const Profile& profile() const { return profile_of(era); }
  bool operator==(const Config&) const = default;
};

// What is wrong with a config: the key of the machine line, and words.
struct ConfigError {
  std::string_view key;
  std::string what, expected;
};
std::optional<ConfigError> validate(const Config&);

// The defaults (W-9, W-10): formulas of the era on machines of 4096 pages and more, 0 below,
// because the formulas would leave a hundred-page machine nothing to serve.
std::uint32_t min_free_kbytes_of(const Config&);
std::array<std::uint32_t, 2> lowmem_reserve_ratio_of(const Config&);

}  // namespace ref::core
