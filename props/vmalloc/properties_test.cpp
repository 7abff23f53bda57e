// Every property holds of generated traces, none is idle, and each falls with the fault it is for.
#include "props/vmalloc/properties.hpp"

#include "props/core/property_tests.hpp"
#include "props/vmalloc/layer.hpp"
#include "props/vmalloc/property_case.hpp"
#include "ref/mmu/mmu.hpp"

namespace props::vmalloc {
namespace {

using namespace ref::core;
namespace vm = ref::vmalloc;

class Properties : public testing::TestWithParam<std::size_t> {};

TEST_P(Properties, hold) { expect_holds<Layer>(properties()[GetParam()], 20, 10); }

INSTANTIATE_TEST_SUITE_P(All, Properties, testing::Range(std::size_t{0}, properties().size()),
                         name_of_property<Layer>);

TEST(PropertyList, names_are_sentences_and_ids_are_told_apart_from_those_of_rules) {
  expect_told_apart<Layer>();
}

// --- planted faults ---------------------------------------------------------------------------

constexpr std::string_view life = R"(allocheck 1
machine era=linux-6.1 zones=NORMAL:512 cpus=2 vmalloc=64
p0 = alloc_pages(order=0, gfp=GFP_KERNEL)
p1 = alloc_pages(order=0, gfp=GFP_KERNEL)
a0 = vmalloc(size=9000)
a1 = vmalloc(size=4096)
a2 = vmap(first=p0, count=2, hole=0, flags=VM_MAP)
a3 = vmalloc(size=5000)
vfree(area=a1)
end
)";

using Got = vm::Answer<vm::Address>;

// What is above the middle of the window stays.
void free_lower_half(Env& env, Machine& m, vm::Address address) {
  const auto& w = m.mmu.window;
  if (static_cast<std::uint64_t>(address) < w.vmalloc_start + 5 * m.config.page_bytes)
    vm::vfree(env, m, address);
}
// Keeps an area while one below it is there, near or far.
void free_upwards(Env& env, Machine& m, vm::Address address) {
  const std::uint64_t end = static_cast<std::uint64_t>(address);
  for (std::uint64_t at = m.mmu.window.vmalloc_start; at < end; at += m.config.page_bytes)
    if (vm::area_at(m, vm::Address{at})) return;
  vm::vfree(env, m, address);
}
Got nothing_any_more(Env&, Machine&, std::uint64_t, std::uint32_t) {
  return std::unexpected(vm::Refused::no_memory);
}
void purge_now_and_then(Env& env, Machine& m) {
  if (vm::vmap_lazy_nr(m) == 0) m.edit_globals().warned ^= 1;
  vm::vm_unmap_aliases(env, m);
}
void purge_of_what_is_used(Env& env, Machine& m) {
  vm::vm_unmap_aliases(env, m);
  const auto area = vm::area_at(m, vm::Address{m.mmu.window.vmalloc_start});
  if (area) ref::mmu::unmap(m, area->first);
}
Got first_page_only(Env& env, Machine& m, std::span<const std::optional<Pfn>> pages,
                    std::uint32_t flags, vm::Address list) {
  const std::vector<std::optional<Pfn>> all(pages.size(), pages[0]);
  return vm::vmap(env, m, all, flags, list);
}
std::uint64_t read_one_further(const Machine& m, vm::Address address, std::span<std::byte> out) {
  return vm::vread(m, vm::Address{static_cast<std::uint64_t>(address) + 1}, out);
}
void unmap_and_put(Env& env, Machine& m, vm::Address address) {
  const auto pfn = vm::vmalloc_to_page(m, address);
  vm::vunmap(env, m, address);
  if (pfn) ref::buddy::free_page_(env, m, *pfn);
}

using Planted = PlantedFault<Case>;
constexpr std::array planted{
    Planted{"PROP-VMALLOC-WHOLE", window_is_whole_again,
            [](Calls& c) { c.vfree = free_lower_half; }},
    Planted{"PROP-VMALLOC-FREE-ORDER", any_order_of_frees,
            [](Calls& c) { c.vfree = c.vunmap = free_upwards; }},
    Planted{"PROP-VMALLOC-AGAIN", served_again, [](Calls& c) { c.get_vm_area = nothing_any_more; }},
    Planted{"PROP-VMALLOC-PURGE-TWICE", purging_twice_is_once,
            [](Calls& c) { c.vm_unmap_aliases = purge_now_and_then; }},
    Planted{"PROP-VMALLOC-PURGE-USED", purging_leaves_what_is_used,
            [](Calls& c) { c.vm_unmap_aliases = purge_of_what_is_used; }},
    Planted{"PROP-VMALLOC-ALIASES", written_once_read_everywhere,
            [](Calls& c) { c.vmap = first_page_only; }},
    Planted{"PROP-VMALLOC-VREAD", reading_is_loading, [](Calls& c) { c.vread = read_one_further; }},
    Planted{"PROP-VMALLOC-BORROWED", pages_of_vmap_stay,
            [](Calls& c) { c.vunmap = unmap_and_put; }},
};

TEST(PlantedFaults, each_falsifies_the_property_that_is_for_it) {
  for (const Planted& one : planted) expect_falsified<Layer>(one, life);
}

}  // namespace
}  // namespace props::vmalloc
