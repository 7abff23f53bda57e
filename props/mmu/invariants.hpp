// invariants: what holds in every state of page tables and TLBs between two calls.
//
//   directory ▶ page tables are pages ▶ their entries ▶ TLBs
//
// Each is a pure function of the machine that answers where it fails, or nothing. A check survives
// the broken state that it looks for: every loop is bounded, every index tested before it is used.
#pragma once
#include <span>

#include "props/core/violation.hpp"
#include "ref/mmu/machine.hpp"

namespace props::mmu {

using ref::mmu::Machine;

struct Invariant {
  std::string_view rule;
  Broken (*broken)(const Machine&);
};

// All of this layer, in the order in which a reader should believe them. Each costs O(machine).
std::span<const Invariant> invariants();

// The first that fails, of the page allocator below, then of this layer.
std::optional<Finding> first_broken(const Machine&);

// The frame of the page table number `i`, if it is one that can be read; and its entry number `n`.
std::optional<ref::core::Pfn> table_of(const Machine&, std::uint64_t i);
ref::mmu::Pte entry_of(const Machine&, ref::core::Pfn table, std::uint64_t n);
// What the page tables hold for an address of the window, read without the subject's functions.
ref::mmu::Pte pte_at(const Machine&, std::uint64_t address);

}  // namespace props::mmu
