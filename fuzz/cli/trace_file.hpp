// trace_file: a trace as a user names it: read, translated, parsed, ready to run.
//
//   file ──▶ (--bytes: text of those bytes) ──▶ (--machine: another machine, no answers) ──▶ parsed
#pragma once
#include <expected>
#include <string>
#include <string_view>

#include "fuzz/cli/input.hpp"
#include "fuzz/engine/layers.hpp"

namespace cli {

struct TraceSource {
  std::string file;
  bool bytes = false;   // a raw input of a fuzzer
  std::string layer;    // whose bytes; "": the first layer's
  std::string machine;  // instead of the trace's own; "": none
};

struct TraceFile {
  const fuzz::Layer* layer = nullptr;
  std::string text;
  fuzz::TraceInfo info;
};

// An `expect` line must name a rule that there is.
std::expected<TraceFile, InputError> load_trace(const TraceSource&);

// What to type to run it once more.
std::string replay_command(const TraceSource&);

// The machine that --machine names, with or without the word in front.
std::expected<ref::core::Config, InputError> named_machine(std::string_view machine);

// The text on another machine. Answers are dropped, because they belong to the old one; lines and
// columns stay where they are.
std::string on_machine(std::string_view text, std::string_view machine);

}  // namespace cli
