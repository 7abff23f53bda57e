// Checks what was asked, searches, and sums up.
#include "fuzz/cli/fuzz_verb.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <random>

#include "fuzz/cli/fuzz_files.hpp"
#include "fuzz/cli/fuzz_resume.hpp"
#include "fuzz/cli/fuzz_search.hpp"
#include "fuzz/cli/json.hpp"
#include "fuzz/cli/output.hpp"
#include "fuzz/cli/reach_output.hpp"
#include "fuzz/cli/report.hpp"
#include "fuzz/cli/trace_file.hpp"
#include "props/core/machine_line.hpp"

namespace cli {
namespace {

template <class T>
using Wanted = std::expected<T, std::string>;  // the error is what to tell the user

Wanted<std::vector<const fuzz::Layer*>> wanted_layers(const std::vector<std::string>& names) {
  std::vector<const fuzz::Layer*> layers;
  std::string all;
  for (const fuzz::Layer& layer : fuzz::layers()) {
    all += (all.empty() ? "" : ", ") + std::string(layer.name);
    if (names.empty()) layers.push_back(&layer);
  }
  for (const std::string& name : names) {
    const fuzz::Layer* layer = fuzz::find_layer(name);
    if (layer == nullptr)
      return std::unexpected(fmt::format("unknown layer '{}'; expected one of: {}", name, all));
    if (std::ranges::find(layers, layer) == layers.end()) layers.push_back(layer);
  }
  return layers;
}

Wanted<double> wanted_seconds(std::string_view text) {
  constexpr double most = 1e7;
  const auto wrong = [&] {
    return std::unexpected(fmt::format(
        "bad --time '{}'; expected seconds, or a number with s, m or h, as in 90s", text));
  };
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || n == 0) return wrong();
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  double seconds = static_cast<double>(n);
  if (unit == "m") seconds *= 60;
  else if (unit == "h") seconds *= 3600;
  else if (unit != "s" && !unit.empty()) return wrong();
  return std::min(seconds, most);
}

std::optional<std::string> choose_engines(std::string_view text, SearchPlan& plan) {
  plan.swarm = true;
  plan.libfuzzer = plan.by_clock();
  if (text.empty()) return std::nullopt;
  plan.swarm = plan.libfuzzer = false;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    if (word == "swarm" || word == "uniform") {
      if (plan.swarm && plan.uniform != (word == "uniform"))
        return "swarm and uniform exclude each other; expected one of them";
      plan.swarm = true;
      plan.uniform = word == "uniform";
    } else if (word == "libfuzzer") plan.libfuzzer = plan.asked_libfuzzer = true;
    else
      return fmt::format("unknown engine '{}'; expected swarm, uniform or libfuzzer, joined by ','",
                         word);
    at = end + 1;
  }
  return std::nullopt;
}

std::optional<std::string> choose_length(const FuzzOptions& options, SearchPlan& plan) {
  if ((options.runs || options.operations) && !options.time.empty())
    return "--time excludes --runs and --operations; expected one or the other";
  if (options.runs && *options.runs == 0) return "bad --runs 0; expected 1 or more";
  if (options.operations && *options.operations == 0)
    return "bad --operations 0; expected 1 or more";
  plan.runs = options.runs.value_or(0);
  plan.operations = options.operations.value_or(0);
  plan.first_run = options.first_run;
  return std::nullopt;
}

std::optional<std::string> choose_judging(const FuzzOptions& options, SearchPlan& plan) {
  const auto at = std::ranges::find(fuzz::judge_names, options.judge);
  if (at == fuzz::judge_names.end())
    return fmt::format("bad --judge '{}'; expected mixed, quick or full", options.judge);
  plan.judge = static_cast<fuzz::Judge>(at - fuzz::judge_names.begin());
  plan.require_reach = options.require_reach;
  const bool needs_swarm = plan.require_reach || options.reach_markdown;
  if (needs_swarm && !plan.swarm)
    return "only the swarm counts what it reaches; expected --engine swarm";
  return std::nullopt;
}

Wanted<ref::core::Config> wanted_machine(std::string_view line) {
  constexpr std::string_view word = "machine ";
  if (line.starts_with(word)) line.remove_prefix(word.size());
  auto machine = props::parse_machine(line);
  if (machine) return *machine;
  return std::unexpected(fmt::format("--machine:1:{}: {}; expected {}", machine.error().at + 1,
                                     machine.error().what, machine.error().expected));
}

