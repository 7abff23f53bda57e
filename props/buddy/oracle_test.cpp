// Tests the oracle against a naive restatement: one bool per frame, everything found by scanning.
#include "props/buddy/oracle.hpp"

#include <map>
#include <string>

#include "props/buddy/generator.hpp"
#include "props/buddy/naive_oracle.hpp"

namespace props::buddy {
namespace {

using ref::core::EraId;

Config one_zone(EraId era, Pfn first, std::uint32_t pages, std::uint32_t orders) {
  Config c;
  c.era = era;
  c.page_bytes = 64;
  c.orders = orders;
  c.add_zone_at(ZoneKind::normal, first, pages);
  return c;
}

struct Tally {
  std::map<std::string, int> verdicts;
  int must_grant = 0, lost = 0;
};

void run_random(std::uint64_t seed, Tally& tally) {
  Random random(seed);
  const Config c = draw_machine(random);
  if (c.pages() > 400) return;
  PageOracle oracle(c);
  Naive naive(c);
  std::vector<FreeBlock> live;
  expect_same(oracle, naive, c);
  for (int i = 0; i < 60 && !testing::Test::HasFatalFailure(); ++i) {
    const auto z = static_cast<std::uint32_t>(random.below(c.zone_count));
    const Pfn pfn = static_cast<Pfn>(c.zones[z].first + random.below(c.zones[z].pages + 1));
    const auto order = static_cast<unsigned>(random.below(std::min(c.orders, 5u)));
    switch (random.below(8)) {
      default: {
        const Ask ask{order, kinds[random.below(3)],
                      static_cast<std::uint32_t>(random.below(c.nodes)), random.chance(3)};
        const auto blocks = naive.blocks(z);
        const bool take = random.chance(2) && !blocks.empty();
        const Pfn at = take ? blocks[random.below(blocks.size())].pfn : pfn;
        const auto finding = oracle.granted(at, order, ask);
        const std::string wrong = naive.judge(at, order, ask);
        ASSERT_EQ(finding ? std::string(finding->rule) : "", wrong);
        ++tally.verdicts[wrong];
        if (!finding) naive.own(at, order), live.push_back({at, order});
        break;
      }
      case 0: {
        if (live.empty()) break;
        const auto which = static_cast<std::ptrdiff_t>(random.below(live.size()));
        const FreeBlock b = live[static_cast<std::size_t>(which)];
        oracle.released(b.pfn, b.order), naive.give(b.pfn, b.order);
        live.erase(live.begin() + which);
        break;
      }
      case 1: {
        const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(
            1 + random.below(5), c.zones[z].first + c.zones[z].pages - pfn));
        oracle.lost(pfn, count);
        for (Pfn p = pfn; p < pfn + count; ++p) naive.own(p, 0);
        tally.lost += static_cast<int>(count);
        break;
      }
      case 2: {
        const auto kbytes = static_cast<std::uint32_t>(random.below(c.page_bytes / 16));
        oracle.set_min_free_kbytes(kbytes), naive.set_kbytes(kbytes);
        break;
      }
      case 3: {
        const ZoneKind kind = kinds[random.below(2)];
        const auto ratio = static_cast<std::uint32_t>(random.below(9));
        oracle.set_lowmem_reserve_ratio(kind, ratio), naive.set_ratio(kind, ratio);
        break;
      }
    }
    expect_same(oracle, naive, c);
    tally.must_grant += naive.must_grant({order, ZoneKind::normal, 0, false});
  }
}

TEST(Oracle, equals_the_naive_one_on_random_machines) {
  Tally tally;
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    ASSERT_NO_FATAL_FAILURE(run_random(seed, tally)) << "seed " << seed;
  }
  for (const char* rule : {"", "PAGE-INSIDE", "PAGE-ALIGNED", "PAGE-DISJOINT", "PAGE-ZONE"})
    EXPECT_GT(tally.verdicts[rule], 50) << rule;
  EXPECT_EQ(tally.verdicts.size(), 5u);
  EXPECT_GT(tally.must_grant, 200);
  EXPECT_GT(tally.lost, 200);
}

