// Builds one mutant and lets the engines loose on it.
#include "fuzz/cli/mutant_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <optional>

#include "fuzz/cli/mutant_search.hpp"
#include "fuzz/cli/mutant_status.hpp"
#include "fuzz/cli/output.hpp"
#include "fuzz/engine/failures.hpp"
#include "fuzz/engine/program.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;

constexpr double build_seconds = 900;  // a header that everything includes, on a busy machine
constexpr std::uint64_t build_memory = 4ull << 30;
constexpr double start_seconds = 10;

std::string first_line(std::string_view text) {
  return printable(text.substr(0, text.find('\n')), 300);
}

class Mutant {
 public:
  Mutant(const MutantsPlan& plan, const Patch& patch)
      : plan_(plan), patch_(patch), work_(plan.work / patch.number) {}

  Json judge() {
    fs::create_directories(work_);
    if (!build() || !start()) return row_of_mutant(patch_, status_, note_);
    Json rows = Json::array();
    for (const MutantEngine* engine : plan_.engines) rows.push_back(run(*engine));
    Json row = row_of_mutant(patch_, status_.empty() ? "missed" : status_, note_);
    row["engines"] = std::move(rows);
    return row;
  }

 private:
  bool is_long() const { return !patch_.steps.empty(); }
  fs::path command() const { return work_ / "command" / plan_.tree.command.filename(); }

  // The gravest so far; what is found outweighs an engine that came to no verdict.
  void note(std::string_view status, const std::string& text) {
    const auto weight = [](std::string_view name) {
      if (name == "reference-fails") return 4;
      if (name == "found") return 3;
      return name == "missed" || name.empty() ? 0 : 2;
    };
    if (weight(status) <= weight(status_)) return;
    status_ = status;
    note_ = text;
  }

  // A build of the mutant; false when there is none.
  bool make(const fs::path& folder, const fs::path& from, const std::vector<std::string>& targets) {
    std::vector<std::string> words{plan_.tree.root / "ci/mutant", patch_.file, folder, "--build",
                                   from};
    for (const std::string& target : targets) words.insert(words.end(), {"--target", target});
    const auto end = fuzz::run_program({.words = words,
                                        .environment = {},
                                        .seconds = build_seconds,
                                        .memory_bytes = build_memory});
    if (end.exited(0)) return true;
    constexpr std::string_view before = "mutant: ";
    const std::string_view errors = end.errors;
    const std::size_t colon = errors.find(": ", before.size());
    status_ = "cannot-test";
    note_ = fmt::format("ci/mutant {}: {}", end.text(), last_line(errors));
    if (end.stopper != fuzz::Stopper::itself) status_ = "does-not-build";
    if (!errors.starts_with(before) || colon == errors.npos) return false;
    const std::string_view word = errors.substr(before.size(), colon - before.size());
    if (std::ranges::find(mutant_statuses, word, &MutantStatus::name) != mutant_statuses.end())
      status_ = word;
    note_ = first_line(errors.substr(colon + 2));
    return false;
  }

  bool build() {
    if (!make(work_ / "command", plan_.tree.build, {command().filename()})) return false;
    if (std::ranges::none_of(plan_.engines, &MutantEngine::needs_target)) return true;
    std::vector<std::string> targets;
    for (const fuzz::Layer* layer : patch_.layers)
      targets.push_back(fmt::format("{}_fuzz", layer->name));
    return make(work_ / "fuzz", plan_.tree.fuzz, targets);
  }

  // A trace without steps: whoever does not get through that cannot be searched.
  bool start() {
    const fs::path empty = work_ / "empty.trace";
    std::ofstream(empty) << "allocheck 1\nmachine era=linux-6.1 zones=NORMAL:64\nend\n";
    const auto end = fuzz::run_program({.words = {command(), "replay", empty},
                                        .environment = {},
                                        .seconds = start_seconds,
                                        .memory_bytes = plan_.memory_bytes});
    if (end.exited(exit_clean) || end.exited(exit_violation)) return true;
    status_ = "does-not-start";
    if (end.stopper == fuzz::Stopper::watchdog || end.exited(exit_timeout)) status_ = "hangs";
    if (end.stopper == fuzz::Stopper::memory || end.exited(exit_out_of_memory))
      status_ = "out-of-memory";
    note_ = fmt::format("a trace without steps {}", end.text());
    return false;
  }

  std::vector<std::string> words_of(const MutantEngine& engine, std::uint64_t seed,
                                    const fs::path& out) const {
    std::vector<std::string> words{command(), std::string(engine.verb)};
    if (patch_.layers.size() == 1) words.emplace_back(patch_.layers.front()->name);
    for (std::size_t at = 0; at < engine.options.size();) {
      const std::size_t end = std::min(engine.options.find(' ', at), engine.options.size());
      words.emplace_back(engine.options.substr(at, end - at));
      at = end + 1;
    }
    words.insert(words.end(),
                 {"--seed", std::to_string(seed), "--time",
                  std::to_string(seconds_of(plan_, engine, is_long())), "--out", out, "--json"});
    return words;
  }

