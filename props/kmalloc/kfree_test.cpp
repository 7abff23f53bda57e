// What becomes of an address that is given back, measured or made larger (K-7, K-10 to K-13).
#include "props/kmalloc/reference_cases.hpp"

namespace props::kmalloc::by_hand {
namespace {

TEST(Kfree, null_and_the_address_of_nothing_are_nothing) {  // K-7
  Kernel k(new_era);
  for (const std::uint64_t at : {0u, 8u, 16u}) k.put(Address{at});
  EXPECT_EQ(k.fault(), Fault::none);
  k.put(Address{17});
  EXPECT_EQ(k.fault(), Fault::not_an_object);
  Kernel old(old_era);
  old.put(Address::null);
  EXPECT_EQ(old.fault(), Fault::none);
  old.put(zero_size_ptr);
  EXPECT_EQ(old.fault(), Fault::not_an_object);
}

TEST(Kfree, a_page_that_is_no_slab_goes_back_with_one_warning_in_6_1) {  // K-7
  Kernel k(new_era);
  const std::uint64_t before = k.free_pages();
  for (const unsigned warnings : {1u, 0u}) {
    const Pfn pfn = *ref::buddy::alloc_pages(k.env, k.m, k.gfp(), 0);
    k.put(*ref::buddy::page_address(k.m, pfn));
    const Log log = k.log();
    EXPECT_EQ(log.fault, Fault::not_an_object);
    EXPECT_EQ(log.effect, Effect::freed);
    EXPECT_EQ(log.warnings, warnings);
    EXPECT_EQ(k.free_pages(), before);
  }
}

TEST(Kfree, compound_pages_of_the_page_allocator_go_back_silently_in_6_1) {  // K-7
  Kernel k(new_era);
  const std::uint64_t before = k.free_pages();
  const Pfn pfn = *ref::buddy::alloc_pages(k.env, k.m, k.gfp() | GFP_BIT_COMP, 2);
  k.put(*ref::buddy::page_address(k.m, pfn));
  EXPECT_EQ(k.fault(), Fault::none);
  EXPECT_EQ(k.free_pages(), before);
}

TEST(Kfree, a_page_that_is_no_slab_is_not_given_back_in_2_6_11) {  // K-7
  Kernel k(old_era);
  const Pfn pfn = *ref::buddy::alloc_pages(k.env, k.m, k.gfp(), 0);
  const std::uint64_t before = k.free_pages();
  k.put(*ref::buddy::page_address(k.m, pfn));
  const Log log = k.log();
  EXPECT_EQ(log.fault, Fault::not_an_object);
  EXPECT_EQ(log.effect, Effect::none);
  EXPECT_EQ(k.free_pages(), before);
}

TEST(Kfree, an_address_within_large_memory_gives_back_all_of_it_in_6_1) {  // K-7
  Kernel k(new_era);
  const std::uint64_t before = k.free_pages();
  k.put(behind(k.get(20000), 5000));
  const Log log = k.log();
  EXPECT_EQ(log.fault, Fault::not_an_object);
  EXPECT_EQ(log.effect, Effect::freed);
  EXPECT_EQ(k.free_pages(), before);
}

TEST(Kfree, misuse_of_an_object_is_named_and_changes_nothing) {
  for (const EraId era : eras) {
    Kernel k(era);
    const Address a = k.get(100);
    k.put(behind(a, 8));
    EXPECT_EQ(k.fault(), Fault::not_an_object);
    k.put(a);
    EXPECT_EQ(k.fault(), Fault::none);
    const Machine before = k.m;
    k.put(a);
    EXPECT_EQ(k.fault(), Fault::double_free);
    EXPECT_EQ(ksize(k.m, a), 0u);
    EXPECT_EQ(k.fault(), Fault::double_free);
    EXPECT_EQ(krealloc(k.env, k.m, a, 1000, k.gfp()).error(), Refused::misuse);
    EXPECT_EQ(k.fault(), Fault::double_free);
    kfree_sensitive(k.env, k.m, a);
    EXPECT_EQ(k.fault(), Fault::double_free);
    EXPECT_TRUE(k.m == before);
  }
}

TEST(Kfree, large_memory_freed_twice_is_a_double_free) {
  Kernel k(new_era);
  const Address a = k.get(20000);
  k.put(a);
  k.put(a);
  EXPECT_EQ(k.fault(), Fault::double_free);
}

TEST(Krealloc, zero_frees_and_null_allocates) {  // K-10
  for (const EraId era : eras) {
    Kernel k(era);
    const Address nothing = era == new_era ? zero_size_ptr : Address::null;
    const Address a = *krealloc(k.env, k.m, Address::null, 100, k.gfp());
    EXPECT_EQ(ksize(k.m, a), 128u);
    EXPECT_EQ(*krealloc(k.env, k.m, a, 0, k.gfp()), nothing);
    EXPECT_EQ(ksize(k.m, a), 0u);
    EXPECT_EQ(k.fault(), Fault::double_free);  // it is free
    EXPECT_EQ(*krealloc(k.env, k.m, Address::null, 0, k.gfp()), nothing);
    EXPECT_EQ(ksize(k.m, *krealloc(k.env, k.m, nothing, 1, k.gfp())), 32u);
    EXPECT_EQ(k.fault(), Fault::none);
  }
}

TEST(Krealloc, what_fits_stays_and_what_does_not_is_copied_whole) {  // K-10
  for (const EraId era : eras) {
    Kernel k(era);
    const Address a = k.get(100);
    k.fill(a, 128, 0x77);
    EXPECT_EQ(*krealloc(k.env, k.m, a, 128, k.gfp()), a);
    EXPECT_EQ(*krealloc(k.env, k.m, a, 1, k.gfp()), a);
    EXPECT_EQ(ksize(k.m, a), 128u);
    const Address b = *krealloc(k.env, k.m, a, 129, k.gfp());
    EXPECT_NE(b, a);
    EXPECT_TRUE(k.holds(b, 128, 0x77));  // the whole class, not only what was asked for
    EXPECT_EQ(ksize(k.m, a), 0u);
    EXPECT_EQ(k.fault(), Fault::double_free);
    if (era == old_era) continue;
    const Address large = *krealloc(k.env, k.m, b, 100000, k.gfp());
    EXPECT_TRUE(k.holds(large, 128, 0x77));
    EXPECT_EQ(*krealloc(k.env, k.m, large, 10, k.gfp()), large);
  }
}

TEST(Krealloc, a_refusal_leaves_the_old_memory_as_it_was) {  // K-10
  for (const EraId era : eras) {
    Kernel k(era);
    const Address a = k.get(100);
    k.fill(a, 128, 0x77);
    EXPECT_EQ(krealloc(k.env, k.m, a, 8u << 20, k.gfp() | GFP_BIT_NOWARN).error(),
              Refused::no_memory);
    EXPECT_EQ(krealloc_array(k.env, k.m, a, UINT64_MAX, 2, k.gfp()).error(), Refused::no_memory);
    EXPECT_TRUE(k.holds(a, 128, 0x77));
    EXPECT_EQ(ksize(k.m, a), 128u);
    EXPECT_EQ(k.fault(), Fault::none);
  }
}

TEST(Krealloc, in_place_the_rest_becomes_zeros_if_asked_for) {  // K-9
  Kernel k(new_era);
  const Address a = k.get(100);
  k.fill(a, 128, 0x77);
  EXPECT_EQ(*krealloc(k.env, k.m, a, 50, k.gfp() | GFP_BIT_ZERO), a);
  EXPECT_TRUE(k.holds(a, 50, 0x77));
  EXPECT_TRUE(k.holds(behind(a, 50), 78, 0));
}

TEST(Ksize, of_nothing_is_nothing) {  // K-11
  for (const EraId era : eras) {
    Kernel k(era);
    EXPECT_EQ(ksize(k.m, Address::null), 0u);
    EXPECT_EQ(k.fault(), Fault::none);
  }
}

TEST(Ksize, of_pages_that_kmalloc_did_not_give_is_nothing) {  // K-11
  Kernel k(new_era);
  const Pfn pfn = *ref::buddy::alloc_pages(k.env, k.m, k.gfp() | GFP_BIT_COMP, 1);
  EXPECT_EQ(ksize(k.m, *ref::buddy::page_address(k.m, pfn)), 0u);  // no more than a class
  EXPECT_EQ(k.fault(), Fault::not_an_object);
  EXPECT_EQ(ksize(k.m, behind(k.get(20000), 4096)), 0u);
  EXPECT_EQ(k.fault(), Fault::not_an_object);
}

TEST(KfreeBulk, objects_and_pages_go_back_together_and_null_is_no_object) {  // K-12
  Kernel k(new_era);
  const std::uint64_t before = k.free_pages();
  const std::vector<Address> all{k.get(64), k.get(65536), k.get(200)};
  kfree_bulk(k.env, k.m, all);
  EXPECT_EQ(k.fault(), Fault::none);
  EXPECT_LE(before - k.free_pages(), 2u);  // two slabs may stay
  kfree_bulk(k.env, k.m, std::array{Address::null});
  EXPECT_EQ(k.fault(), Fault::not_an_object);
}

TEST(KfreeSensitive, all_that_was_usable_is_cleared) {  // K-13
  for (const EraId era : eras) {
    Kernel k(era);
    const Address a = k.get(100), b = k.get(20000);
    k.fill(a, 128, 0x77), k.fill(b, 32768, 0x77);
    kfree_sensitive(k.env, k.m, a);
    kfree_sensitive(k.env, k.m, b);
    // Behind the words that the allocator keeps in a free object, should it keep any.
    EXPECT_TRUE(k.holds(behind(a, 32), 96, 0));
    EXPECT_TRUE(k.holds(behind(b, 4096), 4096, 0));
    kfree_sensitive(k.env, k.m, Address::null);
    EXPECT_EQ(k.fault(), Fault::none);
  }
}

}  // namespace
}  // namespace props::kmalloc::by_hand
