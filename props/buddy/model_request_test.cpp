// The model's answers against hand-computed cases: watermarks, reserves, refusals, bulk requests.
#include <gtest/gtest.h>

#include "props/buddy/model_cases.hpp"

namespace props::buddy {
namespace {

using namespace cases;
using ref::buddy::mark_high;
using ref::buddy::mark_low;
using ref::buddy::mark_min;

// How many single pages are granted before the first refusal, which is left in `last`.
unsigned count_granted(Model& m, Gfp flags, Prediction& last, Caller who = task) {
  for (unsigned n = 0;; ++n) {
    last = m.alloc_pages(who, flags, 0);
    if (last.outcome != Outcome::granted) return n;
  }
}

// Watermarks ---------------------------------------------------------------------------------

// 1024 pages, pages_min 64: both eras have min 64 and low 80.
Config marked(EraId era) {
  Config c = bare_normal(era, 1024);
  c.min_free_kbytes = 256;
  return c;
}

TEST(Model, WhoMayGoHowFarBelowTheMinimumInTheNewEra) {
  const auto granted_to = [](Gfp flags, Outcome end, Caller who = task) {
    Model m(marked(EraId::linux_6_1));
    Prediction last;
    const unsigned n = count_granted(m, flags, last, who);
    EXPECT_EQ(last.outcome, end);
    return n;
  };
  const auto named = [](std::string_view name) { return gfp_of(EraId::linux_6_1, name); };
  Caller realtime, atomic;
  realtime.task_flags = PF_REALTIME;
  atomic.atomic = true;
  EXPECT_EQ(granted_to(named("GFP_KERNEL"), Outcome::suspended), 1024u - 64);
  EXPECT_EQ(granted_to(named("GFP_KERNEL"), Outcome::no_memory, atomic), 1024u - 64);
  EXPECT_EQ(granted_to(named("GFP_NOWAIT"), Outcome::no_memory), 1024u - 64);
  EXPECT_EQ(granted_to(named("GFP_KERNEL") | GFP_BIT_HIGH, Outcome::suspended), 1024u - 32);
  EXPECT_EQ(granted_to(named("GFP_KERNEL"), Outcome::suspended, realtime), 1024u - 32);
  EXPECT_EQ(granted_to(named("GFP_ATOMIC"), Outcome::no_memory), 1024u - 24);
  EXPECT_EQ(granted_to(named("GFP_KERNEL") | GFP_BIT_NOFAIL, Outcome::suspended), 1024u - 32);
}

TEST(Model, WhoMayGoHowFarBelowTheMinimumInTheOldEra) {
  const auto granted_to = [](Gfp flags, Outcome end, std::uint32_t task_flags = 0) {
    Model m(marked(EraId::linux_2_6_11));
    Prediction last;
    Caller who;
    who.task_flags = task_flags;
    const unsigned n = count_granted(m, flags, last, who);
    EXPECT_EQ(last.outcome, end);
    return n;
  };
  const auto named = [](std::string_view name) { return gfp_of(EraId::linux_2_6_11, name); };
  EXPECT_EQ(granted_to(named("GFP_KERNEL"), Outcome::suspended), 1024u - 64);
  EXPECT_EQ(granted_to(named("GFP_NOWAIT"), Outcome::no_memory), 1024u - 48);
  EXPECT_EQ(granted_to(named("GFP_KERNEL"), Outcome::suspended, PF_REALTIME), 1024u - 48);
  EXPECT_EQ(granted_to(named("GFP_ATOMIC"), Outcome::no_memory), 1024u - 24);
  EXPECT_EQ(granted_to(named("GFP_KERNEL"), Outcome::no_memory, PF_MEMALLOC), 1024u);
}

TEST(Model, OnlyPagesFromBelowTheMinimumAreMarkedPfmemalloc) {
  Model m(marked(EraId::linux_6_1));
  const Gfp flags = gfp(m, "GFP_NOWAIT") | GFP_BIT_MEMALLOC;
  for (int i = 0; i < 960; ++i) EXPECT_FALSE(m.alloc_pages(task, flags, 0).pfmemalloc);
  for (int i = 960; i < 1024; ++i) EXPECT_TRUE(m.alloc_pages(task, flags, 0).pfmemalloc);
  EXPECT_EQ(m.alloc_pages(task, flags, 0).outcome, Outcome::no_memory);
}

TEST(Model, TheContextDecidesWhatATasksFlagsAreWorth) {
  const auto granted_to = [](Gfp extra, Caller who) {
    Model m(marked(EraId::linux_6_1));
    Prediction last;
    return count_granted(m, gfp(m, "GFP_NOIO") | GFP_BIT_NORETRY | extra, last, who);
  };
  Caller who;
  who.task_flags = PF_MEMALLOC;
  EXPECT_EQ(granted_to(0, who), 1024u);
  EXPECT_EQ(granted_to(GFP_BIT_NOMEMALLOC, who), 1024u - 64);
  EXPECT_EQ(granted_to(GFP_BIT_NOMEMALLOC | GFP_BIT_MEMALLOC, who), 1024u - 64);
  who.in_interrupt = true;
  EXPECT_EQ(granted_to(0, who), 1024u - 64);
  who.serving_softirq = true;
  EXPECT_EQ(granted_to(0, who), 1024u);
  who.serving_softirq = false;
  who.task_flags = PF_REALTIME;
  EXPECT_EQ(granted_to(0, who), 1024u - 64);
  who.only_bottom_halves_off = true;  // still in a task
  EXPECT_EQ(granted_to(0, who), 1024u - 32);
}

TEST(Model, TheErasDisagreeAboutHighOrdersInAFragmentedZone) {
  for (const EraId era : eras) {
    Config c = bare_normal(era, 64);
    c.min_free_kbytes = 32;  // min 8, low 10
    Model m(c);
    Caller who;
    who.task_flags = PF_MEMALLOC;
    for (int i = 0; i < 64; ++i) get(m, 0, who);
    for (Pfn pfn = 0; pfn < 32; pfn += 2) put(m, pfn);
    // 16 single pages are free: 16 - 1 is enough for order 1, but there is no pair.
    EXPECT_EQ(m.alloc_pages(task, gfp(m, "GFP_NOWAIT"), 1).outcome, Outcome::no_memory);
    put(m, 32, 2);
    // New: 20 - 3 > 10, and a block of four exists. Old: without the 16 single pages one is left,
    // which must be more than (8 - 2) / 2.
    const Prediction p = m.alloc_pages(task, gfp(m, "GFP_NOWAIT"), 2);
    EXPECT_EQ(p.outcome, era == EraId::linux_6_1 ? Outcome::granted : Outcome::no_memory);
    EXPECT_EQ(p.pfn, era == EraId::linux_6_1 ? 32u : 0u);
  }
}

TEST(Model, ALowerZoneKeepsItsReserveFromThoseWhoCouldGoHigher) {
  for (const EraId era : eras) {
    Config c = bare(era);
    c.add_zone(ZoneKind::dma, 64);
    c.add_zone(ZoneKind::normal, 1024);
    c.add_zone(ZoneKind::highmem, 512);
    c.lowmem_reserve_ratio = {32, 32};
    Model m(c);
    EXPECT_EQ(m.lowmem_reserve(0, ZoneKind::dma), 0u);
    EXPECT_EQ(m.lowmem_reserve(0, ZoneKind::normal), 32u);   // 1024 / 32
    EXPECT_EQ(m.lowmem_reserve(0, ZoneKind::highmem), 48u);  // 1536 / 32
    EXPECT_EQ(m.lowmem_reserve(1, ZoneKind::highmem), 16u);  // 512 / 32
    EXPECT_EQ(m.lowmem_reserve(2, ZoneKind::highmem), 0u);
    Prediction last;
    const Gfp highuser = gfp(m, "GFP_HIGHUSER") | GFP_BIT_NORETRY;
    EXPECT_EQ(count_granted(m, highuser, last), 512u + (1024 - 16) + (64 - 48));
    const Gfp kernel = gfp(m, "GFP_KERNEL") | GFP_BIT_NORETRY;
    EXPECT_EQ(count_granted(m, kernel, last), 16u + (48 - 32));
    EXPECT_EQ(count_granted(m, GFP_BIT_DMA, last), 32u);
    m.set_lowmem_reserve_ratio(ZoneKind::dma, 0);
    EXPECT_EQ(m.lowmem_reserve(0, ZoneKind::highmem), 0u);
  }
}

// The classic machine: lowmem 229376 pages = 917504 kB; sqrt(917504 * 16) = 3831 kB = 957 pages.
// DMA 957 * 4096 / 229376 = 17; NORMAL 957 * 225280 / 229376 = 939; HIGHMEM 32768 / 1024 = 32.
Config classic(EraId era) {
  Config c;
  c.era = era;
  c.add_zone(ZoneKind::dma, 4096);
  c.add_zone(ZoneKind::normal, 225280);
  c.add_zone(ZoneKind::highmem, 32768);
  return c;
}

using Marks = std::array<std::uint32_t, 3>;
Marks marks(const Model& m, std::uint32_t zone) {
  return {m.watermark(zone, mark_min), m.watermark(zone, mark_low), m.watermark(zone, mark_high)};
}

TEST(Model, TheClassicMachineInTheOldEra) {
  const Model m(classic(EraId::linux_2_6_11));
  EXPECT_EQ(marks(m, 0), (Marks{17, 21, 25}));
  EXPECT_EQ(marks(m, 1), (Marks{939, 1173, 1408}));  // 1173.75, 1408.5
  EXPECT_EQ(marks(m, 2), (Marks{32, 40, 48}));
  EXPECT_EQ(m.lowmem_reserve(0, ZoneKind::normal), 880u);    // 225280 / 256
  EXPECT_EQ(m.lowmem_reserve(0, ZoneKind::highmem), 1008u);  // 258048 / 256
  EXPECT_EQ(m.lowmem_reserve(1, ZoneKind::highmem), 1024u);  // 32768 / 32
  // min(220, 64) / 4 = 16
  EXPECT_EQ(m.pcp_limits(1).batch, 16u);
  EXPECT_EQ(m.pcp_limits(1).low, (std::array<std::uint32_t, 2>{32, 0}));
  EXPECT_EQ(m.pcp_limits(1).high, (std::array<std::uint32_t, 2>{96, 32}));
}

TEST(Model, TheClassicMachineInTheNewEra) {
  const Model m(classic(EraId::linux_6_1));
  EXPECT_EQ(marks(m, 0), (Marks{17, 21, 25}));       // distance max(17 / 4, 4096 / 1000) = 4
  EXPECT_EQ(marks(m, 1), (Marks{939, 1173, 1407}));  // max(939 / 4, 225) = 234
  EXPECT_EQ(marks(m, 2), (Marks{32, 66, 100}));      // its share is 136: max(34, 32) = 34
  EXPECT_EQ(m.lowmem_reserve(0, ZoneKind::highmem), 1008u);
  EXPECT_EQ(m.pcp_limits(0).batch, 1u);
  EXPECT_EQ(m.pcp_limits(0).high[0], 21u);
  EXPECT_EQ(m.pcp_limits(1).batch, 63u);  // 220 / 4 = 55, 55 + 27 = 82, 64 - 1
  EXPECT_EQ(m.pcp_limits(1).high[0], 1173u);
  EXPECT_EQ(m.pcp_limits(2).batch, 7u);
  EXPECT_EQ(m.pcp_limits(2).high[0], 66u);
}

// Refusals -----------------------------------------------------------------------------------

TEST(Model, WhoGivesUpAndWhoWaits) {
  const auto answer = [](EraId era, Gfp extra, unsigned order) {
    Model m(bare_normal(era, 64));
    Prediction last;
    count_granted(m, gfp(m, "GFP_KERNEL"), last);
    return m.alloc_pages(task, gfp(m, "GFP_KERNEL") | extra, order).outcome;
  };
  for (const EraId era : eras) {
    EXPECT_EQ(answer(era, 0, 3), Outcome::suspended);
    EXPECT_EQ(answer(era, 0, 4), Outcome::no_memory);
    EXPECT_EQ(answer(era, GFP_BIT_NOFAIL, 4), Outcome::suspended);
    EXPECT_EQ(answer(era, GFP_BIT_NORETRY, 0), Outcome::no_memory);
    EXPECT_EQ(answer(era, 0, 11), Outcome::no_memory);
  }
  // Nobody is killed for the sake of the DMA zone, and a machine without any zone below HIGHMEM
  // does not wait for one.
  Config high = bare(EraId::linux_6_1), low = bare(EraId::linux_6_1);
  high.add_zone(ZoneKind::highmem, 16);
  low.add_zone(ZoneKind::dma, 16);
  for (const Config& c : {high, low}) {
    Model m(c);
    EXPECT_EQ(m.alloc_pages(task, GFP_BIT_HIGHMEM, 4).outcome, Outcome::granted);
    EXPECT_EQ(m.alloc_pages(task, gfp(m, "GFP_KERNEL") | GFP_BIT_DMA, 0).outcome,
              Outcome::no_memory);
    EXPECT_EQ(m.alloc_pages(task, gfp(m, "GFP_KERNEL"), 0).outcome,
              m.config() == high ? Outcome::no_memory : Outcome::suspended);
  }
  // Old: asking to repeat means asking for ever, and not retrying wins over not failing.
  EXPECT_EQ(answer(EraId::linux_2_6_11, GFP_BIT_RETRY_MAYFAIL, 4), Outcome::suspended);
  EXPECT_EQ(answer(EraId::linux_2_6_11, GFP_BIT_NORETRY | GFP_BIT_NOFAIL, 0), Outcome::no_memory);
  EXPECT_EQ(answer(EraId::linux_2_6_11, GFP_BIT_DMA, 0), Outcome::no_memory);  // no such zone
  EXPECT_EQ(answer(EraId::linux_6_1, GFP_BIT_RETRY_MAYFAIL, 0), Outcome::no_memory);
  EXPECT_EQ(answer(EraId::linux_6_1, GFP_BIT_NORETRY | GFP_BIT_NOFAIL, 0), Outcome::suspended);
  EXPECT_EQ(answer(EraId::linux_6_1, GFP_BIT_THISNODE, 0), Outcome::no_memory);
}

TEST(Model, ASuspendedRequestIsGrantedOnceAPageIsFree) {
  for (const EraId era : eras) {
    Model m(bare_normal(era, 64));
    Prediction last;
    count_granted(m, gfp(m, "GFP_KERNEL"), last);
    EXPECT_EQ(m.resume(task, gfp(m, "GFP_KERNEL"), 0).outcome, Outcome::suspended);
    put(m, 17);
    EXPECT_EQ(m.resume(task, gfp(m, "GFP_KERNEL"), 0), (Prediction{Outcome::granted, 17, false}));
  }
}

TEST(Model, FlagsThatExcludeEachOtherAreMisuseAndDoNotCount) {
  Model m(bare_normal(EraId::linux_6_1, 64));
  m.plan_failure(1);
  EXPECT_EQ(m.alloc_pages(task, GFP_BIT_DMA | GFP_BIT_HIGHMEM, 0).outcome, Outcome::misuse);
  EXPECT_EQ(m.alloc_pages(task, GFP_BIT_DMA32 | GFP_BIT_HIGHMEM, 0).outcome, Outcome::misuse);
  EXPECT_EQ(m.alloc_pages(task, GFP_BIT_DMA | GFP_BIT_HIGHMEM, 11).outcome, Outcome::no_memory);
  EXPECT_EQ(m.alloc_pages(task, GFP_BIT_NOFAIL, 0).outcome, Outcome::granted);
  EXPECT_EQ(m.alloc_pages(task, gfp(m, "GFP_KERNEL"), 0).outcome, Outcome::no_memory);
  EXPECT_EQ(m.alloc_pages(task, gfp(m, "GFP_KERNEL"), 0).outcome, Outcome::granted);
  Model old(bare_normal(EraId::linux_2_6_11, 64));
  EXPECT_EQ(old.alloc_pages(task, GFP_BIT_ZERO | GFP_BIT_HIGHMEM, 0).outcome, Outcome::misuse);
}

TEST(Model, TheNodeOfTheCallersCpuServesFirst) {
  Config c = bare(EraId::linux_6_1);
  c.nodes = 2;
  c.cpus = 2;
  c.add_zone(ZoneKind::normal, 16, 0);
  c.add_zone(ZoneKind::normal, 16, 1);
  Model m(c);
  Caller second;
  second.cpu = 1;
  EXPECT_EQ(get(m, 4, task), 0u);
  EXPECT_EQ(get(m, 3, second), 16u);
  const Gfp here = gfp(m, "GFP_KERNEL") | GFP_BIT_THISNODE;
  EXPECT_EQ(m.alloc_pages(task, here, 0).outcome, Outcome::no_memory);
  EXPECT_EQ(get(m, 0, task), 24u);
}

// Bulk ---------------------------------------------------------------------------------------

TEST(Model, ABulkRequestNeedsAllItsSlotsAboveTheLowMark) {
  Config c = marked(EraId::linux_6_1);
  c.pcp = true;
  const auto served = [&](unsigned taken, std::size_t empty, std::size_t all, std::size_t leading) {
    Model m(c);
    for (unsigned i = 0; i < taken; ++i) get(m);
    return m.alloc_pages_bulk(task, gfp(m, "GFP_KERNEL"), empty, all, leading).size();
  };
  EXPECT_EQ(served(0, 8, 8, 0), 8u);
  EXPECT_EQ(served(0, 3, 8, 2), 3u);  // only the empty slots
  EXPECT_EQ(served(0, 0, 8, 8), 0u);
  EXPECT_EQ(served(1024 - 89, 8, 8, 0), 8u);  // 89 > 80 + 8
  EXPECT_EQ(served(1024 - 88, 8, 8, 0), 1u);  // else a single page, from above the minimum
  EXPECT_EQ(served(1024 - 64, 8, 8, 0), 0u);
}

TEST(Model, AnInjectedFailureEndsABulkRequestWithoutASinglePage) {
  Config c = marked(EraId::linux_6_1);
  c.pcp = true;
  Model m(c);
  m.plan_failure(1);
  EXPECT_TRUE(m.alloc_pages_bulk(task, gfp(m, "GFP_KERNEL"), 8, 8, 0).empty());
  // 1100 slots are beyond the mark: the attempt counts one, and its single page another.
  m.plan_failure(2);
  EXPECT_TRUE(m.alloc_pages_bulk(task, gfp(m, "GFP_KERNEL"), 1100, 1100, 0).empty());
  EXPECT_EQ(m.planned_failure(), 0u);
}

}  // namespace
}  // namespace props::buddy
