// mutant_engines: the searches that can be measured against planted bugs, listed once.
#pragma once
#include <expected>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/engine/layers.hpp"

namespace cli {

struct MutantEngine {
  std::string_view name;
  std::string_view meaning;
  std::string_view verb, options;  // of the mutant's command, beside seed and time
  std::string_view mutate;         // $ALLOCHECK_MUTATE, if set
  bool needs_target = false;       // the instrumented <layer>_fuzz
  // CPU seconds within which it should find a bug, and one whose shortest trace is long; 0: no
  // goal.
  double goal = 0, goal_long = 0;
};
std::span<const MutantEngine> mutant_engines();
std::string mutant_engine_text();  // a line for each

// Where the command that runs was built, and what lies beside it.
struct BuildTree {
  std::filesystem::path root;     // of the sources
  std::filesystem::path command;  // this one
  std::filesystem::path build;    // its directory
  std::filesystem::path fuzz;     // where <layer>_fuzz are; "" when not built
};
std::expected<BuildTree, std::string> find_build_tree();

// The engines of a list with commas, each of which is built. Otherwise what to tell the user.
std::expected<std::vector<const MutantEngine*>, std::string> wanted_engines(std::string_view list,
                                                                            const BuildTree&);

}  // namespace cli
