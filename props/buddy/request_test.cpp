// What a request's order, flags and context mean, worked out by hand.
#include <gtest/gtest.h>

#include <algorithm>

#include "props/buddy/reference_cases.hpp"

namespace props::buddy::by_hand {
namespace {

// Of `three_zones`.
constexpr Pfn dma = 0, normal = 16, highmem = 32;

// Order and context --------------------------------------------------------------------------

TEST(BuddyRequests, an_order_beyond_the_lists_is_refused_and_nothing_else_happens) {  // B-20
  for (const EraId era : eras) {
    Kernel k(bare_normal(era, 1024));
    plan_failure(k.m, 1);
    EXPECT_EQ(k.ask(k.gfp("GFP_KERNEL") | GFP_BIT_NOFAIL, 11).error(), Refused::no_memory);
    EXPECT_EQ(k.m.globals().fail_page_alloc, 1u);  // the fault plan did not see it
    EXPECT_FALSE(is_suspended(k.m));
    EXPECT_EQ(k.free_list(10), Frames{0});
    EXPECT_EQ(k.fault(), Fault::none);
  }
}

TEST(BuddyRequests, an_order_beyond_the_lists_warns_once_and_nowarn_does_not_use_that_up) {  // B-20
  for (const EraId era : eras) {
    Kernel k(bare_normal(era, 16));
    const Gfp gfp = k.gfp("GFP_KERNEL");
    (void)k.ask(gfp | GFP_BIT_NOWARN, 11);
    EXPECT_EQ(k.warnings(), 0u);
    (void)k.ask(gfp, 11);
    EXPECT_EQ(k.warnings(), era == new_era ? 1u : 0u);
    (void)k.ask(gfp, 12);
    EXPECT_EQ(k.warnings(), 0u);
  }
}

// Seen through what a reclaimer is asked for: that is where IO and FS matter.
struct AskedOf final : Env {
  bool reclaim(const ReclaimRequest& request) override { return seen = request.gfp, false; }
  Gfp seen = 0;
};

TEST(BuddyRequests, the_scopes_of_a_task_take_io_and_fs_away_in_6_1) {  // B-21
  const auto seen = [](EraId era, std::uint32_t task_flags) {
    Kernel k(bare_normal(era, 1));
    (void)k.get();
    set_task_flags(k.m, task_flags);
    AskedOf env;
    (void)alloc_pages(env, k.m, k.gfp("GFP_KERNEL") | GFP_BIT_NORETRY, 0);
    return env.seen & (GFP_BIT_IO | GFP_BIT_FS);
  };
  EXPECT_EQ(seen(new_era, 0), GFP_BIT_IO | GFP_BIT_FS);
  EXPECT_EQ(seen(new_era, PF_MEMALLOC_NOFS), GFP_BIT_IO);
  EXPECT_EQ(seen(new_era, PF_MEMALLOC_NOIO), 0u);
  EXPECT_EQ(seen(new_era, PF_MEMALLOC_NOIO | PF_MEMALLOC_NOFS), 0u);
  EXPECT_EQ(seen(old_era, PF_MEMALLOC_NOIO), GFP_BIT_IO | GFP_BIT_FS);  // has no scopes
}

// Zone modifiers -----------------------------------------------------------------------------

//   bits   DMA 1, HIGHMEM 2, DMA32 4, MOVABLE 8; there is no DMA32 zone and no MOVABLE zone here
TEST(BuddyRequests, all_sixteen_zone_modifiers_of_6_1) {  // B-22
  constexpr Pfn bad = ~Pfn{0};
  constexpr std::array<Pfn, 16> expected{
      normal, dma, highmem, bad,   // 0, DMA, HIGHMEM, both
      normal, bad, bad,     bad,   // DMA32 collapses to NORMAL; with others it is bad
      normal, dma, highmem, bad,   // MOVABLE alone is NORMAL, with HIGHMEM it is above HIGHMEM
      normal, bad, bad,     bad};  // MOVABLE with DMA32
  constexpr std::array bits{GFP_BIT_DMA, GFP_BIT_HIGHMEM, GFP_BIT_DMA32, GFP_BIT_MOVABLE};
  for (unsigned combination = 0; combination < 16; ++combination) {
    Kernel k(three_zones(new_era));
    Gfp gfp = k.gfp("GFP_NOWAIT");
    for (unsigned bit = 0; bit < 4; ++bit)
      if (combination >> bit & 1) gfp |= bits[bit];
    const auto pfn = k.ask(gfp, 4);
    if (expected[combination] == bad) {
      EXPECT_EQ(pfn.error(), Refused::misuse) << combination;
      EXPECT_EQ(k.fault(), Fault::bad_zone_modifiers) << combination;
    } else {
      EXPECT_EQ(pfn, expected[combination]) << combination;
    }
  }
}

TEST(BuddyRequests, all_four_zone_modifiers_of_2_6_11) {  // B-22
  Kernel k(three_zones(old_era));
  EXPECT_EQ(k.ask(0, 0), normal);
  EXPECT_EQ(k.ask(GFP_BIT_DMA, 0), dma);
  EXPECT_EQ(k.ask(GFP_BIT_HIGHMEM, 0), highmem);
  EXPECT_EQ(k.ask(GFP_BIT_DMA | GFP_BIT_HIGHMEM, 0).error(), Refused::misuse);
  EXPECT_EQ(k.fault(), Fault::bad_zone_modifiers);
}

// Sleeping -----------------------------------------------------------------------------------

TEST(BuddyRequests, a_call_that_may_sleep_is_reported_in_atomic_context_and_goes_on) {  // B-23
  for (const EraId era : eras) {
    for (const ContextMove move :
         {ContextMove::preempt_disable, ContextMove::local_irq_disable,
          ContextMove::local_bh_disable, ContextMove::softirq_enter, ContextMove::irq_enter}) {
      Kernel k(bare_normal(era, 16));
      ASSERT_TRUE(move_context(k.m, move));
      EXPECT_TRUE(k.ask(k.gfp("GFP_ATOMIC")).has_value());
      EXPECT_TRUE(k.ask(k.gfp("GFP_NOWAIT")).has_value());
      EXPECT_EQ(k.fault(), Fault::none);
      EXPECT_TRUE(k.ask(k.gfp("GFP_NOIO")).has_value());  // there is memory all the same
      const Log log = k.log();
      EXPECT_EQ(log.fault, Fault::sleeping_in_atomic);
      EXPECT_EQ(log.effect, Effect::none);
    }
    Kernel k(bare_normal(era, 16));
    (void)k.get();
    EXPECT_EQ(k.fault(), Fault::none);
  }
}

TEST(BuddyRequests, atomic_and_blocking_at_once_warns_in_the_slow_path_only) {  // B-24
  Kernel k(marked(new_era));
  const Gfp both = k.gfp("GFP_KERNEL") | GFP_BIT_ATOMIC;
  EXPECT_TRUE(k.ask(both).has_value());
  EXPECT_EQ(k.warnings(), 0u);
  k.take_until_free(80);
  EXPECT_TRUE(k.ask(both).has_value());
  EXPECT_EQ(k.warnings(), 1u);
  EXPECT_TRUE(k.ask(both).has_value());
  EXPECT_EQ(k.warnings(), 0u);  // once
}

// Contents and addresses ---------------------------------------------------------------------

TEST(BuddyRequests, the_whole_block_is_zeroed_in_highmem_too) {  // B-25
  for (const EraId era : eras) {
    for (const Gfp zone : {Gfp{0}, Gfp{GFP_BIT_HIGHMEM}}) {
      Kernel k(three_zones(era));
      const Gfp gfp = k.gfp("GFP_KERNEL") | zone;
      const Pfn dirty = k.ask(gfp, 2).value_or(0);
      std::ranges::fill(write_pages(k.m, dirty, 0, 4 * 4096), std::byte{0xa5});
      k.put(dirty, 2);
      const Pfn unzeroed = k.ask(gfp, 2).value_or(0);
      EXPECT_EQ(unzeroed, dirty);
      EXPECT_FALSE(pages_are_zero(k.m, unzeroed, 4 * 4096));
      k.put(unzeroed, 2);
      const Pfn zeroed = k.ask(gfp | GFP_BIT_ZERO, 2).value_or(0);
      EXPECT_EQ(zeroed, dirty);
      const auto bytes = read_pages(k.m, zeroed, 0, 4 * 4096);
      EXPECT_TRUE(std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; }));
    }
  }
}

