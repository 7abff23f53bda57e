// model_cases: what the tests of the naive model ask of it, on machines worked out by hand.
//
//   list            a free list as frames, head first
//   get, put        one block, taken and given back
#pragma once
#include <gtest/gtest.h>

#include "props/buddy/bare_machines.hpp"
#include "props/buddy/model.hpp"

namespace props::buddy::cases {

using namespace ref::core;

using by_hand::bare, by_hand::bare_normal, by_hand::eras, by_hand::Frames;

constexpr Caller task{};

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
