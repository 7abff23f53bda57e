// The page oracle against a naive restatement, in every state of complete small scopes.
#include <map>

#include "props/buddy/naive_oracle.hpp"

namespace props::buddy {
namespace {

using ref::core::EraId;
constexpr std::array eras{EraId::linux_2_6_11, EraId::linux_6_1};

// What the watermarks and reserves are made of, from nothing to more than there is.
struct Setting {
  std::uint32_t kbytes, dma_ratio, normal_ratio;
};
constexpr Setting settings[] = {{0, 256, 32}, {0, 1, 2}, {1, 0, 0},
                                {2, 3, 1},    {3, 2, 0}, {9, 1, 1}};

// Every reachable partition of a machine among owners, and every step from each.
class Closure {
 public:
  explicit Closure(const Config& c) : c_(c) {}
  std::size_t run() {
    visit(PageOracle(c_), Naive(c_), {});
    return seen_.size();
  }
  std::map<std::string, int> verdicts;  // of grants, "" for right ones
  int must_grant = 0, must_refuse = 0, either = 0;

 private:
  using Live = std::map<Pfn, unsigned>;

  void visit(const PageOracle& oracle, const Naive& naive, const Live& live) {
    if (!seen_.insert(live).second || testing::Test::HasFatalFailure()) return;
    expect_same(oracle, naive, c_);
    tune(oracle, naive);
    const auto& last = c_.zones[c_.zone_count - 1];
    for (unsigned order = 0; order < c_.orders; ++order)
      for (Pfn p = 0; p < last.first + last.pages + 2; ++p)
        for (const Ask& ask : asks_of(order)) grant(oracle, naive, live, p, ask);
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

  void grant(const PageOracle& oracle, const Naive& naive, const Live& live, Pfn p,
             const Ask& ask) {
    PageOracle next = oracle;
    const auto finding = next.granted(p, ask.order, ask);
    const std::string wrong = naive.judge(p, ask.order, ask);
    ASSERT_EQ(finding ? std::string(finding->rule) : "", wrong) << p << " order " << ask.order;
    ASSERT_EQ(next.is_free(p, ask.order), wrong == "PAGE-ZONE");  // free, but not for him
    ++verdicts[wrong];
    if (finding) return;
    Naive owned = naive;
    owned.own(p, ask.order);
    Live more = live;
    more[p] = ask.order;
    visit(next, owned, more);
  }

  std::vector<Ask> asks_of(unsigned order) const {
    std::vector<Ask> asks;
    for (const ZoneKind kind : kinds)
      for (std::uint32_t node = 0; node < 2 * c_.nodes; ++node)
        asks.push_back({order, kind, node % c_.nodes, node >= c_.nodes});
    return asks;
  }

  // The same state under every watermark and reserve.
  void tune(PageOracle oracle, Naive naive) {
    for (const Setting& s : settings) {
      oracle.set_min_free_kbytes(s.kbytes), naive.set_kbytes(s.kbytes);
      oracle.set_lowmem_reserve_ratio(ZoneKind::dma, s.dma_ratio);
      oracle.set_lowmem_reserve_ratio(ZoneKind::normal, s.normal_ratio);
      naive.set_ratio(ZoneKind::dma, s.dma_ratio);
      naive.set_ratio(ZoneKind::normal, s.normal_ratio);
      ASSERT_NO_FATAL_FAILURE(expect_same(oracle, naive, c_)) << s.kbytes << " KiB";
      for (unsigned order = 0; order <= c_.orders; ++order)
        for (const Ask& ask : asks_of(order)) {
          const bool yes = naive.must_grant(ask), no = naive.must_refuse(ask);
          ASSERT_FALSE(yes && no);
          must_grant += yes, must_refuse += no, either += !yes && !no;
        }
    }
  }

  Config c_;
  std::set<Live> seen_;
};

// Pages of 1 KiB, so that a kbyte of min_free_kbytes is a page.
Config machine(EraId era, std::uint32_t orders) {
  Config c;
  c.era = era;
  c.page_bytes = 1024;
  c.orders = orders;
  return c;
}

Config one_zone(EraId era, Pfn first, std::uint32_t pages, std::uint32_t orders) {
  Config c = machine(era, orders);
  c.add_zone_at(ZoneKind::normal, first, pages);
  return c;
}

// Runs a closure and expects so many partitions, and each verdict among them.
void expect_partitions(const Config& c, std::size_t count) {
  ASSERT_FALSE(validate(c)) << validate(c)->what;
  Closure closure(c);
  EXPECT_EQ(closure.run(), count);
  for (const char* verdict : {"", "PAGE-INSIDE", "PAGE-DISJOINT"})
    EXPECT_GT(closure.verdicts[verdict], 0) << verdict;
  EXPECT_GT(closure.must_grant, 0);
  EXPECT_GT(closure.must_refuse, 0);
  EXPECT_GT(closure.either, 0);
}

// T(k) = T(k-1)^2 + 1 partitions of an aligned zone of 2^k pages.
TEST(OracleScope, one_aligned_zone_has_2_5_26_677_partitions) {
  for (const EraId era : eras) {
    expect_partitions(one_zone(era, 0, 1, 1), 2);
    expect_partitions(one_zone(era, 0, 2, 2), 5);
    expect_partitions(one_zone(era, 0, 4, 3), 26);
    expect_partitions(one_zone(era, 0, 8, 4), 677);
    expect_partitions(one_zone(era, 8, 4, 3), 26);
    expect_partitions(one_zone(era, 0, 8, 3), 26 * 26);  // no block of order 3
  }
}

// Counted from frame 0 the blocks of [3, 10) are cut at 4 and 8: 1 + 4 + 2 frames. Counted from its
// own start they are cut at 7 and 9: 4 + 2 + 1.
TEST(OracleScope, a_crooked_zone_is_cut_from_frame_0_or_from_its_own_start) {
  expect_partitions(one_zone(EraId::linux_6_1, 3, 7, 4), 2 * 26 * 5);
  expect_partitions(one_zone(EraId::linux_2_6_11, 3, 7, 4), 26 * 5 * 2);
  expect_partitions(one_zone(EraId::linux_6_1, 2, 4, 3), 5 * 5);  // [2, 4) and [4, 6)
  expect_partitions(one_zone(EraId::linux_2_6_11, 2, 4, 3), 26);
}

TEST(OracleScope, two_and_three_zones_with_and_without_holes) {
  for (const EraId era : eras) {
    Config two = machine(era, 3);
    two.add_zone(ZoneKind::dma, 4);
    two.add_zone(ZoneKind::normal, 4);
    expect_partitions(two, 26 * 26);
    Config three = machine(era, 3);
    three.add_zone(ZoneKind::dma, 2);
    three.add_zone_at(ZoneKind::normal, 4, 2);
    three.add_zone_at(ZoneKind::highmem, 8, 2);
    expect_partitions(three, 5 * 5 * 5);
  }
}

TEST(OracleScope, reserved_frames_and_two_nodes) {
  for (const EraId era : eras) {
    Config reserved = one_zone(era, 0, 8, 4);
    reserved.reserved[reserved.reserved_count++] = {3, 3};
    expect_partitions(reserved, 5 * 2 * 26);  // [0, 2), [2], [4, 8)
  }
  Config nodes = machine(EraId::linux_6_1, 3);
  nodes.nodes = 2;
  nodes.add_zone(ZoneKind::dma, 2);
  nodes.add_zone(ZoneKind::normal, 2);
  nodes.add_zone(ZoneKind::normal, 2, 1);
  expect_partitions(nodes, 5 * 5 * 5);
}

}  // namespace
}  // namespace props::buddy
