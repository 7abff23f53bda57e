// Collects the patches, judges some at a time, and sums up.
#include "fuzz/cli/mutants_verb.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "fuzz/cli/jobs.hpp"
#include "fuzz/cli/mutant_run.hpp"
#include "fuzz/cli/mutant_status.hpp"
#include "fuzz/cli/mutants_page.hpp"
#include "fuzz/cli/output.hpp"
#include "fuzz/cli/progress.hpp"
#include "fuzz/engine/work_directory.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;

template <class T>
using Wanted = std::expected<T, std::string>;  // the error is what to tell the user

Wanted<std::vector<Patch>> patches_of(const fs::path& from) {
  std::error_code error;
  if (fs::is_regular_file(from, error)) return std::vector{read_patch(from, from.stem(), 0)};
  std::vector<fs::path> files;
  for (fs::recursive_directory_iterator it(from, error), end; !error && it != end;
       it.increment(error))
    if (it->path().extension() == ".patch" && !it->is_directory()) files.push_back(it->path());
  if (error)
    return std::unexpected(
        fmt::format("{}: {}; expected a directory with patches", from.string(), error.message()));
  if (files.empty())
    return std::unexpected(
        fmt::format("{}: no patch is there; expected files *.patch", from.string()));
  std::ranges::sort(files);
  std::vector<Patch> patches;
  for (const fs::path& file : files) {
    fs::path name = file.lexically_relative(from);
    patches.push_back(read_patch(file, name.replace_extension().string(), patches.size()));
  }
  return patches;
}

Wanted<MutantsPlan> plan_of(const MutantsOptions& options) {
  MutantsPlan plan;
  for (const auto& [name, value] : {std::pair{"--seeds", options.seeds},
                                    {"--budget", options.budget},
                                    {"--memory", options.memory}})
    if (value == 0 || value > 1'000'000)
      return std::unexpected(fmt::format("bad {} {}; expected 1 to 1000000", name, value));
  auto tree = find_build_tree();
  if (!tree) return std::unexpected(tree.error());
  plan.tree = std::move(*tree);
  auto engines = wanted_engines(options.engines, plan.tree);
  if (!engines) return std::unexpected(engines.error());
  plan.engines = std::move(*engines);
  plan.first_seed = options.first_seed;
  plan.seeds = options.seeds;
  plan.budget = options.budget;
  plan.asked = options.directory;
  plan.memory_bytes = options.memory << 20;
  plan.out = options.out;
  return plan;
}

void tell(const Json& row, std::size_t number, std::size_t count) {
  std::string line = fmt::format("[{}/{}] {}: {}", number, count, row["name"].get<std::string>(),
                                 row["status"].get<std::string>());
  if (const std::string note = row["note"]; !note.empty()) line += ": " + note;
  for (const Json& engine : row["engines"]) line += "  " + engine_text(engine);
  fmt::print(stderr, "{}\n", printable(line));
}

int exit_code_of(const Json& rows) {
  bool missed = false, broken = false, stopped = false;
  for (const Json& row : rows) {
    const auto* status =
        std::ranges::find(mutant_statuses, row["status"].get<std::string>(), &MutantStatus::name);
    missed |= status->code == exit_violation;
    broken |= status->code == exit_cannot_test;
    stopped |= status->code == exit_interrupted;
  }
  if (missed) return exit_violation;
  if (broken) return exit_cannot_test;
  return stopped ? exit_interrupted : exit_clean;
}

}  // namespace

int mutants_verb(const MutantsOptions& options) {
  auto plan = plan_of(options);
  if (!plan) {
    complain(plan.error());
    return exit_cannot_test;
  }
  const auto patches = patches_of(options.directory.empty() ? plan->tree.root / "props/mutants"
                                                            : fs::path(options.directory));
  if (!patches) {
    complain(patches.error());
    return exit_cannot_test;
  }
  const fuzz::WorkDirectory work;
  if (work.path().empty()) {
    complain("no temporary directory can be made; expected room in $TMPDIR or /tmp");
    return exit_cannot_test;
  }
  plan->work = work.path();
  notice_interrupts();
  Json rows = Json::array();
  run_jobs(
      patches->size(), options.jobs,
      [&](std::size_t i) { return dump(judge_mutant(*plan, (*patches)[i])); },
      [&](std::size_t i, const JobAnswer& answer) {
        const Patch& patch = (*patches)[i];
        std::error_code ignored;
        fs::remove_all(plan->work / patch.number, ignored);
        const std::string_view why = interrupted() ? "interrupted" : "cannot-test";
        rows.push_back(
            answer.died.empty()
                ? Json::parse(answer.text)
                : row_of_mutant(patch, why, "the process that judges it " + answer.died));
        tell(rows.back(), i + 1, patches->size());
      },
      interrupted);
  if (options.json) say(dump({{"mutants", rows}}));
  else if (options.markdown) say(mutants_page(rows, *plan));
  else say(mutants_table(rows));
  return exit_code_of(rows);
}

}  // namespace cli
