// How areas end: vfree in every context and at every address, and what others may not end.
#include "props/vmalloc/reference_cases.hpp"

namespace props::vmalloc::by_hand {
namespace {

TEST(Vfree, pages_go_back_at_once_and_addresses_when_every_cpu_has_forgotten_them) {  // V-40, V-42
  for (const EraId era : eras) {
    Kernel k(with_cpus(window(era, 16), 2));
    const Address a = k.memory(2);
    ASSERT_TRUE(k.store(a, 7));
    ASSERT_EQ(k.load_on(1, a), 7u);
    const std::uint64_t before = k.free_pages();
    k.put(a);
    EXPECT_GE(k.free_pages(), before + 2);
    EXPECT_FALSE(vmalloc_to_page(k.m, a));
    if (era == new_era) {
      EXPECT_TRUE(k.load_on(1, a));  // stale, and nobody may be given the address
      EXPECT_EQ(vmap_lazy_nr(k.m), 3u);
      EXPECT_TRUE(purge_vmap_area_lazy(k.env, k.m));
    }
    EXPECT_FALSE(k.load_on(0, a));
    EXPECT_FALSE(k.load_on(1, a));
    EXPECT_EQ(k.fault(), Fault::none);
  }
}

TEST(Vfree, null_is_nothing) {  // V-24
  for (const EraId era : eras) {
    Kernel k(window(era, 8));
    vfree(k.env, k.m, Address::null);
    vunmap(k.env, k.m, Address::null);
    vfree_atomic(k.env, k.m, Address::null);
    EXPECT_EQ(k.fault(), Fault::none);
  }
}

TEST(Vfree, an_address_within_a_page_frees_nothing) {  // V-25
  for (const EraId era : eras) {
    Kernel k(window(era, 16));
    const Address a = k.memory(2);
    k.put(behind(a, 8));
    const Log log = k.log();
    EXPECT_EQ(log.fault, Fault::bad_area_address);
    EXPECT_EQ(log.effect, Effect::none);
    EXPECT_EQ(log.warnings, 1u);
    EXPECT_EQ(vmalloc_nr_pages(k.m), 2u);
  }
}

TEST(Vfree, an_address_of_no_area_frees_nothing) {  // V-25
  for (const EraId era : eras) {
    Kernel k(window(era, 16));
    const Address a = k.memory(2);
    for (const Address foreign : {k.at(5), Address{page_offset + 4096}, Address{0xffffe000}}) {
      k.put(foreign);
      const Log log = k.log();
      EXPECT_EQ(log.fault, Fault::not_an_area);
      EXPECT_EQ(log.effect, Effect::none);
      EXPECT_EQ(log.warnings, 1u);
    }
    k.put(a);
    EXPECT_EQ(k.fault(), Fault::none);
    k.put(a);  // already freed
    EXPECT_EQ(k.fault(), Fault::not_an_area);
  }
}

// 6.1 looks for the range that an address is in, guard included; 2.6.11 for an equal beginning.
TEST(Vfree, an_interior_page_frees_the_area_in_6_1_only) {  // V-25
  for (const std::uint64_t page : {1u, 2u}) {
    for (const EraId era : eras) {
      Kernel k(window(era, 16));
      const Address a = k.memory(2);
      k.put(behind(a, k.bytes(page)));
      const Log log = k.log();
      EXPECT_EQ(log.fault, era == new_era ? Fault::bad_area_address : Fault::not_an_area);
      EXPECT_EQ(log.effect, era == new_era ? Effect::freed : Effect::none);
      EXPECT_EQ(vmalloc_nr_pages(k.m), era == new_era ? 0u : 2u);
    }
  }
}

TEST(Vfree, an_interrupt_stops_2_6_11) {  // V-24
  Kernel k(window(old_era, 8));
  const Address a = k.memory(2);
  ASSERT_TRUE(move_context(k.m, ContextMove::irq_enter));
  k.put(a);
  EXPECT_EQ(k.fault(), Fault::in_interrupt);
  EXPECT_EQ(vmalloc_nr_pages(k.m), 2u);
  EXPECT_FALSE(free_work_pending(k.m, 0));
}

// vfree(a), vfree(b):  CPU 0 ─▶ b ─▶ a, the links in the first words of the two
TEST(Vfree, an_interrupt_leaves_the_work_to_later_in_6_1) {  // V-24
  Kernel k(window(new_era, 32));
  const Address a = k.memory(2), b = k.memory(1);
  ASSERT_TRUE(move_context(k.m, ContextMove::irq_enter));
  k.put(a);
  k.put(b);
  ASSERT_TRUE(move_context(k.m, ContextMove::irq_exit));
  EXPECT_EQ(k.load(b), number(a));
  EXPECT_EQ(k.load(a), 0u);
  EXPECT_EQ(cpu_of(k.m, 0).deferred, number(b));
  EXPECT_EQ(k.picture().substr(0, 5), "aagbg");  // still busy, and mapped
  EXPECT_EQ(vmalloc_nr_pages(k.m), 3u);
  EXPECT_TRUE(area_at(k.m, a)->deferred);
  EXPECT_TRUE(free_work_pending(k.m, 0));
  free_work(k.env, k.m, 0);
  EXPECT_EQ(k.picture().substr(0, 5), "~~~~~");
  EXPECT_EQ(vmalloc_nr_pages(k.m), 0u);
  EXPECT_FALSE(free_work_pending(k.m, 0));
  EXPECT_EQ(k.fault(), Fault::none);
}

// A kernel would link the memory to itself, and free it until something breaks.
TEST(Vfree, what_waits_to_be_freed_cannot_be_freed_again) {  // real-bugs 148
  Kernel k(window(new_era, 32));
  const Address a = k.memory(2), b = k.memory(1);
  vfree_atomic(k.env, k.m, a);
  vfree_atomic(k.env, k.m, b);
  EXPECT_EQ(k.fault(), Fault::none);
  const auto again = {vfree_atomic, vfree, vunmap, iounmap, free_vm_area};
  for (const auto call : again) {
    call(k.env, k.m, a);
    const Log log = k.log();
    EXPECT_EQ(log.fault, Fault::double_free);
    EXPECT_EQ(log.effect, Effect::none);
  }
  EXPECT_FALSE(remove_vm_area(k.env, k.m, a));
  EXPECT_EQ(k.fault(), Fault::double_free);
  free_work(k.env, k.m, 0);
  EXPECT_EQ(k.fault(), Fault::none);
  EXPECT_EQ(set_of(k.m, RangeSet::busy).count, 0u);
}

TEST(Vfree, a_link_needs_memory_at_the_address) {
  Kernel k(window(new_era, 32));
  const Address a = k.memory(2);
  for (const Address bad : {behind(a, k.bytes(2)), behind(a, 3)}) {  // the guard; between words
    vfree_atomic(k.env, k.m, bad);
    EXPECT_EQ(k.fault(), Fault::bad_area_address);
    EXPECT_FALSE(free_work_pending(k.m, 0));
  }
  vfree_atomic(k.env, k.m, k.at(20));
  EXPECT_EQ(k.fault(), Fault::not_an_area);
  // An interior page is taken, and frees the area when its time comes.
  vfree_atomic(k.env, k.m, behind(a, k.bytes(1)));
  EXPECT_EQ(k.fault(), Fault::none);
  free_work(k.env, k.m, 0);
  EXPECT_EQ(k.fault(), Fault::bad_area_address);
  EXPECT_EQ(vmalloc_nr_pages(k.m), 0u);
}

TEST(Vfree, a_list_that_was_written_over_ends_there) {
  Kernel k(window(new_era, 32));
  const Address a = k.memory(1), b = k.memory(1);
  vfree_atomic(k.env, k.m, a);
  vfree_atomic(k.env, k.m, b);
  ASSERT_TRUE(k.store(b, 0x1234567));  // by somebody who still uses it
  free_work(k.env, k.m, 0);
  EXPECT_EQ(k.fault(), Fault::overwritten);
  EXPECT_EQ(vmalloc_nr_pages(k.m), 1u);  // a is lost
  EXPECT_EQ(ranges_broken(k.m), "");
}

TEST(Vfree, each_cpu_has_its_own_list) {
  Kernel k(with_cpus(window(new_era, 32), 2));
  const Address a = k.memory(1), b = k.memory(1);
  vfree_atomic(k.env, k.m, a);
  select_cpu(k.m, 1);
  vfree_atomic(k.env, k.m, b);
  free_work(k.env, k.m, 0);
  EXPECT_FALSE(area_at(k.m, a));
  EXPECT_TRUE(area_at(k.m, b));
  EXPECT_TRUE(free_work_pending(k.m, 1));
  free_work(k.env, k.m, 1);
  EXPECT_FALSE(area_at(k.m, b));
}

// The call is legal; what nobody can give back any more is lost.
TEST(Vunmap, memory_that_is_only_unmapped_is_lost) {  // V-26
  for (const EraId era : eras) {
    Kernel k(window(era, 16));
    const Address a = k.memory(2);
    const Pfn first = *vmalloc_to_page(k.m, a);
    const std::uint64_t before = k.free_pages();
    vunmap(k.env, k.m, a);
    const Log log = k.log();
    EXPECT_EQ(log.fault, Fault::area_pages_lost);
    EXPECT_EQ(log.effect, Effect::leaked);
    EXPECT_EQ(log.leaks, 2u);
    EXPECT_EQ(log.leak[0].first, first);
    EXPECT_EQ(k.free_pages(), before);
    EXPECT_EQ(ref::buddy::page_count(k.m, first), 1u);
    EXPECT_EQ(set_of(k.m, RangeSet::busy).count, 0u);
  }
}

TEST(Vunmap, no_interrupt_may_call_it) {
  for (const EraId era : eras) {
    Kernel k(window(era, 8));
    const Address a = k.area(2);
    ASSERT_TRUE(move_context(k.m, ContextMove::softirq_enter));
    vunmap(k.env, k.m, a);
    EXPECT_EQ(k.fault(), Fault::in_interrupt);
    EXPECT_TRUE(area_at(k.m, a));
  }
}

TEST(RemoveVmArea, the_descriptor_is_the_callers_to_free) {
  for (const EraId era : eras) {
    Kernel k(window(era, 16));
    const Address a = k.area(3);
    const auto removed = remove_vm_area(k.env, k.m, a);
    ASSERT_TRUE(removed);
    EXPECT_EQ(removed->first, a);
    EXPECT_EQ(removed->bytes, k.bytes(4));
    EXPECT_FALSE(area_at(k.m, a));
    const auto object = ref::slab::object_at(k.m, removed->descriptor);
    ASSERT_TRUE(object && object->live);
    ref::kmalloc::kfree(k.env, k.m, removed->descriptor);
    EXPECT_EQ(k.fault(), Fault::none);
    EXPECT_FALSE(remove_vm_area(k.env, k.m, a));
    EXPECT_EQ(k.fault(), Fault::none);  // a question, answered NULL
  }
}

TEST(FreeVmArea, only_the_first_address_is_the_area) {
  for (const EraId era : eras) {
    Kernel k(window(era, 16));
    const Address a = k.area(3);
    free_vm_area(k.env, k.m, behind(a, k.bytes(1)));
    EXPECT_EQ(k.fault(), Fault::not_an_area);
    EXPECT_TRUE(area_at(k.m, a));
    free_vm_area(k.env, k.m, a);
    EXPECT_EQ(k.fault(), Fault::none);
    EXPECT_FALSE(area_at(k.m, a));
  }
}

// A page of the list that is no page any more: its slot is passed over, and said.
TEST(Vfree, a_list_of_pages_that_was_written_over_frees_what_it_still_names) {
  for (const EraId era : eras) {
    Kernel k(window(era, 16));
    const Address a = k.memory(2);
    const Pfn second = *vmalloc_to_page(k.m, behind(a, k.bytes(1)));
    const auto array = ref::slab::write_bytes(k.m, area_at(k.m, a)->page_array, 1);
    array[0] = std::byte{0};
    k.put(a);
    EXPECT_EQ(k.fault(), Fault::overwritten);
    EXPECT_EQ(ref::buddy::page_count(k.m, second), 0u);
  }
}

}  // namespace
}  // namespace props::vmalloc::by_hand
