// The oracle of ranges agrees with a naive restatement, page by page, over complete small scopes.
#include "props/vmalloc/ranges.hpp"

#include <gtest/gtest.h>

#include <bit>

namespace props::vmalloc {
namespace {

constexpr std::uint64_t page = 64, first = 3;  // the window begins at a page of odd number

// A window as a mask of pages: bit i is set where somebody has page i.
struct Naive {
  std::uint32_t taken;
  unsigned pages;

  bool may_lie(unsigned at, unsigned count, unsigned align) const {
    if (count == 0 || at + count > pages || (first + at) % align != 0) return false;
    for (unsigned i = at; i < at + count; ++i)
      if (taken >> i & 1u) return false;
    return true;
  }
  unsigned lowest(unsigned count, unsigned align) const {
    for (unsigned at = 0; at < pages; ++at)
      if (may_lie(at, count, align)) return at;
    return pages;
  }
};

std::uint64_t address(unsigned at) { return (first + at) * page; }

// Every run of set pages is one range; two that touch stay two where a cut says so.
Ranges ranges_of(std::uint32_t taken, std::uint32_t cuts, unsigned pages) {
  Ranges ranges(Range{address(0), address(pages)});
  for (unsigned i = 0; i < pages;) {
    if (!(taken >> i & 1u)) {
      ++i;
      continue;
    }
    unsigned end = i + 1;
    while (end < pages && (taken >> end & 1u) && !(cuts >> end & 1u)) ++end;
    ranges.take({address(i), address(end)});
    i = end;
  }
  return ranges;
}

TEST(RangeOracle, agree_with_a_mask_of_pages_in_every_window_of_seven_pages) {
  constexpr unsigned pages = 7;
  std::uint64_t asked = 0, granted = 0, refused = 0;
  for (std::uint32_t taken = 0; taken < 1u << pages; ++taken)
    for (const std::uint32_t cuts : {0u, 0x55u, 0x7fu}) {
      const Naive naive{taken, pages};
      const Ranges ranges = ranges_of(taken, cuts, pages);
      for (unsigned count = 0; count <= pages + 1; ++count)
        for (const unsigned align : {1u, 2u, 4u, 8u}) {
          const Room room{count * page, align * page};
          const unsigned lowest = naive.lowest(count, align);
          ASSERT_EQ(ranges.fits(room), lowest < pages);
          if (count > 0) { ASSERT_EQ(ranges.lowest(room), address(lowest)); }
          refused += lowest == pages;
          for (unsigned at = 0; at <= pages; ++at, ++asked) {
            const bool may = naive.may_lie(at, count, align);
            ASSERT_EQ(!ranges.granted(address(at), room).has_value(), may)
                << taken << ' ' << cuts << ' ' << at << ' ' << count << ' ' << align;
            granted += may;
          }
        }
    }
  EXPECT_GT(granted, 1000u);
  EXPECT_GT(refused, 1000u);
  EXPECT_GT(asked, 90'000u);
}

TEST(RangeOracle, name_what_is_wrong_with_a_place) {
  Ranges ranges(Range{0x1000, 0x5000});
  ranges.take({0x2000, 0x3000});
  const auto rule = [&](std::uint64_t at, std::uint64_t bytes, std::uint64_t align) {
    const auto finding = ranges.granted(at, {bytes, align});
    return finding ? finding->rule : std::string_view{};
  };
  EXPECT_EQ(rule(0x1000, 0x1000, 0x1000), "");
  EXPECT_EQ(rule(0x3000, 0x2000, 0x1000), "");
  EXPECT_EQ(rule(0x0000, 0x1000, 0x1000), "VMALLOC-INSIDE");
  EXPECT_EQ(rule(0x4000, 0x1001, 0x1000), "VMALLOC-INSIDE");
  EXPECT_EQ(rule(0x4000, 0, 0x1000), "VMALLOC-INSIDE");
  EXPECT_EQ(rule(0x3000, UINT64_MAX - 0x2000, 0x1000), "VMALLOC-INSIDE");  // it wraps
  EXPECT_EQ(rule(0x3000, 0x1000, 0x2000), "VMALLOC-ALIGNED");
  EXPECT_EQ(rule(0x1000, 0x1001, 0x1000), "VMALLOC-DISJOINT");
  EXPECT_EQ(rule(0x2800, 0x100, 0x100), "VMALLOC-DISJOINT");
}

TEST(RangeOracle, what_was_given_back_can_be_had_again) {
  Ranges ranges(Range{0x1000, 0x4000});
  ranges.take({0x2000, 0x3000});
  EXPECT_FALSE(ranges.fits({0x2000, 1}));
  EXPECT_FALSE(ranges.free_at(0x2fff));
  EXPECT_TRUE(ranges.free_at(0x3000));
  ranges.give(0x2000);
  EXPECT_TRUE(ranges.fits({0x3000, 1}));
  EXPECT_EQ(ranges, Ranges(Range{0x1000, 0x4000}));
}

}  // namespace
}  // namespace props::vmalloc