TEST(BuddyRequests, zeroed_highmem_needs_a_caller_that_can_wait_in_2_6_11) {  // B-25
  for (const EraId era : eras) {
    Kernel k(three_zones(era));
    const auto pfn = k.ask(k.gfp("GFP_ATOMIC") | GFP_BIT_HIGHMEM | GFP_BIT_ZERO);
    EXPECT_EQ(pfn.has_value(), era == new_era);
    EXPECT_EQ(k.fault(), era == new_era ? Fault::none : Fault::zero_highmem_atomic);
  }
}

TEST(BuddyRequests, get_free_pages_drops_highmem_in_6_1_and_loses_the_page_in_2_6_11) {  // B-26
  for (const EraId era : eras) {
    Kernel k(three_zones(era));
    const auto address = get_free_pages_(k.env, k.m, k.gfp("GFP_HIGHUSER"), 1);
    const Log log = k.log();
    if (era == new_era) {
      ASSERT_TRUE(address.has_value());
      EXPECT_EQ(virt_to_pfn(k.m, *address), normal);
      EXPECT_EQ(log.fault, Fault::none);
    } else {
      EXPECT_EQ(address.error(), Refused::misuse);
      EXPECT_EQ(log.fault, Fault::highmem_address);
      EXPECT_EQ(log.effect, Effect::leaked);
      EXPECT_EQ(log.leak[0].first, highmem);
      EXPECT_EQ(log.leak[0].pages, 2u);
      EXPECT_EQ(k.free_pages(2), 14u);
      EXPECT_EQ(k.record(highmem + 1).kind, PageKind::leaked);
    }
  }
}

