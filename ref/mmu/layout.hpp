// layout: the parts of the kernel's address space on a machine, and their text.
//
//   fixmap  : 0xffff2000 - 0xfffff000   (  52 kB)
//   pkmap   : 0xff800000 - 0xffc00000   (4096 kB)
//   vmalloc : 0xf8800000 - 0xff7fe000   ( 111 MB)
//   lowmem  : 0xc0000000 - 0xf8000000   ( 896 MB)
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "ref/mmu/machine.hpp"

namespace ref::mmu {

inline const core::Window& window_of(const Machine& m) { return m.mmu.window; }

enum class RegionKind : std::uint8_t { lowmem, hole, vmalloc, pkmap, fixmap };
inline constexpr std::array<std::string_view, 5> region_names{"lowmem", "hole", "vmalloc", "pkmap",
                                                              "fixmap"};
struct Region {
  RegionKind kind;
  std::uint64_t begin, end;  // addresses; the end is behind
};
// From page_offset to 4 GiB without gaps, ascending; empty regions are left out. Without a window
// lowmem only.
std::vector<Region> regions(const Machine&);

// As a kernel of that time prints it at boot, from the top down; empty regions are left out.
std::string window_text(const Machine&);

}  // namespace ref::mmu
