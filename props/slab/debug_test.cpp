// Constructors, zeroing and the debugging of objects, worked out by hand.
#include <gtest/gtest.h>

#include <algorithm>

#include "props/slab/reference_cases.hpp"

namespace props::slab::by_hand {
namespace {

bool is_constructed(const Kernel& k, Address a, Ctor ctor, std::uint64_t size) {
  const auto bytes = read_bytes(k.m, a, size);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    if (bytes[i] != constructed(ctor, i)) return false;
  return true;
}

void scribble(Kernel& k, Address a, std::int64_t at) {
  const Address where{static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(at)};
  write_bytes(k.m, where, 1)[0] ^= std::byte{0x40};
}

TEST(SlabObjects, a_constructor_runs_once_for_an_object) {  // S-30
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId c = k.create({.size = 100, .ctor = 2});
    const Address a = k.get(c);
    EXPECT_TRUE(is_constructed(k, a, 2, 100));
    write_bytes(k.m, a, 1)[0] = std::byte{7};
    k.put(c, a);
    EXPECT_EQ(k.get(c), a);
    EXPECT_EQ(read_bytes(k.m, a, 1)[0], std::byte{7});  // as it was left
    for (const Address o : k.get_many(c, 100)) EXPECT_TRUE(is_constructed(k, o, 2, 100));
  }
}

TEST(SlabObjects, with_poison_it_runs_at_each_allocation) {  // S-30
  for (const EraId era : eras) {
    Kernel k(debugged(era));
    const CacheId c = k.create({.size = 100, .ctor = 1});
    const Address a = k.get(c);
    std::ranges::fill(write_bytes(k.m, a, 100), std::byte{7});
    k.put(c, a);
    EXPECT_EQ(k.get(c), a);
    EXPECT_TRUE(is_constructed(k, a, 1, 100));
    EXPECT_EQ(k.fault(), Fault::none);
  }
}

TEST(SlabObjects, constructors_differ_from_each_other_and_from_poison) {
  for (Ctor a = 1; a < ctor_count; ++a)
    for (std::uint64_t i = 0; i < 64; ++i) {
      for (const int poison : {0x5a, 0x6b, 0xa5})
        EXPECT_NE(constructed(a, i), static_cast<std::byte>(poison));
      for (Ctor b = 1; b < a; ++b) EXPECT_NE(constructed(a, i), constructed(b, i));
    }
}

TEST(SlabObjects, zeroing_takes_the_object_and_leaves_what_is_behind) {  // S-32
  Kernel k(plain(new_era));
  const CacheId c = k.create({.size = 100});  // stride 104
  const Address a = k.get(c);
  std::ranges::fill(write_bytes(k.m, a, 104), std::byte{0xee});
  k.put(c, a);
  EXPECT_EQ(k.get(c, GFP_BIT_ZERO), a);
  const auto bytes = read_bytes(k.m, a, 104);
  EXPECT_TRUE(std::ranges::all_of(bytes.first(100), [](std::byte b) { return b == std::byte{0}; }));
  EXPECT_TRUE(
      std::ranges::all_of(bytes.subspan(100), [](std::byte b) { return b == std::byte{0xee}; }));
}

// A cache that others were merged into zeroes as much as the largest of them needs.
TEST(SlabObjects, a_merged_cache_zeroes_for_all) {  // S-6, S-32
  Config config = plain(new_era);
  config.slab_merge = true;
  Kernel k(config);
  const CacheId a = k.create({.name = "a", .size = 1001}),
                b = k.create({.name = "b", .size = 1006});
  EXPECT_EQ(a, b);
  EXPECT_EQ(kmem_cache_size(k.m, a), 1006u);
  const Address o = k.get(a);
  std::ranges::fill(write_bytes(k.m, o, 1006), std::byte{1});
  k.put(a, o);
  EXPECT_EQ(k.get(b, GFP_BIT_ZERO), o);
  EXPECT_EQ(read_bytes(k.m, o, 1006)[1005], std::byte{0});
}

TEST(SlabObjects, zeroing_what_was_constructed_is_warned_of_once_and_done) {  // S-31
  Kernel k(plain(new_era));
  const CacheId c = k.create({.size = 100, .ctor = 1});
  const Address a = k.get(c, GFP_BIT_ZERO);
  EXPECT_EQ(k.warnings(), 1u);
  EXPECT_EQ(read_bytes(k.m, a, 100)[0], std::byte{0});
  (void)k.get(c, GFP_BIT_ZERO);
  EXPECT_EQ(k.warnings(), 0u);
}

// Size 100 in words: 6.1 [8 | 100 .. 104 | 8 | 8], 2.6.11 [4 | 100 | 4 | 4].
TEST(SlabDebug, red_zones_stand_around_the_object) {  // S-34
  for (const EraId era : eras) {
    Kernel k(debugged(era));
    const CacheId c = k.create({.size = 100});
    EXPECT_EQ(k.cache(c).obj_offset, era == old_era ? 4u : 8u);
    EXPECT_EQ(k.cache(c).size, era == old_era ? 112u : 128u);
    const std::int64_t behind = era == old_era ? 100 : 104;
    for (const std::int64_t at : {std::int64_t{-1}, behind}) {
      const Address a = k.get(c);
      EXPECT_EQ(read_bytes(k.m, a, 1)[0], std::byte{0x5a});
      EXPECT_EQ(read_bytes(k.m, a, 100)[98], std::byte{0x5a});
      scribble(k, a, at);
      k.put(c, a);
      EXPECT_EQ(k.log().fault, Fault::overwritten) << at;
      (void)k.get(c);
      EXPECT_EQ(k.fault(), Fault::none);
    }
  }
}

TEST(SlabDebug, a_write_to_a_free_object_is_found_when_it_is_handed_out) {  // S-34
  for (const EraId era : eras)
    for (const std::int64_t at : {0, 50, 99}) {
      Kernel k(debugged(era));
      const CacheId c = k.create({.size = 100});
      const Address a = k.get(c);
      k.put(c, a);
      EXPECT_EQ(read_bytes(k.m, a, 100)[0], std::byte{0x6b});
      EXPECT_EQ(read_bytes(k.m, a, 100)[99], std::byte{0xa5});
      scribble(k, a, at);
      EXPECT_EQ(k.get(c), a);
      EXPECT_EQ(k.fault(), Fault::overwritten);
      EXPECT_EQ(read_bytes(k.m, a, 100)[0], std::byte{0x5a});
    }
}

TEST(SlabDebug, or_when_its_slab_is_destroyed) {  // S-34
  for (const EraId era : eras)
    for (const std::int64_t at : {-1, 50}) {
      Kernel k(debugged(era));
      const CacheId c = k.create({.size = 1000});
      const auto o = k.get_many(c, 3);
      k.put_all(c, o);
      scribble(k, o[0], at);
      (void)kmem_cache_shrink(k.env, k.m, c);
      EXPECT_EQ(k.log().fault, Fault::overwritten);
      EXPECT_EQ(k.node(c).total_slabs, 0u);
    }
}

// The indices of a slab stand in a free object, and are no damage.
TEST(SlabDebug, free_indices_in_an_object_are_not_taken_for_damage) {  // S-34
  Kernel k(debugged(new_era));
  const CacheId c = k.create({.size = 1000});
  EXPECT_TRUE(k.cache(c).flags & CFLGS_OBJFREELIST_SLAB);
  k.tune(c, 1, 1);
  for (int round = 0; round < 3; ++round) {
    const auto o = k.get_many(c, 10);
    k.put_all(c, o);
  }
  (void)kmem_cache_shrink(k.env, k.m, c);
  EXPECT_EQ(k.fault(), Fault::none);
}

TEST(SlabDebug, the_owner_is_the_task_that_came_last) {  // S-34
  for (const EraId era : eras) {
    Kernel k(debugged(era));
    const CacheId c = k.create({.size = 100});
    const std::uint32_t word = era == old_era ? 4 : 8;
    const auto owner = [&](Address a) {
      const std::uint64_t at =
          static_cast<std::uint64_t>(a) - k.cache(c).obj_offset + k.cache(c).size - word;
      return read_bytes(k.m, Address{at}, 1)[0];
    };
    const Address a = k.get(c);
    EXPECT_EQ(owner(a), std::byte{1});
    EXPECT_TRUE(switch_task(k.m, 2));
    k.put(c, a);
    EXPECT_EQ(owner(a), std::byte{3});
  }
}

// Large alignments leave no room for red zones; a grace period none for poison.
TEST(SlabDebug, not_everywhere) {  // S-27, S-34
  Kernel k(debugged(new_era));
  const std::uint32_t zones = SLAB_RED_ZONE | SLAB_STORE_USER;
  const auto flags = [&](const CacheSpec& spec) {
    return k.cache(k.create(spec)).flags & (zones | SLAB_POISON);
  };
  EXPECT_EQ(flags({.size = 100}), zones | SLAB_POISON);
  EXPECT_EQ(flags({.size = 100, .align = 64}), std::uint32_t{SLAB_POISON});
  EXPECT_EQ(flags({.size = 4096}), std::uint32_t{SLAB_POISON});  // up to the next power of two
  EXPECT_EQ(flags({.size = 4100}), zones | SLAB_POISON);
  EXPECT_EQ(flags({.size = 100, .flags = SLAB_TYPESAFE_BY_RCU}), zones);
}

}  // namespace
}  // namespace props::slab::by_hand
