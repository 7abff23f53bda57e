// invariants: what holds in every state of the reference between two calls.
//
// Each is a pure function of the machine that answers where it fails, or nothing. A check survives
// the broken state that it looks for: every loop is bounded, every index tested before it is used.
#pragma once
#include <span>

#include "props/core/violation.hpp"
#include "ref/buddy/machine.hpp"

namespace props::buddy {

using ref::buddy::Machine;

struct Invariant {
  std::string_view rule;
  Broken (*broken)(const Machine&);
};

// All of them, in the order in which a reader should believe them. Each costs O(machine).
std::span<const Invariant> invariants();

// The first that fails.
std::optional<Finding> first_broken(const Machine&);

}  // namespace props::buddy