Wanted<SearchPlan> plan_of(const FuzzOptions& options) {
  SearchPlan plan;
  auto layers = wanted_layers(options.layers);
  if (!layers) return std::unexpected(layers.error());
  plan.layers = std::move(*layers);
  if (auto bad = choose_length(options, plan)) return std::unexpected(*bad);
  const auto seconds = wanted_seconds(options.time.empty() ? "60" : options.time);
  if (!seconds) return std::unexpected(seconds.error());
  plan.seconds = *seconds;
  if (auto bad = choose_engines(options.engines, plan)) return std::unexpected(*bad);
  if (auto bad = choose_judging(options, plan)) return std::unexpected(*bad);
  plan.stop_at_first = options.stop_at_first;
  plan.seeds = !options.no_seeds;
  if (!options.machine.empty()) {
    const auto machine = wanted_machine(options.machine);
    if (!machine) return std::unexpected(machine.error());
    plan.machine = *machine;
    if (plan.asked_libfuzzer)
      return std::unexpected(
          std::string("--machine does not bind libfuzzer, which draws machines itself; expected "
                      "--engine swarm"));
    plan.libfuzzer = false;
  }
  std::random_device chance;
  plan.seed = options.seed.value_or(std::uint64_t{chance()} << 32 | chance());
  return plan;
}

// What is asked for, as it will be kept.
SearchState state_of(const SearchPlan& plan, const FuzzOptions& options) {
  SearchState state{plan.seed,
                    plan.runs,
                    plan.operations,
                    plan.first_run,
                    static_cast<unsigned>(plan.judge),
                    plan.require_reach,
                    plan.seconds,
                    plan.swarm,
                    plan.libfuzzer,
                    plan.asked_libfuzzer,
                    plan.machine ? props::print_machine(*plan.machine) : "",
                    std::filesystem::absolute(options.out).string(),
                    {},
                    {}};
  for (const fuzz::Layer* layer : plan.layers) {
    LayerState one;
    one.name = layer->name;
    one.identity = identity_of(*layer);
    state.layers.push_back(std::move(one));
  }
  return state;
}

// A search to be made, from its beginning or from where it stood.
struct Work {
  SearchPlan plan;
  SearchState state;
  std::filesystem::path kept;
};

Wanted<Work> begin(const FuzzOptions& options) {
  const auto plan = plan_of(options);
  if (!plan) return std::unexpected(plan.error());
  return Work{*plan, state_of(*plan, options),
              resume_directory(options.out, plan->seed, plan->first_run)};
}

Wanted<Work> go_on(const FuzzOptions& options) {
  if (!options.layers.empty() || !options.time.empty() || options.runs || options.operations ||
      options.first_run != 0 || options.seed || options.judge != "mixed" || options.require_reach ||
      !options.engines.empty() || !options.machine.empty())
    return std::unexpected(
        std::string("--resume goes on with a search as it was asked for; expected only --out, "
                    "--json and --reach-markdown beside it"));
  Work work;
  work.kept = options.resume_from.empty() ? newest_resume(options.out)
                                          : std::filesystem::path(options.resume_from);
  if (work.kept.empty())
    return std::unexpected(fmt::format(
        "{}/.resume holds no interrupted search; expected --resume DIR, or another --out",
        options.out));
  auto state = read_state(work.kept);
  if (!state) return std::unexpected(state.error());
  work.state = std::move(*state);
  const SearchState& s = work.state;
  SearchPlan& plan = work.plan;
  plan.seed = s.seed, plan.runs = s.runs, plan.seconds = s.seconds;
  plan.operations = s.operations, plan.first_run = s.first_run;
  plan.judge = static_cast<fuzz::Judge>(s.judge), plan.require_reach = s.require_reach;
  plan.swarm = s.swarm, plan.libfuzzer = s.libfuzzer, plan.asked_libfuzzer = s.asked_libfuzzer;
  for (const LayerState& layer : s.layers) plan.layers.push_back(fuzz::find_layer(layer.name));
  if (!s.machine.empty()) {
    const auto machine = wanted_machine(s.machine);
    if (!machine) return std::unexpected(machine.error());
    plan.machine = *machine;
  }
  return work;
}

