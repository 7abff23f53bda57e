// Worlds of the same exact state have the same future, and what makes a difference is in the state.
#include <gtest/gtest.h>

#include <set>

#include "props/buddy/layer.hpp"

namespace props::buddy {
namespace {

using Hash = ref::core::Hash;
constexpr std::string_view crowded = "era=linux-6.1 zones=DMA:4,NORMAL:12 cpus=2 min_free_kbytes=8";

Config machine(std::string_view line) {
  const auto config = parse_machine(line);
  if (!config) ADD_FAILURE() << config.error().what;
  return config.value_or(Config{});
}

World::Step step(std::string_view text) {
  auto op = OperationScanner(text, EraId::linux_6_1).read<Operation>();
  if (!op) ADD_FAILURE() << text << ": " << op.error().what;
  return {op.value_or(Operation{}), {}, {}, 0};
}

TEST(ExactState, DiffersByEverythingThatCanMatter) {
  const Newborn newborn(machine(crowded));
  World world(newborn, Judging::everything());
  Hash last = world.exact_state();
  for (const char* text :
       {"p0 = alloc_pages(order=1, gfp=GFP_KERNEL)", "get_page(page=p0, index=0)", "touch(page=p0)",
        "set_page_private(page=p0, value=7)", "set_page_flags(page=p0, flags=PG_dirty)",
        "set_page_mapcount(page=p0, count=2)", "set_page_mapcount(page=p0, count=0)", "cpu(id=1)",
        "preempt_disable()", "fail_page_alloc(nth=3)", "set_min_free_kbytes(kbytes=4)",
        "set_lowmem_reserve_ratio(zone=DMA, ratio=3)", "set_reclaim_active(zone=NORMAL, on=1)"}) {
    const Answer answer = world.apply(step(text));
    ASSERT_FALSE(world.violation()) << text;
    ASSERT_NE(answer.kind, Answer::Kind::skipped) << text;
    EXPECT_NE(world.exact_state(), last) << text;
    last = world.exact_state();
  }
  World::Step armed = step("buddyinfo()");
  armed.at = ref::core::Point::buddy_pcp_locked;
  world.apply(armed);
  EXPECT_NE(world.exact_state(), last);
}

TEST(ExactState, IsTheSameAfterStepsThatDoNothing) {
  const Newborn newborn(machine(crowded));
  World world(newborn, Judging::everything());
  world.apply(step("p0 = alloc_pages(order=1, gfp=GFP_KERNEL)"));
  const Hash before = world.exact_state();
  for (const char* text : {"free_pages(page=p1)", "p0 = alloc_page(gfp=GFP_KERNEL)", "buddyinfo()",
                           "page_count(page=p0, index=0)", "free_pages_null()"}) {
    world.apply(step(text));
    EXPECT_EQ(world.exact_state(), before) << text;
  }
  EXPECT_EQ(World(world).exact_state(), before);
}

// Two neighbouring steps in either order: where they come to the same state, whatever follows is
// answered alike.
TEST(ExactState, OneStateOneFuture) {
  Random random(3);
  const Newborn newborn(machine(crowded));
  World one(newborn, Judging::everything()), other(newborn, Judging::everything());
  std::size_t same = 0;
  for (int run = 0; run < 120; ++run) {
    one.reset(newborn, Judging::everything());
    const Generator generator(random);
    for (std::uint64_t i = random.below(24); i-- > 0;) one.apply(generator.draw(one, random));
    other = one;
    const World::Step a = generator.draw(one, random), b = generator.draw(one, random);
    one.apply(a), one.apply(b);
    other.apply(b), other.apply(a);
    if (one.violation() || other.violation() || one.exact_state() != other.exact_state()) continue;
    ++same;
    for (int i = 0; i < 24; ++i) {
      const World::Step next = generator.draw(one, random);
      ASSERT_EQ(one.apply(next), other.apply(next)) << print_step(next, EraId::linux_6_1);
      ASSERT_EQ(one.exact_state(), other.exact_state()) << print_step(next, EraId::linux_6_1);
    }
    one.finish(), other.finish();
    ASSERT_EQ(one.violation().has_value(), other.violation().has_value());
  }
  EXPECT_GT(same, 12u);
}

}  // namespace
}  // namespace props::buddy