// When highmem is full the same call is served from below, and has an address.
TEST(BuddyRequests, an_address_request_that_falls_back_below_highmem_is_served) {  // B-26
  Kernel k(three_zones(old_era));
  EXPECT_EQ(k.ask(k.gfp("GFP_HIGHUSER"), 4), highmem);
  const auto address = get_free_pages_(k.env, k.m, k.gfp("GFP_HIGHUSER"), 0);
  ASSERT_TRUE(address.has_value());
  EXPECT_EQ(virt_to_pfn(k.m, *address), normal);
  EXPECT_EQ(k.fault(), Fault::none);
}

TEST(BuddyRequests, get_zeroed_page_refuses_highmem_at_once_in_2_6_11) {  // B-26
  for (const EraId era : eras) {
    Kernel k(three_zones(era));
    EXPECT_EQ(get_zeroed_page(k.env, k.m, k.gfp("GFP_HIGHUSER")).has_value(), era == new_era);
    const Log log = k.log();
    EXPECT_EQ(log.fault, era == new_era ? Fault::none : Fault::highmem_address);
    EXPECT_EQ(log.effect, Effect::none);
    EXPECT_EQ(k.free_pages(2), 16u);  // nothing was taken from there
  }
}

// Exact and bulk -----------------------------------------------------------------------------

