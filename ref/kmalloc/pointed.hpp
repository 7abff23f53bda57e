// pointed: what an address is that kfree, ksize or krealloc is given.
//
//   nothing   NULL, and in 6.1 what kmalloc(0) answers: any address up to 16 (K-7)
//   object    in a slab: slab knows whether a caller's object begins there
//   pages     in a frame that is no slab's; whether a block begins there is buddy's to know
//   outside   no address of memory
#pragma once
#include "ref/kmalloc/kmalloc.hpp"

namespace ref::kmalloc {

using core::Pfn;

enum class At : std::uint8_t { nothing, object, pages, outside };

struct Pointed {
  At at = At::outside;
  Pfn pfn = 0;  // the address's frame
};
Pointed pointed(const Machine&, Address);

// The first frame of a live compound block that a frame is of; nothing for any other frame.
std::optional<Pfn> folio_of(const Machine&, Pfn);
unsigned folio_order(const Machine&, Pfn head);

}  // namespace ref::kmalloc
