// The stack of a task's temporary maps (6.1), worked out by hand: order, depth, preemption.
#include <gtest/gtest.h>

#include "props/kmap/reference_cases.hpp"

namespace props::kmap::by_hand {
namespace {

// The frames of the CPU's first four slots, '.' where nothing is mapped: "64 65 . ."
std::string fixmap(const Kernel& k, std::uint32_t cpu = 0) {
  std::string text;
  for (std::uint32_t depth = 0; depth < 4; ++depth) {
    const auto pfn = walk(k.m, fixmap_address(k.m, depth + 16 * cpu));
    text += (depth > 0 ? " " : "") + (pfn ? std::to_string(*pfn) : ".");
  }
  return text;
}

TEST(KmapLocal, is_a_stack_in_the_fixmap_of_the_cpu) {
  Kernel k(with_window(new_era));
  EXPECT_EQ(k.map_local(64), Address{0xffffe000});
  EXPECT_EQ(k.map_local(65), Address{0xffffd000});
  EXPECT_EQ(fixmap(k), "64 65 . .");
  EXPECT_EQ(k.maps(0).idx, 2u);
  EXPECT_FALSE(in_atomic(k.m));
  select_cpu(k.m, 1);
  EXPECT_EQ(k.map_local(66), Address{0xfffee000});
  EXPECT_EQ(fixmap(k, 1), "66 . . .");
  EXPECT_EQ(k.maps(1).idx, 1u);
}

TEST(KmapLocal, of_a_page_with_an_address_takes_nothing) {
  Kernel k(with_window(new_era));
  const Machine before = k.m;
  const Address a = k.map_local(5);
  EXPECT_EQ(a, Address{page_offset + 5 * 4096});
  k.unmap_local(a), k.unmap_local(a);
  EXPECT_TRUE(k.m == before);
}

TEST(KmapLocal, a_16th_map_is_one_too_many) {
  for (const bool atomic : {false, true}) {
    Kernel k(with_window(new_era));
    for (Pfn i = 0; i < 15; ++i) k.map_local(64 + i);
    const Machine before = k.m;
    const auto more =
        atomic ? kmap_atomic(k.env, k.m, 90, KmType::KM_USER0) : kmap_local_page(k.env, k.m, 90);
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error(), Refused::misuse);
    EXPECT_EQ(k.told(), (Told{Fault::too_many_local_maps, Effect::none}));
    EXPECT_TRUE(k.m == before);
    k.map_local(5);  // takes no slot
  }
}

TEST(KmapLocal, the_newest_goes_first_by_any_address_of_its_page) {
  Kernel k(with_window(new_era));
  const Address a = k.map_local(64), b = k.map_local(65);
  k.unmap_local(plus(b, 4095));
  EXPECT_EQ(fixmap(k), "64 . . .");
  k.unmap_local(a);
  EXPECT_EQ(fixmap(k), ". . . .");
  EXPECT_EQ(k.told(), nothing);
  EXPECT_TRUE(k.m == Machine(k.m.config));
}

TEST(KmapLocal, out_of_order_the_newest_dies_instead) {
  Kernel k(with_window(new_era));
  const Address a = k.map_local(64), b = k.map_local(65);
  k.use(0, a), k.use(0, b);
  k.unmap_local(a);
  EXPECT_EQ(k.m.globals().log.pfn, 65u);  // whose map it was
  EXPECT_EQ(k.m.globals().log.warnings, 1u);
  EXPECT_EQ(k.told(), (Told{Fault::unmap_out_of_order, Effect::freed}));
  EXPECT_EQ(fixmap(k), "64 . . .");
  EXPECT_EQ(cached(k.m, 0, b), std::nullopt);
  EXPECT_EQ(k.maps(0).pteval[1], 0u);
  k.unmap_local(b);                           // and so does the other
  EXPECT_EQ(k.m.globals().log.warnings, 0u);  // told once a boot
  EXPECT_EQ(k.told(), (Told{Fault::unmap_out_of_order, Effect::freed}));
  EXPECT_EQ(fixmap(k), ". . . .");
  k.unmap_local(b);  // a kernel would write before the stack here
  EXPECT_EQ(k.told(), (Told{Fault::kunmap_of_unmapped, Effect::none}));
}

TEST(KmapLocal, a_slot_of_another_cpu_is_out_of_order_too) {
  Kernel k(with_window(new_era));
  const Address a = k.map_local(64);
  select_cpu(k.m, 1);
  k.map_local(65);
  k.unmap_local(a);
  EXPECT_EQ(k.told(), (Told{Fault::unmap_out_of_order, Effect::freed}));
  EXPECT_EQ(fixmap(k, 0), "64 . . .");
  EXPECT_EQ(fixmap(k, 1), ". . . .");
}

TEST(KmapLocal, an_address_of_no_map_is_named_and_below_the_kernel_warned_of) {
  Kernel k(with_window(new_era));
  k.map_local(64);
  const auto warnings = [&](std::uint64_t a) {
    k.unmap_local(Address{a});
    const std::uint32_t told = k.m.globals().log.warnings;
    EXPECT_EQ(k.told(), (Told{Fault::kunmap_of_unmapped, Effect::none}));
    return told;
  };
  EXPECT_EQ(warnings(k.m.mmu.window.vmalloc_start), 0u);
  EXPECT_EQ(warnings(k.m.mmu.window.fixmap_start - 1), 0u);
  EXPECT_EQ(warnings(k.m.mmu.window.fixaddr_top), 0u);
  EXPECT_EQ(warnings(0xbfffffff), 1u);
  EXPECT_EQ(warnings(0), 0u);  // once a boot
  EXPECT_EQ(fixmap(k), "64 . . .");
}

// Cleared, flushed, forgotten, and only then popped: an interrupt takes the next slot.
TEST(KmapLocal, is_torn_down_before_its_slot_is_free) {
  Kernel k(with_window(new_era));
  k.map_local(64);
  const Address b = k.map_local(65);
  k.use(0, b);
  int reached = 0;
  k.env.act = [&](Point) {
    if (reached++ > 0) return;
    EXPECT_EQ(fixmap(k), "64 . . .");
    EXPECT_EQ(cached(k.m, 0, b), std::nullopt);
    EXPECT_EQ(k.maps(0).idx, 2u);
    EXPECT_EQ(k.maps(0).pteval[1], 0u);
    EXPECT_EQ(k.m.cpu().preempt_count, 1u);
    EXPECT_TRUE(move_context(k.m, ContextMove::irq_enter));
    const Address c = k.map_local(66);
    EXPECT_EQ(c, fixmap_address(k.m, 2));
    k.unmap_local(c);
    EXPECT_TRUE(move_context(k.m, ContextMove::irq_exit));
  };
  k.unmap_local(b);
  EXPECT_EQ(reached, 2);
  EXPECT_EQ(k.maps(0).idx, 1u);
  EXPECT_EQ(k.m.cpu().preempt_count, 0u);
  EXPECT_EQ(k.told(), nothing);
}

TEST(KmapLocal, maps_leave_with_their_task_and_come_back_with_it) {
  Kernel k(with_window(new_era));
  const Address a = k.map_local(64), b = k.map_local(65);
  put_in_ram(k.m, 64, 'a'), put_in_ram(k.m, 65, 'b'), put_in_ram(k.m, 70, 'c');
  EXPECT_EQ(read_byte(k.m, a), 'a');
  EXPECT_TRUE(switch_task(k.m, 2));
  EXPECT_EQ(fixmap(k), ". . . .");
  EXPECT_EQ(read_byte(k.m, a), '!');
  EXPECT_EQ(k.map_local(70), a);  // the same slot, of another task
  EXPECT_EQ(read_byte(k.m, a), 'c');
  EXPECT_TRUE(switch_task(k.m, 0));
  EXPECT_EQ(fixmap(k), "64 65 . .");
  EXPECT_EQ(read_byte(k.m, a), 'a');
  EXPECT_EQ(read_byte(k.m, b), 'b');
  EXPECT_EQ(k.told(), nothing);
}

TEST(KmapLocal, pins_its_task_to_the_cpu) {
  Kernel k(with_window(new_era));
  const Address a = k.map_local(64), b = k.map_local(65);
  EXPECT_EQ(k.maps(0).migration_disabled, 2u);
  EXPECT_TRUE(switch_task(k.m, 2));
  select_cpu(k.m, 1);
  const Machine before = k.m;
  EXPECT_FALSE(switch_task(k.m, 0));
  EXPECT_TRUE(k.m == before);
  EXPECT_TRUE(switch_task(k.m, 3));  // another may move
  select_cpu(k.m, 0);
  EXPECT_TRUE(switch_task(k.m, 0));
  const auto may_move = [&] {
    EXPECT_TRUE(switch_task(k.m, 2));
    select_cpu(k.m, 1);
    const bool moved = switch_task(k.m, 0);
    if (!moved) {
      select_cpu(k.m, 0);
      EXPECT_TRUE(switch_task(k.m, 0));
    }
    return moved;
  };
  k.unmap_local(b);
  EXPECT_FALSE(may_move());  // one is enough
  k.unmap_local(a);
  EXPECT_TRUE(may_move());
  EXPECT_EQ(k.map_local(64), fixmap_address(k.m, 16));
}

TEST(KmapLocal, may_be_held_while_its_task_sleeps) {
  Kernel k(with_window(new_era, 1));
  const Address a = k.map_local(70);
  k.map(64);
  EXPECT_FALSE(ref::kmap::kmap(k.env, k.m, 65));
  EXPECT_TRUE(switch_task(k.m, 2));
  EXPECT_EQ(walk(k.m, a), std::nullopt);
  kunmap(k.m, 64);
  EXPECT_TRUE(switch_task(k.m, 0));
  EXPECT_TRUE(ref::kmap::resume(k.env, k.m));
  EXPECT_EQ(walk(k.m, a), Pfn{70});
  EXPECT_EQ(k.told(), nothing);
}

// An atomic map is a local one, between two counts; so they share the stack.
TEST(KmapLocal, and_atomic_maps_are_one_stack) {
  Kernel k(with_window(new_era));
  const Address a = k.map_local(64), b = k.map_atomic(65), c = k.map_local(66);
  EXPECT_EQ(fixmap(k), "64 65 66 .");
  EXPECT_EQ(k.m.cpu().preempt_count, 1u);
  k.unmap_local(c), k.unmap_atomic(b);
  EXPECT_EQ(k.m.cpu().preempt_count, 0u);
  k.unmap_local(a);
  EXPECT_EQ(k.told(), nothing);
  EXPECT_TRUE(k.m == Machine(k.m.config));
}

TEST(KmapLocal, an_interrupt_that_leaves_a_map_behind_makes_the_next_one_fail) {
  Kernel k(with_window(new_era));
  const Address a = k.map_local(64);
  bool once = true;
  k.env.act = [&](Point) {
    if (std::exchange(once, false)) k.map_local(65);
  };
  k.unmap_local(a);  // pops the wrong one
  k.env.act = {};
  EXPECT_EQ(k.maps(0).idx, 1u);
  EXPECT_EQ(fixmap(k), ". 65 . .");
  EXPECT_FALSE(kmap_local_page(k.env, k.m, 66));
  EXPECT_EQ(k.told(), (Told{Fault::atomic_slot_busy, Effect::none}));
  EXPECT_TRUE(switch_task(k.m, 2));  // what was lost is told, not followed
  EXPECT_EQ(k.m.globals().log.warnings, 1u);
}

TEST(KmapLocal, is_younger_than_the_older_kernel) {
  Kernel k(with_window(old_era));
  const Machine before = k.m;
  for (const Pfn pfn : {Pfn{5}, highmem}) {
    const auto a = kmap_local_page(k.env, k.m, pfn);
    ASSERT_FALSE(a);
    EXPECT_EQ(a.error(), Refused::no_memory);
  }
  EXPECT_TRUE(k.m == before);
  k.unmap_local(Address{page_offset});
  EXPECT_EQ(k.told(), (Told{Fault::kunmap_of_unmapped, Effect::none}));
}

}  // namespace
}  // namespace props::kmap::by_hand
