// Cases are drawn and judged in children; what falsifies a property is replayed and minimized by
// it.
#include <gtest/gtest.h>

#include "fuzz/engine/row.hpp"
#include "fuzz/engine/toy_layer.hpp"

namespace fuzz {
namespace {

struct Verdict {
  std::uint64_t asked = 0;
  std::optional<props::Violation> violation;
};
using Tick = std::function<void(std::size_t)>;
struct Property {
  props::Rule rule;
  Verdict (*judge)(const props::Rule&, const toy::Newborn&, const toy::Layer::Trace&, const Tick&);
};

std::size_t puts_of(const toy::Layer::Trace& trace) {
  std::size_t puts = 0;
  for (const auto& step : trace.steps) puts += std::holds_alternative<toy::Put>(step.op) ? 1u : 0u;
  return puts;
}

// True of every trace.
Verdict nothing_is_wrong(const props::Rule&, const toy::Newborn&, const toy::Layer::Trace& trace,
                         const Tick&) {
  return {trace.steps.size(), {}};
}

// False of most traces; the world breaks no rule.
Verdict at_most_two_puts(const props::Rule& rule, const toy::Newborn&,
                         const toy::Layer::Trace& trace, const Tick&) {
  Verdict verdict{1, {}};
  if (puts_of(trace) > 2)
    verdict.violation = props::Violation{&rule, trace.steps.size(), "two", "more", ""};
  return verdict;
}

Verdict dies_at_the_fourth_step(const props::Rule&, const toy::Newborn&,
                                const toy::Layer::Trace& trace, const Tick& tick) {
  for (std::size_t i = 0; i < trace.steps.size(); ++i) {
    tick(i);
    if (i == 3) toy::die(toy::by_abort);
  }
  return {1, {}};
}

constexpr props::Rule named(std::string_view id) {
  return {id, "toy", "A sentence.", "", "", "", props::Cost::linear, props::Scope::run};
}
constexpr std::array list{Property{named("PROP-TRUE"), nothing_is_wrong},
                          Property{named("PROP-PUTS"), at_most_two_puts},
                          Property{named("PROP-DIES"), dies_at_the_fourth_step}};

struct Layer : toy::Layer {
  static std::span<const Property> properties() { return list; }
};

CheckResult check_toy(std::string id, std::uint64_t seed = 1) {
  toy::draws_pairs = false;
  return check<Layer>({.property = std::move(id), .seed = seed, .runs = 30, .stop = {}});
}

TEST(Check, cases_that_hold_are_counted_with_what_they_asked) {
  const CheckResult result = check_toy("PROP-TRUE");
  EXPECT_EQ(result.cases, 30u);
  EXPECT_GE(result.asked, 30 * props::case_steps_min);
  EXPECT_FALSE(result.falsified || result.stopped);
  EXPECT_EQ(check_toy("PROP-TRUE").asked, result.asked);
  EXPECT_NE(check_toy("PROP-TRUE", 2).asked, result.asked);
}

TEST(Check, a_wish_to_stop_is_heard_before_the_next_case) {
  int asked = 0;
  const CheckResult result =
      check<Layer>({.property = "PROP-TRUE", .runs = 30, .stop = [&] { return ++asked > 4; }});
  EXPECT_TRUE(result.stopped);
  EXPECT_EQ(result.cases, 4u);
}

TEST(Check, a_death_is_a_result_and_leaves_the_trace) {
  const CheckResult result = check_toy("PROP-DIES");
  ASSERT_TRUE(result.falsified);
  EXPECT_EQ(result.falsified->seen.rule, "RUN-CRASH");
  EXPECT_EQ(result.falsified->seen.step, 3u);
  EXPECT_FALSE(result.falsified->seen.step_text.empty());
  const auto trace = Row<Layer>::parse(result.falsified->trace);
  ASSERT_TRUE(trace);
  EXPECT_GE(trace->steps.size(), props::case_steps_min);
}

TEST(Check, what_only_a_property_sees_is_replayed_and_minimized_by_it) {
  const CheckResult result = check_toy("PROP-PUTS");
  ASSERT_TRUE(result.falsified);
  EXPECT_EQ(result.falsified->seen.rule, "PROP-PUTS");
  const std::string& text = result.falsified->trace;
  EXPECT_EQ(Row<Layer>::run(text, true, RunLimits{})->rule, "PROP-PUTS");
  EXPECT_EQ(Row<toy::Layer>::run(text, true, RunLimits{})->rule, "");  // which has no properties
  EXPECT_EQ(Row<Layer>::run_for(text, "PROP-TRUE", RunLimits{})->rule, "");
  for (const std::string rule : {"", "PROP-PUTS"}) {
    MinimizeOptions options;
    options.rule = rule;
    const auto smaller = Row<Layer>::minimize(text, options);
    ASSERT_TRUE(smaller);
    EXPECT_EQ(smaller->rule, "PROP-PUTS");
    EXPECT_EQ(smaller->steps_after, 3u) << smaller->text;
  }
}

}  // namespace
}  // namespace fuzz
