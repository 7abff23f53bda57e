// Writes the reference of the trace language.
#include "fuzz/cli/language_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "fuzz/engine/layers.hpp"
#include "ref/buddy/machine.hpp"

namespace cli {
namespace {

using props::Answer;

// What a cell of a Markdown table may hold.
std::string cell(std::string_view text) {
  std::string safe;
  for (const char c : text) safe += c == '|' ? std::string("\\|") : std::string(1, c);
  return safe;
}

std::string row(const std::vector<std::string>& cells) {
  std::string text = "|";
  for (const std::string& one : cells) text += " " + cell(one) + " |";
  return text + "\n";
}

std::string table(const std::vector<std::string>& heads) {
  std::string text = row(heads) + "|";
  for (std::size_t i = 0; i < heads.size(); ++i) text += "---|";
  return text + "\n";
}

std::string code(std::string_view text) { return fmt::format("`{}`", text); }

std::string list(std::span<const std::string_view> names) {
  std::string text;
  for (const std::string_view name : names)
    text += (text.empty() ? "`" : ", `") + std::string(name) + "`";
  return text + "\n";
}

constexpr std::string_view frame = R"(# How is a trace written?

`allocheck show operations --markdown` prints this page: generated from the code that reads traces,
and compared by a test.

```
allocheck 1
# The first comment says what the trace shows.
machine era=linux-2.6.11 zones=DMA:16,NORMAL:64 cpus=2
p0 = alloc_pages(order=3, gfp=GFP_KERNEL) -> pfn 16
@buddy.pcp.locked free_pages(page=p1)
free_pages(page=p0) # a remark
end
```

- The first line is the version of the format. Then come the machine, an `expect` line if there is
  one, the steps, and `end`; a file without `end` was cut. Empty lines and lines that start with `#`
  may stand anywhere between.
- `expect SUBJECT RULE` says that this subject (`mutant:buddy/NAME`) breaks that rule here. The
  reference must pass the same file.
- A result goes into a register. A step whose operand is empty, or whose result is occupied, is
  skipped: so steps can be left out, and what remains is a trace.
- `-> ANSWER` is what the step must answer; another answer breaks `STEP-ANSWER`.
- `@POINT` arms a step: it runs when the next step without `@` reaches that point, as an interrupt or
  another CPU would; if that step does not get there, it is skipped.
- Numbers are decimal, without sign or leading zeros. There is one spelling for everything; whatever
  else stands there is an error with line and column.

)";

std::string machine_keys() {
  std::string text = "## The machine line\n\n" + table({"key", "what it says"});
  for (const props::MachineKey& key : props::machine_keys())
    text += row({code(key.name), std::string(key.help)});
  return text + "\n";
}

struct AnswerHelp {
  Answer answer;
  std::string_view help;
};
constexpr std::array answers{
    AnswerHelp{{Answer::Kind::ok}, "done, nothing to tell; of an armed step: it is armed"},
    AnswerHelp{{Answer::Kind::pfn, 16}, "the first frame of the block"},
    AnswerHelp{{Answer::Kind::refused}, "no memory, or the call does not serve this"},
    AnswerHelp{{Answer::Kind::suspended}, "the task waits; `task` tries again"},
    AnswerHelp{{Answer::Kind::fault, 0, ref::core::Fault::double_free}, "misuse, named"},
    AnswerHelp{{Answer::Kind::count, 3}, "a number"},
    AnswerHelp{{Answer::Kind::address, 0xc0010000}, "a kernel address, `0x0` for none"},
    AnswerHelp{{Answer::Kind::skipped}, "an empty operand, an occupied result, a task that waits"},
};

std::string answer_table() {
  std::string text = "## Answers\n\n" + table({"answer", "meaning"});
  for (const AnswerHelp& one : answers)
    text += row({code(props::print_answer(one.answer)), std::string(one.help)});
  text += "\nFaults: " + list(std::span(ref::core::fault_names).subspan(1));
  return text + "\nWhat a fault does to ownership: " + list(ref::core::effect_names) + "\n";
}

std::string operations(const fuzz::Layer& layer) {
  std::string text = fmt::format("## Operations of {}\n\n", layer.name);
  text +=
      "The code stands for the operation in a fuzzer's input: a byte, or from 128 on a second one\n"
      "behind 127. It never changes.\n\n";
  text += table({"code", "operation", "arguments", "what it does"});
  for (const fuzz::OperationDescription& op : layer.language()) {
    std::string fields;
    for (const fuzz::OperationField& field : op.fields)
      fields += fmt::format("{}{}: {}", fields.empty() ? "" : "; ",
                            field.name.empty() ? "result" : code(field.name), field.values);
    text += row({std::to_string(op.code), code(op.form()), fields, std::string(op.help)});
  }
  return text + "\n";
}

// A name may stand in several rows of the list, one for each era.
struct GfpRow {
  std::string_view name;
  std::array<std::string, ref::core::era_count> bits;
};

std::vector<GfpRow> gfp_rows() {
  std::vector<GfpRow> rows;
  for (const ref::core::GfpName& name : ref::core::gfp_names()) {
    auto same = std::ranges::find(rows, name.name, &GfpRow::name);
    if (same == rows.end()) same = rows.insert(rows.end(), GfpRow{name.name, {}});
    for (std::size_t era = 0; era < ref::core::era_count; ++era)
      if (name.known[era]) same->bits[era] = fmt::format("0x{:x}", name.kernel[era]);
  }
  return rows;
}

std::string gfp_table() {
  std::vector<std::string> heads{"flag"};
  for (const ref::core::Profile& era : ref::core::profiles) heads.push_back(std::string(era.name));
  std::string text =
      "## gfp flags\n\nThe bits are those of that era's kernel; a dash: it does not know the "
      "flag.\n\n" +
      table(heads);
  for (const GfpRow& gfp : gfp_rows()) {
    std::vector<std::string> cells{code(gfp.name)};
    for (const std::string& bits : gfp.bits) cells.push_back(bits.empty() ? "-" : bits);
    text += row(cells);
  }
  return text + "\n";
}

}  // namespace

std::string language_page() {
  std::string text(frame);
  text += machine_keys() + answer_table();
  text += "## Yield points\n\n" + list(ref::core::point_names) + "\n";
  for (const fuzz::Layer& layer : fuzz::layers()) text += operations(layer);
  text += gfp_table();
  text += "## Flags\n\n- Of a task: " + list(ref::core::task_flag_names);
  return text + "- Of a page: " + list(ref::buddy::page_flag_names);
}

}  // namespace cli
