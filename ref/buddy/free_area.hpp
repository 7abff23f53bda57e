// free_area: the buddy system itself, one zone at a time: split on the way out, merge on the way
// in.
//
//   order 3   [0                      8)          take order 1:
//   order 2   [0          4)[4        8)          the lowest part goes out, every upper half goes
//   to the order 1   [0    2)[2    4)                    head of its list, the largest first (B-10)
//
//   give 0 back at order 1: its buddy 2 is free at order 1, so they merge; then 4 at order 2 (B-6).
#pragma once

#include "ref/buddy/machine.hpp"

namespace ref::buddy {

// Takes 2^order frames off the zone's free lists, or nothing. The frames are of no kind afterwards
// (inner): the caller says what they become.
[[nodiscard]] MaybePfn rmqueue_smallest(Machine&, Index zone, unsigned order);

enum class FreeTo : std::uint8_t { era_choice, tail };

// Gives a block of frames that are of no kind back to the zone's free lists, merging.
void free_one_page(Machine&, Index zone, Pfn, unsigned order, FreeTo = FreeTo::era_choice);

}  // namespace ref::buddy
