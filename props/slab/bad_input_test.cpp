// What callers get wrong, in either era: at the limits of sizes, with names, alignments and flags.
// What is refused has changed nothing.
#include <gtest/gtest.h>

#include <algorithm>

#include "props/slab/reference_cases.hpp"

namespace props::slab::by_hand {
namespace {

// What 2.6.11 stops for, 6.1 answers NULL to.
void expect_refused(Kernel& k, const CacheSpec& spec, Fault fault) {
  const auto c = kmem_cache_create(k.env, k.m, spec);
  ASSERT_FALSE(c.has_value());
  EXPECT_EQ(c.error(), fault == Fault::none ? Refused::no_memory : Refused::misuse);
  EXPECT_EQ(k.fault(), fault);
}

TEST(SlabCreate, the_largest_size_and_one_more) {  // S-1
  for (const EraId era : eras) {
    const std::uint64_t largest = era == old_era ? 32 * 4096 : 1024 * 4096;
    Kernel k(plain(era, 2048));
    const CacheId c = k.create({.name = "largest", .size = largest});
    EXPECT_EQ(kmem_cache_size(k.m, c), largest);
    EXPECT_EQ(k.cache(c).num, 1u);
    const Address o = k.get(c);
    EXPECT_EQ(read_bytes(k.m, o, largest).size(), largest);
    k.put(c, o);
    EXPECT_EQ(*kmem_cache_destroy(k.env, k.m, c), Destroyed::gone);
    const Machine before = k.m;
    // The last ones wrap to small numbers in 32 bits.
    for (const std::uint64_t size : {largest + 1, std::uint64_t{UINT32_MAX},
                                     (std::uint64_t{1} << 32) + 100, UINT64_MAX - 7, UINT64_MAX})
      expect_refused(k, {.name = "more", .size = size},
                     era == old_era ? Fault::bad_cache : Fault::none);
    EXPECT_EQ(k.m, before);
  }
}

TEST(SlabCreate, a_name_that_stands_there_already) {  // S-2
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId c = k.create({.name = "twin", .size = 100});
    const std::string general(name_of(k.cache(*general_cache(k.m, 64, 0))));
    if (era == old_era) {
      const Machine before = k.m;
      expect_refused(k, {.name = "twin", .size = 100}, Fault::duplicate_name);
      expect_refused(k, {.name = general, .size = 100}, Fault::duplicate_name);
      EXPECT_EQ(k.m, before);
    } else {
      for (const std::string& name : {std::string("twin"), general}) {
        const CacheId second = k.create({.name = name, .size = 100});
        EXPECT_NE(second, c);
        EXPECT_EQ(*kmem_cache_destroy(k.env, k.m, second), Destroyed::gone);
      }
    }
    EXPECT_EQ(*kmem_cache_destroy(k.env, k.m, c), Destroyed::gone);
    (void)k.create({.name = "twin", .size = 100});  // it is free again
    EXPECT_EQ(k.fault(), Fault::none);
  }
}

TEST(SlabCreate, what_is_refused_changes_nothing) {  // S-1 to S-3
  const std::string too_long(64, 'x');
  for (const EraId era : eras)
    for (const bool debug : {false, true}) {
      Kernel k(debug ? debugged(era) : plain(era));
      const Machine before = k.m;
      // A name that no record has room for is our limit, in both eras.
      for (const std::string_view name : {std::string_view(too_long), std::string_view("")})
        expect_refused(k, {.name = name, .size = 100}, Fault::none);
      const Fault stops = era == old_era ? Fault::bad_cache : Fault::none;
      expect_refused(k, {.size = 100}, stops);
      expect_refused(k, {.name = "flag", .size = 100, .flags = SLAB_UNKNOWN}, stops);
      // SLAB_PANIC makes a stop of every refusal.
      expect_refused(k, {.size = 100, .flags = SLAB_PANIC}, Fault::bad_cache);
      expect_refused(k, {.name = too_long, .size = 100, .flags = SLAB_PANIC}, Fault::bad_cache);
      EXPECT_TRUE(move_context(k.m, ContextMove::irq_enter));
      expect_refused(k, {.name = "late", .size = 100}, stops);
      EXPECT_TRUE(move_context(k.m, ContextMove::irq_exit));
      EXPECT_EQ(k.m, before);
    }
}

// Objects that were handed out: below one another's end, and inside the memory of their slabs.
void expect_apart(const Kernel& k, CacheId c, std::vector<Address> objects, std::uint32_t align) {
  std::ranges::sort(objects);
  const std::uint64_t usable = kmem_cache_size(k.m, c);
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const auto at = static_cast<std::uint64_t>(objects[i]);
    const Slab& s = k.slab(objects[i]);
    const std::uint64_t begin = slab_address(k.m, s.head - 1);
    EXPECT_GE(at, begin) << align;
    EXPECT_LE(at + usable, begin + (std::uint64_t{4096} << k.cache(c).gfporder)) << align;
    if (i > 0) { EXPECT_GE(at - static_cast<std::uint64_t>(objects[i - 1]), usable) << align; }
  }
}

