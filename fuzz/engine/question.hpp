// question: a trace as it is sent to the child that runs it. Bytes alone would lose the answers.
//
//   c TRACE              run it as replay would
//   k TRACE              the same, judged only as a large machine is
//   x PREFIX, LETTERS    after the prefix, try each letter; see expansion.hpp
#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "props/core/trace.hpp"

namespace fuzz {

template <class L>
std::string question_of(const typename L::Trace& trace) {
  props::ByteWriter to;
  to.varint(static_cast<std::uint64_t>(
      std::ranges::count_if(trace.steps, [](const auto& s) { return s.answer.has_value(); })));
  for (std::size_t i = 0; i < trace.steps.size(); ++i)
    if (const auto& answer = trace.steps[i].answer) {
      to.varint(i);
      to.byte(static_cast<std::uint64_t>(answer->kind));
      to.varint(answer->value);
      to.byte(static_cast<std::uint64_t>(answer->fault));
    }
  props::encode_machine(trace.machine, to);
  for (const auto& step : trace.steps) props::encode_step(step, to, trace.machine.era);
  return {to.bytes().begin(), to.bytes().end()};
}

template <class L>
typename L::Trace trace_of_question(std::string_view question) {
  std::vector<std::uint8_t> bytes(question.begin(), question.end());
  props::ByteReader from(bytes);
  std::vector<std::pair<std::uint64_t, props::Answer>> answers(from.varint());
  for (auto& [step, answer] : answers) {
    step = from.varint();
    answer.kind = static_cast<props::Answer::Kind>(from.byte());
    answer.value = from.varint();
    answer.fault = static_cast<ref::core::Fault>(from.byte());
  }
  typename L::Trace trace{props::decode_machine(from), {}, {}, {}};
  while (!from.empty())
    trace.steps.push_back(props::decode_step<typename L::Operation>(from, trace.machine.era));
  for (const auto& [step, answer] : answers) trace.steps.at(step).answer = answer;
  return trace;
}

}  // namespace fuzz
