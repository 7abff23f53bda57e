// Persistent maps, worked out by hand: counts, the search for a slot, flushes, misuse.
#include <gtest/gtest.h>

#include "props/kmap/reference_cases.hpp"

namespace props::kmap::by_hand {
namespace {

TEST(Pkmap, counts_users_and_keeps_what_nobody_uses_until_a_flush) {  // M-1
  for (const EraId era : eras) {
    Kernel k(with_window(era));
    const Address a = k.map(highmem);
    EXPECT_EQ(a, pkmap_address(k.m, 1));
    EXPECT_EQ(k.slots(), ".1......");
    EXPECT_EQ(page_address(k.m, highmem), a);
    k.map(highmem);
    EXPECT_EQ(k.slots(), ".2......");
    kunmap(k.m, highmem), kunmap(k.m, highmem);
    EXPECT_EQ(k.slots(), ".z......");
    EXPECT_EQ(walk(k.m, a), highmem);
    EXPECT_EQ(page_address(k.m, highmem), a);
    kmap_flush_unused(k.m);  // M-9
    EXPECT_EQ(k.slots(), "........");
    EXPECT_EQ(walk(k.m, a), std::nullopt);
    EXPECT_EQ(page_address(k.m, highmem), std::nullopt);
    EXPECT_EQ(k.told(), nothing);
  }
}

TEST(Pkmap, a_page_with_an_address_takes_no_slot) {  // M-2
  for (const EraId era : eras) {
    Kernel k(with_window(era));
    const Machine before = k.m;
    EXPECT_EQ(k.map(5), Address{page_offset + 5 * 4096});
    EXPECT_EQ(page_address(k.m, 5), Address{page_offset + 5 * 4096});
    kunmap(k.m, 5), kunmap(k.m, 5);
    EXPECT_TRUE(k.m == before);
  }
}

TEST(Pkmap, who_must_not_sleep_is_told_and_served_where_a_slot_is_free) {  // M-2
  for (const EraId era : eras)
    for (const Pfn pfn : {Pfn{5}, highmem}) {
      Kernel k(with_window(era));
      EXPECT_TRUE(move_context(k.m, ContextMove::preempt_disable));
      EXPECT_TRUE(ref::kmap::kmap(k.env, k.m, pfn));
      EXPECT_EQ(k.told(), (Told{Fault::sleeping_in_atomic, Effect::none}));
      kunmap(k.m, pfn);  // might_sleep is younger than 2.6.11
      EXPECT_EQ(k.told().first, era == new_era ? Fault::sleeping_in_atomic : Fault::none);
      EXPECT_EQ(k.slots(), pfn == highmem ? ".z......" : "........");
    }
}

TEST(Pkmap, an_interrupt_that_unmaps_stops_the_older_kernel) {  // M-2
  for (const EraId era : eras)
    for (const ContextMove move :
         {ContextMove::irq_enter, ContextMove::softirq_enter, ContextMove::local_bh_disable}) {
      Kernel k(with_window(era));
      k.map(highmem);
      EXPECT_TRUE(move_context(k.m, move));
      kunmap(k.m, highmem);
      EXPECT_EQ(k.told(), (Told{era == new_era ? Fault::sleeping_in_atomic : Fault::in_interrupt,
                                Effect::none}));
      EXPECT_EQ(k.slots(), era == new_era ? ".z......" : ".1......");
      kunmap(k.m, 5);
      EXPECT_NE(k.told(), nothing);  // whatever the page
    }
}

// Real kernels read the old page there for as long as they like: nobody flushed, and nobody had to.
TEST(Pkmap, a_page_mapped_again_comes_back_to_its_slot_without_a_flush) {  // M-3
  for (const EraId era : eras) {
    Kernel k(with_window(era));
    const Address a = k.map(highmem);
    k.use(1, a);
    kunmap(k.m, highmem);
    EXPECT_EQ(k.map(highmem), a);
    EXPECT_EQ(k.slots(), ".1......");
    EXPECT_EQ(cached(k.m, 1, a), highmem);
  }
}

TEST(Pkmap, slots_go_round_from_the_last_one_and_0_follows_a_flush) {  // M-4
  for (const EraId era : eras) {
    Kernel k(with_window(era));
    for (std::uint32_t i = 1; i < 8; ++i) {
      EXPECT_EQ(k.slot_of(k.map(highmem + i)), i);
      if (i < 6) kunmap(k.m, highmem + i);
    }
    EXPECT_EQ(k.slots(), ".zzzzz11");
    EXPECT_EQ(k.slot_of(k.map(highmem + 8)), 0u);
    EXPECT_EQ(k.slots(), "1.....11");
    EXPECT_EQ(k.slot_of(k.map(highmem + 9)), 1u);
    kunmap(k.m, highmem + 9);
    EXPECT_EQ(k.slot_of(k.map(highmem + 10)), 2u);  // not 1, which is not flushed
    EXPECT_EQ(k.slots(), "1z1...11");
  }
}

TEST(Pkmap, a_round_that_finds_no_slot_ends_at_the_last_one) {  // M-4
  for (const EraId era : eras) {
    Kernel k(with_window(era));
    for (std::uint32_t i = 0; i < 8; ++i) k.map(highmem + i);
    EXPECT_EQ(k.last(), 0u);
    const auto more = ref::kmap::kmap(k.env, k.m, highmem + 8);
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error(), Refused::suspended);
    EXPECT_EQ(k.last(), 7u);  // counting began anew at 0
    EXPECT_TRUE(is_sleeping(k.m));
    EXPECT_EQ(k.told(), nothing);
  }
}

TEST(Pkmap, one_slot_is_enough) {  // the mask is 0: every search wraps
  for (const EraId era : eras) {
    Kernel k(with_window(era, 1));
    for (std::uint32_t i = 0; i < 3; ++i) {
      EXPECT_EQ(k.slot_of(k.map(highmem + i)), 0u);
      EXPECT_EQ(walk(k.m, pkmap_address(k.m, 0)), highmem + i);
      kunmap(k.m, highmem + i);
    }
  }
}

// What a slot's next page would be read as, were the flush forgotten.
TEST(Pkmap, a_slot_is_handed_on_only_when_no_cpu_knows_its_old_page) {  // M-5
  for (const EraId era : eras) {
    Kernel k(with_window(era, 2));
    const Address a = k.map(highmem);
    k.use(0, a), k.use(1, a);
    kunmap(k.m, highmem);
    k.map(highmem + 1);  // slot 0: wraps
    EXPECT_EQ(k.map(highmem + 2), a);
    for (std::uint32_t cpu = 0; cpu < 2; ++cpu)
      EXPECT_EQ(ref::mmu::translate(k.m, cpu, a), highmem + 2);
  }
}

TEST(Pkmap, a_flush_is_of_everything_or_of_the_slots_where_one_went) {  // M-5
  for (const EraId era : eras) {
    Kernel k(with_window(era));
    const Address live = k.map(highmem), other = k.map_atomic(highmem + 1);
    const bool old = era == old_era;
    k.use(1, live), k.use(1, other);
    kmap_flush_unused(k.m);  // nothing to clear
    EXPECT_EQ(cached(k.m, 1, live).has_value(), !old);
    EXPECT_EQ(cached(k.m, 1, other).has_value(), !old);
    k.map(highmem + 2), kunmap(k.m, highmem + 2), k.told();
    k.use(1, live), k.use(1, other);
    kmap_flush_unused(k.m);
    EXPECT_EQ(cached(k.m, 1, live), std::nullopt);
    EXPECT_EQ(cached(k.m, 1, other).has_value(), !old);
    EXPECT_EQ(walk(k.m, live), highmem);  // in use: stays mapped
  }
}

TEST(Pkmap, unmapping_what_is_not_mapped_is_named_in_both_its_forms) {  // M-6
  for (const EraId era : eras) {
    Kernel k(with_window(era));
    k.map(highmem + 1);
    const auto nothing_but = [&](Fault fault) {
      Machine before = k.m;
      kunmap(k.m, highmem);
      EXPECT_EQ(k.m.globals().log.pfn, highmem);
      EXPECT_EQ(k.told(), (Told{fault, Effect::none}));
      EXPECT_TRUE(k.m == before);
    };
    nothing_but(Fault::kunmap_of_unmapped);  // never
    k.map(highmem), kunmap(k.m, highmem);
    nothing_but(Fault::kunmap_of_zombie);  // once too often
    kmap_flush_unused(k.m);
    nothing_but(Fault::kunmap_of_unmapped);  // and later still
    EXPECT_EQ(k.slots(), ".1......");
  }
}

TEST(Pkmap, a_frame_that_no_zone_has_is_no_page) {
  for (const EraId era : eras) {
    Kernel k(with_window(era));
    const auto a = ref::kmap::kmap(k.env, k.m, 96);
    ASSERT_FALSE(a);
    EXPECT_EQ(a.error(), Refused::misuse);
    EXPECT_EQ(k.told(), (Told{Fault::no_such_page, Effect::none}));
    kunmap(k.m, 96);
    EXPECT_EQ(k.told(), (Told{Fault::no_such_page, Effect::none}));
  }
}

TEST(Pkmap, the_variant_that_never_sleeps_only_adds_a_user) {  // M-7
  for (const EraId era : eras) {
    Kernel k(with_window(era));
    EXPECT_EQ(kmap_high_get(k.m, highmem), std::nullopt);
    EXPECT_EQ(k.slots(), "........");
    const Address a = k.map(highmem);
    EXPECT_EQ(kmap_high_get(k.m, highmem), a);
    EXPECT_EQ(k.slots(), ".2......");
    kunmap(k.m, highmem), kunmap(k.m, highmem);
    EXPECT_EQ(kmap_high_get(k.m, highmem), a);  // from a zombie too
    EXPECT_EQ(k.slots(), ".1......");
    EXPECT_EQ(kmap_high_get(k.m, 5), Address{page_offset + 5 * 4096});
    EXPECT_EQ(k.slots(), ".1......");
  }
}

// A kernel of some other processor unpins it so; the count must not leak.
TEST(Pkmap, a_page_that_was_pinned_is_unpinned_by_its_address) {
  Kernel k(with_window(new_era));
  const Address a = k.map(highmem);
  EXPECT_EQ(kmap_high_get(k.m, highmem), a);
  k.unmap_local(plus(a, 77));
  EXPECT_EQ(k.slots(), ".1......");
  k.unmap_local(pkmap_address(k.m, 2));
  EXPECT_EQ(k.told(), (Told{Fault::kunmap_of_unmapped, Effect::none}));
}

TEST(Pkmap, a_page_may_be_freed_while_its_slot_waits_for_a_flush) {  // M-10
  for (const EraId era : eras) {
    Kernel k(with_window(era));
    const Gfp gfp = gfp_of(era, "GFP_HIGHUSER");
    const Pfn pfn = *ref::buddy::alloc_page(k.env, k.m, gfp);
    ASSERT_GE(pfn, highmem);
    const Address a = k.map(pfn);
    kunmap(k.m, pfn);
    ref::buddy::free_page_(k.env, k.m, pfn);
    EXPECT_EQ(k.told(), nothing);
    EXPECT_EQ(walk(k.m, a), pfn);  // it dangles
    ASSERT_EQ(*ref::buddy::alloc_page(k.env, k.m, gfp), pfn);
    EXPECT_EQ(k.map(pfn), a);  // the new owner gets the old slot
    EXPECT_EQ(k.slots(), ".1......");
  }
}

TEST(Pkmap, without_slots_only_pages_with_an_address_are_mapped) {
  for (const EraId era : eras)
    for (const bool window : {false, true}) {
      Machine m(with_window(era, 0, window ? 8 : 0));
      Quiet env;
      EXPECT_EQ(ref::kmap::kmap(env, m, 5), Address{page_offset + 5 * 4096});
      const auto a = ref::kmap::kmap(env, m, highmem);
      ASSERT_FALSE(a);
      EXPECT_EQ(a.error(), Refused::no_memory);
      EXPECT_EQ(page_address(m, highmem), std::nullopt);
      kmap_flush_unused(m);
      EXPECT_FALSE(is_kmap_addr(m, Address{0xff800000}));
      EXPECT_EQ(m.globals().log.fault, Fault::none);
      kunmap(m, highmem);
      EXPECT_EQ(m.globals().log.fault, Fault::kunmap_of_unmapped);
      EXPECT_EQ(kmap_atomic(env, m, highmem, KmType::KM_USER0).has_value(), window);
    }
}

}  // namespace
}  // namespace props::kmap::by_hand
