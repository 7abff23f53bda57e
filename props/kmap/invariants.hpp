// invariants: what holds in every state of the reference's maps between two calls.
//
//   slots ▶ hash ▶ TLBs ▶ sleepers ▶ temporary slots ▶ tasks' stacks
//
// Each is a pure function of the machine that answers where it fails, or nothing. A check survives
// the broken state that it looks for: every loop is bounded, every index tested before it is used.
#pragma once
#include <span>

#include "props/core/violation.hpp"
#include "ref/kmap/machine.hpp"

namespace props::kmap {

using ref::kmap::Machine;

struct Invariant {
  std::string_view rule;
  Broken (*broken)(const Machine&);
};

// All of this layer, in the order in which a reader should believe them. Each costs O(machine).
std::span<const Invariant> invariants();

// The first that fails, of the rows below, then of this layer.
std::optional<Finding> first_broken(const Machine&);

}  // namespace props::kmap
