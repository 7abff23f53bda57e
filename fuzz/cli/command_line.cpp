// Declares the verbs.
#include "fuzz/cli/command_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "fuzz/cli/check_verb.hpp"
#include "fuzz/cli/corpus_verb.hpp"
#include "fuzz/cli/exit_codes.hpp"
#include "fuzz/cli/explain_verb.hpp"
#include "fuzz/cli/fuzz_verb.hpp"
#include "fuzz/cli/judge_verb.hpp"
#include "fuzz/cli/minimize_verb.hpp"
#include "fuzz/cli/mutant_engines.hpp"
#include "fuzz/cli/mutant_status.hpp"
#include "fuzz/cli/mutants_verb.hpp"
#include "fuzz/cli/output.hpp"
#include "fuzz/cli/promote_verb.hpp"
#include "fuzz/cli/replay_verb.hpp"
#include "fuzz/cli/rules_verb.hpp"
#include "fuzz/cli/show_verb.hpp"
#include "fuzz/engine/layers.hpp"

namespace cli {
namespace {

constexpr const char* version_text = "allocheck " ALLOCHECK_VERSION;

std::string layer_names() {
  std::string names;
  for (const fuzz::Layer& layer : fuzz::layers())
    names += (names.empty() ? "" : " ") + std::string(layer.name);
  return names;
}

// Checks of single options answer what is wrong, "" if nothing.
std::string layer_error(const std::string& name) {
  if (fuzz::find_layer(name) != nullptr) return "";
  return fmt::format("no layer '{}'; expected one of: {}", name, layer_names());
}

// CLI11 takes -1 for a very large number, and '' for none.
std::string count_error(const std::string& number) {
  if (!number.empty() && number.find_first_not_of("0123456789") == number.npos) return "";
  return fmt::format("bad number '{}'; expected decimal digits", number);
}

std::string name_error(const std::string& name) {
  constexpr const char* allowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
  if (!name.empty() && name.find_first_not_of(allowed) == name.npos && name.front() != '-')
    return "";
  return fmt::format("bad name '{}'; expected small letters, digits and inner dashes", name);
}

std::string stages_help() {
  std::string text = "Stages, until none finds anything smaller:\n";
  for (const fuzz::StageRow& row : fuzz::stage_table)
    text += fmt::format("  {:<10} {}\n", row.name, row.help);
  return text;
}

// What `--bytes`, `--layer` and `--machine` say about a trace.
void add_source_options(CLI::App& verb, TraceSource& source) {
  verb.add_flag("--bytes", source.bytes, "the file is a raw input of a fuzzer, no text");
  verb.add_option("--layer", source.layer, "with --bytes: whose input; default: the first layer's")
      ->check(layer_error);
  verb.add_option("--machine", source.machine,
                  "run on this machine instead, e.g. 'era=linux-6.1 zones=NORMAL:64'; answers in "
                  "the trace are then not compared");
}

}  // namespace

CommandLine::CommandLine() : app_("Is this memory allocator right?", "allocheck") {
  app_.set_version_flag("--version", version_text);
  app_.footer("Exit codes:\n" + exit_code_text());
  add_fuzz();
  add_check();
  add_replay();
  add_minimize();
  add_explain();
  add_judge();
  add_rules();
  add_show();
  add_promote();
  add_corpus();
  add_mutants();
}

CLI::App& CommandLine::verb(const std::string& name, const std::string& help) {
  CLI::App& verb = *app_.add_subcommand(name, help);
  verb.set_version_flag("--version", version_text);
  verb.add_flag("--json", json_, "one JSON object on stdout; fuzz/cli/schema.json describes it");
  return verb;
}

void CommandLine::add_fuzz() {
  auto options = std::make_shared<FuzzOptions>();
  CLI::App& verb = this->verb("fuzz", "Searches for broken rules, and keeps what it finds.");
  verb.add_option("LAYER", options->layers,
                  "layers to search, of: " + layer_names() + "; default: all")
      ->check(layer_error);
  CLI::Option* time =
      verb.add_option("--time", options->time, "for so long in total: 90, 90s, 15m, 2h");
  verb.add_option("--runs", options->runs, "so many runs, and the same result for the same seed")
      ->check(count_error)
      ->excludes(time);
  verb.add_option("--operations", options->operations,
                  "ends with the run that makes so many steps; repeats as --runs does")
      ->check(count_error)
      ->excludes(time);
  verb.add_option("--first-run", options->first_run, "begins with this run of the seed's")
      ->check(count_error);
  verb.add_option("--judge", options->judge,
                  "quick: answers only; full: every rule after every step; mixed: mostly quick")
      ->capture_default_str();
  verb.add_flag("--require-reach", options->require_reach,
                "exit 1 if something that such a search must reach was not (fuzz/REACH.md)");
  verb.add_flag("--reach-markdown", options->reach_markdown, "prints the page fuzz/REACH.md");
  verb.add_option("--seed", options->seed, "repeats the search that printed it")
      ->check(count_error);
  verb.add_option("--engine", options->engines,
                  "swarm, libfuzzer, or both with a comma between; uniform: the swarm without its "
                  "weights, for comparison");
  verb.add_flag("--stop-at-first", options->stop_at_first,
                "end the search at the first violation; minimizing it may then take as long again");
  verb.add_flag("--no-seeds", options->no_seeds, "libfuzzer begins with an empty corpus");
  verb.add_option("--machine", options->machine,
                  "search this machine only, e.g. 'era=linux-6.1 zones=NORMAL:64'");
  verb.add_option("--out", options->out, "where findings go")->capture_default_str();
  CLI::Option* resume =
      verb.add_option("--resume", options->resume_from,
                      "go on with an interrupted search: its folder, or nothing for the newest "
                      "below --out")
          ->expected(0, 1)
          ->type_name("[DIR]");
  verb.callback([this, options, resume] {
    options->resume = resume->count() > 0;
    work_ = [this, options] {
      options->json = json_;
      return fuzz_verb(*options);
    };
  });
}

void CommandLine::add_check() {
  auto options = std::make_shared<CheckVerbOptions>();
  CLI::App& verb = this->verb("check", "Draws traces, and asks of each whether properties hold.");
  verb.add_option("LAYER", options->layers,
                  "layers to check, of: " + layer_names() + "; default: all")
      ->check(layer_error);
  verb.add_option("--property", options->property,
                  "only those with this in their id or sentence; see --list");
  verb.add_option("--seed", options->seed, "repeats the check that printed it")->check(count_error);
  verb.add_option("--runs", options->runs,
                  "so many cases of each property, the same for the same seed; default: 100")
      ->check(count_error);
  verb.add_option("--time", options->time,
                  "round after round for so long in total: 90, 90s, 15m, 2h");
  verb.add_option("--out", options->out, "where findings go")->capture_default_str();
  verb.add_flag("--stop-at-first", options->stop_at_first, "ends at the first that is falsified");
  verb.add_flag("--list", options->list, "lists the properties, and checks nothing");
  verb.callback([this, options] {
    work_ = [this, options] {
      options->json = json_;
      return check_verb(*options);
    };
  });
}

void CommandLine::add_replay() {
  struct Options {
    ReplayOptions replay;
    TraceSource source;
  };
  auto options = std::make_shared<Options>();
  CLI::App& verb = this->verb("replay", "Runs traces again: does every rule hold?");
  verb.add_option("FILE", options->replay.paths, "traces, and folders of traces")->required();
  add_source_options(verb, options->source);
  verb.add_option("--jobs", options->replay.jobs, "how many run at a time")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  verb.callback([this, options] {
    work_ = [this, options] {
      ReplayOptions replay = options->replay;
      replay.bytes = options->source.bytes;
      replay.layer = options->source.layer;
      replay.machine = options->source.machine;
      replay.json = json_;
      return replay_verb(replay);
    };
  });
}

void CommandLine::add_minimize() {
  auto options = std::make_shared<MinimizeVerbOptions>();
  CLI::App& verb = this->verb("minimize", "Makes the smallest trace that breaks the same rule.");
  CLI::Option* file = verb.add_option("FILE", options->source.file, "a trace that breaks a rule");
  add_source_options(verb, options->source);
  verb.add_option("--out", options->out, "where it goes; default: stdout");
  verb.add_option("--budget", options->budget,
                  "executed steps to spend before the search; default: two millions")
      ->check(count_error);
  verb.add_option(
          "--search", options->search,
          "executed steps to spend on the search for a shorter one; default: half a million")
      ->check(count_error);
  CLI::Option* state = verb.add_option(
      "--state", options->state, "keeps what is known in this file, and goes on if it is there");
  CLI::Option* resume =
      verb.add_option("--resume", options->resume, "goes on from a state file, instead of a trace");
  resume->excludes(file)->excludes(state);
  verb.add_flag("--stages", options->stages,
                "a table of what each stage left, instead of the trace");
  verb.footer(stages_help() + "\nExit codes:\n" + exit_code_text());
  verb.callback([this, options] {
    work_ = [this, options] {
      options->json = json_;
      return minimize_verb(*options);
    };
  });
}

void CommandLine::add_explain() {
  auto source = std::make_shared<TraceSource>();
  CLI::App& verb =
      this->verb("explain", "Tells a trace step by step, and what breaks in it, in Markdown.");
  verb.add_option("FILE", source->file, "a trace")->required();
  add_source_options(verb, *source);
  verb.callback(
      [this, source] { work_ = [this, source] { return explain_verb(*source, json_); }; });
}

void CommandLine::add_judge() {
  auto options = std::make_shared<JudgeOptions>();
  CLI::App& verb = this->verb("judge", "Judges pages and objects recorded from a running kernel.");
  verb.add_option("FILE", options->file, "a recording, plain or .xz; - reads stdin")->required();
  verb.add_option("--classes", options->classes, classes_help())
      ->check(classes_error)
      ->capture_default_str();
  verb.callback([this, options] { work_ = [=, this] { return judge_verb(*options, json_); }; });
}

void CommandLine::add_rules() {
  auto options = std::make_shared<RulesOptions>();
  CLI::App& verb = this->verb("rules", "Lists the rules, or tells everything about one.");
  verb.add_option("ID", options->id, "a rule");
  verb.add_option("--layer", options->layer, "only rules of this layer");
  verb.add_flag("--markdown", options->markdown, "the catalogue, as props/RULES.md has it");
  verb.callback([this, options] {
    work_ = [this, options] {
      options->json = json_;
      return rules_verb(*options);
    };
  });
}

void CommandLine::add_show() {
  auto options = std::make_shared<ShowOptions>();
  CLI::App& verb =
      this->verb("show", "Shows what the reference holds at a trace's end, or a table.");
  std::string topics;
  for (const ShowTopic& topic : show_topics())
    topics += fmt::format("{}{}{}: {}", topics.empty() ? "" : "\n", topic.name,
                          operand_of(topic.from), topic.help);
  verb.add_option("WHAT", options->what, topics)->required();
  verb.add_option("TRACE", options->source.file, "a trace");
  verb.add_flag("--markdown", options->markdown, "operations: the whole page, as props/TRACE.md");
  verb.add_flag("--svg", options->svg, "waste, window: as a figure");
  add_source_options(verb, options->source);
  verb.callback([this, options] {
    work_ = [this, options] {
      options->json = json_;
      return show_verb(*options);
    };
  });
}

void CommandLine::add_promote() {
  auto options = std::make_shared<PromoteOptions>();
  CLI::App& verb = this->verb("promote", "Makes a failure a regression trace of the corpus.");
  verb.add_option("FROM", options->from, "a folder below failures/, or a trace")->required();
  verb.add_option("--name", options->name, "of the new trace: what was wrong, in a few words")
      ->required()
      ->check(name_error);
  verb.add_option("--what", options->what, "the sentence at its top; default: from the rule");
  verb.add_option("--layer", options->layer, "default: the trace's")->check(layer_error);
  verb.add_option("--corpus", options->corpus, "the corpus")->capture_default_str();
  verb.add_option("--mutant", options->mutant,
                  "a mutant of that layer which breaks the rule on this trace: adds an expect line")
      ->check(name_error);
  verb.callback([this, options] {
    work_ = [this, options] {
      options->json = json_;
      return promote_verb(*options);
    };
  });
}

void CommandLine::add_corpus() {
  auto options = std::make_shared<CorpusOptions>();
  CLI::App& verb =
      this->verb("corpus", "Converts a corpus between text traces and raw inputs of a fuzzer.");
  std::string help;
  std::vector<std::string> names;
  for (const CorpusTask& task : corpus_tasks) {
    help += fmt::format("{}{}: {}", help.empty() ? "" : "\n", task.name, task.help);
    names.emplace_back(task.name);
  }
  verb.add_option("WHAT", options->what, help)->required()->check([names](const std::string& what) {
    if (std::ranges::find(names, what) != names.end()) return std::string();
    return fmt::format("no '{}'; expected {}", what, fmt::join(names, " or "));
  });
  verb.add_option("FROM", options->from, "a file, or a folder of them")->required();
  verb.add_option("TO", options->to, "a folder; each file is named by its hash")->required();
  verb.add_option("--layer", options->layer, "whose inputs; default: the first layer's")
      ->check(layer_error);
  verb.callback([this, options] {
    work_ = [this, options] {
      options->json = json_;
      return corpus_verb(*options);
    };
  });
}

void CommandLine::add_mutants() {
  auto options = std::make_shared<MutantsOptions>();
  CLI::App& verb =
      this->verb("mutants", "Plants bugs in copies of the reference: which engine finds which?");
  verb.add_option("DIR", options->directory,
                  "a folder of patches, or one; default: props/mutants of the sources");
  verb.add_option("--engine", options->engines, "engines, with commas between")
      ->capture_default_str();
  const auto number = [&](const char* name, std::uint64_t& value, const char* help) {
    verb.add_option(name, value, help)->check(count_error)->capture_default_str();
  };
  number("--budget", options->budget, "seconds that each search may take, or its goal if more");
  number("--seeds", options->seeds, "searches of each engine; the median counts");
  number("--seed", options->first_seed, "the first one's seed, the next has the next");
  number("--memory", options->memory, "MiB that each search may take");
  verb.add_option("--jobs", options->jobs, "how many mutants at a time")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  verb.add_option("--out", options->out, "keep the minimized traces there");
  verb.add_flag("--markdown", options->markdown, "the matrix, as a layer's MATRIX.md has it");
  verb.footer("Engines:\n" + mutant_engine_text() + "What is said of a mutant:\n" +
              mutant_status_text() + "Exit codes:\n" + exit_code_text());
  verb.callback([this, options] {
    work_ = [this, options] {
      options->json = json_;
      return mutants_verb(*options);
    };
  });
}

std::string CommandLine::verb_names() const {
  std::string names;
  for (const CLI::App* verb : app_.get_subcommands(nullptr))
    names += (names.empty() ? "" : " ") + verb->get_name();
  return names;
}

int CommandLine::usage_error(const std::string& what, const std::string& verb) const {
  // CLI11 ends some sentences and breaks some lines; here one line says it all.
  std::string line = what.substr(0, what.find_last_not_of(" \n.") + 1);
  for (char& c : line)
    if (c == '\n') c = ' ';
  if (line.find("expected") == line.npos || line.find("not expected") != line.npos)
    line +=
        fmt::format("; expected what `allocheck {}--help` says", verb.empty() ? "" : verb + " ");
  complain(line);
  return exit_cannot_test;
}

int CommandLine::run(int argc, const char* const* argv) {
  if (argc < 2) {
    fmt::print(stderr, "{}", app_.help());
    return exit_cannot_test;
  }
  const std::string first = argv[1];
  const bool is_verb =
      !app_.get_subcommands([&](const CLI::App* verb) { return verb->get_name() == first; })
           .empty();
  if (!is_verb && !first.starts_with('-')) {
    complain(fmt::format("unknown verb '{}'; expected one of: {}", first, verb_names()));
    return exit_cannot_test;
  }
  try {
    app_.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // help or version, on stdout
    return app_.exit(asked);
  } catch (const CLI::ParseError& error) { return usage_error(error.what(), is_verb ? first : ""); }
  if (!work_) return usage_error("no verb is given", "");
  return work_();
}

}  // namespace cli
