// fuzz_resume: a search that was interrupted, or killed, goes on where it stood.
//
//   failures/.resume/SEED/   state.json        the plan, what each layer came to, what was found
//                            <layer>/corpus/   libFuzzer's inputs
//
// The state is written aside and renamed every two seconds, so whatever ends a search leaves one
// that can be read. Runs are a function of the seed, so the digest comes out as if there had been
// no break.
#pragma once
#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "fuzz/engine/layers.hpp"

namespace cli {

struct LayerState {
  std::string name;
  std::string identity;  // of its operations and rules: another one's numbers mean nothing
  bool swarm_done = false, done = false;
  bool used_swarm = false, used_libfuzzer = false;
  double seconds = 0, swarm_seconds = 0, libfuzzer_seconds = 0;
  fuzz::SwarmProgress swarm;
  std::uint64_t executions = 0, coverage = 0, restarts = 0;
};

struct FindingState {
  std::string layer, engine, rule, directory;
  std::uint64_t count = 0;
};

struct SearchState {
  std::uint64_t seed = 0, runs = 0, operations = 0, first_run = 0;
  unsigned judge = 0;
  bool require_reach = false;
  double seconds = 0;
  bool swarm = true, libfuzzer = true, asked_libfuzzer = false;
  std::string machine;  // the line; "": drawn
  std::string out;
  std::vector<LayerState> layers;
  std::vector<FindingState> findings;
};

std::string identity_of(const fuzz::Layer&);

// Where a search keeps its state: SEED, or SEED-FIRST_RUN for a part of one.
std::filesystem::path resume_directory(const std::filesystem::path& out, std::uint64_t seed,
                                       std::uint64_t first_run);
// The one below `out` that was written last; "" if there is none.
std::filesystem::path newest_resume(const std::filesystem::path& out);

// Errors say what is wrong and what was expected. Nothing is changed by reading.
std::expected<SearchState, std::string> read_state(const std::filesystem::path& directory);
std::optional<std::string> write_state(const std::filesystem::path& directory, const SearchState&);

}  // namespace cli
