// minimize_verb: `allocheck minimize FILE`: the smallest trace that breaks the same rule.
//
//   FILE ─▶ minimizer ─▶ --out, or stdout        what is known stands in --state, line by line:
//              │ ▲                                after an interrupt or a kill, --resume goes on
//              ▼ │
//            --state
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "fuzz/cli/trace_file.hpp"

namespace cli {

struct MinimizeVerbOptions {
  TraceSource source;
  std::string out;                      // "": stdout
  std::optional<std::uint64_t> budget;  // steps; none: two millions
  std::optional<std::uint64_t> search;  // steps of the search; none: half a million
  std::string state, resume;            // files; "": none
  bool stages = false;                  // a table of what each level left, instead of the trace
  bool json = false;
};

// 0 when the trace broke a rule and a trace that breaks it is printed; 72 the same, but
// interrupted; 125 when the trace cannot be read or breaks nothing.
int minimize_verb(const MinimizeVerbOptions&);

}  // namespace cli
