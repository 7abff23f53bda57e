// Tests the machine line: text and bytes name each other, and wrong words are found where they
// stand.
#include "props/core/machine_line.hpp"

#include <gtest/gtest.h>

#include "props/core/random.hpp"

namespace props {
namespace {

using ref::core::Config;
using ref::core::EraId;
using ref::core::ZoneKind;

Config draw_config(Random& random) {
  for (;;) {
    Config c;
    c.era = random.chance(2) ? EraId::linux_2_6_11 : EraId::linux_6_1;
    c.page_bytes = 64u << random.below(11);
    c.orders = static_cast<std::uint32_t>(1 + random.below(11));
    c.nodes = static_cast<std::uint32_t>(random.chance(2) ? 1 : 1 + random.below(4));
    c.cpus = static_cast<std::uint32_t>(1 + random.below(8));
    for (std::uint32_t node = 0; node < c.nodes; ++node)
      for (const ZoneKind kind : {ZoneKind::dma, ZoneKind::normal, ZoneKind::highmem}) {
        if (random.chance(3)) continue;
        const auto pages =
            static_cast<std::uint32_t>(1 + random.below(random.chance(3) ? 9999 : 99));
        if (random.chance(2)) c.add_zone(kind, pages, node);
        else c.add_zone_at(kind, static_cast<ref::core::Pfn>(random.below(1u << 20)), pages, node);
      }
    if (c.zone_count > 0)
      for (auto n = static_cast<std::uint32_t>(random.below(3)); c.reserved_count < n;) {
        const auto first = c.zones[0].first + c.reserved_count * 3;
        c.reserved[c.reserved_count++] = {first, first + 1};
      }
    if (random.chance(2)) c.min_free_kbytes = static_cast<std::uint32_t>(random.below(5000));
    if (random.chance(2))
      c.lowmem_reserve_ratio = {static_cast<std::uint32_t>(random.below(300)), 0};
    c.pcp = random.chance(2);
    c.cache_line = 16u << random.below(5);
    c.slab_debug = random.chance(2);
    c.slab_merge = random.chance(2);
    if (random.chance(2)) c.pkmap = 1u << random.below(11);
    if (random.chance(2)) c.vmalloc = static_cast<std::uint32_t>(random.below(5000));
    if (!validate(c)) return c;
  }
}

TEST(MachineLine, every_machine_survives_text_and_bytes) {
  Random random(3);
  for (int i = 0; i < 3000; ++i) {
    const Config c = draw_config(random);
    const std::string line = print_machine(c);
    const auto read = parse_machine(line);
    ASSERT_TRUE(read) << line << ": " << read.error().what;
    ASSERT_EQ(*read, c) << line;
    ASSERT_EQ(print_machine(*read), line);
    ByteWriter to;
    encode_machine(c, to);
    const auto bytes = to.take();
    ByteReader from(bytes);
    ASSERT_EQ(decode_machine(from), c) << line;
    ASSERT_TRUE(from.empty()) << line;
  }
}

TEST(MachineLine, keys_come_in_any_order_and_defaults_are_left_out) {
  const auto c = parse_machine(
      "cpus=1 pcp=on era=linux-2.6.11 orders=11 zones=DMA:16,NORMAL@32:64,HIGHMEM@96:32 page=4096");
  ASSERT_TRUE(c) << c.error().what;
  EXPECT_EQ(print_machine(*c), "era=linux-2.6.11 zones=DMA:16,NORMAL@32:64,HIGHMEM:32");
  const auto full = parse_machine(
      "era=linux-6.1 page=64 orders=3 nodes=2 zones=NORMAL:8,NORMAL/1:8 cpus=2 reserved=0-1,9-9 "
      "min_free_kbytes=0 lowmem_reserve_ratio=0,1 pcp=off slab_merge=off cache_line=128 "
      "slab_debug=on vmalloc=5 pkmap=8");
  ASSERT_TRUE(full) << full.error().what;
  EXPECT_EQ(print_machine(*full),
            "era=linux-6.1 page=64 orders=3 nodes=2 zones=NORMAL:8,NORMAL/1:8 cpus=2 "
            "reserved=0-1,9-9 min_free_kbytes=0 lowmem_reserve_ratio=0,1 pcp=off cache_line=128 "
            "slab_debug=on slab_merge=off pkmap=8 vmalloc=5");
  EXPECT_EQ(full->zones[1].node, 1u);
  EXPECT_FALSE(full->pcp);
  EXPECT_EQ(full->cache_line, 128u);
  EXPECT_TRUE(full->slab_debug);
  EXPECT_FALSE(full->slab_merge);
  EXPECT_EQ(full->pkmap, 8u);
  EXPECT_EQ(full->vmalloc, 5u);
}

TEST(MachineLine, a_switch_is_on_or_off) {
  for (const std::string key : {"pcp", "slab_debug", "slab_merge"}) {
    const auto bad = parse_machine("era=linux-6.1 zones=NORMAL:8 " + key + "=maybe");
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().what, "bad " + key + " 'maybe'");
    EXPECT_EQ(bad.error().expected, "on or off");
  }
  const auto line = parse_machine("era=linux-6.1 zones=NORMAL:8 cache_line=48");
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().what, "cache_line: 48 bytes");
  EXPECT_EQ(line.error().at, 40u);
}

