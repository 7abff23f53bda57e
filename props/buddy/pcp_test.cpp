// The per-CPU lists of both eras, worked out by hand.
#include <gtest/gtest.h>

#include "props/buddy/reference_cases.hpp"

namespace props::buddy::by_hand {
namespace {

Config with_lists(EraId era, std::uint32_t pages) {
  Config c = bare_normal(era, pages);
  c.pcp = true;
  return c;
}

// 6.1, 16384 pages: 16 / 4 = 4; 4 + 2 = 6, rounded down to 4, less one: batch 3, high 12.
Config three_batches() { return with_lists(new_era, 16384); }

// So many single pages; ascending, because a fresh block is split from its lowest frame.
Frames get_singles(Kernel& k, std::size_t count) {
  Frames pages;
  while (pages.size() < count) pages.push_back(k.get());
  return pages;
}

void put_all(Kernel& k, const Frames& pages, std::size_t first, std::size_t count) {
  for (std::size_t i = first; i < first + count; ++i) k.put(pages[i]);
}

// linux-6.1 ----------------------------------------------------------------------------------

TEST(PerCpuLists, orders_0_to_3_have_lists_that_count_base_pages) {  // P-1
  Kernel k(three_batches());
  for (unsigned order = 0; order < 4; ++order) {
    const Pfn pfn = k.get(order);
    k.put(pfn, order);
    EXPECT_EQ(k.pcp_list(order).front(), pfn);
  }
  // Some were flushed on the way, from the lists' other ends; what is left is counted in pages.
  std::uint32_t pages = 0;
  for (unsigned order = 0; order < 4; ++order)
    pages += static_cast<std::uint32_t>(k.pcp_list(order).size()) << order;
  EXPECT_EQ(k.pcp().count[0], pages);
  const std::uint64_t free = k.free_pages();
  const Pfn large = k.get(4);
  EXPECT_EQ(k.free_pages(), free - 16);
  k.put(large, 4);
  EXPECT_EQ(k.free_pages(), free);
}

//   order     0   1   2   3      blocks of a refill: max(3 >> order, 2)
//   blocks    3   2   2   2
TEST(PerCpuLists, an_empty_list_is_refilled_and_its_head_goes_out) {  // P-2
  constexpr std::array<std::uint32_t, 4> blocks{3, 2, 2, 2};
  for (unsigned order = 0; order < 4; ++order) {
    Kernel k(three_batches());
    const Pfn first = k.get(order), size = Pfn{1} << order;
    Frames rest;
    for (Pfn i = 1; i < blocks[order]; ++i) rest.push_back(first + i * size);
    EXPECT_EQ(k.pcp_list(order), rest) << order;
    EXPECT_EQ(k.pcp().count[0], (blocks[order] - 1) << order);
    EXPECT_EQ(k.get(order), first + size);  // no refill while there is one
  }
}

TEST(PerCpuLists, a_batch_of_one_is_refilled_one_by_one) {  // P-2
  Kernel k(with_lists(new_era, 1024));
  for (unsigned order = 0; order < 4; ++order) {
    (void)k.get(order);
    EXPECT_EQ(k.pcp_list(order), Frames{}) << order;
  }
}

TEST(PerCpuLists, the_page_freed_last_is_handed_out_first) {  // P-3
  for (const EraId era : eras) {
    Kernel k(with_lists(era, 16384));
    const Frames pages = get_singles(k, 4);
    put_all(k, pages, 0, 3);
    for (const std::size_t i : {2u, 1u, 0u}) EXPECT_EQ(k.get(), pages[i]);
  }
}

//   count 12: 3 go; then 3 more make 12: 6 go; then 6 more: 12 would, but a batch must stay: 9 go
TEST(PerCpuLists, freeing_without_allocating_doubles_what_is_flushed) {  // P-2, P-4
  Kernel k(three_batches());
  const Frames pages = get_singles(k, 30);
  EXPECT_EQ(k.pcp().count[0], 0u);
  put_all(k, pages, 0, 11);
  EXPECT_EQ(k.pcp().count[0], 11u);
  k.put(pages[11]);
  EXPECT_EQ(k.pcp().count[0], 9u);
  EXPECT_EQ(k.pcp().free_factor, 1u);
  EXPECT_EQ(k.pcp_list(0).back(), pages[3]);  // the coldest went
  put_all(k, pages, 12, 3);
  EXPECT_EQ(k.pcp().count[0], 6u);
  EXPECT_EQ(k.pcp().free_factor, 2u);
  put_all(k, pages, 15, 6);
  EXPECT_EQ(k.pcp().count[0], 3u);
  EXPECT_EQ(k.pcp().free_factor, 2u);
  (void)k.get();
  EXPECT_EQ(k.pcp().free_factor, 1u);
  (void)k.get();
  EXPECT_EQ(k.pcp().free_factor, 0u);
}

// min_free_kbytes 4096: min 1024, low 1280, so high is 1280: flushes of 3, 6, .. 96, and no more.
TEST(PerCpuLists, a_flush_is_doubled_five_times_at_most) {  // P-4
  Config c = three_batches();
  c.min_free_kbytes = 4096;
  Kernel k(c);
  EXPECT_EQ(k.pcp().high[0], 1280u);
  const Frames pages = get_singles(k, 2001);  // 667 refills of 3: the list is empty
  EXPECT_EQ(k.pcp().count[0], 0u);
  std::size_t next = 1279;
  put_all(k, pages, 0, next);
  std::uint32_t to_high = 1;
  for (const std::uint32_t flushed : {3u, 6u, 12u, 24u, 48u, 96u, 96u}) {
    put_all(k, pages, next, to_high);
    EXPECT_EQ(k.pcp().count[0], 1280 - flushed);
    next += to_high, to_high = flushed;
  }
  EXPECT_EQ(k.pcp().free_factor, 5u);
}

TEST(PerCpuLists, a_high_order_free_after_a_flush_empties_every_list) {  // P-4
  Kernel k(three_batches());
  const Pfn pair = k.get(1);
  const Frames pages = get_singles(k, 12);
  put_all(k, pages, 0, 10);  // with the other pair of the refill: 12, so 3 went
  EXPECT_EQ(k.pcp().free_factor, 1u);
  k.put(pair, 1);
  for (unsigned order = 0; order < 4; ++order) EXPECT_EQ(k.pcp_list(order), Frames{});
  EXPECT_EQ(k.pcp().count[0], 0u);
}

//   10 single pages and then a pair: 3 of 12 must go. The pair goes first, then the lists of order
//   2 and 3, which are empty, and then the coldest single page.
TEST(PerCpuLists, a_flush_begins_with_the_list_just_used_and_goes_round) {  // P-4
  Kernel k(three_batches());
  const Pfn pair = k.get(1);
  (void)k.get(1);
  const Frames pages = get_singles(k, 12);
  put_all(k, pages, 0, 10);
  EXPECT_EQ(k.pcp().count[0], 10u);
  k.put(pair, 1);
  EXPECT_EQ(k.pcp_list(1), Frames{});
  EXPECT_EQ(k.pcp_list(0).size(), 9u);
  EXPECT_EQ(k.pcp_list(0).back(), pages[1]);
  EXPECT_EQ(k.pcp().count[0], 9u);
}

//   Beside it a block of four: it is the next in the round, and goes before any single page.
TEST(PerCpuLists, a_flush_goes_on_with_the_next_higher_order) {  // P-4
  Kernel k(three_batches());
  const Pfn pair = k.get(1), four = k.get(2);
  (void)k.get(1), (void)k.get(2);
  const Frames pages = get_singles(k, 6);
  k.put(four, 2);
  put_all(k, pages, 0, 6);
  k.put(pair, 1);
  EXPECT_EQ(k.pcp_list(1), Frames{});
  EXPECT_EQ(k.pcp_list(2), Frames{});
  EXPECT_EQ(k.pcp().count[0], 6u);
}

//   8 single pages and two pairs: 3 must go, and pairs go whole, so 4 do.
TEST(PerCpuLists, blocks_are_flushed_whole) {  // P-4
  Kernel k(three_batches());
  const Pfn a = k.get(1), b = k.get(1);
  const Frames pages = get_singles(k, 9);
  put_all(k, pages, 0, 8);
  k.put(a, 1), k.put(b, 1);
  EXPECT_EQ(k.pcp_list(1), Frames{});
  EXPECT_EQ(k.pcp().count[0], 8u);
}

TEST(PerCpuLists, active_reclaim_limits_the_lists_to_four_batches) {  // P-5
  Config c = three_batches();
  c.min_free_kbytes = 4096;
  Kernel k(c);
  const Frames pages = get_singles(k, 24);
  put_all(k, pages, 0, 12);
  EXPECT_EQ(k.pcp().count[0], 12u);  // of 1280
  set_reclaim_active(k.m, 0, true);
  k.put(pages[12]);
  EXPECT_EQ(k.pcp().count[0], 10u);  // 13 >= 12, so 3 left
  set_reclaim_active(k.m, 0, false);
  put_all(k, pages, 13, 5);
  EXPECT_EQ(k.pcp().count[0], 15u);
}

// An interrupt that finds this CPU's lists held goes past them, both ways.
TEST(PerCpuLists, whoever_finds_the_lists_held_uses_the_free_lists) {  // P-6
  Kernel k(three_batches());
  const Pfn mine = k.get();
  k.env.when = Point::buddy_pcp_locked;
  k.env.act = [&] {
    const Frames parked = k.pcp_list(0);
    const std::uint64_t free = k.free_pages();
    k.put(mine);
    EXPECT_EQ(k.free_pages(), free + 1);
    const auto taken = k.ask(k.gfp("GFP_ATOMIC"));
    EXPECT_EQ(taken, mine);  // the only single page on the free lists
    EXPECT_EQ(k.pcp_list(0), parked);
  };
  (void)k.get();
  EXPECT_FALSE(k.env.act);
  EXPECT_EQ(k.fault(), Fault::none);
}

TEST(PerCpuLists, batch_and_high_follow_the_size_of_the_zone) {  // P-7
  struct Case {
    std::uint32_t pages, batch;
  };
  for (const Case& c : {Case{1024, 1},      // 1 / 4 = 0, at least 1; 1 - 1 = 0, at least 1
                        Case{8192, 1},      // 8 / 4 = 2; 3 -> 2, less one
                        Case{16384, 3},     // 4; 6 -> 4
                        Case{24576, 7},     // 6; 9 -> 8
                        Case{65536, 15},    // 16; 24 -> 16
                        Case{262144, 63},   // 64; 96 -> 64
                        Case{524288, 63}})  // 1 MiB worth of pages at most: 256 / 4
  {
    const Kernel k(with_lists(new_era, c.pages));
    EXPECT_EQ(k.pcp().batch, c.batch) << c.pages;
    EXPECT_EQ(k.pcp().high[0], 4 * c.batch) << c.pages;  // without marks
  }
}

// Reserved pages do not count: 16384 - 8192 managed give the batch of 8192.
TEST(PerCpuLists, the_batch_of_6_1_counts_managed_pages) {  // P-7
  Config c = three_batches();
  c.reserved_count = 1;
  c.reserved[0] = {0, 8191};
  EXPECT_EQ(Kernel(c).pcp().batch, 1u);
}

TEST(PerCpuLists, the_low_mark_is_shared_by_the_cpus) {  // P-7
  Config c = three_batches();
  c.min_free_kbytes = 4096;  // low 1280
  c.cpus = 4;
  Kernel k(c);
  EXPECT_EQ(k.pcp(3).high[0], 320u);
  set_min_free_kbytes(k.m, 0);
  EXPECT_EQ(k.pcp(3).high[0], 12u);
}

// Both eras ----------------------------------------------------------------------------------

//   frames 0 .. 7 are freed in order, until the first is flushed; its buddy 1 is still parked
TEST(PerCpuLists, a_parked_page_is_no_buddy_until_it_is_drained) {  // P-8
  for (const EraId era : eras) {
    Kernel k(with_lists(era, 64));
    const Frames pages = get_singles(k, 8);
    EXPECT_EQ(k.free_pages(), 56u);
    std::size_t next = 0;
    while (k.free_pages() == 56 && next < pages.size()) k.put(pages[next++]);
    EXPECT_EQ(next, era == new_era ? 4u : 7u);
    EXPECT_EQ(k.free_list(0), Frames{pages[0]});
    const Page& parked = k.record(pages[1]);
    EXPECT_EQ(parked.kind, PageKind::pcp_head);
    EXPECT_EQ(parked.refcount, 0u);
    for (; next < pages.size(); ++next) k.put(pages[next]);
    k.drain();
    EXPECT_EQ(k.free_list(6), Frames{0});
    EXPECT_EQ(k.pcp().count[0], 0u);
  }
}

TEST(PerCpuLists, a_drain_of_this_cpu_leaves_the_others_alone) {  // P-8
  for (const EraId era : eras) {
    Config c = with_lists(era, 64);
    c.cpus = 2;
    Kernel k(c);
    const Frames pages = get_singles(k, 2);
    k.put(pages[0]);
    select_cpu(k.m, 1);
    k.put(pages[1]);
    drain_local_pages(k.m);
    EXPECT_EQ(k.pcp_list(0, 0), Frames{pages[0]});
    EXPECT_EQ(k.pcp_list(0, 1), Frames{});
    k.drain();
    EXPECT_EQ(k.free_list(6), Frames{0});
  }
}

TEST(PerCpuLists, the_event_counters_count_base_pages) {  // P-9
  for (const EraId era : eras) {
    Kernel k(with_lists(era, 1024));
    const Pfn block = k.get(2), page = k.get(), large = k.get(5);
    EXPECT_EQ(k.m.events[0].pgalloc, 4u + 1 + 32);
    EXPECT_EQ(k.m.events[0].pgfree, 0u);
    k.put(block, 2), k.put(page), k.put(large, 5);
    EXPECT_EQ(k.m.events[0].pgfree, 4u + 1 + 32);
    k.drain();  // moves pages, frees none
    EXPECT_EQ(k.m.events[0].pgfree, 4u + 1 + 32);
  }
}

// linux-2.6.11 -------------------------------------------------------------------------------

TEST(PerCpuLists, only_single_pages_are_parked_in_2_6_11) {  // P-20
  Kernel k(with_lists(old_era, 16384));
  const Pfn pair = k.get(1);
  EXPECT_EQ(k.pcp().count[0], 0u);
  k.put(pair, 1);
  EXPECT_EQ(k.pcp().count[0], 0u);
  EXPECT_EQ(k.free_pages(), 16384u);
}

TEST(PerCpuLists, cold_pages_have_a_list_of_their_own) {  // P-20
  Kernel k(with_lists(old_era, 16384));
  const Frames pages = get_singles(k, 4);
  const std::uint32_t hot = k.pcp().count[0];
  free_cold_page(k.env, k.m, pages[0]);
  EXPECT_EQ(k.pcp_list(1), Frames{pages[0]});
  EXPECT_EQ(k.pcp().count[0], hot);
  const auto cold = k.ask(k.gfp("GFP_KERNEL") | GFP_BIT_COLD);
  EXPECT_EQ(cold, pages[0]);
  k.put(pages[0]);  // __free_pages is always hot
  EXPECT_EQ(k.pcp_list(0).front(), pages[0]);
  EXPECT_EQ(k.pcp().count[1], 0u);
}

TEST(PerCpuLists, a_cold_free_is_like_any_other_in_6_1) {  // P-20
  Kernel k(three_batches());
  const Pfn pfn = k.get();
  free_cold_page(k.env, k.m, pfn);
  EXPECT_EQ(k.get(), pfn);
}

// 16384 pages: batch 4; hot low 8, high 24; cold low 0, high 8.
TEST(PerCpuLists, the_hot_list_is_refilled_at_low_even_if_it_is_not_empty) {  // P-21
  Kernel k(with_lists(old_era, 16384));
  EXPECT_EQ(k.pcp().batch, 4u);
  EXPECT_EQ(k.pcp().low, (std::array<std::uint32_t, 2>{8, 0}));
  EXPECT_EQ(k.pcp().high, (std::array<std::uint32_t, 2>{24, 8}));
  for (const std::uint32_t count : {3u, 6u, 9u, 8u, 11u, 10u, 9u, 8u, 11u}) {
    (void)k.get();
    EXPECT_EQ(k.pcp().count[0], count);
  }
}

//   [24 parked]: 4 go from the tail, then the page comes in: 21
TEST(PerCpuLists, a_full_hot_list_gives_a_batch_back_before_it_takes_a_page) {  // P-21
  Kernel k(with_lists(old_era, 16384));
  const Frames pages = get_singles(k, 40);
  std::size_t next = 0;
  while (k.pcp().count[0] < 24) k.put(pages[next++]);
  const Frames before = k.pcp_list(0);
  k.put(pages[next]);
  EXPECT_EQ(k.pcp().count[0], 21u);
  const Frames after = k.pcp_list(0);
  EXPECT_EQ(after.front(), pages[next]);
  EXPECT_EQ(after.back(), before[19]);
  k.put(pages[next + 1]);
  EXPECT_EQ(k.pcp().count[0], 22u);
}

TEST(PerCpuLists, the_cold_list_is_refilled_when_empty_and_keeps_two_batches) {  // P-21
  Kernel k(with_lists(old_era, 16384));
  const Gfp cold = k.gfp("GFP_KERNEL") | GFP_BIT_COLD;
  Frames pages;
  for (const std::uint32_t count : {3u, 2u, 1u, 0u, 3u, 2u, 1u, 0u}) {
    pages.push_back(k.ask(cold).value_or(0));
    EXPECT_EQ(k.pcp().count[1], count);
  }
  pages.push_back(k.get());
  for (std::size_t i = 0; i < 8; ++i) free_cold_page(k.env, k.m, pages[i]);
  EXPECT_EQ(k.pcp().count[1], 8u);
  free_cold_page(k.env, k.m, pages[8]);
  EXPECT_EQ(k.pcp().count[1], 5u);
}

TEST(PerCpuLists, the_batch_of_2_6_11_counts_present_pages_up_to_256_kib) {  // P-23
  const auto batch = [](std::uint32_t pages, std::uint32_t page_bytes) {
    Config c = with_lists(old_era, pages);
    c.page_bytes = page_bytes;
    return Kernel(c).pcp().batch;
  };
  EXPECT_EQ(batch(1024, 4096), 1u);     // 1 / 4 = 0, at least 1
  EXPECT_EQ(batch(8192, 4096), 2u);     // 8 / 4
  EXPECT_EQ(batch(65536, 4096), 16u);   // 64 / 4
  EXPECT_EQ(batch(131072, 4096), 16u);  // 256 KiB are 64 pages
  EXPECT_EQ(batch(131072, 8192), 8u);   // or 32 larger ones
  Config c = with_lists(old_era, 8192);
  c.reserved_count = 1;
  c.reserved[0] = {0, 8000};
  EXPECT_EQ(Kernel(c).pcp().batch, 2u);  // reserved pages are present
}

}  // namespace
}  // namespace props::buddy::by_hand
