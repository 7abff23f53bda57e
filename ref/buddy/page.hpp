// page: what happens to a block between the lists and its owner.
//
//   lists ── inner frames ──▶ prep_new_page ──▶ live_head, refcount 1 ──▶ free_pages_prepare ──▶
//   lists
#pragma once
#include "ref/buddy/machine.hpp"

namespace ref::buddy {

// Makes a live block of frames that are of no kind: reference count 1, private 0 (B-30, B-39),
// zeroed and compound as the gfp asks. False: the frames were flagged while nobody owned them; in
// the era that does not tolerate it they are lost now, and the caller takes others (B-38).
[[nodiscard]] bool prep_new_page(Machine&, Pfn, unsigned order, core::Gfp, bool pfmemalloc);

// Checks a live block whose last reference is gone, and makes its frames of no kind. False: the
// block was bad and is lost (B-36).
[[nodiscard]] bool free_pages_prepare(Machine&, Pfn, unsigned order);

// Nobody will ever see these frames again.
void leak(Machine&, Pfn first, std::uint32_t pages);

}  // namespace ref::buddy
