// Tasks that sleep in kmap, worked out by hand: who waits, who wakes whom, what is looked at after.
#include <gtest/gtest.h>

#include "props/kmap/reference_cases.hpp"

namespace props::kmap::by_hand {
namespace {

// Two slots, both in use: pages 64 in slot 1 and 65 in slot 0.
Kernel full(EraId era) {
  Kernel k(with_window(era, 2));
  k.map(highmem), k.map(highmem + 1);
  return k;
}
void sleep_in_kmap(Kernel& k, Pfn pfn) {
  const auto a = ref::kmap::kmap(k.env, k.m, pfn);
  ASSERT_FALSE(a);
  EXPECT_EQ(a.error(), Refused::suspended);
}

TEST(KmapSleep, ends_with_the_kunmap_that_frees_a_slot) {  // M-4, M-6
  for (const EraId era : eras) {
    Kernel k = full(era);
    sleep_in_kmap(k, highmem + 2);
    EXPECT_TRUE(is_sleeping(k.m));
    EXPECT_FALSE(is_woken(k.m));
    EXPECT_EQ(k.sleepers(), 1u);
    const auto early = ref::kmap::resume(k.env, k.m);
    ASSERT_FALSE(early);
    EXPECT_EQ(early.error(), Refused::suspended);
    EXPECT_TRUE(switch_task(k.m, 2));
    kunmap(k.m, highmem);
    EXPECT_EQ(k.sleepers(), 0u);
    EXPECT_TRUE(switch_task(k.m, 0));
    EXPECT_TRUE(is_woken(k.m));
    EXPECT_EQ(ref::kmap::resume(k.env, k.m), pkmap_address(k.m, 1));
    EXPECT_FALSE(ref::buddy::is_suspended(k.m));
    EXPECT_EQ(k.slots(), "11");
    EXPECT_EQ(page_address(k.m, highmem + 2), pkmap_address(k.m, 1));
  }
}

TEST(KmapSleep, goes_on_while_a_user_is_left) {  // M-6
  for (const EraId era : eras) {
    Kernel k = full(era);
    k.map(highmem);
    sleep_in_kmap(k, highmem + 2);
    EXPECT_TRUE(switch_task(k.m, 2));
    kunmap(k.m, highmem);  // one of two users
    EXPECT_EQ(k.slots(), "11");
    EXPECT_EQ(k.sleepers(), 1u);
    kunmap(k.m, highmem);
    EXPECT_EQ(k.slots(), "1z");
    EXPECT_EQ(k.sleepers(), 0u);
  }
}

TEST(KmapSleep, ends_for_all_at_once_and_who_comes_late_sleeps_again) {
  for (const EraId era : eras) {
    Kernel k = full(era);
    sleep_in_kmap(k, highmem + 2);
    EXPECT_TRUE(switch_task(k.m, 2));
    sleep_in_kmap(k, highmem + 3);
    EXPECT_EQ(k.sleepers(), 5u);
    EXPECT_TRUE(switch_task(k.m, 3));
    kunmap(k.m, highmem + 1);
    EXPECT_EQ(k.sleepers(), 0u);
    EXPECT_TRUE(switch_task(k.m, 2));
    EXPECT_EQ(ref::kmap::resume(k.env, k.m), pkmap_address(k.m, 0));
    EXPECT_TRUE(switch_task(k.m, 0));
    EXPECT_TRUE(is_woken(k.m));
    EXPECT_FALSE(ref::kmap::resume(k.env, k.m));
    EXPECT_EQ(k.sleepers(), 1u);
    EXPECT_FALSE(is_woken(k.m));
  }
}

// Else one page had two slots.
TEST(KmapSleep, is_followed_by_a_look_whether_somebody_else_mapped_the_page) {  // M-4
  for (const EraId era : eras) {
    Kernel k = full(era);
    sleep_in_kmap(k, highmem + 2);
    EXPECT_TRUE(switch_task(k.m, 2));
    sleep_in_kmap(k, highmem + 2);
    EXPECT_TRUE(switch_task(k.m, 3));
    kunmap(k.m, highmem), kunmap(k.m, highmem + 1);  // room for two
    EXPECT_TRUE(switch_task(k.m, 0));
    const auto first = ref::kmap::resume(k.env, k.m);
    EXPECT_TRUE(switch_task(k.m, 2));
    EXPECT_EQ(ref::kmap::resume(k.env, k.m), first);
    EXPECT_EQ(k.slots(), "2.");
  }
}

TEST(KmapSleep, does_not_begin_when_a_slot_comes_free_before) {
  for (const EraId era : eras) {
    Kernel k = full(era);
    int reached = 0;
    k.env.act = [&](Point p) {
      EXPECT_EQ(p, Point::kmap_unlocked);
      EXPECT_EQ(k.sleepers(), 1u);  // it queued before the lock was dropped
      ++reached;
      select_cpu(k.m, 1);
      kunmap(k.m, highmem);
      select_cpu(k.m, 0);
    };
    EXPECT_EQ(k.map(highmem + 2), pkmap_address(k.m, 1));
    EXPECT_EQ(reached, 1);
    EXPECT_EQ(k.sleepers(), 0u);
    EXPECT_FALSE(ref::buddy::is_suspended(k.m));
  }
}

TEST(KmapSleep, is_impossible_in_atomic_context) {
  for (const EraId era : eras)
    for (const bool by_map : {false, true}) {
      Kernel k = full(era);
      if (by_map) k.map_atomic(5);
      else EXPECT_TRUE(move_context(k.m, ContextMove::local_irq_disable));
      const auto a = ref::kmap::kmap(k.env, k.m, highmem + 2);
      ASSERT_FALSE(a);
      EXPECT_EQ(a.error(), Refused::misuse);
      EXPECT_EQ(k.told(), (Told{Fault::sleeping_in_atomic, Effect::none}));
      EXPECT_EQ(k.sleepers(), 0u);
      EXPECT_EQ(k.slots(), "11");
    }
}

TEST(KmapSleep, leaves_a_wait_that_the_page_allocator_does_not_take_for_its_own) {
  Kernel k = full(new_era);
  sleep_in_kmap(k, highmem + 2);
  const ref::core::Wait wait = k.m.current().wait;
  EXPECT_GE(wait.call, wait_calls_above);
  EXPECT_EQ(wait.argument, highmem + 2);
  EXPECT_EQ(wait.gfp, 0u);
}

// Sixteen rows of 64 slots; rows that are like the one above are left out.
std::string drawn(const Kernel& k) {
  std::string text, above;
  for (std::uint32_t first = 0; first < 1024; first += 64) {
    const std::string row = k.slots(first, 64);
    if (row != above) {
      const std::string number = std::to_string(first);
      text += std::string(4 - number.size(), ' ') + number + "  " + row + "\n";
    } else if (text.substr(text.size() - 5) != " ...\n") {
      text += "       ...\n";
    }
    above = row;
  }
  return text;
}

TEST(KmapSleep, of_a_machine_whose_1024_slots_are_all_in_use) {
  for (const EraId era : eras) {
    Config c = with_window(era, 1024);
    c.zones[1].pages = 1100;
    Kernel k(c);
    for (std::uint32_t i = 0; i < 1023; ++i) EXPECT_EQ(k.slot_of(k.map(highmem + i)), i + 1);
    EXPECT_EQ(drawn(k),
              "   0  .111111111111111111111111111111111111111111111111111111111111111\n"
              "  64  1111111111111111111111111111111111111111111111111111111111111111\n"
              "       ...\n");
    EXPECT_EQ(k.slot_of(k.map(highmem + 1023)), 0u);  // after the wrap: nothing to flush
    sleep_in_kmap(k, highmem + 1024);
    EXPECT_EQ(k.last(), 1023u);
    EXPECT_TRUE(switch_task(k.m, 2));

    const Address freed = *page_address(k.m, highmem + 499);
    k.use(0, freed), k.use(1, freed);
    kunmap(k.m, highmem + 499);
    kunmap(k.m, highmem + 99), k.map(highmem + 99);  // and one that is taken up again
    EXPECT_EQ(drawn(k),
              "   0  1111111111111111111111111111111111111111111111111111111111111111\n"
              "       ...\n"
              " 448  1111111111111111111111111111111111111111111111111111z11111111111\n"
              " 512  1111111111111111111111111111111111111111111111111111111111111111\n"
              "       ...\n");

    EXPECT_TRUE(switch_task(k.m, 0));
    ASSERT_TRUE(is_woken(k.m));
    const auto got = ref::kmap::resume(k.env, k.m);  // wraps, flushes, and finds it from slot 0 on
    EXPECT_EQ(got, freed);
    EXPECT_EQ(drawn(k),
              "   0  1111111111111111111111111111111111111111111111111111111111111111\n"
              "       ...\n");
    EXPECT_EQ(k.last(), 500u);
    EXPECT_EQ(cached(k.m, 0, freed), std::nullopt);
    EXPECT_EQ(cached(k.m, 1, freed), std::nullopt);
    EXPECT_EQ(walk(k.m, freed), highmem + 1024);
  }
}

}  // namespace
}  // namespace props::kmap::by_hand
