// Every property holds of generated traces, and none is idle. `allocheck check` asks longer.
#include "props/buddy/properties.hpp"

#include <gtest/gtest.h>

#include <set>

#include "props/buddy/layer.hpp"
#include "props/core/property_tests.hpp"

namespace props::buddy {
namespace {

using Trace = Layer::Trace;

class Properties : public testing::TestWithParam<std::size_t> {};

TEST_P(Properties, hold) { expect_holds<Layer>(properties()[GetParam()], 30, 10); }

INSTANTIATE_TEST_SUITE_P(All, Properties, testing::Range(std::size_t{0}, properties().size()),
                         name_of_property<Layer>);

TEST(PropertyList, names_are_sentences_and_ids_are_told_apart_from_those_of_rules) {
  expect_told_apart<Layer>();
}

// --- the cases --------------------------------------------------------------------------------

std::vector<CaseSeed> cases_of(std::uint64_t seed, std::uint64_t runs) {
  std::vector<CaseSeed> all;
  check_cases(seed, runs, [&](const CaseSeed& one) {
    all.push_back(one);
    return true;
  });
  return all;
}

TEST(Cases, one_seed_draws_the_same_cases_and_another_draws_others) {
  const auto cases = cases_of(7, 50);
  EXPECT_EQ(cases.size(), 50u);
  EXPECT_EQ(cases, cases_of(7, 50));
  EXPECT_NE(cases, cases_of(8, 50));
  for (std::size_t i = 0; i < 5; ++i)
    EXPECT_EQ(print_trace(trace_of<Layer>(cases[i])),
              print_trace(trace_of<Layer>(cases_of(7, 50)[i])));
}

// What RapidCheck draws without the nominal size is small at first, and often its least.
TEST(Cases, seeds_and_lengths_are_spread_evenly_from_the_first_case_on) {
  std::array<unsigned, 4> lengths{}, seeds{};
  constexpr unsigned runs = 400;
  for (const CaseSeed& one : cases_of(3, runs)) {
    ASSERT_GE(one.steps, case_steps_min);
    ASSERT_LE(one.steps, case_steps_max);
    ++lengths[(one.steps - case_steps_min) * 4 / (case_steps_max - case_steps_min + 1)];
    ++seeds[one.seed >> 62];
  }
  for (std::size_t quarter = 0; quarter < 4; ++quarter) {
    EXPECT_GT(lengths[quarter], runs / 4 * 6 / 10) << quarter;  // six deviations below the mean
    EXPECT_GT(seeds[quarter], runs / 4 * 6 / 10) << quarter;
  }
}

TEST(Cases, the_first_no_is_the_last_question) {
  unsigned asked = 0;
  EXPECT_EQ(check_cases(1, 100, [&](const CaseSeed&) { return ++asked < 5; }), 4u);
  EXPECT_EQ(asked, 5u);
}

TEST(Cases, a_property_draws_the_same_whatever_is_checked_beside_it) {
  std::set<std::uint64_t> seeds;
  for (const Property& p : properties())
    for (const std::uint64_t round : {0u, 1u})
      EXPECT_TRUE(seeds.insert(seed_of_property(5, p.rule.id, round)).second) << p.rule.id;
}

TEST(Cases, a_drawn_trace_is_told_before_each_of_its_steps_runs) {
  std::vector<std::size_t> told;
  const Trace trace =
      draw_trace<Layer>({5, 20}, [&](const Trace& t) { told.push_back(t.steps.size()); });
  ASSERT_EQ(told.size(), trace.steps.size() + 1);
  for (std::size_t i = 0; i < told.size(); ++i) EXPECT_EQ(told[i], i);
}

}  // namespace
}  // namespace props::buddy
