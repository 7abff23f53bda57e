// target: what every fuzz target does with its input. Nothing here needs a library.
//
//   bytes ──▶ trace ──▶ world of that machine ──▶ steps ──▶ broken rule? report and abort
#pragma once
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "props/core/trace.hpp"
#include "props/core/violation.hpp"

namespace fuzz {

// Worlds of the machines seen last, each made as new in time proportional to what was touched.
template <class L>
class Worlds {
 public:
  typename L::World& fresh(const ref::core::Config& machine, const typename L::Judging& judging) {
    const auto found = std::ranges::find(kept_, machine, [](const auto& e) { return e->machine; });
    if (found != kept_.end()) {
      std::rotate(kept_.begin(), found, found + 1);
      kept_.front()->world.reset(kept_.front()->newborn, judging);
    } else {
      if (kept_.size() == kept_max) kept_.pop_back();
      kept_.insert(kept_.begin(), std::make_unique<Entry>(machine, judging));
    }
    return kept_.front()->world;
  }

 private:
  struct Entry {
    Entry(const ref::core::Config& config, const typename L::Judging& judging)
        : machine(config), newborn(config), world(newborn, judging) {}
    ref::core::Config machine;
    typename L::Newborn newborn;
    typename L::World world;
  };
  static constexpr std::size_t kept_max = 16;
  std::vector<std::unique_ptr<Entry>> kept_;
};

// Crash triage reads the line ASSERTION FAILED; libFuzzer's minimizer reads DEDUP_TOKEN, without
// which it would take any abort for the same.
template <class L>
[[noreturn]] void abort_for(const props::Violation& violation, const typename L::Trace& trace) {
  const auto text = [](std::string_view s) { return static_cast<int>(s.size()); };
  const props::Rule& rule = *violation.rule;
  const std::string step = violation.step < trace.steps.size()
                               ? props::print_step(trace.steps[violation.step], trace.machine.era)
                               : "at the end of the trace";
  std::fprintf(stderr, "%.*s: %.*s\n  step %zu: %s\n  expected  %s\n  actual    %s\n%s\n",
               text(rule.id), rule.id.data(), text(rule.sentence), rule.sentence.data(),
               violation.step + 1, step.c_str(), violation.expected.c_str(),
               violation.actual.c_str(), violation.picture.c_str());
  std::fprintf(stderr, "ASSERTION FAILED: %.*s %.*s\nDEDUP_TOKEN: %.*s\n", text(rule.id),
               rule.id.data(), text(rule.sentence), rule.sentence.data(), text(rule.id),
               rule.id.data());
  std::fflush(stderr);
  std::abort();
}

// Judging is cheap but for the end, where everything is looked at.
template <class L>
void run_input(std::span<const std::uint8_t> input) {
  constexpr std::uint64_t pages_max = 1u << 16;  // larger machines find nothing more, only slower
  constexpr std::size_t steps_max = 4096;
  static Worlds<L> worlds;
  props::ByteReader from(input);
  typename L::Trace trace{props::decode_machine(from), {}, {}, {}};
  if (trace.machine.pages() > pages_max) return;
  typename L::World& world = worlds.fresh(trace.machine, L::Judging::cheap());
  while (!from.empty() && trace.steps.size() < steps_max && !world.violation()) {
    trace.steps.push_back(props::decode_step<typename L::Operation>(from, trace.machine.era));
    world.apply(trace.steps.back());
  }
  if (!world.violation()) world.finish();
  if (world.violation()) abort_for<L>(*world.violation(), trace);
}

}  // namespace fuzz
