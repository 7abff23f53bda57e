// command_line: the verbs and their options, as the user types them.
//
//   words ──▶ CLI11 ──▶ the option struct of a verb ──▶ the verb ──▶ exit code
#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

namespace cli {

// Declares every verb; parsing leaves the chosen one's work in `work`.
class CommandLine {
 public:
  CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // Parses, runs, and answers the exit code. Usage errors are said on stderr.
  int run(int argc, const char* const* argv);

 private:
  CLI::App& verb(const std::string& name, const std::string& help);
  void add_fuzz();
  void add_check();
  void add_replay();
  void add_minimize();
  void add_explain();
  void add_judge();
  void add_rules();
  void add_show();
  void add_promote();
  void add_corpus();
  void add_mutants();
  int usage_error(const std::string& what, const std::string& verb) const;
  std::string verb_names() const;

  CLI::App app_;
  std::function<int()> work_;
  bool json_ = false;
};

}  // namespace cli
