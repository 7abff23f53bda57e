// model_cases: the small machines that the tests of the naive model work out by hand.
//
//   bare            no per-CPU lists, no watermarks, no reserves: the free lists alone
//   bare_normal     the same with one zone
#pragma once
#include <gtest/gtest.h>

#include "props/buddy/model.hpp"

namespace props::buddy::cases {

using namespace ref::core;

using Frames = std::vector<Pfn>;

constexpr std::array eras{EraId::linux_2_6_11, EraId::linux_6_1};
constexpr Caller task{};

// A machine without per-CPU lists and without watermarks, unless a test asks for them.
inline Config bare(EraId era, std::uint32_t orders = orders_max) {
  Config c;
  c.era = era;
  c.orders = orders;
  c.pcp = false;
  c.min_free_kbytes = 0;
  c.lowmem_reserve_ratio = {0, 0};
  return c;
}

inline Config bare_normal(EraId era, std::uint32_t pages, std::uint32_t orders = orders_max) {
  Config c = bare(era, orders);
  c.add_zone(ZoneKind::normal, pages);
  return c;
}

inline Gfp gfp(const Model& m, std::string_view name) { return gfp_of(m.config().era, name); }

inline Frames list(const Model& m, std::uint32_t zone, unsigned order) {
  const auto& l = m.free_list(zone, order);
  return {l.begin(), l.end()};
}

// The frame that a GFP_KERNEL request gets. Fails the test when there is none.
inline Pfn get(Model& m, unsigned order = 0, Caller who = task) {
  const Prediction p = m.alloc_pages(who, gfp(m, "GFP_KERNEL"), order);
  EXPECT_EQ(p.outcome, Outcome::granted);
  return p.pfn;
}

inline void put(Model& m, Pfn pfn, unsigned order = 0, Caller who = task) {
  m.free_block(who, pfn, order, false);
}

}  // namespace props::buddy::cases
