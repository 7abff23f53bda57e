// Which class or pages a size gets, worked out by hand from the sentences (K-1 to K-8).
#include "props/kmalloc/reference_cases.hpp"

namespace props::kmalloc::by_hand {
namespace {

using Sizes = std::vector<std::uint64_t>;

// Every size that is usable of some request, in order.
Sizes usable_sizes(Kernel& k, std::uint64_t most) {
  Sizes sizes;
  for (std::uint64_t size = 1; size <= most;) {
    const std::uint64_t usable = k.size_of(size, GFP_BIT_NOWARN);
    if (usable < size) break;
    sizes.push_back(usable);
    size = usable + 1;
  }
  return sizes;
}

TEST(KmallocSizes, nothing_is_an_address_of_its_own_in_6_1) {  // K-1
  Kernel k(new_era);
  const std::uint64_t before = k.free_pages();
  EXPECT_EQ(k.get(0), zero_size_ptr);
  EXPECT_EQ(k.free_pages(), before);
  EXPECT_EQ(ksize(k.m, zero_size_ptr), 0u);
}

TEST(KmallocSizes, nothing_is_an_object_of_the_smallest_class_in_2_6_11) {  // K-1
  Kernel k(old_era);
  const Address a = k.get(0), b = k.get(0);
  EXPECT_NE(a, b);
  EXPECT_EQ(ksize(k.m, a), 32u);
  EXPECT_EQ(k.cache_of(a), "size-32");
}

TEST(KmallocSizes, the_classes_of_each_era) {  // K-2
  Kernel old(old_era), modern(new_era);
  EXPECT_EQ(usable_sizes(old, 1u << 22), (Sizes{32, 64, 128, 192, 256, 512, 1024, 2048, 4096, 8192,
                                                16384, 32768, 65536, 131072}));
  EXPECT_EQ(usable_sizes(modern, 8192),
            (Sizes{32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192}));
}

TEST(KmallocSizes,
     short_cache_lines_have_a_class_of_96_in_2_6_11_and_long_ones_none_of_192) {  // K-2
  Config c = roomy(old_era);
  c.cache_line = 32;
  Kernel small_lines(c);
  EXPECT_EQ(usable_sizes(small_lines, 256), (Sizes{32, 64, 96, 128, 192, 256}));
  c.cache_line = 128;
  Kernel large_lines(c);
  EXPECT_EQ(usable_sizes(large_lines, 256), (Sizes{32, 64, 128, 256}));
}

TEST(KmallocSizes, each_size_gets_the_smallest_class_that_fits) {  // K-3
  for (const EraId era : eras) {
    Kernel k(era);
    const Sizes sizes = usable_sizes(k, 8192);
    for (std::uint64_t size = 1; size <= 8192; ++size)
      ASSERT_EQ(k.size_of(size), *std::ranges::lower_bound(sizes, size)) << size;
  }
}

TEST(KmallocSizes,
     usable_is_the_size_of_the_class_even_where_its_objects_lie_further_apart) {  // K-3
  Kernel k(new_era);
  const Address a = k.get(96), b = k.get(96);
  EXPECT_EQ(ksize(k.m, a), 96u);
  const auto apart = std::max(a, b) == a
                         ? static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b)
                         : static_cast<std::uint64_t>(b) - static_cast<std::uint64_t>(a);
  EXPECT_EQ(apart, 128u);  // cache lines of 64 bytes
}

TEST(KmallocSizes, sizes_of_a_power_of_two_are_aligned_to_themselves_in_6_1) {  // K-4
  Kernel k(new_era);
  for (std::uint64_t size = 32; size <= 8192; size *= 2)
    for (int i = 0; i < 9; ++i) EXPECT_TRUE(aligned(k.get(size), size)) << size;
  for (const std::uint64_t size : {9000u, 70000u}) EXPECT_TRUE(aligned(k.get(size), 4096)) << size;
  for (std::uint64_t size = 1; size < 300; size += 7) EXPECT_TRUE(aligned(k.get(size), 8)) << size;
}

TEST(KmallocLarge, sizes_above_the_largest_class_are_compound_pages_in_6_1) {  // K-5
  Kernel k(new_era);
  const std::uint64_t before = k.free_pages();
  const Address a = k.get(8193);
  EXPECT_EQ(before - k.free_pages(), 4u);
  EXPECT_EQ(ksize(k.m, a), 16384u);
  const Pfn pfn = *ref::buddy::virt_to_pfn(k.m, a);
  EXPECT_EQ(ref::buddy::page_count(k.m, pfn + 3), 1u);  // a tail tells what its head does
  k.put(a);
  EXPECT_EQ(k.free_pages(), before);
  EXPECT_EQ(k.fault(), Fault::none);
}

TEST(KmallocLarge, nothing_is_larger_than_the_largest_block_in_6_1) {  // K-5
  Kernel k(new_era);
  EXPECT_EQ(kmalloc_max_size(k.m.config), 4u << 20);
  EXPECT_EQ(k.size_of(4u << 20), 4u << 20);
  EXPECT_EQ(k.ask((4u << 20) + 1, GFP_BIT_NOWARN).error(), Refused::no_memory);
  EXPECT_EQ(k.warnings(), 0u);
  EXPECT_EQ(k.ask((4u << 20) + 1).error(), Refused::no_memory);
  EXPECT_EQ(k.warnings(), 1u);
  EXPECT_EQ(k.ask(UINT64_MAX).error(), Refused::no_memory);
}

TEST(KmallocLarge, nothing_is_larger_than_the_largest_class_in_2_6_11) {  // K-5
  Kernel k(old_era);
  EXPECT_EQ(kmalloc_max_size(k.m.config), 131072u);
  EXPECT_EQ(k.size_of(131072), 131072u);
  EXPECT_EQ(k.ask(131073).error(), Refused::no_memory);
  EXPECT_EQ(k.warnings(), 0u);
}

TEST(KmallocFlags, the_flags_choose_the_kind_of_cache) {  // K-6
  Kernel k(new_era);
  EXPECT_EQ(k.cache_of(k.get(100)), "kmalloc-128");
  EXPECT_EQ(k.cache_of(k.get(100, GFP_BIT_ACCOUNT)), "kmalloc-cg-128");
  EXPECT_EQ(k.cache_of(k.get(100, GFP_BIT_RECLAIMABLE)), "kmalloc-rcl-128");
  EXPECT_EQ(k.cache_of(k.get(100, GFP_BIT_RECLAIMABLE | GFP_BIT_ACCOUNT)), "kmalloc-rcl-128");
  EXPECT_EQ(k.cache_of(k.get(100, GFP_BIT_DMA | GFP_BIT_RECLAIMABLE)), "dma-kmalloc-128");
  EXPECT_EQ(*k.ask(100, GFP_BIT_DMA) < *ref::buddy::page_address(k.m, 4096), true);
  Kernel old(old_era);
  EXPECT_EQ(old.cache_of(old.get(100)), "size-128");
  EXPECT_EQ(old.cache_of(old.get(100, GFP_BIT_DMA)), "size-128(DMA)");
}

TEST(KmallocFlags, zones_without_addresses_are_not_asked_for_in_6_1) {  // K-6
  Kernel k(new_era);
  const Address a = k.get(9000, GFP_BIT_HIGHMEM);
  EXPECT_EQ(k.warnings(), 1u);
  EXPECT_EQ(ksize(k.m, a), 16384u);
  (void)k.get(9000, GFP_BIT_DMA32);
  EXPECT_EQ(k.warnings(), 1u);
  EXPECT_TRUE(
      k.ask(100, GFP_BIT_HIGHMEM).has_value());  // an object, of a slab that was there or not
}

TEST(KmallocFlags, such_flags_stop_2_6_11_when_a_cache_has_to_grow) {  // K-6, S-33
  Kernel k(old_era);
  EXPECT_EQ(k.ask(100000, GFP_BIT_HIGHMEM).error(), Refused::misuse);
  EXPECT_EQ(k.fault(), Fault::bad_slab_gfp);
}

TEST(KmallocArrays, a_product_that_no_number_holds_is_refused_without_a_word) {  // K-8
  Kernel k(new_era);
  const Gfp gfp = k.gfp();
  const std::uint64_t half = std::uint64_t{1} << 32;
  EXPECT_EQ(kmalloc_array(k.env, k.m, half, half, gfp).error(), Refused::no_memory);
  EXPECT_EQ(kcalloc(k.env, k.m, UINT64_MAX, 2, gfp).error(), Refused::no_memory);
  EXPECT_EQ(k.warnings(), 0u);
  EXPECT_EQ(*kmalloc_array(k.env, k.m, 0, UINT64_MAX, gfp), zero_size_ptr);
  EXPECT_EQ(*kcalloc(k.env, k.m, UINT64_MAX, 0, gfp), zero_size_ptr);
  EXPECT_EQ(ksize(k.m, *kmalloc_array(k.env, k.m, 10, 10, gfp)), 128u);
}

TEST(KmallocArrays, sizes_of_2_6_11_are_words_of_32_bits_and_kcalloc_has_half_of_them) {  // K-8
  Kernel k(old_era);
  const Gfp gfp = k.gfp();
  // 65536 * 65536 is 0 in 32 bits: an object of nothing, if nobody looks.
  EXPECT_EQ(kmalloc_array(k.env, k.m, 65536, 65536, gfp).error(), Refused::no_memory);
  EXPECT_EQ(kcalloc(k.env, k.m, 65536, 65536, gfp).error(), Refused::no_memory);
  EXPECT_EQ(kcalloc(k.env, k.m, 1, 0x80000000, gfp).error(), Refused::no_memory);
  EXPECT_EQ(ksize(k.m, *kcalloc(k.env, k.m, 0, 100, gfp)), 32u);
}

TEST(KmallocZeroed, memory_of_kzalloc_and_kcalloc_is_zeros) {  // K-9
  for (const EraId era : eras) {
    Kernel k(era);
    for (const std::uint64_t size : {1u, 100u, 5000u, 100000u}) {
      const Address used = k.get(size);
      k.fill(used, ksize(k.m, used), 0xff);
      k.put(used);
      const Address a = *kzalloc(k.env, k.m, size, k.gfp());
      EXPECT_TRUE(k.holds(a, size, 0)) << size;
      k.fill(a, ksize(k.m, a), 0xff);
      k.put(a);
      EXPECT_TRUE(k.holds(*kcalloc(k.env, k.m, size, 1, k.gfp()), size, 0)) << size;
    }
  }
}

TEST(KmallocRoundup, tells_the_usable_size_without_asking_for_memory) {  // K-11
  Kernel k(new_era);
  EXPECT_EQ(kmalloc_size_roundup(k.m, 0), 0u);
  EXPECT_EQ(kmalloc_size_roundup(k.m, UINT64_MAX), UINT64_MAX);
  EXPECT_EQ(kmalloc_size_roundup(k.m, 8193), 16384u);
  for (const EraId era : eras) {
    Kernel any(era);
    for (std::uint64_t size = 1; size <= 131072; size = size * 5 / 4 + 1)
      EXPECT_EQ(kmalloc_size_roundup(any.m, size), any.size_of(size)) << size;
  }
}

TEST(KmallocNode, memory_comes_from_the_node_that_is_named) {  // K-13 has the flags; kmalloc_node
  Config c;
  c.era = new_era;
  c.pcp = false;
  c.nodes = 2;
  c.add_zone(ZoneKind::normal, 2048, 0);
  c.add_zone(ZoneKind::normal, 2048, 1);
  Kernel k(c);
  for (const std::uint64_t size : {100u, 9000u})
    for (const std::uint32_t node : {0u, 1u}) {
      const auto got = kmalloc_node(k.env, k.m, size, k.gfp(), node);
      ASSERT_TRUE(got.has_value());
      EXPECT_EQ(*ref::buddy::virt_to_pfn(k.m, *got) / 2048, node) << size;
    }
}

TEST(KmallocBoot, management_never_needs_its_own_cache) {  // K-14
  for (const EraId era : eras) {
    const Kernel k(era);
    unsigned off_slab = 0;
    for (std::uint64_t i = 0; i < k.m.slab.cache.count; ++i) {
      const ref::slab::Cache& cache = k.m.arena.at(k.m.slab.cache, i);
      if (!(cache.flags & ref::slab::CFLGS_OFF_SLAB)) continue;
      ++off_slab;
      ASSERT_NE(cache.freelist_cache, 0u) << cache.name.data();
      const auto& holder = k.m.arena.at(k.m.slab.cache, cache.freelist_cache - 1);
      EXPECT_FALSE(holder.flags & ref::slab::CFLGS_OFF_SLAB) << holder.name.data();
    }
    EXPECT_EQ(off_slab > 0, era == old_era);  // in 6.1 a general cache finds room for its indices
  }
}

TEST(KmallocBoot, a_machine_too_small_for_the_general_caches_refuses_everything) {
  Config c;
  c.era = new_era;
  c.add_zone(ZoneKind::normal, 1);
  Kernel k(c);
  EXPECT_EQ(k.ask(1).error(), Refused::no_memory);
  EXPECT_EQ(k.ask(10000).error(), Refused::no_memory);
}

}  // namespace
}  // namespace props::kmalloc::by_hand
