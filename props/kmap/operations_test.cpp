// Pins the operations of the layer: names and codes stay for ever, for stored traces name them.
#include "props/kmap/operations.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "props/core/random.hpp"
#include "props/core/trace.hpp"

namespace props::kmap {
namespace {

// A line may be added; none may ever change or leave.
const std::map<std::string_view, int> pinned{
    {"alloc_pages", 1},
    {"free_pages", 12},
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
    {"kmap", 130},
    {"kmap_local_page", 131},
    {"kmap_atomic", 132},
    {"kunmap", 133},
    {"kunmap_stale", 134},
    {"kunmap_atomic", 135},
    {"kunmap_local", 136},
    {"touch_map", 137},
    {"prefetch", 138},
    {"kmap_to_page", 139},
    {"kunmap_atomic_as", 140},
    {"kunmap_page", 141},
    {"page_address", 142},
    {"kmap_flush_unused", 143},
    {"kmap_slot_to_page", 144},
    {"zero_user_segments", 145},
    {"kmap_high_get", 146},
};

TEST(KmapOperations, names_and_codes_are_the_pinned_ones) {
  std::map<std::string_view, int> actual;
  any_alternative<Operation>([&](auto op) {
    EXPECT_TRUE(actual.try_emplace(op.name, op.code).second) << op.name;
    EXPECT_TRUE(op.help.ends_with('.')) << op.name;
    return false;
  });
  EXPECT_EQ(actual, pinned);
}

TEST(KmapOperations, any_bytes_are_a_trace_whose_text_gives_the_same_bytes) {
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
TEST(KmapOperations, spell_their_arguments_as_ever) {
  for (const std::string line : {
           "m63 = kmap(page=p0, index=1023)",
           "m0 = kmap_local_page(page=p63, index=0)",
           "m0 = kmap_atomic(page=p0, index=0, type=KM_TYPE_NR)",
           "m0 = kmap_high_get(page=p0, index=1)",
           "kunmap(map=m0)",
           "kunmap_stale(map=m0)",
           "kunmap_page(page=p0, index=2)",
           "kunmap_atomic(map=m0)",
           "kunmap_atomic_as(map=m0, type=KM_SKB_SUNRPC_DATA)",
           "kunmap_local(map=m0)",
           "touch_map(map=m0)",
           "prefetch(map=m0)",
           "kmap_to_page(map=m0)",
           "page_address(page=p0, index=0)",
           "kmap_slot_to_page(slot=1024)",
           "kmap_flush_unused()",
           "zero_user_segments(page=p0, index=0, start1=0, end1=64, start2=1, end2=65536)",
       }) {
    const auto read = OperationScanner(line, EraId::linux_6_1).read<Operation>();
    ASSERT_TRUE(read) << line << ": " << read.error().what << "; " << read.error().expected;
    EXPECT_EQ(print_operation(*read, EraId::linux_6_1), line);
  }
}

TEST(KmapOperations, a_type_is_one_of_fourteen_words) {
  const auto read =
      OperationScanner("m0 = kmap_atomic(page=p0, index=0, type=KM_USER2)", EraId::linux_2_6_11)
          .read<Operation>();
  ASSERT_FALSE(read);
  EXPECT_TRUE(read.error().expected.starts_with("one of KM_BOUNCE_READ, "));
}

}  // namespace
}  // namespace props::kmap
