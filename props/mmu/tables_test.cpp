// Page tables, worked out by hand: pages of the buddy system, whose entries are bytes of RAM.
#include <gtest/gtest.h>

#include <cstring>

#include "props/mmu/reference_cases.hpp"

namespace props::mmu::by_hand {
namespace {

using ref::core::Pfn;

std::uint32_t word_at(const Machine& m, Pfn pfn, std::uint64_t offset) {
  std::uint32_t word = 0;
  std::memcpy(&word, read_pages(m, pfn, offset, 4).data(), 4);
  return word;
}

TEST(PageTables, of_pkmap_and_fixmap_are_taken_at_boot) {
  for (const EraId era : eras) {
    const Machine m(with_window(era, 8, 64));
    ASSERT_TRUE(is_up(m));
    EXPECT_EQ(free_pages(m), 95u);  // one table has room for both
    const auto table = table_at(m, Address{m.mmu.window.pkmap_base});
    ASSERT_TRUE(table);
    EXPECT_EQ(table_at(m, Address{m.mmu.window.fixaddr_top}), table);
    EXPECT_LT(*table, 64u);  // where the kernel can reach it
    EXPECT_EQ(ref::buddy::page_count(m, *table), 1u);
    EXPECT_TRUE(ref::buddy::pages_are_zero(m, *table, 4096));
    EXPECT_TRUE(needs_table(m, Address{m.mmu.window.vmalloc_start}));
  }
  const Machine two(with_window(EraId::linux_6_1, 1024, 64));
  EXPECT_EQ(free_pages(two), 94u);
  EXPECT_NE(table_at(two, Address{two.mmu.window.pkmap_base}),
            table_at(two, Address{two.mmu.window.fixmap_start}));
}

// 16 entries each: 64 slots are four tables, 2 * 13 or 2 * 16 temporary ones two or three.
TEST(PageTables, of_small_pages_are_many) {
  for (const EraId era : eras) {
    Config c = with_window(era, 64, 0);
    c.page_bytes = 64;
    ASSERT_FALSE(validate(c));
    const Machine m(c);
    ASSERT_TRUE(is_up(m));
    EXPECT_EQ(free_pages(m), 96u - 4 - (era == EraId::linux_6_1 ? 3 : 2));
  }
}

TEST(PageTables, a_machine_too_small_for_them_is_not_up_and_loses_nothing) {
  for (const EraId era : eras) {
    Config c = with_window(era, 64, 0);
    c.page_bytes = 64;
    c.zones[0].pages = 5, c.zones[1].first = 5;
    Machine m(c);
    EXPECT_FALSE(is_up(m));
    EXPECT_EQ(free_pages(m), 37u);
    EXPECT_EQ(m.globals().log.warnings, 0u);
    for (std::uint64_t at = m.mmu.base; at < address_end; at += 64)
      EXPECT_EQ(map(m, Address{at}, 1), Mapped::needs_table);
    EXPECT_EQ(read_byte(m, Address{m.mmu.window.pkmap_base}), '!');
    EXPECT_EQ(read_byte(m, Address{page_offset}), 0);
  }
}

TEST(PageTables, without_a_window_there_are_none) {
  Machine m(with_window(EraId::linux_6_1, 0, 0));
  EXPECT_FALSE(is_up(m));
  EXPECT_EQ(m.mmu.directory.count + m.mmu.tlb.count + m.mmu.entry.count, 0u);
  EXPECT_FALSE(in_window(m, Address{0xffffe000}));
  EXPECT_EQ(read_byte(m, Address{0xffffe000}), '!');
  EXPECT_EQ(walk(m, Address{page_offset + 3 * 4096}), Pfn{3});
  flush_all(m, Cpus::all);  // nothing to do
}

TEST(PageTables, an_entry_is_the_frame_and_a_bit) {
  Kernel k(with_window(EraId::linux_6_1));
  const auto table = table_at(k.m, k.at(5));
  ASSERT_TRUE(table);
  const std::uint64_t offset = static_cast<std::uint64_t>(k.at(5)) / 4096 % 1024 * 4;
  EXPECT_EQ(word_at(k.m, *table, offset), 0u);
  k.map(5, 70);
  EXPECT_EQ(word_at(k.m, *table, offset), 70u * 2 + 1);
  EXPECT_EQ(word_at(k.m, *table, offset + 4), 0u);
  EXPECT_EQ(walk(k.m, plus(k.at(5), 4095)), Pfn{70});
  EXPECT_EQ(walk(k.m, plus(k.at(5), 4096)), std::nullopt);
  EXPECT_EQ(unmap(k.m, plus(k.at(5), 1)), Pfn{70});
  EXPECT_EQ(unmap(k.m, k.at(5)), std::nullopt);
  EXPECT_TRUE(ref::buddy::pages_are_zero(k.m, *table, 4096));
}

TEST(PageTables, frame_0_can_be_mapped) {
  Kernel k(with_window(EraId::linux_2_6_11));
  k.map(5, 0);
  EXPECT_EQ(walk(k.m, k.at(5)), Pfn{0});
  EXPECT_EQ(k.read(5), in_ram(k.m, 0));
  EXPECT_EQ(cached(k.m, 0, k.at(5)), Pfn{0});
}

TEST(PageTables, a_page_that_is_mapped_stays_as_it_is) {
  Kernel k(with_window(EraId::linux_6_1));
  k.map(5, 70);
  EXPECT_EQ(map(k.m, plus(k.at(5), 9), 71), Mapped::busy);
  EXPECT_EQ(walk(k.m, k.at(5)), Pfn{70});
}

// 1024 pages each; the first of them on demand, and given once.
TEST(PageTables, come_on_demand_and_stay) {
  const Config c = with_window(EraId::linux_6_1, 8, 2000);
  Machine m(c);
  Quiet env;
  const Address first{m.mmu.window.vmalloc_start};
  EXPECT_EQ(map(m, first, 70), Mapped::needs_table);
  const auto table = ref::buddy::alloc_page(env, m, gfp_of(c.era, "GFP_KERNEL") | GFP_BIT_ZERO);
  install_table(m, first, *table);
  EXPECT_EQ(map(m, first, 70), Mapped::done);
  EXPECT_EQ(unmap(m, first), Pfn{70});
  EXPECT_EQ(table_at(m, first), *table);
  EXPECT_TRUE(needs_table(m, Address{m.mmu.window.vmalloc_end - 1}));
}

}  // namespace
}  // namespace props::mmu::by_hand
