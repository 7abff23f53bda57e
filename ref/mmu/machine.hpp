// mmu::Machine: page tables and TLBs of the window above the direct map, and nothing that acts.
//
//   directory   [ 7 | 0 | . | 9 ]    a page table's frame + 1, or 0: none there
//                 │           └─▶ page 8   [ 0 | pte | 0 | pte | ... ]   4 bytes each, in RAM
//   CPU 0  TLB    filled: page 3 ─▶ page 9 ─▶ page 1      what was cached, be it stale or not
//   CPU 1  TLB    filled: page 9
//
// Page tables are pages of the buddy system, and their entries are bytes of RAM. A TLB has a record
// for every page of the window, and a list of the filled ones, so that emptying it costs what is
// filled. Links are page + 1, so that zero means "none".
#pragma once
#include "ref/buddy/buddy.hpp"
#include "ref/core/window.hpp"

namespace ref::mmu {

using buddy::Address;
using core::Index;
using core::Pfn;

// An entry of a page table, or of a TLB: zero, or a frame that is present.
using Pte = std::uint32_t;
constexpr Pte pte_of(Pfn pfn) { return pfn << 1 | 1u; }
constexpr Pfn pfn_of(Pte pte) { return pte >> 1; }

struct TlbEntry {
  Pte pte;           // 0: not cached
  Index next, prev;  // the filled ones of this CPU, newest first
  std::uint32_t zero;
};
static_assert(sizeof(TlbEntry) == 16);

struct Tlb {
  Index first;
  std::uint32_t count;
};
static_assert(sizeof(Tlb) == 8);

// Without a window all tables have length 0.
struct State {
  core::Table<Index> directory;  // frame + 1 of the page table, by table of the window
  core::Table<Tlb> tlb;          // by CPU
  core::Table<TlbEntry> entry;   // [cpu * pages + page]
  core::Window window;
  std::uint64_t base = 0;   // the first address that has a page table
  std::uint64_t pages = 0;  // from there to 4 GiB
  bool operator==(const State&) const = default;
};

class Machine : public buddy::Machine {
 public:
  explicit Machine(const core::Config&);  // newborn: tables of pkmap and fixmap, nothing mapped
  bool operator==(const Machine&) const = default;

  State mmu;

 protected:
  Machine(const core::Config&, Laid);
  void boot();
};

}  // namespace ref::mmu
