// exit_codes: what the command's exit codes mean, listed once; help, `show exit-codes` and CI read
// it.
#pragma once
#include <array>
#include <string>
#include <string_view>

namespace cli {

enum ExitCode : int {
  exit_clean = 0,
  exit_violation = 1,
  exit_timeout = 70,
  exit_out_of_memory = 71,
  exit_interrupted = 72,
  exit_cannot_test = 125,
};

struct ExitMeaning {
  ExitCode code;
  std::string_view name, meaning;
};
inline constexpr std::array exit_meanings{
    ExitMeaning{exit_clean, "clean", "nothing is wrong"},
    ExitMeaning{exit_violation, "violation", "a rule is broken"},
    ExitMeaning{exit_timeout, "timeout", "a run took too long"},
    ExitMeaning{exit_out_of_memory, "out-of-memory", "a run took too much memory"},
    ExitMeaning{exit_interrupted, "interrupted", "stopped by a signal before the end"},
    ExitMeaning{exit_cannot_test, "cannot-test",
                "nothing was judged: bad usage, unreadable input, nowhere to write"},
};

std::string exit_code_text();  // a line for each

}  // namespace cli
