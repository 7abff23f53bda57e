// Creating, merging and destroying caches, worked out by hand; and what goes wrong with them.
#include <gtest/gtest.h>

#include "props/slab/reference_cases.hpp"

namespace props::slab::by_hand {
namespace {

Config merging() {
  Config c = plain(new_era);
  c.slab_merge = true;
  return c;
}

// What is wrong: 2.6.11 stops, 6.1 answers NULL.
TEST(SlabCreate, what_callers_must_not_ask_for) {  // S-1, S-3
  const std::uint64_t above = std::uint64_t{4096} << 11;
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const Machine before = k.m;
    for (const CacheSpec& spec :
         {CacheSpec{.name = "big", .size = above}, CacheSpec{.name = "wide", .size = UINT64_MAX},
          CacheSpec{.name = "odd", .size = 100, .flags = SLAB_UNKNOWN},
          CacheSpec{.name = "set", .size = 100, .flags = CFLGS_OFF_SLAB},
          CacheSpec{.name = "other era",
                    .size = 100,
                    .flags = era == old_era ? SLAB_ACCOUNT : SLAB_NO_REAP}}) {
      const auto c = kmem_cache_create(k.env, k.m, spec);
      ASSERT_FALSE(c.has_value());
      EXPECT_EQ(c.error(), era == old_era ? Refused::misuse : Refused::no_memory);
      EXPECT_EQ(k.fault(), era == old_era ? Fault::bad_cache : Fault::none);
    }
    const auto nameless = kmem_cache_create(k.env, k.m, {.size = 100});
    EXPECT_EQ(nameless.error(), era == old_era ? Refused::misuse : Refused::no_memory);
    EXPECT_EQ(k.fault(), era == old_era ? Fault::bad_cache : Fault::none);
    EXPECT_EQ(k.m, before);
  }
}

TEST(SlabCreate, in_an_interrupt) {  // S-1
  for (const EraId era : eras) {
    Kernel k(plain(era));
    EXPECT_TRUE(move_context(k.m, ContextMove::irq_enter));
    EXPECT_FALSE(k.ask_cache({.size = 100}).has_value());
    EXPECT_EQ(k.fault(), era == old_era ? Fault::bad_cache : Fault::none);
  }
}

TEST(SlabCreate, names_that_do_not_fit) {
  for (const EraId era : eras) {
    Kernel k(plain(era));
    EXPECT_FALSE(
        k.ask_cache({.name = std::string_view(
                         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
                     .size = 100})
            .has_value());
    EXPECT_FALSE(k.ask_cache({.name = "", .size = 100}).has_value());
    EXPECT_EQ(k.fault(), Fault::none);
    const std::string longest(63, 'y');
    EXPECT_TRUE(k.ask_cache({.name = longest, .size = 100}).has_value());
  }
}

TEST(SlabCreate, a_space_in_a_name_is_warned_of) {  // S-1
  Kernel k(plain(new_era));
  EXPECT_TRUE(k.ask_cache({.name = "a b", .size = 100}).has_value());
  EXPECT_EQ(k.warnings(), 1u);
}

TEST(SlabCreate, nothing_is_a_size) {  // S-1: 6.1 makes 16 bytes of it; 2.6.11 wants a pointer
  Kernel k(plain(new_era)), old(plain(old_era));
  const CacheId c = k.create({.size = 0});
  EXPECT_EQ(k.cache(c).size, 16u);
  EXPECT_EQ(kmem_cache_size(k.m, c), 0u);
  const auto o = k.get_many(c, 300);
  k.put_all(c, o);
  EXPECT_EQ(*kmem_cache_destroy(k.env, k.m, c), Destroyed::gone);
  EXPECT_TRUE(k.ask_cache({.size = 0, .flags = SLAB_HWCACHE_ALIGN}).has_value());
  EXPECT_FALSE(old.ask_cache({.size = 3}).has_value());
  EXPECT_EQ(old.fault(), Fault::bad_cache);
  EXPECT_TRUE(old.ask_cache({.size = 4}).has_value());
}

TEST(SlabCreate, debug_flags_without_debugging) {  // S-3: masked; 2.6.11 stops
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const auto c = k.ask_cache({.size = 100, .flags = SLAB_RED_ZONE | SLAB_POISON});
    EXPECT_EQ(c.has_value(), era == new_era);
    EXPECT_EQ(k.fault(), era == new_era ? Fault::none : Fault::bad_cache);
    if (c) { EXPECT_EQ(k.cache(*c).flags & (SLAB_RED_ZONE | SLAB_POISON), 0u); }
  }
}

TEST(SlabCreate, panic_makes_a_fault_of_a_refusal) {
  for (const EraId era : eras) {
    Kernel k(plain(era));
    plan_failure(k.m, 1);
    // Its descriptor is there already; of the others the first that needs a page fails.
    std::optional<Refused> why;
    for (int i = 0; i < 200 && !why; ++i) {
      const std::string name = "p" + std::to_string(i);
      const auto c = k.ask_cache({.name = name, .size = 100, .flags = SLAB_PANIC});
      if (!c) why = c.error();
    }
    EXPECT_EQ(why, Refused::misuse);
    EXPECT_EQ(k.fault(), Fault::bad_cache);
  }
}

// Merging ------------------------------------------------------------------------------------

TEST(SlabMerge, caches_that_serve_alike_are_one) {  // S-6
  Kernel k(merging());
  const CacheId a = k.create({.name = "a", .size = 1000});
  const CacheId b = k.create({.name = "b", .size = 994});
  EXPECT_EQ(a, b);
  EXPECT_EQ(k.cache(a).refcount, 2);
  EXPECT_EQ(kmem_cache_size(k.m, a), 1000u);
  EXPECT_EQ(*kmem_cache_destroy(k.env, k.m, a), Destroyed::still_used);
  const Address o = k.get(b);
  k.put(b, o);
  EXPECT_EQ(*kmem_cache_destroy(k.env, k.m, b), Destroyed::gone);
}

TEST(SlabMerge, and_those_that_do_not_stay_apart) {  // S-6
  Kernel k(merging());
  const CacheId a = k.create({.name = "a", .size = 1000, .align = 8});
  const auto apart = [&](CacheSpec spec) {
    spec.name = "b";
    const CacheId b = k.create(spec);
    EXPECT_EQ(k.cache(a).refcount, 1) << spec.size;
    EXPECT_NE(a, b) << spec.size;
    EXPECT_EQ(*kmem_cache_destroy(k.env, k.m, b), Destroyed::gone);
  };
  apart({.size = 1001});               // larger
  apart({.size = 992});                // a word smaller
  apart({.size = 1000, .align = 64});  // aligned better
  apart({.size = 1000, .ctor = 1});
  for (const std::uint32_t flag :
       {SLAB_RECLAIM_ACCOUNT, SLAB_CACHE_DMA, SLAB_ACCOUNT, SLAB_TYPESAFE_BY_RCU, SLAB_NOLEAKTRACE})
    apart({.size = 1000, .flags = flag});
}

// 64 bytes aligned to 8 serve nobody who wants 64; the other way round they do.
TEST(SlabMerge, an_alignment_is_kept) {  // S-6
  Kernel k(merging());
  const CacheId loose = k.create({.name = "loose", .size = 640});
  const CacheId strict = k.create({.name = "strict", .size = 640, .align = 64});
  EXPECT_NE(loose, strict);
  for (const Address o : k.get_many(strict, 20)) EXPECT_EQ(static_cast<std::uint64_t>(o) % 64, 0u);
  EXPECT_EQ(*kmem_cache_destroy(k.env, k.m, loose), Destroyed::gone);
  EXPECT_EQ(k.create({.name = "looser", .size = 640}), strict);
}

TEST(SlabMerge, normal_general_caches_are_never_shared_but_others_are) {  // S-6
  Kernel k(merging());
  const CacheId plain_64 = k.create({.name = "x", .size = 64, .align = 64});
  EXPECT_NE(plain_64, *general_cache(k.m, 64, 0));
  const CacheId reclaimable =
      k.create({.name = "y", .size = 64, .align = 64, .flags = SLAB_RECLAIM_ACCOUNT});
  EXPECT_EQ(reclaimable, *general_cache(k.m, 64, GFP_BIT_RECLAIMABLE));
  EXPECT_EQ(*kmem_cache_destroy(k.env, k.m, reclaimable), Destroyed::still_used);
  // The allocator's own reference cannot be given back.
  EXPECT_FALSE(kmem_cache_destroy(k.env, k.m, reclaimable).has_value());
  EXPECT_EQ(k.fault(), Fault::no_such_cache);
}

TEST(SlabMerge, not_with_nomerge_nor_in_2_6_11) {  // S-6
  for (const EraId era : eras) {
    Kernel k(plain(era));
    EXPECT_NE(k.create({.name = "a", .size = 1000}), k.create({.name = "b", .size = 1000}));
  }
}

// Destroying ---------------------------------------------------------------------------------

TEST(SlabDestroy, an_empty_cache_goes_with_all_that_it_had) {  // S-41
  for (const EraId era : eras)
    for (const std::uint32_t cpus : {1u, 2u}) {
      Config config = plain(era);
      config.cpus = cpus;
      Kernel k(config);
      k.settle();
      const std::uint64_t pages = k.free_pages();
      const CacheId c = k.create({.size = 1000});
      k.put_all(c, k.get_many(c, 50));
      EXPECT_EQ(*kmem_cache_destroy(k.env, k.m, c), Destroyed::gone);
      k.settle();
      EXPECT_EQ(k.free_pages(), pages);
      EXPECT_FALSE(kmem_cache_alloc(k.env, k.m, c, k.gfp()).has_value());
      EXPECT_EQ(k.fault(), Fault::no_such_cache);
    }
}

//   6.1: it stays in the chain, and is nobody's.    2.6.11: it stays, in front of the chain.
TEST(SlabDestroy, a_cache_with_objects_stays) {  // S-41
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId c = k.create({.name = "mine", .size = 1000});
    (void)k.create({.name = "later", .size = 500});
    const Address o = k.get(c);
    EXPECT_EQ(*kmem_cache_destroy(k.env, k.m, c), Destroyed::busy);
    EXPECT_EQ(k.warnings(), 1u);
    EXPECT_EQ(globals_of(k.m).first == static_cast<Index>(c) + 1, era == old_era);
    EXPECT_NE(slabinfo(k.m).find("\nmine "), std::string::npos);
    k.put(c, o);  // the object is still its owner's to give back
    EXPECT_EQ(k.fault(), Fault::none);
    const auto again = kmem_cache_alloc(k.env, k.m, c, k.gfp());
    EXPECT_EQ(again.has_value(), era == old_era);
    EXPECT_EQ(k.fault(), era == old_era ? Fault::none : Fault::no_such_cache);
    if (era == old_era) k.put(c, *again);
    const auto end = kmem_cache_destroy(k.env, k.m, c);
    EXPECT_EQ(end.has_value() && *end == Destroyed::gone, era == old_era);
  }
}

