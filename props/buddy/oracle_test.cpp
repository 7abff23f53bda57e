// Tests the oracle against a naive restatement: one bool per frame, everything found by scanning.
#include "props/buddy/oracle.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "props/buddy/generator.hpp"

namespace props::buddy {
namespace {

using ref::core::EraId;

// What the oracle must know, without a tree.
class Naive {
 public:
  explicit Naive(const Config& c)
      : c_(c),
        kbytes_(ref::core::min_free_kbytes_of(c)),
        ratio_(ref::core::lowmem_reserve_ratio_of(c)) {
    for (std::uint32_t z = 0; z < c.zone_count; ++z)
      for (Pfn p = first(z); p < end(z); ++p)
        if (!c.is_reserved(p)) free_.insert(p);
  }

  bool is_free(Pfn pfn, unsigned order) const {
    for (Pfn p = pfn; p < pfn + (Pfn{1} << order); ++p)
      if (!free_.contains(p)) return false;
    return true;
  }
  std::optional<std::uint32_t> zone_of(Pfn pfn) const {
    for (std::uint32_t z = 0; z < c_.zone_count; ++z)
      if (first(z) <= pfn && pfn < end(z)) return z;
    return std::nullopt;
  }
  std::uint64_t unowned(std::uint32_t z) const {
    return static_cast<std::uint64_t>(
        std::ranges::count_if(free_, [&](Pfn p) { return zone_of(p) == z; }));
  }

  std::string judge(Pfn pfn, unsigned order, const Ask& ask) const {
    const Pfn pages = Pfn{1} << order;
    const auto z = zone_of(pfn);
    if (!z) return "PAGE-INSIDE";
    if (!aligned(*z, pfn, order)) return "PAGE-ALIGNED";
    if (zone_of(pfn + pages - 1) != z) return "PAGE-INSIDE";
    if (!is_free(pfn, order)) return "PAGE-DISJOINT";
    if (!allowed(*z, ask)) return "PAGE-ZONE";
    return "";
  }
  void own(Pfn pfn, unsigned order) {
    for (Pfn p = pfn; p < pfn + (Pfn{1} << order); ++p) free_.erase(p);
  }
  void give(Pfn pfn, unsigned order) {
    for (Pfn p = pfn; p < pfn + (Pfn{1} << order); ++p) free_.insert(p);
  }

  // The largest aligned free block that begins at each frame not covered so far.
  std::vector<FreeBlock> blocks(std::uint32_t z) const {
    std::vector<FreeBlock> found;
    for (Pfn p = first(z); p < end(z);) {
      int order = static_cast<int>(c_.orders) - 1;
      while (order >= 0 && !(aligned(z, p, static_cast<unsigned>(order)) &&
                             is_free_in(z, p, static_cast<unsigned>(order))))
        --order;
      if (order >= 0) found.push_back({p, static_cast<unsigned>(order)});
      p += order >= 0 ? Pfn{1} << order : 1;
    }
    return found;
  }

  bool must_refuse(const Ask& ask) const {
    bool any = false;
    for (std::uint32_t z = 0; z < c_.zone_count; ++z) any |= allowed(z, ask);
    return !any || ask.order >= c_.orders;
  }
  bool must_grant(const Ask& ask) const {
    if (ask.order >= c_.orders) return false;
    for (std::uint32_t z = 0; z < c_.zone_count; ++z) {
      const auto b = blocks(z);
      const bool fits = std::ranges::any_of(b, [&](FreeBlock f) { return f.order >= ask.order; });
      if (allowed(z, ask) && fits && above_low(z, ask, b)) return true;
    }
    return false;
  }

