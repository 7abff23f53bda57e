// One page behind several addresses: what is written through one is read through all.
#include "props/vmalloc/reference_cases.hpp"
#include "ref/kmap/kmap.hpp"

namespace props::vmalloc::by_hand {
namespace {

using ref::kmap::KmType;

// The addresses of a page in every map that there is.
std::vector<Address> map_everywhere(Kernel& k, Pfn pfn) {
  std::vector<Address> all{k.granted(ref::kmap::kmap(k.env, k.m, pfn))};
  const std::vector<std::optional<Pfn>> list{pfn};
  all.push_back(k.granted(ref::vmalloc::vmap(k.env, k.m, list, VM_MAP)));
  all.push_back(k.granted(ref::vmalloc::vmap(k.env, k.m, list, VM_MAP)));
  all.push_back(k.granted(ref::kmap::kmap_atomic(k.env, k.m, pfn, KmType::KM_USER0)));
  if (const auto direct = ref::buddy::page_address(k.m, pfn)) all.push_back(*direct);
  return all;
}

Config with_every_map(EraId era) {
  Config c = window(era, 16, 512, 16);
  c.pkmap = 16;
  return c;
}

void expect_one_page(Kernel& k, const std::vector<Address>& all) {
  std::uint64_t value = 1;
  for (const Address through : all) {
    ASSERT_TRUE(k.store(behind(through, 120), ++value));
    for (const Address a : all) EXPECT_EQ(k.load(behind(a, 120)), value);
  }
}

// A high page has no address of its own: kmap, two areas, kmap_atomic.
TEST(SamePage, a_high_page_has_as_many_addresses_as_maps) {
  for (const EraId era : eras) {
    Kernel k(with_every_map(era));
    const Pfn pfn = k.frame(GFP_BIT_HIGHMEM);
    const std::vector<Address> all = map_everywhere(k, pfn);
    ASSERT_EQ(all.size(), 4u);
    for (std::size_t i = 0; i < all.size(); ++i)
      for (std::size_t j = 0; j < i; ++j) EXPECT_NE(all[i], all[j]);
    expect_one_page(k, all);
    EXPECT_EQ(ref::buddy::read_pages(k.m, pfn, 120, 1)[0], std::byte{5});
  }
}

// A low page has one: kmap and kmap_atomic answer that of the direct map, and only vmap another.
TEST(SamePage, a_low_page_is_behind_the_direct_map_and_the_areas) {
  for (const EraId era : eras) {
    Kernel k(with_every_map(era));
    const std::vector<Address> all = map_everywhere(k, k.frame());
    ASSERT_EQ(all.size(), 5u);
    EXPECT_EQ(all[0], all[4]);
    EXPECT_EQ(all[3], all[4]);
    EXPECT_NE(all[1], all[2]);
    expect_one_page(k, all);
  }
}

}  // namespace
}  // namespace props::vmalloc::by_hand
