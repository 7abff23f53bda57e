// Temporary maps that forbid sleeping, worked out by hand: types and CPUs (2.6.11), the stack
// (6.1).
#include <gtest/gtest.h>

#include "props/kmap/reference_cases.hpp"

namespace props::kmap::by_hand {
namespace {

constexpr auto user0 = KmType::KM_USER0, user1 = KmType::KM_USER1, irq0 = KmType::KM_IRQ0,
               bounce = KmType::KM_BOUNCE_READ, last_type = KmType::KM_SOFTIRQ1,
               no_type = KmType::KM_TYPE_NR;

std::pair<int, int> counts(const Kernel& k) {
  return {k.m.cpu().preempt_count, k.m.cpu().pagefault_disabled};
}
using Counts = std::pair<int, int>;

TEST(KmapAtomic, each_type_has_an_address_on_each_cpu) {
  Kernel k(with_window(old_era));
  EXPECT_EQ(k.map_atomic(highmem, bounce), Address{0xffffe000});
  EXPECT_EQ(k.map_atomic(highmem, user0), Address{0xffffb000});
  EXPECT_EQ(k.map_atomic(highmem, last_type), Address{0xffff2000});
  select_cpu(k.m, 1);
  EXPECT_EQ(k.map_atomic(highmem, bounce), Address{0xffff1000});
  EXPECT_EQ(k.map_atomic(highmem, last_type), Address{0xfffe5000});
  EXPECT_EQ(static_cast<std::uint64_t>(fixmap_address(k.m, 25)), k.m.mmu.window.fixmap_start);
}

TEST(KmapAtomic, a_14th_type_is_the_first_of_the_next_cpu_and_named) {
  Kernel k(with_window(old_era));
  const Machine before = k.m;
  for (const Pfn pfn : {Pfn{5}, highmem}) {
    const auto a = kmap_atomic(k.env, k.m, pfn, no_type);
    ASSERT_FALSE(a);
    EXPECT_EQ(a.error(), Refused::misuse);
    EXPECT_EQ(k.told(), (Told{Fault::wrong_atomic_type, Effect::none}));
  }
  EXPECT_TRUE(k.m == before);
  const Address a = k.map_atomic(highmem);
  k.unmap_atomic(a, no_type);
  EXPECT_EQ(k.told(), (Told{Fault::wrong_atomic_type, Effect::none}));
  EXPECT_EQ(walk(k.m, a), highmem);
}

TEST(KmapAtomic, the_newer_kernel_knows_no_types) {
  Kernel k(with_window(new_era));
  const Address a = k.map_atomic(highmem, no_type), b = k.map_atomic(highmem + 1, no_type);
  k.unmap_atomic(b, user0), k.unmap_atomic(a, user1);
  EXPECT_EQ(k.told(), nothing);
}

TEST(KmapAtomic, forbids_sleeping_and_faults_whatever_the_page) {
  for (const EraId era : eras)
    for (const Pfn pfn : {Pfn{5}, highmem}) {
      Kernel k(with_window(era));
      const Address a = k.map_atomic(pfn);
      EXPECT_EQ(counts(k), (Counts{1, 1}));
      EXPECT_TRUE(in_atomic(k.m));
      EXPECT_FALSE(switch_task(k.m, 2));
      const Address b = k.map_atomic(pfn, user1);
      EXPECT_EQ(counts(k), (Counts{2, 2}));
      EXPECT_EQ(a == Address{page_offset + 5 * 4096}, pfn == 5);
      EXPECT_EQ(a == b, pfn == 5);
      k.unmap_atomic(b, user1), k.unmap_atomic(a);
      EXPECT_EQ(counts(k), (Counts{0, 0}));
      EXPECT_EQ(k.told(), nothing);
      EXPECT_TRUE(k.m == Machine(k.m.config));
    }
}

// What a trace disables it may enable again, but not what a map disabled.
TEST(KmapAtomic, keeps_its_own_count_of_preemption) {
  for (const EraId era : eras) {
    Kernel k(with_window(era));
    EXPECT_TRUE(move_context(k.m, ContextMove::preempt_disable));
    const Address a = k.map_atomic(highmem);
    EXPECT_TRUE(move_context(k.m, ContextMove::preempt_enable));
    EXPECT_FALSE(move_context(k.m, ContextMove::preempt_enable));
    EXPECT_EQ(counts(k), (Counts{1, 1}));
    k.unmap_atomic(a);
    EXPECT_EQ(counts(k), (Counts{0, 0}));
  }
}

TEST(KmapAtomic, a_type_that_is_in_use_is_not_mapped_over) {
  Kernel k(with_window(old_era));
  const Address a = k.map_atomic(highmem);
  const Machine before = k.m;
  const auto again = kmap_atomic(k.env, k.m, highmem + 1, user0);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error(), Refused::misuse);
  EXPECT_EQ(k.told(), (Told{Fault::atomic_slot_busy, Effect::none}));
  EXPECT_TRUE(k.m == before);
  select_cpu(k.m, 1);
  EXPECT_EQ(walk(k.m, k.map_atomic(highmem + 1)), highmem + 1);  // another CPU's own
  EXPECT_EQ(walk(k.m, a), highmem);
}

TEST(KmapAtomic, unmapping_clears_the_entry_and_this_cpu_s_tlb) {
  for (const EraId era : eras) {
    Kernel k(with_window(era));
    const Address a = k.map_atomic(highmem);
    k.use(0, a), k.use(1, a);
    k.unmap_atomic(plus(a, 4095));  // any address of the page
    EXPECT_EQ(walk(k.m, a), std::nullopt);
    EXPECT_EQ(cached(k.m, 0, a), std::nullopt);
    EXPECT_EQ(cached(k.m, 1, a), highmem);  // never used there: nobody asked it to forget
    EXPECT_EQ(k.told(), nothing);
  }
}

TEST(KmapAtomic, another_type_is_not_unmapped_by_this_one) {
  Kernel k(with_window(old_era));
  const Address a = k.map_atomic(highmem, user0), b = k.map_atomic(highmem + 1, user1);
  const Machine before = k.m;
  k.unmap_atomic(a, user1);
  EXPECT_EQ(k.told(), (Told{Fault::wrong_atomic_type, Effect::none}));
  EXPECT_TRUE(k.m == before);
  k.unmap_atomic(a, user0), k.unmap_atomic(b, user1);  // in any order
  EXPECT_EQ(k.told(), nothing);
  EXPECT_EQ(counts(k), (Counts{0, 0}));
}

TEST(KmapAtomic, what_is_not_mapped_is_not_unmapped) {
  for (const EraId era : eras) {
    Kernel k(with_window(era));
    const Address slot = fixmap_address(k.m, 3);  // of USER0
    const auto named = [&](Address a, Told told) {
      Machine before = k.m;
      k.unmap_atomic(a);
      EXPECT_EQ(k.told(), told) << std::hex << static_cast<std::uint64_t>(a);
      k.m.edit_globals().warned = 0, before.edit_globals().warned = 0;
      EXPECT_TRUE(k.m == before);
    };
    const Told unmapped{Fault::kunmap_of_unmapped, Effect::none};
    named(slot, unmapped);
    named(Address{page_offset}, unmapped);  // nothing is atomic
    k.map_atomic(5);
    named(slot, unmapped);
    for (const std::uint64_t a :
         {k.m.mmu.window.high_memory, k.m.mmu.window.vmalloc_start, k.m.mmu.window.pkmap_base,
          k.m.mmu.window.fixaddr_top, std::uint64_t{0}, std::uint64_t{0x1000}})
      named(Address{a}, unmapped);
    k.unmap_atomic(Address{page_offset + 5 * 4096});
    EXPECT_EQ(k.told(), nothing);
    EXPECT_EQ(counts(k), (Counts{0, 0}));
  }
}

TEST(KmapAtomic, an_interrupt_has_types_of_its_own) {
  Kernel k(with_window(old_era));
  const Address a = k.map_atomic(highmem);
  EXPECT_TRUE(move_context(k.m, ContextMove::irq_enter));
  EXPECT_FALSE(kmap_atomic(k.env, k.m, highmem + 1, user0));  // the interrupted one's
  EXPECT_EQ(k.told().first, Fault::atomic_slot_busy);
  const Address b = k.map_atomic(highmem + 1, irq0);
  k.unmap_atomic(b, irq0);
  EXPECT_TRUE(move_context(k.m, ContextMove::irq_exit));
  EXPECT_EQ(walk(k.m, a), highmem);
  EXPECT_EQ(counts(k), (Counts{1, 1}));
}

// The entry is gone, the TLB clean, the slot not yet free; sleeping is still forbidden.
TEST(KmapAtomic, an_interrupt_may_map_while_another_map_goes) {
  for (const EraId era : eras) {
    Kernel k(with_window(era));
    const Address a = k.map_atomic(highmem);
    put_in_ram(k.m, highmem, 'a'), put_in_ram(k.m, highmem + 1, 'b');
    EXPECT_EQ(read_byte(k.m, a), 'a');
    int reached = 0;
    k.env.act = [&](Point p) {
      EXPECT_EQ(p, Point::kmap_atomic_cleared);
      if (reached++ > 0) return;  // of the interrupt's own map
      EXPECT_EQ(walk(k.m, a), std::nullopt);
      EXPECT_EQ(cached(k.m, 0, a), std::nullopt);
      EXPECT_GT(k.m.cpu().preempt_count, 0);
      EXPECT_TRUE(move_context(k.m, ContextMove::irq_enter));
      const Address b = k.map_atomic(highmem + 1, irq0);
      EXPECT_NE(b, a);
      EXPECT_EQ(read_byte(k.m, b), 'b');
      k.unmap_atomic(b, irq0);
      EXPECT_TRUE(move_context(k.m, ContextMove::irq_exit));
    };
    k.unmap_atomic(a);
    EXPECT_EQ(reached, 2);
    EXPECT_EQ(k.told(), nothing);
    EXPECT_TRUE(ref::mmu::walk(k.m, a) == std::nullopt);
    EXPECT_EQ(counts(k), (Counts{0, 0}));
    EXPECT_EQ(k.map_atomic(highmem), a);
  }
}

TEST(KmapAtomic, nests_as_deep_as_a_cpu_can_count) {
  for (const EraId era : eras) {
    Kernel k(with_window(era));
    for (int i = 0; i < 255; ++i) k.map_atomic(5);
    const auto more = kmap_atomic(k.env, k.m, 5, user0);
    ASSERT_FALSE(more);
    EXPECT_EQ(k.told(), (Told{Fault::too_many_local_maps, Effect::none}));
    EXPECT_EQ(counts(k), (Counts{255, 255}));
  }
}

TEST(KmapAtomic, a_page_that_no_zone_has_is_none) {
  for (const EraId era : eras) {
    Kernel k(with_window(era));
    EXPECT_FALSE(kmap_atomic(k.env, k.m, 96, user0));
    EXPECT_EQ(k.told(), (Told{Fault::no_such_page, Effect::none}));
    EXPECT_EQ(counts(k), (Counts{0, 0}));
  }
}

}  // namespace
}  // namespace props::kmap::by_hand
