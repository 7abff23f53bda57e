// Memory that runs out at each place in turn: nothing leaks, and nothing has changed.
#include <gtest/gtest.h>

#include "props/slab/reference_cases.hpp"

namespace props::slab::by_hand {
namespace {

// Takes what the general caches have in stock, so that every object that a creation needs is the
// first of a new slab: each is a page request that can fail.
void exhaust(Kernel& k) {
  k.settle();
  for (Index link = globals_of(k.m).first; link != 0; link = cache_at(k.m, link - 1).next) {
    const CacheId c{link - 1};
    const Gfp dma = k.cache(c).flags & SLAB_CACHE_DMA ? Gfp{GFP_BIT_DMA} : Gfp{0};
    const auto stock = [&] {
      std::uint32_t free = 0;
      for (std::uint32_t cpu = 0; cpu < k.m.config.cpus; ++cpu) free += k.cpu(c, cpu).avail;
      for (std::uint32_t n = 0; n < k.m.config.nodes; ++n) free += k.node(c, n).free_objects;
      return free;
    };
    if (k.cache(c).size > 4096) continue;
    for (std::uint32_t node = 0; node < k.m.config.nodes; ++node) {
      select_cpu(k.m, node);
      while (k.cpu(c, node).avail + k.node(c, node).free_objects > 0)
        ASSERT_TRUE(kmem_cache_alloc(k.env, k.m, c, k.gfp() | dma).has_value());
    }
    select_cpu(k.m, 0);
    ASSERT_EQ(stock(), 0u);
  }
}

std::string shape(const Kernel& k) { return slabinfo(k.m) + ref::buddy::buddyinfo(k.m); }

unsigned fail_each(const Config& config, const CacheSpec& spec) {
  Kernel k(config);
  exhaust(k);
  for (unsigned nth = 1;; ++nth) {
    const Machine before = k.m;
    k.settle();
    const std::string settled = shape(k);
    k.m = before;
    plan_failure(k.m, nth);
    const auto c = k.ask_cache(spec);
    plan_failure(k.m, 0);
    EXPECT_EQ(k.fault(), Fault::none);
    if (c) return nth - 1;
    EXPECT_EQ(c.error(), Refused::no_memory);
    k.settle();
    EXPECT_EQ(shape(k), settled) << "at request " << nth;
    k.m = before;
    EXPECT_LT(nth, 50u);
    if (nth == 50) return nth;
  }
}

// 6.1, one CPU: descriptor and node.                       2.6.11: descriptor and array; the
// two CPUs: descriptor, shared array, node.                management of the array's slab.
TEST(SlabFailures, creating_fails_at_each_allocation_and_leaves_nothing) {
  for (const EraId era : eras)
    for (const bool debug : {false, true})
      for (const std::uint32_t cpus : {1u, 2u}) {
        Config config = debug ? debugged(era) : plain(era);
        config.cpus = cpus;
        const unsigned failures = fail_each(config, {.name = "new", .size = 1000});
        EXPECT_GE(failures, 2u) << cpus;
      }
}

// There a failed request is served by the other node, so memory has to end: after no page, after
// one, and so on, until a creation has enough of it.
TEST(SlabFailures, on_two_nodes_memory_ends_at_each_page_in_turn) {
  Kernel k(two_nodes());
  exhaust(k);
  const Machine stocked = k.m;
  for (std::uint64_t left = 0;; ++left) {
    k.m = stocked;
    while (k.free_pages() > left)
      ASSERT_TRUE(ref::buddy::alloc_page(k.env, k.m, k.gfp("GFP_ATOMIC")).has_value());
    const Machine before = k.m;
    k.settle();
    const std::string settled = shape(k);
    k.m = before;
    const auto c = k.ask_cache({.name = "new", .size = 100});
    if (c) {
      EXPECT_GE(left, 3u);  // table and arrays, shared array, node: three classes and a descriptor
      return;
    }
    EXPECT_EQ(c.error(), Refused::suspended);
    k.settle();
    EXPECT_EQ(shape(k), settled) << left << " pages";
    ASSERT_LT(left, 20u);
  }
}

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
    exhaust(k);
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
