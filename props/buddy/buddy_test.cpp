// Hand-written cases of the page allocator, each with its picture.
#include "ref/buddy/buddy.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "props/buddy/invariants.hpp"
#include "props/core/probe.hpp"

namespace {

using namespace ref::buddy;
using props::QuietEnv;
using ref::core::Config;
using ref::core::EraId;
using ref::core::gfp_of;

// Both eras: what these cases show is what they have in common.
class Buddy : public ::testing::TestWithParam<EraId> {
 protected:
  // One zone NORMAL from frame 0, without per-CPU lists, so that the free lists are all there is.
  Machine machine(std::uint32_t pages, std::uint32_t orders = 11) const {
    Config c;
    c.era = GetParam();
    c.orders = orders;
    c.pcp = false;
    c.add_zone(ZoneKind::normal, pages);
    return Machine(c);
  }
  Gfp kernel() const { return gfp_of(GetParam(), "GFP_KERNEL") | ref::core::GFP_BIT_NORETRY; }
  Answer<Pfn> alloc(Machine& m, unsigned order) { return alloc_pages(env, m, kernel(), order); }
  void give_back(Machine& m, Pfn pfn, unsigned order) { free_pages_(env, m, pfn, order); }

  // Blocks on free list `order`, head first.
  static std::vector<Pfn> free_list(const Machine& m, unsigned order) {
    std::vector<Pfn> list;
    for (Index link = area_at(m, 0, order).head; link != 0; link = page_at(m, link - 1).next)
      list.push_back(pfn_of(zone_at(m, 0), link - 1));
    return list;
  }
  static std::vector<std::uint32_t> free_counts(const Machine& m) {
    std::vector<std::uint32_t> counts;
    for (unsigned order = 0; order < m.config.orders; ++order)
      counts.push_back(area_at(m, 0, order).count);
    return counts;
  }
  void expect_sound(const Machine& m) {
    const auto finding = props::buddy::first_broken(m);
    EXPECT_FALSE(finding) << finding->rule << ": expected " << finding->expected << ", actual "
                          << finding->actual;
  }

  QuietEnv env;
};

//   [                 1024, order 10                 ]   order 10 asked: the block itself goes out
TEST_P(Buddy, an_exact_fit_is_handed_out_whole) {
  Machine m = machine(1024);
  const auto pfn = alloc(m, 10);
  ASSERT_TRUE(pfn);
  EXPECT_EQ(*pfn, 0u);
  EXPECT_EQ(free_counts(m), std::vector<std::uint32_t>(11, 0));
  EXPECT_EQ(zone_at(m, 0).free_pages, 0u);
  expect_sound(m);
}

//   [                      1024                      ]
//   [          512          ][          512          ]   split: the upper half is free
//   [    256   ][    256    ][          512          ]   split: the upper half is free, the lower
//   goes out
//    ^ owned      free          free
TEST_P(Buddy, a_256_page_request_splits_a_1024_page_block_and_leaves_512_and_256) {
  Machine m = machine(1024);
  const auto pfn = alloc(m, 8);
  ASSERT_TRUE(pfn);
  EXPECT_EQ(*pfn, 0u);
  EXPECT_EQ(free_list(m, 9), std::vector<Pfn>{512});
  EXPECT_EQ(free_list(m, 8), std::vector<Pfn>{256});
  EXPECT_EQ(free_counts(m), (std::vector<std::uint32_t>{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0}));
  EXPECT_EQ(zone_at(m, 0).free_pages, 768u);
  expect_sound(m);
}

//   [ U 4 ][ F 4 ][ U 4 ][ F 4 ]   8 pages are free, but no 8 in a row
TEST_P(Buddy, nothing_large_enough_anywhere_is_a_refusal_that_changes_nothing) {
  Machine m = machine(16, 5);
  std::vector<Pfn> quarters;
  for (int i = 0; i < 4; ++i) quarters.push_back(*alloc(m, 2));
  give_back(m, quarters[1], 2);
  give_back(m, quarters[3], 2);
  EXPECT_EQ(zone_at(m, 0).free_pages, 8u);
  ref::core::clear_log(m);
  const Machine before = m;
  const auto refused = alloc(m, 3);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Refused::no_memory);
  ref::core::clear_log(m);  // the warning that it printed
  EXPECT_EQ(m, before);
}

//   before   [0][1][2][3][4][5][6][7]        all owned, one page each
//   free 7 .. 1: pairs, then quarters, meet as their second half comes
//   free 0   [           8, order 3         ]   0+1, 0-1+2-3, 0-3+4-7
TEST_P(Buddy, freeing_merges_all_the_way_back) {
  Machine m = machine(8, 4);
  const Machine newborn = m;
  std::vector<Pfn> pages;
  for (int i = 0; i < 8; ++i) pages.push_back(*alloc(m, 0));
  EXPECT_EQ(zone_at(m, 0).free_pages, 0u);
  for (int i = 7; i > 0; --i) {
    give_back(m, pages[static_cast<std::size_t>(i)], 0);
    expect_sound(m);
  }
  EXPECT_EQ(free_counts(m), (std::vector<std::uint32_t>{1, 1, 1, 0}));
  give_back(m, pages[0], 0);
  EXPECT_EQ(free_counts(m), (std::vector<std::uint32_t>{0, 0, 0, 1}));
  ref::core::clear_log(m);
  EXPECT_EQ(m.arena, newborn.arena);  // byte for byte
}

