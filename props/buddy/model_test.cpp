// The model's lists against hand-computed cases: what the sentences say, worked out on paper.
#include <gtest/gtest.h>

#include "props/buddy/model_cases.hpp"

namespace props::buddy {
namespace {

using namespace cases;

// Free lists ---------------------------------------------------------------------------------

TEST(Model, AFreshBlockIsHandedOutFromItsLowestFrameUpwards) {
  for (const EraId era : eras) {
    Model m(bare_normal(era, 1024));
    EXPECT_EQ(list(m, 0, 10), Frames{0});
    for (Pfn expected = 0; expected < 8; ++expected) EXPECT_EQ(get(m), expected);
  }
}

TEST(Model, ASplitLeavesOneUpperHalfOnEachSmallerList) {
  for (const EraId era : eras) {
    Model m(bare_normal(era, 16, 4));
    // At boot the blocks come in address order: to the head in 2.6.11, to the tail in 6.1.
    const bool old = era == EraId::linux_2_6_11;
    const Pfn first = old ? 8 : 0, second = old ? 0 : 8;
    EXPECT_EQ(list(m, 0, 3), (Frames{first, second}));
    EXPECT_EQ(get(m), first);
    EXPECT_EQ(list(m, 0, 3), Frames{second});
    EXPECT_EQ(list(m, 0, 2), Frames{first + 4});
    EXPECT_EQ(list(m, 0, 1), Frames{first + 2});
    EXPECT_EQ(list(m, 0, 0), Frames{first + 1});
    EXPECT_EQ(get(m, 2), first + 4);
    EXPECT_EQ(get(m, 2), second);
    EXPECT_EQ(list(m, 0, 2), Frames{second + 4});
  }
}

// Frames 0 and 2..5 are free, 1, 6 and 7 are not, 8..15 are one block; then 6 comes back.
Frames singles_after_freeing_six(EraId era, std::uint32_t orders) {
  Model m(bare_normal(era, 16, orders));
  const Pfn base = get(m, 3);
  for (Pfn i : {2u, 3u}) put(m, base + i);
  put(m, base + 0);
  put(m, base + 4, 1);
  put(m, base + 6);
  Frames singles = list(m, 0, 0);
  for (Pfn& pfn : singles) pfn -= base;
  return singles;
}

TEST(Model, AFreedBlockWhoseNextMergeIsLikelyGoesToTheTailInTheNewEraOnly) {
  // The pair of 6 is 6..7; its buddy 4..5 is free at order 1, so 6 is likely to merge soon.
  EXPECT_EQ(singles_after_freeing_six(EraId::linux_6_1, 5), (Frames{0, 6}));
  EXPECT_EQ(singles_after_freeing_six(EraId::linux_2_6_11, 5), (Frames{6, 0}));
}

TEST(Model, ABlockOneBelowTheLargestOrderGoesToTheHead) {
  // With orders 0 to 2, an order-1 block never looks further: order >= MAX_ORDER - 2.
  Model m(bare_normal(EraId::linux_6_1, 16, 3));
  EXPECT_EQ(list(m, 0, 2), (Frames{0, 4, 8, 12}));
  for (Pfn expected : {0u, 2u, 4u, 6u, 8u, 10u}) EXPECT_EQ(get(m, 1), expected);
  put(m, 0, 1);
  put(m, 10, 1);  // its pair 8..11 has a free buddy 12..15, but could not merge with it
  EXPECT_EQ(list(m, 0, 1), (Frames{10, 0}));
}

TEST(Model, TheLikelyMergeIsLookedUpInTheZoneOfThePairsFirstFrame) {
  // DMA 0..6, NORMAL 7..15. Frame 7 alone is in NORMAL, its pair 6..7 begins in DMA, where the
  // pair's buddy 4..5 is free: the kernel calls the merge likely, although it can never happen.
  Config c = bare(EraId::linux_6_1, 5);
  c.add_zone(ZoneKind::dma, 7);
  c.add_zone(ZoneKind::normal, 9);
  Model m(c);
  EXPECT_EQ(list(m, 0, 1), Frames{4});
  for (Pfn expected : {7u, 8u, 9u, 10u}) EXPECT_EQ(get(m), expected);
  put(m, 7);
  EXPECT_EQ(list(m, 1, 0), (Frames{11, 7}));
}

TEST(Model, MergingStopsAtTheEndOfAZone) {
  Config c = bare(EraId::linux_6_1, 5);
  c.add_zone(ZoneKind::dma, 6);
  c.add_zone(ZoneKind::normal, 10);
  const Model m(c);
  EXPECT_EQ(list(m, 0, 2), Frames{0});
  EXPECT_EQ(list(m, 0, 1), Frames{4});
  EXPECT_EQ(list(m, 1, 1), Frames{6});
  EXPECT_EQ(list(m, 1, 3), Frames{8});
}

TEST(Model, BlocksAreAlignedToTheZoneInTheOldEraAndToFrameZeroInTheNew) {
  Config c = bare(EraId::linux_2_6_11, 4);
  c.add_zone_at(ZoneKind::normal, 2, 6);
  EXPECT_EQ(list(Model(c), 0, 2), Frames{2});
  EXPECT_EQ(list(Model(c), 0, 1), Frames{6});
  c.era = EraId::linux_6_1;
  EXPECT_EQ(list(Model(c), 0, 1), Frames{2});
  EXPECT_EQ(list(Model(c), 0, 2), Frames{4});
}

TEST(Model, ReservedFramesAreOnNoList) {
  Config c = bare_normal(EraId::linux_6_1, 16, 5);
  c.reserved_count = 1;
  c.reserved[0] = {3, 4};
  const Model m(c);
  EXPECT_EQ(m.free_pages(0), 14u);
  EXPECT_EQ(list(m, 0, 0), (Frames{2, 5}));
  EXPECT_EQ(list(m, 0, 1), (Frames{0, 6}));  // the buddy of 6 at order 1 is the reserved 4
  EXPECT_EQ(list(m, 0, 3), Frames{8});
}

TEST(Model, AnExactRequestGivesTheRestBackToTheTail) {
  Model m(bare_normal(EraId::linux_6_1, 64));
  const Pfn hole = get(m);
  EXPECT_EQ(hole, 0u);
  const Prediction p = m.alloc_exact(task, gfp(m, "GFP_KERNEL") | GFP_BIT_COMP, 5 * 4096);
  EXPECT_EQ(p, (Prediction{Outcome::granted, 8, false}));
  // 13 is alone; 14 and 15 find each other.
  EXPECT_EQ(list(m, 0, 0), (Frames{1, 13}));
  EXPECT_EQ(list(m, 0, 1), (Frames{2, 14}));
  EXPECT_EQ(m.free_pages(0), 64u - 1 - 5);
  EXPECT_EQ(m.alloc_exact(task, gfp(m, "GFP_KERNEL"), 0).outcome, Outcome::no_memory);
}

// Per-CPU lists ------------------------------------------------------------------------------

TEST(Model, TheHotListIsRefilledAtLowAndFlushedAtHigh) {
  Config c = bare_normal(EraId::linux_2_6_11, 64);
  c.pcp = true;  // batch 1: hot low 2, high 6
  Model m(c);
  for (Pfn expected = 0; expected < 7; ++expected) EXPECT_EQ(get(m), expected);
  EXPECT_EQ(m.pcp_list(0, 0, 0), Frames{});
  put(m, 0), put(m, 1);
  EXPECT_EQ(m.pcp_list(0, 0, 0), (Frames{1, 0}));
  EXPECT_EQ(get(m), 1u);  // count 2 <= low 2: one page comes in at the tail first
  EXPECT_EQ(m.pcp_list(0, 0, 0), (Frames{0, 7}));
  for (Pfn pfn = 1; pfn < 5; ++pfn) put(m, pfn);
  EXPECT_EQ(m.pcp_list(0, 0, 0), (Frames{4, 3, 2, 1, 0, 7}));
  put(m, 5);  // count 6 >= high 6: a batch leaves from the tail, then 5 comes in
  EXPECT_EQ(m.pcp_list(0, 0, 0), (Frames{5, 4, 3, 2, 1, 0}));
  EXPECT_EQ(list(m, 0, 0), Frames{7});
}

TEST(Model, TheColdListOfTheOldEraKeepsTwoBatches) {
  Config c = bare_normal(EraId::linux_2_6_11, 64);
  c.pcp = true;
  Model m(c);
  for (int i = 0; i < 4; ++i) get(m);
  for (Pfn pfn = 0; pfn < 3; ++pfn) m.free_block(task, pfn, 0, true);
  EXPECT_EQ(m.pcp_list(0, 0, 1), (Frames{2, 1}));
  const Gfp cold = gfp(m, "GFP_KERNEL") | GFP_BIT_COLD;
  EXPECT_EQ(m.alloc_pages(task, cold, 0).pfn, 2u);
  m.drain_all();
  EXPECT_EQ(m.pcp_list(0, 0, 1), Frames{});
  EXPECT_EQ(m.free_pages(0), 62u);
}

// 16384 pages: a quarter of 16 is 4, 4 + 2 = 6, rounded down to 4, less one: batch 3, high 12.
Config three_batches() {
  Config c = bare_normal(EraId::linux_6_1, 16384);
  c.pcp = true;
  return c;
}

TEST(Model, FreeingWithoutAllocatingDoublesTheFlushUpToTheLimit) {
  Model m(three_batches());
  EXPECT_EQ(m.pcp_limits(0).batch, 3u);
  EXPECT_EQ(m.pcp_limits(0).high[0], 12u);
  const Pfn base = get(m);
  for (int i = 1; i < 30; ++i) EXPECT_EQ(get(m), base + static_cast<Pfn>(i));
  auto free_until_full = [&, next = base](unsigned pages) mutable {
    while (pages-- > 0) put(m, next++);
    return m.pcp_count(0, 0, 0);
  };
  EXPECT_EQ(free_until_full(11), 11u);
  EXPECT_EQ(free_until_full(1), 12u - 3);
  EXPECT_EQ(m.free_factor(0, 0), 1u);
  EXPECT_EQ(free_until_full(3), 12u - 6);
  EXPECT_EQ(m.free_factor(0, 0), 2u);
  EXPECT_EQ(free_until_full(6), 12u - 9);  // 3 << 2 is clamped to high - batch
  EXPECT_EQ(m.free_factor(0, 0), 2u);
  get(m);
  EXPECT_EQ(m.free_factor(0, 0), 1u);
}

TEST(Model, AHighOrderFreeAfterAFlushEmptiesEveryList) {
  Model m(three_batches());
  const Pfn pair = get(m, 1);
  EXPECT_EQ(m.pcp_list(0, 0, 1), Frames{pair + 2});  // max(3 >> 1, 2) blocks came in, one left
  Frames pages;
  for (int i = 0; i < 12; ++i) pages.push_back(get(m));
  for (const Pfn pfn : pages) put(m, pfn);
  EXPECT_EQ(m.free_factor(0, 0), 1u);  // 10 pages and the pair made 12
  put(m, pair, 1);
  for (unsigned order = 0; order < 4; ++order) EXPECT_EQ(m.pcp_list(0, 0, order), Frames{});
  EXPECT_EQ(m.free_pages(0), 16384u);
}

TEST(Model, AFlushBeginsWithTheListJustUsed) {
  Model m(three_batches());
  const Pfn a = get(m, 1), b = get(m, 1);
  Frames pages;
  for (int i = 0; i < 9; ++i) pages.push_back(get(m));
  for (int i = 0; i < 8; ++i) put(m, pages[static_cast<std::size_t>(i)]);
  put(m, a, 1);
  EXPECT_EQ(m.pcp_count(0, 0, 0) + m.pcp_count(0, 0, 1), 10u);
  put(m, b, 1);  // 12 pages: three must go, and pairs go whole
  EXPECT_EQ(m.pcp_list(0, 0, 1), Frames{});
  EXPECT_EQ(m.pcp_count(0, 0, 0), 8u);
}

TEST(Model, ActiveReclaimLowersTheLimitToFourBatches) {
  Config c = three_batches();
  c.min_free_kbytes = 4096;  // min 1024, low 1280: high = 1280
  Model m(c);
  EXPECT_EQ(m.pcp_limits(0).high[0], 1280u);
  Frames pages;
  for (int i = 0; i < 24; ++i) pages.push_back(get(m));
  for (int i = 0; i < 12; ++i) put(m, pages[static_cast<std::size_t>(i)]);
  EXPECT_EQ(m.pcp_count(0, 0, 0), 12u);
  m.set_reclaim_active(0, true);
  put(m, pages[12]);  // 13 >= min(12, 1280): three leave
  EXPECT_EQ(m.pcp_count(0, 0, 0), 10u);
}

}  // namespace
}  // namespace props::buddy