std::string resume_command(const Work& work) {
  return fmt::format("allocheck fuzz --resume {}", shell_word(work.kept.string()));
}

std::string command_of(const FuzzOptions& options, std::uint64_t seed) {
  std::string command = "allocheck fuzz";
  for (const std::string& layer : options.layers) command += " " + shell_word(layer);
  command += fmt::format(" --seed {}", seed);
  if (options.runs) command += fmt::format(" --runs {}", *options.runs);
  if (options.operations) command += fmt::format(" --operations {}", *options.operations);
  if (options.first_run != 0) command += fmt::format(" --first-run {}", options.first_run);
  if (options.judge != "mixed") command += " --judge " + options.judge;
  if (options.require_reach) command += " --require-reach";
  if (!options.time.empty()) command += " --time " + shell_word(options.time);
  if (!options.engines.empty()) command += " --engine " + shell_word(options.engines);
  if (options.stop_at_first) command += " --stop-at-first";
  if (options.no_seeds) command += " --no-seeds";
  if (!options.machine.empty()) command += " --machine " + shell_word(options.machine);
  if (options.out != "failures") command += " --out " + shell_word(options.out);
  return command;
}

// The sums of all layers.
struct Totals {
  std::uint64_t runs = 0, operations = 0, executions = 0;
  ref::core::Hash digest;
  std::vector<std::string> engines;
};

Totals totals_of(const Search& search) {
  Totals all;
  bool swarm = false, libfuzzer = false;
  for (const LayerOutcome& o : search.outcomes()) {
    all.runs += o.swarm.runs;
    all.operations += o.swarm.operations;
    all.digest += o.swarm.digest;
    all.executions += o.libfuzzer.executions;
    swarm = swarm || o.used_swarm;
    libfuzzer = libfuzzer || o.used_libfuzzer;
  }
  if (swarm) all.engines.emplace_back(search.plan().swarm_name());
  if (libfuzzer) all.engines.emplace_back("libfuzzer");
  return all;
}

// What a search that is held to it left untested, by layer.
std::vector<std::string> unreached(const Search& search, const SearchPlan& plan) {
  std::vector<std::string> all;
  if (!plan.require_reach) return all;
  const auto* machine = plan.machine ? &*plan.machine : nullptr;
  for (const LayerOutcome& o : search.outcomes())
    for (const std::string& name : fuzz::unreached(o.swarm.reach, machine))
      all.push_back(fmt::format("{}: {}", o.layer->name, name));
  return all;
}

int exit_code(const Search& search, const SearchPlan& plan) {
  if (!search.hunt().error().empty()) return exit_cannot_test;
  if (!search.hunt().catches().empty()) return exit_violation;
  if (interrupted()) return exit_interrupted;
  if (!unreached(search, plan).empty()) return exit_violation;
  // Every engine that was asked for is missing.
  return totals_of(search).engines.empty() ? exit_cannot_test : exit_clean;
}

void print_json(const Search& search, const SearchPlan& plan, const std::string& kept) {
  const Totals all = totals_of(search);
  Json json;
  json["seed"] = plan.seed;
  json["layers"] = Json::array();
  json["engines"] = all.engines;
  json["runs"] = all.runs;
  json["operations"] = all.operations;
  json["digest"] = fuzz::hex_of(all.digest);
  json["executions"] = all.executions;
  json["seconds"] = search.seconds();
  for (const char* part : {"reach", "reach_by_era", "skip_rate"}) json[part] = Json::object();
  json["judge"] = fuzz::judge_names[static_cast<std::size_t>(plan.judge)];
  json["unreached"] = unreached(search, plan);
  json["coverage"] = Json::object();
  for (const LayerOutcome& o : search.outcomes()) {
    json["layers"].push_back(o.layer->name);
    const std::string name(o.layer->name);
    json["reach"][name] = reach_json(o.swarm.reach);
    json["reach_by_era"][name] = reach_by_era_json(o.swarm.reach);
    json["skip_rate"][name] = skip_rate_json(o.swarm.reach);
    json["coverage"][std::string(o.layer->name)] = o.libfuzzer.coverage;
  }
  const auto first = search.first_violation_cpu_seconds();
  json["first_violation_cpu_seconds"] = first ? Json(*first) : Json(nullptr);
  json["violations"] = Json::array();
  for (const fuzz::Catch& one : search.hunt().catches())
    json["violations"].push_back({{"rule", one.rule},
                                  {"layer", one.layer->name},
                                  {"engine", one.engine},
                                  {"directory", one.directory.string()},
                                  {"steps", one.steps},
                                  {"count", one.count},
                                  {"reproduced", one.reproduced},
                                  {"note", one.note}});
  json["notes"] = search.notes();
  json["interrupted"] = interrupted();
  std::error_code ignored;
  json["resume"] = std::filesystem::exists(kept, ignored) ? Json(kept) : Json(nullptr);
  json["exit"] = exit_code(search, plan);
  say(dump(json));
}

