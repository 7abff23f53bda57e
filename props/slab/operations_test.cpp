// Pins the operations of the layer: names and codes stay for ever, for stored traces name them.
#include "props/slab/operations.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "props/core/random.hpp"
#include "props/core/trace.hpp"

namespace props::slab {
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
    {"kmem_cache_create", 64},
    {"kmem_cache_destroy", 65},
    {"kmem_cache_shrink", 66},
    {"kmem_cache_size", 67},
    {"kmem_cache_alloc", 68},
    {"kmem_cache_alloc_node", 69},
    {"kmem_cache_alloc_bulk", 70},
    {"kmem_cache_free_bulk", 71},
    {"kmem_cache_free", 72},
    {"touch_object", 73},
    {"free_stale_object", 74},
    {"free_to_wrong_cache", 75},
    {"free_interior", 76},
    {"overrun", 77},
    {"write_after_free", 78},
    {"cache_reap", 79},
    {"rcu_grace_period", 80},
    {"slabinfo", 81},
    {"pass_time", 82},
    {"slabinfo_write", 83},
};

TEST(Operations, names_and_codes_are_the_pinned_ones) {
  std::map<std::string_view, int> actual;
  any_alternative<Operation>([&](auto op) {
    EXPECT_TRUE(actual.try_emplace(op.name, op.code).second) << op.name;
    EXPECT_TRUE(op.help.ends_with('.')) << op.name;
    return false;
  });
  EXPECT_EQ(actual, pinned);
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
  for (const std::string line :
       {"c15 = kmem_cache_create(name=longest, size=18446744073709551615, align=1048576, "
        "flags=SLAB_HWCACHE_ALIGN|SLAB_PANIC, ctor=3)",
        "c0 = kmem_cache_create(name=NULL, size=0, align=0, flags=0, ctor=0)",
        "kmem_cache_destroy(cache=c0)",
        "kmem_cache_shrink(cache=c1)",
        "kmem_cache_size(cache=c2)",
        "o63 = kmem_cache_alloc(cache=c0, gfp=GFP_KERNEL)",
        "o0 = kmem_cache_alloc_node(cache=c0, gfp=GFP_ATOMIC, node=3)",
        "kmem_cache_alloc_bulk(first=o1, count=64, cache=c0, gfp=0)",
        "kmem_cache_free_bulk(first=o1, count=63)",
        "kmem_cache_free(object=o1)",
        "touch_object(object=o1)",
        "free_stale_object(object=o1)",
        "free_to_wrong_cache(object=o1, cache=c15)",
        "free_interior(object=o1, offset=8)",
        "overrun(object=o1, offset=4294967295)",
        "write_after_free(object=o1, offset=0)",
        "cache_reap()",
        "rcu_grace_period()",
        "slabinfo()",
        "pass_time(ticks=4095)",
        "slabinfo_write(name=with_space, limit=1023, batch=1, shared=0)"}) {
    const auto read = OperationScanner(line, EraId::linux_6_1).read<Operation>();
    ASSERT_TRUE(read) << line << ": " << read.error().what << "; " << read.error().expected;
    EXPECT_EQ(print_operation(*read, EraId::linux_6_1), line);
  }
}

TEST(Operations, there_are_sixteen_registers_of_caches) {
  const auto read =
      OperationScanner("kmem_cache_shrink(cache=c16)", EraId::linux_6_1).read<Operation>();
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().expected, "a register c0 to c15");
}

TEST(CacheName, words_are_names_that_the_call_is_told) {
  std::set<std::string_view> words;
  for (const CacheNameText& name : cache_names) {
    EXPECT_TRUE(words.insert(name.word).second) << name.word;
    EXPECT_EQ(name.word.find_first_of(" ,()="), name.word.npos) << name.word;
  }
  EXPECT_FALSE(CacheName::parse("NULL", EraId::linux_6_1)->told());
  EXPECT_EQ(CacheName::parse("with_space", EraId::linux_6_1)->told(), "with space");
  EXPECT_FALSE(CacheName::parse("nobody", EraId::linux_6_1));
}

}  // namespace
}  // namespace props::slab
