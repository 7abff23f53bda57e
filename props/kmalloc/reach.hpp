// reach: how often what happened while kmalloc was searched.
//
//   world ──▶ Reach of a run: numbers, nothing else ──add──▶ Reach of a search ──▶ reach_groups
#pragma once
#include <array>
#include <vector>

#include "props/core/reach.hpp"
#include "props/kmalloc/operations.hpp"

namespace props::kmalloc {

enum class ReachEvent : std::uint8_t {
  nothing,  // as named; reach_groups explains each
  large,
  moved,
  stayed,
  overflow,
  above_limit,
  injected,
  suspended,
  resumed,
  probe,
  emptied,
  internal,
};
constexpr std::size_t reach_events = static_cast<std::size_t>(ReachEvent::internal) + 1;

// Nothing but 64-bit numbers, so that sums need no list of members.
struct Reach {
  static constexpr std::size_t operations = std::variant_size_v<Operation>;
  static constexpr std::size_t size_classes = 24;  // by the power of two that usable bytes reach
  template <std::size_t n>
  using Counts = std::array<std::uint64_t, n>;

  Counts<operations> executed{}, skipped{};
  Counts<operations> refused_operations{}, faulted_operations{}, suspended_operations{};
  Counts<size_classes> granted{};
  Counts<ref::core::faults_of_objects> faults{};
  Counts<ref::core::effect_names.size()> effects{};
  Counts<ref::core::points_of_objects> points{};   // armed steps run there
  Counts<ref::core::points_of_objects> reached{};  // the subject came there
  Counts<ref::core::era_count> eras{};
  Counts<1> runs{};
  Counts<reach_events> events{};

  std::uint64_t& operator[](ReachEvent e) { return events[static_cast<std::size_t>(e)]; }
  std::uint64_t operator[](ReachEvent e) const { return events[static_cast<std::size_t>(e)]; }
  void add(const Reach&);
};

std::vector<ReachGroup> reach_groups(const Reach&);
std::string reach_line(const Reach&);

}  // namespace props::kmalloc
