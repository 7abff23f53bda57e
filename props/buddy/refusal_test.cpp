// Who may take the last page, who waits, and who is refused, worked out by hand.
#include <gtest/gtest.h>

#include "props/buddy/reference_cases.hpp"

namespace props::buddy::by_hand {
namespace {

TEST(Refusals, who_may_take_the_last_page_in_6_1) {  // W-11
  const auto floor = [](Gfp extra, std::uint32_t flags, std::optional<ContextMove> move = {}) {
    return floor_of(new_era, "GFP_NOIO", GFP_BIT_NORETRY | extra, flags, move);
  };
  EXPECT_EQ(floor(0, 0), 64u);
  EXPECT_EQ(floor(GFP_BIT_MEMALLOC, 0), 0u);
  EXPECT_EQ(floor(0, PF_MEMALLOC), 0u);
  EXPECT_EQ(floor(GFP_BIT_NOMEMALLOC, PF_MEMALLOC), 64u);
  EXPECT_EQ(floor(GFP_BIT_NOMEMALLOC | GFP_BIT_MEMALLOC, 0), 64u);
  EXPECT_EQ(floor(0, PF_MEMALLOC, ContextMove::irq_enter), 64u);
  EXPECT_EQ(floor(0, PF_MEMALLOC, ContextMove::softirq_enter), 0u);
  EXPECT_EQ(floor(GFP_BIT_MEMALLOC, 0, ContextMove::irq_enter), 0u);
}

TEST(Refusals, who_may_take_the_last_page_in_2_6_11) {  // W-11
  EXPECT_EQ(floor_of(old_era, "GFP_KERNEL", 0, PF_MEMALLOC), 0u);
  EXPECT_EQ(floor_of(old_era, "GFP_KERNEL", GFP_BIT_NORETRY, PF_MEMALLOC, ContextMove::irq_enter),
            64u);
}

TEST(Refusals, pages_from_below_the_marks_are_marked_themselves) {  // W-11
  for (const EraId era : eras) {
    Kernel k(marked(era));
    k.take_until_free(65);
    set_task_flags(k.m, PF_MEMALLOC);
    EXPECT_FALSE(page_is_pfmemalloc(k.m, k.get()));
    const Pfn last = k.get();
    EXPECT_EQ(page_is_pfmemalloc(k.m, last), era == new_era);
    k.put(last);
    k.put(1), k.put(0);
    set_task_flags(k.m, 0);
    EXPECT_FALSE(page_is_pfmemalloc(k.m, k.get()));
  }
}

//   DMA and NORMAL, both full: one step from zone to zone in each pass
TEST(Refusals, who_cannot_block_has_two_passes_and_a_third_for_the_reserves) {  // W-12
  const auto passes = [](Gfp extra) {
    struct Counting final : Env {
      void at(Point point) override { passes += point == Point::buddy_alloc_zone_next; }
      unsigned passes = 0;
    } env;
    Config c = bare(new_era);
    c.add_zone(ZoneKind::dma, 1);
    c.add_zone(ZoneKind::normal, 1);
    Machine m(c);
    const Gfp gfp = gfp_of(new_era, "GFP_NOWAIT") | extra;
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(alloc_pages(env, m, gfp, 0).has_value());
    env.passes = 0;
    EXPECT_EQ(alloc_pages(env, m, gfp, 0).error(), Refused::no_memory);
    return env.passes;
  };
  EXPECT_EQ(passes(0), 2u);
  EXPECT_EQ(passes(GFP_BIT_MEMALLOC), 3u);
}

TEST(Refusals, a_refusal_warns_unless_it_is_asked_not_to) {  // W-12
  for (const EraId era : eras) {
    Kernel k(bare_normal(era, 1));
    (void)k.get();
    EXPECT_EQ(k.ask(k.gfp("GFP_NOWAIT")).error(), Refused::no_memory);
    EXPECT_EQ(k.warnings(), 1u);
    EXPECT_EQ(k.ask(k.gfp("GFP_NOWAIT") | GFP_BIT_NOWARN).error(), Refused::no_memory);
    EXPECT_EQ(k.warnings(), 0u);
  }
}

// A request for memory that the machine does not have at all is not worth a splat.
TEST(Refusals, a_dma_request_without_any_dma_memory_is_refused_silently_in_6_1) {  // W-12
  Kernel k(bare_normal(new_era, 16));
  EXPECT_EQ(k.ask(k.gfp("GFP_NOWAIT") | GFP_BIT_DMA).error(), Refused::no_memory);
  EXPECT_EQ(k.warnings(), 0u);
}

// What a full machine answers.
std::optional<Refused> full(EraId era, Gfp extra, unsigned order,
                            std::string_view name = "GFP_KERNEL") {
  Config c = bare(era);
  c.add_zone(ZoneKind::dma, 16);
  c.add_zone(ZoneKind::normal, 16);
  Kernel k(c);
  while (k.ask(k.gfp("GFP_NOWAIT"))) {}
  const auto pfn = k.ask(k.gfp(name) | extra, order);
  EXPECT_EQ(is_suspended(k.m), !pfn && pfn.error() == Refused::suspended);
  return pfn ? std::nullopt : std::optional(pfn.error());
}

TEST(Refusals, small_blocking_requests_wait_and_large_ones_fail) {  // W-13
  for (const EraId era : eras) {
    for (unsigned order = 0; order <= 3; ++order)
      EXPECT_EQ(full(era, 0, order), Refused::suspended) << order;
    EXPECT_EQ(full(era, 0, 4), Refused::no_memory);
    EXPECT_EQ(full(era, GFP_BIT_NORETRY, 0), Refused::no_memory);
    EXPECT_EQ(full(era, 0, 0, "GFP_ATOMIC"), Refused::no_memory);
    EXPECT_EQ(full(era, 0, 0, "GFP_NOIO"), Refused::suspended);
  }
  // Nobody is killed for those, so they are refused.
  EXPECT_EQ(full(new_era, GFP_BIT_RETRY_MAYFAIL, 0), Refused::no_memory);
  EXPECT_EQ(full(new_era, GFP_BIT_RETRY_MAYFAIL, 4), Refused::no_memory);
  EXPECT_EQ(full(new_era, GFP_BIT_THISNODE, 0), Refused::no_memory);
  EXPECT_EQ(full(new_era, GFP_BIT_DMA, 0), Refused::no_memory);
  // __GFP_REPEAT asks for ever.
  EXPECT_EQ(full(old_era, GFP_BIT_RETRY_MAYFAIL, 4), Refused::suspended);
  EXPECT_EQ(full(old_era, GFP_BIT_DMA, 0), Refused::suspended);
}

TEST(Refusals, who_waits_is_served_when_a_page_comes_back) {  // W-13
  for (const EraId era : eras) {
    Kernel k(bare_normal(era, 16));
    while (k.ask(k.gfp("GFP_NOWAIT"))) {}
    EXPECT_EQ(k.ask(k.gfp("GFP_KERNEL")).error(), Refused::suspended);
    EXPECT_EQ(resume(k.env, k.m).error(), Refused::suspended);
    k.put(5);
    EXPECT_EQ(resume(k.env, k.m), Pfn{5});
    EXPECT_FALSE(is_suspended(k.m));
  }
}

TEST(Refusals, who_must_not_fail_waits_at_any_order) {  // W-14
  for (const EraId era : eras) {
    EXPECT_EQ(full(era, GFP_BIT_NOFAIL, 0), Refused::suspended);
    EXPECT_EQ(full(era, GFP_BIT_NOFAIL, 4), Refused::suspended);
  }
  EXPECT_EQ(full(new_era, GFP_BIT_NOFAIL | GFP_BIT_NORETRY, 0), Refused::suspended);
  EXPECT_EQ(full(old_era, GFP_BIT_NOFAIL | GFP_BIT_NORETRY, 0), Refused::no_memory);
}

TEST(Refusals, who_must_not_fail_but_cannot_block_is_warned_of_and_refused) {  // W-14
  Kernel k(bare_normal(new_era, 1));
  (void)k.get();
  EXPECT_EQ(k.ask(k.gfp("GFP_NOWAIT") | GFP_BIT_NOFAIL).error(), Refused::no_memory);
  EXPECT_EQ(k.warnings(), 2u);  // that it cannot block, and that it failed
}

//   64 - 32: half of the minimum, but not the rest
TEST(Refusals, who_must_not_fail_may_use_half_of_the_minimum_in_6_1) {  // W-14
  EXPECT_EQ(floor_of(new_era, "GFP_KERNEL", GFP_BIT_NOFAIL), 32u);
  EXPECT_EQ(floor_of(old_era, "GFP_KERNEL", GFP_BIT_NOFAIL), 64u);
}

TEST(Refusals, a_pair_is_the_largest_block_without_a_warning_for_who_must_not_fail) {  // W-14
  Kernel k(bare_normal(new_era, 64));
  (void)k.get(1, GFP_BIT_NOFAIL);
  EXPECT_EQ(k.warnings(), 0u);
  (void)k.get(2, GFP_BIT_NOFAIL);
  EXPECT_EQ(k.warnings(), 1u);
  (void)k.get(2, GFP_BIT_NOFAIL);
  EXPECT_EQ(k.warnings(), 0u);  // once
}

// The warning stands in rmqueue: a request that no zone's watermark lets so far has not earned it.
TEST(Refusals, a_large_block_for_who_must_not_fail_warns_only_where_a_zone_serves_it) {  // W-14
  Kernel k(bare_normal(new_era, 16));
  k.take_until_free(0);
  EXPECT_EQ(k.ask(k.gfp("GFP_KERNEL") | GFP_BIT_NOFAIL, 2).error(), Refused::suspended);
  EXPECT_EQ(k.warnings(), 0u);
}

TEST(Refusals, the_combinations_of_6_1_mean_what_they_are_made_of) {  // W-15
  constexpr Gfp reclaim = GFP_BIT_DIRECT_RECLAIM | GFP_BIT_KSWAPD_RECLAIM;
  const auto of = [](std::string_view name) { return gfp_of(new_era, name); };
  EXPECT_EQ(of("GFP_ATOMIC"), Gfp{GFP_BIT_HIGH | GFP_BIT_ATOMIC | GFP_BIT_KSWAPD_RECLAIM});
  EXPECT_EQ(of("GFP_NOWAIT"), Gfp{GFP_BIT_KSWAPD_RECLAIM});
  EXPECT_EQ(of("GFP_NOIO"), reclaim);
  EXPECT_EQ(of("GFP_NOFS"), reclaim | GFP_BIT_IO);
  EXPECT_EQ(of("GFP_KERNEL"), reclaim | GFP_BIT_IO | GFP_BIT_FS);
  EXPECT_EQ(of("GFP_USER"), of("GFP_KERNEL") | GFP_BIT_HARDWALL);
}

}  // namespace
}  // namespace props::buddy::by_hand