// ALIGN() rounds by masks, so a number that is no power of two gives a distance that is a multiple
// of nothing: (100 + 23) & ~23 = 104, (100 + 47) & ~47 = 144. It is never too small.
TEST(SlabCreate, an_alignment_that_is_no_power_of_two_is_believed) {  // S-4
  for (const EraId era : eras) {
    Kernel k(plain(era, 4096));
    const auto distance = [&](std::uint32_t align) {
      const CacheId c = k.create({.name = "odd", .size = 100, .align = align});
      const std::uint32_t size = k.cache(c).size;
      EXPECT_EQ(*kmem_cache_destroy(k.env, k.m, c), Destroyed::gone);
      return size;
    };
    EXPECT_EQ(distance(24), 104u);
    EXPECT_EQ(distance(48), 144u);
    // Less than a word more than a power of two: 6.1 makes words of an alignment first.
    EXPECT_EQ(distance(12), era == old_era ? 100u : 112u);
    k.settle();
    const std::uint64_t pages = k.free_pages();
    for (const std::uint32_t align : {3u, 5u, 12u, 17u, 24u, 33u, 48u, 96u, 100u, 255u, 1000u,
                                      1025u, 3000u, 4095u, 4097u, 65535u, 1000001u, UINT32_MAX}) {
      const auto c = k.ask_cache({.name = "odd", .size = 100, .align = align});
      if (!c) {  // no slab is large enough
        EXPECT_GT(align, 4096u);
        EXPECT_EQ(c.error(), Refused::no_memory) << align;
        k.settle();
        EXPECT_EQ(k.free_pages(), pages) << align;
        continue;
      }
      const std::vector<Address> objects = k.get_many(*c, align > 4097 ? 3 : 40);
      expect_apart(k, *c, objects, align);
      k.put_all(*c, objects);
      EXPECT_EQ(*kmem_cache_destroy(k.env, k.m, *c), Destroyed::gone);
      EXPECT_EQ(k.fault(), Fault::none) << align;
      k.settle();
      EXPECT_EQ(k.free_pages(), pages) << align;
    }
  }
}

// Flags that a slab cannot have -----------------------------------------------------------------

TEST(SlabMisuse, zeroing_what_was_constructed_stops_2_6_11) {  // S-31, S-33: no flag of its slab
  Kernel k(plain(old_era));
  const CacheId c = k.create({.size = 100, .ctor = 1});
  const Machine before = k.m;
  EXPECT_EQ(kmem_cache_alloc(k.env, k.m, c, k.gfp() | GFP_BIT_ZERO).error(), Refused::misuse);
  const Log log = k.log();
  EXPECT_EQ(log.fault, Fault::bad_slab_gfp);
  EXPECT_EQ(log.effect, Effect::none);
  std::array<Address, 3> many{};
  EXPECT_EQ(kmem_cache_alloc_bulk(k.env, k.m, c, k.gfp() | GFP_BIT_ZERO, many).error(),
            Refused::misuse);
  EXPECT_EQ(k.fault(), Fault::bad_slab_gfp);
  EXPECT_EQ(k.m, before);
}

