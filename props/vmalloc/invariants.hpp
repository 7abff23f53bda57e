// invariants: what holds in every state of the window's allocator between two calls.
//
//   records ▶ partition ▶ lists ▶ trees ▶ largest ▶ merged ▶ areas ▶ page tables ▶ TLBs ▶ sums ▶
//   text
//
// Each is a pure function of the machine that answers where it fails, or nothing. A check survives
// the broken state that it looks for: every loop is bounded, every index tested before it is used.
#pragma once
#include <span>

#include "props/core/violation.hpp"
#include "ref/vmalloc/vmalloc.hpp"

namespace props::vmalloc {

using ref::vmalloc::Machine;

struct Invariant {
  std::string_view rule;
  Broken (*broken)(const Machine&);
};

// All of this row, in the order in which a reader should believe them. Each costs O(window).
std::span<const Invariant> invariants();

// The first that fails, of the rows below, then of this one.
std::optional<Finding> first_broken(const Machine&);

}  // namespace props::vmalloc