//   5 pages asked: order 3 is taken, 5 stay as single pages, 3 go straight to the free lists.
TEST(BuddyRequests, an_exact_request_takes_exactly_the_pages_that_its_bytes_need) {  // B-42
  for (const EraId era : eras) {
    for (const std::uint64_t bytes : {1u, 4096u, 4097u, 5 * 4096u, 7 * 4096u - 1, 16 * 4096u}) {
      Config c = bare_normal(era, 64);
      c.pcp = bytes > 8 * 4096u;  // the block itself passes no per-CPU list
      Kernel k(c);
      const auto pages = static_cast<Pfn>((bytes + 4095) / 4096);
      const auto address = alloc_pages_exact(k.env, k.m, bytes, k.gfp("GFP_KERNEL"));
      ASSERT_TRUE(address.has_value());
      EXPECT_EQ(k.free_pages(), 64u - pages) << bytes;
      for (Pfn i = 0; i < pages; ++i) EXPECT_EQ(page_count(k.m, i), 1u) << i;
      EXPECT_EQ(page_count(k.m, pages), 0u);
      free_pages_exact(k.env, k.m, *address, bytes);
      k.drain();
      EXPECT_EQ(k.fault(), Fault::none);
      EXPECT_EQ(k.free_list(6), Frames{0});
    }
  }
}

TEST(BuddyRequests, an_exact_request_of_a_whole_block_needs_no_larger_one) {  // B-42
  for (const EraId era : eras) {
    Kernel k(bare_normal(era, 16, 5));
    EXPECT_TRUE(alloc_pages_exact(k.env, k.m, 16 * 4096, k.gfp("GFP_KERNEL")).has_value());
    EXPECT_EQ(k.free_pages(), 0u);
  }
}

TEST(BuddyRequests, an_exact_requests_rest_goes_past_the_per_cpu_lists) {  // B-42
  for (const EraId era : eras) {
    Config c = bare_normal(era, 64);
    c.pcp = true;
    Kernel k(c);
    ASSERT_TRUE(alloc_pages_exact(k.env, k.m, 9 * 4096, k.gfp("GFP_KERNEL")).has_value());
    EXPECT_EQ(k.pcp().count[0] + k.pcp().count[1], 0u);
    EXPECT_EQ(k.free_pages(), 64u - 9);
  }
}

TEST(BuddyRequests, an_exact_request_drops_compound_and_highmem_with_one_warning) {  // B-42
  for (const EraId era : eras) {
    Kernel k(three_zones(era));
    const Gfp gfp = k.gfp("GFP_HIGHUSER") | GFP_BIT_COMP;
    for (const unsigned warnings : {1u, 0u}) {
      const auto address = alloc_pages_exact(k.env, k.m, 2 * 4096, gfp);
      ASSERT_TRUE(address.has_value());
      const Pfn pfn = virt_to_pfn(k.m, *address).value_or(0);
      EXPECT_GE(pfn, normal);
      EXPECT_LT(pfn, highmem);
      EXPECT_EQ(k.record(pfn).flags, 0u);
      EXPECT_EQ(k.warnings(), warnings);
    }
  }
}

TEST(BuddyRequests, an_exact_request_of_nothing_is_refused_as_too_large) {  // B-42
  for (const EraId era : eras) {
    Kernel k(bare_normal(era, 64));
    EXPECT_EQ(alloc_pages_exact(k.env, k.m, 0, k.gfp("GFP_KERNEL")).error(), Refused::no_memory);
    EXPECT_EQ(k.warnings(), era == new_era ? 1u : 0u);
    EXPECT_EQ(k.free_pages(), 64u);
  }
}

using Slots = std::vector<std::optional<Pfn>>;

Config bulk_config(EraId era) {
  Config c = marked(era);
  c.pcp = true;
  return c;
}