  // W-10, each era's own words.
  std::uint64_t low_mark(std::uint32_t z) const {
    const std::uint64_t least = kbytes_ * 1024 / c_.page_bytes;
    if (least == 0) return 0;
    const bool high = c_.zones[z].kind == ZoneKind::highmem;
    const std::uint64_t managed = c_.managed(z), lowmem = c_.lowmem_pages();
    const std::uint64_t share = lowmem ? least * managed / lowmem : 0;
    std::uint64_t min = share;
    if (high) min = std::min<std::uint64_t>(128, std::max<std::uint64_t>(32, managed / 1024));
    if (c_.era == EraId::linux_2_6_11) return min + min / 4;
    return min + std::max(share / 4, managed / 1000);
  }
  // W-9: the managed pages of the zones above, up to the highest asked, divided once.
  std::uint64_t reserve(std::uint32_t z, ZoneKind highest) const {
    const ZoneKind own = c_.zones[z].kind;
    if (own == ZoneKind::highmem || c_.managed(z) == 0) return 0;
    const std::uint32_t ratio = ratio_[own == ZoneKind::dma ? 0 : 1];
    std::uint64_t above = 0;
    for (std::uint32_t other = 0; other < c_.zone_count; ++other)
      if (c_.zones[other].node == c_.zones[z].node && c_.zones[other].kind > own &&
          c_.zones[other].kind <= highest)
        above += c_.managed(other);
    return ratio ? above / ratio : 0;
  }
  void set_kbytes(std::uint32_t k) { kbytes_ = k; }
  void set_ratio(ZoneKind kind, std::uint32_t r) { ratio_[kind == ZoneKind::dma ? 0 : 1] = r; }

 private:
  Pfn first(std::uint32_t z) const { return c_.zones[z].first; }
  Pfn end(std::uint32_t z) const { return c_.zones[z].first + c_.zones[z].pages; }
  bool aligned(std::uint32_t z, Pfn pfn, unsigned order) const {
    const Pfn from = c_.era == EraId::linux_2_6_11 ? first(z) : 0;  // B-2
    return (pfn - from) % (Pfn{1} << order) == 0;
  }
  bool is_free_in(std::uint32_t z, Pfn pfn, unsigned order) const {
    return pfn + (Pfn{1} << order) <= end(z) && is_free(pfn, order);
  }
  bool allowed(std::uint32_t z, const Ask& ask) const {
    if (ask.this_node && c_.zones[z].node != ask.node) return false;
    return static_cast<int>(c_.zones[z].kind) <= static_cast<int>(ask.highest);
  }
  // W-3 with the low mark; then W-5 (2.6.11): without the blocks of each lower order, what is left
  // must be above half the mark, a quarter, and so on.
  bool above_low(std::uint32_t z, const Ask& ask, const std::vector<FreeBlock>& b) const {
    std::int64_t left = static_cast<std::int64_t>(unowned(z)) - (1 << ask.order) + 1;
    const auto mark = static_cast<std::int64_t>(low_mark(z));
    if (left <= mark + static_cast<std::int64_t>(reserve(z, ask.highest))) return false;
    if (c_.era == EraId::linux_6_1) return true;
    for (unsigned o = 0; o < ask.order; ++o) {
      left -= std::ranges::count(b, o, &FreeBlock::order) << o;
      if (left <= mark >> (o + 1)) return false;
    }
    return true;
  }