TEST(Oracle, names_each_way_in_which_a_grant_is_wrong) {
  Config c;
  c.page_bytes = 64;
  c.nodes = 2;
  c.add_zone(ZoneKind::normal, 16);
  c.add_zone(ZoneKind::highmem, 12);
  c.add_zone(ZoneKind::normal, 16, 1);
  c.reserved[c.reserved_count++] = {0, 0};
  ASSERT_FALSE(validate(c));
  const Ask normal{0, ZoneKind::normal, 0, false}, here{0, ZoneKind::highmem, 0, true};
  const auto rule = [&](Pfn pfn, unsigned order, const Ask& ask) {
    PageOracle oracle(c);
    oracle.lost(9, 1);
    const auto finding = oracle.granted(pfn, order, ask);
    return finding ? std::string(finding->rule) : "";
  };
  EXPECT_EQ(rule(4, 2, normal), "");
  EXPECT_EQ(rule(44, 0, normal), "PAGE-INSIDE");  // behind the last zone
  EXPECT_EQ(rule(24, 3, here), "PAGE-INSIDE");    // begins in HIGHMEM, ends in the next zone
  EXPECT_EQ(rule(5, 1, normal), "PAGE-ALIGNED");
  EXPECT_EQ(rule(0, 0, normal), "PAGE-DISJOINT");  // reserved
  EXPECT_EQ(rule(8, 1, normal), "PAGE-DISJOINT");  // lost
  EXPECT_EQ(rule(16, 0, normal), "PAGE-ZONE");     // HIGHMEM, from NORMAL downwards
  EXPECT_EQ(rule(32, 0, here), "PAGE-ZONE");       // the other node
  EXPECT_EQ(rule(16, 0, here), "");
}

// W-9: what a zone without managed pages keeps is nothing, but its upper neighbours still count.
TEST(Oracle, a_zone_that_is_wholly_reserved_keeps_nothing) {
  Config c;
  c.page_bytes = 64;
  c.add_zone(ZoneKind::dma, 8);
  c.add_zone(ZoneKind::normal, 8);
  c.add_zone(ZoneKind::highmem, 8);
  c.lowmem_reserve_ratio = {1, 1};
  c.reserved[c.reserved_count++] = {8, 15};
  expect_same(PageOracle(c), Naive(c), c);
  EXPECT_EQ(PageOracle(c).reserve(1, ZoneKind::highmem), 0u);
  EXPECT_EQ(PageOracle(c).reserve(0, ZoneKind::highmem), 8u);
}

TEST(Oracle, a_wrong_grant_changes_nothing) {
  Config c = one_zone(EraId::linux_6_1, 0, 8, 4);
  PageOracle oracle(c);
  ASSERT_FALSE(oracle.granted(0, 1, {}));
  EXPECT_TRUE(oracle.granted(0, 2, {}));
  EXPECT_TRUE(oracle.granted(4, 2, {2, ZoneKind::dma, 0, false}));
  EXPECT_EQ(oracle.unowned(0), 6u);
  EXPECT_TRUE(oracle.is_free(4, 2));
  EXPECT_FALSE(oracle.is_free(0, 1));
}

TEST(Oracle, a_lost_page_stays_lost_from_under_its_owner_or_nobody) {
  PageOracle oracle(one_zone(EraId::linux_6_1, 0, 8, 4));
  ASSERT_FALSE(oracle.granted(0, 1, {}));
  oracle.lost(1, 2);  // one owned, one free
  EXPECT_EQ(oracle.unowned(0), 5u);
  EXPECT_FALSE(oracle.is_free(2, 0));
  EXPECT_TRUE(oracle.is_free(3, 0));
}

}  // namespace
}  // namespace props::buddy
