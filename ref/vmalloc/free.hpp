// free: how an area ends, whoever asked for it.
//
//   free_area ─▶ nobody finds it ─▶ unmapped ─▶ range back ─▶ pages back, or left ─▶ descriptor
#pragma once
#include "ref/vmalloc/areas.hpp"

namespace ref::vmalloc {

enum class Pages : std::uint8_t {
  freed,  // one reference of each page of its list, and the list
  left,   // they are not this call's: what the area owned is lost (V-26)
};
// REQUIREs that an area begins there.
void free_area(Env&, Machine&, Index page, Pages);

// The area that a call is told to end; nothing, and the log says why, at an address of none.
std::optional<Index> area_to_end(Machine&, Address);

}  // namespace ref::vmalloc
