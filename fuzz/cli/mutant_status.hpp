// mutant_status: what can be said of a mutant, listed once; help, the verdict and the schema's test
// read it.
#pragma once
#include <array>
#include <string>
#include <string_view>

#include "fuzz/cli/exit_codes.hpp"

namespace cli {

struct MutantStatus {
  std::string_view name;
  ExitCode code;  // of the command, if this is the gravest
  std::string_view meaning;
};
inline constexpr std::array mutant_statuses{
    MutantStatus{"found", exit_clean, "at least half the seeds of an engine saw a rule broken"},
    MutantStatus{"missed", exit_violation, "no engine did within its time"},
    MutantStatus{"reference-fails", exit_violation,
                 "the unmutated reference breaks a rule on a trace that was found: the accusation "
                 "is false"},
    MutantStatus{"does-not-apply", exit_cannot_test, "no patch, or not one of these sources"},
    MutantStatus{"outside-ref", exit_cannot_test, "it touches other files than those of ref/"},
    MutantStatus{"does-not-build", exit_cannot_test, "what it makes of the sources is no program"},
    MutantStatus{"does-not-start", exit_cannot_test, "the mutant dies before the first step"},
    MutantStatus{"hangs", exit_cannot_test,
                 "it gets to no first step, or a search in it does not end"},
    MutantStatus{"out-of-memory", exit_cannot_test, "likewise, for want of memory"},
    MutantStatus{"cannot-test", exit_cannot_test, "an engine gave no verdict; the note says why"},
    MutantStatus{"interrupted", exit_interrupted, "stopped by a signal before its verdict"},
};

// "  found  at least half ...": a line for each.
std::string mutant_status_text();

}  // namespace cli
