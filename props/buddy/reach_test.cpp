// Every count of reach moves when that happens, and only then.
#include "props/buddy/reach.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <set>

#include "props/buddy/world.hpp"

namespace props::buddy {
namespace {

using enum ReachEvent;

const std::string machine = "era=linux-6.1 page=64 orders=4 zones=NORMAL:8";

Reach reach_of(const std::string& line, const std::string& steps) {
  const auto trace =
      parse_trace<Operation>("allocheck 1\nmachine " + line + "\n" + steps + "end\n");
  EXPECT_TRUE(trace.has_value()) << steps;
  const Newborn newborn(trace->machine);
  World world(newborn, Judging::everything());
  for (const auto& step : trace->steps) world.apply(step);
  EXPECT_FALSE(world.violation());
  return world.reach();
}

TEST(BuddyReach, splits_and_merges_are_counted_by_the_order_of_the_halves) {
  const Reach split = reach_of(machine + " pcp=off", "p0 = alloc_pages(order=1, gfp=0)\n");
  EXPECT_EQ(split.splits, (Reach::Counts<Reach::orders>{0, 1, 1}));
  EXPECT_EQ(split.merges, Reach::Counts<Reach::orders>{});
  const Reach merged =
      reach_of(machine + " pcp=off",
               "p0 = alloc_pages(order=1, gfp=0)\np1 = alloc_page(gfp=0)\nfree_pages(page=p0)\n"
               "free_pages(page=p1)\n");
  EXPECT_EQ(merged.splits, (Reach::Counts<Reach::orders>{1, 1, 1}));
  EXPECT_EQ(merged.merges, (Reach::Counts<Reach::orders>{1, 1, 1}));
}

TEST(BuddyReach, per_cpu_lists_are_counted_as_what_they_did) {
  const Reach r = reach_of(machine + " cpus=2",
                           "p0 = alloc_page(gfp=0)\nfree_pages(page=p0)\np0 = alloc_page(gfp=0)\n"
                           "free_pages(page=p0)\np0 = alloc_page(gfp=0)\nfree_pages(page=p0)\n"
                           "drain_all_pages()\n");
  EXPECT_EQ(r[pcp_refill], 1u);
  EXPECT_EQ(r[pcp_cached], 3u);
  EXPECT_EQ(r[pcp_hit], 2u);
  EXPECT_EQ(r[drained], 1u);
  EXPECT_EQ(r[pcp_overflow], 0u);
  EXPECT_EQ(r.reached[static_cast<std::size_t>(ref::core::Point::buddy_drain_cpu_next)], 1u);
  EXPECT_EQ(r.points, Reach::Counts<ref::core::points_of_pages>{});
}

TEST(BuddyReach, a_free_past_a_held_list_is_counted) {
  const Reach r = reach_of(machine,
                           "p0 = alloc_page(gfp=0)\np1 = alloc_page(gfp=0)\n"
                           "@buddy.pcp.locked free_pages(page=p1)\nfree_pages(page=p0)\n");
  EXPECT_EQ(r[pcp_bypass], 1u);
  EXPECT_EQ(r[pcp_cached], 0u);  // what an interrupted call did to its list cannot be told
}

TEST(BuddyReach, fallbacks_are_told_apart_from_machines_without_the_zone) {
  const std::string two = "era=linux-6.1 page=64 orders=1 zones=DMA:2,NORMAL:1 pcp=off";
  const std::string asked = "p0 = alloc_page(gfp=0)\np1 = alloc_page(gfp=0)\n";
  EXPECT_EQ(reach_of(two, asked)[zone_fallback], 1u);
  EXPECT_EQ(reach_of("era=linux-6.1 page=64 orders=1 zones=DMA:2 pcp=off", asked)[zone_fallback],
            0u);
}

TEST(BuddyReach, a_mask_counts_once_by_name_and_for_each_of_its_flags) {
  using namespace ref::core;
  Reach r;
  r.count_gfp(EraId::linux_6_1, gfp_of(EraId::linux_6_1, "GFP_HIGHUSER") | GFP_BIT_ZERO, true);
  std::uint64_t flags = 0, names = 0;
  for (const std::uint64_t n : r.gfp_flags) flags += n;
  for (const std::uint64_t n : r.gfp_asked) names += n;
  EXPECT_EQ(flags, 7u);
  EXPECT_EQ(names, 1u);
  EXPECT_EQ(r.gfp_asked, r.gfp_granted);
  r.count_gfp(EraId::linux_2_6_11, 0, false);  // the empty mask is a name there
  EXPECT_NE(r.gfp_asked, r.gfp_granted);
}

TEST(BuddyReach, sums_leave_no_count_out) {
  std::array<std::uint64_t, sizeof(Reach) / sizeof(std::uint64_t)> numbers;
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = i + 1;
  const auto one = std::bit_cast<Reach>(numbers);
  Reach sum;
  sum.add(one);
  sum.add(one);
  const auto groups = reach_groups(one), doubled = reach_groups(sum);
  for (std::size_t g = 0; g < groups.size(); ++g)
    for (std::size_t i = 0; i < groups[g].counts.size(); ++i)
      EXPECT_EQ(doubled[g].counts[i].count, 2 * groups[g].counts[i].count) << groups[g].name;
}

TEST(BuddyReach, every_count_has_a_name_of_its_own_and_a_meaning) {
  std::set<std::string> names;
  for (const ReachGroup& group : reach_groups({})) {
    EXPECT_FALSE(group.meaning.empty()) << group.name;
    EXPECT_FALSE(group.counts.empty()) << group.name;
    for (const ReachCount& count : group.counts) {
      EXPECT_FALSE(count.name.empty()) << group.name;
      EXPECT_TRUE(names.insert(group.name + " " + count.name).second) << count.name;
    }
  }
}

}  // namespace
}  // namespace props::buddy
