// Lists of pages mapped side by side: what is refused, whose the pages are, what a user is shown.
#include "props/vmalloc/reference_cases.hpp"

namespace props::vmalloc::by_hand {
namespace {

using ref::vmalloc::vmap;
using Frames = std::vector<std::optional<Pfn>>;

TEST(Vmap, each_address_is_its_own_page_of_the_list) {  // V-22
  for (const EraId era : eras) {
    Kernel k(window(era, 16, 64, 16));
    const Frames pages = k.frames(4, GFP_BIT_HIGHMEM);
    const Address a = k.granted(vmap(k.env, k.m, pages, VM_MAP));
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(vmalloc_to_page(k.m, behind(a, k.bytes(i) + 5)), pages[i]);
      EXPECT_EQ(ref::buddy::page_count(k.m, *pages[i]), 1u);  // V-29: no reference is taken
    }
    vunmap(k.env, k.m, a);
    EXPECT_EQ(k.fault(), Fault::none);
    for (const auto& pfn : pages) EXPECT_EQ(ref::buddy::page_count(k.m, *pfn), 1u);
  }
}

TEST(Vmap, a_page_may_stand_in_the_list_twice) {  // V-29
  for (const EraId era : eras) {
    Kernel k(window(era, 16));
    const Pfn pfn = k.frame();
    const Address a = k.granted(vmap(k.env, k.m, Frames{pfn, pfn, pfn}, VM_MAP));
    ASSERT_TRUE(k.store(behind(a, 8), 77));
    EXPECT_EQ(k.load(behind(a, k.bytes(2) + 8)), 77u);
    EXPECT_EQ(k.load(behind(*ref::buddy::page_address(k.m, pfn), 8)), 77u);
  }
}

TEST(Vmap, a_list_with_no_page_in_it_is_refused_as_a_whole) {  // V-29
  for (const EraId era : eras) {
    Kernel k(window(era, 16));
    for (const Frames& bad : {Frames{k.frame(), std::nullopt, k.frame()}, Frames{std::nullopt},
                              Frames{k.frame(), 600}}) {
      const auto got = vmap(k.env, k.m, bad, VM_MAP);
      EXPECT_EQ(got.error(), Refused::misuse);
      const Log log = k.log();
      EXPECT_EQ(log.fault, Fault::no_such_page);
      EXPECT_EQ(log.warnings, era == new_era ? 1u : 0u);
      EXPECT_EQ(set_of(k.m, RangeSet::busy).count, 0u);
      for (std::uint64_t p = 0; p < 16; ++p) EXPECT_FALSE(vmalloc_to_page(k.m, k.at(p)));
    }
    EXPECT_EQ(vmap(k.env, k.m, {}, VM_MAP).error(), Refused::no_memory);
    EXPECT_EQ(vmap(k.env, k.m, Frames(513, k.frame()), VM_MAP).error(), Refused::no_memory);
    EXPECT_EQ(k.fault(), Fault::none);
  }
}

TEST(Vmap, nobody_maps_without_a_guard) {  // V-2, real-bugs 140
  Kernel k(window(new_era, 16));
  const Frames pages = k.frames(2);
  for (const unsigned warnings : {1u, 0u}) {
    const Address a = k.granted(vmap(k.env, k.m, pages, VM_MAP | VM_NO_GUARD));
    EXPECT_EQ(k.warnings(), warnings);
    EXPECT_EQ(area_at(k.m, a)->bytes, k.bytes(3));
    EXPECT_EQ(area_at(k.m, a)->flags, VM_MAP);
  }
}

TEST(Vmap, what_2_6_11_does_not_know_it_does_not_keep) {
  Kernel k(window(old_era, 16));
  const Address a = k.granted(vmap(k.env, k.m, k.frames(1), VM_MAP | VM_NO_GUARD | VM_USERMAP));
  EXPECT_EQ(area_at(k.m, a)->flags, VM_MAP);
  EXPECT_EQ(area_at(k.m, a)->bytes, k.bytes(2));
}

// The flags of two wishes are two flags (real-bugs 118).
TEST(Vmap, pages_are_put_for_one_flag_and_addresses_flushed_for_another) {  // V-26, V-28
  Kernel k(with_cpus(window(new_era, 16), 2));
  const Frames pages = k.frames(3);
  const Address list = *ref::kmalloc::kmalloc(k.env, k.m, page_array_bytes(k.m, 3), k.gfp());
  write_page_array(k.m, list, pages);
  const Address a = k.granted(vmap(k.env, k.m, pages, VM_MAP | VM_MAP_PUT_PAGES, list));
  const std::uint64_t before = k.free_pages();
  EXPECT_EQ(area_at(k.m, a)->nr_pages, 3u);
  EXPECT_EQ(vmalloc_nr_pages(k.m), 0u);  // V-27
  EXPECT_TRUE(k.load_on(1, a));
  k.put(a);
  EXPECT_EQ(vmalloc_nr_pages(k.m), 0u);
  EXPECT_GE(k.free_pages(), before + 3);
  EXPECT_FALSE(ref::slab::object_at(k.m, list)->live);
  EXPECT_TRUE(k.load_on(1, a));  // lazily

  const Frames kept = k.frames(2);
  const Address b = k.granted(vmap(k.env, k.m, kept, VM_MAP | VM_FLUSH_RESET_PERMS));
  EXPECT_TRUE(k.load_on(1, b));
  k.put(b);
  EXPECT_FALSE(k.load_on(1, b));
  EXPECT_FALSE(k.load_on(1, a));
  EXPECT_EQ(vmap_lazy_nr(k.m), 0u);
  for (const auto& pfn : kept) EXPECT_EQ(ref::buddy::page_count(k.m, *pfn), 1u);
  EXPECT_EQ(k.fault(), Fault::none);
}

TEST(Vmap, one_reference_of_each_page_is_put) {  // V-26
  Kernel k(window(new_era, 16));
  const Frames pages = k.frames(2);
  const Address list = *ref::kmalloc::kmalloc(k.env, k.m, page_array_bytes(k.m, 2), k.gfp());
  write_page_array(k.m, list, pages);
  ref::buddy::get_page(k.m, *pages[0]);
  k.put(k.granted(vmap(k.env, k.m, pages, VM_MAP_PUT_PAGES, list)));
  EXPECT_EQ(ref::buddy::page_count(k.m, *pages[0]), 1u);
  EXPECT_EQ(ref::buddy::page_count(k.m, *pages[1]), 0u);
}

TEST(Vmap, whichever_request_fails_nothing_is_left_behind) {
  for (const EraId era : eras) {
    Kernel fresh(window(era, 64));
    const Frames pages = fresh.frames(9);
    const std::uint64_t before = fresh.free_pages();
    for (std::uint32_t nth = 1;; ++nth) {
      Kernel k = fresh;
      plan_failure(k.m, nth);
      const auto got = vmap(k.env, k.m, pages, VM_MAP);
      if (got) {
        EXPECT_GT(nth, 1u);  // descriptors, or the page table
        break;
      }
      EXPECT_EQ(got.error(), Refused::no_memory);
      EXPECT_EQ(set_of(k.m, RangeSet::busy).count, 0u);
      EXPECT_EQ(k.fault(), Fault::none);
      EXPECT_GE(k.free_pages() + 4, before);
    }
  }
}

// Two words at each side of a page boundary, and what lies around the area.
TEST(Vread, holes_and_guards_read_as_zeros) {  // V-32
  for (const EraId era : eras) {
    Kernel k(window(era, 16));
    const Address a = k.memory(2);
    const Address b = k.area(1);  // nothing is mapped there
    const Address c = k.memory(1);
    ASSERT_TRUE(k.store(behind(a, 4096), 0x1111));
    ASSERT_TRUE(k.store(c, 0x2222));
    std::vector<std::byte> out(6 * 4096, std::byte{0xff});
    EXPECT_EQ(vread(k.m, behind(a, 4096), out), out.size());
    EXPECT_EQ(out[0], std::byte{0x11});
    EXPECT_EQ(out[number(c) - number(a) - 4096], std::byte{0x22});
    for (std::uint64_t i = 4096; i < number(c) - number(a) - 4096; ++i)
      ASSERT_EQ(out[i], std::byte{0}) << i;  // the guard, b, its guard
    EXPECT_EQ(out.back(), std::byte{0});
    EXPECT_EQ(vread(k.m, behind(c, 4096), out), 0u);  // its guard, and nothing behind
    EXPECT_EQ(vread(k.m, k.at(10), out), 0u);
    EXPECT_EQ(vread(k.m, Address{page_offset}, std::span(out).first(64)), 0u);
    EXPECT_EQ(vread(k.m, behind(b, 4096), std::span(out).first(64)), 64u);  // before c: zeros
    EXPECT_EQ(out[0], std::byte{0});
  }
}

TEST(Vread, a_range_that_begins_before_the_window_reads_zeros_up_to_it) {
  for (const EraId era : eras) {
    Kernel k(window(era, 16));
    const Address a = k.memory(1);
    ASSERT_TRUE(k.store(a, 0x33));
    std::array<std::byte, 40> out;
    out.fill(std::byte{0xff});
    EXPECT_EQ(vread(k.m, Address{number(a) - 32}, out), 40u);
    EXPECT_EQ(out[31], std::byte{0});
    EXPECT_EQ(out[32], std::byte{0x33});
    EXPECT_EQ(vread(k.m, Address{number(a) - 32}, std::span(out).first(32)), 0u);
  }
}

TEST(Vread, what_is_ioremapped_is_a_hole) {  // V-32
  for (const EraId era : eras) {
    Kernel k(window(era, 16));
    const Address a = k.granted(ioremap(k.env, k.m, 0x80000000, 4096));
    EXPECT_NE(k.load(a), 0u);
    std::array<std::byte, 64> out;
    EXPECT_EQ(vread(k.m, a, out), 64u);
    for (const std::byte b : out) EXPECT_EQ(b, std::byte{0});
  }
}

TEST(Remap, only_pages_of_the_area_are_shown_to_a_user) {  // real-bugs 124, 125
  for (const EraId era : eras) {
    Kernel k(window(era, 16));
    const Address a = k.granted(vmalloc_user(k.env, k.m, k.bytes(3)));
    const auto shown = remap_vmalloc_range(k.m, a, 1, k.bytes(1) + 1);
    ASSERT_TRUE(shown);
    EXPECT_EQ(*shown, (std::vector<Pfn>{*vmalloc_to_page(k.m, behind(a, 4096)),
                                        *vmalloc_to_page(k.m, behind(a, 8192))}));
    EXPECT_TRUE(remap_vmalloc_range(k.m, a, 0, k.bytes(3)));
    // An interior address is the area's in 6.1 only (V-25).
    EXPECT_EQ(remap_vmalloc_range(k.m, behind(a, 4096), 1, k.bytes(1)).has_value(), era == new_era);
    EXPECT_FALSE(remap_vmalloc_range(k.m, a, 0, k.bytes(4)));  // the guard
    EXPECT_FALSE(remap_vmalloc_range(k.m, a, 3, 1));
    EXPECT_FALSE(remap_vmalloc_range(k.m, behind(a, 4096), 2, 1));
    EXPECT_FALSE(remap_vmalloc_range(k.m, a, std::uint64_t{1} << 52, k.bytes(1)));
    EXPECT_FALSE(remap_vmalloc_range(k.m, a, (std::uint64_t{1} << 52) - 1, k.bytes(2)));
    EXPECT_FALSE(remap_vmalloc_range(k.m, a, ~std::uint64_t{0}, k.bytes(2)));
    EXPECT_FALSE(remap_vmalloc_range(k.m, a, 0, ~std::uint64_t{0}));
    EXPECT_FALSE(remap_vmalloc_range(k.m, a, 0, 0));
    EXPECT_FALSE(remap_vmalloc_range(k.m, behind(a, 1), 0, 1));
    EXPECT_FALSE(remap_vmalloc_range(k.m, k.memory(1), 0, 1));  // for the kernel alone
  }
}

}  // namespace
}  // namespace props::vmalloc::by_hand
