// Prints the matrix.
#include "fuzz/cli/mutants_page.hpp"

#include <fmt/format.h>

#include <fstream>
#include <map>
#include <thread>

#include "fuzz/cli/output.hpp"

namespace cli {
namespace {

std::string text_of(const Json& json) { return json.is_null() ? "-" : json.get<std::string>(); }

// Three digits that count: 0.000812, 0.0813, 8.13, 813.
std::string seconds_text(double seconds) {
  for (int digits = 0; digits < 6; ++digits) {
    double scaled = seconds;
    for (int i = 0; i < digits; ++i) scaled *= 10;
    if (scaled >= 100) return fmt::format("{:.{}f}", seconds, digits);
  }
  return fmt::format("{:.6f}", seconds);
}

std::string share_text(const Json& engine) {
  const auto seeds = engine["seeds"].get<std::size_t>(),
             found = engine["found_seeds"].get<std::size_t>();
  return found == 0 || found == seeds ? "" : fmt::format(", {} of {} seeds", found, seeds);
}

std::string cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "an unknown CPU";
}

constexpr std::string_view compiler =
#if defined(__clang__)
    "clang " __clang_version__;
#else
    "g++ " __VERSION__;
#endif

// What misses the goal of its engine, and what a run has to hit to find it.
std::string slower_than_the_goal(const Json& rows, const MutantsPlan& plan) {
  std::string goals, table;
  for (const MutantEngine* engine : plan.engines) {
    if (engine->goal == 0) continue;
    goals += fmt::format("{}`{}` {} s, {} s for one whose shortest trace is long",
                         goals.empty() ? "" : "; ", engine->name, engine->goal, engine->goal_long);
    for (const Json& row : rows) {
      const bool is_long = row["long"];
      const double goal = goal_of(*engine, is_long);
      for (const Json& one : row["engines"]) {
        if (one["engine"] != engine->name) continue;
        const bool found = one["found"];
        if (found && one["cpu_seconds"].get<double>() <= goal) continue;
        table += fmt::format("| {} | {} | {} | {} s | {} |\n", engine->name,
                             printable(row["name"].get<std::string>()),
                             found ? seconds_text(one["cpu_seconds"]) + " s"
                                   : fmt::format("– in {} s", seconds_of(plan, *engine, is_long)),
                             goal, text_of(row["needs"]));
      }
    }
  }
  if (goals.empty()) return "";
  if (table.empty()) table = "| | none | | | |\n";
  return fmt::format(
      "\n## Slower than the goal\n\nThe goals: {}.\n\n"
      "| engine | mutant | found after | goal | what a run has to hit |\n|---|---|---|---|---|\n{}",
      goals, table);
}

}  // namespace

std::string engine_text(const Json& engine) {
  const std::string name = engine["engine"];
  if (!engine["found"].get<bool>()) return name + " -" + share_text(engine);
  return fmt::format("{} {}{} {} s, {} operations{}", name, engine["rule"].get<std::string>(),
                     engine["promised"] == false ? " (not the rule promised)" : "",
                     seconds_text(engine["cpu_seconds"]), engine["operations"].get<std::uint64_t>(),
                     share_text(engine));
}

std::string mutants_table(const Json& rows) {
  std::string text = fmt::format("{:<44} {:<15} {:<9} {:<28} {:>9} {:>10}\n", "mutant", "status",
                                 "engine", "rule", "CPU s", "operations");
  std::map<std::string, std::size_t> counts;
  for (const Json& row : rows) {
    ++counts[row["status"]];
    const std::string name = printable(row["name"].get<std::string>()), status = row["status"];
    const std::string head = fmt::format("{:<44} {:<15}", name, status);
    if (row["engines"].empty()) text += fmt::format("{:<44} {}\n", name, status);
    for (const Json& engine : row["engines"]) {
      const bool found = engine["found"];
      text +=
          fmt::format("{} {:<9} {:<28} {:>9} {:>10}{}\n", head, engine["engine"].get<std::string>(),
                      text_of(engine["rule"]), found ? seconds_text(engine["cpu_seconds"]) : "-",
                      found ? std::to_string(engine["operations"].get<std::uint64_t>()) : "-",
                      share_text(engine));
    }
    if (const std::string note = row["note"]; !note.empty())
      text += fmt::format("  {}\n", printable(note));
  }
  std::string sum;
  for (const auto& [status, count] : counts)
    sum += fmt::format("{}{} {}", sum.empty() ? "" : ", ", count, status);
  return text + sum + "\n";
}

std::string mutants_page(const Json& rows, const MutantsPlan& plan) {
  std::string engines, list, head = "| mutant | rule promised |", line = "|---|---|";
  for (const MutantEngine* engine : plan.engines) {
    engines += (engines.empty() ? "" : ",") + std::string(engine->name);
    list += fmt::format("- `{}`: {}\n", engine->name, engine->meaning);
    head += fmt::format(" {} |", engine->name);
    line += "---|";
  }
  std::string page = fmt::format(
      "# Which engine finds which planted bug, and how soon?\n\n"
      "A cell holds the CPU seconds of the search until the first rule broke (building and\n"
      "minimizing not counted), and the operations that minimizing left. `–`: not found within {} "
      "s,\n"
      "or within its engine's goal for a bug that needs a long trace, where that is more.\n"
      "Every engine begins with nothing; of {} seeds the cell is the median one's. Where a rule "
      "is\n"
      "named, it is another one than the patch promised.\n\n{}\n"
      "Measured on {}, {} cores; {}. Written by\n`allocheck mutants{}{} --engine {} --budget {} "
      "--seeds "
      "{} --markdown`.\n\n{}\n{}\n",
      plan.budget, plan.seeds, list, cpu_model(), std::thread::hardware_concurrency(), compiler,
      plan.asked.empty() ? "" : " ", printable(plan.asked), engines, plan.budget, plan.seeds, head,
      line);
  for (const Json& row : rows) {
    page += fmt::format("| {} | {} |", printable(row["name"].get<std::string>()),
                        text_of(row["promised"]));
    if (row["engines"].empty())
      for (std::size_t i = 0; i < plan.engines.size(); ++i)
        page += fmt::format(" {} |", row["status"].get<std::string>());
    for (const Json& engine : row["engines"]) {
      const bool other = engine["promised"] == false;
      page += engine["found"].get<bool>()
                  ? fmt::format(" {} s, {}{}{} |", seconds_text(engine["cpu_seconds"]),
                                engine["operations"].get<std::uint64_t>(),
                                other ? ", " + engine["rule"].get<std::string>() : "",
                                share_text(engine))
                  : fmt::format(" –{} |", share_text(engine));
    }
    page += "\n";
  }
  return page + slower_than_the_goal(rows, plan);
}

}  // namespace cli
