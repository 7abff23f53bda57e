// Mutation reaches everything, breaks nothing, and repeats by its seed.
#include "fuzz/engine/mutate.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "fuzz/engine/toy_layer.hpp"
#include "props/buddy/layer.hpp"

namespace fuzz {
namespace {

using Buddy = props::buddy::Layer;
using Bytes = std::vector<std::uint8_t>;

template <class L>
typename L::Trace parsed(std::string_view text) {
  auto trace = props::parse_trace<typename L::Operation>(text);
  REQUIRE(trace.has_value());
  return *trace;
}
template <class L>
typename L::Trace decoded(const Bytes& bytes) {
  return props::decode_trace<typename L::Operation>(bytes);
}

Buddy::Trace some_trace() {
  return parsed<Buddy>(
      "allocheck 1\nmachine era=linux-2.6.11 zones=DMA:16,NORMAL:64 cpus=2 reserved=0-1\n"
      "p0 = alloc_pages(order=3, gfp=GFP_KERNEL|__GFP_NOWARN)\n"
      "cpu(id=1)\n"
      "@buddy.pcp.locked p1 = alloc_page(gfp=GFP_HIGHUSER)\n"
      "p2 = alloc_pages_exact(bytes=5000, gfp=GFP_ATOMIC)\n"
      "free_pages(page=p0)\nend\n");
}

template <class L>
void expect_canonical(const typename L::Trace& trace) {
  const Bytes bytes = props::encode_trace(trace);
  EXPECT_EQ(props::encode_trace(decoded<L>(bytes)), bytes);
  const std::string text = props::print_trace(trace);
  const auto again = props::parse_trace<typename L::Operation>(text);
  ASSERT_TRUE(again.has_value()) << text;
  EXPECT_EQ(props::encode_trace(*again), bytes) << text;
}

TEST(Mutate, WhatComesOutIsCanonicalHoweverOftenItIsMutated) {
  Mutator<Buddy> mutator;
  Random random(1);
  Buddy::Trace trace = some_trace();
  for (int i = 0; i < 3000; ++i) {
    mutator.mutate(trace, random, 600);
    expect_canonical<Buddy>(trace);
    ASSERT_FALSE(HasFailure()) << i;
  }
}

TEST(Mutate, EveryKindOfMutationIsReached) {
  Mutator<Buddy> mutator;
  Random random(2);
  Buddy::Trace trace = some_trace();
  for (int i = 0; i < 3000; ++i) mutator.mutate(trace, random, 600);
  for (std::size_t i = 0; i < mutation_names.size(); ++i)
    EXPECT_GT(mutator.applied()[i], 10u) << mutation_names[i];
}

TEST(Mutate, EveryOperationEveryEraAndArmedStepsTurnUp) {
  Mutator<Buddy> mutator;
  Random random(3);
  std::set<std::size_t> operations, eras;
  std::size_t armed = 0;
  for (int i = 0; i < 3000; ++i) {
    Buddy::Trace trace = some_trace();
    mutator.mutate(trace, random, 600);
    eras.insert(static_cast<std::size_t>(trace.machine.era));
    for (const auto& step : trace.steps)
      operations.insert(step.op.index()), armed += step.at ? 1u : 0u;
  }
  EXPECT_EQ(operations.size(), std::variant_size_v<Buddy::Operation>);
  EXPECT_EQ(eras.size(), ref::core::era_count);
  EXPECT_GT(armed, 0u);
}

TEST(Mutate, OneSeedIsOneResult) {
  const auto mutant = [](std::uint64_t seed) {
    Mutator<Buddy> mutator;
    Random random(seed);
    Buddy::Trace trace = some_trace();
    for (int i = 0; i < 20; ++i) mutator.mutate(trace, random, 4000);
    return props::encode_trace(trace);
  };
  std::set<Bytes> different;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    EXPECT_EQ(mutant(seed), mutant(seed));
    different.insert(mutant(seed));
  }
  EXPECT_EQ(different.size(), 50u);
}

// A mutator that has been used before must not remember it.
TEST(Mutate, WhatWasMutatedBeforeDoesNotMatter) {
  Mutator<Buddy> fresh, used;
  Random noise(9);
  Buddy::Trace other = some_trace();
  for (int i = 0; i < 100; ++i) used.mutate(other, noise, 4000);
  Buddy::Trace a = some_trace(), b = some_trace();
  Random left(5), right(5);
  fresh.mutate(a, left, 4000);
  used.mutate(b, right, 4000);
  EXPECT_EQ(props::encode_trace(a), props::encode_trace(b));
}

TEST(Mutate, NothingIsLongerThanWasAsked) {
  Mutator<Buddy> mutator;
  Random random(4);
  const Bytes machine = props::encode_trace(Buddy::Trace{some_trace().machine, {}, {}, {}});
  for (std::size_t most = 16; most < 200; ++most) {
    for (int i = 0; i < 20; ++i) {
      Buddy::Trace trace = some_trace();
      mutator.mutate(trace, random, most);
      EXPECT_LE(props::encode_trace(trace).size(), most);
      Buddy::Trace child;
      mutator.cross_over(some_trace(), trace, child, random, most);
      EXPECT_LE(props::encode_trace(child).size(), most);
    }
  }
  // There is no machine of so few bytes.
  Buddy::Trace trace = some_trace();
  mutator.mutate(trace, random, 3);
  EXPECT_TRUE(trace.steps.empty());
  expect_canonical<Buddy>(trace);
  EXPECT_GT(machine.size(), 16u);
}

TEST(Mutate, ATraceWithoutStepsGrows) {
  Mutator<toy::Layer> mutator;
  Random random(6);
  auto trace = parsed<toy::Layer>(toy::trace_text(""));
  for (int i = 0; i < 50; ++i) mutator.mutate(trace, random, 4000);
  EXPECT_FALSE(trace.steps.empty());
}

// ---- from any trace to any other

std::size_t difference(std::uint64_t x, std::uint64_t y, std::uint64_t most) {
  return std::min(std::max(x, y) - std::min(x, y), most);
}

// Every field counts, or the search would drift away in those that do not.
std::size_t distance(const ref::core::Config& a, const ref::core::Config& b) {
  std::size_t sum = difference(a.zone_count, b.zone_count, 99) * 50;
  sum += difference(a.reserved_count, b.reserved_count, 99) * 50;
  const auto differ = [&](const auto& x, const auto& y) { sum += x == y ? 0u : 5u; };
  differ(a.era, b.era), differ(a.page_bytes, b.page_bytes), differ(a.orders, b.orders);
  differ(a.nodes, b.nodes), differ(a.cpus, b.cpus), differ(a.pcp, b.pcp);
  differ(a.min_free_kbytes, b.min_free_kbytes);
  differ(a.lowmem_reserve_ratio, b.lowmem_reserve_ratio);
  for (std::size_t i = 0; i < std::min(a.zone_count, b.zone_count); ++i) {
    differ(a.zones[i].kind, b.zones[i].kind), differ(a.zones[i].node, b.zones[i].node);
    sum += difference(a.zones[i].first, b.zones[i].first, 9);
    sum += difference(a.zones[i].pages, b.zones[i].pages, 9);
  }
  for (std::size_t i = 0; i < std::min(a.reserved_count, b.reserved_count); ++i)
    differ(a.reserved[i], b.reserved[i]);
  return sum;
}

std::size_t distance(const toy::Layer::Trace& a, const toy::Layer::Trace& b) {
  std::size_t sum =
      distance(a.machine, b.machine) + difference(a.steps.size(), b.steps.size(), 99) * 50;
  for (std::size_t i = 0; i < std::min(a.steps.size(), b.steps.size()); ++i) {
    const std::string x = props::print_step(a.steps[i], a.machine.era);
    const std::string y = props::print_step(b.steps[i], b.machine.era);
    sum += difference(x.size(), y.size(), 99);
    for (std::size_t c = 0; c < std::min(x.size(), y.size()); ++c) sum += x[c] != y[c];
  }
  return sum;
}

// Takes a mutant whenever it is no further away.
bool reaches(const toy::Layer::Trace& from, const toy::Layer::Trace& to) {
  Mutator<toy::Layer> mutator;
  Random random(7);
  toy::Layer::Trace best = from, trace;
  std::size_t left = distance(best, to);
  for (int i = 0; i < 60'000 && left > 0; ++i) {
    trace = best;
    mutator.mutate(trace, random, 4000);
    const std::size_t now = distance(trace, to);
    if (now <= left) best = trace, left = now;
  }
  return left == 0;
}

TEST(Mutate, EverySmallTraceLeadsToEveryOther) {
  const std::vector<toy::Layer::Trace> traces{
      parsed<toy::Layer>(toy::trace_text("")),
      parsed<toy::Layer>(toy::trace_text("p0 = put(value=7)\np63 = put(value=1000)\n")),
      parsed<toy::Layer>(toy::trace_text("take(page=p9)\n@buddy.pcp.locked noise(loud=200)\n")),
      parsed<toy::Layer>(
          toy::trace_text("noise(loud=31)\n", "era=linux-2.6.11 zones=DMA:16,NORMAL@20:8 pcp=off")),
      parsed<toy::Layer>(toy::trace_text("die(way=5)\ntake(page=p0)\np0 = put(value=513)\n",
                                         "era=linux-6.1 orders=3 zones=NORMAL:8 cpus=2")),
  };
  for (std::size_t from = 0; from < traces.size(); ++from)
    for (std::size_t to = 0; to < traces.size(); ++to)
      EXPECT_TRUE(reaches(traces[from], traces[to])) << from << " to " << to;
}

TEST(Mutate, EveryFieldOfTheMachineChanges) {
  const ref::core::Config machine = *props::parse_machine(
      "era=linux-6.1 nodes=2 zones=DMA@8:16,NORMAL:64,NORMAL/1:8 reserved=9-9");
  std::map<std::string, int> changed;
  Random random(8);
  for (int i = 0; i < 6000; ++i) {
    ref::core::Config c = machine;
    if (!mutate_machine(c, random, {.objects = true, .windows = true})) continue;
    EXPECT_FALSE(validate(c).has_value()) << props::print_machine(c);
    changed["era"] += c.era != machine.era;
    changed["page"] += c.page_bytes != machine.page_bytes;
    changed["orders"] += c.orders != machine.orders;
    changed["more nodes"] += c.nodes > machine.nodes;
    changed["cpus"] += c.cpus != machine.cpus;
    changed["fewer zones"] += c.zone_count < machine.zone_count;
    changed["more zones"] += c.zone_count > machine.zone_count;
    changed["start"] += c.zones[0].first != machine.zones[0].first;
    changed["pages"] += c.zones[1].pages != machine.zones[1].pages;
    changed["kind"] += c.zones[1].kind != machine.zones[1].kind;
    changed["node"] += c.zones[1].node != machine.zones[1].node;
    changed["fewer reserved"] += c.reserved_count < machine.reserved_count;
    changed["more reserved"] += c.reserved_count > machine.reserved_count;
    changed["min_free_kbytes"] += c.min_free_kbytes.has_value();
    changed["lowmem_reserve_ratio"] += c.lowmem_reserve_ratio.has_value();
    changed["pcp"] += c.pcp != machine.pcp;
    changed["cache_line"] += c.cache_line != machine.cache_line;
    changed["slab_debug"] += c.slab_debug != machine.slab_debug;
    changed["slab_merge"] += c.slab_merge != machine.slab_merge;
    changed["pkmap"] += c.pkmap != machine.pkmap;
    changed["vmalloc"] += c.vmalloc != machine.vmalloc;
  }
  for (const auto& [field, count] : changed) EXPECT_GT(count, 5) << field;
}

TEST(Mutate, RowsKeepTheKeysThatMeanNothingToThem) {
  const ref::core::Config machine = *props::parse_machine("era=linux-6.1 zones=NORMAL:64");
  Random random(8);
  for (int i = 0; i < 2000; ++i) {
    ref::core::Config c = machine;
    mutate_machine(c, random);
    EXPECT_EQ(c.cache_line, machine.cache_line);
    EXPECT_EQ(c.slab_debug, machine.slab_debug);
    EXPECT_EQ(c.slab_merge, machine.slab_merge);
    EXPECT_FALSE(c.has_window());
  }
}

// ---- two parents

toy::Layer::Trace puts(std::uint64_t value, int count) {
  std::string steps;
  for (int i = 0; i < count; ++i)
    steps += "p" + std::to_string(i) + " = put(value=" + std::to_string(value) + ")\n";
  return parsed<toy::Layer>(toy::trace_text(steps));
}

TEST(CrossOver, AChildHasStepsOfBothAndNoOthers) {
  Mutator<toy::Layer> mutator;
  Random random(10);
  const auto a = puts(1, 12), b = puts(2, 9);
  const int children = 400;
  int mixed = 0;
  for (int i = 0; i < children; ++i) {
    toy::Layer::Trace child;
    mutator.cross_over(a, b, child, random, 4000);
    std::array<std::size_t, 3> of{};
    for (const auto& step : child.steps) ++of.at(std::get<toy::Put>(step.op).value.value);
    EXPECT_EQ(of[0], 0u);
    EXPECT_LE(of[1], 12u);
    EXPECT_LE(of[2], 9u);
    mixed += of[1] > 0 && of[2] > 0;
    expect_canonical<toy::Layer>(child);
  }
  EXPECT_EQ(mixed, children);
  for (std::size_t i = 0; i < crossing_names.size(); ++i)
    EXPECT_GT(mutator.crossed()[i], 20u) << crossing_names[i];
}

TEST(CrossOver, ParentsOfDifferentErasHaveACanonicalChild) {
  Mutator<Buddy> mutator;
  Random random(11);
  const Buddy::Trace a = some_trace();
  const auto b = parsed<Buddy>(
      "allocheck 1\nmachine era=linux-6.1 zones=NORMAL:64\n"
      "p0 = alloc_page(gfp=GFP_KERNEL|__GFP_ACCOUNT)\nend\n");
  std::set<ref::core::EraId> eras;
  for (int i = 0; i < 200; ++i) {
    Buddy::Trace child;
    mutator.cross_over(a, b, child, random, 4000);
    expect_canonical<Buddy>(child);
    eras.insert(child.machine.era);
  }
  EXPECT_EQ(eras.size(), 2u);
}

TEST(CrossOver, AnEmptyParentDoesNoHarm) {
  Mutator<toy::Layer> mutator;
  Random random(12);
  const auto none = parsed<toy::Layer>(toy::trace_text("")), some = puts(1, 3);
  for (int i = 0; i < 100; ++i) {
    toy::Layer::Trace child;
    mutator.cross_over(none, none, child, random, 4000);
    EXPECT_TRUE(child.steps.empty());
    mutator.cross_over(none, some, child, random, 4000);
    EXPECT_LE(child.steps.size(), 3u);
    mutator.cross_over(some, none, child, random, 4000);
    EXPECT_GE(child.steps.size(), 1u);
  }
}

}  // namespace
}  // namespace fuzz
