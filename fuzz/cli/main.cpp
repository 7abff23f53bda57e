// allocheck: the command. Every verb is a file beside this one.
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <new>

#include "fuzz/cli/command_line.hpp"
#include "fuzz/cli/exit_codes.hpp"
#include "fuzz/cli/output.hpp"

namespace {

// For verbs that have nothing to tell when they are stopped; a search installs its own.
extern "C" void stop_at_once(int) {
  constexpr std::string_view words = "allocheck: interrupted; the same command starts over\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, words.data(), words.size());
  _exit(cli::exit_interrupted);
}

int guarded(int argc, char** argv) {
  try {
    cli::CommandLine line;
    const int code = line.run(argc, argv);
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
    cli::complain("the output could not be written; expected room for it");
  } catch (const std::bad_alloc&) {
    cli::complain("out of memory");
    return cli::exit_out_of_memory;
  } catch (const std::exception& error) {
    cli::complain(fmt::format("cannot go on: {}", error.what()));
  }
  return cli::exit_cannot_test;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGINT, stop_at_once);
  std::signal(SIGTERM, stop_at_once);
  return guarded(argc, argv);
}
