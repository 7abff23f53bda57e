// trace: a machine and the steps that run on it. Text is the truth, bytes are a cache.
//
//   allocheck 1
//   # A sentence that says what this shows.
//   machine era=linux-2.6.11 zones=DMA:16,NORMAL:64
//   expect mutant:buddy/no-merge-at-top BUDDY-COALESCED
//   p0 = alloc_pages(order=3, gfp=GFP_KERNEL) -> pfn 16
//   @buddy.pcp.locked free_pages(page=p1)                    runs when the next step gets there
//   end
//
// Reading is strict: every line is one of these or an error with line and column, and nothing is
// half read. A file without `end` was cut.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "props/core/answer.hpp"
#include "props/core/machine_line.hpp"
#include "props/core/operation.hpp"
#include "ref/core/env.hpp"

namespace props {

constexpr unsigned trace_version = 1;
constexpr std::size_t trace_bytes_max = 16u << 20;  // a longer file is no trace
constexpr std::size_t trace_steps_max = 1u << 20;

template <class Operation>
struct Step {
  Operation op;
  std::optional<ref::core::Point> at;  // armed: runs when the next unarmed step gets there
  std::optional<Answer> answer;        // what it must answer
  std::uint32_t line = 0;              // where it stood, 0 for steps that were not read
};

// The rule that a named subject must break on this trace.
struct Expect {
  std::string subject, rule;
};

template <class Operation>
struct Trace {
  ref::core::Config machine;
  std::vector<Step<Operation>> steps;
  std::optional<Expect> expect;
  std::vector<std::string> comments;  // of the lines before the first step, without "# "
};

struct TraceError {
  std::uint32_t line = 1, column = 1;
  std::string what, expected;
};

// What a text holds before its operations are read: the frame that all layers share.
struct TraceLine {
  std::uint32_t number;
  std::uint32_t column;  // of the operation
  std::optional<ref::core::Point> at;
  std::string_view operation;
  std::optional<Answer> answer;
};
struct TraceFrame {
  ref::core::Config machine;
  std::optional<Expect> expect;
  std::vector<std::string> comments;
  std::vector<TraceLine> lines;
};
std::expected<TraceFrame, TraceError> parse_frame(std::string_view text);

// Text that may be shown: what is not printable as \xNN, and not more than `most` characters.
std::string printable(std::string_view text, std::size_t most = 200);

template <class Operation>
std::expected<Trace<Operation>, TraceError> parse_trace(std::string_view text) {
  auto frame = parse_frame(text);
  if (!frame) return std::unexpected(frame.error());
  Trace<Operation> trace{frame->machine, {}, frame->expect, frame->comments};
  for (const TraceLine& line : frame->lines) {
    auto op = OperationScanner(line.operation, frame->machine.era).template read<Operation>();
    if (!op) {
      const TextError& e = op.error();
      return std::unexpected(TraceError{line.number, line.column + static_cast<std::uint32_t>(e.at),
                                        e.what, e.expected});
    }
    trace.steps.push_back({*op, line.at, line.answer, line.number});
  }
  return trace;
}

template <class Operation>
std::string print_step(const Step<Operation>& step, EraId era) {
  std::string text;
  if (step.at)
    text += "@" + std::string(ref::core::point_names[static_cast<std::size_t>(*step.at)]) + " ";
  text += print_operation(step.op, era);
  if (step.answer) text += " -> " + print_answer(*step.answer);
  return text;
}

template <class Operation>
std::string print_trace(const Trace<Operation>& trace) {
  std::string text = "allocheck " + std::to_string(trace_version) + "\n";
  for (const std::string& comment : trace.comments) text += "# " + comment + "\n";
  text += "machine " + print_machine(trace.machine) + "\n";
  if (trace.expect) text += "expect " + trace.expect->subject + " " + trace.expect->rule + "\n";
  for (const auto& step : trace.steps) text += print_step(step, trace.machine.era) + "\n";
  return text + "end\n";
}

template <class Operation>
void encode_step(const Step<Operation>& step, ByteWriter& to, EraId era) {
  encode_operation(step.op, step.at.has_value(), to, era);
  if (step.at) to.byte(static_cast<std::uint64_t>(*step.at));
}

template <class Operation>
std::vector<std::uint8_t> encode_trace(const Trace<Operation>& trace) {
  ByteWriter to;
  encode_machine(trace.machine, to);
  for (const auto& step : trace.steps) encode_step(step, to, trace.machine.era);
  return to.take();
}

template <class Operation>
Step<Operation> decode_step(ByteReader& from, EraId era) {
  const std::uint8_t code = from.byte();
  Step<Operation> step{decode_operation<Operation>(code, from, era), {}, {}, 0};
  if (code & armed_bit)
    step.at = static_cast<ref::core::Point>(from.byte() % ref::core::point_names.size());
  return step;
}

// Total: any bytes are some trace.
template <class Operation>
Trace<Operation> decode_trace(std::span<const std::uint8_t> bytes) {
  ByteReader from(bytes);
  Trace<Operation> trace{decode_machine(from), {}, {}, {}};
  while (!from.empty() && trace.steps.size() < trace_steps_max)
    trace.steps.push_back(decode_step<Operation>(from, trace.machine.era));
  return trace;
}

}  // namespace props
