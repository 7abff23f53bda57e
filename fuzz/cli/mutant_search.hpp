// mutant_search: what one search of a mutant came to, as it says and as the reference says.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/engine/program.hpp"

namespace cli {

// The last line, printable.
std::string last_line(std::string_view text);

// What one engine came to with one seed.
struct SeedEnd {
  std::string status = "missed", note;
  std::string rule, minimized;
  double cpu_seconds = 0;
  std::uint64_t operations = 0;

  bool found() const { return status == "found"; }
  static SeedEnd without(std::string_view status, std::string note) {
    SeedEnd end;
    end.status = status;
    end.note = std::move(note);
    return end;
  }
};

// What the search, of fuzz or of check, printed.
SeedEnd read_search(const fuzz::ProgramEnd&);

// The unmutated reference must pass what the mutant breaks, as found and as minimized. If it does
// not, the trace is kept and the accusation is false.
void check_on_reference(SeedEnd&);

}  // namespace cli
