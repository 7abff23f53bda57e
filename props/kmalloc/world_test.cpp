// The world of kmalloc: what it notices, what it skips, and that the reference keeps its rules.
#include "props/kmalloc/world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "props/core/scene.hpp"
#include "props/kmalloc/generator.hpp"

namespace props::kmalloc {
namespace {

const std::string modern = "era=linux-6.1 zones=DMA:64,NORMAL:512 pcp=off";
const std::string old = "era=linux-2.6.11 zones=DMA:512,NORMAL:1024 pcp=off";

class Scene : public SceneOf<World, Newborn, Judging> {
 public:
  using SceneOf::SceneOf;
  Address address(std::size_t reg) { return world().memory()[reg].address; }
};

TEST(KmallocWorld, a_byte_that_somebody_else_writes_is_seen) {
  for (const std::uint64_t offset : {0u, 99u}) {
    Scene s(modern);
    s.run("o0 = kmalloc(size=100, gfp=GFP_KERNEL)");
    auto byte = ref::slab::write_bytes(
        s.machine(), Address{static_cast<std::uint64_t>(s.address(0)) + offset}, 1);
    byte[0] ^= std::byte{1};
    EXPECT_EQ(s.broken_at_end(), "KMALLOC-CONTENT");
  }
}

TEST(KmallocWorld, the_rest_of_a_class_is_the_owners_only_after_ksize) {
  for (const bool asked : {false, true}) {
    Scene s(modern);
    s.run("o0 = kmalloc(size=100, gfp=GFP_KERNEL)");
    if (asked) s.run("ksize(object=o0) -> count 128");
    auto byte = ref::slab::write_bytes(s.machine(),
                                       Address{static_cast<std::uint64_t>(s.address(0)) + 100}, 1);
    byte[0] ^= std::byte{1};
    EXPECT_EQ(s.broken_at_end(), asked ? "KMALLOC-CONTENT" : "");
  }
}

TEST(KmallocWorld, a_page_that_does_not_come_back_is_seen) {
  struct QuietEnv final : ref::core::Env {
  } env;
  for (const std::string& line : {modern, old}) {
    Scene s(line);
    s.run("o0 = kmalloc(size=100, gfp=GFP_KERNEL)");
    EXPECT_TRUE(ref::buddy::alloc_pages(env, s.machine(), 0, 0).has_value());
    EXPECT_EQ(s.broken_at_end(), "KMALLOC-RETURNED");
  }
}

TEST(KmallocWorld, memory_freed_behind_its_back_is_misuse_when_it_is_freed_again) {
  struct QuietEnv final : ref::core::Env {
  } env;
  Scene s(modern);
  s.run("o0 = kmalloc(size=100, gfp=GFP_KERNEL)");
  ref::kmalloc::kfree(env, s.machine(), s.address(0));
  s.run("kfree(object=o0)");
  EXPECT_EQ(s.broken_at_end(), "KMALLOC-MISUSE");
}

TEST(KmallocWorld, empty_operands_and_occupied_results_are_skipped) {
  Scene s(modern);
  EXPECT_EQ(s.answer("kfree(object=o0)"), "skipped");
  EXPECT_EQ(s.answer("kfree_stale(object=o0)"), "skipped");
  EXPECT_EQ(s.answer("kfree_bulk(first=o60, count=9)"), "skipped");
  s.run("o0 = kmalloc(size=0, gfp=GFP_KERNEL)");
  EXPECT_EQ(s.answer("o0 = kmalloc(size=1, gfp=GFP_KERNEL)"), "skipped");
  EXPECT_EQ(s.answer("kfree_inside(object=o0, offset=0)"), "skipped");
  EXPECT_EQ(s.answer("o1 = kmalloc_node(size=1, gfp=GFP_KERNEL, node=1)"), "skipped");
  EXPECT_EQ(s.broken_at_end(), "");
}

TEST(KmallocWorld, a_call_that_waits_is_made_again_when_its_task_is_selected) {
  Scene s("era=linux-6.1 zones=NORMAL:160 pcp=off");
  s.run("p0 = alloc_pages(order=6, gfp=GFP_KERNEL)");
  int got = 0;
  while (s.answer("o" + std::to_string(got) + " = kmalloc(size=32768, gfp=GFP_KERNEL)") !=
         "suspended")
    ASSERT_LT(++got, 20);
  EXPECT_EQ(s.world().waiting(), 1u);
  EXPECT_EQ(s.answer("o20 = kmalloc(size=1, gfp=GFP_KERNEL)"), "skipped");
  EXPECT_EQ(s.answer("task(id=1)\nfree_pages(page=p0)"), "ok");
  EXPECT_TRUE(s.answer("task(id=0)").starts_with("address "));
  EXPECT_EQ(s.world().waiting(), 0u);
  EXPECT_EQ(s.broken_at_end(), "");
}

TEST(KmallocWorld, a_machine_too_small_to_boot_skips_what_needs_memory) {
  Scene s("era=linux-6.1 zones=NORMAL:1");
  EXPECT_EQ(s.answer("o0 = kmalloc(size=1, gfp=GFP_KERNEL)"), "skipped");
  EXPECT_EQ(s.answer("shrink_all()"), "skipped");
  EXPECT_EQ(s.broken_at_end(), "");
}

TEST(KmallocWorld, random_runs_of_the_reference_break_nothing) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Random random(seed);
    const Newborn newborn(draw_machine(random));
    World world(newborn, Judging::everything());
    const Generator generator(random);
    for (int i = 0; i < 120; ++i) world.apply(generator.draw(world, random));
    world.finish();
    ASSERT_FALSE(world.violation())
        << seed << ": " << world.violation()->rule->id << " " << world.violation()->expected
        << " / " << world.violation()->actual;
  }
}

TEST(KmallocRules, ids_are_of_the_layer_and_used_once) {
  std::set<std::string_view> ids;
  for (const Rule& rule : rules()) {
    EXPECT_TRUE(rule.id.starts_with("KMALLOC-")) << rule.id;
    EXPECT_EQ(rule.layer, "kmalloc");
    EXPECT_TRUE(ids.insert(rule.id).second) << rule.id;
  }
}

}  // namespace
}  // namespace props::kmalloc