void print_outcome(const LayerOutcome& o, std::string_view swarm_name) {
  if (o.used_swarm) {
    say(fmt::format("{}: {}: {} runs, {} operations in {:.1f} s\n", o.layer->name, swarm_name,
                    grouped(o.swarm.runs), grouped(o.swarm.operations), o.swarm.seconds));
    say(fmt::format("  digest {}\n  reached {}\n", fuzz::hex_of(o.swarm.digest),
                    o.swarm.reach.line));
    say(reach_text(o.swarm.reach));
  }
  if (o.used_libfuzzer)
    say(fmt::format("{}: libfuzzer: {} executions in {:.1f} s, {} edges\n", o.layer->name,
                    grouped(o.libfuzzer.executions), o.libfuzzer.seconds,
                    grouped(o.libfuzzer.coverage)));
}

void print_for_people(const Search& search) {
  for (const LayerOutcome& outcome : search.outcomes())
    print_outcome(outcome, search.plan().swarm_name());
  for (const fuzz::Catch& one : search.hunt().catches()) {
    const std::string replay =
        replay_command({.file = trace_path(one), .bytes = false, .layer = "", .machine = ""});
    say(fmt::format("\n{}  ({} steps, found {} times by {})\n", one.directory.string(), one.steps,
                    grouped(one.count), one.engine));
    if (!one.note.empty()) say(fmt::format("note: {}\n", one.note));
    say(report_text(one.result, replay, wants_colour(stdout)));
  }
  if (totals_of(search).engines.empty()) return;  // nothing was searched
  const std::size_t found = search.hunt().catches().size();
  say(found == 0 ? std::string("nothing found\n")
                 : fmt::format("\n{} distinct violation{}\n", found, found == 1 ? "" : "s"));
}

void print_reach_page(const Search& search, const std::string& command) {
  say(reach_page_head(command));
  for (const LayerOutcome& o : search.outcomes())
    say("\n" + fuzz::reach_markdown(o.swarm.reach, o.layer->name));
}

}  // namespace

int fuzz_verb(const FuzzOptions& options) {
  auto work = options.resume ? go_on(options) : begin(options);
  if (!work) {
    complain(work.error());
    return exit_cannot_test;
  }
  const std::string out = options.resume ? work->state.out : options.out;
  const fuzz::Failures failures(out);
  if (const auto bad = failures.prepare()) {
    complain(fmt::format("{}; expected a directory for --out that can be written", *bad));
    return exit_cannot_test;
  }
  // First of all: a hang of ours must not lose it.
  const std::uint64_t seed = work->plan.seed;
  complain(fmt::format("seed {} (once more: {})", seed,
                       options.resume ? resume_command(*work) : command_of(options, seed)));
  notice_interrupts();
  Search search(work->plan, failures, work->kept, work->state);
  search.run();
  const int code = exit_code(search, work->plan);
  if (options.json) print_json(search, work->plan, work->kept.string());
  else if (options.reach_markdown) print_reach_page(search, command_of(options, seed));
  else print_for_people(search);
  std::fflush(stdout);
  for (const std::string& name : unreached(search, work->plan))
    complain(fmt::format("RUN-REACH: never {}; expected once at least in such a search", name));
  if (!search.hunt().error().empty())
    complain(fmt::format("{}; expected room in {}", search.hunt().error(), out));
  if (interrupted()) complain(fmt::format("interrupted; to go on: {}", resume_command(*work)));
  return code;
}

}  // namespace cli
