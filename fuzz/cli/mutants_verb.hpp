// mutants_verb: `allocheck mutants [DIR]`: which engine finds which planted bug, and how soon?
#pragma once
#include <cstdint>
#include <string>

namespace cli {

struct MutantsOptions {
  std::string directory;  // or one patch; "": props/mutants of the sources
  std::string engines = "swarm";
  std::uint64_t budget = 10;  // seconds for each search
  std::uint64_t seeds = 3, first_seed = 1;
  std::uint64_t memory = 2048;  // MiB for each search
  std::size_t jobs = 2;
  std::string out;  // where minimized traces go; "": nowhere
  bool json = false, markdown = false;
};

// 0 all are found; 1 one is missed, or falsely accused; 72 interrupted; 125 one could not be
// tested.
int mutants_verb(const MutantsOptions&);

}  // namespace cli