  Config c_;
  std::uint64_t kbytes_;
  std::array<std::uint32_t, 2> ratio_;
  std::set<Pfn> free_;
};

constexpr ZoneKind kinds[] = {ZoneKind::dma, ZoneKind::normal, ZoneKind::highmem};

void expect_same(const PageOracle& oracle, const Naive& naive, const Config& c) {
  for (std::uint32_t z = 0; z < c.zone_count; ++z) {
    ASSERT_EQ(oracle.unowned(z), naive.unowned(z));
    ASSERT_EQ(oracle.low_mark(z), naive.low_mark(z));
    for (const ZoneKind kind : kinds) ASSERT_EQ(oracle.reserve(z, kind), naive.reserve(z, kind));
    const auto same = [](FreeBlock a, FreeBlock b) { return a.pfn == b.pfn && a.order == b.order; };
    ASSERT_TRUE(std::ranges::equal(oracle.free_blocks(z), naive.blocks(z), same)) << z;
  }
  for (const ZoneKind kind : kinds)
    for (unsigned order = 0; order <= c.orders; ++order)
      for (std::uint32_t node = 0; node < 2 * c.nodes; ++node) {
        const Ask ask{order, kind, node % c.nodes, node >= c.nodes};
        ASSERT_EQ(oracle.must_refuse(ask), naive.must_refuse(ask)) << order;
        ASSERT_EQ(oracle.must_grant(ask), naive.must_grant(ask)) << order;
      }
}

// Every reachable partition of one small zone among owners, and every step from each.
class Closure {
 public:
  explicit Closure(const Config& c) : c_(c) {}
  std::size_t run() {
    visit(PageOracle(c_), Naive(c_), {});
    return seen_.size();
  }

 private:
  using Live = std::map<Pfn, unsigned>;
  void visit(const PageOracle& oracle, const Naive& naive, const Live& live) {
    if (!seen_.insert(live).second || testing::Test::HasFatalFailure()) return;
    expect_same(oracle, naive, c_);
    const Ask ask{0, ZoneKind::normal, 0, false};
    for (unsigned order = 0; order < c_.orders; ++order)
      for (Pfn p = 0; p < c_.zones[0].first + c_.zones[0].pages + 2; ++p) {
        PageOracle next = oracle;
        const auto finding = next.granted(p, order, ask);
        const std::string wrong = naive.judge(p, order, ask);
        ASSERT_EQ(finding ? std::string(finding->rule) : "", wrong) << p << " order " << order;
        ASSERT_EQ(next.is_free(p, order), finding && naive.is_free(p, order) && wrong.empty());
        if (finding) continue;
        Naive owned = naive;
        owned.own(p, order);
        Live more = live;
        more[p] = order;
        visit(next, owned, more);
      }
    for (const auto& [p, order] : live) {
      PageOracle next = oracle;
      next.released(p, order);
      Naive freed = naive;
      freed.give(p, order);
      Live less = live;
      less.erase(p);
      visit(next, freed, less);
    }
  }
  Config c_;
  std::set<Live> seen_;
};

Config one_zone(EraId era, Pfn first, std::uint32_t pages, std::uint32_t orders) {
  Config c;
  c.era = era;
  c.page_bytes = 64;
  c.orders = orders;
  c.add_zone_at(ZoneKind::normal, first, pages);
  return c;
}

// T(k) = T(k-1)^2 + 1 partitions of an aligned zone of 2^k pages: 2, 5, 26, 677.
TEST(Oracle, equals_the_naive_one_in_every_partition_of_eight_pages) {
  for (const EraId era : {EraId::linux_2_6_11, EraId::linux_6_1}) {
    EXPECT_EQ(Closure(one_zone(era, 0, 8, 4)).run(), 677u);
    EXPECT_EQ(Closure(one_zone(era, 8, 8, 4)).run(), 677u);
    EXPECT_EQ(Closure(one_zone(era, 0, 8, 3)).run(), 676u);  // no block of order 3: 26 * 26
  }
}

// A zone from frame 3 on. Counted from frame 0 its blocks are cut at 4 and 8; counted from its own
// start they are not: 3 + [4, 8) + [8, 10) gives 2 * 26 * 5, and 3 + [0, 4) + [4, 6) + [6]
// likewise.
TEST(Oracle, equals_the_naive_one_in_every_partition_of_a_crooked_zone) {
  EXPECT_EQ(Closure(one_zone(EraId::linux_6_1, 3, 7, 4)).run(), 2u * 26u * 5u);
  EXPECT_EQ(Closure(one_zone(EraId::linux_2_6_11, 3, 7, 4)).run(), 26u * 5u * 2u);
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
