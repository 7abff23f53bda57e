// check_worker: draws cases of a row and judges them by one property.
#pragma once
#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <span>

#include "fuzz/engine/check.hpp"
#include "fuzz/engine/process.hpp"
#include "fuzz/engine/properties.hpp"
#include "fuzz/engine/remote.hpp"
#include "props/core/cases.hpp"

namespace fuzz {

// The trace of the case that is judged now, as bytes, in memory that parent and child share.
struct DrawnPage {
  static constexpr std::size_t most = 1u << 16;
  std::atomic<std::uint32_t> bytes;
  std::array<std::uint8_t, most> trace;

  void append(std::span<const std::uint8_t> more) {
    const std::uint32_t used = bytes;
    REQUIRE(more.size() <= most - used);  // 256 steps are a tenth of it
    std::memcpy(trace.data() + used, more.data(), more.size());
    bytes = used + static_cast<std::uint32_t>(more.size());
  }
};

template <class L>
typename L::Trace draw_into(DrawnPage& page, const props::CaseSeed& one, StepCounter& counter) {
  page.bytes = 0;
  return props::draw_trace<L>(one, [&](const typename L::Trace& trace) {
    props::ByteWriter to;
    if (trace.steps.empty()) props::encode_machine(trace.machine, to);
    else props::encode_step(trace.steps.back(), to, trace.machine.era);
    page.append(to.bytes());
    counter = trace.steps.empty() ? 0 : trace.steps.size() - 1;
  });
}

template <class L>
CheckResult check(const CheckOptions& options) {
  const auto unmap = [](DrawnPage* page) { unmap_shared(page, sizeof(DrawnPage)); };
  const std::unique_ptr<DrawnPage, decltype(unmap)> page(
      new (map_shared(sizeof(DrawnPage))) DrawnPage{}, unmap);
  RemoteRunner child(
      [&](std::string_view question, StepCounter& counter) {
        props::CaseSeed one{};
        std::memcpy(&one, question.data(), sizeof one);
        const auto trace = draw_into<L>(*page, one, counter);
        const typename L::Newborn newborn(trace.machine);
        return run_property<L>(newborn, trace, options.property, counter).value_or(RunResult{});
      },
      options.limits);
  CheckResult result;
  const auto holds = [&](const props::CaseSeed& one) {
    result.stopped = options.stop && options.stop();
    if (result.stopped) return false;
    RunResult run = child.ask({reinterpret_cast<const char*>(&one), sizeof one});
    result.asked += run.end == RunResult::End::clean ? run.executed : 0;
    if (run.end == RunResult::End::clean) return true;
    const auto trace =
        props::decode_trace<typename L::Operation>(std::span(page->trace).first(page->bytes));
    name_step<L>(run, trace);
    result.falsified = {props::print_trace(trace), std::move(run)};
    return false;
  };
  result.cases = props::check_cases(
      props::seed_of_property(options.seed, options.property, options.round), options.runs, holds);
  return result;
}

}  // namespace fuzz
