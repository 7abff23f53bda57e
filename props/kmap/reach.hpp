// reach: how often what happened while mappings were searched.
//
//   world ──▶ Reach of a run: numbers, nothing else ──add──▶ Reach of a search
//                                                               └──▶ reach_groups: named, explained
#pragma once
#include <array>
#include <vector>

#include "props/core/reach.hpp"
#include "props/kmap/operations.hpp"

namespace props::kmap {

enum class ReachEvent : std::uint8_t {
  mapped,  // as named; reach_groups explains each
  mapped_again,
  revived,
  direct,
  wrapped,
  reused,
  waited,
  slept_again,
  resumed,
  woke,
  deadlock,
  flushed,
  freed_unflushed,
  atomic,
  atomic_direct,
  local,
  local_direct,
  out_of_order,
  lost_unmapped,
  interrupt_unmapped,
  kept,
  pinned,
  cleared,
  injected,
  exhausted,
  returned,
};
constexpr std::size_t reach_events = static_cast<std::size_t>(ReachEvent::returned) + 1;
constexpr std::size_t reach_levels = 6;  // contexts that a page is mapped in
constexpr std::size_t reach_classes = 13;

// Nothing but 64-bit numbers, so that sums need no list of members.
struct Reach {
  static constexpr std::size_t operations = std::variant_size_v<Operation>;
  template <std::size_t n>
  using Counts = std::array<std::uint64_t, n>;

  Counts<operations> executed{}, skipped{};
  Counts<operations> refused_operations{}, faulted_operations{}, suspended_operations{};
  Counts<ref::core::fault_names.size()> faults{};
  Counts<ref::core::point_names.size()> points{};   // armed steps run there
  Counts<ref::core::point_names.size()> reached{};  // the subject came there
  Counts<reach_levels> contexts{};
  Counts<reach_classes> machines{};
  Counts<1> runs{};
  Counts<reach_events> events{};

  std::uint64_t& operator[](ReachEvent e) { return events[static_cast<std::size_t>(e)]; }
  std::uint64_t operator[](ReachEvent e) const { return events[static_cast<std::size_t>(e)]; }
  void add(const Reach&);
  void count_machine(const ref::core::Config&, bool up);
};

// Every count with its name, what it means, whether a search is held to it, and where.
std::vector<ReachGroup> reach_groups(const Reach&);
// The short form for a progress line.
std::string reach_line(const Reach&);

}  // namespace props::kmap
