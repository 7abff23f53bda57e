// The periodic work, worked out by hand: which objects and slabs go back, and when.
#include <gtest/gtest.h>

#include "props/slab/reference_cases.hpp"

namespace props::slab::by_hand {
namespace {

using Objects = std::vector<Address>;

// A cache whose array holds eleven objects, just put there.
struct Parked {
  explicit Parked(EraId era) : k(plain(era)), c(k.create({.size = 1000})) {
    k.tune(c, 20, 4);
    o = k.get_many(c, 12);
    o.pop_back();
    k.put_all(c, o);
  }
  Kernel k;
  CacheId c;
  Objects o;
};

TEST(SlabReap, an_array_that_was_used_only_loses_the_mark) {  // S-42
  for (const EraId era : eras) {
    Parked p(era);
    EXPECT_EQ(p.k.cpu(p.c).touched, 1u);
    cache_reap(p.k.env, p.k.m);
    EXPECT_EQ(p.k.cpu(p.c).touched, 0u);
    EXPECT_EQ(p.k.cpu(p.c).avail, 11u);
  }
}

// (20 + 4) / 5 = 4 of the oldest; half of what is left when there are fewer.
TEST(SlabReap, then_a_fifth_of_it_goes) {  // S-42
  for (const EraId era : eras) {
    Parked p(era);
    cache_reap(p.k.env, p.k.m);
    cache_reap(p.k.env, p.k.m);
    EXPECT_EQ(p.k.cpu_entries(p.c), Objects(p.o.begin() + 4, p.o.end()));
    cache_reap(p.k.env, p.k.m);
    EXPECT_EQ(p.k.cpu_entries(p.c), Objects(p.o.begin() + 8, p.o.end()));
    cache_reap(p.k.env, p.k.m);
    EXPECT_EQ(p.k.cpu(p.c).avail, 1u);
    cache_reap(p.k.env, p.k.m);
    EXPECT_EQ(p.k.cpu(p.c).avail, 0u);
  }
}

TEST(SlabReap, an_empty_array_keeps_its_mark_in_6_1) {  // S-42
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId c = k.create({.size = 1000});
    k.tune(c, 1, 1);
    (void)k.get(c);
    cache_reap(k.env, k.m);
    EXPECT_EQ(k.cpu(c).touched, era == new_era ? 1u : 0u);
  }
}

// free_limit 2 * 10 + 4 = 24: ceil(24 / 20) = 2 slabs every four seconds, unless some were used.
//   6.1 takes them from the tail of free, 2.6.11 from its head
TEST(SlabReap, free_slabs_go_every_four_seconds) {  // S-42
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId c = k.create({.size = 1000});
    k.tune(c, 10, 10);
    EXPECT_EQ(era == old_era ? k.cache(c).free_limit : k.node(c).free_limit, 24u);
    k.put_all(c, k.get_many(c, 30));
    k.tune(c, 10, 10);   // the arrays are empty again
    k.put(c, k.get(c));  // and the lists were used, which 6.1 does not say of empty ones
    k.tune(c, 10, 10);
    const auto free = [&] { return k.node(c).free.count; };
    ASSERT_EQ(free(), 6u);
    const Index head = k.node(c).free.head, tail = k.node(c).free.tail;
    for (int second = 0; second < 3; ++second) {
      pass_time(k.m, 1);
      cache_reap(k.env, k.m);
      EXPECT_EQ(k.node(c).free_touched, 1u);
    }
    pass_time(k.m, 1);
    cache_reap(k.env, k.m);  // the lists were used
    EXPECT_EQ(k.node(c).free_touched, 0u);
    cache_reap(k.env, k.m);  // too early
    EXPECT_EQ(free(), 6u);
    pass_time(k.m, 4);
    cache_reap(k.env, k.m);
    EXPECT_EQ(free(), 4u);
    EXPECT_EQ(slab_at(k.m, head - 1).cache == 0, era == old_era);
    EXPECT_EQ(slab_at(k.m, tail - 1).cache == 0, era == new_era);
  }
}

TEST(SlabReap, caches_that_do_not_want_it) {  // S-42, 2.6.11
  Kernel k(plain(old_era));
  const CacheId c = k.create({.size = 1000, .flags = SLAB_NO_REAP});
  k.put_all(c, k.get_many(c, 10));
  const std::uint32_t held = k.cpu(c).avail;
  for (int i = 0; i < 10; ++i) pass_time(k.m, 4), cache_reap(k.env, k.m);
  EXPECT_EQ(k.cpu(c).avail, held);
}

TEST(SlabReap, only_the_array_of_the_cpu_that_works) {  // S-42
  Config config = plain(new_era);
  config.cpus = 2;
  Kernel k(config);
  const CacheId c = k.create({.size = 1000});
  k.put_all(c, k.get_many(c, 10));
  select_cpu(k.m, 1);
  const std::uint32_t held = k.cpu(c).avail;
  for (int i = 0; i < 10; ++i) cache_reap(k.env, k.m);
  EXPECT_EQ(k.cpu(c).avail, held);
  select_cpu(k.m, 0);
  for (int i = 0; i < 10; ++i) cache_reap(k.env, k.m);
  EXPECT_EQ(k.cpu(c).avail, 0u);
}

// While a cache is created on one CPU, the work of another gives up.
struct ReapWithin final : Env {
  void at(Point point) override {
    if (point != Point::slab_grow_unlocked || !m) return;
    Machine* machine = std::exchange(m, nullptr);
    select_cpu(*machine, 1);
    cache_reap(*this, *machine);
    select_cpu(*machine, 0);
  }
  Machine* m = nullptr;
};

TEST(SlabReap, not_while_caches_change) {  // S-42
  for (const EraId era : eras) {
    Config config = plain(era);
    config.cpus = 2;
    Kernel k(config);
    const CacheId c = k.create({.size = 1000});
    select_cpu(k.m, 1);
    (void)k.get(c);
    select_cpu(k.m, 0);
    ReapWithin env;
    env.m = &k.m;
    for (int i = 0; i < 60 && env.m != nullptr; ++i) {
      const std::string name = "n" + std::to_string(i);
      ASSERT_TRUE(kmem_cache_create(env, k.m, {.name = name, .size = 100}).has_value());
    }
    ASSERT_EQ(env.m, nullptr);  // a creation made a slab, and the other CPU came
    EXPECT_EQ(k.cpu(c, 1).touched, 1u);
    select_cpu(k.m, 1);
    cache_reap(k.env, k.m);
    EXPECT_EQ(k.cpu(c, 1).touched, 0u);
  }
}

}  // namespace
}  // namespace props::slab::by_hand
