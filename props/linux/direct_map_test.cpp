// direct_map_test: the base is believed only for a reason, and blocks are found by it.
#include <gtest/gtest.h>

#include "props/linux/direct_map.hpp"

namespace props::recorded {
namespace {

constexpr std::uint64_t gib = 1ull << 30;
constexpr std::uint64_t base = 0xffff888000000000;
using Source = DirectMap::Source;

PageEvent block(std::uint64_t pfn, std::uint8_t order, std::uint64_t page = 0) {
  PageEvent event;
  event.pfn = pfn, event.order = order, event.page = page;
  return event;
}

TEST(DirectMap, IsAtItsPlaceWhereTheStructPagesAre) {
  for (const auto& [vmemmap, expected] :
       {std::pair{0xffffea0000000000, base}, std::pair{0xffd4000000000000, 0xff11000000000000}}) {
    DirectMap map;
    EXPECT_FALSE(map.take_page(block(0x123456, 0, vmemmap + 64 * 0x123457)));
    EXPECT_EQ(map.source(), Source::unknown);
    EXPECT_TRUE(map.take_page(block(0x123456, 0, vmemmap + 64 * 0x123456)));
    EXPECT_EQ(map.source(), Source::layout);
    EXPECT_EQ(map.base(), expected);
    EXPECT_FALSE(map.take_page(block(0x123458, 0, vmemmap + 64 * 0x123458)));
  }
}

TEST(DirectMap, WasLowerBefore_4_20) {
  DirectMap map;
  map.take_page(block(0x100, 0, 0xffffea0000004000));
  EXPECT_FALSE(map.take_object(base + 0x5000000, 64));
  EXPECT_TRUE(map.take_object(0xffff880000500000, 64));
  EXPECT_EQ(map.base(), 0xffff880000000000);
  EXPECT_FALSE(map.take_object(0xffff880000600000, 64));
}

TEST(DirectMap, IsLearntFromThreeBlocksThatAgree) {
  constexpr std::uint64_t moved = base + 0x321 * gib;
  DirectMap map;
  const auto slab = [&](std::uint64_t pfn, std::uint64_t at) {
    map.take_page(block(pfn, 1));
    return map.take_object(at + pfn * 4096 + 4096, 4096);
  };
  EXPECT_FALSE(slab(0x1000, moved));
  EXPECT_FALSE(map.take_object(moved + 0x1001000, 64));  // the same block again proves nothing
  EXPECT_FALSE(slab(0x2000, moved));
  EXPECT_FALSE(slab(0x3000, moved + 7 * gib));  // by chance; it takes a vote away
  EXPECT_FALSE(slab(0x4000, moved));
  EXPECT_EQ(map.source(), Source::unknown);
  EXPECT_TRUE(slab(0x5000, moved));
  EXPECT_EQ(map.source(), Source::objects);
  EXPECT_EQ(map.base(), moved);
}

TEST(DirectMap, ObjectsOutsideOfTheLastBlockSayNothing) {
  constexpr std::uint64_t moved = base + 0x321 * gib;
  DirectMap map;
  for (std::uint64_t pfn = 0x1000; pfn < 0x1040; pfn += 4) {
    map.take_page(block(pfn, 1));
    EXPECT_FALSE(map.take_object(moved + pfn * 4096 - 64, 64));
    EXPECT_FALSE(map.take_object(moved + pfn * 4096 + 8192, 64));
    EXPECT_FALSE(map.take_object(moved + pfn * 4096 + 8192 - 64, 128));
    PageEvent freed = block(pfn + 2, 1);
    freed.kind = PageEventKind::free;
    map.take_page(freed);
    EXPECT_FALSE(map.take_object(moved + (pfn + 2) * 4096, 64));
  }
  EXPECT_EQ(map.source(), Source::unknown);
}

TEST(DirectMap, GivesBlocksTheirAddresses) {
  DirectMap map;
  EXPECT_EQ(map.addresses(5, 0).end, 0u);
  map.take_page(block(0x100, 0, 0xffffea0000004000));
  EXPECT_EQ(map.addresses(5, 2).first, base + 0x5000);
  EXPECT_EQ(map.addresses(5, 2).end, base + 0x9000);
  // The last page of all 64 bits would end beyond them.
  const std::uint64_t pages = (0 - base) / 4096;
  EXPECT_EQ(map.addresses(pages - 2, 0).end, 0 - 4096ull);
  EXPECT_EQ(map.addresses(pages - 1, 0).end, 0u);
  EXPECT_EQ(map.addresses(pages, 0).end, 0u);
  EXPECT_EQ(map.addresses(1ull << 63, 63).end, 0u);
  EXPECT_EQ(map.addresses(0, 63).end, 0u);
}

}  // namespace
}  // namespace props::recorded
