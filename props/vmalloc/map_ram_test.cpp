// Short-lived mappings in blocks: cut from the front, flushed when the whole block goes (V-43).
#include "props/vmalloc/reference_cases.hpp"

namespace props::vmalloc::by_hand {
namespace {

using Frames = std::vector<std::optional<Pfn>>;

// A window of 256 pages has blocks of 16, and mappings of up to 8 in them.
Config blocks_of_16(std::uint32_t cpus = 1) { return with_cpus(window(new_era, 256 * cpus), cpus); }

Address map_ram(Kernel& k, const Frames& pages) { return k.granted(vm_map_ram(k.env, k.m, pages)); }

TEST(VmMapRam, the_classic_machine_has_blocks_of_1024_pages) {
  Config c = window(new_era, 28670);
  EXPECT_EQ(vmap_block_pages(c), 1024u);
  EXPECT_EQ(vmap_max_alloc(c), 64u);
  EXPECT_EQ(vmap_block_pages(blocks_of_16()), 16u);
  EXPECT_EQ(vmap_max_alloc(blocks_of_16()), 8u);
}

TEST(VmMapRam, small_mappings_share_a_block_and_each_page_is_its_own) {
  Kernel k(blocks_of_16());
  const Frames three = k.frames(3), one = k.frames(1), nine = k.frames(9);
  const Address a = map_ram(k, three), b = map_ram(k, one), c = map_ram(k, nine);
  EXPECT_EQ(number(b), number(a) + k.bytes(4));  // a power of two is taken
  EXPECT_EQ(number(a) % k.bytes(16), 0u);
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(vmalloc_to_page(k.m, behind(a, k.bytes(i))), three[i]);
  EXPECT_FALSE(vmalloc_to_page(k.m, behind(a, k.bytes(3))));
  for (std::size_t i = 0; i < 9; ++i)
    EXPECT_EQ(vmalloc_to_page(k.m, behind(c, k.bytes(i))), nine[i]);
  EXPECT_EQ(set_of(k.m, RangeSet::busy).count, 2u);  // the block, and one range for the nine
  EXPECT_EQ(ranges_broken(k.m), "");
  EXPECT_NE(vmallocinfo(k.m).find(" vm_map_ram\n"), std::string::npos);
}

TEST(VmMapRam, no_place_of_a_block_is_used_twice) {
  Kernel k(blocks_of_16());
  const Frames pages = k.frames(4);
  std::vector<Address> seen;
  for (int i = 0; i < 4; ++i) {
    const Address a = map_ram(k, pages);
    EXPECT_EQ(std::ranges::count(seen, a), 0);
    seen.push_back(a);
    vm_unmap_ram(k.env, k.m, a, 4);
  }
  EXPECT_EQ(vmap_lazy_nr(k.m), 16u);  // all of it is dirty: the block goes
  EXPECT_EQ(set_of(k.m, RangeSet::busy).count, 0u);
  EXPECT_EQ(k.fault(), Fault::none);
}

// free 12, dirty 4 of 16: nothing is mapped, and nothing will be but in front
TEST(VmMapRam, a_purge_takes_blocks_that_nobody_uses) {
  Kernel k(blocks_of_16());
  const Frames pages = k.frames(4);
  const Address a = map_ram(k, pages), b = map_ram(k, pages);
  vm_unmap_ram(k.env, k.m, a, 4);
  EXPECT_FALSE(purge_vmap_area_lazy(k.env, k.m));  // b is mapped
  EXPECT_EQ(set_of(k.m, RangeSet::busy).count, 1u);
  vm_unmap_ram(k.env, k.m, b, 4);
  EXPECT_TRUE(purge_vmap_area_lazy(k.env, k.m));
  EXPECT_EQ(set_of(k.m, RangeSet::busy).count, 0u);
  EXPECT_EQ(vmap_lazy_nr(k.m), 0u);
  EXPECT_EQ(cpu_of(k.m, 0).first, 0u);
  EXPECT_EQ(ranges_broken(k.m), "");
}

// A kernel of 6.1.192 walks only the blocks that have room, and forgets this one (real-bugs 133).
TEST(VmMapRam, aliases_of_a_block_without_room_are_flushed_too) {
  Kernel k(blocks_of_16(2));
  const Frames pages = k.frames(8);
  const Address a = map_ram(k, pages), b = map_ram(k, pages);
  ASSERT_EQ(number(b), number(a) + k.bytes(8));  // full
  ASSERT_TRUE(k.load_on(1, a));
  ASSERT_TRUE(k.load_on(1, b));
  vm_unmap_ram(k.env, k.m, a, 8);
  EXPECT_TRUE(k.load_on(1, a));
  vm_unmap_aliases(k.env, k.m);
  EXPECT_FALSE(k.load_on(1, a));
  EXPECT_TRUE(k.load_on(1, b));
}

TEST(VmMapRam, each_cpu_cuts_from_its_own_blocks) {
  Kernel k(blocks_of_16(2));
  const Frames pages = k.frames(2);
  const Address a = map_ram(k, pages);
  select_cpu(k.m, 1);
  const Address b = map_ram(k, pages);
  EXPECT_NE(number(a) / k.bytes(16), number(b) / k.bytes(16));
  vm_unmap_ram(k.env, k.m, a, 2);  // whoever unmaps it
  select_cpu(k.m, 0);
  vm_unmap_ram(k.env, k.m, b, 2);
  EXPECT_TRUE(purge_vmap_area_lazy(k.env, k.m));
  EXPECT_EQ(set_of(k.m, RangeSet::busy).count, 0u);
}

TEST(VmMapRam, nothing_a_hole_in_the_list_and_another_count_are_refused) {
  Kernel k(blocks_of_16());
  EXPECT_EQ(vm_map_ram(k.env, k.m, {}).error(), Refused::no_memory);
  EXPECT_EQ(k.warnings(), 1u);
  EXPECT_EQ(vm_map_ram(k.env, k.m, Frames{k.frame(), std::nullopt}).error(), Refused::misuse);
  EXPECT_EQ(k.fault(), Fault::no_such_page);
  const Address a = map_ram(k, k.frames(4)), large = map_ram(k, k.frames(9));
  for (const auto& [address, count] : {std::pair{a, 3u},
                                       {a, 5u},
                                       {a, 0u},
                                       {behind(a, 4096), 4u},
                                       {large, 8u},
                                       {large, 10u},
                                       {behind(large, 4096), 9u},
                                       {k.at(200), 1u}}) {
    vm_unmap_ram(k.env, k.m, address, count);
    EXPECT_EQ(k.fault(), Fault::not_an_area) << count;
  }
  vm_unmap_ram(k.env, k.m, behind(a, 1), 4);
  EXPECT_EQ(k.fault(), Fault::bad_area_address);
  k.put(a);
  EXPECT_EQ(k.fault(), Fault::not_an_area);
  vm_unmap_ram(k.env, k.m, a, 4);
  vm_unmap_ram(k.env, k.m, large, 9);
  EXPECT_EQ(k.fault(), Fault::none);
  vm_unmap_ram(k.env, k.m, a, 4);
  EXPECT_EQ(k.fault(), Fault::not_an_area);
}

TEST(VmMapRam, whichever_request_fails_nothing_is_left_behind) {
  const Kernel fresh = [] {
    Kernel k(blocks_of_16());
    return k;
  }();
  for (const std::size_t count : {3u, 20u}) {
    Kernel start = fresh;
    const Frames pages = start.frames(count);
    for (std::uint32_t nth = 1;; ++nth) {
      Kernel k = start;
      plan_failure(k.m, nth);
      const auto got = vm_map_ram(k.env, k.m, pages);
      if (got) break;
      purge_vmap_area_lazy(k.env, k.m);
      EXPECT_EQ(set_of(k.m, RangeSet::busy).count, 0u) << nth;
      EXPECT_EQ(ranges_broken(k.m), "");
      EXPECT_EQ(k.fault(), Fault::none);
    }
  }
}

TEST(VmMapRam, is_unknown_to_2_6_11) {
  Kernel k(window(old_era, 64));
  EXPECT_EQ(vm_map_ram(k.env, k.m, k.frames(1)).error(), Refused::no_memory);
}

}  // namespace
}  // namespace props::vmalloc::by_hand
