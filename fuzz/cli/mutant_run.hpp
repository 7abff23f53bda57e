// mutant_run: one planted bug: built, searched by every engine with every seed, and judged.
//
//   patch ──▶ ci/mutant ──▶ a command, a target ──▶ does it start? ──▶ engine × seed ──▶ row
//                                                                          │
//             the unmutated reference must pass ◀── every trace that is found
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "fuzz/cli/json.hpp"
#include "fuzz/cli/mutant_engines.hpp"

namespace cli {

struct MutantsPlan {
  BuildTree tree;
  std::vector<const MutantEngine*> engines;
  std::uint64_t first_seed = 1, seeds = 3;
  std::uint64_t budget = 10;                // seconds for one search, or its goal if that is more
  std::string asked;                        // the patches to judge, as the user named them
  std::uint64_t memory_bytes = 2ull << 30;  // for one search
  std::filesystem::path work;               // for what is built; an entry for each mutant
  std::filesystem::path out;                // where minimized traces go; "": nowhere
};

struct Patch {
  std::filesystem::path file;
  std::string name;    // without its folder and ending
  std::string number;  // names its entry below `work`: names may nest
  // From its first lines, "key: value".
  std::string layer, rule;
  std::string steps;                       // of the shortest trace known, where that is a long one
  std::string needs;                       // what a run has to hit
  std::vector<const fuzz::Layer*> layers;  // to search: the one it names, or all
};
Patch read_patch(const std::filesystem::path& file, std::string name, std::size_t number);

// Within how many CPU seconds an engine should find it (0: no goal), and the seconds it is given.
double goal_of(const MutantEngine&, bool is_long);
std::uint64_t seconds_of(const MutantsPlan&, const MutantEngine&, bool is_long);

// What --json prints of it.
Json row_of_mutant(const Patch&, std::string_view status, std::string note);
Json judge_mutant(const MutantsPlan&, const Patch&);

}  // namespace cli
