// cases: RapidCheck draws the cases of a property; nothing here knows a layer, or RapidCheck.
//
//   seed ──▶ RapidCheck ──▶ {seed, steps} ──▶ the layer's generator ──▶ machine and steps
//
// A case is two numbers. The steps themselves come from the layer's generator, because what makes
// a step worth drawing is the state before it: drawn without it, nearly all would be skipped.
#pragma once
#include <cstdint>
#include <functional>
#include <string_view>

#include "props/core/random.hpp"

namespace props {

struct CaseSeed {
  std::uint64_t seed;   // of machine and steps, any 64 bits
  std::uint64_t steps;  // at most so many
  bool operator==(const CaseSeed&) const = default;
};
constexpr std::uint64_t case_steps_min = 8, case_steps_max = 256;

// Asks `holds` of `runs` cases, or until it answers false. How many it answered true; the same
// seed draws the same cases.
std::uint64_t check_cases(std::uint64_t seed, std::uint64_t runs,
                          const std::function<bool(const CaseSeed&)>& holds);

// The seed of one property in a check: it does not hang on which others are checked beside it.
std::uint64_t seed_of_property(std::uint64_t seed, std::string_view id, std::uint64_t round);

// The trace of a case: every step is drawn from the state that the steps before it made. `drawn` is
// called before a step runs, since it may be the last. A broken rule ends the trace.
template <class L>
typename L::Trace draw_trace(const CaseSeed& one,
                             const std::function<void(const typename L::Trace&)>& drawn) {
  Random random(one.seed);
  typename L::Trace trace{L::draw_machine(random), {}, {}, {}};
  const typename L::Newborn newborn(trace.machine);
  typename L::World world(newborn, L::Judging::cheap());
  const typename L::Generator generator(random);
  drawn(trace);
  while (trace.steps.size() < one.steps && !world.violation()) {
    trace.steps.push_back(generator.draw(world, random));
    drawn(trace);
    world.apply(trace.steps.back());
  }
  return trace;
}

}  // namespace props
