// mutants_page: the matrix mutant × engine, for a terminal and as the page
// props/mutants/LAYER/MATRIX.md.
#pragma once
#include <string>

#include "fuzz/cli/mutant_run.hpp"

namespace cli {

std::string engine_text(const Json& engine);  // "swarm BUDDY-EXACT 0.004 s, 3 operations"
std::string mutants_table(const Json& rows);
std::string mutants_page(const Json& rows, const MutantsPlan&);

}  // namespace cli
