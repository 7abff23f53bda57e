// row: the functions of one layer, made from its types, with text and numbers on their outside.
#pragma once
#include "fuzz/engine/check_worker.hpp"
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
    return isolated ? judge_isolated<L>(*trace, limits)
                    : run_here<L>(*trace, replay_judging<L>(*trace));
  }
  static std::expected<RunResult, props::TraceError> run_for(std::string_view text,
                                                             std::string_view rule,
                                                             const RunLimits& limits) {
    const auto trace = parse(text);
    if (!trace) return std::unexpected(trace.error());
    return is_property<L>(rule) ? run_property_isolated<L>(*trace, rule, limits)
                                : judge_isolated<L>(*trace, limits);
  }
  static std::expected<MinimizeResult, props::TraceError> minimize(std::string_view text,
                                                                   const MinimizeOptions& options) {
    auto trace = parse(text);
    if (!trace) return std::unexpected(trace.error());
    MinimizeOptions how = options;
    // Without a rule the world is asked first, and then what only a property sees.
    if (how.rule.empty()) {
      const RunResult broken = judge_isolated<L>(*trace, how.limits);
      if (is_property<L>(broken.rule)) how.rule = broken.rule;
    }
    if (is_property<L>(how.rule))
      return fuzz::minimize<L>(std::move(*trace), how, PropertyRunner<L>(how.rule));
    return fuzz::minimize<L>(std::move(*trace), how);
  }

  static constexpr Layer layer() {
    return {.name = L::name,
            .rules = rules,
            .properties = properties_of<L>,
            .inspect = inspect,
            .print_canonical = print_canonical,
            .text_of_bytes = text_of_bytes,
            .bytes_of_text = bytes_of_text,
            .run = run,
            .run_for = run_for,
            .minimize = minimize,
            .swarm = swarm<L>,
            .check = check<L>,
            .tell = tell<L>,
            .show = show<L>,
            .reach_bytes = sizeof(SwarmPageOf<L>::reach),
            .language = language_of<L>};
  }
};

}  // namespace fuzz