// DMA of a cache and of a request go together in 2.6.11; in 6.1 the cache alone decides.
TEST(SlabMisuse, dma_that_the_cache_does_not_say) {  // S-33
  for (const EraId era : eras) {
    Config config = plain(era);
    config.zone_count = 0;
    config.add_zone(ZoneKind::dma, 64);
    config.add_zone(ZoneKind::normal, 512);
    Kernel k(config);
    const CacheId dma = k.create({.name = "dma", .size = 100, .flags = SLAB_CACHE_DMA});
    const CacheId any = k.create({.name = "any", .size = 100});
    const auto dma_end = page_offset + 64 * 4096;
    const auto wrong = kmem_cache_alloc(k.env, k.m, dma, k.gfp());
    EXPECT_EQ(wrong.has_value(), era == new_era);
    EXPECT_EQ(k.fault(), era == new_era ? Fault::none : Fault::bad_slab_gfp);
    if (wrong) { EXPECT_LT(static_cast<std::uint64_t>(*wrong), dma_end); }
    const auto also = kmem_cache_alloc(k.env, k.m, any, k.gfp() | GFP_BIT_DMA);
    EXPECT_EQ(also.has_value(), era == new_era);
    EXPECT_EQ(k.fault(), era == new_era ? Fault::none : Fault::bad_slab_gfp);
    EXPECT_LT(static_cast<std::uint64_t>(k.get(dma, GFP_BIT_DMA)), dma_end);
  }
}

// A machine that has such pages gives none: 6.1 warns when a slab is made, and takes the flag off.
TEST(SlabMisuse, highmem_is_no_place_for_objects) {  // S-33
  for (const EraId era : eras)
    for (const Gfp gfp : {Gfp{GFP_BIT_HIGHMEM}, Gfp{GFP_BIT_DMA32}}) {
      if (era == old_era && gfp == GFP_BIT_DMA32) continue;  // a flag that it does not know
      Config config = plain(era, 128);
      config.add_zone(ZoneKind::highmem, 512);
      Kernel k(config);
      const CacheId c = k.create({.size = 2000});
      const auto o = kmem_cache_alloc(k.env, k.m, c, k.gfp() | gfp);
      const Log log = k.log();
      EXPECT_EQ(o.has_value(), era == new_era);
      EXPECT_EQ(log.fault, era == new_era ? Fault::none : Fault::bad_slab_gfp);
      EXPECT_EQ(log.warnings, era == new_era ? 1u : 0u);
      if (!o) continue;
      EXPECT_LT(static_cast<std::uint64_t>(*o), page_offset + 128 * 4096);
      // One that is there needs no slab, and nobody looks at the flags.
      EXPECT_TRUE(kmem_cache_alloc(k.env, k.m, c, k.gfp() | gfp).has_value());
      EXPECT_EQ(k.warnings(), 0u);
    }
}

// Caches that are gone --------------------------------------------------------------------------

TEST(SlabMisuse, every_use_of_a_destroyed_cache_is_named_and_changes_nothing) {  // S-35, S-41
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId other = k.create({.name = "other", .size = 100}), gone = k.create({.size = 100});
    const Address o = k.get(other);
    EXPECT_EQ(*kmem_cache_destroy(k.env, k.m, gone), Destroyed::gone);
    const Machine before = k.m;
    std::array<Address, 2> many{o, o};
    const auto named = [&](bool refused) {
      EXPECT_TRUE(refused);
      const Log log = k.log();
      EXPECT_EQ(log.fault, Fault::no_such_cache);
      EXPECT_EQ(log.effect, Effect::none);
    };
    named(!kmem_cache_alloc(k.env, k.m, gone, k.gfp()));
    named(!kmem_cache_alloc_node(k.env, k.m, gone, k.gfp(), 0));
    named(!kmem_cache_alloc_bulk(k.env, k.m, gone, k.gfp(), many));
    named(!kmem_cache_shrink(k.env, k.m, gone));
    named(!kmem_cache_destroy(k.env, k.m, gone));
    k.put(gone, o);
    named(true);
    kmem_cache_free_bulk(k.env, k.m, gone, many);
    named(true);
    EXPECT_EQ(k.m, before);
    k.put(other, o);
    EXPECT_EQ(k.fault(), Fault::none);
  }
}

}  // namespace
}  // namespace props::slab::by_hand
