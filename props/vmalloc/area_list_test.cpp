// The addresses that 2.6.11 hands out: a list in address order, the first place that fits (V-2 to
// V-5).
#include "props/vmalloc/scope_walk.hpp"

namespace props::vmalloc::by_hand {
namespace {

Kernel old_window(std::uint32_t pages) { return Kernel(window(old_era, pages)); }

// Every history of five steps in a window of nine pages. An aligned request for two pages wants
// four there (V-4).
TEST(AreaList, agrees_with_a_search_from_the_left_over_all_short_histories) {
  const Kernel k = old_window(9);
  ScopeWalk walk({{1, 0, 2, 1},
                  {2, 0, 3, 1},
                  {3, 0, 4, 1},
                  {2, VM_IOREMAP, 3, 4},
                  {8, 0, 9, 1},
                  {9, 0, 10, 1}});
  walk.run({k, {9, window_base(k.m), false}, {}}, 5);
  EXPECT_GT(walk.granted, 1000u);
  EXPECT_GT(walk.refused, 1000u);
}

// The kernel of that time compared with the end only after it had stepped over an area.
TEST(AreaList, what_does_not_fit_is_refused_in_an_empty_window_too) {  // V-5
  Kernel k = old_window(8);
  EXPECT_FALSE(k.ask_area(8));  // and one guard
  EXPECT_EQ(k.picture(), "........");
  EXPECT_TRUE(k.ask_area(7));
  EXPECT_EQ(k.picture(), "aaaaaaag");
}

TEST(AreaList, what_does_not_fit_behind_the_last_area_is_refused) {  // V-5
  Kernel k = old_window(8);
  k.area(3);
  EXPECT_FALSE(k.ask_area(4));
  EXPECT_TRUE(k.ask_area(3));
  EXPECT_EQ(k.picture(), "aaagbbbg");
}

TEST(AreaList, a_hole_is_used_when_guard_and_all_fit) {  // V-2
  Kernel k = old_window(12);
  const Address first = k.area(2);
  k.area(2);
  free_vm_area(k.env, k.m, first);
  EXPECT_EQ(k.page(k.area(3)), 6u);
  EXPECT_EQ(k.page(k.area(2)), 0u);
  EXPECT_EQ(k.picture(), "aagbbgcccg..");
}

// fls() of an exact power of two is the next one, so 2.6.11 aligns it to twice its size.
TEST(AreaList, an_ioremapped_area_is_aligned_to_the_power_of_two_above_its_size) {  // V-4
  for (const auto& [pages, align] :
       {std::pair{1, 2}, {2, 4}, {3, 4}, {4, 8}, {5, 8}, {64, 128}, {128, 128}, {200, 128}}) {
    Kernel k = old_window(512);
    k.area(1);  // so that the start of the window is taken
    const Address a = k.area(static_cast<std::uint64_t>(pages), VM_IOREMAP);
    EXPECT_EQ(number(a) / k.m.config.page_bytes % static_cast<std::uint64_t>(align), 0u) << pages;
    EXPECT_GE(k.page(a), 2u);
    EXPECT_LT(k.page(a), 2u + static_cast<std::uint64_t>(align));
  }
}

TEST(AreaList, an_area_that_is_given_back_can_be_had_again_at_once) {  // V-42
  Kernel k = old_window(4);
  for (int i = 0; i < 3; ++i) {
    const Address a = k.area(3);
    EXPECT_EQ(k.page(a), 0u);
    free_vm_area(k.env, k.m, a);
  }
  EXPECT_FALSE(purge_vmap_area_lazy(k.env, k.m));
}

}  // namespace
}  // namespace props::vmalloc::by_hand
