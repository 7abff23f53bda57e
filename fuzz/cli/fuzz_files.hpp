// fuzz_files: what lies in a finding's directory beside its traces: explain.md and report.json.
#pragma once
#include <optional>
#include <string>

#include "fuzz/engine/hunt.hpp"

namespace cli {

// Writes what is missing. What an earlier search wrote stays, and its report counts on. The error,
// or nothing.
std::optional<std::string> complete_directory(const fuzz::Catch&, std::uint64_t seed);

// The trace to replay: the smallest one there is.
std::string trace_path(const fuzz::Catch&);

}  // namespace cli
