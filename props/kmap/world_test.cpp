// Each rule of what a client sees falls when the machine is made wrong behind the world's back.
#include "props/kmap/world.hpp"

#include "props/kmap/rules.hpp"
#include "props/kmap/scene.hpp"

namespace props::kmap {
namespace {

using ref::buddy::Address;

TEST(KmapWorld, a_life_of_slots_breaks_nothing) {
  for (const std::string& line : {small, small_old}) {
    Scene s(line, Judging::everything());
    s.run(make + fill + "m4 = kmap(page=p0, index=4) -> fault deadlock");
    EXPECT_TRUE(s.world().suspended());
    s.run("task(id=2) -> ok\nkunmap(map=m1) -> ok\ntask(id=0)\ntouch_map(map=m4) -> ok");
    EXPECT_FALSE(s.world().suspended());
    s.expect_right();
  }
}

TEST(KmapWorld, a_wait_for_somebody_who_does_not_wait_is_no_deadlock) {
  Scene s(small);
  s.run(make + fill + "task(id=2) -> ok\nm4 = kmap(page=p0, index=4) -> suspended");
  s.run("task(id=0) -> ok\nm5 = kmap(page=p0, index=5) -> fault deadlock");
  s.expect_right();
}

TEST(KmapWorld, another_page_in_the_page_tables_is_seen_by_every_cpu) {
  Scene s(small);
  s.run(make + "m0 = kmap(page=p0, index=0)");
  s.remap(s.map(0).address, s.map(0).pfn + 1);
  s.run("cpu(id=1) -> ok\ntouch_map(map=m0)");
  EXPECT_EQ(s.broken(), "KMAP-TRANSLATES");
}

TEST(KmapWorld, a_stale_translation_of_another_cpu_is_seen_when_its_slot_is_used_again) {
  Scene s(small);
  s.run(make + "m0 = kmap(page=p0, index=0)\nkunmap(map=m0)\nkmap_flush_unused()");
  // As if a CPU had not heard of the flush.
  s.remap(s.map(0).address, s.map(0).pfn);
  ref::mmu::prefetch(s.machine(), 1, Address{s.map(0).address});
  s.remap(s.map(0).address, std::nullopt);
  s.globals().last_pkmap_nr = 0;
  s.run("m1 = kmap(page=p0, index=1)");
  EXPECT_EQ(s.broken(), "KMAP-TRANSLATES");
}

TEST(KmapWorld, contents_that_change_behind_a_map_are_noticed) {
  Scene s(small);
  s.run(make + "m0 = kmap(page=p0, index=0)");
  ref::buddy::write_pages(s.machine(), s.map(0).pfn, 0, 1)[0] ^= std::byte{1};
  s.run("touch_map(map=m0)");
  EXPECT_EQ(s.broken(), "KMAP-CONTENT");
}

TEST(KmapWorld, a_slot_that_is_forgotten_is_missing_at_the_end) {
  Scene s(small);
  s.run(make + "m0 = kmap(page=p0, index=0)");
  s.count(3) = 2;
  EXPECT_EQ(s.broken_at_end(), "KMAP-CAPACITY");
}

TEST(KmapWorld, a_user_too_many_keeps_the_slot) {
  Scene s(small);
  s.run(make + "m0 = kmap(page=p0, index=0)");
  ++s.count(1);
  EXPECT_EQ(s.broken_at_end(), "KMAP-RETURNED");
}

TEST(KmapWorld, a_wait_with_a_free_slot_is_none) {
  Scene s(small);
  s.run(make + fill + "m4 = kmap(page=p0, index=4)\ntask(id=2) -> ok\nkunmap(map=m0)");
  s.globals().sleepers = 1;  // nobody woke it
  s.run("task(id=0)");
  EXPECT_EQ(s.broken(), "KMAP-WAITS");
}

TEST(KmapWorld, a_refusal_with_a_free_slot_is_none) {
  Scene s(small_old);
  s.run(make);
  for (std::uint32_t slot = 0; slot < 4; ++slot) s.count(slot) = 2;
  s.run("preempt_disable()\nm0 = kmap(page=p0, index=0)");
  EXPECT_EQ(s.broken(), "KMAP-WAITS");
}

TEST(KmapWorld, who_frees_a_slot_wakes_somebody) {
  Scene s(small);
  s.run(make + fill + "m4 = kmap(page=p0, index=4)\ntask(id=2) -> ok");
  s.globals().sleepers = 0;  // so that there is nobody to wake
  s.machine().arena.edit(s.machine().core.task, 0).wait.call = 1;
  s.run("kunmap(map=m0)");
  EXPECT_EQ(s.broken(), "KMAP-WAKES");
}

TEST(KmapWorld, a_page_that_lost_its_address_is_looked_for_in_vain) {
  Scene s(small);
  s.run(make + "m0 = kmap(page=p0, index=0)");
  s.machine().arena.edit(s.machine().kmap.page_address, 1).page += 1;
  s.run("page_address(page=p0, index=0)");
  EXPECT_EQ(s.broken(), "KMAP-LOOKUP");
}

TEST(KmapWorld, misuse_that_nobody_names_is_noticed) {
  Scene s(small);
  s.run(make + "m0 = kmap(page=p0, index=0) -> address 0xfffff440\nkunmap(map=m0)");
  s.count(1) = 2;
  s.run("kunmap_stale(map=m0)");
  EXPECT_EQ(s.broken(), "KMAP-FAULT");
}

TEST(KmapWorld, what_is_left_by_a_flush_is_noticed) {
  Scene s(small);
  s.run(make + "m0 = kmap(page=p0, index=0)\nkunmap(map=m0)");
  s.count(1) = 2;
  s.run("kmap_flush_unused()");
  EXPECT_EQ(s.broken(), "KMAP-FLUSHED");
}

TEST(KmapWorld, counts_of_a_cpu_that_drift_are_noticed) {
  Scene s(small);
  s.run(make + "m0 = kmap_atomic(page=p0, index=0, type=KM_USER0) -> address 0xffffff80");
  s.expect_right();
  Scene t(small);
  t.run(make + "m0 = kmap_atomic(page=p0, index=0, type=KM_USER0)");
  t.machine().arena.edit(t.machine().core.cpu, 0).pagefault_disabled = 0;
  t.run("kunmap_atomic(map=m0)");
  EXPECT_EQ(t.broken(), "KMAP-FAULT");
}

TEST(KmapWorld, a_temporary_map_that_is_still_there_is_noticed) {
  for (const std::string& line : {small, small_old}) {
    Scene s(line);
    s.run(make + "m0 = kmap_atomic(page=p0, index=0, type=KM_USER0)");
    const std::uint64_t address = s.map(0).address;
    const Pfn pfn = s.map(0).pfn;
    // The CPU remembers another page there, whatever the page tables say.
    ref::mmu::flush_page(s.machine(), Address{address}, ref::mmu::Cpus::all);
    s.remap(address, pfn + 1);
    ref::mmu::prefetch(s.machine(), 0, Address{address});
    s.remap(address, pfn);
    s.run("touch_map(map=m0)");
    EXPECT_EQ(s.broken(), "ATOMIC-TRANSLATES") << line;
  }
}

TEST(KmapWorld, local_maps_come_back_with_their_task) {
  Scene s(small, Judging::everything());
  s.run(make +
        "m0 = kmap_local_page(page=p0, index=0) -> address 0xffffff80\n"
        "m1 = kmap_local_page(page=p0, index=1) -> address 0xffffff40\n"
        "task(id=2) -> ok\nm2 = kmap_local_page(page=p0, index=2) -> address 0xffffff80\n"
        "cpu(id=1) -> ok\ntask(id=0) -> skipped\ncpu(id=0) -> ok\ntask(id=0) -> ok\n"
        "touch_map(map=m0) -> ok\nkunmap_local(map=m1) -> ok\nkunmap_local(map=m0) -> ok\n"
        "task(id=2) -> ok\nkunmap_local(map=m2) -> ok");
  s.expect_right();
  Scene t(small);
  t.run(make + "m0 = kmap_local_page(page=p0, index=0)\ntask(id=2) -> ok");
  t.machine().arena.edit(t.machine().kmap.local, 0).pteval[0] += 2;  // the next frame
  t.run("task(id=0)");
  EXPECT_EQ(t.broken(), "ATOMIC-TRANSLATES");
}

TEST(KmapWorld, an_unmap_out_of_order_ends_the_newest) {
  Scene s(small, Judging::everything());
  s.run(make +
        "m0 = kmap_local_page(page=p0, index=0)\nm1 = kmap_local_page(page=p0, index=1)\n"
        "kunmap_local(map=m0) -> fault unmap-out-of-order");
  EXPECT_TRUE(s.map(1).lost);
  s.run(
      "touch_map(map=m1) -> skipped\nkunmap_local(map=m1) -> fault unmap-out-of-order\n"
      "kunmap_local(map=m0) -> fault kunmap-of-unmapped");
  s.expect_right();
}

TEST(KmapWorld, what_an_interrupt_maps_and_forgets_ends_with_it) {
  for (const std::string& line : {small, small_old}) {
    Scene s(line, Judging::everything());
    s.run(make +
          "m0 = kmap_atomic(page=p0, index=0, type=KM_USER0)\n"
          "@kmap.atomic.cleared m1 = kmap_atomic(page=p0, index=1, type=KM_IRQ0)\n"
          "kunmap_atomic(map=m0) -> ok");
    EXPECT_EQ(s.world().reach()[ReachEvent::interrupt_unmapped], 1u) << line;
    s.expect_right();
  }
}

TEST(KmapWorld, a_slot_that_becomes_free_before_the_caller_sleeps_is_his) {
  for (const std::string& line : {small, small_old}) {
    Scene s(line, Judging::everything());
    s.run(make + fill +
          "@kmap.unlocked cpu(id=1)\n@kmap.unlocked kunmap(map=m2)\n"
          "m4 = kmap(page=p0, index=4)");
    EXPECT_EQ(s.map(4).address, s.map(2).address) << line;
    s.expect_right();
  }
}

TEST(KmapWorld, clearing_more_than_was_asked_is_noticed_at_its_page) {
  Scene s(small, Judging::everything());
  s.run(make +
        "m0 = kmap(page=p0, index=0)\n"
        "zero_user_segments(page=p0, index=0, start1=3, end1=9, start2=60, end2=64) -> ok\n"
        "zero_user_segments(page=p0, index=0, start1=9, end1=3, start2=0, end2=0) -> ok\n"
        "zero_user_segments(page=p0, index=0, start1=0, end1=65, start2=0, end2=0) -> fault "
        "bad-segment\ntouch_map(map=m0) -> ok");
  s.expect_right();
}

TEST(KmapWorld, machines_without_slots_or_window_refuse) {
  Scene s("era=linux-6.1 zones=NORMAL:32,HIGHMEM:32");
  s.run(make +
        "m0 = kmap(page=p0, index=0) -> refused\n"
        "m1 = kmap_local_page(page=p0, index=0) -> refused\n"
        "p1 = alloc_pages(order=0, gfp=GFP_KERNEL)\n"
        "m2 = kmap(page=p1, index=0)\nkunmap(map=m2) -> ok");
  s.expect_right();
}

}  // namespace
}  // namespace props::kmap
