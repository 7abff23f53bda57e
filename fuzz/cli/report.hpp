// report: a broken rule as a reader, a crash sorter and a minimizer want to see it.
//
//   BUDDY-COALESCED: the rule in one sentence
//     step      7: free_pages(page=p1)
//     expected  one free block of order 3
//     actual    two of order 2
//       (a picture, where one helps)
//   replay: allocheck replay FILE
//   ASSERTION FAILED: BUDDY-COALESCED the rule in one sentence     crash triage reads this
//   DEDUP_TOKEN: BUDDY-COALESCED                                   libFuzzer's minimizer reads this
#pragma once
#include <string>
#include <string_view>

#include "fuzz/cli/exit_codes.hpp"
#include "fuzz/engine/run.hpp"

namespace cli {

// "clean", "violation", "timeout" or "out-of-memory"; a process that died broke a rule.
ExitCode exit_code_of(fuzz::RunResult::End);
std::string_view name_of(ExitCode);

// What is said of a run that did not end clean. Steps are numbered from 1.
std::string report_text(const fuzz::RunResult&, std::string_view replay_command, bool colour);

}  // namespace cli
