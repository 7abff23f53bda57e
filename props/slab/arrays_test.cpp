// The arrays in front of the slabs, worked out by hand: refill, flush, sharing.
#include <gtest/gtest.h>

#include "props/slab/reference_cases.hpp"

namespace props::slab::by_hand {
namespace {

using Objects = std::vector<Address>;

Config two_cpus(EraId era) {
  Config c = plain(era);
  c.cpus = 2;
  return c;
}

TEST(SlabArrays, the_newest_entry_goes_first) {  // S-22
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId c = k.create({.size = 100});
    const Objects o = k.get_many(c, 3);
    k.put(c, o[1]), k.put(c, o[0]), k.put(c, o[2]);
    EXPECT_EQ(k.get(c), o[2]);
    EXPECT_EQ(k.get(c), o[0]);
    EXPECT_EQ(k.get(c), o[1]);
    EXPECT_EQ(k.cpu(c).touched, 1u);
  }
}

// A batch of 60 is cut to 16 the first time; afterwards the array was used.
//   2.6.11: the first refill finds nothing; the slab is looked for with the same array
TEST(SlabArrays, an_untouched_array_gets_sixteen) {  // S-23
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId c = k.create({.size = 100});
    EXPECT_EQ(k.cpu(c).batchcount, 60u);
    const Address first = k.get(c);
    EXPECT_EQ(k.cpu(c).avail, 15u);
    EXPECT_EQ(k.index(first), 15u);  // the last object that was loaded
    for (std::uint32_t i = 15; i-- > 0;) EXPECT_EQ(k.index(k.get(c)), i);
    const Address second = k.get(c);  // 23 are left of the slab's 39
    EXPECT_EQ(k.cpu(c).avail, 22u);
    EXPECT_EQ(k.index(second), 38u);
  }
}

TEST(SlabArrays, a_refill_takes_from_several_slabs_but_makes_at_most_one) {  // S-23
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId c = k.create({.size = 1000});
    k.tune(c, 4, 4);
    const Objects o = k.get_many(c, 8);
    k.put_all(c, {o[0], o[1], o[4], o[5], o[6]});  // the fifth sends the others to their slabs
    EXPECT_EQ(k.cpu(c).avail, 1u);
    k.put_all(c, {o[2], o[3], o[7]});
    (void)k.get_many(c, 4);
    EXPECT_EQ(k.cpu(c).avail, 0u);
    EXPECT_EQ(k.picture(c), "partial [xx..] [xx..]");
    (void)k.get(c);
    EXPECT_EQ(k.cpu(c).avail, 3u);
    EXPECT_EQ(k.node(c).total_slabs, 2u);
    (void)k.get_many(c, 4);
    EXPECT_EQ(k.node(c).total_slabs, 3u);
  }
}

TEST(SlabArrays, a_full_array_flushes_its_oldest) {  // S-24
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId c = k.create({.size = 100});
    k.tune(c, 6, 2);
    const Objects o = k.get_many(c, 8);
    const std::uint32_t held = k.cpu(c).avail;
    ASSERT_EQ(held, 0u);
    for (std::size_t i = 0; i < 6; ++i) k.put(c, o[i]);
    k.put(c, o[6]);
    EXPECT_EQ(k.cpu_entries(c), (Objects{o[2], o[3], o[4], o[5], o[6]}));
    EXPECT_EQ(k.node(c).free_objects, 39u - 8 + 2);
  }
}

// The shared array first, as far as it has room; then the slabs.
TEST(SlabArrays, a_flush_goes_to_the_shared_array_while_it_has_room) {  // S-24
  for (const EraId era : eras) {
    Kernel k(two_cpus(era));
    const CacheId c = k.create({.size = 100});
    k.tune(c, 4, 2, 2);  // shared: four
    EXPECT_EQ(k.shared(c).limit, 4u);
    const Objects o = k.get_many(c, 12);
    for (std::size_t i = 0; i < 9; ++i) k.put(c, o[i]);
    EXPECT_EQ(k.entries(shared_array(k.m, static_cast<Index>(c), 0)),
              (Objects{o[0], o[1], o[2], o[3]}));
    EXPECT_EQ(k.cpu_entries(c), (Objects{o[6], o[7], o[8]}));  // two went to their slabs
    const std::uint32_t free = k.node(c).free_objects;
    k.put(c, o[9]), k.put(c, o[10]);
    EXPECT_EQ(k.shared(c).avail, 4u);
    EXPECT_EQ(k.node(c).free_objects, free + 2);
  }
}