// era, page, orders, nodes, cpus, switches, zones ...: as written before there were more switches
// than the first.
TEST(MachineLine, bytes_of_before_the_object_allocators_say_the_same_machine) {
  for (const std::uint8_t pcp : {std::uint8_t{0}, std::uint8_t{1}}) {
    const std::array<std::uint8_t, 13> bytes{1, 12, 11, 1, 2, pcp, 1, 1, 0, 64, 0, 0, 0};
    ByteReader from(bytes);
    EXPECT_EQ(print_machine(decode_machine(from)),
              std::string("era=linux-6.1 zones=NORMAL:64 cpus=2") + (pcp ? "" : " pcp=off"));
  }
}

// Two numbers behind everything else, told by a bit of the switches.
TEST(MachineLine, bytes_say_a_window_behind_all_that_was_said_before) {
  const std::array<std::uint8_t, 15> bytes{1, 12, 11, 1, 2, 65, 1, 1, 0, 64, 0, 0, 0, 4, 9};
  ByteReader from(bytes);
  EXPECT_EQ(print_machine(decode_machine(from)),
            "era=linux-6.1 zones=NORMAL:64 cpus=2 pkmap=4 vmalloc=9");
  EXPECT_TRUE(from.empty());
}

TEST(MachineLine, a_window_that_has_no_room_is_an_error_where_its_key_stands) {
  const auto slots = parse_machine("era=linux-6.1 zones=NORMAL:64 pkmap=3");
  ASSERT_FALSE(slots);
  EXPECT_EQ(slots.error().what, "pkmap: 3 slots");
  EXPECT_EQ(slots.error().at, 36u);
  const auto pages = parse_machine("era=linux-6.1 vmalloc=29695 zones=DMA:4096,NORMAL:225280");
  ASSERT_FALSE(pages);
  EXPECT_EQ(pages.error().what, "vmalloc: 29695 pages");
  EXPECT_EQ(pages.error().at, 22u);
}

// The values are no good for some keys; then the line stops there, and not at the key.
TEST(MachineLine, reads_exactly_the_keys_that_help_lists) {
  for (const MachineKey& key : machine_keys()) {
    EXPECT_FALSE(key.help.empty()) << key.name;
    const auto known = parse_machine(std::string(key.name) + "=?");
    ASSERT_FALSE(known);
    EXPECT_EQ(known.error().at, key.name.size() + 1) << key.name;
    const auto unknown = parse_machine(std::string(key.name) + "s=?");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().at, 0u) << key.name;
  }
}

}  // namespace
}  // namespace props