//   [          8          ]      order 0, eight times: each split keeps the low part, so the pages
//   come in order
TEST_P(Buddy, single_pages_of_a_fresh_block_come_in_ascending_order) {
  Machine m = machine(8, 4);
  for (Pfn expected = 0; expected < 8; ++expected) EXPECT_EQ(*alloc(m, 0), expected);
  EXPECT_FALSE(alloc(m, 0));
}

//   zone   [0  1  2  3  4  5]     6 pages: blocks of 4 and 2
//   free 4-5 does not merge with 0-3, nor with 6-7, which no zone has
TEST_P(Buddy, no_block_reaches_beyond_the_end_of_its_zone) {
  Machine m = machine(6, 4);
  EXPECT_EQ(free_counts(m), (std::vector<std::uint32_t>{0, 1, 1, 0}));
  const auto four = alloc(m, 2);
  const auto two = alloc(m, 1);
  ASSERT_TRUE(four);
  ASSERT_TRUE(two);
  EXPECT_EQ(*two, 4u);
  give_back(m, *two, 1);
  give_back(m, *four, 2);
  EXPECT_EQ(free_counts(m), (std::vector<std::uint32_t>{0, 1, 1, 0}));
  expect_sound(m);
}

//   [U 0][F 1][  F 2-3  ]      0 is owned: freeing 2 merges with 3, and stops there
TEST_P(Buddy, a_merge_stops_at_an_owned_buddy) {
  Machine m = machine(4, 3);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(alloc(m, 0));
  give_back(m, 1, 0);
  give_back(m, 3, 0);
  give_back(m, 2, 0);
  EXPECT_EQ(free_counts(m), (std::vector<std::uint32_t>{1, 1, 0}));
  EXPECT_EQ(free_list(m, 1), std::vector<Pfn>{2});
  expect_sound(m);
}

//   [   4 to 7, order 2   ] freed again: named, and nothing changes
TEST_P(Buddy, a_double_free_is_named_and_changes_nothing) {
  Machine m = machine(16, 5);
  const auto pfn = alloc(m, 2);
  ASSERT_TRUE(pfn);
  give_back(m, *pfn, 2);
  ref::core::clear_log(m);
  const Machine before = m;
  give_back(m, *pfn, 2);
  EXPECT_EQ(m.globals().log.fault, Fault::double_free);
  EXPECT_EQ(m.globals().log.effect, Effect::none);
  ref::core::clear_log(m);
  EXPECT_EQ(m, before);
}

//   reserved 0-1   [R][R][2    3][4              7]     the block of 8 can never be whole
TEST_P(Buddy, reserved_pages_are_never_handed_out) {
  Config c;
  c.era = GetParam();
  c.orders = 4;
  c.pcp = false;
  c.add_zone(ZoneKind::normal, 8);
  c.reserved_count = 1;
  c.reserved[0] = {0, 1};
  Machine m(c);
  EXPECT_EQ(free_counts(m), (std::vector<std::uint32_t>{0, 1, 1, 0}));
  for (int i = 0; i < 6; ++i) {
    const auto pfn = alloc(m, 0);
    ASSERT_TRUE(pfn);
    EXPECT_GE(*pfn, 2u);
  }
  EXPECT_FALSE(alloc(m, 0));
  expect_sound(m);
}

//   DMA [0..15] empty   NORMAL [16..31] full of free pages: __GFP_DMA does not look there
TEST_P(Buddy, fallback_goes_down_and_never_up) {
  Config c;
  c.era = GetParam();
  c.pcp = false;
  c.add_zone(ZoneKind::dma, 16);
  c.add_zone(ZoneKind::normal, 16);
  c.add_zone(ZoneKind::highmem, 16);
  Machine m(c);
  const Gfp dma = ref::core::GFP_BIT_DMA;
  ASSERT_TRUE(alloc_pages(env, m, dma, 4));
  EXPECT_FALSE(alloc_pages(env, m, dma, 0));
  const Gfp high = gfp_of(GetParam(), "GFP_HIGHUSER") | ref::core::GFP_BIT_NORETRY;
  EXPECT_EQ(*alloc_pages(env, m, high, 4), 32u);  // HIGHMEM first
  EXPECT_EQ(*alloc_pages(env, m, high, 3), 16u);  // then NORMAL
  EXPECT_EQ(*alloc(m, 3), 24u);
  EXPECT_FALSE(alloc(m, 0));  // DMA is full too
  give_back(m, 0, 4);
  EXPECT_EQ(*alloc_pages(env, m, high, 0), 0u);  // and at last DMA
}

INSTANTIATE_TEST_SUITE_P(BothEras, Buddy, ::testing::Values(EraId::linux_2_6_11, EraId::linux_6_1),
                         [](const auto& which) {
                           return which.param == EraId::linux_2_6_11 ? "linux_2_6_11" : "linux_6_1";
                         });

}  // namespace
