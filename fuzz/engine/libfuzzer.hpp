// libfuzzer: the coverage-guided engine: an instrumented target of one layer, run as a program.
//
//   seeds (traces as bytes) ──▶ build/fuzz/<layer>_fuzz ──▶ crash-… ──▶ text ──▶ the hunt
//                                        ▲───── again, while there is time ─────┘
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "fuzz/engine/layers.hpp"

namespace fuzz {

struct LibFuzzerStatus {
  std::uint64_t executions = 0, coverage = 0, rate = 0;  // rate: executions a second
  std::uint64_t restarts = 0;
};

struct LibFuzzerOptions {
  std::filesystem::path target;
  std::vector<std::filesystem::path> corpora;  // directories with traces to begin from
  std::filesystem::path corpus;  // its inputs lie there and stay; "": in a temporary folder
  std::uint64_t executions_before = 0, restarts_before = 0;  // of the search that it goes on with
  std::uint64_t seed = 0;
  std::uint64_t runs = 0;  // 0: until `seconds_left` is 0
  std::function<double()> seconds_left;
  std::function<bool()> stop;
  std::function<void(const LibFuzzerStatus&)> status;
  // A trace that ended the target, and what the target said of it.
  std::function<void(const std::string& trace, const RunResult& seen)> found;
  std::function<void(const std::string& rule)> found_again;
};

struct LibFuzzerResult {
  std::uint64_t executions = 0, coverage = 0, restarts = 0;
  double seconds = 0;
  double cpu_seconds = 0;                      // of the target, however often it was started
  std::optional<double> found_at_cpu_seconds;  // until the first finding
  bool stopped = false;
  std::string note;  // why it ended early; "" normally
};

// Where the target of a layer is, if it is built: in build/fuzz beside the command's own directory.
std::filesystem::path target_of(const Layer&);

LibFuzzerResult run_libfuzzer(const Layer&, const LibFuzzerOptions&);

// What one line of the target's output tells: "#4096 pulse  cov: 345 ft: 901 ... exec/s: 2048 ...".
void read_status_line(std::string_view line, LibFuzzerStatus&);

}  // namespace fuzz