//   slots   [7][ ][9][ ]   the empty ones are filled in order; the answer is 4
TEST(BuddyRequests, a_bulk_request_fills_the_empty_slots_in_order) {  // B-43
  for (const EraId era : eras) {
    Kernel k(bulk_config(era));
    Slots slots{7, std::nullopt, 9, std::nullopt};
    EXPECT_EQ(alloc_pages_bulk(k.env, k.m, k.gfp("GFP_KERNEL"), slots), 4u);
    EXPECT_EQ(slots, (Slots{7, 0, 9, 1}));
  }
}

TEST(BuddyRequests, a_bulk_request_without_empty_slots_only_counts) {  // B-43
  for (const EraId era : eras) {
    Kernel k(bulk_config(era));
    Slots full{7, 8}, none;
    plan_failure(k.m, 1);
    EXPECT_EQ(alloc_pages_bulk(k.env, k.m, k.gfp("GFP_KERNEL"), full), 2u);
    EXPECT_EQ(alloc_pages_bulk(k.env, k.m, k.gfp("GFP_KERNEL"), none), 0u);
    EXPECT_EQ(k.m.globals().fail_page_alloc, 1u);
    EXPECT_EQ(k.free_pages(), 1024u);
  }
}

//   8 slots need free > low + 8 = 88; all slots count, also those that are filled already.
TEST(BuddyRequests, a_bulk_request_needs_all_its_slots_above_the_low_mark_or_takes_one_page) {
  for (const EraId era : eras) {
    const auto served = [&](std::uint64_t free, Slots slots) {
      Kernel k(bulk_config(era));
      k.take_until_free(free);
      return alloc_pages_bulk(k.env, k.m, k.gfp("GFP_KERNEL"), slots);
    };
    EXPECT_EQ(served(89, Slots(8)), 8u);
    EXPECT_EQ(served(88, Slots(8)), 1u);  // one page, asked for in the ordinary way
    Slots one_filled(8);
    one_filled[0] = 7;
    EXPECT_EQ(served(89, one_filled), 8u);
    EXPECT_EQ(served(88, one_filled), 2u);  // the filled one, and the one page
    Slots second_filled(8);
    second_filled[1] = 7;
    EXPECT_EQ(served(88, second_filled), 1u);  // what lies behind the one page is not counted
    EXPECT_EQ(served(64, Slots(8)), 0u);       // and that is refused at the minimum: it waits
  }
}

// While an interrupt finds this CPU's list held (6.1), only one page comes, from the free lists.
TEST(BuddyRequests, a_bulk_request_takes_one_page_when_the_per_cpu_list_is_held) {  // B-43
  Kernel k(bulk_config(new_era));
  Slots slots(4);
  std::size_t filled = 0;
  k.env.when = Point::buddy_pcp_locked;
  k.env.act = [&] { filled = alloc_pages_bulk(k.env, k.m, k.gfp("GFP_ATOMIC"), slots); };
  (void)k.get();
  EXPECT_EQ(filled, 1u);
  EXPECT_TRUE(slots[0].has_value());
  EXPECT_FALSE(slots[1].has_value());
}

//   8 pages, 4 wanted; an interrupt takes 6 while the list is held: 2 come, and nobody asks again.
TEST(BuddyRequests, a_bulk_request_may_stop_early) {  // B-43
  for (const EraId era : eras) {
    Config c = bare_normal(era, 8);
    c.pcp = true;
    Kernel k(c);
    k.env.when = Point::buddy_pcp_locked;
    k.env.act = [&] {
      EXPECT_TRUE(k.ask(k.gfp("GFP_ATOMIC"), 2).has_value());
      EXPECT_TRUE(k.ask(k.gfp("GFP_ATOMIC"), 1).has_value());
    };
    Slots slots(4);
    EXPECT_EQ(alloc_pages_bulk(k.env, k.m, k.gfp("GFP_KERNEL"), slots), 2u);
    EXPECT_EQ(k.free_pages(), 0u);
    EXPECT_FALSE(is_suspended(k.m));
  }
}

}  // namespace
}  // namespace props::buddy::by_hand
