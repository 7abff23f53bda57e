// invariants: what holds in every state of the reference's object allocator between two calls.
//
//   layout ▶ pages ▶ lists ▶ indices ▶ arrays ▶ sums ▶ what caches hold ▶ texts
//
// Each is a pure function of the machine that answers where it fails, or nothing. A check survives
// the broken state that it looks for: every loop is bounded, every index tested before it is used.
#pragma once
#include <span>

#include "props/core/violation.hpp"
#include "ref/slab/machine.hpp"

namespace props::slab {

using ref::slab::Machine;

struct Invariant {
  std::string_view rule;
  Broken (*broken)(const Machine&);
};

// All of this layer, in the order in which a reader should believe them. Each costs O(machine).
std::span<const Invariant> invariants();

// The first that fails, of the page allocator below, then of this layer.
std::optional<Finding> first_broken(const Machine&);

// Frames that the allocator has: slabs, and arrays that are larger than any general cache holds.
// What is live besides them belongs to callers of the page allocator.
std::uint64_t own_frames(const Machine&);

}  // namespace props::slab
