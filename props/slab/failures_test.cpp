// Memory that runs out at each place in turn: nothing leaks, and nothing has changed.
#include <gtest/gtest.h>

#include "props/slab/reference_cases.hpp"

namespace props::slab::by_hand {
namespace {

std::string shape(const Kernel& k) { return slabinfo(k.m) + ref::buddy::buddyinfo(k.m); }

// Off-slab management that fails gives back the pages of its slab.
TEST(SlabFailures, a_slab_without_its_management) {
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId c = k.create({.size = 4096, .ctor = 1});
    ASSERT_NE(k.cache(c).freelist_cache, 0u);
    const CacheId holder{k.cache(c).freelist_cache - 1};
    while (k.cpu(holder).avail + k.node(holder).free_objects > 0) (void)k.get(holder);
    const std::uint32_t slabs = k.node(holder).total_slabs;
    const std::uint64_t pages = k.free_pages();
    plan_failure(k.m, 2);
    EXPECT_FALSE(kmem_cache_alloc(k.env, k.m, c, k.gfp()).has_value());
    EXPECT_EQ(k.free_pages(), pages);
    EXPECT_EQ(k.node(c).total_slabs, 0u);
    EXPECT_TRUE(kmem_cache_alloc(k.env, k.m, c, k.gfp()).has_value());
    EXPECT_EQ(k.node(holder).total_slabs, slabs + 1);
  }
}

TEST(SlabFailures, a_call_that_would_wait_has_done_nothing) {
  for (const EraId era : eras) {
    Kernel k(plain(era, 64));
    const CacheId c = k.create({.size = 4096});
    while (kmem_cache_alloc(k.env, k.m, c, k.gfp("GFP_ATOMIC"))) {}
    clear_log(k.m);
    const std::string before = shape(k);
    const auto o = kmem_cache_alloc(k.env, k.m, c, k.gfp());
    EXPECT_EQ(o.error(), Refused::suspended);
    EXPECT_EQ(shape(k), before);
    EXPECT_FALSE(ref::buddy::is_suspended(k.m));
    // Each creation needs a page sooner or later, and waits for it.
    std::optional<Refused> why;
    for (int i = 0; i < 200 && !why; ++i) {
      const std::string name = "w" + std::to_string(i);
      const auto made = k.ask_cache({.name = name, .size = 100});
      if (!made) why = made.error();
    }
    EXPECT_EQ(why, Refused::suspended);
    EXPECT_EQ(globals_of(k.m).mutex, 0u);
  }
}

TEST(SlabFailures, tunables_that_find_no_memory_stay) {  // S-43
  for (const EraId era : eras) {
    Config config = plain(era);
    config.cpus = 2;
    Kernel k(config);
    const CacheId c = k.create({.size = 100});
    (void)k.take_stock();
    const std::uint32_t limit = k.cache(c).limit;
    plan_failure(k.m, 1);
    EXPECT_EQ(*slabinfo_write(k.env, k.m, "test 100 50 8"), SlabinfoWrite::no_memory);
    EXPECT_EQ(k.cache(c).limit, limit);
    EXPECT_EQ(k.cpu(c).limit, limit);
    EXPECT_EQ(*slabinfo_write(k.env, k.m, "test 100 50 8"), SlabinfoWrite::done);
    EXPECT_EQ(k.cpu(c).limit, 100u);
  }
}

// Arrays that no class is large enough for are pages, and management that finds no cache is on its
// slab.
TEST(SlabFailures, machines_with_small_pages_boot) {
  for (const EraId era : eras)
    for (const std::uint32_t bytes : {64u, 256u, 1024u}) {
      Config config = plain(era, 4096);
      config.cpus = 2;
      config.page_bytes = bytes;
      Kernel k(config);
      k.settle();
      const std::uint64_t pages = k.free_pages();
      const CacheId c = k.create({.size = 20});
      k.put_all(c, k.get_many(c, 300));
      EXPECT_EQ(*kmem_cache_destroy(k.env, k.m, c), Destroyed::gone);
      k.settle();
      EXPECT_EQ(k.free_pages(), pages);
      EXPECT_EQ(k.fault(), Fault::none);
    }
}

// A machine that is too small for the general caches serves nothing, and breaks nothing.
TEST(SlabFailures, too_small_to_boot) {
  for (const EraId era : eras) {
    Machine m(plain(era, 2));
    Quiet env;
    const Machine before = m;
    EXPECT_EQ(m.arena.at(m.slab.globals, 0).up, 0u);
    EXPECT_EQ(kmem_cache_create(env, m, {.name = "x", .size = 100}).error(), Refused::no_memory);
    EXPECT_EQ(kmem_cache_alloc(env, m, CacheId{0}, 0).error(), Refused::no_memory);
    EXPECT_EQ(general_cache(m, 100, 0), std::nullopt);
    cache_reap(env, m);
    rcu_grace_period(env, m);
    EXPECT_EQ(m, before);
    EXPECT_EQ(ref::buddy::zone_at(m, 0).free_pages, 2u);
  }
}

}  // namespace
}  // namespace props::slab::by_hand
