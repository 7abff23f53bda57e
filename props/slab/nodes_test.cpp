// Two nodes, worked out by hand: alien arrays, and memory of other nodes (6.1).
#include <gtest/gtest.h>

#include "props/slab/reference_cases.hpp"

namespace props::slab::by_hand {
namespace {

using Objects = std::vector<Address>;

Address from_node(Kernel& k, CacheId c, std::uint32_t node) {
  const auto o = kmem_cache_alloc_node(k.env, k.m, c, k.gfp(), node);
  EXPECT_TRUE(o.has_value());
  return o.value_or(Address::null);
}
std::uint32_t node_of(const Kernel& k, Address a) {
  return node_of_slab(k.m, slab_of(k.m, static_cast<std::uint64_t>(a)));
}

TEST(SlabNodes, objects_come_from_the_node_of_the_cpu_or_the_one_asked_for) {  // S-28
  Kernel k(two_nodes());
  const CacheId c = k.create({.size = 1000});
  EXPECT_EQ(node_of(k, k.get(c)), 0u);
  EXPECT_EQ(node_of(k, from_node(k, c, 1)), 1u);
  EXPECT_EQ(node_of(k, from_node(k, c, 0)), 0u);
  select_cpu(k.m, 1);
  EXPECT_EQ(node_of(k, k.get(c)), 1u);
}

// Twelve are staged; the thirteenth sends them to the other node's shared array, then its slabs.
TEST(SlabNodes, an_object_of_another_node_is_staged) {  // S-28
  Kernel k(two_nodes());
  const CacheId c = k.create({.size = 1000});
  k.tune(c, 4, 4, 2);  // shared: eight
  Objects o;
  for (int i = 0; i < 16; ++i) o.push_back(from_node(k, c, 1));
  EXPECT_EQ(k.alien(c, 0, 1).limit, 12u);
  for (std::size_t i = 0; i < 12; ++i) k.put(c, o[i]);
  EXPECT_EQ(k.alien(c, 0, 1).avail, 12u);
  EXPECT_EQ(k.cpu(c).avail, 0u);
  k.put(c, o[12]);
  EXPECT_EQ(k.alien(c, 0, 1).avail, 1u);
  EXPECT_EQ(k.entries(shared_array(k.m, static_cast<Index>(c), 1)),
            Objects(o.begin() + 4, o.begin() + 12));  // the newest
  EXPECT_EQ(k.node(c, 1).free_objects, 4u);
  EXPECT_EQ(k.picture(c, 1), "full [oxxx] [oooo] [oooo] free [....]");
}

TEST(SlabNodes, reaping_empties_the_alien_arrays_in_turn) {  // S-42
  Kernel k(two_nodes());
  const CacheId c = k.create({.size = 1000});
  k.put(c, from_node(k, c, 1));
  EXPECT_EQ(k.alien(c, 0, 1).avail, 1u);
  cache_reap(k.env, k.m);  // node 1's turn
  EXPECT_EQ(k.alien(c, 0, 1).avail, 0u);
  EXPECT_EQ(k.shared(c, 1).avail, 1u);
  k.put(c, from_node(k, c, 1));
  cache_reap(k.env, k.m);  // its own
  EXPECT_EQ(k.alien(c, 0, 1).avail, 1u);
  cache_reap(k.env, k.m);
  EXPECT_EQ(k.alien(c, 0, 1).avail, 0u);
}

TEST(SlabNodes, a_full_node_is_helped_out) {
  Config config = two_nodes();
  Kernel k(config);
  const CacheId c = k.create({.size = 4096});
  std::uint32_t here = 0, there = 0;
  for (;;) {
    const auto o = kmem_cache_alloc(k.env, k.m, c, k.gfp("GFP_ATOMIC"));
    if (!o) break;
    ++(node_of(k, *o) == 0 ? here : there);
  }
  EXPECT_GT(here, 300u);
  EXPECT_GT(there, 300u);
  EXPECT_LT(k.free_pages(), 8u);
}

TEST(SlabNodes, but_not_where_only_that_node_is_wanted) {
  Kernel k(two_nodes());
  const CacheId c = k.create({.size = 4096});
  const Gfp gfp = k.gfp("GFP_ATOMIC") | GFP_BIT_THISNODE;
  while (const auto o = kmem_cache_alloc(k.env, k.m, c, gfp)) EXPECT_EQ(node_of(k, *o), 0u);
  EXPECT_GT(ref::buddy::zone_at(k.m, 1).free_pages, 400u);
}

TEST(SlabNodes, destroying_brings_everything_back) {  // S-40, S-41
  Kernel k(two_nodes());
  k.settle();
  const std::uint64_t pages = k.free_pages();
  const CacheId c = k.create({.size = 1000});
  Objects o;
  for (std::uint32_t i = 0; i < 40; ++i) o.push_back(from_node(k, c, i % 2));
  for (std::size_t i = 0; i < 20; ++i) k.put(c, o[i]);
  select_cpu(k.m, 1);
  for (std::size_t i = 20; i < 40; ++i) k.put(c, o[i]);
  EXPECT_GT(k.alien(c, 1, 0).avail, 0u);
  EXPECT_EQ(*kmem_cache_destroy(k.env, k.m, c), Destroyed::gone);
  k.settle();
  EXPECT_EQ(k.free_pages(), pages);
}

}  // namespace
}  // namespace props::slab::by_hand