TEST(SlabDestroy, no_cache_at_all) {  // S-40, S-41
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const auto end = kmem_cache_destroy(k.env, k.m, std::nullopt);
    EXPECT_EQ(end.has_value(), era == new_era);
    EXPECT_EQ(k.fault(), era == new_era ? Fault::none : Fault::no_such_cache);
    EXPECT_FALSE(kmem_cache_shrink(k.env, k.m, std::nullopt).has_value());
    EXPECT_EQ(k.fault(), Fault::no_such_cache);
  }
}

TEST(SlabDestroy, shrinking_says_whether_slabs_remain) {  // S-40
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId c = k.create({.size = 1000});
    const auto o = k.get_many(c, 10);
    EXPECT_TRUE(*kmem_cache_shrink(k.env, k.m, c));
    EXPECT_EQ(k.cpu(c).avail, 0u);
    for (std::size_t i = 0; i < 9; ++i) k.put(c, o[i]);
    EXPECT_TRUE(*kmem_cache_shrink(k.env, k.m, c));
    EXPECT_EQ(k.node(c).total_slabs, 1u);
    EXPECT_EQ(k.node(c).free_objects, 3u);
    k.put(c, o[9]);
    EXPECT_FALSE(*kmem_cache_shrink(k.env, k.m, c));
    EXPECT_EQ(k.node(c).total_slabs, 0u);
  }
}

