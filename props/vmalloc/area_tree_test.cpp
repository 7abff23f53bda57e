// The addresses that 6.1 hands out: a tree of free ranges, and of lazy ones (V-2 to V-9).
#include <random>

#include "props/vmalloc/scope_walk.hpp"

namespace props::vmalloc::by_hand {
namespace {

Kernel new_window(std::uint32_t pages) { return Kernel(window(new_era, pages)); }

// Every history of five steps in a window of nine pages.
TEST(AreaTree, agrees_with_a_search_from_the_left_over_all_short_histories) {
  const Kernel k = new_window(9);
  ScopeWalk walk({{1, 0, 2, 1},
                  {2, 0, 3, 1},
                  {1, VM_NO_GUARD, 1, 1},
                  {2, VM_IOREMAP, 3, 2},
                  {8, 0, 9, 1},
                  {9, 0, 10, 1}});
  walk.run({k, {9, window_base(k.m), true}, {}}, 5);
  EXPECT_GT(walk.granted, 1000u);
  EXPECT_GT(walk.refused, 1000u);
}

// A thousand areas come and go: the tree becomes ten levels deep.
TEST(AreaTree, agrees_with_a_search_from_the_left_when_it_is_deep) {
  Kernel k = new_window(2000);
  NaiveWindow naive(2000, window_base(k.m), true);
  std::mt19937 random(1);
  std::vector<Address> live;
  for (int step = 0; step < 4000; ++step) {
    if (live.size() < 300 || random() % 2 == 0) {
      const bool aligned = random() % 4 == 0;
      const std::uint64_t pages = aligned ? 1u << random() % 4 : 1 + random() % 5;
      const auto got = k.ask_area(pages, aligned ? VM_IOREMAP + 0u : 0u);
      const auto expected = naive.take(pages + 1, aligned ? pages : 1);
      ASSERT_EQ(got.has_value(), expected.has_value()) << step;
      if (!got) continue;
      ASSERT_EQ(k.page(*got), *expected) << step;
      live.push_back(*got);
    } else {
      std::swap(live[random() % live.size()], live.back());
      naive.give(k.page(live.back()));
      free_vm_area(k.env, k.m, live.back());
      live.pop_back();
    }
    if (step % 16 == 0) { ASSERT_EQ(ranges_broken(k.m), "") << step; }
  }
  for (const Address a : live) free_vm_area(k.env, k.m, a);
  purge_vmap_area_lazy(k.env, k.m);
  EXPECT_EQ(k.picture(), std::string(2000, '.'));
  EXPECT_EQ(ranges_broken(k.m), "");
}

// before   aagbbg......
// free a   ~~~bbg......    not to be had before a flush, so the next one goes behind
TEST(AreaTree, what_is_lazy_is_not_handed_out_while_there_is_another_place) {  // V-40
  Kernel k = new_window(12);
  const Address a = k.area(2);
  k.area(2);
  free_vm_area(k.env, k.m, a);
  EXPECT_EQ(k.picture(), "~~~aag......");
  EXPECT_EQ(k.page(k.area(2)), 6u);
  EXPECT_EQ(k.picture(), "~~~aagbbg...");
}

TEST(AreaTree, when_nothing_fits_the_lazy_ranges_are_purged_and_searched_once_more) {  // V-8
  Kernel k = new_window(6);
  const Address a = k.area(2);
  k.area(2);
  free_vm_area(k.env, k.m, a);
  EXPECT_EQ(k.picture(), "~~~aag");
  EXPECT_EQ(k.page(k.area(2)), 0u);
  EXPECT_EQ(k.picture(), "aagbbg");
  EXPECT_FALSE(k.ask_area(1));
}

// A free between two: with both neighbours it becomes one range, as large as the sum.
TEST(AreaTree, a_range_merges_with_both_neighbours) {  // V-6, real-bugs 137
  Kernel k = new_window(10);
  const std::array areas{k.area(1), k.area(1), k.area(1), k.area(1)};
  for (const std::size_t i : {0u, 2u, 1u}) {
    free_vm_area(k.env, k.m, areas[i]);
    purge_vmap_area_lazy(k.env, k.m);
    EXPECT_EQ(ranges_broken(k.m), "");
  }
  EXPECT_EQ(k.picture(), "......ag..");
  EXPECT_EQ(set_of(k.m, RangeSet::free).count, 2u);
  EXPECT_EQ(linked(k.m, set_of(k.m, RangeSet::free).root).largest, 6u);
  EXPECT_EQ(k.page(k.area(5)), 0u);
}

// Left edge, right edge, no edge, the whole: what is left over stays free (V-7).
TEST(AreaTree, a_range_is_cut_at_its_edges_or_within) {
  Kernel k = new_window(8);
  ASSERT_EQ(window_base(k.m) % 4, 2u);  // so an area aligned to four begins at page 2
  k.area(3, VM_IOREMAP | VM_NO_GUARD);
  EXPECT_EQ(k.picture(), "..aaa...");  // no edge
  k.area(1, VM_NO_GUARD);
  EXPECT_EQ(k.picture(), "a.bbb...");  // left
  k.area(1, VM_NO_GUARD);
  EXPECT_EQ(k.picture(), "abccc...");  // the whole
  k.area(2, VM_IOREMAP | VM_NO_GUARD);
  EXPECT_EQ(k.picture(), "abccc.dd");  // right
  EXPECT_EQ(ranges_broken(k.m), "");
}

TEST(AreaTree, an_ioremapped_area_is_aligned_to_the_power_of_two_at_its_size) {  // V-4
  for (const auto& [pages, align] :
       {std::pair{1, 1}, {2, 2}, {3, 4}, {4, 4}, {5, 8}, {64, 64}, {1024, 1024}, {1100, 1024}}) {
    Kernel k = new_window(4096);
    k.area(1, VM_NO_GUARD);
    const Address a = k.area(static_cast<std::uint64_t>(pages), VM_IOREMAP);
    EXPECT_EQ(number(a) / k.m.config.page_bytes % static_cast<std::uint64_t>(align), 0u) << pages;
    EXPECT_LE(k.page(a), static_cast<std::uint64_t>(align));
  }
}

// A kernel of 6.1 looks for size and alignment together, and would not look at this hole.
TEST(AreaTree, a_hole_that_fits_by_luck_is_found) {
  Kernel k = new_window(8);
  ASSERT_EQ(window_base(k.m) % 4, 2u);
  const std::array areas{k.area(2, VM_NO_GUARD), k.area(4, VM_NO_GUARD), k.area(2, VM_NO_GUARD)};
  free_vm_area(k.env, k.m, areas[1]);
  EXPECT_EQ(k.picture(), "aa~~~~bb");
  EXPECT_EQ(k.page(k.area(4, VM_IOREMAP | VM_NO_GUARD)), 2u);
}

// A split needs an object more, and the CPU keeps one ready for it (V-7).
TEST(AreaTree, each_range_has_an_object_and_a_cpu_keeps_one_more) {
  Kernel k = new_window(8);
  const auto objects = [&] {
    std::vector<std::uint64_t> all;
    for (std::uint64_t p = 0; p < 8; ++p)
      if (range_at(k.m, p).set != RangeSet::none) all.push_back(range_at(k.m, p).object);
    if (cpu_of(k.m, 0).preload != 0) all.push_back(cpu_of(k.m, 0).preload);
    return all;
  };
  const auto all_live = [&] {
    for (const std::uint64_t o : objects()) {
      const auto object = ref::slab::object_at(k.m, Address{o});
      if (!object || !object->live || object->first != Address{o}) return false;
    }
    return true;
  };
  EXPECT_EQ(objects().size(), 1u);
  const Address a = k.area(3, VM_IOREMAP | VM_NO_GUARD);
  EXPECT_EQ(k.picture(), "..aaa...");
  EXPECT_EQ(objects().size(), 3u);  // the preload was used for the split
  EXPECT_TRUE(all_live());
  const Address b = k.area(1, VM_NO_GUARD);
  EXPECT_EQ(objects().size(), 5u);  // and there is a new one
  EXPECT_TRUE(all_live());
  free_vm_area(k.env, k.m, a);
  free_vm_area(k.env, k.m, b);
  purge_vmap_area_lazy(k.env, k.m);
  EXPECT_EQ(k.picture(), "........");
  EXPECT_EQ(objects().size(), 2u);
  EXPECT_TRUE(all_live());
}

}  // namespace
}  // namespace props::vmalloc::by_hand
