// Pages through several maps at once, and clearing parts of pages, worked out by hand.
#include <gtest/gtest.h>

#include <algorithm>

#include "props/kmap/reference_cases.hpp"

namespace props::kmap::by_hand {
namespace {

// Written through one, read through all; frames without an address have their RAM for a direct map.
TEST(PageMaps, of_one_page_are_one_memory) {
  for (const EraId era : eras)
    for (const Pfn pfn : {Pfn{5}, Pfn{70}}) {
      Kernel k(with_window(era));
      std::vector<Address> ways{k.map(pfn), k.map_atomic(pfn), k.map_atomic(pfn, KmType::KM_IRQ0)};
      if (era == new_era) ways.push_back(k.map_local(pfn));
      if (const auto direct = ref::buddy::page_address(k.m, pfn)) ways.push_back(*direct);
      for (std::size_t i = 0; i < ways.size(); ++i) {
        const char value = static_cast<char>('a' + i);
        const std::uint64_t offset = 17 * i;
        EXPECT_TRUE(write_byte(k.m, plus(ways[i], offset), value));
        for (const Address way : ways) EXPECT_EQ(read_byte(k.m, plus(way, offset)), value);
        EXPECT_EQ(static_cast<char>(read_pages(k.m, pfn, offset, 1)[0]), value);
      }
    }
}

// A page of 'x' from the start; what was cleared shows as '.': "xx..xx" by steps of 512 bytes.
std::string picture(const Machine& m, Pfn pfn, std::uint32_t pages = 1) {
  std::string text;
  for (std::uint64_t at = 0; at < pages * 4096; at += 512) {
    const auto bytes = read_pages(m, pfn, at, 512);
    const bool clear = std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
    const bool full = std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{'x'}; });
    text += clear ? '.' : full ? 'x' : '?';
  }
  return text;
}
void fill(Machine& m, Pfn pfn, std::uint32_t pages = 1) {
  std::ranges::fill(write_pages(m, pfn, 0, pages * 4096), std::byte{'x'});
}

TEST(ZeroUserSegments, clears_two_ranges_and_nothing_else) {
  for (const EraId era : eras)
    for (const Pfn pfn : {Pfn{5}, Pfn{70}}) {
      Kernel k(with_window(era));
      fill(k.m, pfn);
      const Machine before = k.m;
      zero_user_segments(k.env, k.m, pfn, 512, 1024, 3072, 4096);
      EXPECT_EQ(picture(k.m, pfn), "x.xxxx..");
      EXPECT_EQ(k.told(), nothing);
      fill(k.m, pfn);
      EXPECT_TRUE(k.m == before);  // no map is left
      zero_user_segments(k.env, k.m, pfn, 1, 2, 0, 0);
      EXPECT_EQ(static_cast<char>(read_pages(k.m, pfn, 0, 1)[0]), 'x');
      EXPECT_EQ(static_cast<char>(read_pages(k.m, pfn, 1, 1)[0]), 0);
      EXPECT_EQ(static_cast<char>(read_pages(k.m, pfn, 2, 1)[0]), 'x');
    }
}

TEST(ZeroUserSegments, of_nothing_does_nothing) {
  for (const EraId era : eras) {
    Kernel k(with_window(era));
    fill(k.m, 70);
    const Machine before = k.m;
    zero_user_segments(k.env, k.m, 70, 0, 0, 0, 0);
    zero_user_segments(k.env, k.m, 70, 600, 600, 4096, 4096);
    zero_user_segments(k.env, k.m, 70, 700, 600, 4096, 0);  // the wrong way round
    EXPECT_TRUE(k.m == before);
  }
}

TEST(ZeroUserSegments, behind_the_end_of_the_page_is_named) {
  for (const EraId era : eras)
    for (const bool second : {false, true}) {
      Kernel k(with_window(era));
      fill(k.m, 70);
      if (second) zero_user_segments(k.env, k.m, 70, 0, 512, 4000, 4097);
      else zero_user_segments(k.env, k.m, 70, 4000, 4097, 0, 512);
      EXPECT_EQ(k.told(), (Told{Fault::bad_segment, Effect::none}));
      EXPECT_EQ(picture(k.m, 70), "xxxxxxxx");
    }
}

TEST(ZeroUserSegments, goes_through_a_compound_block_page_by_page) {
  Kernel k(with_window(new_era));
  const Gfp gfp = gfp_of(new_era, "GFP_HIGHUSER") | GFP_BIT_COMP;
  const Pfn pfn = *ref::buddy::alloc_pages(k.env, k.m, gfp, 2);
  ASSERT_GE(pfn, highmem);
  fill(k.m, pfn, 4);
  zero_user_segments(k.env, k.m, pfn, 3584, 4608, 8192, 13312);
  EXPECT_EQ(picture(k.m, pfn, 4), "xxxxxxx..xxxxxxx..........xxxxxx");
  EXPECT_EQ(k.told(), nothing);
  zero_user_segments(k.env, k.m, pfn, 0, 16385, 0, 0);
  EXPECT_EQ(k.told(), (Told{Fault::bad_segment, Effect::none}));
}

TEST(ZeroUserSegments, a_block_that_is_not_compound_is_its_first_page) {
  Kernel k(with_window(new_era));
  const Pfn pfn = *ref::buddy::alloc_pages(k.env, k.m, gfp_of(new_era, "GFP_HIGHUSER"), 1);
  zero_user_segments(k.env, k.m, pfn, 0, 4097, 0, 0);
  EXPECT_EQ(k.told(), (Told{Fault::bad_segment, Effect::none}));
}

TEST(ZeroUserSegments, needs_a_temporary_slot) {
  Kernel old(with_window(old_era)), now(with_window(new_era));
  old.map_atomic(71, KmType::KM_USER0);
  for (Pfn i = 0; i < 15; ++i) now.map_local(71 + i);
  for (Kernel* k : {&old, &now}) {
    fill(k->m, 70);
    zero_user_segments(k->env, k->m, 70, 600, 600, 0, 0);  // nothing to clear, nothing to map
    EXPECT_EQ(k->told(), nothing);
    zero_user_segments(k->env, k->m, 70, 0, 4096, 0, 0);
    EXPECT_NE(k->told(), nothing);
    EXPECT_EQ(picture(k->m, 70), "xxxxxxxx");
  }
}

}  // namespace
}  // namespace props::kmap::by_hand
