// The three lists of slabs, worked out by hand: where a slab goes, and from where objects come.
#include <gtest/gtest.h>

#include "props/slab/reference_cases.hpp"

namespace props::slab::by_hand {
namespace {

// Four objects in a slab, arrays of one entry: what is freed lingers there until the next free.
CacheId four(Kernel& k, std::uint32_t limit = 1) {
  const CacheId c = k.create({.size = 1000});
  EXPECT_EQ(k.cache(c).num, 4u);
  k.tune(c, limit, limit);
  return c;
}

// free, partial, full, partial, free, and gone: each state once. Batches of one.
TEST(SlabLists, the_life_of_a_slab) {  // S-20, S-25, S-40
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId c = four(k);
    const std::uint64_t pages = k.free_pages();
    std::string life = k.picture(c);
    const auto note = [&] { life += "\n" + k.picture(c); };
    std::vector<Address> o;
    for (int i = 0; i < 4; ++i) o.push_back(k.get(c)), note();
    for (const Address a : o) k.put(c, a), note();
    EXPECT_TRUE(kmem_cache_shrink(k.env, k.m, c).has_value());
    note();
    EXPECT_EQ(life,
              "none\n"
              "partial [x...]\n"
              "partial [xx..]\n"
              "partial [xxx.]\n"
              "full [xxxx]\n"
              "full [oxxx]\n"     // in the array
              "partial [.oxx]\n"  // the array was full: its oldest went
              "partial [..ox]\n"
              "partial [...o]\n"
              "none");
    EXPECT_EQ(k.free_pages(), pages);
  }
}

// Batches of four, so that a whole slab goes back at once.
TEST(SlabLists, an_empty_slab_goes_to_the_head_of_free) {  // S-25
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId c = four(k, 4);
    const auto o = k.get_many(c, 12);
    k.put_all(c, o);
    EXPECT_EQ(k.picture(c), "full [oooo] free [....] [....]");
    const auto slab_of_object = [&](std::size_t i) {
      return slab_of(k.m, static_cast<std::uint64_t>(o[i])) + 1;
    };
    EXPECT_EQ(k.node(c).free.tail, slab_of_object(0));
    EXPECT_EQ(k.node(c).free.head, slab_of_object(4));
  }
}

TEST(SlabLists, a_filled_slab_goes_to_the_head_of_full_and_others_to_the_head_of_partial) {  // S-23
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId c = four(k);
    const auto o = k.get_many(c, 8);
    const Index first = slab_of(k.m, static_cast<std::uint64_t>(o[0])) + 1;
    const Index second = slab_of(k.m, static_cast<std::uint64_t>(o[4])) + 1;
    EXPECT_EQ(k.node(c).full.head, second);
    EXPECT_EQ(k.node(c).full.tail, first);
    k.put(c, o[0]), k.put(c, o[4]), k.put(c, o[5]), k.put(c, o[1]);
    // Tail of partial at each free: the second slab was freed into after the first.
    EXPECT_EQ(k.picture(c), "partial [.oxx] [..xx]");
    (void)k.get(c);  // the array's
    (void)k.get(c);  // the head of partial, which becomes full
    EXPECT_EQ(k.picture(c), "full [xxxx] partial [..xx]");
    EXPECT_EQ(k.node(c).full.head, first);
  }
}

TEST(SlabLists, a_free_moves_its_slab_to_the_tail_of_partial_even_if_it_was_there) {  // S-25
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId c = four(k);
    const auto o = k.get_many(c, 9);
    k.put(c, o[0]), k.put(c, o[4]), k.put(c, o[1]);
    EXPECT_EQ(k.picture(c), "partial [x...] [.oxx] [.xxx]");
    k.put(c, o[2]);
    EXPECT_EQ(k.picture(c), "partial [x...] [.xxx] [..ox]");
  }
}

TEST(SlabLists, partial_slabs_are_used_before_free_ones) {  // S-23
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId c = four(k);
    const auto o = k.get_many(c, 8);
    for (std::size_t i = 4; i < 8; ++i) k.put(c, o[i]);
    k.put(c, o[0]);
    EXPECT_EQ(k.picture(c), "full [oxxx] free [....]");
    k.put(c, o[1]);
    EXPECT_EQ(k.picture(c), "partial [.oxx] free [....]");
    (void)k.get(c), (void)k.get(c);
    EXPECT_EQ(k.picture(c), "full [xxxx] free [....]");
    // 6.1 did not look at lists that had nothing to give.
    EXPECT_EQ(k.node(c).free_touched, era == old_era ? 1u : 0u);
    (void)k.get(c);
    EXPECT_EQ(k.picture(c), "full [xxxx] partial [...x]");
    EXPECT_EQ(k.node(c).free_touched, 1u);
  }
}

// The object that was given back last goes first, by the indices and by the array.
TEST(SlabLists, a_slab_gives_out_what_it_got_last) {  // S-25
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId c = four(k);
    const auto o = k.get_many(c, 4);
    k.put(c, o[2]), k.put(c, o[0]), k.put(c, o[3]);
    EXPECT_EQ(k.picture(c), "partial [.x.o]");
    EXPECT_EQ(k.get(c), o[3]);  // the array
    EXPECT_EQ(k.get(c), o[0]);
    EXPECT_EQ(k.get(c), o[2]);
  }
}

TEST(SlabLists, counts_follow_the_lists) {  // S-20, S-21
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId c = four(k, 2);
    const auto o = k.get_many(c, 5);  // two slabs, batches of two: one more in the array
    EXPECT_EQ(k.picture(c), "full [xxxx] partial [ox..]");
    EXPECT_EQ(k.node(c).total_slabs, 2u);
    EXPECT_EQ(k.node(c).free_objects, 2u);  // not the one in the array
    EXPECT_EQ(k.cpu(c).avail, 1u);
    k.put_all(c, o);
    EXPECT_EQ(k.cpu(c).avail, 2u);
    EXPECT_EQ(k.node(c).free_objects, 6u);
  }
}

// free_limit = (1 + CPUs) * batchcount + num = 6.
//   6.1 looks when the whole batch is back, and takes from the tail of free;
//   2.6.11 when a slab empties: that one goes.
TEST(SlabLists, too_many_free_objects_cost_a_slab) {  // S-11, S-26
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId c = four(k);
    const std::uint64_t pages = k.free_pages();
    const auto o = k.get_many(c, 12);
    EXPECT_EQ(era == old_era ? k.cache(c).free_limit : k.node(c).free_limit, 6u);
    EXPECT_EQ(k.free_pages(), pages - 3);
    for (std::size_t i = 0; i < 8; ++i) k.put(c, o[i]);
    EXPECT_EQ(k.picture(c), era == old_era ? "full [xxxx] partial [...o] free [....]"
                                           : "full [xxxx] partial [...o]");
    EXPECT_EQ(k.free_pages(), era == old_era ? pages - 3 : pages - 2);
    k.put(c, o[8]);
    EXPECT_EQ(k.picture(c), "full [oxxx] free [....]");
    EXPECT_EQ(k.node(c).free_objects, 4u);
    EXPECT_EQ(k.free_pages(), pages - 2);
    const Index left = k.node(c).free.head - 1;
    EXPECT_EQ(left, slab_of(k.m, static_cast<std::uint64_t>(era == old_era ? o[0] : o[4])));
  }
}

}  // namespace
}  // namespace props::slab::by_hand
