// pcp: per-CPU lists in front of the buddy system, so that most calls touch no shared list.
//
//                 linux-2.6.11, order 0 only                linux-6.1, orders 0 to 3
//   alloc    count <= low: refill a batch; pop head    list empty: refill; pop head
//   free     count == high: bulk-free a batch of the   push head; count >= high: bulk-free, the
//            tail; push head                           more the longer nobody allocates
//
// A page here is not in the buddy system: no merge, not in buddyinfo (P-8).
#pragma once

#include "ref/buddy/machine.hpp"

namespace ref::buddy {

using core::Env;

// Whether blocks of this order pass through per-CPU lists.
bool pcp_allowed_order(const Machine&, unsigned order);

// Takes a block from this CPU's list of the zone, refilling it when it runs low. The frames are of
// no kind afterwards. `cold` is __GFP_COLD and means something in 2.6.11 only.
[[nodiscard]] MaybePfn rmqueue_pcplist(Env&, Machine&, Index zone, unsigned order, bool cold);

// Takes single pages from this CPU's list of the zone, one after the other, holding it as long as
// the holder lives (B-43). take() finds nothing when somebody else holds the list.
class PcpHolder {
 public:
  PcpHolder(Env&, Machine&, Index zone, bool cold);
  ~PcpHolder();
  PcpHolder(const PcpHolder&) = delete;
  PcpHolder& operator=(const PcpHolder&) = delete;
  [[nodiscard]] MaybePfn take();

 private:
  Machine& m_;
  Index zone_;
  std::uint32_t cpu_;
  bool cold_;
  bool held_;
};

// Puts a block of no kind on this CPU's list, bulk-freeing when it is full. When somebody is inside
// the lists already, the block goes straight to the buddy system (P-6).
void free_unref_page(Env&, Machine&, Index zone, Pfn, unsigned order, bool cold);

// Empties the lists of one CPU, or of all.
void drain_pages(Machine&, std::uint32_t cpu);

// Computes batch and limits of a zone's lists (P-7, P-21, P-23).
void setup_pageset(Machine&, Index zone);

}  // namespace ref::buddy
