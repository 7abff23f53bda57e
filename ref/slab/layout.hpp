// layout: how a cache's slabs are laid out: order, objects, colours, place of the free indices.
//
//   linux-6.1      [ colour | obj | obj | ... | rest | indices ]     in a free object, off, or here
//   linux-2.6.11   [ colour | slab, indices | obj | obj | ... | rest ]     here, or off
//
// Arithmetic only: nothing is allocated, and the machine is only read.
#pragma once
#include "ref/slab/records.hpp"

namespace ref::slab {

struct Layout {
  std::uint32_t size, align, obj_offset, flags;
  std::uint32_t num, freelist_size, colour, colour_off;
  Index freelist_cache;  // index + 1; off slab only
  std::uint8_t gfporder;
};

struct LayoutAsk {
  std::uint32_t object_size, align, flags;
  Ctor ctor;
};

// Nothing: no slab that the machine can have holds such an object.
std::optional<Layout> calculate_layout(const Machine&, const LayoutAsk&);

// S-4, 6.1: what a caller's alignment becomes.
std::uint64_t calculate_alignment(const Machine&, std::uint32_t flags, std::uint64_t align,
                                  std::uint64_t size);

// As the kernel's ALIGN: for powers of two the next multiple, for other numbers nonsense that is
// never smaller than `x`.
constexpr std::uint64_t align_up(std::uint64_t x, std::uint64_t align) {
  return (x + (align - 1)) & ~(align - 1);
}

// Bytes of one free index (S-7).
std::uint32_t freelist_idx_bytes(const Machine&);

}  // namespace ref::slab
