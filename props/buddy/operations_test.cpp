// Pins the operations of the layer: names and codes stay for ever, for stored traces name them.
#include "props/buddy/operations.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "props/core/random.hpp"
#include "props/core/trace.hpp"

namespace props::buddy {
namespace {

// A line may be added; none may ever change or leave.
const std::map<std::string_view, int> pinned{
    {"alloc_pages", 1},
    {"alloc_page", 2},
    {"__get_free_pages", 3},
    {"__get_free_page", 4},
    {"get_zeroed_page", 5},
    {"__get_dma_pages", 6},
    {"alloc_pages_bulk", 7},
    {"alloc_pages_exact", 8},
    {"split_page", 9},
    {"__free_pages", 10},
    {"__free_page", 11},
    {"free_pages", 12},
    {"free_page", 13},
    {"free_pages_exact", 14},
    {"free_cold_page", 15},
    {"get_page", 16},
    {"put_page", 17},
    {"page_address", 18},
    {"page_count", 19},
    {"drain_all_pages", 20},
    {"drain_local_pages", 21},
    {"free_stale", 22},
    {"free_tail", 23},
    {"free_at", 24},
    {"set_page_private", 26},
    {"set_page_flags", 27},
    {"set_page_mapcount", 28},
    {"scribble_page_flags", 29},
    {"touch", 30},
    {"cpu", 31},
    {"task", 32},
    {"preempt_disable", 33},
    {"preempt_enable", 34},
    {"local_irq_disable", 35},
    {"local_irq_enable", 36},
    {"local_bh_disable", 37},
    {"local_bh_enable", 38},
    {"softirq_enter", 39},
    {"softirq_exit", 40},
    {"irq_enter", 41},
    {"irq_exit", 42},
    {"set_task_flags", 43},
    {"fail_page_alloc", 44},
    {"set_min_free_kbytes", 45},
    {"set_lowmem_reserve_ratio", 46},
    {"set_reclaim_active", 47},
    {"buddyinfo", 48},
    {"zoneinfo", 49},
    {"free_pages_null", 50},
};

TEST(Operations, names_and_codes_are_the_pinned_ones) {
  std::map<std::string_view, int> actual;
  any_alternative<Operation>([&](auto op) {
    EXPECT_TRUE(actual.try_emplace(op.name, op.code).second) << op.name;
    EXPECT_FALSE(op.help.empty()) << op.name;
    EXPECT_TRUE(op.help.ends_with('.')) << op.name;
    return false;
  });
  EXPECT_EQ(actual, pinned);
}

TEST(Operations, a_code_of_no_operation_is_still_some_operation) {
  std::set<std::size_t> met;
  for (unsigned code = 0; code < 256; ++code) {
    const std::vector<std::uint8_t> bytes{static_cast<std::uint8_t>(code)};
    ByteReader from(bytes);
    const auto step = decode_step<Operation>(from, EraId::linux_6_1);
    EXPECT_EQ(step.at.has_value(), code >= 128);
    met.insert(step.op.index());
  }
  EXPECT_EQ(met.size(), std::variant_size_v<Operation>);
}

TEST(Operations, any_bytes_are_a_trace_whose_text_gives_the_same_bytes) {
  Random random(5);
  std::set<std::size_t> met;
  for (int i = 0; i < 1500; ++i) {
    std::vector<std::uint8_t> bytes(random.below(400));
    for (auto& b : bytes) b = static_cast<std::uint8_t>(random.next());
    const auto trace = decode_trace<Operation>(bytes);
    const std::string text = print_trace(trace);
    const auto read = parse_trace<Operation>(text);
    ASSERT_TRUE(read) << text << read.error().line << ": " << read.error().what;
    ASSERT_EQ(print_trace(*read), text);
    ASSERT_EQ(print_trace(decode_trace<Operation>(encode_trace(*read))), text);
    for (const auto& step : trace.steps) met.insert(step.op.index());
  }
  EXPECT_EQ(met.size(), std::variant_size_v<Operation>);
}

// One line of each, as people write them: the spelling of every argument is pinned with it.
TEST(Operations, spell_their_arguments_as_ever) {
  for (const std::string line : {"p0 = alloc_pages(order=3, gfp=GFP_KERNEL)",
                                 "p1 = alloc_page(gfp=0)",
                                 "p2 = __get_free_pages(order=1, gfp=GFP_ATOMIC)",
                                 "p3 = __get_free_page(gfp=GFP_NOWAIT)",
                                 "p4 = get_zeroed_page(gfp=GFP_USER)",
                                 "p5 = __get_dma_pages(order=0, gfp=GFP_NOIO)",
                                 "alloc_pages_bulk(first=p6, count=64, gfp=GFP_NOFS)",
                                 "p7 = alloc_pages_exact(bytes=5000, gfp=GFP_KERNEL)",
                                 "split_page(page=p0, first=p8)",
                                 "__free_pages(page=p0, order=15)",
                                 "__free_page(page=p0)",
                                 "free_pages(page=p0)",
                                 "free_page(page=p0)",
                                 "free_pages_exact(page=p0)",
                                 "free_cold_page(page=p0)",
                                 "get_page(page=p0, index=1023)",
                                 "put_page(page=p0, index=0)",
                                 "page_address(page=p0)",
                                 "page_count(page=p0, index=1)",
                                 "drain_all_pages()",
                                 "drain_local_pages()",
                                 "free_stale(page=p0)",
                                 "free_tail(page=p0, index=1)",
                                 "free_at(pfn=2147483647, order=0)",
                                 "set_page_private(page=p0, value=4294967295)",
                                 "set_page_flags(page=p0, flags=PG_locked|PG_mlocked)",
                                 "set_page_mapcount(page=p0, count=255)",
                                 "scribble_page_flags(pfn=5, flags=0)",
                                 "touch(page=p0)",
                                 "cpu(id=7)",
                                 "task(id=7)",
                                 "preempt_disable()",
                                 "preempt_enable()",
                                 "local_irq_disable()",
                                 "local_irq_enable()",
                                 "local_bh_disable()",
                                 "local_bh_enable()",
                                 "softirq_enter()",
                                 "softirq_exit()",
                                 "irq_enter()",
                                 "irq_exit()",
                                 "set_task_flags(flags=PF_MEMALLOC_NOIO)",
                                 "fail_page_alloc(nth=255)",
                                 "set_min_free_kbytes(kbytes=1048576)",
                                 "set_lowmem_reserve_ratio(zone=DMA/3, ratio=32)",
                                 "set_reclaim_active(zone=NORMAL, on=1)",
                                 "buddyinfo()",
                                 "zoneinfo()",
                                 "free_pages_null()"}) {
    const auto op = OperationScanner(line, EraId::linux_6_1).read<Operation>();
    ASSERT_TRUE(op) << line << ": " << op.error().what;
    EXPECT_EQ(print_operation(*op, EraId::linux_6_1), line);
  }
}

}  // namespace
}  // namespace props::buddy
