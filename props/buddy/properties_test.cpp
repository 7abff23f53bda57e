// Every property holds of generated traces, and none is idle. `allocheck check` asks longer.
#include "props/buddy/properties.hpp"

#include <gtest/gtest.h>

#include <set>

#include "props/buddy/layer.hpp"
#include "props/core/cases.hpp"

namespace props::buddy {
namespace {

using Trace = Layer::Trace;

Trace trace_of(const CaseSeed& one) {
  return draw_trace<Layer>(one, [](const Trace&) {});
}

class Properties : public testing::TestWithParam<std::size_t> {};

TEST_P(Properties, hold) {
  const Property& property = properties()[GetParam()];
  std::uint64_t asked = 0;
  const auto holds = [&](const CaseSeed& one) {
    const Trace trace = trace_of(one);
    const Newborn newborn(trace.machine);
    const Verdict verdict = property.judge(property.rule, newborn, trace, [](std::size_t) {});
    asked += verdict.asked;
    if (const auto& v = verdict.violation)
      ADD_FAILURE() << property.rule.sentence << "\n"
                    << v->rule->id << " at step " << v->step + 1 << ": expected " << v->expected
                    << ", actual " << v->actual << "\n"
                    << v->picture << print_trace(trace);
    return !verdict.violation;
  };
  EXPECT_EQ(check_cases(seed_of_property(1, property.rule.id, 0), 30, holds), 30u);
  EXPECT_GE(asked, 10u) << property.rule.sentence << " was hardly put to the test";
}

std::string name_of_property(const testing::TestParamInfo<std::size_t>& info) {
  std::string name(properties()[info.param].rule.sentence);
  std::erase_if(name, [](char c) { return c == ',' || c == '.' || c == '\''; });
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, Properties, testing::Range(std::size_t{0}, properties().size()),
                         name_of_property);

TEST(PropertyList, names_are_sentences_and_ids_are_told_apart_from_those_of_rules) {
  std::set<std::string_view> ids, sentences;
  for (const Property& p : properties()) {
    EXPECT_TRUE(p.rule.id.starts_with("PROP-")) << p.rule.id;
    EXPECT_TRUE(ids.insert(p.rule.id).second) << p.rule.id;
    EXPECT_TRUE(sentences.insert(p.rule.sentence).second) << p.rule.sentence;
    EXPECT_TRUE(p.rule.sentence.ends_with('.')) << p.rule.sentence;
    EXPECT_EQ(p.rule.layer, Layer::name);
    EXPECT_EQ(find_rule(rules(), p.rule.id), nullptr);
  }
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
    EXPECT_EQ(print_trace(trace_of(cases[i])), print_trace(trace_of(cases_of(7, 50)[i])));
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
