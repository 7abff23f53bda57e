// From a page to its address and back, worked out by hand: the hash, its records, address
// questions.
#include <gtest/gtest.h>

#include <map>

#include "props/core/random.hpp"
#include "props/kmap/reference_cases.hpp"

namespace props::kmap::by_hand {
namespace {

const PageAddress& record(const Kernel& k, Index i) {
  return k.m.arena.at(k.m.kmap.page_address, i);
}

// The frames of a bucket's chain, from its head; checked from its tail as well.
std::vector<Pfn> chain(const Kernel& k, std::uint32_t bucket) {
  std::vector<Pfn> pages;
  const Chain& c = k.m.arena.at(k.m.kmap.bucket, bucket);
  Index before = 0;
  for (Index link = c.head; link != 0; link = record(k, link - 1).next) {
    EXPECT_EQ(record(k, link - 1).prev, before);
    pages.push_back(record(k, link - 1).page);
    before = link;
  }
  EXPECT_EQ(c.tail, before);
  return pages;
}

TEST(PageAddress, buckets_are_the_top_bits_of_a_product) {  // M-8
  const Machine old(with_window(old_era)), now(with_window(new_era));
  EXPECT_EQ(page_bucket(old, 0), 0u);
  EXPECT_EQ(page_bucket(old, 1), 0x9e370001u * 32u >> 25);
  EXPECT_EQ(page_bucket(now, 1), 0x61c88647u * 32u >> 25);
  EXPECT_EQ(page_bucket(old, 70), static_cast<std::uint32_t>(70u * 32u * 0x9e370001u) >> 25);
}

TEST(PageAddress, of_a_bucket_s_pages_each_is_found_and_the_newest_is_last) {  // M-8
  for (const EraId era : eras) {
    Config c = with_window(era, 16);
    c.zones[1].pages = 1000;
    Kernel k(c);
    const std::uint32_t bucket = page_bucket(k.m, highmem);
    std::vector<Pfn> same;
    for (Pfn pfn = highmem; same.size() < 4; ++pfn)
      if (page_bucket(k.m, pfn) == bucket) same.push_back(pfn);
    std::map<Pfn, Address> at;
    for (const Pfn pfn : same) at[pfn] = k.map(pfn);
    EXPECT_EQ(chain(k, bucket), same);
    for (const Pfn pfn : same) EXPECT_EQ(page_address(k.m, pfn), at[pfn]);
    kunmap(k.m, same[1]), kmap_flush_unused(k.m);
    EXPECT_EQ(page_address(k.m, same[1]), std::nullopt);
    EXPECT_EQ(chain(k, bucket), (std::vector{same[0], same[2], same[3]}));
    kunmap(k.m, same[0]), kunmap(k.m, same[3]), kmap_flush_unused(k.m);
    EXPECT_EQ(chain(k, bucket), std::vector{same[2]});
    k.map(same[0]);
    EXPECT_EQ(chain(k, bucket), (std::vector{same[2], same[0]}));
  }
}

TEST(PageAddress, the_newer_kernel_s_record_is_that_of_the_slot) {  // M-8
  Kernel k(with_window(new_era));
  k.map(70), k.map(71);
  EXPECT_EQ(record(k, 1).page, 70u);
  EXPECT_EQ(Address{record(k, 2).address}, pkmap_address(k.m, 2));
  EXPECT_EQ(record(k, 3).address, 0u);
  kunmap(k.m, 70), kunmap(k.m, 71), kmap_flush_unused(k.m);
  for (Index i = 0; i < 8; ++i) EXPECT_EQ(record(k, i).page + record(k, i).address, 0u);
}

TEST(PageAddress, the_older_kernel_s_come_from_a_pool_and_go_behind_the_others) {  // M-8
  Kernel k(with_window(old_era, 4));
  k.map(70), k.map(71);
  EXPECT_EQ(record(k, 3).page, 70u);  // each was put in front of the others at boot
  EXPECT_EQ(record(k, 2).page, 71u);
  kunmap(k.m, 70), kmap_flush_unused(k.m);
  k.map(72), k.map(73), k.map(74);
  EXPECT_EQ(record(k, 1).page, 72u);
  EXPECT_EQ(record(k, 0).page, 73u);
  EXPECT_EQ(record(k, 3).page, 74u);
}

// Beside a map of pages to slots and users: addresses, counts, sleepless.
TEST(PageAddress, agrees_with_a_naive_one) {
  for (const EraId era : eras) {
    Kernel k(with_window(era, 16));
    std::map<Pfn, std::uint32_t> users;  // of pages that are in use
    Random random(7);
    for (int step = 0; step < 20000; ++step) {
      const auto pfn = static_cast<Pfn>(highmem + random.below(32));
      if (random.chance(2) && (users.size() < 16 || users.contains(pfn))) {
        const auto before = page_address(k.m, pfn);
        const Address a = k.map(pfn);
        EXPECT_EQ(before.value_or(a), a);
        ++users[pfn];
      } else if (users.contains(pfn)) {
        kunmap(k.m, pfn);
        if (--users[pfn] == 0) users.erase(pfn);
      } else if (random.chance(9)) {
        kmap_flush_unused(k.m);
      }
      ASSERT_EQ(k.told(), nothing);
      std::size_t live = 0, mapped = 0, addressed = 0;
      for (std::uint32_t slot = 0; slot < 16; ++slot) {
        const std::uint32_t count = pkmap_count(k.m, slot);
        live += count > 1;
        const auto page = walk(k.m, pkmap_address(k.m, slot));
        ASSERT_EQ(page.has_value(), count > 0);
        if (!page) continue;
        ++mapped;
        ASSERT_EQ(page_address(k.m, *page), pkmap_address(k.m, slot));
        ASSERT_EQ(count - 1, users.contains(*page) ? users[*page] : 0);
      }
      for (Pfn p = highmem; p < highmem + 32; ++p) addressed += page_address(k.m, p).has_value();
      ASSERT_EQ(live, users.size());
      ASSERT_EQ(addressed, mapped);
    }
  }
}

TEST(PageAddress, the_window_of_slots_ends_before_its_end) {  // M-9
  Kernel k(with_window(new_era));
  const std::uint64_t base = k.m.mmu.window.pkmap_base;
  EXPECT_FALSE(is_kmap_addr(k.m, Address{base - 1}));
  EXPECT_TRUE(is_kmap_addr(k.m, Address{base}));
  EXPECT_TRUE(is_kmap_addr(k.m, Address{base + 8 * 4096 - 1}));
  EXPECT_FALSE(is_kmap_addr(k.m, Address{base + 8 * 4096}));
  EXPECT_EQ(kmap_to_page(k.m, Address{base + 8 * 4096}), std::nullopt);
}

TEST(PageAddress, every_map_leads_back_to_its_page) {  // M-9
  for (const EraId era : eras) {
    Kernel k(with_window(era));
    const Address high = k.map(70), atomic = k.map_atomic(71);
    EXPECT_EQ(kmap_to_page(k.m, plus(high, 4095)), Pfn{70});
    EXPECT_EQ(kmap_to_page(k.m, plus(atomic, 1)), Pfn{71});
    EXPECT_EQ(kmap_to_page(k.m, k.map(5)), Pfn{5});
    EXPECT_EQ(kmap_to_page(k.m, pkmap_address(k.m, 5)), std::nullopt);
    EXPECT_EQ(kmap_to_page(k.m, fixmap_address(k.m, 9)), std::nullopt);
    EXPECT_EQ(kmap_to_page(k.m, Address{k.m.mmu.window.vmalloc_start}), std::nullopt);
  }
}

// The page behind a local map was once taken for one of the direct map; the first slot of the first
// CPU still is.
TEST(PageAddress, local_maps_lead_back_too_the_first_one_included) {  // M-9
  Kernel k(with_window(new_era));
  const Address a = k.map_local(70), b = k.map_local(71);
  EXPECT_EQ(kmap_to_page(k.m, a), Pfn{70});
  EXPECT_EQ(kmap_to_page(k.m, b), Pfn{71});
  k.unmap_local(b);
  EXPECT_EQ(kmap_to_page(k.m, b), std::nullopt);
  select_cpu(k.m, 1);
  EXPECT_EQ(kmap_to_page(k.m, a), std::nullopt);  // of another CPU, and of another task
}

TEST(PageAddress, the_newer_kernel_warns_who_asks_once_for_each_kind) {  // M-9
  for (const EraId era : eras) {
    Kernel k(with_window(era));
    const Address high = k.map(70), atomic = k.map_atomic(71);
    k.told();
    const auto warnings = [&](Address a) {
      kmap_to_page(k.m, a);
      const std::uint32_t n = k.m.globals().log.warnings;
      clear_log(k.m);
      return n;
    };
    const std::uint32_t once = era == new_era ? 1 : 0;
    EXPECT_EQ(warnings(high), once);
    EXPECT_EQ(warnings(high), 0u);
    EXPECT_EQ(warnings(atomic), once);
    EXPECT_EQ(warnings(atomic), 0u);
    EXPECT_EQ(warnings(Address{page_offset}), 0u);
  }
}

}  // namespace
}  // namespace props::kmap::by_hand
