// reach: how often what happened while the object allocator was searched.
//
//   world ──▶ Reach of a run: numbers, nothing else ──add──▶ Reach of a search
//                                                               └──▶ reach_groups: named, explained
//
// What a call did is read from the subject's counts just before and just after it: it keeps no
// statistics for us. What a number means stands in reach_groups alone.
#pragma once
#include <array>
#include <vector>

#include "props/core/reach.hpp"
#include "props/slab/operations.hpp"

namespace props::slab {

enum class ReachEvent : std::uint8_t {
  hit,  // as named; reach_groups explains each
  refill,
  from_shared,
  to_shared,
  to_alien,
  flush,
  grown,
  destroyed,
  to_full,
  to_partial,
  to_free,
  off_slab,
  objfreelist,
  coloured,
  merged,
  shared_destroyed,
  busy_destroyed,
  rcu_waited,
  shrunk,
  reaped,
  retuned,
  zeroed,
  constructed,
  injected,
  suspended,
  resumed,
  probe,
  settled,
};
constexpr std::size_t reach_events = static_cast<std::size_t>(ReachEvent::settled) + 1;
constexpr std::size_t reach_levels = 6;  // contexts that a call is made in
constexpr std::size_t reach_classes = 21;

// Nothing but 64-bit numbers, so that sums need no list of members.
struct Reach {
  static constexpr std::size_t operations = std::variant_size_v<Operation>;
  template <std::size_t n>
  using Counts = std::array<std::uint64_t, n>;

  Counts<operations> executed{}, skipped{};
  Counts<operations> refused_operations{}, faulted_operations{}, suspended_operations{};
  Counts<ref::core::faults_of_objects> faults{};
  Counts<ref::core::points_of_objects> points{};   // armed steps run there
  Counts<ref::core::points_of_objects> reached{};  // the subject came there
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

}  // namespace props::slab
