// Every property holds of generated traces, none is idle, and each falls with the fault it is for.
#include "props/slab/properties.hpp"

#include "props/core/property_tests.hpp"
#include "props/slab/layer.hpp"
#include "props/slab/property_case.hpp"
#include "ref/slab/records.hpp"

namespace props::slab {
namespace {

using namespace ref::core;

class Properties : public testing::TestWithParam<std::size_t> {};

TEST_P(Properties, hold) { expect_holds<Layer>(properties()[GetParam()], 20, 10); }

INSTANTIATE_TEST_SUITE_P(All, Properties, testing::Range(std::size_t{0}, properties().size()),
                         name_of_property<Layer>);

TEST(PropertyList, names_are_sentences_and_ids_are_told_apart_from_those_of_rules) {
  expect_told_apart<Layer>();
}

// --- planted faults ---------------------------------------------------------------------------

// Objects of two caches, one of them constructed; one freed.
constexpr std::string_view life = R"(allocheck 1
machine era=linux-6.1 cpus=2 zones=NORMAL:1024
c0 = kmem_cache_create(name=inode, size=1000, align=0, flags=0, ctor=1)
c1 = kmem_cache_create(name=bio, size=200, align=0, flags=0, ctor=0)
o0 = kmem_cache_alloc(cache=c0, gfp=GFP_KERNEL)
o1 = kmem_cache_alloc(cache=c0, gfp=GFP_KERNEL)
o2 = kmem_cache_alloc(cache=c1, gfp=GFP_KERNEL)
o3 = kmem_cache_alloc(cache=c1, gfp=GFP_KERNEL)
kmem_cache_free(object=o1)
end
)";

void free_of_nothing(Env&, Machine&, CacheId, Address) {}
// Forgets every object on the second CPU.
void free_on_the_first_cpu(Env& env, Machine& m, CacheId cache, Address object) {
  if (m.globals().cpu == 0) ref::slab::kmem_cache_free(env, m, cache, object);
}
// Forgets an object while the one below it in its slab is live.
void free_upwards(Env& env, Machine& m, CacheId cache, Address object) {
  const std::uint64_t stride = ref::slab::cache_at(m, static_cast<Index>(cache)).size;
  const auto below = ref::slab::object_at(m, Address{static_cast<std::uint64_t>(object) - stride});
  if (!below || !below->live) ref::slab::kmem_cache_free(env, m, cache, object);
}
ref::slab::Answer<bool> shrink_of_nothing(Env&, Machine&, std::optional<CacheId>) { return false; }
// Changes something each time.
ref::slab::Answer<bool> shrink_more(Env& env, Machine& m, std::optional<CacheId> cache) {
  ref::slab::pass_time(m, 1);
  return ref::slab::kmem_cache_shrink(env, m, cache);
}
ref::slab::Answer<ref::slab::Destroyed> destroy_nothing(Env&, Machine&, std::optional<CacheId>) {
  return ref::slab::Destroyed::gone;
}
// A creation that fails leaves a page behind.
ref::slab::Answer<CacheId> create_and_forget(Env& env, Machine& m,
                                             const ref::slab::CacheSpec& spec) {
  const auto cache = ref::slab::kmem_cache_create(env, m, spec);
  if (!cache) (void)ref::buddy::alloc_pages(env, m, GFP_BIT_NOWARN, 0);
  return cache;
}
// Takes from the array what is one below its top.
ref::slab::Answer<Address> alloc_second(Env& env, Machine& m, CacheId cache, Gfp gfp) {
  const auto top = ref::slab::kmem_cache_alloc(env, m, cache, gfp);
  const auto second = ref::slab::kmem_cache_alloc(env, m, cache, gfp);
  if (top && second) ref::slab::kmem_cache_free(env, m, cache, *top);
  return second ? second : top;
}
ref::slab::Answer<Address> alloc_scratched(Env& env, Machine& m, CacheId cache, Gfp gfp) {
  const auto got = ref::slab::kmem_cache_alloc(env, m, cache, gfp);
  if (got) ref::slab::write_bytes(m, *got, 8)[5] ^= std::byte{1};
  return got;
}
// The right objects in the other order.
ref::slab::Answer<std::size_t> bulk_backwards(Env& env, Machine& m, CacheId cache, Gfp gfp,
                                              std::span<Address> objects) {
  const auto got = ref::slab::kmem_cache_alloc_bulk(env, m, cache, gfp, objects);
  std::ranges::reverse(objects);
  return got;
}
// A number that is one off, in the last line.
std::string slabinfo_off_by_one(const Machine& m) {
  std::string text = ref::slab::slabinfo(m);
  char& digit = text[text.size() - 2];
  digit = digit == '9' ? '8' : static_cast<char>(digit + 1);
  return text;
}

using Planted = PlantedFault<Case>;
constexpr std::array planted{
    Planted{"PROP-SLAB-NEWBORN", newborn_again, [](Calls& c) { c.free = free_of_nothing; }},
    Planted{"PROP-SLAB-NEWBORN", newborn_again, [](Calls& c) { c.shrink = shrink_of_nothing; }},
    Planted{"PROP-SLAB-NEWBORN", newborn_again, [](Calls& c) { c.destroy = destroy_nothing; }},
    Planted{"PROP-SLAB-FREE-ORDER", any_order_of_frees, [](Calls& c) { c.free = free_upwards; }},
    Planted{"PROP-SLAB-FREE-CPU", any_cpu_frees, [](Calls& c) { c.free = free_on_the_first_cpu; }},
    Planted{"PROP-SLAB-CREATE", failed_creation_leaves_nothing,
            [](Calls& c) { c.create = create_and_forget; }},
    Planted{"PROP-SLAB-SHRINK", shrinking_twice_is_once, [](Calls& c) { c.shrink = shrink_more; }},
    Planted{"PROP-SLAB-LIFO", last_in_first_out, [](Calls& c) { c.alloc = alloc_second; }},
    Planted{"PROP-SLAB-CONSTRUCTED", always_constructed,
            [](Calls& c) { c.alloc = alloc_scratched; }},
    Planted{"PROP-SLAB-BULK", bulk_is_singles, [](Calls& c) { c.alloc_bulk = bulk_backwards; }},
    Planted{"PROP-SLAB-SLABINFO", slabinfo_restates,
            [](Calls& c) { c.slabinfo = slabinfo_off_by_one; }},
};

TEST(PlantedFaults, each_falsifies_the_property_that_is_for_it) {
  for (const Planted& one : planted) expect_falsified<Layer>(one, life);
}

}  // namespace
}  // namespace props::slab
