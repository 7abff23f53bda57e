// Zonelists, watermarks and reserves, worked out by hand.
#include <gtest/gtest.h>

#include "props/buddy/reference_cases.hpp"

namespace props::buddy::by_hand {
namespace {

// Zonelists ----------------------------------------------------------------------------------

TEST(Watermarks, zones_are_asked_from_the_highest_allowed_downwards) {  // W-1
  for (const EraId era : eras) {
    Kernel k(three_zones(era));
    const Gfp noretry = GFP_BIT_NORETRY;
    EXPECT_EQ(k.ask(k.gfp("GFP_HIGHUSER") | noretry, 4), Pfn{32});
    EXPECT_EQ(k.ask(k.gfp("GFP_HIGHUSER") | noretry, 4), Pfn{16});
    EXPECT_EQ(k.ask(k.gfp("GFP_HIGHUSER") | noretry, 4), Pfn{0});
    EXPECT_EQ(k.ask(k.gfp("GFP_HIGHUSER") | noretry, 4).error(), Refused::no_memory);
    for (const Pfn pfn : {0u, 16u, 32u}) k.put(pfn, 4);
    EXPECT_EQ(k.ask(k.gfp("GFP_KERNEL") | noretry, 4), Pfn{16});
    EXPECT_EQ(k.ask(k.gfp("GFP_KERNEL") | noretry, 4), Pfn{0});
    EXPECT_EQ(k.ask(k.gfp("GFP_KERNEL") | noretry, 0).error(), Refused::no_memory);
    k.put(0, 4);
    EXPECT_EQ(k.ask(k.gfp("GFP_DMA") | noretry, 4), Pfn{0});
    EXPECT_EQ(k.ask(k.gfp("GFP_DMA") | noretry, 0).error(), Refused::no_memory);
    EXPECT_EQ(k.free_pages(2), 16u);
  }
}

TEST(Watermarks, the_node_of_the_caller_comes_first_with_all_its_zones) {  // W-1
  Config c = bare(new_era, 5);
  c.nodes = c.cpus = 2;
  c.add_zone(ZoneKind::dma, 16, 0);
  c.add_zone(ZoneKind::normal, 16, 0);
  c.add_zone(ZoneKind::normal, 16, 1);
  Kernel k(c);
  select_cpu(k.m, 1);
  const Gfp gfp = k.gfp("GFP_KERNEL") | GFP_BIT_NORETRY;
  for (const Pfn expected : {32u, 16u, 0u}) EXPECT_EQ(k.ask(gfp, 4), expected);
  for (const Pfn pfn : {0u, 16u, 32u}) k.put(pfn, 4);
  select_cpu(k.m, 0);
  for (const Pfn expected : {16u, 0u, 32u}) EXPECT_EQ(k.ask(gfp, 4), expected);
  k.put(32, 4);
  EXPECT_EQ(k.ask(gfp | GFP_BIT_THISNODE).error(), Refused::no_memory);
}

// The check ----------------------------------------------------------------------------------

//   81 free: the fast pass serves.  80 .. 65: the slow pass.  64: nobody.
TEST(Watermarks, the_fast_pass_keeps_the_low_mark_and_the_slow_pass_the_minimum) {  // W-2
  for (const EraId era : eras) {
    Kernel k(marked(era));
    k.take_until_free(81);
    bool slow = false;
    k.env.when = Point::buddy_alloc_fast_failed;
    k.env.act = [&] { slow = true; };
    const Gfp gfp = k.gfp("GFP_KERNEL") | GFP_BIT_NORETRY;
    EXPECT_TRUE(k.ask(gfp).has_value());
    EXPECT_FALSE(slow);
    EXPECT_TRUE(k.ask(gfp).has_value());
    EXPECT_TRUE(slow);
    EXPECT_EQ(floor_of(k, gfp), 64u);
  }
}

//   GFP_HIGH        64 - 32 = 32          cannot block as well   32 - 32 / 4 = 24
//   cannot block    64: nothing by itself
TEST(Watermarks, the_reserves_of_6_1) {  // W-3, W-15
  EXPECT_EQ(floor_of(new_era, "GFP_KERNEL", GFP_BIT_NORETRY), 64u);
  EXPECT_EQ(floor_of(new_era, "GFP_KERNEL", GFP_BIT_NORETRY | GFP_BIT_HIGH), 32u);
  EXPECT_EQ(floor_of(new_era, "GFP_ATOMIC"), 24u);
  EXPECT_EQ(floor_of(new_era, "GFP_ATOMIC", GFP_BIT_NOMEMALLOC), 32u);
  EXPECT_EQ(floor_of(new_era, "GFP_NOWAIT"), 64u);
  EXPECT_EQ(floor_of(new_era, "GFP_KERNEL", GFP_BIT_NORETRY, PF_REALTIME), 32u);
  EXPECT_EQ(floor_of(new_era, "GFP_NOWAIT", 0, PF_REALTIME), 64u);
  EXPECT_EQ(
      floor_of(new_era, "GFP_KERNEL", GFP_BIT_NORETRY, PF_REALTIME, ContextMove::softirq_enter),
      64u);
}

//   order 2 leaves free - 3 to compare: 68 - 3 > 64, 67 - 3 is not
TEST(Watermarks, a_block_must_leave_more_than_the_mark_counted_from_its_last_page) {  // W-3
  Kernel k(marked(new_era));
  k.take_until_free(68);
  Kernel less = k;
  EXPECT_TRUE(k.ask(k.gfp("GFP_NOWAIT"), 2).has_value());
  (void)less.ask(less.gfp("GFP_NOWAIT"));
  EXPECT_EQ(less.free_pages(), 67u);
  EXPECT_EQ(less.ask(less.gfp("GFP_NOWAIT"), 2).error(), Refused::no_memory);
}

// One page is free, and order 10 needs 1023 more: free goes far below zero, and stays there.
TEST(Watermarks, the_count_may_go_below_zero) {  // W-3
  for (const EraId era : eras) {
    Kernel k(bare_normal(era, 1024));
    k.take_until_free(1);
    const AllocFlags flags{.mark = mark_min};
    EXPECT_FALSE(zone_watermark_ok(k.m, 0, 10, ZoneKind::normal, flags));
    EXPECT_TRUE(zone_watermark_ok(k.m, 0, 0, ZoneKind::normal, flags));
  }
}

//   16 single pages free, no pair among them
TEST(Watermarks, a_high_order_needs_a_block_in_6_1) {  // W-4
  Kernel k(bare_normal(new_era, 64));
  k.take_until_free(0);
  for (Pfn pfn = 0; pfn < 32; pfn += 2) k.put(pfn);
  const AllocFlags flags{.mark = mark_min};
  EXPECT_TRUE(zone_watermark_ok(k.m, 0, 0, ZoneKind::normal, flags));
  EXPECT_FALSE(zone_watermark_ok(k.m, 0, 1, ZoneKind::normal, flags));
  k.put(33), k.put(32);  // one pair
  EXPECT_TRUE(zone_watermark_ok(k.m, 0, 1, ZoneKind::normal, flags));
  EXPECT_FALSE(zone_watermark_ok(k.m, 0, 2, ZoneKind::normal, flags));
}

//   64 pages, min 8. 16 single pages and four in a row are free; order 2, minimum mark:
//   6.1      20 - 3 = 17 > 8, and there is a block of four                           granted
//   2.6.11   17 > 8;  order 0: 17 - 16 = 1, min 4: 1 <= 4                            refused
TEST(Watermarks, small_blocks_do_not_count_for_a_high_order_in_2_6_11) {  // W-5
  for (const EraId era : eras) {
    Config c = bare_normal(era, 64);
    c.min_free_kbytes = 32;
    Kernel k(c);
    k.take_until_free(0);
    for (Pfn pfn = 0; pfn < 32; pfn += 2) k.put(pfn);
    for (Pfn pfn = 32; pfn < 36; ++pfn) k.put(pfn);
    const AllocFlags flags{.mark = mark_min};
    EXPECT_EQ(zone_watermark_ok(k.m, 0, 2, ZoneKind::normal, flags), era == new_era);
    EXPECT_EQ(k.ask(k.gfp("GFP_NOWAIT"), 2).has_value(), era == new_era);
    // Four more in a row: 24 - 3 - 16 = 5 > 4, then order 1: 5 > 2. Not more than 8, were it not
    // halved.
    for (Pfn pfn = 40; pfn < 44; ++pfn) k.put(pfn);
    EXPECT_TRUE(zone_watermark_ok(k.m, 0, 2, ZoneKind::normal, flags));
  }
}

//   __GFP_HIGH 64 - 32 = 32;  cannot wait, or realtime: 64 - 16 = 48;  both: 32 - 8 = 24
TEST(Watermarks, the_reserves_of_2_6_11) {  // W-6
  EXPECT_EQ(gfp_of(old_era, "GFP_ATOMIC"), GFP_BIT_HIGH);
  EXPECT_EQ(gfp_of(old_era, "GFP_NOWAIT"), 0u);
  const Gfp noretry = GFP_BIT_NORETRY;
  EXPECT_EQ(floor_of(old_era, "GFP_KERNEL", noretry), 64u);
  EXPECT_EQ(floor_of(old_era, "GFP_KERNEL", noretry | GFP_BIT_HIGH), 32u);
  EXPECT_EQ(floor_of(old_era, "GFP_NOWAIT"), 48u);
  EXPECT_EQ(floor_of(old_era, "GFP_ATOMIC"), 24u);
  EXPECT_EQ(floor_of(old_era, "GFP_KERNEL", noretry, PF_REALTIME), 48u);
  EXPECT_EQ(floor_of(old_era, "GFP_KERNEL", noretry | GFP_BIT_HIGH, PF_REALTIME), 24u);
  EXPECT_EQ(floor_of(old_era, "GFP_KERNEL", noretry, PF_REALTIME, ContextMove::irq_enter), 64u);
}

// Where every order 0 request is decided by the full check, the answers are these: no shortcut
// may let one more through.
TEST(Watermarks, single_pages_end_exactly_at_mark_and_reserve) {  // W-8
  for (const EraId era : eras) {
    Config c = bare(era);
    c.add_zone(ZoneKind::normal, 1024);
    c.add_zone(ZoneKind::highmem, 640);
    c.min_free_kbytes = 256;           // NORMAL: min 64
    c.lowmem_reserve_ratio = {0, 32};  // 640 / 32 = 20 kept from those who could go higher
    Kernel k(c);
    EXPECT_EQ(floor_of(k, k.gfp("GFP_HIGHUSER") | GFP_BIT_NORETRY), 64u + 20);
    EXPECT_EQ(k.free_pages(1), 32u);  // the minimum of HIGHMEM
    EXPECT_EQ(floor_of(k, k.gfp("GFP_KERNEL") | GFP_BIT_NORETRY), 64u);
  }
}

// Values -------------------------------------------------------------------------------------

using Reserve = std::array<std::uint32_t, zone_kinds>;

TEST(Watermarks, a_lower_zone_keeps_its_share_of_all_zones_above) {  // W-9
  for (const EraId era : eras) {
    Config c = bare(era);
    c.add_zone(ZoneKind::dma, 64);
    c.add_zone(ZoneKind::normal, 1024);
    c.add_zone(ZoneKind::highmem, 512);
    c.lowmem_reserve_ratio = {32, 16};
    Kernel k(c);
    EXPECT_EQ(zone_at(k.m, 0).lowmem_reserve, (Reserve{0, 32, 48}));  // 1024, 1536 / 32
    EXPECT_EQ(zone_at(k.m, 1).lowmem_reserve, (Reserve{0, 0, 32}));   // 512 / 16
    EXPECT_EQ(zone_at(k.m, 2).lowmem_reserve, (Reserve{0, 0, 0}));
    const Gfp noretry = GFP_BIT_NORETRY;
    (void)floor_of(k, k.gfp("GFP_HIGHUSER") | noretry);
    EXPECT_EQ(k.free_pages(0), 48u);
    EXPECT_EQ(k.free_pages(1), 32u);
    EXPECT_EQ(k.free_pages(2), 0u);
    EXPECT_EQ(floor_of(k, k.gfp("GFP_KERNEL") | noretry), 32u);
    EXPECT_EQ(floor_of(k, k.gfp("GFP_DMA") | noretry), 0u);
    set_lowmem_reserve_ratio(k.m, ZoneKind::dma, 0);
    set_lowmem_reserve_ratio(k.m, ZoneKind::normal, 1);
    EXPECT_EQ(zone_at(k.m, 0).lowmem_reserve, (Reserve{0, 0, 0}));
    EXPECT_EQ(zone_at(k.m, 1).lowmem_reserve, (Reserve{0, 0, 512}));
  }
}

// A zone without pages of its own reserves nothing; one that is missing does not end the sum.
TEST(Watermarks, empty_and_missing_zones_in_the_sum) {  // W-9
  for (const EraId era : eras) {
    Config c = bare(era);
    c.add_zone(ZoneKind::dma, 64);
    c.add_zone(ZoneKind::highmem, 512);
    c.lowmem_reserve_ratio = {32, 32};
    EXPECT_EQ(zone_at(Kernel(c).m, 0).lowmem_reserve, (Reserve{0, 0, 16}));
    c.reserved_count = 1;
    c.reserved[0] = {0, 63};
    EXPECT_EQ(zone_at(Kernel(c).m, 0).lowmem_reserve, (Reserve{0, 0, 0}));
  }
}

using Marks = std::array<std::uint32_t, mark_count>;

// 229376 pages below HIGHMEM are 917504 kB; the root of 16 times that is 3831: 957 pages.
//   DMA 957 * 4096 / 229376 = 17     NORMAL 957 * 225280 / 229376 = 939     HIGHMEM 32
//   2.6.11   low and high are 5/4 and 6/4 of min
//   6.1      the distance is max(min / 4, a thousandth): 4, 234, and in HIGHMEM 136 / 4 = 34
TEST(Watermarks, the_classic_machine) {  // W-9, W-10
  for (const EraId era : eras) {
    Config c;
    c.era = era;
    c.add_zone(ZoneKind::dma, 4096);
    c.add_zone(ZoneKind::normal, 225280);
    c.add_zone(ZoneKind::highmem, 32768);
    EXPECT_EQ(min_free_kbytes_of(c), 3831u);
    const Kernel k(c);
    const bool is_new = era == new_era;
    EXPECT_EQ(zone_at(k.m, 0).watermark, (Marks{17, 21, 25}));
    EXPECT_EQ(zone_at(k.m, 1).watermark,
              (is_new ? Marks{939, 1173, 1407} : Marks{939, 1173, 1408}));
    EXPECT_EQ(zone_at(k.m, 2).watermark, (is_new ? Marks{32, 66, 100} : Marks{32, 40, 48}));
    EXPECT_EQ(zone_at(k.m, 0).lowmem_reserve, (Reserve{0, 880, 1008}));  // / 256
    EXPECT_EQ(zone_at(k.m, 1).lowmem_reserve, (Reserve{0, 0, 1024}));    // / 32
  }
}

TEST(Watermarks, the_minimum_of_highmem_is_a_thousandth_from_32_to_128) {  // W-10
  for (const EraId era : eras) {
    for (const auto& [pages, min] : {std::pair{1024u, 32u}, {65536u, 64u}, {200000u, 128u}}) {
      Config c = bare(era);
      c.add_zone(ZoneKind::normal, 1024);
      c.add_zone(ZoneKind::highmem, pages);
      c.min_free_kbytes = 256;
      EXPECT_EQ(zone_at(Kernel(c).m, 1).watermark[mark_min], min);
    }
  }
}

// 2^18 pages of minimum times 2^17 pages of the zone are 2^35: more than 32 bits hold.
TEST(Watermarks, the_product_of_the_minimum_does_not_overflow) {  // W-10
  for (const EraId era : eras) {
    Config c = bare_normal(era, 131072);
    c.min_free_kbytes = 1u << 20;  // 2^18 pages
    EXPECT_EQ(zone_at(Kernel(c).m, 0).watermark[mark_min], 1u << 18);
  }
}

TEST(Watermarks, min_free_kbytes_is_clamped) {  // W-10
  Config c;
  c.page_bytes = 64;
  c.add_zone(ZoneKind::normal, 4096);  // 256 kB: root of 4096 is 64
  EXPECT_EQ(min_free_kbytes_of(c), 128u);
  c.page_bytes = 65536;
  c.zones[0].pages = 1u << 24;  // 2^30 kB: root of 2^34 is 2^17
  EXPECT_EQ(min_free_kbytes_of(c), 131072u);
  c.era = old_era;
  EXPECT_EQ(min_free_kbytes_of(c), 65536u);
}

TEST(Watermarks, a_new_min_free_kbytes_counts_at_once) {  // W-10
  for (const EraId era : eras) {
    Kernel k(marked(era));
    set_min_free_kbytes(k.m, 512);
    EXPECT_EQ(zone_at(k.m, 0).watermark, (Marks{128, 160, 192}));
    EXPECT_EQ(floor_of(k, k.gfp("GFP_KERNEL") | GFP_BIT_NORETRY), 128u);
    set_min_free_kbytes(k.m, 0);
    EXPECT_EQ(floor_of(k, k.gfp("GFP_KERNEL") | GFP_BIT_NORETRY), 0u);
  }
}

}  // namespace
}  // namespace props::buddy::by_hand