// The pages of the slabs are free only after the grace period; the cache goes with them.
TEST(SlabDestroy, pages_wait_for_the_grace_period) {  // S-27
  for (const EraId era : eras)
    for (const std::uint32_t size : {100u, 4096u}) {
      Kernel k(plain(era));
      k.settle();
      const std::uint64_t before = k.free_pages();
      const CacheId c = k.create({.size = size, .flags = SLAB_TYPESAFE_BY_RCU});
      const Address o = k.get(c);
      std::ranges::fill(write_bytes(k.m, o, size), std::byte{0x77});
      k.put(c, o);
      EXPECT_EQ(k.get(c), o);  // used again at once
      k.put(c, o);
      const std::uint64_t pages = k.free_pages();
      EXPECT_FALSE(*kmem_cache_shrink(k.env, k.m, c));
      EXPECT_EQ(k.free_pages(), pages);
      EXPECT_EQ(read_bytes(k.m, o, size)[size - 1], std::byte{0x77});
      EXPECT_EQ(*kmem_cache_destroy(k.env, k.m, c), Destroyed::gone);
      EXPECT_EQ(k.cache(c).state, CacheState::rcu_dying);
      EXPECT_EQ(slabinfo(k.m).find("\ntest "), std::string::npos);
      rcu_grace_period(k.env, k.m);
      EXPECT_EQ(k.cache(c).state, CacheState::unused);
      k.settle();
      EXPECT_EQ(k.free_pages(), before);
      EXPECT_EQ(k.fault(), Fault::none);
    }
}

