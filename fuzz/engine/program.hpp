// program: another program, run to its end, whatever it does.
//
//   we ──▶ process group: the program and all it starts
//     │ ◀── stdout, stderr: the end of each is kept, so that a flood costs nothing
//     └── too long, too much memory: the whole group is killed
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "fuzz/engine/process.hpp"

namespace fuzz {

struct Program {
  std::vector<std::string> words;                                // the first is its file
  std::vector<std::pair<std::string, std::string>> environment;  // beside ours
  double seconds = 60;                                           // by the clock
  std::uint64_t memory_bytes = 2ull << 30;                       // resident, of the group
};

struct ProgramEnd {
  Stopper stopper = Stopper::itself;
  int status = 0;      // the wait status
  std::string output;  // the end of stdout
  std::string errors;  // the end of stderr
  static constexpr std::size_t output_max = 1u << 20;

  bool exited(int code) const;
  // What ended it, in words: "ended with code 1".
  std::string text() const;
};

ProgramEnd run_program(const Program&);

}  // namespace fuzz
