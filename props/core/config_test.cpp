// Tests which geometries are machines, and the defaults that depend on their size.
#include "ref/core/config.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "props/core/machine_line.hpp"

namespace props {
namespace {

using ref::core::Config;
using ref::core::EraId;
using ref::core::ZoneKind;

Config usual() {
  Config c;
  c.add_zone(ZoneKind::dma, 16);
  c.add_zone(ZoneKind::normal, 64);
  c.add_zone(ZoneKind::highmem, 32);
  return c;
}

Config of(EraId era, std::uint32_t dma, std::uint32_t normal, std::uint32_t highmem) {
  Config c;
  c.era = era;
  if (dma) c.add_zone(ZoneKind::dma, dma);
  if (normal) c.add_zone(ZoneKind::normal, normal);
  if (highmem) c.add_zone(ZoneKind::highmem, highmem);
  return c;
}

void reserve(Config& c, ref::core::Pfn first, ref::core::Pfn last) {
  c.reserved[c.reserved_count++] = {first, last};
}

TEST(Config, the_usual_machine_is_one) {
  EXPECT_FALSE(validate(usual()));
  const Config c = usual();
  EXPECT_EQ(c.zones[1].first, 16u);
  EXPECT_EQ(c.zones[2].first, 80u);
  EXPECT_EQ(c.pages(), 112u);
}

TEST(Config, names_what_is_wrong_with_it) {
  struct Case {
    std::function<void(Config&)> spoil;
    std::string key, what, expected;
  };
  const Case cases[] = {
      {[](Config& c) { c.page_bytes = 32; }, "page", "32 bytes", "a power of two from 64 to 65536"},
      {[](Config& c) { c.page_bytes = 96; }, "page", "96 bytes", "a power of two from 64 to 65536"},
      {[](Config& c) { c.page_bytes = 131072; }, "page", "131072 bytes",
       "a power of two from 64 to 65536"},
      {[](Config& c) { c.orders = 0; }, "orders", "0 orders", "1 to 11"},
      {[](Config& c) { c.orders = 12; }, "orders", "12 orders", "1 to 11"},
      {[](Config& c) { c.nodes = 0; }, "nodes", "0 nodes", "1 to 4"},
      {[](Config& c) { c.nodes = 5; }, "nodes", "5 nodes", "1 to 4"},
      {[](Config& c) { c.era = EraId::linux_2_6_11, c.nodes = 2; }, "nodes",
       "2 nodes in era linux-2.6.11", "1: this era is modelled with one node"},
      {[](Config& c) { c.cpus = 0; }, "cpus", "0 cpus", "1 to 8"},
      {[](Config& c) { c.cpus = 9; }, "cpus", "9 cpus", "1 to 8"},
      {[](Config& c) { c.min_free_kbytes = 1048577; }, "min_free_kbytes", "1048577 kB",
       "0 to 1048576"},
      {[](Config& c) { c.cache_line = 8; }, "cache_line", "8 bytes",
       "a power of two from 16 to 256"},
      {[](Config& c) { c.cache_line = 48; }, "cache_line", "48 bytes",
       "a power of two from 16 to 256"},
      {[](Config& c) { c.cache_line = 512; }, "cache_line", "512 bytes",
       "a power of two from 16 to 256"},
      {[](Config& c) { c.zone_count = 0; }, "zones", "no zones", "at least one zone"},
      {[](Config& c) { c.zones[1].pages = 0; }, "zones", "zone NORMAL has no pages",
       "at least 1 page"},
      {[](Config& c) { c.zones[2].node = 1; }, "zones", "zone HIGHMEM is on node 1",
       "a node below 1"},
      {[](Config& c) { c.zones[2].first = 2147483647; }, "zones",
       "zone HIGHMEM ends at pfn 2147483679", "an end of at most 2147483648"},
      {[](Config& c) { c.zones[1].kind = ZoneKind::dma; }, "zones", "zone DMA is listed twice",
       "each zone of a node once"},
      {[](Config& c) { c.zones[1].first = 15; }, "zones",
       "zone NORMAL [15, 79) overlaps zone DMA [0, 16)", "zones that share no page"},
      {[](Config& c) { c.zones[2].first = 10, c.zones[2].pages = 2; }, "zones",
       "zone HIGHMEM [10, 12) overlaps zone DMA [0, 16)", "zones that share no page"},
      {[](Config& c) { c.zones[2].pages = 16777216; }, "zones", "16777296 pages in all",
       "at most 16777216"},
      {[](Config& c) { reserve(c, 5, 4); }, "reserved", "range 5-4 runs backwards",
       "first-last, first <= last"},
      {[](Config& c) { reserve(c, 3, 5), reserve(c, 5, 6); }, "reserved",
       "range 5-6 overlaps another", "ranges apart"},
      {[](Config& c) { reserve(c, 112, 112); }, "reserved", "range 112-112 is not inside one zone",
       "pages of one zone"},
      {[](Config& c) { reserve(c, 15, 16); }, "reserved", "range 15-16 is not inside one zone",
       "pages of one zone"},
      {[](Config& c) { c.pkmap = 3; }, "pkmap", "3 slots", "0, or a power of two up to 1024"},
      {[](Config& c) { c.pkmap = 2048; }, "pkmap", "2048 slots", "0, or a power of two up to 1024"},
      {[](Config& c) { c.vmalloc = 1048577; }, "vmalloc", "1048577 pages", "0 to 1048576"},
      {[](Config& c) { c.vmalloc = 258991; }, "vmalloc", "258991 pages",
       "at most 258990 on this machine"},
      {[](Config& c) { c.zones[1].pages = 229361, c.zones[2].first = 229377, c.pkmap = 1; },
       "zones", "pages below HIGHMEM end at pfn 229377",
       "an end of at most 229376: 896 MiB are mapped directly below a window"},
      {[](Config& c) { c.page_bytes = 65536, c.pkmap = 1; }, "page",
       "no room for a window with 65536 bytes", "smaller pages, or fewer of them below HIGHMEM"},
  };
  for (const Case& wrong : cases) {
    Config c = usual();
    wrong.spoil(c);
    const auto error = validate(c);
    ASSERT_TRUE(error) << wrong.what;
    EXPECT_EQ(error->key, wrong.key);
    EXPECT_EQ(error->what, wrong.what);
    EXPECT_EQ(error->expected, wrong.expected);
  }
}

TEST(Config, accepts_the_edges) {
  const std::function<void(Config&)> edges[] = {
      [](Config& c) { c.page_bytes = 64; },
      [](Config& c) { c.page_bytes = 65536; },
      [](Config& c) { c.orders = 1; },
      [](Config& c) { c.cpus = 8; },
      [](Config& c) { c.nodes = 4; },
      [](Config& c) { c.min_free_kbytes = 1048576; },
      [](Config& c) { c.cache_line = 16; },
      [](Config& c) { c.cache_line = 256; },
      [](Config& c) { c.zones[2].first = 2147483616; },  // ends at 2^31
      [](Config& c) { c.zones[2].pages = 16777216 - 80; },
      [](Config& c) { reserve(c, 0, 15), reserve(c, 16, 16); },
      [](Config& c) { c.zones[0].first = 200; },  // zones need not ascend
      [](Config& c) { c.pkmap = 1; },
      [](Config& c) { c.pkmap = 1024; },
      [](Config& c) { c.vmalloc = 258990; },
      [](Config& c) { c.page_bytes = 64, c.vmalloc = 1048576; },
      [](Config& c) { c.zones[1].pages = 229360, c.zones[2].first = 229376, c.pkmap = 1024; },
  };
  int i = 0;
  for (const auto& edge : edges) {
    Config c = usual();
    edge(c);
    const auto error = validate(c);
    EXPECT_FALSE(error) << "edge " << i << ": " << (error ? error->what : "");
    ++i;
  }
}

// Where a zone ends at 2^31, the next one's start has no number.
TEST(Config, a_start_that_has_no_number_is_an_error_of_the_line) {
  const auto machine = parse_machine("era=linux-6.1 zones=NORMAL@2147483640:8,HIGHMEM:4");
  ASSERT_FALSE(machine);
  EXPECT_EQ(machine.error().what, "no frame is left for this zone");
  EXPECT_EQ(machine.error().at, 40u);
}

using ConfigDeathTest = testing::Test;
TEST(ConfigDeathTest, code_that_adds_such_a_zone_ends_the_program) {
  Config c;
  c.add_zone_at(ZoneKind::normal, 2147483640, 8);
  EXPECT_DEATH(c.add_zone(ZoneKind::highmem, 4), "REQUIRE .*first < pfn_end");
}

TEST(Config, counts_managed_pages_without_the_reserved_ones) {
  Config c = usual();
  reserve(c, 0, 1), reserve(c, 20, 24), reserve(c, 111, 111);
  ASSERT_FALSE(validate(c));
  EXPECT_EQ(c.managed(0), 14u);
  EXPECT_EQ(c.managed(1), 59u);
  EXPECT_EQ(c.managed(2), 31u);
  EXPECT_EQ(c.pages(), 112u);
  EXPECT_EQ(c.lowmem_pages(), 73u);
  for (const ref::core::Pfn pfn : {0u, 1u, 20u, 24u, 111u}) EXPECT_TRUE(c.is_reserved(pfn)) << pfn;
  for (const ref::core::Pfn pfn : {2u, 19u, 25u, 110u, 112u})
    EXPECT_FALSE(c.is_reserved(pfn)) << pfn;
}

// min_free_kbytes = sqrt(lowmem kB * 16), from 128 to the era's upper clamp; by hand:
TEST(Config, min_free_kbytes_is_the_formula_from_4096_pages_on) {
  constexpr EraId old = EraId::linux_2_6_11, now = EraId::linux_6_1;
  EXPECT_EQ(min_free_kbytes_of(of(now, 0, 4095, 0)), 0u);
  EXPECT_EQ(min_free_kbytes_of(of(now, 0, 4096, 0)), 512u);  // sqrt(16384 * 16)
  EXPECT_EQ(min_free_kbytes_of(of(old, 0, 4096, 0)), 512u);
  EXPECT_EQ(min_free_kbytes_of(of(now, 0, 262144, 0)), 4096u);  // 1 GiB: sqrt(2^20 * 2^4)
  // 896 MiB below HIGHMEM: sqrt(917504 * 16 = 14680064) = 3831.4; HIGHMEM does not count.
  EXPECT_EQ(min_free_kbytes_of(of(old, 4096, 225280, 0)), 3831u);
  EXPECT_EQ(min_free_kbytes_of(of(old, 4096, 225280, 32768)), 3831u);
  // 16 pages below HIGHMEM: sqrt(64 * 16) = 32, and no less than 128. HIGHMEM makes it large.
  EXPECT_EQ(min_free_kbytes_of(of(now, 16, 0, 4080)), 128u);
  EXPECT_EQ(min_free_kbytes_of(of(now, 16, 0, 4079)), 0u);
}

TEST(Config, min_free_kbytes_stops_at_the_clamp_of_the_era) {
  // 2^24 pages of 64 KiB: 2^30 kB, sqrt(2^34) = 131072
  for (const auto& [era, kbytes] :
       {std::pair{EraId::linux_2_6_11, 65536u}, {EraId::linux_6_1, 131072u}}) {
    Config c = of(era, 0, 16777216, 0);
    c.page_bytes = 65536;
    ASSERT_FALSE(validate(c));
    EXPECT_EQ(min_free_kbytes_of(c), kbytes);
  }
}

TEST(Config, min_free_kbytes_follows_managed_pages_and_page_size) {
  Config c = of(EraId::linux_6_1, 0, 4096, 0);
  reserve(c, 0, 2047);
  EXPECT_EQ(min_free_kbytes_of(c), 362u);  // sqrt(8192 * 16 = 131072) = 362.04
  Config small = of(EraId::linux_6_1, 0, 65536, 0);
  small.page_bytes = 64;
  EXPECT_EQ(min_free_kbytes_of(small), 256u);  // sqrt(4096 * 16)
}

TEST(Config, what_the_line_says_wins_over_the_formulas) {
  Config c = of(EraId::linux_6_1, 0, 4096, 0);
  EXPECT_EQ(lowmem_reserve_ratio_of(c), (std::array<std::uint32_t, 2>{256, 32}));
  c.min_free_kbytes = 7;
  c.lowmem_reserve_ratio = {1, 2};
  EXPECT_EQ(min_free_kbytes_of(c), 7u);
  EXPECT_EQ(lowmem_reserve_ratio_of(c), (std::array<std::uint32_t, 2>{1, 2}));
  Config little = usual();
  EXPECT_EQ(lowmem_reserve_ratio_of(little), (std::array<std::uint32_t, 2>{0, 0}));
  little.min_free_kbytes = 64;
  EXPECT_EQ(min_free_kbytes_of(little), 64u);
}

TEST(Config, eras_are_found_by_their_names) {
  EXPECT_EQ(ref::core::era_of("linux-2.6.11"), EraId::linux_2_6_11);
  EXPECT_EQ(ref::core::era_of("linux-6.1"), EraId::linux_6_1);
  EXPECT_FALSE(ref::core::era_of("linux-6"));
  EXPECT_FALSE(ref::core::era_of(""));
}

}  // namespace
}  // namespace props
