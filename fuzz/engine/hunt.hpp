// hunt: what becomes of the findings of a search.
//
//   engine ──▶ take: found.trace, at once
//          ──▶ settle: replay twice ─▶ minimize ─▶ name ─▶ files
//
// Findings are told apart by their rule, and within a rule by their minimized traces.
#pragma once
#include <functional>
#include <list>
#include <string>
#include <vector>

#include "fuzz/engine/failures.hpp"
#include "fuzz/engine/layers.hpp"

namespace fuzz {

struct Catch {
  const Layer* layer = nullptr;
  std::string engine;  // that found it
  std::string seen;    // the rule that the engine saw broken
  std::string rule;    // the one that a replay says
  std::filesystem::path directory;
  std::string found;      // trace
  std::string minimized;  // trace; "" until it is settled
  RunResult result;       // of the minimized trace's replay, or what the engine saw
  std::uint64_t count = 1;
  std::size_t steps = 0;  // of the minimized trace, or of the found one
  Shortest shortest;      // what is known of still shorter ones
  bool reproduced = false;
  std::string note;  // for the reader; "" normally
};

class Hunt {
 public:
  struct Options {
    std::uint64_t budget = 200'000;        // steps for one minimization
    std::uint64_t search_budget = 50'000;  // and for its search
    RunLimits limits{};                    // of replays
    std::function<bool()>
        interrupted{};  // by the user or the clock: minimizing keeps its best so far
    // Called for what is settled: writes what else belongs into the directory. The error, or
    // nothing.
    std::function<std::optional<std::string>(const Catch&)> settled{};
  };
  static constexpr std::size_t traces_per_rule = 3;

  Hunt(const Failures& failures, Options options)
      : failures_(failures), options_(std::move(options)) {}

  // Stores the trace. When that fails it goes to stderr instead, so that it is not lost.
  void take(const Layer&, std::string_view engine, std::string_view trace, const RunResult& seen);
  // Takes what an earlier part of this search left in a directory, to be settled anew. False: no
  // trace is there any more.
  bool take_again(const Layer&, std::string_view engine, const std::filesystem::path& directory,
                  std::string_view seen, std::uint64_t count);
  // So many more runs broke the rule.
  void count(const Layer&, std::string_view engine, std::string_view seen, std::uint64_t more);
  // Replays, minimizes and names what was taken.
  void settle();

  const std::list<Catch>& catches() const { return catches_; }
  bool empty() const { return catches_.empty() && error_.empty(); }
  // Why something could not be stored; "" normally.
  const std::string& error() const { return error_; }

 private:
  void confirm(Catch&);
  void minimize(Catch&);
  void fail(const std::string& error, std::string_view trace);
  std::size_t settled_of(const Catch&) const;
  void merge_into_kin(std::list<Catch>::iterator);

  const Failures& failures_;
  Options options_;
  std::list<Catch> catches_;  // settled ones first
  std::size_t settled_ = 0;
  std::string error_;
};

}  // namespace fuzz
