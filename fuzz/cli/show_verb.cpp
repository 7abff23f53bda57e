// Shows a trace's end, or a table of the command's own.
#include "fuzz/cli/show_verb.hpp"

#include <fmt/format.h>

#include "fuzz/cli/json.hpp"
#include "fuzz/cli/language_page.hpp"
#include "fuzz/cli/output.hpp"
#include "fuzz/cli/report.hpp"
#include "fuzz/cli/show_asked.hpp"

namespace cli {
namespace {

// Sizes beyond which an input is refused, and the largest machine.
struct Size {
  std::string_view name;
  std::uint64_t most;
  std::string_view help;
};
constexpr std::array sizes{
    Size{"trace-bytes", props::trace_bytes_max, "bytes of a trace's file"},
    Size{"trace-steps", props::trace_steps_max, "steps of a trace"},
    Size{"registers", props::PageRegister::count, "registers of a kind: p0 to p63"},
    Size{"zones", ref::core::zones_max, "zones of a machine"},
    Size{"nodes", ref::core::nodes_max, "nodes of a machine"},
    Size{"cpus", ref::core::cpus_max, "CPUs of a machine"},
    Size{"tasks", ref::core::task_count, "tasks of a machine"},
    Size{"orders", ref::core::orders_max, "free lists of a zone"},
    Size{"pages", ref::core::pages_max, "pages of a machine"},
    Size{"frames", ref::core::pfn_end, "frames are numbered below this"},
    Size{"reserved", ref::core::reserved_max, "reserved ranges of a machine"},
};

Json sizes_json() {
  Json json = Json::array();
  for (const Size& row : sizes)
    json.push_back({{"name", row.name}, {"most", row.most}, {"help", row.help}});
  return json;
}

std::string sizes_text() {
  std::string text;
  for (const Size& row : sizes)
    text += fmt::format("{:<12} {:>10}  {}\n", row.name, row.most, row.help);
  return text;
}

Json exit_codes_json() {
  Json json = Json::array();
  for (const ExitMeaning& row : exit_meanings)
    json.push_back(
        {{"code", static_cast<int>(row.code)}, {"name", row.name}, {"meaning", row.meaning}});
  return json;
}

Json operations_json() {
  Json json = Json::array();
  for (const fuzz::Layer& layer : fuzz::layers())
    for (const fuzz::OperationDescription& op : layer.language()) {
      Json fields = Json::array();
      for (const fuzz::OperationField& field : op.fields)
        fields.push_back({{"name", field.name}, {"values", field.values}});
      json.push_back({{"layer", layer.name},
                      {"name", op.name},
                      {"code", op.code},
                      {"help", op.help},
                      {"fields", std::move(fields)}});
    }
  return json;
}

std::string operations_text() {
  std::string text;
  for (const fuzz::Layer& layer : fuzz::layers())
    for (const fuzz::OperationDescription& op : layer.language())
      text += fmt::format("{}\n    {}\n", op.form(), op.help);
  return text;
}

void print(const ShowOptions& options, const Json& content) {
  say(dump({{"what", options.what}, {"error", nullptr}, {"content", content}}));
}

int show_table(const ShowOptions& options) {
  const bool json = options.json;
  if (options.what == "waste") return show_waste(options);
  if (options.what == "limits") return show_limits(options);
  if (options.what == "sizes") {
    if (json) print(options, sizes_json());
    else say(sizes_text());
  } else if (options.what == "exit-codes") {
    if (json) print(options, exit_codes_json());
    else say(exit_code_text());
  } else {
    if (json) print(options, operations_json());
    else say(options.markdown ? language_page() : operations_text());
  }
  return exit_clean;
}

int refuse(const ShowOptions& options, const InputError& error) {
  if (options.json)
    say(dump({{"what", options.what}, {"file", options.source.file}, {"error", json_of(error)}}));
  complain(error.text());
  return exit_cannot_test;
}

// The machine of `show window` where none is named: 64 MiB, and the window of a PC with 1 GiB.
constexpr std::string_view usual_machine =
    "era=linux-6.1 zones=DMA:4096,NORMAL:12288 pkmap=1024 vmalloc=28670";

// A trace without steps, of the machine that is named.
std::expected<TraceFile, InputError> newborn_trace(const ShowOptions& options) {
  const auto config =
      named_machine(options.source.machine.empty() ? usual_machine : options.source.machine);
  if (!config) return std::unexpected(config.error());
  return TraceFile{fuzz::find_layer("vmalloc"),
                   fmt::format("allocheck {}\nmachine {}\nend\n", props::trace_version,
                               props::print_machine(*config)),
                   {}};
}

int show_trace(const ShowOptions& options) {
  const auto trace =
      options.source.file.empty() ? newborn_trace(options) : load_trace(options.source);
  if (!trace) return refuse(options, trace.error());
  const std::string what = options.what + (options.svg ? ".svg" : "");
  const auto shown = trace->layer->show(trace->text, what);
  if (!shown) return refuse(options, at_place(options.source.file, shown.error()));
  const fuzz::RunResult& run = shown->result;
  if (options.json) {
    Json json;
    json["what"] = options.what;
    json["file"] = options.source.file;
    json["error"] = nullptr;
    json["content"] = shown->text;
    json["run"] = json_of(run);
    say(dump(json));
  } else {
    say(shown->text);
  }
  if (run.end != fuzz::RunResult::End::clean) {
    note("this is not the trace's end, but what there was before something broke:");
    fmt::print(stderr, "{}",
               report_text(run, replay_command(options.source), wants_colour(stderr)));
  }
  return exit_code_of(run.end);
}

}  // namespace

std::string_view operand_of(ShowFrom from) {
  constexpr std::array<std::string_view, 3> operands{" TRACE", " [TRACE]", ""};
  return operands[static_cast<std::size_t>(from)];
}

std::vector<ShowTopic> show_topics() {
  std::vector<ShowTopic> topics;
  for (const fuzz::ShowName& show : fuzz::show_names) {
    const bool window = show.name == "window";
    const bool newborn = window || show.name == "vmallocinfo";
    topics.push_back(
        {show.name, show.help, newborn ? ShowFrom::trace_or_machine : ShowFrom::trace, window});
  }
  const auto add = [&](std::string_view name, std::string_view help, bool has_figure = false) {
    topics.push_back({name, help, ShowFrom::nowhere, has_figure});
  };
  add("operations", "the trace language: what a step can be");
  add("waste", "what is lost between requested and usable size, by asking", true);
  add("limits", "the largest request that each interface grants on --machine, by asking");
  add("sizes", "sizes that no trace and no machine exceeds");
  add("exit-codes", "what the command's exit codes mean");
  return topics;
}

int show_verb(const ShowOptions& options) {
  const auto wrong = [](const std::string& message) {
    complain(message);
    return exit_cannot_test;
  };
  std::string names;
  for (const ShowTopic& topic : show_topics()) {
    names += " " + std::string(topic.name);
    if (topic.name != options.what) continue;
    const bool file = !options.source.file.empty();
    if (topic.from == ShowFrom::trace && !file)
      return wrong(fmt::format("show {} needs a trace; expected allocheck show {} TRACE",
                               topic.name, topic.name));
    if (topic.from == ShowFrom::nowhere && file)
      return wrong(fmt::format("show {} takes no trace; expected allocheck show {}", topic.name,
                               topic.name));
    if (options.svg && !topic.has_figure)
      return wrong(fmt::format(
          "show {} has no figure; expected allocheck show waste --svg, or show window --svg",
          topic.name));
    return topic.from == ShowFrom::nowhere ? show_table(options) : show_trace(options);
  }
  return wrong(fmt::format("cannot show '{}'; expected one of:{}", options.what, names));
}

}  // namespace cli
