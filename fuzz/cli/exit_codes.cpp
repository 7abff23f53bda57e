// The table of exit codes, as help prints it.
#include "fuzz/cli/exit_codes.hpp"

#include <fmt/format.h>

namespace cli {

std::string exit_code_text() {
  std::string text;
  for (const ExitMeaning& row : exit_meanings)
    text += fmt::format("{:>5}  {}\n", static_cast<int>(row.code), row.meaning);
  return text;
}

}  // namespace cli
