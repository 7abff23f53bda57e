// bare_machines: the smallest machines of the tests that work a sentence out by hand.
//
//   bare            no per-CPU lists, no watermarks, no reserves: the free lists alone
//   bare_normal     the same with one zone
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "ref/core/config.hpp"
#include "ref/core/era.hpp"

namespace props::buddy::by_hand {

using Frames = std::vector<ref::core::Pfn>;

constexpr std::array eras{ref::core::EraId::linux_2_6_11, ref::core::EraId::linux_6_1};

// Zones are for the test to add.
inline ref::core::Config bare(ref::core::EraId era, std::uint32_t orders = ref::core::orders_max) {
  ref::core::Config c;
  c.era = era;
  c.orders = orders;
  c.pcp = false;
  c.min_free_kbytes = 0;
  c.lowmem_reserve_ratio = {0, 0};
  return c;
}

inline ref::core::Config bare_normal(ref::core::EraId era, std::uint32_t pages,
                                     std::uint32_t orders = ref::core::orders_max) {
  ref::core::Config c = bare(era, orders);
  c.add_zone(ref::core::ZoneKind::normal, pages);
  return c;
}

}  // namespace props::buddy::by_hand
