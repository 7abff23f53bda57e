// reach: how often what happened while the window was searched.
//
//   world ──▶ Reach of a run: numbers, nothing else ──add──▶ Reach of a search ──▶ reach_groups
#pragma once
#include <array>
#include <vector>

#include "props/core/reach.hpp"
#include "props/vmalloc/operations.hpp"

namespace props::vmalloc {

enum class ReachEvent : std::uint8_t {
  never,  // as named; reach_groups explains each
  injected,
  suspended,
  resumed,
  probe,
  emptied,
  deferred,
  freed_later,
  purged,
  purged_for_room,
  drained,
  lost,
  prefetched,
  stale_load,
  reused,
  kv_kmalloc,
};
constexpr std::size_t reach_events = static_cast<std::size_t>(ReachEvent::kv_kmalloc) + 1;

// Nothing but 64-bit numbers, so that sums need no list of members.
struct Reach {
  static constexpr std::size_t operations = std::variant_size_v<Operation>;
  static constexpr std::size_t size_classes = 9;  // of pages, by the bits of their number
  template <std::size_t n>
  using Counts = std::array<std::uint64_t, n>;

  Counts<operations> executed{}, skipped{};
  Counts<operations> refused_operations{}, faulted_operations{}, suspended_operations{};
  Counts<size_classes> granted{};
  Counts<ref::core::fault_names.size()> faults{};
  Counts<ref::core::point_names.size()> points{};   // armed steps run there
  Counts<ref::core::point_names.size()> reached{};  // the subject came there
  Counts<ref::core::era_count> eras{};
  Counts<1> runs{};
  Counts<reach_events> events{};

  std::uint64_t& operator[](ReachEvent e) { return events[static_cast<std::size_t>(e)]; }
  std::uint64_t operator[](ReachEvent e) const { return events[static_cast<std::size_t>(e)]; }
  void add(const Reach&);
};

std::vector<ReachGroup> reach_groups(const Reach&);
std::string reach_line(const Reach&);

}  // namespace props::vmalloc
