// Makes a trace of the corpus.
#include "fuzz/cli/promote_verb.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "fuzz/cli/json.hpp"
#include "fuzz/cli/new_file.hpp"
#include "fuzz/cli/output.hpp"
#include "fuzz/cli/register.hpp"
#include "fuzz/cli/report.hpp"
#include "fuzz/cli/trace_file.hpp"

namespace cli {
namespace {

namespace fs = std::filesystem;

// What is to be written, and where.
struct Promotion {
  std::string file;  // the trace that was taken
  std::string rule;  // the one it broke when it was found; "" when nobody knows
  bool still_broken = false;
  std::string path, text;
};
using Refusal = std::string;
template <class T>
using Step = std::expected<T, Refusal>;

Step<std::string> trace_in(const std::string& from) {
  std::error_code ignored;
  if (!fs::is_directory(from, ignored)) return from;
  for (const char* name : {"minimized.trace", "found.trace"})
    if (const fs::path file = fs::path(from) / name; fs::is_regular_file(file, ignored))
      return file.string();
  return std::unexpected(
      fmt::format("{}: no trace in this folder; expected minimized.trace or found.trace", from));
}

// failures/BUDDY-COALESCED-1f2e3d4c/ is named for the rule.
std::string rule_of_folder(const std::string& file) {
  const std::string folder = fs::absolute(file).parent_path().filename().string();
  const std::string id = folder.substr(0, folder.rfind('-'));
  return rule_of(id) == nullptr ? "" : id;
}

// The rule that a second run breaks as well, "" when both are clean.
Step<std::string> rule_of_two_runs(const TraceFile& trace, const std::string& file) {
  std::string rules[2];
  for (std::string& rule : rules) {
    const auto run = trace.layer->run(trace.text, true, fuzz::RunLimits{});
    if (!run) return std::unexpected(at_place(file, run.error()).text());
    if (run->end != fuzz::RunResult::End::clean && run->rule.empty())
      return std::unexpected(
          fmt::format("{}: {}; expected a run that ends", file, name_of(exit_code_of(run->end))));
    rule = run->rule;
  }
  if (rules[0] == rules[1]) return rules[0];
  const auto named = [](const std::string& rule) { return rule.empty() ? "nothing" : rule; };
  return std::unexpected(
      fmt::format("{}: the first replay breaks {}, the second {}; expected the same twice", file,
                  named(rules[0]), named(rules[1])));
}

// One line, as a comment must be.
std::string one_line(std::string text) {
  std::ranges::replace_if(text, [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  return text;
}

Step<std::string> sentence_of(const PromoteOptions& options, const std::string& rule,
                              const TraceFile& trace) {
  if (!options.what.empty()) return one_line(options.what);
  if (const props::Rule* known = rule_of(rule))
    return fmt::format("This broke {}: {}", known->id, known->sentence);
  if (!trace.info.comments.empty()) return trace.info.comments.front();
  return std::unexpected(
      fmt::format("{}: nobody knows what was wrong; expected --what \"a sentence\"", options.from));
}

// The canonical text with the sentence on top and the expectation behind the machine.
std::string text_of(const TraceFile& trace, std::string_view sentence, std::string_view expect) {
  const std::string canonical = trace.layer->print_canonical(trace.text);
  const std::size_t head = canonical.find('\n') + 1;
  const std::size_t machine = canonical.find("\nmachine ") + 1;
  const std::size_t steps = canonical.find('\n', machine) + 1;
  std::string comments = canonical.substr(head, machine - head);
  const std::string first = fmt::format("# {}\n", sentence);
  if (comments.starts_with(first)) comments.erase(0, first.size());
  std::string rest = canonical.substr(steps);
  if (!expect.empty() && rest.starts_with("expect ")) rest.erase(0, rest.find('\n') + 1);
  return canonical.substr(0, head) + first + comments + canonical.substr(machine, steps - machine) +
         std::string(expect) + rest;
}

Step<std::string> expect_line(const PromoteOptions& options, const std::string& layer,
                              const std::string& rule) {
  if (options.mutant.empty()) return "";
  if (rule.empty())
    return std::unexpected(fmt::format(
        "{}: --mutant needs the rule that it breaks, and this trace breaks none here; expected a "
        "folder named for its rule, as `allocheck fuzz` leaves it",
        options.from));
  return fmt::format("expect mutant:{}/{} {}\n", layer, options.mutant, rule);
}

Step<std::string> target_of(const PromoteOptions& options, const std::string& layer) {
  const fs::path row = fs::path(options.corpus) / layer;
  std::error_code error;
  if (!fs::is_directory(row, error))
    return std::unexpected(fmt::format(
        "{}: no such folder; expected the project's root as working folder, or --corpus",
        row.string()));
  const fs::path path = row / "regressions" / (options.name + ".trace");
  if (fs::exists(fs::symlink_status(path, error)))
    return std::unexpected(
        fmt::format("{}: is there already; expected a name that is new", path.string()));
  return path.string();
}

Step<Promotion> prepare(const PromoteOptions& options) {
  const auto file = trace_in(options.from);
  if (!file) return std::unexpected(file.error());
  const auto trace = load_trace({*file, false, "", ""});
  if (!trace) return std::unexpected(trace.error().text());
  const std::string layer = options.layer.empty() ? std::string(trace->layer->name) : options.layer;
  const auto target = target_of(options, layer);
  if (!target) return std::unexpected(target.error());
  const auto broken = rule_of_two_runs(*trace, *file);
  if (!broken) return std::unexpected(broken.error());
  const std::string rule = broken->empty() ? rule_of_folder(*file) : *broken;
  const auto sentence = sentence_of(options, rule, *trace);
  if (!sentence) return std::unexpected(sentence.error());
  const auto expect = expect_line(options, layer, rule);
  if (!expect) return std::unexpected(expect.error());
  return Promotion{*file, rule, !broken->empty(), *target, text_of(*trace, *sentence, *expect)};
}

void print(const Promotion& done, const PromoteOptions& options) {
  if (options.json) {
    Json json;
    json["from"] = done.file;
    json["path"] = done.path;
    json["rule"] = done.rule.empty() ? Json(nullptr) : Json(done.rule);
    json["still_broken"] = done.still_broken;
    json["error"] = nullptr;
    say(dump(json));
    return;
  }
  say(fmt::format("wrote {}\n", printable(done.path)));
  if (done.still_broken)
    say(fmt::format("It still breaks {} here: commit it together with what mends that.\n",
                    done.rule));
  else say("It runs clean here, as a regression should: commit it.\n");
  say(fmt::format("  git add {}\n  git commit -m {}\n", shell_word(done.path),
                  shell_word("Remember " + options.name)));
}

}  // namespace

int promote_verb(const PromoteOptions& options) {
  auto done = prepare(options);
  if (done) {
    std::error_code ignored;  // then writing fails, and says why
    fs::create_directory(fs::path(done->path).parent_path(), ignored);
    if (std::string error = write_new_file(done->path, done->text); !error.empty())
      done = std::unexpected(std::move(error));
  }
  if (!done) {
    if (options.json) say(dump({{"from", options.from}, {"error", {{"what", done.error()}}}}));
    complain(done.error());
    return exit_cannot_test;
  }
  print(*done, options);
  return exit_clean;
}

}  // namespace cli
