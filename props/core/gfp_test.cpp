// Tests the gfp names of both eras: what each means, how it is spelled, and its kernel bits.
#include "ref/core/gfp.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <map>
#include <set>

#include "props/core/random.hpp"

namespace props {
namespace {

using namespace ref::core;

constexpr EraId old = EraId::linux_2_6_11, now = EraId::linux_6_1;
constexpr Gfp wait = GFP_BIT_DIRECT_RECLAIM, kswapd = GFP_BIT_KSWAPD_RECLAIM;
constexpr Gfp io = GFP_BIT_IO, fs = GFP_BIT_FS, highmem = GFP_BIT_HIGHMEM;

TEST(Gfp, each_era_knows_its_names_and_not_those_of_the_other) {
  const char* both[] = {
      "GFP_ATOMIC", "GFP_NOWAIT",   "GFP_NOIO",     "GFP_NOFS",      "GFP_KERNEL",
      "GFP_USER",   "GFP_HIGHUSER", "GFP_DMA",      "__GFP_HIGH",    "__GFP_IO",
      "__GFP_FS",   "__GFP_NOWARN", "__GFP_NOFAIL", "__GFP_NORETRY", "__GFP_RETRY_MAYFAIL",
      "__GFP_COMP", "__GFP_ZERO",   "__GFP_DMA",    "__GFP_HIGHMEM"};
  const char* only_old[] = {"__GFP_WAIT", "__GFP_COLD", "__GFP_REPEAT", "__GFP_NO_GROW"};
  const char* only_now[] = {"__GFP_RECLAIM",      "__GFP_DIRECT_RECLAIM", "__GFP_KSWAPD_RECLAIM",
                            "__GFP_NOMEMALLOC",   "__GFP_MEMALLOC",       "__GFP_ATOMIC",
                            "__GFP_HARDWALL",     "__GFP_THISNODE",       "__GFP_ACCOUNT",
                            "__GFP_MOVABLE",      "__GFP_RECLAIMABLE",    "__GFP_WRITE",
                            "GFP_KERNEL_ACCOUNT", "GFP_HIGHUSER_MOVABLE", "GFP_DMA32",
                            "__GFP_DMA32"};
  for (const char* name : both) EXPECT_TRUE(parse_gfp(old, name) && parse_gfp(now, name)) << name;
  for (const char* name : only_old)
    EXPECT_TRUE(parse_gfp(old, name) && !parse_gfp(now, name)) << name;
  for (const char* name : only_now)
    EXPECT_TRUE(!parse_gfp(old, name) && parse_gfp(now, name)) << name;
  std::set<std::string_view> listed;
  for (const GfpName& n : gfp_names()) listed.insert(n.name);
  EXPECT_EQ(listed.size(), std::size(both) + std::size(only_old) + std::size(only_now));
}

TEST(Gfp, combinations_mean_what_the_era_says) {
  const std::map<std::string, std::pair<Gfp, Gfp>> meaning{
      {"GFP_ATOMIC", {GFP_BIT_HIGH, GFP_BIT_HIGH | GFP_BIT_ATOMIC | kswapd}},
      {"GFP_NOWAIT", {0, kswapd}},
      {"GFP_NOIO", {wait, wait | kswapd}},
      {"GFP_NOFS", {wait | io, wait | kswapd | io}},
      {"GFP_KERNEL", {wait | io | fs, wait | kswapd | io | fs}},
      {"GFP_USER", {wait | io | fs, wait | kswapd | io | fs | GFP_BIT_HARDWALL}},
      {"GFP_HIGHUSER",
       {wait | io | fs | highmem, wait | kswapd | io | fs | GFP_BIT_HARDWALL | highmem}},
      {"GFP_DMA", {GFP_BIT_DMA, GFP_BIT_DMA}},
  };
  for (const auto& [name, masks] : meaning) {
    EXPECT_EQ(gfp_of(old, name), masks.first) << name;
    EXPECT_EQ(gfp_of(now, name), masks.second) << name;
  }
  EXPECT_EQ(*parse_gfp(now, "__GFP_RECLAIM"), wait | kswapd);
  EXPECT_EQ(*parse_gfp(old, "__GFP_WAIT"), wait);
  EXPECT_EQ(*parse_gfp(now, "__GFP_DIRECT_RECLAIM"), wait);
  EXPECT_EQ(*parse_gfp(old, "__GFP_REPEAT"), *parse_gfp(old, "__GFP_RETRY_MAYFAIL"));
}

// include/linux/gfp_types.h of 6.1, without KASAN.
TEST(Gfp, the_kernel_bits_of_6_1_are_those_of_its_header) {
  const std::map<std::string_view, std::uint32_t> header{
      {"__GFP_DMA", 0x01},
      {"__GFP_HIGHMEM", 0x02},
      {"__GFP_DMA32", 0x04},
      {"__GFP_MOVABLE", 0x08},
      {"__GFP_RECLAIMABLE", 0x10},
      {"__GFP_HIGH", 0x20},
      {"__GFP_IO", 0x40},
      {"__GFP_FS", 0x80},
      {"__GFP_ZERO", 0x100},
      {"__GFP_ATOMIC", 0x200},
      {"__GFP_DIRECT_RECLAIM", 0x400},
      {"__GFP_KSWAPD_RECLAIM", 0x800},
      {"__GFP_WRITE", 0x1000},
      {"__GFP_NOWARN", 0x2000},
      {"__GFP_RETRY_MAYFAIL", 0x4000},
      {"__GFP_NOFAIL", 0x8000},
      {"__GFP_NORETRY", 0x10000},
      {"__GFP_MEMALLOC", 0x20000},
      {"__GFP_COMP", 0x40000},
      {"__GFP_NOMEMALLOC", 0x80000},
      {"__GFP_HARDWALL", 0x100000},
      {"__GFP_THISNODE", 0x200000},
      {"__GFP_ACCOUNT", 0x400000},
      {"__GFP_RECLAIM", 0xc00},
      {"GFP_ATOMIC", 0xa20},             // HIGH | ATOMIC | KSWAPD
      {"GFP_KERNEL", 0xcc0},             // RECLAIM | IO | FS
      {"GFP_KERNEL_ACCOUNT", 0x400cc0},  // KERNEL | ACCOUNT
      {"GFP_NOWAIT", 0x800},
      {"GFP_NOIO", 0xc00},
      {"GFP_NOFS", 0xc40},
      {"GFP_USER", 0x100cc0},  // KERNEL | HARDWALL
      {"GFP_DMA", 0x01},
      {"GFP_DMA32", 0x04},
      {"GFP_HIGHUSER", 0x100cc2},          // USER | HIGHMEM
      {"GFP_HIGHUSER_MOVABLE", 0x100cca},  // HIGHUSER | MOVABLE
  };
  std::size_t seen = 0;
  for (const GfpName& n : gfp_names()) {
    if (!n.known[static_cast<std::size_t>(now)]) continue;
    ++seen;
    ASSERT_TRUE(header.contains(n.name)) << n.name;
    EXPECT_EQ(n.kernel[static_cast<std::size_t>(now)], header.at(n.name)) << n.name;
  }
  EXPECT_EQ(seen, header.size());
}

// A combination's kernel bits are those of its flags.
TEST(Gfp, kernel_bits_agree_with_masks) {
  for (const EraId era : {old, now}) {
    const auto e = static_cast<std::size_t>(era);
    std::map<Gfp, std::uint32_t> kernel_of_bit;
    for (const GfpName& n : gfp_names())
      if (n.known[e] && std::has_single_bit(n.mask[e])) {
        const auto [it, fresh] = kernel_of_bit.try_emplace(n.mask[e], n.kernel[e]);
        EXPECT_EQ(it->second, n.kernel[e]) << n.name;
        EXPECT_TRUE(std::has_single_bit(n.kernel[e])) << n.name;
      }
    for (const GfpName& n : gfp_names()) {
      if (!n.known[e]) continue;
      std::uint32_t sum = 0;
      for (const auto& [bit, kernel] : kernel_of_bit)
        if (n.mask[e] & bit) sum |= kernel;
      EXPECT_EQ(sum, n.kernel[e]) << n.name;
    }
  }
}

TEST(Gfp, printing_is_canonical_longest_name_first) {
  EXPECT_EQ(print_gfp(now, gfp_of(now, "GFP_KERNEL") | GFP_BIT_NOWARN), "GFP_KERNEL|__GFP_NOWARN");
  EXPECT_EQ(print_gfp(old, gfp_of(old, "GFP_USER")), "GFP_KERNEL");
  EXPECT_EQ(print_gfp(now, gfp_of(now, "GFP_USER") | highmem), "GFP_HIGHUSER");
  EXPECT_EQ(print_gfp(now, wait | io), "__GFP_DIRECT_RECLAIM|__GFP_IO");
  EXPECT_EQ(print_gfp(old, wait | fs), "GFP_NOIO|__GFP_FS");
  EXPECT_EQ(print_gfp(old, 0), "GFP_NOWAIT");
  EXPECT_EQ(print_gfp(now, 0), "0");
  EXPECT_EQ(print_gfp(now, GFP_BIT_DMA), "GFP_DMA");
}

void expect_round_trip(EraId era, Gfp mask) {
  const std::string text = print_gfp(era, mask);
  const auto back = parse_gfp(era, text);
  ASSERT_TRUE(back) << text;
  EXPECT_EQ(*back, mask) << text;
  EXPECT_EQ(print_gfp(era, *back), text);
}

TEST(Gfp, every_known_bit_and_many_masks_survive_print_and_parse) {
  Random random(1);
  for (const EraId era : {old, now}) {
    const Gfp known = gfp_known(era);
    std::size_t bits = 0;
    for (unsigned bit = 0; bit < gfp_bit_count; ++bit) {
      if (!(known >> bit & 1u)) continue;
      ++bits;
      expect_round_trip(era, Gfp{1} << bit);
    }
    EXPECT_EQ(bits, era == old ? 14u : 23u);
    for (int i = 0; i < 20000; ++i) expect_round_trip(era, static_cast<Gfp>(random.next()) & known);
  }
}

TEST(Gfp, parsing_says_where_the_first_wrong_word_stands) {
  const std::tuple<EraId, const char*, std::size_t> wrong[] = {{now, "", 0},
                                                               {now, "GFP_KERNEL|", 11},
                                                               {now, "|GFP_KERNEL", 0},
                                                               {now, "gfp_kernel", 0},
                                                               {now, "GFP_KERNEL | GFP_DMA", 0},
                                                               {now, "GFP_KERNEL|0", 11},
                                                               {now, "00", 0},
                                                               {now, "GFP_KERNEL|__GFP_COLD", 11},
                                                               {old, "__GFP_IO|__GFP_MEMALLOC", 9},
                                                               {old, "GFP_KERNEL ", 0}};
  for (const auto& [era, text, at] : wrong) {
    const auto mask = parse_gfp(era, text);
    ASSERT_FALSE(mask) << text;
    EXPECT_EQ(mask.error().at, at) << text;
    EXPECT_EQ(mask.error().expected,
              std::string("a gfp flag of linux-") + (era == old ? "2.6.11" : "6.1"));
  }
}

using GfpDeathTest = testing::Test;
TEST(GfpDeathTest, code_that_prints_what_the_era_does_not_know_ends_the_program) {
  EXPECT_DEATH((void)print_gfp(old, GFP_BIT_MEMALLOC), "REQUIRE");
  EXPECT_DEATH((void)gfp_of(now, "GFP_NOSUCH"), "unknown gfp name");
}

}  // namespace
}  // namespace props
