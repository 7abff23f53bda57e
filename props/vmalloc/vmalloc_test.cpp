// Memory of single pages at consecutive addresses: what is granted, mapped, refused and given back.
#include "props/vmalloc/reference_cases.hpp"
#include "ref/vmalloc/mapping.hpp"

namespace props::vmalloc::by_hand {
namespace {

using ref::vmalloc::vmalloc;

TEST(Vmalloc, each_page_has_its_own_frame_and_the_guard_has_none) {  // V-2, V-22
  for (const EraId era : eras) {
    Kernel k(window(era, 64, 512, 64));
    const Address a = k.memory(5);
    std::vector<Pfn> frames;
    for (std::uint64_t i = 0; i < 5; ++i) {
      const auto pfn = vmalloc_to_page(k.m, behind(a, k.bytes(i) + 17));
      ASSERT_TRUE(pfn);
      EXPECT_EQ(std::ranges::count(frames, *pfn), 0);
      EXPECT_EQ(ref::buddy::page_count(k.m, *pfn), 1u);
      frames.push_back(*pfn);
      ASSERT_TRUE(k.store(behind(a, k.bytes(i)), 1000 + i));
    }
    EXPECT_FALSE(vmalloc_to_page(k.m, behind(a, k.bytes(5))));
    EXPECT_FALSE(k.load(behind(a, k.bytes(5))));
    for (std::uint64_t i = 0; i < 5; ++i) EXPECT_EQ(k.load(behind(a, k.bytes(i))), 1000 + i);
    const auto area = area_at(k.m, a);
    ASSERT_TRUE(area);
    EXPECT_EQ(area->bytes, k.bytes(6));
    EXPECT_EQ(get_vm_area_size(k.m, *area), k.bytes(5));
    EXPECT_EQ(area->nr_pages, 5u);
    EXPECT_EQ(area->flags, VM_ALLOC);
  }
}

TEST(Vmalloc, the_pages_are_high_ones_while_there_are_any) {  // V-20
  for (const EraId era : eras) {
    Kernel k(window(era, 64, 512, 8));
    const auto is_high = [&](Address a) { return *vmalloc_to_page(k.m, a) >= 512; };
    const Address a = k.memory(8);
    for (std::uint64_t i = 0; i < 8; ++i) EXPECT_TRUE(is_high(behind(a, k.bytes(i))));
    EXPECT_FALSE(is_high(k.memory(1)));
  }
}

TEST(Vmalloc, memory_for_32_bits_has_addresses_of_its_own) {  // V-30
  for (const EraId era : eras) {
    Kernel k(window(era, 64, 512, 64));
    for (const auto& got : {vmalloc_32(k.env, k.m, k.bytes(3)), vmalloc_32_user(k.env, k.m, 9)})
      EXPECT_LT(*vmalloc_to_page(k.m, k.granted(got)), 512u);
  }
}

TEST(Vmalloc, memory_for_users_and_of_vzalloc_holds_zeros) {  // V-30
  for (const EraId era : eras) {
    Kernel k(window(era, 64, 128));
    for (std::uint64_t left = k.free_pages(); left > 40; --left) {  // nothing clean remains
      const Pfn pfn = k.frame();
      std::ranges::fill(ref::buddy::write_pages(k.m, pfn, 0, 4096), std::byte{0xee});
      if (left % 2 == 0) ref::buddy::free_page_(k.env, k.m, pfn);
    }
    const Address z = k.granted(vzalloc(k.env, k.m, k.bytes(2)));
    const Address u = k.granted(vmalloc_user(k.env, k.m, k.bytes(2)));
    for (const Address a : {z, u})
      for (std::uint64_t at = 0; at < k.bytes(2); at += 8) ASSERT_EQ(k.load(behind(a, at)), 0u);
    EXPECT_TRUE(area_at(k.m, u)->flags & VM_USERMAP);
    EXPECT_FALSE(area_at(k.m, z)->flags & VM_USERMAP);
  }
}

TEST(Vmalloc, nothing_is_no_memory_and_6_1_warns_once) {  // V-1
  for (const EraId era : eras) {
    Kernel k(window(era, 8));
    for (const unsigned warnings : {era == new_era ? 1u : 0u, 0u}) {
      EXPECT_EQ(vmalloc(k.env, k.m, 0).error(), Refused::no_memory);
      EXPECT_EQ(k.warnings(), warnings);
    }
  }
}

TEST(Vmalloc, more_pages_than_the_machine_has_are_refused_at_once) {  // V-1
  for (const EraId era : eras) {
    Config c = window(era, 64, 32);
    c.reserved[c.reserved_count++] = {0, 3};
    Kernel k(c);
    const std::uint64_t counted = era == old_era ? 32 : 28;
    plan_failure(k.m, 1);  // nothing is asked for
    EXPECT_FALSE(vmalloc(k.env, k.m, k.bytes(counted) + 1));
    EXPECT_EQ(k.m.globals().fail_page_alloc, 1u);
    plan_failure(k.m, 0);
    EXPECT_EQ(k.picture(), std::string(64, '.'));
    EXPECT_FALSE(vmalloc(k.env, k.m, k.bytes(counted)));
    EXPECT_NE(k.picture().find(era == new_era ? '~' : '.'), std::string::npos);
  }
}

TEST(Vmalloc, a_size_that_wraps_is_refused) {  // V-3
  for (const EraId era : eras) {
    Kernel k(window(era, 8));
    const std::uint64_t most = k.m.profile().size_max;
    for (const std::uint64_t size : {most, most - 4094, most - 4095, most - 4096, most - 8192}) {
      EXPECT_EQ(vmalloc(k.env, k.m, size).error(), Refused::no_memory);
      EXPECT_EQ(get_vm_area(k.env, k.m, size, 0).error(), Refused::no_memory);
      EXPECT_EQ(get_vm_area(k.env, k.m, size, VM_IOREMAP).error(), Refused::no_memory);
    }
    EXPECT_EQ(k.log().fault, Fault::none);
    EXPECT_EQ(k.picture(), "........");
  }
}

// A list of more than a page of pointers is memory of the same kind, one level deep.
TEST(Vmalloc, a_long_list_of_pages_is_allocated_the_same_way) {  // V-20
  for (const EraId era : eras) {
    Kernel k(window(era, 2100, 2300));
    const std::uint64_t pages = k.bytes(1) / k.m.profile().word_bytes + 1;
    const std::uint64_t before = k.free_pages();
    const Address a = k.memory(pages);
    const auto area = area_at(k.m, a);
    ASSERT_TRUE(area && is_vmalloc_addr(k.m, area->page_array));
    EXPECT_EQ(area_at(k.m, area->page_array)->nr_pages, 2u);
    EXPECT_EQ(vmalloc_nr_pages(k.m), pages + 2);
    for (std::uint64_t i = 0; i < pages; i += 99)
      EXPECT_EQ(read_entry(k.m, area->page_array, i), vmalloc_to_page(k.m, behind(a, k.bytes(i))));
    k.put(a);
    EXPECT_EQ(vmalloc_nr_pages(k.m), 0u);
    purge_vmap_area_lazy(k.env, k.m);
    EXPECT_EQ(set_of(k.m, RangeSet::busy).count, 0u);
    EXPECT_LE(before - k.free_pages(), 4u);  // page tables, and slabs of descriptors
  }
}

TEST(Vmalloc, pages_are_counted_while_they_are_mapped) {  // V-27
  for (const EraId era : eras) {
    Kernel k(window(era, 32));
    const Address a = k.memory(3), b = k.memory(2);
    EXPECT_EQ(vmalloc_nr_pages(k.m), 5u);
    k.put(a);
    EXPECT_EQ(vmalloc_nr_pages(k.m), 2u);
    k.put(b);
    EXPECT_EQ(vmalloc_nr_pages(k.m), 0u);
  }
}

// No request that a call makes may fail without all that went before being undone.
TEST(Vmalloc, whichever_request_fails_nothing_is_left_behind) {
  for (const EraId era : eras) {
    for (const std::uint64_t pages : {3u, 600u, 1100u}) {  // the last ones with lists of pages
      Kernel fresh(window(era, 2400, 2400));
      std::uint32_t failed = 0, granted_at = 0;
      for (std::uint32_t nth = 1; granted_at == 0; ++nth) {
        Kernel k = fresh;
        plan_failure(k.m, nth);
        const auto got = vmalloc(k.env, k.m, k.bytes(pages));
        if (k.m.globals().fail_page_alloc != 0) granted_at = nth;
        plan_failure(k.m, 0);
        if (got) {
          k.put(*got);
        } else {
          EXPECT_EQ(got.error(), Refused::no_memory);
          ++failed;
        }
        purge_vmap_area_lazy(k.env, k.m);
        EXPECT_EQ(set_of(k.m, RangeSet::busy).count, 0u) << pages << " " << nth;
        EXPECT_EQ(ranges_broken(k.m), "");
        EXPECT_EQ(vmalloc_nr_pages(k.m), 0u);
        EXPECT_EQ(k.fault(), Fault::none);
        // Page tables stay, and caches keep a slab or two.
        EXPECT_GE(k.free_pages() + 12, fresh.free_pages()) << pages << " " << nth;
        if (nth > 40 && nth < pages) nth += 97;
      }
      EXPECT_GT(failed, 0u) << pages;
    }
  }
}

TEST(Vmalloc, where_no_page_table_can_be_had_the_pages_go_back) {
  for (const EraId era : eras) {
    Kernel k(window(era, 2048, 64, 32));
    const Address first = k.memory(1);  // descriptors and arrays have their slabs now
    k.put(first);
    purge_vmap_area_lazy(k.env, k.m);
    std::vector<Pfn> taken;
    while (const auto pfn = ref::buddy::alloc_page(k.env, k.m, k.gfp("GFP_ATOMIC")))
      taken.push_back(*pfn);
    const std::uint64_t before = k.free_pages();
    ASSERT_GE(before, 20u);         // high ones
    EXPECT_TRUE(k.ask_area(1000));  // so that the next one lies in another table
    const auto got = vmalloc(k.env, k.m, k.bytes(100));
    EXPECT_FALSE(got);
    const auto small = vmalloc(k.env, k.m, k.bytes(20));
    EXPECT_EQ(small.has_value(), false);
    EXPECT_EQ(k.free_pages(), before);
    EXPECT_EQ(vmalloc_nr_pages(k.m), 0u);
  }
}

TEST(Vmalloc, no_interrupt_may_ask_6_1_for_it) {  // V-21
  Kernel k(window(new_era, 8));
  ASSERT_TRUE(move_context(k.m, ContextMove::irq_enter));
  EXPECT_EQ(vmalloc(k.env, k.m, 1).error(), Refused::misuse);
  EXPECT_EQ(k.fault(), Fault::in_interrupt);
  EXPECT_EQ(k.ask_area(1).error(), Refused::misuse);
  EXPECT_EQ(k.fault(), Fault::in_interrupt);
  Kernel old(window(old_era, 8));
  ASSERT_TRUE(move_context(old.m, ContextMove::irq_enter));
  EXPECT_TRUE(vmalloc(old.env, old.m, 1));
  EXPECT_EQ(old.fault(), Fault::sleeping_in_atomic);
}

TEST(Vmalloc, who_is_atomic_may_not_ask_for_it) {
  for (const EraId era : eras) {
    Kernel k(window(era, 8));
    ASSERT_TRUE(move_context(k.m, ContextMove::preempt_disable));
    EXPECT_TRUE(vmalloc(k.env, k.m, 1));
    EXPECT_EQ(k.fault(), Fault::sleeping_in_atomic);
  }
}

// V-31: a refusal would be a lie, so the call waits to be made again.
TEST(Vmalloc, what_must_not_fail_waits_instead) {
  for (const EraId era : eras) {
    Kernel k(window(era, 8));
    k.area(7);
    const auto got = ref::vmalloc::vmalloc_(k.env, k.m, 1, k.gfp() | GFP_BIT_NOFAIL);
    EXPECT_EQ(got.error(), Refused::suspended);
    EXPECT_EQ(ref::vmalloc::vmalloc_(k.env, k.m, 0, k.gfp() | GFP_BIT_NOFAIL).error(),
              Refused::no_memory);
  }
}

TEST(Vmalloc, a_task_that_waits_holds_nothing) {
  for (const EraId era : eras) {
    Kernel k(window(era, 64, 64));
    std::vector<Pfn> taken;
    while (k.free_pages() > 6) taken.push_back(k.frame());
    const auto got = ref::vmalloc::vmalloc_(k.env, k.m, k.bytes(40), k.gfp() | GFP_BIT_NOFAIL);
    EXPECT_EQ(got.error(), Refused::suspended);
    EXPECT_FALSE(ref::buddy::is_suspended(k.m));
    EXPECT_EQ(set_of(k.m, RangeSet::busy).count, 0u);
    EXPECT_EQ(vmalloc_nr_pages(k.m), 0u);
    for (const Pfn pfn : taken) ref::buddy::free_page_(k.env, k.m, pfn);
    EXPECT_TRUE(ref::vmalloc::vmalloc_(k.env, k.m, k.bytes(40), k.gfp() | GFP_BIT_NOFAIL));
  }
}

TEST(Vmalloc, a_machine_without_a_window_refuses_everything) {
  for (const EraId era : eras) {
    Machine m(window(era, 0));
    Quiet env;
    EXPECT_EQ(vmalloc(env, m, 1).error(), Refused::no_memory);
    EXPECT_EQ(get_vm_area(env, m, 1, 0).error(), Refused::no_memory);
    EXPECT_EQ(ioremap(env, m, 0x80000000, 1).error(), Refused::no_memory);
    vfree(env, m, Address{0xf0000000});
    EXPECT_EQ(m.globals().log.fault, Fault::not_an_area);
    EXPECT_EQ(vmallocinfo(m), "");
    EXPECT_FALSE(purge_vmap_area_lazy(env, m));
    free_work(env, m, 0);
  }
}

TEST(Kvmalloc, contiguous_memory_comes_first_and_any_pages_otherwise) {
  for (const EraId era : eras) {
    Kernel k(window(era, 64, 256));
    const Address small = k.granted(kvmalloc(k.env, k.m, 100, k.gfp()));
    EXPECT_FALSE(is_vmalloc_addr(k.m, small));
    // Above the largest class 2.6.11 has nothing contiguous; 6.1 has pages, while they last.
    const Address large = k.granted(kvmalloc(k.env, k.m, k.bytes(40), k.gfp()));
    EXPECT_EQ(is_vmalloc_addr(k.m, large), era == old_era);
    kvfree(k.env, k.m, small);
    kvfree(k.env, k.m, large);
    EXPECT_EQ(k.fault(), Fault::none);
    EXPECT_EQ(vmalloc_nr_pages(k.m), 0u);
    const auto atomic = kvmalloc(k.env, k.m, k.bytes(200), k.gfp("GFP_ATOMIC"));
    EXPECT_EQ(atomic.error(), Refused::no_memory);
  }
}

TEST(Kvmalloc, broken_memory_is_no_reason_to_refuse) {
  for (const EraId era : eras) {
    Kernel k(window(era, 64, 128));
    std::vector<Pfn> taken;
    while (k.free_pages() > 40) taken.push_back(k.frame());
    for (std::size_t i = 0; i < taken.size(); i += 2) ref::buddy::free_page_(k.env, k.m, taken[i]);
    const Address a = k.granted(kvzalloc(k.env, k.m, k.bytes(30), k.gfp()));
    for (std::uint64_t i = 0; i < 30; ++i) EXPECT_EQ(k.load(behind(a, k.bytes(i))), 0u);
    kvfree(k.env, k.m, a);
    kvfree(k.env, k.m, Address::null);
    EXPECT_EQ(k.fault(), Fault::none);
  }
}

}  // namespace
}  // namespace props::vmalloc::by_hand
