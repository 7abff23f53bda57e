// reach: how often what happened while the page allocator was searched.
//
//   world ──▶ Reach of a run: numbers, nothing else ──add──▶ Reach of a search
//                                                               └──▶ reach_groups: named, explained
//
// The world counts with plain additions, and only what it knows anyway or can read in a few loads:
// the subject keeps no statistics for us. What a number means stands in reach_groups alone.
#pragma once
#include <array>
#include <vector>

#include "props/buddy/operations.hpp"
#include "props/core/reach.hpp"

namespace props::buddy {

enum class ReachEvent : std::uint8_t {
  zone_fallback,  // as named; reach_groups explains each
  node_fallback,
  slow_grant,
  reserve_grant,
  injected,
  suspended,
  resumed,
  resumed_granted,
  probe,
  exhaustion,
  pcp_hit,
  pcp_refill,
  pcp_cached,
  pcp_overflow,
  pcp_bypass,
  drained,
  shared_free,
};
constexpr std::size_t reach_events = static_cast<std::size_t>(ReachEvent::shared_free) + 1;

// What a caller is in; a request counts once for each that holds.
constexpr std::size_t reach_levels = 6;
constexpr std::size_t reach_contexts = reach_levels + ref::core::task_flag_names.size();
// A machine counts once for each class it belongs to.
constexpr std::size_t reach_classes = 23;
enum class Judged : std::uint8_t { cheap, invariants, model, exhaustion, everything };
constexpr std::size_t reach_judged = 5;

// Nothing but 64-bit numbers, so that sums need no list of members.
struct Reach {
  static constexpr std::size_t operations = std::variant_size_v<Operation>;
  static constexpr std::size_t orders = ref::core::orders_max;
  static constexpr std::size_t gfp_names_max = 16;
  template <std::size_t n>
  using Counts = std::array<std::uint64_t, n>;

  Counts<operations> executed{}, skipped{};
  Counts<operations> refused_operations{}, faulted_operations{}, suspended_operations{};
  Counts<orders> granted{}, refused{};  // by order
  Counts<1> too_large{};                // requests above the largest order
  Counts<orders> splits{}, merges{};    // by order of the halves
  Counts<ref::core::gfp_bit_count> gfp_flags{};
  Counts<gfp_names_max> gfp_asked{}, gfp_granted{};  // by reach_gfp_names()
  Counts<ref::core::faults_of_pages> faults{};
  Counts<ref::core::effect_names.size()> effects{};  // of those faults
  Counts<ref::core::points_of_pages> points{};       // armed steps run there
  Counts<ref::core::points_of_pages> reached{};      // the subject came there
  Counts<11> fill{};                                 // steps that began at so many tenths
  Counts<reach_contexts> contexts{};
  Counts<reach_classes> machines{};
  Counts<orders> machine_orders{};
  Counts<reach_judged> judged{};
  Counts<1> runs{};
  Counts<reach_events> events{};

  std::uint64_t& operator[](ReachEvent e) { return events[static_cast<std::size_t>(e)]; }
  std::uint64_t operator[](ReachEvent e) const { return events[static_cast<std::size_t>(e)]; }
  void add(const Reach&);
  void count_machine(const ref::core::Config&);
  void count_gfp(ref::core::EraId, ref::core::Gfp, bool granted);
};

// Every count with its name, what it means, whether a search is held to it, and where.
std::vector<ReachGroup> reach_groups(const Reach&);
// The short form for a progress line: "grants 71% skips 12% faults 9/12 orders 0-10".
std::string reach_line(const Reach&);

}  // namespace props::buddy
