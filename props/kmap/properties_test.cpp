// Every property holds of generated traces, none is idle, and each falls with the fault it is for.
#include "props/kmap/properties.hpp"

#include "props/core/property_tests.hpp"
#include "props/kmap/layer.hpp"
#include "props/kmap/property_case.hpp"

namespace props::kmap {
namespace {

using namespace ref::core;

class KmapProperties : public testing::TestWithParam<std::size_t> {};

TEST_P(KmapProperties, hold) { expect_holds<Layer>(properties()[GetParam()], 40, 10); }

INSTANTIATE_TEST_SUITE_P(All, KmapProperties, testing::Range(std::size_t{0}, properties().size()),
                         name_of_property<Layer>);

TEST(KmapPropertyList, names_are_sentences_and_ids_are_told_apart_from_those_of_rules) {
  expect_told_apart<Layer>();
}

// --- planted faults ---------------------------------------------------------------------------

// Three of four slots in use, one page twice; a local map.
constexpr std::string_view life = R"(allocheck 1
machine era=linux-6.1 page=64 orders=5 zones=NORMAL:32,HIGHMEM:32 cpus=2 pkmap=4
p0 = alloc_pages(order=4, gfp=GFP_HIGHUSER)
m0 = kmap(page=p0, index=0)
m1 = kmap(page=p0, index=1)
m2 = kmap(page=p0, index=1)
m3 = kmap(page=p0, index=2)
m4 = kmap_local_page(page=p0, index=3)
m5 = kmap(page=p0, index=4)
kunmap(map=m5)
end
)";

void unmap_of_nothing(Machine&, Pfn) {}
// Forgets a user while the page below has users.
void unmap_upwards(Machine& m, Pfn pfn) {
  const auto below = ref::kmap::page_address(m, pfn - 1);
  const bool used = below && ref::kmap::is_kmap_addr(m, *below) &&
                    ref::kmap::pkmap_count(m, ref::kmap::pkmap_nr(m, *below)) > 1;
  if (!used) ref::kmap::kunmap(m, pfn);
}
void flush_of_nothing(Machine&) {}
// One slot each time.
void flush_of_one(Machine& m) {
  for (std::uint32_t slot = 0; slot < m.kmap.count.count; ++slot)
    if (ref::kmap::pkmap_count(m, slot) > 0) return void(--m.arena.edit(m.kmap.count, slot));
}
using Mapped = ref::buddy::Answer<Address>;
// Another page comes first.
Mapped map_after_flush(Env& env, Machine& m, Pfn pfn) {
  ref::kmap::kmap_flush_unused(m);
  (void)ref::kmap::kmap(env, m, pfn + 8);
  return ref::kmap::kmap(env, m, pfn);
}
Mapped resume_never(Env&, Machine&) { return std::unexpected(ref::buddy::Refused::suspended); }
Mapped map_at_slot_1(Env& env, Machine& m, Pfn pfn) {
  const Mapped got = ref::kmap::kmap(env, m, pfn);
  return got ? Mapped(ref::kmap::pkmap_address(m, 1)) : got;
}
void unmap_atomic_half(Env& env, Machine& m, Address address, KmType type) {
  ref::kmap::kunmap_atomic(env, m, address, type);
  ++m.arena.edit(m.core.cpu, m.globals().cpu).preempt_count;
}
// What came back with the task goes again.
bool switch_without_maps(Machine& m, std::uint32_t task) {
  if (!ref::kmap::switch_task(m, task)) return false;
  for (std::uint32_t depth = 0; depth < ref::kmap::km_max_idx; ++depth)
    ref::mmu::unmap(m,
                    ref::kmap::fixmap_address(m, depth + ref::kmap::km_max_idx * m.globals().cpu));
  return true;
}
Mapped map_the_next(Env& env, Machine& m, Pfn pfn, KmType type) {
  return ref::kmap::kmap_atomic(env, m, pfn + 1, type);
}

using Planted = PlantedFault<Case>;
constexpr std::array planted{
    Planted{"PROP-KMAP-NEWBORN", newborn_again, [](Calls& c) { c.unmap = unmap_of_nothing; }},
    Planted{"PROP-KMAP-NEWBORN", newborn_again, [](Calls& c) { c.flush = flush_of_nothing; }},
    Planted{"PROP-KMAP-UNMAP-ORDER", any_order_of_unmaps,
            [](Calls& c) { c.unmap = unmap_upwards; }},
    Planted{"PROP-KMAP-FLUSH", flushing_twice_is_once, [](Calls& c) { c.flush = flush_of_one; }},
    Planted{"PROP-KMAP-AGAIN", mapped_again_is_there, [](Calls& c) { c.map = map_after_flush; }},
    Planted{"PROP-KMAP-WAKE", one_unmap_wakes, [](Calls& c) { c.resume = resume_never; }},
    Planted{"PROP-KMAP-WAKE", one_unmap_wakes, [](Calls& c) { c.unmap = unmap_of_nothing; }},
    Planted{"PROP-KMAP-TURN", every_slot_once, [](Calls& c) { c.map = map_at_slot_1; }},
    Planted{"PROP-ATOMIC-NOTHING", atomic_leaves_nothing,
            [](Calls& c) { c.unmap_atomic = unmap_atomic_half; }},
    Planted{"PROP-ATOMIC-SWITCH", there_and_back,
            [](Calls& c) { c.switch_task = switch_without_maps; }},
    Planted{"PROP-KMAP-READS-ALL", all_read_the_same,
            [](Calls& c) { c.map_atomic = map_the_next; }},
};

TEST(KmapPlantedFaults, each_falsifies_the_property_that_is_for_it) {
  for (const Planted& one : planted) expect_falsified<Layer>(one, life);
}

}  // namespace
}  // namespace props::kmap
