// How slabs are laid out, worked out by hand: sizes, orders, colours, places of the free indices.
#include <gtest/gtest.h>

#include "props/slab/reference_cases.hpp"
#include "ref/slab/layout.hpp"

namespace props::slab::by_hand {
namespace {

struct Case {
  std::uint32_t size, align, flags;
  std::uint32_t stride, num, order, management;
  std::uint32_t place;  // CFLGS_
};

void expect(Kernel& k, const Case& e) {
  const CacheId c = k.create({.size = e.size, .align = e.align, .flags = e.flags});
  const Cache& is = k.cache(c);
  const std::string of = std::to_string(e.size);
  EXPECT_EQ(is.size, e.stride) << of;
  EXPECT_EQ(is.num, e.num) << of;
  EXPECT_EQ(is.gfporder, e.order) << of;
  EXPECT_EQ(is.freelist_size, e.management) << of;
  EXPECT_EQ(is.flags & (CFLGS_OFF_SLAB | CFLGS_OBJFREELIST_SLAB), e.place) << of;
  EXPECT_EQ(is.freelist_cache != 0, e.place == CFLGS_OFF_SLAB) << of;
  EXPECT_EQ(*kmem_cache_destroy(k.env, k.m, c), Destroyed::gone);
}

constexpr std::uint32_t in_object = CFLGS_OBJFREELIST_SLAB, off = CFLGS_OFF_SLAB;

// 16 bytes: 256 objects would need 256 one-byte indices, one more than there are numbers.
TEST(SlabLayout, free_indices_in_an_object_off_the_slab_or_at_its_end) {  // S-7, S-8
  Kernel k(plain(new_era));
  for (const Case& e : {
           Case{16, 0, 0, 16, 240, 0, 240, 0},            // 4096 / 17
           Case{1, 0, 0, 16, 240, 0, 240, 0},             // S-5: at least 16
           Case{24, 0, 0, 24, 163, 0, 163, 0},            // 4096 / 25
           Case{32, 0, 0, 32, 124, 0, 124, 0},            // 128 indices do not fit 32 bytes
           Case{64, 0, 0, 64, 64, 0, 64, in_object},      // 64 indices just fit
           Case{100, 0, 0, 104, 39, 0, 39, in_object},    // S-5: words
           Case{200, 128, 0, 256, 16, 0, 16, in_object},  // S-4
           Case{1000, 0, 0, 1000, 4, 0, 4, in_object}, Case{2100, 0, 0, 2104, 1, 0, 1, in_object},
           Case{5000, 0, 0, 5000, 1, 1, 1, in_object},  // S-8: one object at least
       })
    expect(k, e);
}

// With a constructor indices cannot be in an object. 4096 bytes: nothing is left for them.
TEST(SlabLayout, a_constructor_keeps_indices_out_of_objects) {  // S-7
  Kernel k(plain(new_era));
  const auto made = [&](std::uint32_t size, std::uint32_t flags) {
    const Cache is = k.cache(k.create({.size = size, .flags = flags, .ctor = 1}));
    return is.flags & (CFLGS_OFF_SLAB | CFLGS_OBJFREELIST_SLAB);
  };
  EXPECT_EQ(made(4096, 0), off);
  EXPECT_EQ(made(4096, SLAB_NOLEAKTRACE), 0u);
  EXPECT_EQ(made(1000, 0), 0u);  // what is left over holds them
  const CacheId rcu = k.create({.size = 4096, .flags = SLAB_TYPESAFE_BY_RCU});
  EXPECT_EQ(k.cache(rcu).flags & (CFLGS_OFF_SLAB | CFLGS_OBJFREELIST_SLAB), off);
  const CacheId traced = k.create({.size = 4096, .flags = SLAB_NOLEAKTRACE, .ctor = 1});
  EXPECT_EQ(k.cache(traced).gfporder, 1u);  // a page more for one index
}

// struct slab of 24 bytes and two for each object, in front; off the slab from 512 bytes on.
TEST(SlabLayout, management_in_front_or_off_the_slab) {  // S-7
  Kernel k(plain(old_era));
  for (const Case& e : {
           Case{4, 0, 0, 4, 678, 0, 1380, 0},  // 24 + 678 * 6 = 4092
           Case{16, 0, 0, 16, 226, 0, 476, 0},
           Case{32, 0, 0, 32, 119, 0, 264, 0},
           Case{100, 0, 0, 100, 39, 0, 104, 0},
           Case{100, 0, SLAB_HWCACHE_ALIGN, 128, 31, 0, 128, 0},
           Case{500, 0, 0, 500, 8, 0, 40, 0},
           Case{512, 0, 0, 512, 8, 0, 40, off},
           Case{600, 0, 0, 600, 6, 0, 36, 0},  // pulled back: 496 bytes are left
           Case{4096, 0, 0, 4096, 1, 0, 26, off},
           Case{131072, 0, 0, 131072, 1, 5, 26, off},
       })
    expect(k, e);
}

// More than 32 MiB: two pages where one would waste an eighth.
TEST(SlabLayout, larger_machines_have_larger_slabs) {  // S-8
  for (const EraId era : eras) {
    Kernel small(plain(era, 8192)), large(plain(era, 8193));
    const CacheSpec spec{.size = 1300};
    EXPECT_EQ(small.cache(small.create(spec)).gfporder, 0u);  // 3 objects, 196 bytes
    const CacheSpec wasteful{.size = 2500};
    EXPECT_EQ(small.cache(small.create({.name = "w", .size = 2500})).gfporder, 0u);
    EXPECT_EQ(large.cache(large.create(wasteful)).gfporder, 1u);
    EXPECT_EQ(large.cache(large.create({.name = "d", .size = 2500, .flags = SLAB_RECLAIM_ACCOUNT}))
                  .gfporder,
              0u);
  }
}

TEST(SlabLayout, lines_and_alignments) {  // S-4
  Kernel k(plain(new_era));
  const auto align = [&](std::uint32_t size, std::uint32_t asked, std::uint32_t flags) {
    return k.cache(k.create({.size = size, .align = asked, .flags = flags})).align;
  };
  EXPECT_EQ(align(100, 0, 0), 8u);
  EXPECT_EQ(align(100, 0, SLAB_HWCACHE_ALIGN), 64u);
  EXPECT_EQ(align(32, 0, SLAB_HWCACHE_ALIGN), 32u);  // halved while two would fit
  EXPECT_EQ(align(16, 0, SLAB_HWCACHE_ALIGN), 16u);
  EXPECT_EQ(align(100, 256, SLAB_HWCACHE_ALIGN), 256u);
  EXPECT_EQ(align(100, 4, 0), 8u);
  const CacheId c = k.create({.size = 100, .align = 256});
  for (const Address a : k.get_many(c, 50)) EXPECT_EQ(static_cast<std::uint64_t>(a) % 256, 0u);
}

// 1000 bytes, four objects: 96 bytes are left, one line; 900: 496 bytes are left, seven lines.
//   6.1 starts with the second colour where there are two; 2.6.11 with the first.
TEST(SlabLayout, colours_in_turn) {  // S-9
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId c = k.create({.size = 900});
    const Cache& is = k.cache(c);
    ASSERT_EQ(is.num, 4u);
    EXPECT_EQ(is.colour_off, 64u);
    const std::uint32_t colours = is.colour;
    EXPECT_EQ(colours, 7u);
    std::vector<std::uint32_t> seen;
    for (std::uint32_t i = 0; i < 2 * colours; ++i) {
      const auto o = k.get_many(c, 4);
      seen.push_back(k.slab(o[0]).colour / 64);
      for (const Address a : o) EXPECT_LE(k.offset(a) + 900, 4096u);
    }
    for (std::uint32_t i = 0; i < seen.size(); ++i)
      EXPECT_EQ(seen[i], (i + (era == old_era ? 0 : 1)) % colours) << i;
  }
}

TEST(SlabLayout, no_room_for_a_second_colour_is_no_colour) {  // S-9
  Kernel k(plain(new_era));
  const CacheId c = k.create({.size = 1000});
  EXPECT_EQ(k.cache(c).colour, 1u);
  EXPECT_EQ(k.slab(k.get(c)).colour, 0u);
  EXPECT_EQ(k.slab(k.get_many(c, 5)[4]).colour, 0u);
}

struct LimitCase {
  std::uint32_t size, limit;
};
constexpr std::array limit_cases{LimitCase{256, 120}, LimitCase{264, 54},  LimitCase{1024, 54},
                                 LimitCase{1032, 24}, LimitCase{4096, 24}, LimitCase{4104, 8}};

TEST(SlabLayout, arrays_are_sized_by_the_stride) {  // S-10
  for (const EraId era : eras)
    for (const std::uint32_t cpus : {1u, 2u}) {
      Config config = plain(era);
      config.cpus = cpus;
      Kernel k(config);
      for (const LimitCase& e : limit_cases) {
        const CacheId c = k.create({.size = e.size});
        EXPECT_EQ(k.cache(c).limit, e.limit) << e.size;
        EXPECT_EQ(k.cache(c).batchcount, (e.limit + 1) / 2);
        EXPECT_EQ(k.cache(c).shared, cpus > 1 && e.size <= 4096 ? 8u : 0u);
        EXPECT_EQ(k.shared(c).limit, k.cache(c).shared * k.cache(c).batchcount);
        EXPECT_EQ(*kmem_cache_destroy(k.env, k.m, c), Destroyed::gone);
      }
    }
  Kernel k(plain(new_era));
  EXPECT_EQ(k.cache(k.create({.size = 131080})).limit, 1u);
  Kernel d(debugged(new_era));
  EXPECT_EQ(d.cache(d.create({.size = 100})).limit, 32u);
}

TEST(SlabLayout, what_no_slab_holds_is_refused) {  // S-5
  Kernel k(plain(new_era));
  const std::uint64_t largest = std::uint64_t{4096} << 10;
  EXPECT_TRUE(k.ask_cache({.size = largest}).has_value());
  EXPECT_EQ(k.ask_cache({.size = largest + 1}).error(), Refused::no_memory);
  EXPECT_EQ(k.ask_cache({.size = largest - 8, .align = 1u << 31}).error(), Refused::no_memory);
  EXPECT_EQ(k.fault(), Fault::none);
}

// Not checked there (S-4): served as the arithmetic says, and never out of its slab.
TEST(SlabLayout, odd_alignments_stay_sound) {  // S-1, S-4
  for (const EraId era : eras)
    for (const std::uint32_t align : {3u, 5u, 24u, 100u, 1000u, 4095u, 0x80000001u, UINT32_MAX})
      for (const std::uint32_t size : {4u, 8u, 100u, 1000u}) {
        Kernel k(plain(era));
        const auto c = k.ask_cache({.size = size, .align = align});
        EXPECT_EQ(k.fault(), Fault::none);
        if (!c) continue;
        std::vector<Address> o = k.get_many(*c, 20);
        for (const Address a : o) {
          const std::uint64_t end = std::uint64_t{4096} << k.cache(*c).gfporder;
          EXPECT_LE(k.offset(a) + size, end) << align;
          std::ranges::fill(write_bytes(k.m, a, size), std::byte{0xff});
        }
        k.put_all(*c, o);
        EXPECT_EQ(*kmem_cache_destroy(k.env, k.m, *c), Destroyed::gone);
      }
}

}  // namespace
}  // namespace props::slab::by_hand
