// Tests which addresses are taken for the beginning of an object that a caller has.
#include <gtest/gtest.h>

#include <algorithm>

#include "props/slab/reference_cases.hpp"
#include "ref/slab/direct.hpp"

namespace props::slab::by_hand {
namespace {

// Every byte between two objects that callers have: also where objects begin within words, so that
// one word has the end of an object and the beginning of the next.
TEST(SlabFree, takes_no_address_inside_an_object_for_one) {
  bool within_words = false;
  for (const EraId era : eras)
    for (const std::uint64_t size : {16u, 20u, 24u, 28u, 40u}) {
      Kernel k(plain(era));
      const CacheId c = k.create({.name = "c", .size = size, .align = 5});
      std::vector<Address> all;
      for (std::uint32_t i = 0; i < k.cache(c).num; ++i) all.push_back(k.get(c));
      std::ranges::sort(all);
      const Machine before = k.m;
      for (std::size_t i = 0; i < all.size(); ++i) {
        const auto at = static_cast<std::uint64_t>(all[i]);
        within_words |= at % k.m.profile().word_bytes != 0;
        for (std::uint64_t offset = 1; offset < k.cache(c).size; ++offset) {
          const Address inside{at + offset};
          EXPECT_FALSE(kfree_object(k.env, k.m, inside)) << at << " + " << offset;
          k.put(c, inside);
          EXPECT_EQ(k.fault(), Fault::not_an_object) << at << " + " << offset;
        }
      }
      EXPECT_EQ(k.m, before);
      for (const Address object : all) k.put(c, object);
      EXPECT_EQ(k.fault(), Fault::none);
    }
  EXPECT_TRUE(within_words);
}

// Sixteen objects lie in free slabs, no array has any, and the limit falls to six. 6.1 looks for
// slabs beyond it where the old shared array is emptied, though that had nothing; 2.6.11 looks only
// as an object comes back.
TEST(SlabFree, looks_for_slabs_beyond_the_limit_behind_an_empty_array) {  // S-26, S-43
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId c = k.create({.size = 1000});
    k.tune(c, 16, 16, 1);
    k.put_all(c, k.get_many(c, 40));
    (void)k.get_many(c, 24);
    ASSERT_EQ(k.cpu(c).avail + k.shared(c).avail, 0u);
    ASSERT_EQ(k.node(c).free_objects, 16u);
    k.tune(c, 1, 1, 1);
    EXPECT_EQ(k.node(c).free_objects, era == new_era ? 4u : 16u);
    EXPECT_EQ(k.node(c).free.count, era == new_era ? 1u : 4u);
  }
}

}  // namespace
}  // namespace props::slab::by_hand
