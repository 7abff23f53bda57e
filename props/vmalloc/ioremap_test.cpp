// Physical memory outside RAM: addresses, offsets, and what is refused (I-1 to I-3).
#include "props/vmalloc/reference_cases.hpp"

namespace props::vmalloc::by_hand {
namespace {

constexpr std::uint64_t device = 0xfed00000;

TEST(Ioremap, the_offset_within_the_page_is_kept_and_all_pages_are_mapped) {  // I-1
  for (const EraId era : eras) {
    Kernel k(window(era, 32));
    for (const auto& [offset, size, pages] : {std::tuple{0u, 1u, 1u},
                                              {0u, 4096u, 1u},
                                              {0u, 4097u, 2u},
                                              {100u, 10u, 1u},
                                              {4095u, 2u, 2u},
                                              {4000u, 4192u, 2u},
                                              {4000u, 4193u, 3u}}) {
      const Address a = k.granted(ioremap(k.env, k.m, device + offset, size));
      EXPECT_EQ(number(a) % 4096, offset);
      const auto area = area_at(k.m, a);
      ASSERT_TRUE(area);
      EXPECT_EQ(area->bytes, k.bytes(pages + 1)) << offset << " " << size;
      EXPECT_EQ(area->phys_addr, device);
      EXPECT_EQ(area->flags, VM_IOREMAP);
      for (std::uint64_t i = 0; i < pages; ++i)
        EXPECT_EQ(ref::mmu::walk(k.m, behind(area->first, k.bytes(i))), device / 4096 + i);
      EXPECT_FALSE(ref::mmu::walk(k.m, behind(area->first, k.bytes(pages))));
      EXPECT_FALSE(vmalloc_to_page(k.m, a));  // no page of RAM
      iounmap(k.env, k.m, a);
      EXPECT_FALSE(area_at(k.m, a));
    }
    EXPECT_EQ(k.fault(), Fault::none);
  }
}

TEST(Ioremap, nothing_and_what_wraps_are_refused) {  // I-1
  for (const EraId era : eras) {
    Kernel k(window(era, 32));
    const std::uint64_t most = k.m.profile().size_max;
    EXPECT_FALSE(ioremap(k.env, k.m, device, 0));
    EXPECT_FALSE(ioremap(k.env, k.m, device, most));
    EXPECT_FALSE(ioremap(k.env, k.m, most, 2));
    EXPECT_FALSE(ioremap(k.env, k.m, device, most - device + 2));
    EXPECT_EQ(k.log().fault, Fault::none);
  }
}

TEST(Ioremap, an_address_that_no_page_table_can_hold_is_refused) {  // I-1
  Kernel k(window(new_era, 32));
  for (const unsigned warnings : {1u, 0u}) {
    EXPECT_FALSE(ioremap(k.env, k.m, std::uint64_t{1} << 43, 1));
    EXPECT_EQ(k.warnings(), warnings);
  }
  EXPECT_TRUE(ioremap(k.env, k.m, (std::uint64_t{1} << 43) - 1, 1));
}

TEST(Ioremap, memory_that_the_kernel_uses_is_refused_and_reserved_memory_is_not) {  // I-1
  for (const EraId era : eras) {
    Config c = window(era, 32, 64, 64);
    c.reserved[c.reserved_count++] = {8, 9};
    Kernel k(c);
    bool warned = false;
    for (const auto& [first, bytes] : {std::pair{0u, 1u},
                                       {63u * 4096, 4096u},
                                       {100u * 4096, 1u},
                                       {7u * 4096, 4097u},
                                       {9u * 4096 + 4095, 2u}}) {
      EXPECT_FALSE(ioremap(k.env, k.m, first, bytes)) << first;
      EXPECT_EQ(k.warnings(), era == new_era && !warned ? 1u : 0u);
      warned = true;
    }
    EXPECT_TRUE(ioremap(k.env, k.m, 8 * 4096, 2 * 4096));
    EXPECT_TRUE(ioremap(k.env, k.m, 128 * 4096, 4096));
    EXPECT_FALSE(ioremap(k.env, k.m, 128 * 4096 - 1, 2));
  }
}

TEST(Ioremap, the_same_memory_twice_is_two_areas) {  // I-3
  for (const EraId era : eras) {
    Kernel k(window(era, 32));
    const Address a = k.granted(ioremap(k.env, k.m, device, 4096));
    const Address b = k.granted(ioremap(k.env, k.m, device, 4096));
    EXPECT_NE(a, b);
    EXPECT_EQ(k.load(a), k.load(b));
    iounmap(k.env, k.m, a);
    EXPECT_TRUE(k.load(b));
  }
}

// 16 MiB of lowmem: the range of PCs from 640 KiB to 1 MiB lies in the direct map.
TEST(Ioremap, in_2_6_11_the_range_below_one_megabyte_is_always_mapped) {  // I-1
  for (const EraId era : eras) {
    Config c = window(era, 32, 4096);
    c.reserved[c.reserved_count++] = {0xa0, 0xff};
    Kernel k(c);
    const auto whole = ioremap(k.env, k.m, 0xa0000, 0x60000);
    ASSERT_EQ(whole.has_value(), era == old_era);  // 6.1 has no room for that many in the window
    const Address vga = k.granted(ioremap(k.env, k.m, 0xb8001, 80));
    EXPECT_EQ(area_at(k.m, vga).has_value(), era == new_era);
    if (era == old_era) { EXPECT_EQ(number(vga), page_offset + 0xb8001); }
    iounmap(k.env, k.m, vga);
    EXPECT_EQ(k.fault(), Fault::none);
    // One byte outside, and it is mapped like anything else, if it may be mapped at all.
    EXPECT_FALSE(ioremap(k.env, k.m, 0xfffff, 2));
  }
}

TEST(Iounmap, addresses_of_the_direct_map_are_ignored) {  // I-2
  for (const EraId era : eras) {
    Kernel k(window(era, 32));
    for (const std::uint64_t at : {std::uint64_t{0}, page_offset, k.m.mmu.window.high_memory})
      iounmap(k.env, k.m, Address{at});
    EXPECT_EQ(k.fault(), Fault::none);
    iounmap(k.env, k.m, k.at(3));
    EXPECT_EQ(k.fault(), Fault::not_an_area);
    iounmap(k.env, k.m, behind(k.area(2), 4096 + 5));
    EXPECT_EQ(k.fault(), era == new_era ? Fault::bad_area_address : Fault::not_an_area);
  }
}

TEST(Ioremap, whichever_request_fails_nothing_is_left_behind) {
  for (const EraId era : eras) {
    const Kernel fresh(window(era, 3000));
    for (std::uint32_t nth = 1;; ++nth) {
      Kernel k = fresh;
      plan_failure(k.m, nth);
      const auto got = ioremap(k.env, k.m, device, k.bytes(1500));  // two page tables
      if (got) {
        EXPECT_GT(nth, 2u);
        break;
      }
      EXPECT_EQ(got.error(), Refused::no_memory);
      EXPECT_EQ(set_of(k.m, RangeSet::busy).count, 0u);
      for (std::uint64_t p = 0; p < 3000; ++p) ASSERT_FALSE(ref::mmu::walk(k.m, k.at(p)));
      EXPECT_EQ(k.fault(), Fault::none);
    }
  }
}

}  // namespace
}  // namespace props::vmalloc::by_hand
