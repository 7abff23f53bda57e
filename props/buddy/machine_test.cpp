// Tests that a whole machine is a value, costs what it touches, and keeps its row's distance.
#include "ref/buddy/machine.hpp"

#include <gtest/gtest.h>

#include <concepts>

#include "props/core/probe.hpp"
#include "ref/buddy/buddy.hpp"

namespace props::buddy {
namespace {

using namespace ref::buddy;

static_assert(std::copyable<Machine>);
static_assert(std::equality_comparable<Machine>);

// Reaching upward does not compile: neither for this row with the machine of the row above it in
// the table, nor for a row below with only this one's.
struct LowerRow : Machine {};
[[maybe_unused]] void act_on_lower_row(LowerRow&) {}
template <class M>
concept ServedByThisRow = requires(M& m) { drain_local_pages(m); };
template <class M>
concept ServedByLowerRow = requires(M& m) { act_on_lower_row(m); };
static_assert(ServedByThisRow<Machine> && ServedByThisRow<LowerRow>);
static_assert(!ServedByThisRow<ref::core::Machine>);
static_assert(ServedByLowerRow<LowerRow> && !ServedByLowerRow<Machine>);

TEST(Machine, of_four_gigabytes_costs_its_tables) {
  ref::core::Config c;
  c.add_zone(ZoneKind::normal, 1u << 20);
  Machine m(c);
  EXPECT_EQ(zone_at(m, 0).free_pages, 1u << 20);
  EXPECT_EQ(area_at(m, 0, 10).count, 1024u);
  EXPECT_LT(m.arena.size() - m.ram.count, std::uint64_t{40} << 20);
  EXPECT_TRUE(m.arena.untouched(m.ram, 0, m.ram.count));
  EXPECT_EQ(m.arena.touched(), 0u);
  const Machine newborn = m;
  QuietEnv env;
  const auto pfn = alloc_pages(env, m, 0, 0);
  ASSERT_TRUE(pfn);
  write_pages(m, *pfn, 0, 4096)[0] = std::byte{1};
  EXPECT_LT(m.arena.touched(), 40u);
  EXPECT_FALSE(m == newborn);
  m = newborn;
  EXPECT_EQ(m.arena.touched(), 0u);
  EXPECT_TRUE(m == newborn);
}

TEST(Machine, is_its_config_its_bytes_and_its_counts) {
  ref::core::Config c;
  c.page_bytes = 64;
  c.add_zone(ZoneKind::normal, 16);
  const Machine newborn(c);
  EXPECT_TRUE(Machine(c) == newborn);  // strangers
  Machine m = newborn;
  ++m.events[0].pgfree;
  EXPECT_FALSE(m == newborn);
  ref::core::Config other = c;
  other.pcp = false;
  EXPECT_FALSE(Machine(other) == newborn);
  QuietEnv env;
  Machine one = newborn, two = newborn;
  const auto a = alloc_pages(env, one, 0, 1), b = alloc_pages(env, two, 0, 1);
  EXPECT_EQ(a, b);
  EXPECT_TRUE(one == two);
  EXPECT_EQ(one.arena.hash(), two.arena.hash());
}

}  // namespace
}  // namespace props::buddy
