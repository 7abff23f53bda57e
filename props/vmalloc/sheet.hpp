// sheet: what the sentences of the sheet say in numbers, restated without the reference's help.
#pragma once
#include "props/vmalloc/operations.hpp"

namespace props::vmalloc {

using ref::vmalloc::Machine;

// V-4, in pages: what the address of an area of ioremap is a multiple of. 2.6.11: the least power
// of two above the size, up to 128; 6.1: the least that is not below, up to what one page table
// maps.
std::uint64_t ioremap_align(const Machine&, std::uint64_t pages);

// I-1: a frame from the first to the last is memory that the kernel uses.
bool is_ram(const ref::core::Config&, std::uint64_t first, std::uint64_t last);

// V-41: above so many lazy pages the drain work is scheduled.
std::uint64_t lazy_max(const ref::core::Config&);

// V-28
std::uint32_t flags_of(const AreaFlags&);

// A fault that the rows below find in gfp flags that no sane caller uses.
bool from_below(ref::core::Gfp, ref::core::Fault);

// So many ranges are busy for a caller. Blocks of vm_map_ram are the allocator's own: whoever finds
// no room has those purged that nobody uses any more, also where he is refused all the same (V-43).
std::uint32_t busy_ranges(const Machine&);

}  // namespace props::vmalloc