// Misuse of objects --------------------------------------------------------------------------

TEST(SlabMisuse, is_named_and_changes_nothing) {  // S-34, S-35
  for (const EraId era : eras)
    for (const bool debug : {false, true}) {
      Kernel k(debug ? debugged(era) : plain(era));
      const CacheId c = k.create({.name = "c", .size = 100}),
                    d = k.create({.name = "d", .size = 200});
      const Address mine = k.get(c), gone = k.get(c);
      k.put(c, gone);
      const Machine before = k.m;
      const auto expect = [&](CacheId cache, std::uint64_t address, Fault fault) {
        k.put(cache, Address{address});
        const Log log = k.log();
        EXPECT_EQ(log.fault, fault);
        EXPECT_EQ(log.effect, Effect::none);
      };
      const auto at = static_cast<std::uint64_t>(mine);
      expect(c, static_cast<std::uint64_t>(gone), Fault::double_free);
      expect(d, at, Fault::wrong_cache);
      expect(c, at + 1, Fault::not_an_object);
      expect(c, at + 8, Fault::not_an_object);
      expect(c, 0, Fault::not_an_object);
      expect(c, UINT64_MAX, Fault::not_an_object);
      expect(c, page_offset + 511 * 4096, Fault::not_an_object);  // no slab
      expect(CacheId{95}, at, Fault::no_such_cache);
      expect(CacheId{4000}, at, Fault::no_such_cache);
      EXPECT_EQ(k.m, before);
      EXPECT_FALSE(kmem_cache_alloc(k.env, k.m, CacheId{95}, k.gfp()).has_value());
      EXPECT_EQ(k.fault(), Fault::no_such_cache);
    }
}

TEST(SlabMisuse, gfp_that_an_object_cannot_have) {  // S-33
  for (const EraId era : eras)
    for (const Gfp gfp : {Gfp{GFP_BIT_HIGHMEM}, Gfp{GFP_BIT_ZERO}, Gfp{GFP_BIT_DMA}}) {
      Kernel k(plain(era));
      const CacheId c = k.create({.size = 100});
      const auto o = kmem_cache_alloc(k.env, k.m, c, k.gfp() | gfp);
      const Log log = k.log();
      EXPECT_EQ(o.has_value(), era == new_era) << gfp;
      EXPECT_EQ(log.fault, era == new_era ? Fault::none : Fault::bad_slab_gfp);
      EXPECT_EQ(log.warnings, era == new_era && gfp == GFP_BIT_HIGHMEM ? 1u : 0u);
    }
}

TEST(SlabMisuse, sleeping_where_one_must_not_is_named_and_served) {  // B-23
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId c = k.create({.size = 100});
    (void)k.get(c);
    EXPECT_TRUE(move_context(k.m, ContextMove::preempt_disable));
    EXPECT_TRUE(kmem_cache_alloc(k.env, k.m, c, k.gfp()).has_value());
    EXPECT_EQ(k.fault(), Fault::sleeping_in_atomic);
    EXPECT_TRUE(kmem_cache_alloc(k.env, k.m, c, k.gfp("GFP_ATOMIC")).has_value());
    EXPECT_EQ(k.fault(), Fault::none);
  }
}

}  // namespace
}  // namespace props::slab::by_hand
