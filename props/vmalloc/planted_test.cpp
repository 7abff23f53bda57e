// Guards the guards: states that no call leads to, and the rule that is the first to see each.
#include <gtest/gtest.h>

#include <array>

#include "props/vmalloc/invariants.hpp"
#include "props/vmalloc/world.hpp"
#include "ref/mmu/mmu.hpp"
#include "ref/vmalloc/records.hpp"

namespace props::vmalloc {

// Makes the subject wrong behind the world's back.
struct Planting {
  static Machine& machine(World& w) { return w.machine_; }
};

namespace {

using ref::vmalloc::edit_area;
using ref::vmalloc::edit_block;
using ref::vmalloc::edit_globals_of;
using ref::vmalloc::edit_range;

// Areas of two pages and their guards at the window's pages 0 and 3; a block of vm_map_ram.
constexpr std::string_view life = R"(allocheck 1
machine era=linux-6.1 zones=NORMAL:512 cpus=2 vmalloc=128
a0 = vmalloc(size=8192)
a1 = vmalloc(size=8192)
p0 = alloc_pages(order=1, gfp=GFP_KERNEL)
a2 = vm_map_ram(first=p0, count=2)
end
)";

World played(const Judging& judging) {
  const auto trace = parse_trace<Operation>(life).value();
  static const Newborn newborn(trace.machine);
  World world(newborn, judging);
  for (const auto& step : trace.steps) world.apply(step);
  EXPECT_FALSE(world.violation()) << world.violation()->rule->id;
  return world;
}

struct State {
  std::string_view rule;
  void (*plant)(Machine&);
};

ref::core::Index block_of(const Machine& m) {
  ref::core::Index b = 0;
  while (ref::vmalloc::block_at(m, b).object == 0) ++b;
  return b;
}
// A translation of a page of the window that nobody has any more.
void cache_what_is_free(Machine& m) {
  const auto at = ref::vmalloc::address_of(m, 20);
  (void)ref::mmu::map(m, at, 64);
  ref::mmu::prefetch(m, 1, at);
  ref::mmu::unmap(m, at);
}

// What the records say.
constexpr std::array records{
    State{"VMALLOC-WINDOW", [](Machine& m) { edit_globals_of(m).zero = 1; }},
    State{"VMALLOC-RECORDS", [](Machine& m) { edit_range(m, 1).left = 1; }},
    State{"VMALLOC-PARTITION", [](Machine& m) { edit_range(m, 0).pages -= 1; }},
    State{"VMALLOC-ORDERED", [](Machine& m) { edit_range(m, 3).prev = 0; }},
    State{"VMALLOC-TREE", [](Machine& m) { edit_range(m, 3).parent ^= 1; }},
    State{"VMALLOC-OBJECTS", [](Machine& m) { edit_area(m, 3).object = edit_area(m, 0).object; }},
    State{"VMALLOC-BLOCKS", [](Machine& m) { ++edit_block(m, block_of(m)).dirty; }},
    State{"VMALLOC-CACHED", cache_what_is_free},
};

TEST(PlantedStates, a_record_that_is_wrong_breaks_its_rule_first) {
  for (const State& state : records) {
    World world = played(Judging::cheap());
    Machine& m = Planting::machine(world);
    ASSERT_FALSE(first_broken(m));
    state.plant(m);
    const auto finding = first_broken(m);
    ASSERT_TRUE(finding) << state.rule;
    EXPECT_EQ(finding->rule, state.rule);
  }
}

// What callers see, whatever the records say.
void keep_another_page(Machine& m) {
  const auto at = ref::vmalloc::address_of(m, 0);
  const auto pfn = ref::mmu::unmap(m, at);
  (void)ref::mmu::map(m, at, *pfn + 1);
  ref::mmu::prefetch(m, 1, at);
  ref::mmu::unmap(m, at);
  (void)ref::mmu::map(m, at, *pfn);
}
constexpr std::array seen{
    State{"VMALLOC-STALE", keep_another_page},
    State{"VMALLOC-ACCOUNTED", [](Machine& m) { ++edit_globals_of(m).nr_vmalloc_pages; }},
};

TEST(PlantedStates, what_callers_see_wrong_breaks_its_rule_first) {
  for (const State& state : seen) {
    World world = played(Judging::cheap());
    state.plant(Planting::machine(world));
    world.finish();
    ASSERT_TRUE(world.violation()) << state.rule;
    EXPECT_EQ(world.violation()->rule->id, state.rule);
  }
}

TEST(PlantedStates, vmalloc_to_page_is_asked_before_anything_else_looks) {
  World world = played(Judging::cheap());
  Machine& m = Planting::machine(world);
  const auto at = ref::vmalloc::address_of(m, 0);
  const auto pfn = ref::mmu::unmap(m, at);
  (void)ref::mmu::map(m, at, *pfn + 1);
  world.apply({VmallocToPage{{0}, {0}}, {}, {}, 0});
  ASSERT_TRUE(world.violation());
  EXPECT_EQ(world.violation()->rule->id, "VMALLOC-TO-PAGE");
}

}  // namespace
}  // namespace props::vmalloc
