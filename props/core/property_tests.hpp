// property_tests: what is tested of each row's list of properties: all hold, none is idle, names
// and ids tell them apart, and a fault that is planted in the calls falsifies the one that is for
// it.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "props/core/cases.hpp"
#include "props/core/property.hpp"

namespace props {

template <class L>
typename L::Trace trace_of(const CaseSeed& one) {
  return draw_trace<L>(one, [](const typename L::Trace&) {});
}

template <class L>
void expect_holds(const Property<typename L::Newborn, typename L::Operation>& p, std::uint64_t runs,
                  std::uint64_t asked_at_least) {
  std::uint64_t asked = 0;
  const auto holds = [&](const CaseSeed& one) {
    const auto trace = trace_of<L>(one);
    const typename L::Newborn newborn(trace.machine);
    const Verdict verdict = p.judge(p.rule, newborn, trace, [](std::size_t) {});
    asked += verdict.asked;
    if (const auto& v = verdict.violation)
      ADD_FAILURE() << p.rule.sentence << "\n"
                    << v->rule->id << " at step " << v->step + 1 << ": expected " << v->expected
                    << ", actual " << v->actual << "\n"
                    << v->picture << print_trace(trace);
    return !verdict.violation;
  };
  EXPECT_EQ(check_cases(seed_of_property(1, p.rule.id, 0), runs, holds), runs);
  EXPECT_GE(asked, asked_at_least) << p.rule.sentence << " was hardly put to the test";
}

// A test's name from the property's.
template <class L>
std::string name_of_property(const testing::TestParamInfo<std::size_t>& info) {
  std::string name(L::properties()[info.param].rule.sentence);
  std::erase_if(name, [](char c) { return c == ',' || c == '.' || c == '\''; });
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

template <class L>
void expect_told_apart() {
  std::set<std::string_view> ids, sentences;
  for (const auto& p : L::properties()) {
    EXPECT_TRUE(p.rule.id.starts_with("PROP-")) << p.rule.id;
    EXPECT_TRUE(ids.insert(p.rule.id).second) << p.rule.id;
    EXPECT_TRUE(sentences.insert(p.rule.sentence).second) << p.rule.sentence;
    EXPECT_TRUE(p.rule.sentence.ends_with('.')) << p.rule.sentence;
    EXPECT_EQ(p.rule.layer, L::name);
    EXPECT_EQ(find_rule(L::rules(), p.rule.id), nullptr);
  }
}

// A fault in the calls that a case makes.
template <class Case>
struct PlantedFault {
  std::string_view property;
  void (*ask)(Case&);
  void (*plant)(decltype(Case::calls)&);
};

// The trace says nothing against the property as long as the calls are sound.
template <class L, class Case>
void expect_falsified(const PlantedFault<Case>& fault, std::string_view text) {
  const auto trace = parse_trace<typename L::Operation>(text);
  ASSERT_TRUE(trace) << trace.error().what;
  const auto known =
      std::ranges::find(L::properties(), fault.property, [](const auto& p) { return p.rule.id; });
  ASSERT_NE(known, L::properties().end()) << fault.property;
  const typename L::Newborn newborn(trace->machine);
  const Tick tick = [](std::size_t) {};
  Case sound(known->rule, newborn, *trace, tick), faulty(known->rule, newborn, *trace, tick);
  fault.ask(sound);
  const Verdict good = std::move(sound).verdict();
  EXPECT_GT(good.asked, 0u) << fault.property;
  EXPECT_FALSE(good.violation) << fault.property << ": " << good.violation->actual;
  fault.plant(faulty.calls);
  fault.ask(faulty);
  const Verdict bad = std::move(faulty).verdict();
  ASSERT_TRUE(bad.violation) << fault.property << " " << known->rule.sentence;
  EXPECT_EQ(bad.violation->rule, &known->rule) << bad.violation->rule->id;
  EXPECT_NE(bad.violation->expected, bad.violation->actual);
}

}  // namespace props
