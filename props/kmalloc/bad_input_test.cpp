// Sizes that nobody can have, through each call that takes one, in either era; and memory that is
// not the caller's, through each call that takes an address. Nothing changes.
#include "props/kmalloc/reference_cases.hpp"

namespace props::kmalloc::by_hand {
namespace {

// Every call that allocates `bytes`; `old` is what the krealloc calls are given.
template <class F>
void each_call(Kernel& k, std::uint64_t bytes, Address old, Gfp gfp, F judge) {
  judge("kmalloc", ref::kmalloc::kmalloc(k.env, k.m, bytes, gfp));
  judge("kmalloc_node", kmalloc_node(k.env, k.m, bytes, gfp, 0));
  judge("kzalloc", kzalloc(k.env, k.m, bytes, gfp));
  judge("kmalloc_array", kmalloc_array(k.env, k.m, 1, bytes, gfp));
  judge("kmalloc_array", kmalloc_array(k.env, k.m, bytes, 1, gfp));
  judge("kcalloc", kcalloc(k.env, k.m, 1, bytes, gfp));
  judge("krealloc", krealloc(k.env, k.m, old, bytes, gfp));
  judge("krealloc", krealloc(k.env, k.m, Address::null, bytes, gfp));
  judge("krealloc_array", krealloc_array(k.env, k.m, old, bytes, 1, gfp));
  judge("krealloc_array", krealloc_array(k.env, k.m, Address::null, 1, bytes, gfp));
}

TEST(KmallocLimit, every_call_refuses_what_is_above_it) {  // K-5
  for (const EraId era : eras) {
    Kernel k(era);
    const std::uint64_t most = kmalloc_max_size(k.m.config);
    const Address old = k.get(100);
    k.fill(old, 100, 0x77);
    const Machine before = k.m;
    const std::uint64_t two_32 = std::uint64_t{1} << 32, two_63 = std::uint64_t{1} << 63;
    // Behind a header, or rounded up to a page or a class, the last of these wrap.
    for (const std::uint64_t bytes : {most + 1, two_32 - 1, two_32, two_32 + 100, two_63 - 1,
                                      two_63, UINT64_MAX - 4095, UINT64_MAX - 7, UINT64_MAX})
      each_call(k, bytes, old, k.gfp() | GFP_BIT_NOWARN, [&](auto call, const auto& got) {
        ASSERT_FALSE(got.has_value()) << call << ' ' << bytes;
        EXPECT_EQ(got.error(), Refused::no_memory) << call << ' ' << bytes;
        const Log log = k.log();
        EXPECT_EQ(log.fault, Fault::none) << call << ' ' << bytes;
        EXPECT_EQ(log.warnings, 0u) << call << ' ' << bytes;
      });
    EXPECT_EQ(k.m, before);
    EXPECT_TRUE(k.holds(old, 100, 0x77));
  }
}

TEST(KmallocArrays, no_product_that_wraps_is_taken_for_a_small_one) {  // K-8
  struct Product {
    std::uint64_t n, size;
  };
  const std::uint64_t two_32 = std::uint64_t{1} << 32, two_63 = std::uint64_t{1} << 63;
  for (const EraId era : eras) {
    Kernel k(era);
    const Address old = k.get(100);
    k.fill(old, 100, 0x77);
    const Machine before = k.m;
    std::vector<Product> products{
        {two_32, two_32}, {two_32 + 1, two_32},     {two_63, 2},         {2, two_63},
        {two_63 + 8, 2},  {UINT64_MAX, UINT64_MAX}, {two_63 / 5 + 1, 10}};
    // In the 32 bits of a size_t of 2.6.11 these are 0, 64 and 96.
    if (era == old_era)
      products.insert(products.end(), {{65536, 65536}, {67108865, 64}, {134217731, 32}});
    for (const auto& [n, size] : products)
      for (const auto& got :
           {kmalloc_array(k.env, k.m, n, size, k.gfp()), kcalloc(k.env, k.m, n, size, k.gfp()),
            krealloc_array(k.env, k.m, old, n, size, k.gfp()),
            krealloc_array(k.env, k.m, Address::null, n, size, k.gfp())}) {
        ASSERT_FALSE(got.has_value()) << n << " * " << size;
        EXPECT_EQ(got.error(), Refused::no_memory) << n << " * " << size;
        const Log log = k.log();
        EXPECT_EQ(log.fault, Fault::none);
        EXPECT_EQ(log.warnings, 0u);  // without a word
      }
    EXPECT_EQ(k.m, before);
    EXPECT_TRUE(k.holds(old, 100, 0x77));
  }
}

TEST(KmallocSizes, nothing_through_every_call) {  // K-1, K-8, K-10
  for (const EraId era : eras) {
    Kernel k(era);
    const Address nothing = era == new_era ? zero_size_ptr : Address::null;
    const auto of_nothing = [&](auto call, const auto& got) {
      ASSERT_TRUE(got.has_value()) << call;
      const bool resized = std::string_view(call).starts_with("krealloc");
      if (era == new_era || resized) EXPECT_EQ(*got, nothing) << call;
      else EXPECT_EQ(ksize(k.m, *got), 32u) << call;
      if (!resized) k.put(*got);
      EXPECT_EQ(k.fault(), Fault::none) << call;
    };
    each_call(k, 0, nothing, k.gfp(), of_nothing);
    const Address old = k.get(100);
    EXPECT_EQ(*krealloc_array(k.env, k.m, old, 0, UINT64_MAX, k.gfp()), nothing);
    EXPECT_EQ(ksize(k.m, old), 0u);
    EXPECT_EQ(k.fault(), Fault::double_free);  // it is free
    // And what was answered for nothing can be given to every call.
    EXPECT_EQ(ksize(k.m, nothing), 0u);
    k.put(nothing);
    kfree_sensitive(k.env, k.m, nothing);
    EXPECT_EQ(k.fault(), Fault::none);
  }
}

// Memory that is not the caller's -----------------------------------------------------------------

TEST(Kfree, every_call_that_takes_an_address_names_one_that_is_free) {
  for (const EraId era : eras) {
    Kernel k(era);
    const Address a = k.get(100), mine = k.get(100);
    k.put(a);
    const Machine before = k.m;
    const auto named = [&](std::string_view call) {
      const Log log = k.log();
      EXPECT_EQ(log.fault, Fault::double_free) << call;
      EXPECT_EQ(log.effect, Effect::none) << call;
      EXPECT_EQ(k.m, before) << call;
    };
    k.put(a);
    named("kfree");
    kfree_sensitive(k.env, k.m, a);
    named("kfree_sensitive");
    kfree_bulk(k.env, k.m, std::array{a});
    named("kfree_bulk");
    EXPECT_EQ(ksize(k.m, a), 0u);
    named("ksize");
    for (const std::uint64_t size : {0u, 10u, 1000u}) {
      EXPECT_EQ(krealloc(k.env, k.m, a, size, k.gfp()).error(), Refused::misuse);
      named("krealloc");
      EXPECT_EQ(krealloc_array(k.env, k.m, a, size, 1, k.gfp()).error(), Refused::misuse);
      named("krealloc_array");
    }
    k.put(mine);
    EXPECT_EQ(k.fault(), Fault::none);
  }
}

TEST(Kfree, every_call_that_takes_an_address_names_one_within_an_object) {
  for (const EraId era : eras) {
    Kernel k(era);
    const Address a = k.get(100);
    k.fill(a, 100, 0x77);
    const Machine before = k.m;
    for (const std::uint64_t offset : {1u, 4u, 8u, 99u, 127u}) {
      const Address inside = behind(a, offset);
      const auto named = [&](std::string_view call) {
        const Log log = k.log();
        EXPECT_EQ(log.fault, Fault::not_an_object) << call << ' ' << offset;
        EXPECT_EQ(log.effect, Effect::none) << call << ' ' << offset;
        EXPECT_EQ(k.m, before) << call << ' ' << offset;
      };
      k.put(inside);
      named("kfree");
      kfree_sensitive(k.env, k.m, inside);
      named("kfree_sensitive");
      kfree_bulk(k.env, k.m, std::array{inside});
      named("kfree_bulk");
      EXPECT_EQ(ksize(k.m, inside), 0u);
      named("ksize");
      EXPECT_EQ(krealloc(k.env, k.m, inside, 1000, k.gfp()).error(), Refused::misuse);
      named("krealloc");
    }
    k.put(a);
    EXPECT_EQ(k.fault(), Fault::none);
  }
}

// Of the smallest to the largest memory: what is made larger after it was freed is nobody's.
TEST(Krealloc, of_what_was_freed_is_named_at_every_size) {
  for (const EraId era : eras)
    for (const std::uint64_t size : {1u, 100u, 8192u, 20000u, 100000u}) {
      Kernel k(era);
      const Address a = k.get(size);
      k.put(a);
      const std::uint64_t pages = k.free_pages();
      const auto got = krealloc(k.env, k.m, a, 2 * size, k.gfp());
      ASSERT_FALSE(got.has_value()) << size;
      EXPECT_EQ(got.error(), Refused::misuse) << size;
      const Fault fault = k.fault();  // pages, once they are free, are no object's
      EXPECT_TRUE(fault == Fault::double_free || fault == Fault::not_an_object) << size;
      EXPECT_EQ(fault == Fault::not_an_object, era == new_era && size > 8192) << size;
      EXPECT_EQ(k.free_pages(), pages) << size;
    }
}

}  // namespace
}  // namespace props::kmalloc::by_hand