TEST(SlabArrays, another_cpu_takes_the_newest_of_the_shared_array) {  // S-23
  for (const EraId era : eras) {
    Kernel k(two_cpus(era));
    const CacheId c = k.create({.size = 100});
    k.tune(c, 4, 3, 2);
    const Objects o = k.get_many(c, 9);
    for (std::size_t i = 0; i < 5; ++i) k.put(c, o[i]);
    EXPECT_EQ(k.shared(c).avail, 3u);
    select_cpu(k.m, 1);
    EXPECT_EQ(k.get(c), o[2]);
    EXPECT_EQ(k.cpu_entries(c, 1), (Objects{o[0], o[1]}));
    EXPECT_EQ(k.shared(c).avail, 0u);
    EXPECT_EQ(k.shared(c).touched, 1u);
  }
}

TEST(SlabArrays, new_arrays_begin_empty) {  // S-43
  for (const EraId era : eras) {
    Kernel k(two_cpus(era));
    const CacheId c = k.create({.size = 100});
    k.put_all(c, k.get_many(c, 200));
    EXPECT_GT(k.cpu(c).avail, 0u);
    k.tune(c, 10, 5, 1);
    EXPECT_EQ(k.cpu(c).avail, 0u);
    EXPECT_EQ(k.shared(c).avail, 0u);
    EXPECT_EQ(k.shared(c).limit, 5u);
    EXPECT_EQ(k.cpu(c, 1).limit, 10u);
    k.tune(c, 10, 5, 0);
    EXPECT_EQ(k.shared(c).present, 0u);
  }
}

// Where arrays live: 2.6.11 kmallocs each, 6.1 the shared ones only.
TEST(SlabArrays, arrays_are_objects_of_general_caches) {
  for (const EraId era : eras) {
    Kernel k(two_cpus(era));
    const CacheId c = k.create({.size = 100});
    EXPECT_EQ(k.cpu(c).object != 0, era == old_era);
    const std::uint64_t shared = k.shared(c).object;
    const auto at = object_at(k.m, Address{shared});
    ASSERT_TRUE(at.has_value());
    EXPECT_EQ(k.cache(at->cache).object_size, era == old_era ? 2048u : 4096u);  // 480 pointers
    EXPECT_FALSE(at->live);                                                     // no caller's
    k.put(at->cache, Address{shared});
    EXPECT_EQ(k.fault(), Fault::double_free);
  }
}

TEST(SlabArrays, bulk_is_all_or_nothing) {  // K-12
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId c = k.create({.size = 1000});
    Objects o(20);
    EXPECT_EQ(*kmem_cache_alloc_bulk(k.env, k.m, c, k.gfp(), o), 20u);
    EXPECT_EQ(k.node(c).total_slabs, 5u);
    const Gfp atomic = k.gfp("GFP_ATOMIC");
    Objects many(4000);
    EXPECT_EQ(*kmem_cache_alloc_bulk(k.env, k.m, c, atomic, many), 0u);
    kmem_cache_free_bulk(k.env, k.m, c, o);
    EXPECT_FALSE(*kmem_cache_shrink(k.env, k.m, c));
    EXPECT_EQ(k.node(c).total_slabs, 0u);
    k.log();
    const CacheId d = k.create({.name = "other", .size = 100});
    kmem_cache_free_bulk(k.env, k.m, std::nullopt, Objects{k.get(c), k.get(d)});
    EXPECT_EQ(k.fault(), Fault::none);
    EXPECT_FALSE(*kmem_cache_shrink(k.env, k.m, c));
    EXPECT_FALSE(*kmem_cache_shrink(k.env, k.m, d));
  }
}

}  // namespace
}  // namespace props::slab::by_hand
