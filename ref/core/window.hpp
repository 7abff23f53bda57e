// window: the kernel's addresses above the direct map, as a config lays them out.
//
//   0xc0000000 ── high_memory │ hole │ vmalloc ── end │ pkmap ── │ fixmap ── FIXADDR_TOP │ 4 GiB
//   all of lowmem              2048   `vmalloc` pages   `pkmap`    atomic slots     an empty page
//                              pages            two empty pages    of each CPU
//
// As on i386, from the top down. PKMAP_BASE begins what one page table maps; a page of `page` bytes
// has room for page / 4 entries, so small pages make small tables and a window of the same shape.
#pragma once
#include "ref/core/config.hpp"

namespace ref::core {

constexpr std::uint64_t address_end = std::uint64_t{1} << 32;
constexpr std::uint64_t direct_map_max = std::uint64_t{896} << 20;  // bytes
constexpr std::uint32_t hole_pages = 2048;   // VMALLOC_OFFSET: 8 MiB of the usual pages
constexpr std::uint32_t fix_kmap_begin = 1;  // FIX_HOLE comes first

// All zero when there is none. Ends are behind the last byte.
struct Window {
  std::uint64_t high_memory = 0;
  std::uint64_t vmalloc_start = 0, vmalloc_end = 0;
  std::uint64_t pkmap_base = 0, pkmap_end = 0;
  std::uint64_t fixmap_start = 0, fixaddr_top = 0;
  bool operator==(const Window&) const = default;
};

// Of a config that is valid.
Window window_of(const Config&);

// What one page table maps, in bytes.
constexpr std::uint64_t table_span(std::uint64_t page_bytes) { return page_bytes / 4 * page_bytes; }

// __fix_to_virt(FIX_KMAP_BEGIN + slot)
constexpr std::uint64_t fix_to_virt(const Window& w, std::uint64_t page_bytes, std::uint32_t slot) {
  return w.fixaddr_top - (std::uint64_t{fix_kmap_begin} + slot) * page_bytes;
}

// Why a machine has no room for the window that it asks for; nothing when it asks for none.
std::optional<ConfigError> window_error(const Config&);

// What i386 leaves to vmalloc on a machine with these zones, CPUs and pkmap: all between the hole
// and its end. The classic machine, with 896 MiB below HIGHMEM, has 28670 pages. 0: no room.
std::uint32_t i386_vmalloc_pages(const Config&);

}  // namespace ref::core