  SeedEnd search(const MutantEngine& engine, std::uint64_t seed) {
    const fs::path out = work_ / fmt::format("{}-{}", engine.name, seed);
    fuzz::Program program{.words = words_of(engine, seed, out), .environment = {}};
    // Minimizing may take as long as the search; replays of a hang take some seconds.
    program.seconds = 2 * static_cast<double>(seconds_of(plan_, engine, is_long())) + 60;
    program.memory_bytes = plan_.memory_bytes;
    if (!engine.mutate.empty()) program.environment.emplace_back("ALLOCHECK_MUTATE", engine.mutate);
    const auto end = fuzz::run_program(program);
    SeedEnd seed_end = read_search(end);
    if (seed_end.found()) check_on_reference(seed_end);
    return seed_end;
  }

  Json run(const MutantEngine& engine) {
    std::vector<SeedEnd> ends;
    for (std::uint64_t i = 0; i < plan_.seeds; ++i)
      ends.push_back(search(engine, plan_.first_seed + i));
    std::vector<const SeedEnd*> found;
    std::string text;
    for (const SeedEnd& end : ends) {
      if (end.found()) found.push_back(&end);
      else note(end.status, fmt::format("{}: {}", engine.name, end.note));
      if (text.empty()) text = end.note;
    }
    std::ranges::sort(found, {}, [](const SeedEnd* end) {
      return std::pair(end->cpu_seconds, end);  // in the order of `ends` where they are the same
    });
    // A seed that found nothing counts as slower than any.
    const std::size_t middle = (ends.size() - 1) / 2;
    const SeedEnd* median = middle < found.size() ? found[middle] : nullptr;
    if (median != nullptr) {
      note("found", "");
      keep(*median, engine);
    }
    Json row;
    row["engine"] = engine.name;
    row["found"] = median != nullptr;
    row["rule"] = row["promised"] = row["cpu_seconds"] = row["operations"] = nullptr;
    if (median != nullptr) {
      row["rule"] = median->rule;
      if (!patch_.rule.empty()) row["promised"] = median->rule == patch_.rule;
      row["cpu_seconds"] = median->cpu_seconds;
      row["operations"] = median->operations;
    }
    row["seeds"] = ends.size();
    row["found_seeds"] = found.size();
    row["note"] = text;
    return row;
  }

  void keep(const SeedEnd& end, const MutantEngine& engine) {
    if (plan_.out.empty()) return;
    const fs::path file = plan_.out / fmt::format("{}.{}.trace", patch_.name, engine.name);
    std::error_code error;
    fs::create_directories(file.parent_path(), error);
    std::ifstream in(end.minimized);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    if (const auto bad = fuzz::write_durably(file, text)) complain(*bad);
  }

  const MutantsPlan& plan_;
  const Patch& patch_;
  const fs::path work_;
  std::string status_, note_;
};

}  // namespace

std::string mutant_status_text() {
  std::string text;
  for (const MutantStatus& status : mutant_statuses)
    text += fmt::format("  {:<15}  {}\n", status.name, status.meaning);
  return text;
}

double goal_of(const MutantEngine& engine, bool is_long) {
  return is_long ? engine.goal_long : engine.goal;
}

std::uint64_t seconds_of(const MutantsPlan& plan, const MutantEngine& engine, bool is_long) {
  return std::max(plan.budget, static_cast<std::uint64_t>(goal_of(engine, is_long)));
}

Patch read_patch(const std::filesystem::path& file, std::string name, std::size_t number) {
  Patch patch;
  patch.file = fs::absolute(file);
  patch.name = std::move(name);
  patch.number = std::to_string(number);
  std::ifstream in(file);
  const auto take = [](std::string_view line, std::string_view key, std::string& to) {
    if (line.starts_with(key)) to = printable(line.substr(key.size()), 400);
  };
  for (std::string line;
       std::getline(in, line) && !line.starts_with("diff ") && !line.starts_with("--- ");) {
    take(line, "layer: ", patch.layer);
    take(line, "rule: ", patch.rule);
    take(line, "steps: ", patch.steps);
    take(line, "needs: ", patch.needs);
  }
  if (patch.layer.empty()) patch.layer = file.parent_path().filename();
  for (const fuzz::Layer& layer : fuzz::layers())
    if (layer.name == patch.layer) patch.layers = {&layer};
  // A row that nobody searches by itself is searched through those that judge by its rules.
  if (patch.layers.empty())
    for (const fuzz::Layer& layer : fuzz::layers()) {
      const auto rules = layer.rules();
      if (std::ranges::find(rules, patch.layer, &props::Rule::layer) != rules.end())
        patch.layers.push_back(&layer);
    }
  if (patch.layers.empty())
    for (const fuzz::Layer& layer : fuzz::layers()) patch.layers.push_back(&layer);
  return patch;
}

Json row_of_mutant(const Patch& patch, std::string_view status, std::string note) {
  Json row;
  row["name"] = patch.name;
  row["layer"] = patch.layer;
  row["status"] = status;
  row["note"] = std::move(note);
  row["promised"] = patch.rule.empty() ? Json(nullptr) : Json(patch.rule);
  row["long"] = !patch.steps.empty();
  row["needs"] = patch.needs.empty() ? Json(nullptr) : Json(patch.needs);
  row["engines"] = Json::array();
  return row;
}

Json judge_mutant(const MutantsPlan& plan, const Patch& patch) {
  return Mutant(plan, patch).judge();
}

}  // namespace cli
