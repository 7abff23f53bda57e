// row: the functions of one layer, made from its types, with text and numbers on their outside.
#pragma once
#include "fuzz/engine/layers.hpp"
#include "fuzz/engine/minimize.hpp"
#include "fuzz/engine/swarm_worker.hpp"

namespace fuzz {

// Everything that the command asks of a row, made from its types.
template <class L>
struct Row {
  using Trace = typename L::Trace;
  static std::expected<Trace, props::TraceError> parse(std::string_view text) {
    return props::parse_trace<typename L::Operation>(text);
  }

  static std::vector<props::Rule> rules() { return {L::rules().begin(), L::rules().end()}; }
  static std::expected<TraceInfo, props::TraceError> inspect(std::string_view text) {
    auto trace = parse(text);
    if (!trace) return std::unexpected(trace.error());
    return TraceInfo{trace->steps.size(), props::print_machine(trace->machine), trace->expect,
                     trace->comments};
  }
  static std::string print_canonical(std::string_view text) {
    const auto trace = parse(text);
    return trace ? props::print_trace(*trace) : "";
  }
  static std::string text_of_bytes(std::span<const std::uint8_t> bytes) {
    return props::print_trace(props::decode_trace<typename L::Operation>(bytes));
  }
  static std::vector<std::uint8_t> bytes_of_text(std::string_view text) {
    const auto trace = parse(text);
    return trace ? props::encode_trace(*trace) : std::vector<std::uint8_t>{};
  }
  static std::expected<RunResult, props::TraceError> run(std::string_view text, bool isolated,
                                                         const RunLimits& limits) {
    const auto trace = parse(text);
    if (!trace) return std::unexpected(trace.error());
    const auto judging = replay_judging<L>(*trace);
    return isolated ? run_isolated<L>(*trace, judging, limits) : run_here<L>(*trace, judging);
  }
  static std::expected<MinimizeResult, props::TraceError> minimize(std::string_view text,
                                                                   const MinimizeOptions& options) {
    auto trace = parse(text);
    if (!trace) return std::unexpected(trace.error());
    return fuzz::minimize<L>(std::move(*trace), options);
  }

  static constexpr Layer layer() {
    return {.name = L::name,
            .rules = rules,
            .inspect = inspect,
            .print_canonical = print_canonical,
            .text_of_bytes = text_of_bytes,
            .bytes_of_text = bytes_of_text,
            .run = run,
            .minimize = minimize,
            .swarm = swarm<L>,
            .tell = tell<L>,
            .show = show<L>,
            .language = language_of<L>};
  }
};

}  // namespace fuzz
