// Tests the world: how steps run. That each rule it judges can be broken, planted_test.cpp shows.
#include <cstring>
#include <set>

#include "props/buddy/scene.hpp"
#include "props/core/probe.hpp"

namespace props::buddy {
namespace {

using ref::buddy::Machine;
using Kind = Answer::Kind;

// --- answers, registers, skips ----------------------------------------------------------------

TEST(World, a_wrong_answer_is_a_violation_after_which_nothing_runs) {
  Scene s(tiny);
  s.run("p0 = alloc_page(gfp=0)\np1 = alloc_page(gfp=0) -> pfn 7\np2 = alloc_page(gfp=0)");
  ASSERT_EQ(s.broken(), "STEP-ANSWER");
  const Violation& v = *s.world().violation();
  EXPECT_EQ(v.step, 1u);
  EXPECT_EQ(v.expected, "pfn 7");
  EXPECT_EQ(v.actual, "pfn 1");
  EXPECT_FALSE(s.block(2).live);
  EXPECT_EQ(s.answer("p3 = alloc_page(gfp=0)"), "skipped");
  s.world().finish();
  EXPECT_EQ(s.broken(), "STEP-ANSWER");
}

TEST(World, an_empty_operand_or_an_occupied_result_skips_the_step) {
  Scene s(tiny);
  for (const char* empty :
       {"free_pages(page=p0)", "__free_pages(page=p0, order=0)", "get_page(page=p0, index=0)",
        "put_page(page=p0, index=0)", "touch(page=p0)", "page_count(page=p0, index=0)",
        "split_page(page=p0, first=p1)", "free_stale(page=p0)", "page_address(page=p0)",
        "free_pages_exact(page=p0)", "set_page_flags(page=p0, flags=PG_dirty)", "cpu(id=1)",
        "task(id=7)", "irq_exit()", "set_reclaim_active(zone=DMA, on=1)",
        "set_lowmem_reserve_ratio(zone=HIGHMEM, ratio=1)"})
    EXPECT_EQ(s.answer(empty), "skipped") << empty;
  s.run("p0 = alloc_pages(order=1, gfp=0)");
  for (const char* full : {"p0 = alloc_page(gfp=0)", "p0 = alloc_pages_exact(bytes=64, gfp=0)",
                           "free_pages_exact(page=p0)", "free_tail(page=p0, index=2)",
                           "split_page(page=p0, first=p0)", "split_page(page=p0, first=p63)"})
    EXPECT_EQ(s.answer(full), std::string(full).ends_with("p63)") ? "ok" : "skipped") << full;
  const Reach& reach = s.world().reach();
  std::uint64_t skipped = 0, executed = 0;
  for (std::size_t i = 0; i < Reach::operations; ++i)
    skipped += reach.skipped[i], executed += reach.executed[i];
  EXPECT_EQ(skipped, 21u);
  EXPECT_EQ(executed, 2u);
  s.expect_right();
}

TEST(World, an_exact_block_is_given_back_exactly) {
  Scene s(tiny);
  EXPECT_EQ(s.answer("p0 = alloc_pages_exact(bytes=129, gfp=0)"), "pfn 0");
  EXPECT_EQ(s.block(0).pages, 3u);
  EXPECT_EQ(s.answer("free_pages(page=p0)"), "skipped");
  EXPECT_EQ(s.answer("p1 = alloc_page(gfp=0)"), "pfn 3");  // the tail was nobody's
  EXPECT_EQ(s.answer("free_pages_exact(page=p0)"), "ok");
  s.expect_right();
}

// --- armed steps ------------------------------------------------------------------------------

TEST(World, an_armed_step_is_an_interrupt_at_its_point_and_leaves_no_trace_of_context) {
  Scene s("era=linux-6.1 page=64 zones=NORMAL:16 cpus=2");
  s.run("p0 = alloc_page(gfp=0)\ntouch(page=p0)");
  const ref::core::Cpu before = s.machine().cpu();
  EXPECT_EQ(s.answer("@buddy.free.ref_dropped p1 = alloc_page(gfp=GFP_KERNEL) "
                     "-> fault sleeping-in-atomic\n"
                     "@buddy.free.ref_dropped irq_enter()\n"
                     "@buddy.free.ref_dropped cpu(id=1)\n"
                     "@buddy.free.ref_dropped p2 = alloc_page(gfp=GFP_ATOMIC)\n"
                     "free_pages(page=p0) -> ok"),
            "ok");
  EXPECT_TRUE(s.block(1).live);
  EXPECT_TRUE(s.block(2).live);
  EXPECT_NE(s.block(1).pfn, s.block(0).pfn);  // it was on no list while they ran
  EXPECT_EQ(s.machine().globals().cpu, 0u);
  EXPECT_EQ(std::memcmp(&s.machine().cpu(), &before, sizeof before), 0);
  const auto point = static_cast<std::size_t>(ref::core::Point::buddy_free_ref_dropped);
  EXPECT_EQ(s.world().reach().points[point], 4u);
  s.expect_right();
}

TEST(World, an_armed_step_that_answers_wrongly_is_a_violation) {
  Scene s(tiny);
  s.run(
      "p0 = alloc_page(gfp=0)\n@buddy.free.ref_dropped p1 = alloc_page(gfp=0) -> refused\n"
      "free_pages(page=p0)");
  EXPECT_EQ(s.broken(), "STEP-ANSWER");
}

TEST(World, an_armed_step_whose_point_is_not_reached_is_skipped) {
  Scene s(tiny + " cpus=2");
  s.run("@buddy.drain.cpu_next p1 = alloc_page(gfp=0) -> refused\np0 = alloc_page(gfp=0)");
  EXPECT_TRUE(s.block(0).live);
  EXPECT_FALSE(s.block(1).live);
  std::uint64_t skipped = 0;
  for (const auto n : s.world().reach().skipped) skipped += n;
  EXPECT_EQ(skipped, 1u);
  s.run("drain_all_pages()\ndrain_all_pages()");  // it does not wait for later steps
  EXPECT_FALSE(s.block(1).live);
  EXPECT_EQ(s.world().steps(), 4u);
  s.expect_right();
}

// The interrupted call will fill p0, so the interrupt may not.
TEST(World, an_armed_step_cannot_take_the_register_of_the_call_it_interrupts) {
  Scene s("era=linux-6.1 page=64 orders=3 zones=DMA:4,NORMAL:4 pcp=off");
  s.run(
      "p1 = alloc_pages(order=2, gfp=0)\n"
      "@buddy.alloc.zone_next p0 = alloc_page(gfp=GFP_DMA)\n"
      "@buddy.alloc.zone_next p2 = alloc_page(gfp=GFP_DMA) -> pfn 0\n"
      "p0 = alloc_page(gfp=0) -> pfn 1");
  EXPECT_EQ(s.block(0).pfn, 1u);
  s.expect_right();
}

// --- tasks that wait --------------------------------------------------------------------------

TEST(World, a_suspended_task_skips_until_memory_came_back_and_it_is_selected) {
  for (const std::string& line : {tiny, tiny_old}) {
    Scene s(line);
    s.run(
        "p0 = alloc_pages(order=2, gfp=0)\np1 = alloc_pages(order=2, gfp=0)\n"
        "p2 = alloc_page(gfp=GFP_KERNEL) -> suspended\n"
        "free_pages(page=p0) -> skipped\n"
        "touch(page=p1) -> skipped\n"
        "task(id=0) -> suspended\n"  // tried again, in vain
        "task(id=1) -> ok\n"
        "p2 = alloc_page(gfp=0) -> skipped\n"  // somebody waits to fill it
        "free_pages(page=p1) -> ok\n"
        "task(id=0) -> pfn 4\n"
        "touch(page=p2) -> ok");
    EXPECT_TRUE(s.block(2).live);
    EXPECT_EQ(s.world().reach()[ReachEvent::resumed], 2u);
    EXPECT_EQ(s.world().reach()[ReachEvent::suspended], 2u);
    s.expect_right();
  }
}

TEST(World, a_suspended_exact_request_completes_as_one) {
  Scene s(tiny);
  s.run(
      "p0 = alloc_pages(order=2, gfp=0)\np1 = alloc_pages(order=2, gfp=0)\n"
      "p2 = alloc_pages_exact(bytes=180, gfp=GFP_KERNEL) -> suspended\ntask(id=3)\n"
      "free_pages(page=p0)\ntask(id=0) -> pfn 0\nfree_pages_exact(page=p2) -> ok");
  s.expect_right();
}

// --- misuse -----------------------------------------------------------------------------------

TEST(World, a_stale_block_that_is_somebodys_again_is_freed_for_him) {
  Scene s("era=linux-6.1 page=64 zones=NORMAL:16");
  s.run(
      "p0 = alloc_page(gfp=0)\nfree_pages(page=p0)\nfree_stale(page=p0) -> fault double-free\n"
      "p1 = alloc_page(gfp=0)");
  ASSERT_EQ(s.block(1).pfn, s.block(0).pfn);
  EXPECT_EQ(s.answer("free_stale(page=p0) -> ok"), "ok");
  EXPECT_FALSE(s.block(1).live);
  s.expect_right();
}

TEST(World, classifies_misuse_by_what_the_registers_say) {
  const std::string old =
      "era=linux-2.6.11 page=64 orders=4 zones=DMA:8,NORMAL:4,HIGHMEM:4 pcp=off";
  const std::string now = "era=linux-6.1 page=64 orders=4 zones=DMA:8,NORMAL:4,HIGHMEM:4 pcp=off";
  const std::string block = "p0 = alloc_pages(order=1, gfp=0)\n";
  const std::string compound = "p0 = alloc_pages(order=1, gfp=__GFP_COMP)\n";
  struct Case {
    std::string before, step, old_answer, now_answer;
  };
  const Case table[] = {
      {"", "free_at(pfn=16, order=0)", "fault no-such-page", "fault no-such-page"},
      {"", "free_at(pfn=8, order=0)", "fault double-free", "fault double-free"},
      {"", "free_at(pfn=9, order=0)", "fault double-free", "fault double-free"},
      {block, "free_at(pfn=9, order=0)", "fault free-of-tail", "fault free-of-tail"},
      {block, "free_tail(page=p0, index=1)", "fault free-of-tail", "fault free-of-tail"},
      {block, "free_tail(page=p0, index=0)", "fault wrong-order", "fault wrong-order"},
      {block, "__free_page(page=p0)", "fault wrong-order", "fault wrong-order"},
      {block, "__free_pages(page=p0, order=2)", "fault wrong-order", "fault wrong-order"},
      {compound, "__free_pages(page=p0, order=0)", "fault wrong-order", "fault wrong-order"},
      {block, "free_at(pfn=8, order=1)", "ok", "ok"},
      {block + "free_pages(page=p0)\n", "free_stale(page=p0)", "fault double-free",
       "fault double-free"},
      {block, "put_page(page=p0, index=1)", "fault unreferenced", "fault unreferenced"},
      {block, "get_page(page=p0, index=1)", "fault unreferenced", "fault unreferenced"},
      {compound, "get_page(page=p0, index=1)", "ok", "ok"},
      {block, "put_page(page=p0, index=0)", "fault wrong-order", "fault wrong-order"},
      {compound, "put_page(page=p0, index=1)", "ok", "ok"},
      {compound, "split_page(page=p0, first=p1)", "fault compound-page", "fault compound-page"},
      {block + "set_page_flags(page=p0, flags=PG_locked)\n", "free_pages(page=p0)",
       "fault bad-page", "fault bad-page"},
      {block + "set_page_flags(page=p0, flags=PG_dirty)\n", "free_pages(page=p0)", "ok", "ok"},
      {block + "set_page_mapcount(page=p0, count=1)\n", "free_pages(page=p0)", "fault bad-page",
       "fault bad-page"},
      {"", "p0 = alloc_page(gfp=__GFP_DMA|__GFP_HIGHMEM)", "fault bad-zone-modifiers",
       "fault bad-zone-modifiers"},
      {"", "p0 = alloc_page(gfp=__GFP_HIGHMEM|__GFP_ZERO)", "fault zero-highmem-atomic", "pfn 12"},
      {"", "p0 = __get_free_page(gfp=__GFP_HIGHMEM)", "fault highmem-address", "pfn 8"},
      {"", "p0 = get_zeroed_page(gfp=__GFP_HIGHMEM)", "fault highmem-address", "pfn 8"},
      {"irq_enter()\n", "p0 = alloc_page(gfp=GFP_KERNEL)", "fault sleeping-in-atomic",
       "fault sleeping-in-atomic"},
      {"irq_enter()\n", "p0 = alloc_page(gfp=GFP_ATOMIC)", "pfn 8", "pfn 8"},
      {"local_irq_disable()\n", "p0 = alloc_pages(order=9, gfp=GFP_KERNEL)", "refused", "refused"},
      {"", "free_pages_null()", "ok", "ok"},
  };
  for (const Case& c : table) {
    for (const bool is_old : {true, false}) {
      Scene s(is_old ? old : now, Judging::everything());
      s.run(c.before);
      EXPECT_EQ(s.answer(c.step), is_old ? c.old_answer : c.now_answer)
          << c.before << c.step << (is_old ? " in 2.6.11" : " in 6.1");
      s.expect_right();
    }
  }
}

TEST(World, knows_which_misuse_loses_pages_and_which_frees_them) {
  const auto left_after = [](const std::string& line, const std::string& steps) {
    Scene s(line, Judging::everything());
    s.run("p0 = alloc_pages(order=2, gfp=0)\n" + steps);
    s.expect_right();
    return s.world().oracle().unowned(0);
  };
  const std::string locked = "set_page_flags(page=p0, flags=PG_locked)\n";
  EXPECT_EQ(left_after(tiny, "free_pages(page=p0)"), 8u);
  EXPECT_EQ(left_after(tiny, locked + "free_pages(page=p0)"), 4u);      // leaked (B-36)
  EXPECT_EQ(left_after(tiny_old, locked + "free_pages(page=p0)"), 8u);  // freed anyway
  EXPECT_EQ(left_after(tiny, "__free_page(page=p0)"), 5u);              // the tail is lost
  EXPECT_EQ(left_after(tiny, "__free_pages(page=p0, order=7)"), 4u);    // all is lost
  EXPECT_EQ(left_after(tiny, "get_page(page=p0, index=0)\nfree_pages(page=p0)"), 7u);  // B-33
}

// --- what it shows ----------------------------------------------------------------------------

TEST(World, a_digest_tells_states_and_events_apart) {
  Scene taken(tiny), newborn(tiny);
  taken.run("p0 = alloc_page(gfp=0)");
  EXPECT_NE(taken.world().digest(), newborn.world().digest());
  const Judging unstamped{.stamps = Stamps::none};
  Scene plain(tiny, unstamped), busy(tiny, unstamped);
  busy.run("p0 = alloc_page(gfp=0)\nfree_pages(page=p0)");
  EXPECT_EQ(plain.machine().arena, busy.machine().arena);
  const auto a = plain.world().digest(), b = busy.world().digest();  // pages were counted
  EXPECT_NE(a.low, b.low);
  EXPECT_NE(a.high, b.high);
}

TEST(World, the_picture_shows_each_kind_of_frame) {
  Scene s("era=linux-6.1 page=64 orders=3 zones=NORMAL:16 reserved=15-15");
  s.run(
      "p0 = alloc_pages(order=2, gfp=0)\np1 = alloc_page(gfp=0)\np2 = alloc_page(gfp=0)\n"
      "free_pages(page=p2)\nset_page_flags(page=p1, flags=PG_locked)\nfree_pages(page=p1)");
  const std::string picture = s.world().picture();
  for (const char c : {'2', '-', 'L', 'c', '.', 'R'})
    EXPECT_NE(picture.substr(picture.find('\n'), 30).find(c), std::string::npos) << c << picture;
}

}  // namespace
}  // namespace props::buddy
