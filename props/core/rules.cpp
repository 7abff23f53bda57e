// The rules of running a trace, whatever its layer.
#include <array>

#include "props/core/rule.hpp"

namespace props {
namespace {

constexpr std::array table{
    Rule{
        "STEP-ANSWER", "core", "A step answers what the trace says it must.",
        "answer(step) == the answer written behind ->",
        "A seed or a recorded run is the expectation; a reference that answers otherwise is wrong, "
        "or the trace is.",
        "the trace itself", Cost::constant, Scope::run},
    Rule{"RUN-REQUIRE", "core", "No internal assumption of the subject breaks.",
         "no REQUIRE fails while the trace runs",
         "A broken assumption ends the run before any oracle can speak.", "ref/core/require.hpp",
         Cost::constant, Scope::run},
    Rule{"RUN-CRASH", "core", "The subject does not crash.",
         "no fatal signal and no sanitizer report while the trace runs",
         "An allocator that touches foreign memory is wrong whatever it answers.",
         "the process that runs the trace", Cost::constant, Scope::run},
    Rule{"RUN-HANG", "core", "Every step ends.", "each step ends within the watchdog's time",
         "A broken list is often first seen as a loop that does not end.",
         "the process that runs the trace", Cost::constant, Scope::run},
    Rule{"RUN-REACH", "core", "A search that is held to it reaches all that it counts.",
         "with --require-reach: no demanded count that is possible in an era is zero",
         "What was never reached was never tested, and a search that finds nothing there says "
         "nothing.",
         "fuzz/REACH.md", Cost::constant, Scope::run},
};

}  // namespace

std::string_view name_of(Cost cost) {
  constexpr std::array<std::string_view, 3> names{"constant", "logarithmic", "linear"};
  return names[static_cast<std::size_t>(cost)];
}

std::string_view name_of(Scope scope) {
  constexpr std::array<std::string_view, 4> names{"subject", "reference", "recorded", "run"};
  return names[static_cast<std::size_t>(scope)];
}

const Rule* find_rule(std::span<const Rule> rules, std::string_view id) {
  for (const Rule& rule : rules)
    if (rule.id == id) return &rule;
  return nullptr;
}

std::span<const Rule> run_rules() { return table; }

}  // namespace props
