// The free lists, worked out by hand: where blocks start, merge, split, and are counted.
#include <gtest/gtest.h>

#include "props/buddy/reference_cases.hpp"

namespace props::buddy::by_hand {
namespace {

// The largest block of all, and no larger: 11 lists, 1 << 10 pages.
TEST(BuddyLists, orders_run_from_0_to_10) {  // B-1
  for (const EraId era : eras) {
    Kernel k(bare_normal(era, 2048));
    EXPECT_EQ(k.free_list(10).size(), 2u);
    for (unsigned order = 0; order < 10; ++order) EXPECT_EQ(k.free_list(order), Frames{});
    (void)k.get(10);
    EXPECT_EQ(k.free_pages(), 1024u);
    EXPECT_EQ(k.ask(k.gfp("GFP_KERNEL"), 11).error(), Refused::no_memory);
  }
}

//   frame    2   3 | 4   5   6   7
//   6.1      [ 2  )|[4          8)     counted from frame 0
//   2.6.11   [2          6)[6    8)    counted from the zone's first frame
TEST(BuddyLists, a_crooked_zone_is_cut_from_frame_0_or_from_its_own_start) {  // B-2
  for (const EraId era : eras) {
    Config c = bare(era, 4);
    c.add_zone_at(ZoneKind::normal, 2, 6);
    const Kernel k(c);
    EXPECT_EQ(k.free_list(1), (era == new_era ? Frames{2} : Frames{6}));
    EXPECT_EQ(k.free_list(2), (era == new_era ? Frames{4} : Frames{2}));
  }
}

//   order 1: the buddy of 4 is 6 (not 2, although that is adjacent and free), the parent is 4.
TEST(BuddyLists, only_the_block_that_differs_in_one_bit_is_the_buddy) {  // B-3
  for (const EraId era : eras) {
    Kernel k(bare_normal(era, 8, 4));
    for (Pfn pfn = 0; pfn < 8; pfn += 2) EXPECT_EQ(k.get(1), pfn);
    k.put(2, 1), k.put(4, 1);
    EXPECT_EQ(k.free_list(1), (Frames{4, 2}));
    k.put(6, 1);
    EXPECT_EQ(k.free_list(1), Frames{2});
    EXPECT_EQ(k.free_list(2), Frames{4});
  }
}

TEST(BuddyLists, only_the_head_of_a_free_block_says_that_it_is_free) {  // B-4
  for (const EraId era : eras) {
    const Kernel k(bare_normal(era, 4, 3));
    EXPECT_EQ(k.record(0).kind, PageKind::free_head);
    EXPECT_EQ(k.record(0).order, 2u);
    EXPECT_EQ(k.record(0).refcount, 0u);
    constexpr Page inner{};
    for (Pfn pfn = 1; pfn < 4; ++pfn)
      EXPECT_EQ(std::memcmp(&k.record(pfn), &inner, sizeof inner), 0) << pfn;
  }
}

//   [U 0][F 1][U 2][F 3]   free 2: 3 is free, merge; 0 is used, stop.   free 0: 1, then 2.
TEST(BuddyLists, merging_goes_on_while_the_buddy_is_free_and_of_the_same_order) {  // B-5, B-6
  for (const EraId era : eras) {
    Kernel k(bare_normal(era, 4, 3));
    for (Pfn pfn = 0; pfn < 4; ++pfn) EXPECT_EQ(k.get(), pfn);
    k.put(1), k.put(3);
    EXPECT_EQ(area_at(k.m, 0, 0).count, 2u);
    k.put(2);
    EXPECT_EQ(k.free_list(0), Frames{1});
    EXPECT_EQ(k.free_list(1), Frames{2});
    k.put(0);
    EXPECT_EQ(k.free_list(2), Frames{0});
    EXPECT_EQ(area_at(k.m, 0, 0).count + area_at(k.m, 0, 1).count, 0u);
  }
}

//   DMA [0 1 2 3 4 5)   hole [6 7)   NORMAL [8 ...     the buddy of 4 at order 1 is in the hole.
TEST(BuddyLists, a_buddy_in_a_hole_is_never_asked) {  // B-7
  for (const EraId era : eras) {
    Config c = bare(era, 4);
    c.add_zone(ZoneKind::dma, 6);
    c.add_zone_at(ZoneKind::normal, 8, 8);
    Kernel k(c);
    const auto pfn = k.ask(k.gfp("GFP_DMA"), 2);
    EXPECT_EQ(pfn, Pfn{0});
    EXPECT_EQ(k.ask(k.gfp("GFP_DMA"), 1), Pfn{4});
    k.put(4, 1), k.put(0, 2);
    EXPECT_EQ(k.free_list(1), Frames{4});
    EXPECT_EQ(k.free_list(2), Frames{0});
  }
}

//   DMA [0 .. 5]  NORMAL [6 .. 15]: 4..5 and 6..7 are buddies, and stay apart.
TEST(BuddyLists, a_block_never_spans_two_zones) {  // B-8
  for (const EraId era : eras) {
    Config c = bare(era, 5);
    c.add_zone(ZoneKind::dma, 6);
    c.add_zone(ZoneKind::normal, 10);
    Kernel k(c);
    const Pfn a = *k.ask(k.gfp("GFP_DMA"), 1), b = k.get(1);
    k.put(a, 1), k.put(b, 1);
    EXPECT_EQ(k.free_list(1, 0), Frames{4});
    EXPECT_EQ(k.free_list(2, 0), Frames{0});
    // 6.1: 6..7, then 8..15. 2.6.11, counted from 6: 6..13, then 14..15.
    EXPECT_EQ(k.free_list(1, 1), era == new_era ? Frames{6} : Frames{14});
    EXPECT_EQ(k.free_list(3, 1), era == new_era ? Frames{8} : Frames{6});
  }
}

//   take order 0 of [0 .. 1024): 512, 256, .. 1 go back, so the next seven requests ascend.
TEST(BuddyLists, a_fresh_block_is_handed_out_from_its_lowest_frame_upwards) {  // B-10
  for (const EraId era : eras) {
    Kernel k(bare_normal(era, 1024));
    EXPECT_EQ(k.get(), 0u);
    for (unsigned order = 0; order < 10; ++order)
      EXPECT_EQ(k.free_list(order), Frames{Pfn{1} << order});
    for (Pfn expected = 1; expected < 8; ++expected) EXPECT_EQ(k.get(), expected);
  }
}

// The smallest list that can serve is asked first, and its head goes out.
TEST(BuddyLists, the_head_of_the_smallest_sufficient_list_is_taken) {  // B-10
  for (const EraId era : eras) {
    Kernel k(bare_normal(era, 32, 6));
    for (Pfn pfn = 0; pfn < 32; pfn += 4) EXPECT_EQ(k.get(2), pfn);
    k.put(8, 2), k.put(16, 2), k.put(0, 2), k.put(4, 2);  // 0 and 4 make an order 3
    EXPECT_EQ(k.free_list(2), (Frames{16, 8}));
    EXPECT_EQ(k.get(1), 16u);
    EXPECT_EQ(k.free_list(2), Frames{8});
    EXPECT_EQ(k.free_list(3), Frames{0});
  }
}

//   [0 free][1 used][2 .. 4) free][4 .. 6) free][6 back][7 used]
//   6 cannot merge, but its pair's buddy 4..5 is free, so its next merge is likely: 6.1 keeps it
//   from being handed out soon.
TEST(BuddyLists, a_block_whose_next_merge_is_likely_goes_to_the_tail_in_6_1) {  // B-11
  for (const EraId era : eras) {
    Kernel k(bare_normal(era, 8, 5));
    for (Pfn pfn = 0; pfn < 8; ++pfn) EXPECT_EQ(k.get(), pfn);
    for (const Pfn pfn : {2u, 3u, 4u, 5u, 0u, 6u}) k.put(pfn);
    EXPECT_EQ(k.free_list(0), (era == new_era ? Frames{0, 6} : Frames{6, 0}));
  }
}

TEST(BuddyLists, pages_left_over_by_an_exact_request_go_to_the_tail) {  // B-11, FPI_TO_TAIL
  for (const EraId era : eras) {
    Kernel k(bare_normal(era, 64));
    EXPECT_EQ(k.get(), 0u);  // 1 is free now
    const auto address = alloc_pages_exact(k.env, k.m, 5 * 4096, k.gfp("GFP_KERNEL"));
    EXPECT_EQ(virt_to_pfn(k.m, address.value_or(Address::null)), Pfn{8});
    EXPECT_EQ(k.free_list(0), (Frames{1, 13}));  // 13 is alone; 14 and 15 found each other
    EXPECT_EQ(k.free_list(1), (Frames{2, 14}));
  }
}

// The pages of a boot go to the tail in 6.1 (__free_pages_core), so the lowest block is the first.
TEST(BuddyLists, a_newborn_6_1_machine_hands_out_its_lowest_block_first) {  // B-11, B-40
  Kernel k(bare_normal(new_era, 16, 3));
  EXPECT_EQ(k.free_list(2), (Frames{0, 4, 8, 12}));
  EXPECT_EQ(k.get(), 0u);
}

TEST(BuddyLists, free_pages_counts_the_free_lists_and_nothing_else) {  // B-14, B-15
  for (const EraId era : eras) {
    Config c = bare_normal(era, 1024);
    c.pcp = true;
    c.reserved_count = 1;
    c.reserved[0] = {1000, 1009};
    Kernel k(c);
    EXPECT_EQ(zone_at(k.m, 0).managed, 1014u);
    EXPECT_EQ(k.free_pages(), 1014u);
    const Pfn page = k.get(), block = k.get(4);
    const std::uint64_t parked = k.pcp().count[0];
    EXPECT_EQ(k.free_pages(), 1014u - 1 - 16 - parked);
    k.put(page);  // parked, and so not counted
    EXPECT_EQ(k.pcp().count[0], parked + 1);
    EXPECT_EQ(k.free_pages(), 1014u - 16 - (parked + 1));
    k.put(block, 4);
    k.drain();
    EXPECT_EQ(k.free_pages(), 1014u);
  }
}

TEST(BuddyLists, reserved_frames_are_referenced_and_on_no_list) {  // B-40
  for (const EraId era : eras) {
    Config c = bare_normal(era, 16, 5);
    c.reserved_count = 1;
    c.reserved[0] = {3, 4};
    Kernel k(c);
    EXPECT_EQ(k.record(3).kind, PageKind::reserved);
    EXPECT_EQ(page_count(k.m, 3), 1u);
    EXPECT_EQ(page_count(k.m, 5), 0u);
    EXPECT_EQ(k.free_list(3), Frames{8});
    k.put(3);
    const Log log = k.log();
    EXPECT_EQ(log.fault, Fault::free_of_reserved);
    EXPECT_EQ(log.effect, Effect::none);
    EXPECT_EQ(k.free_pages(), 14u);
  }
}

// The per-CPU lists are empty after boot: pages were freed past them.
TEST(BuddyLists, boot_frees_past_the_per_cpu_lists) {  // B-40
  for (const EraId era : eras) {
    Config c = bare_normal(era, 1024);
    c.pcp = true;
    const Kernel k(c);
    EXPECT_EQ(k.pcp().count[0] + k.pcp().count[1], 0u);
    EXPECT_EQ(k.free_list(10), Frames{0});
  }
}

// /proc --------------------------------------------------------------------------------------

// A page parked on a per-CPU list (here frame 1024) is not seen.
TEST(ProcText, buddyinfo_is_one_line_for_each_zone) {  // BI-1
  for (const EraId era : eras) {
    Config c = bare(era);
    c.pcp = true;
    c.add_zone(ZoneKind::dma, 16);
    c.add_zone_at(ZoneKind::normal, 1024, 1024);
    c.add_zone_at(ZoneKind::highmem, 2048, 3);
    Kernel k(c);
    k.put(k.get());
    EXPECT_EQ(buddyinfo(k.m),
              "Node 0, zone      DMA "
              "     0      0      0      0      1      0      0      0      0      0      0 \n"
              "Node 0, zone   Normal "
              "     1      1      1      1      1      1      1      1      1      1      0 \n"
              "Node 0, zone  HighMem "
              "     1      1      0      0      0      0      0      0      0      0      0 \n");
  }
}

TEST(ProcText, zoneinfo_shows_marks_sizes_reserves_and_per_cpu_lists) {
  const std::string head =
      "Node 0, zone   Normal\n"
      "  pages free     1023\n"
      "        boost    0\n"
      "        min      64\n"
      "        low      80\n"
      "        high     96\n"
      "        spanned  1024\n"
      "        present  1024\n"
      "        managed  1024\n"
      "        cma      0\n"
      "        protection: (0, 0, 0)\n"
      "      nr_free_pages 1023\n"
      "  pagesets\n";
  const std::string by_order =
      "    cpu: 0\n"
      "              count: 1\n"
      "              high:  80\n"
      "              batch: 1\n";
  const std::string hot_and_cold =
      "    cpu: 0 pcp: 0\n"
      "              count: 1\n"
      "              low:   2\n"
      "              high:  6\n"
      "              batch: 1\n"
      "    cpu: 0 pcp: 1\n"
      "              count: 0\n"
      "              low:   0\n"
      "              high:  2\n"
      "              batch: 1\n";
  for (const EraId era : eras) {
    Config c = marked(era);
    c.pcp = true;
    Kernel k(c);
    k.put(k.get());
    EXPECT_EQ(zoneinfo(k.m),
              head + (era == new_era ? by_order : hot_and_cold) + "  start_pfn:           0\n");
  }
}

}  // namespace
}  // namespace props::buddy::by_hand
