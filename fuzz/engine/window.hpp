// window: the kernel's addresses as a map: who owns what, where the guards are.
//
//   0xc0000000 ── lowmem ── high_memory ── hole ── [area guard free lazy ...] ── pkmap ── fixmap
//
// From the records of the reference, without gaps; every part says what it is and whose.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ref/vmalloc/vmalloc.hpp"

namespace fuzz {

struct WindowPart {
  std::uint64_t begin, end;  // addresses; the end is behind
  std::string_view kind;     // "lowmem", "hole", "area", "guard", "free", "lazy", "map", ...
  std::string owner;         // of an area: what /proc/vmallocinfo says of it
};

// Of a row that knows page tables, and of the one that knows areas.
std::vector<WindowPart> window_parts(const ref::mmu::Machine&);
std::vector<WindowPart> window_parts(const ref::vmalloc::Machine&);

std::string window_text(const std::vector<WindowPart>&);
std::string window_svg(const std::vector<WindowPart>&);

}  // namespace fuzz
