// Every property holds of generated traces, none is idle, and each falls with the fault it is for.
#include "props/kmalloc/properties.hpp"

#include "props/core/property_tests.hpp"
#include "props/kmalloc/layer.hpp"
#include "props/kmalloc/property_case.hpp"

namespace props::kmalloc {
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

constexpr std::string_view life = R"(allocheck 1
machine era=linux-6.1 zones=NORMAL:1024
o0 = kmalloc(size=100, gfp=GFP_KERNEL)
o1 = kmalloc(size=100, gfp=GFP_KERNEL)
o2 = kmalloc(size=3000, gfp=GFP_KERNEL)
o3 = kmalloc(size=20000, gfp=GFP_KERNEL)
kfree(object=o2)
end
)";

using Got = ref::kmalloc::Answer<Address>;

void free_of_slabs_only(Env& env, Machine& m, Address address) {
  if (ref::slab::object_at(m, address)) ref::kmalloc::kfree(env, m, address);
}
// Forgets an object while the one below it in its slab is live.
void free_upwards(Env& env, Machine& m, Address address) {
  const Address below{static_cast<std::uint64_t>(address) - ref::kmalloc::ksize(m, address)};
  const auto object = ref::slab::object_at(m, below);
  if (!object || !object->live) ref::kmalloc::kfree(env, m, address);
}
void bulk_but_the_last(Env& env, Machine& m, std::span<const Address> all) {
  ref::kmalloc::kfree_bulk(env, m, all.first(all.size() - 1));
}
Got nothing_of_pages(Env& env, Machine& m, std::uint64_t size, Gfp gfp) {
  if (size > 8192) return std::unexpected(ref::kmalloc::Refused::no_memory);
  return ref::kmalloc::kmalloc(env, m, size, gfp);
}
// The class below the one that fits.
Got half_of_it(Env& env, Machine& m, std::uint64_t size, Gfp gfp) {
  return ref::kmalloc::kmalloc(env, m, size / 2 + 1, gfp);
}
std::uint64_t round_up_to_powers(const Machine&, std::uint64_t size) { return std::bit_ceil(size); }
Got move_without_last_byte(Env& env, Machine& m, Address address, std::uint64_t size, Gfp gfp) {
  const std::uint64_t old = ref::kmalloc::ksize(m, address);
  const Got got = ref::kmalloc::krealloc(env, m, address, size, gfp);
  if (got && *got != address) ref::slab::write_bytes(m, *got, old)[old / 2] ^= std::byte{1};
  return got;
}
void clear_half(Env& env, Machine& m, Address address) {
  const std::uint64_t half = ref::kmalloc::ksize(m, address) / 2;
  std::ranges::fill(ref::slab::write_bytes(m, address, half), std::byte{0});
  ref::kmalloc::kfree(env, m, address);
}
// The product of what 64 bits hold of it.
Got wrapped(Env& env, Machine& m, std::uint64_t n, std::uint64_t size, Gfp gfp) {
  return ref::kmalloc::kmalloc(env, m, n * size, gfp);
}
Got wrapped_again(Env& env, Machine& m, Address address, std::uint64_t n, std::uint64_t size,
                  Gfp gfp) {
  return ref::kmalloc::krealloc(env, m, address, n * size, gfp);
}

using Planted = PlantedFault<Case>;
constexpr std::array planted{
    Planted{"PROP-KMALLOC-NEWBORN", newborn_again, [](Calls& c) { c.kfree = free_of_slabs_only; }},
    Planted{"PROP-KMALLOC-AGAIN", served_again, [](Calls& c) { c.kmalloc = nothing_of_pages; }},
    Planted{"PROP-KMALLOC-FREE-ORDER", any_order_of_frees,
            [](Calls& c) { c.kfree = free_upwards; }},
    Planted{"PROP-KMALLOC-BULK", bulk_is_singles,
            [](Calls& c) { c.kfree_bulk = bulk_but_the_last; }},
    Planted{"PROP-KMALLOC-MONOTONE", room_grows_with_size,
            [](Calls& c) { c.kmalloc = half_of_it; }},
    Planted{"PROP-KMALLOC-ROUNDUP", room_is_as_rounded_up,
            [](Calls& c) { c.roundup = round_up_to_powers; }},
    Planted{"PROP-KMALLOC-PREFIX", prefix_is_kept,
            [](Calls& c) { c.krealloc = move_without_last_byte; }},
    Planted{"PROP-KMALLOC-SENSITIVE", sensitive_is_cleared,
            [](Calls& c) { c.kfree_sensitive = clear_half; }},
    Planted{"PROP-KMALLOC-OVERFLOW", overflow_is_refused,
            [](Calls& c) { c.kmalloc_array = wrapped; }},
    Planted{"PROP-KMALLOC-OVERFLOW", overflow_is_refused, [](Calls& c) { c.kcalloc = wrapped; }},
    Planted{"PROP-KMALLOC-OVERFLOW", overflow_is_refused,
            [](Calls& c) { c.krealloc_array = wrapped_again; }},
};

TEST(PlantedFaults, each_falsifies_the_property_that_is_for_it) {
  for (const Planted& one : planted) expect_falsified<Layer>(one, life);
}

}  // namespace
}  // namespace props::kmalloc
