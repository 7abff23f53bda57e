// judge_verb: the verdict on a recording, printed for people or for programs.
#include "fuzz/cli/judge_verb.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <string_view>

#include "fuzz/cli/exit_codes.hpp"
#include "fuzz/cli/json.hpp"
#include "fuzz/cli/output.hpp"
#include "props/linux/judge.hpp"
#include "props/linux/xz.hpp"

namespace cli {
namespace {

using props::recorded::Block;
using props::recorded::PageNotes;
using props::recorded::Problem;
using props::recorded::Verdict;
using props::recorded::Violation;

Verdict judge_file(const std::string& file) {
  auto source = props::recorded::open_recording(file);
  if (source) {
    props::recorded::LineReader reader(**source);
    return props::recorded::judge(reader, file);
  }
  Verdict verdict;
  verdict.file = file;
  verdict.problem = std::move(source.error());
  return verdict;
}

// One table names the notes in both forms of the report.
struct NoteName {
  std::string_view key;
  std::string_view words;
  std::uint64_t PageNotes::* count;
};
constexpr std::array note_names{
    NoteName{"free_of_unknown", "frees of pages allocated before the recording or behind a loss",
             &PageNotes::free_of_unknown},
    NoteName{"batched_beside_free", "batched events beside the free of the same page",
             &PageNotes::batched_beside_free},
    NoteName{"free_of_free", "frees of pages already free (bulk allocations are not traced)",
             &PageNotes::free_of_free},
    NoteName{"free_of_part", "frees of a part of a block", &PageNotes::free_of_part},
    NoteName{"free_of_several", "frees of more than one block", &PageNotes::free_of_several},
};

// What to type after `judge`; a recording from a pipe has no name.
std::string recording_word(const std::string& file) {
  return file == "-" ? "- < RECORDING" : shell_word(file);
}

// Draws the block, and below it what it should not touch (or where it could have been):
//
//      line 49042  [########]  0x221a28..0x221a2f
//      line 48942  [.....#..]  0x221a2d
void print_picture(const Violation& violation) {
  const Block& block = violation.block;
  Block other = block;
  other.pfn &= ~((1ull << block.order) - 1);
  if (violation.holder) other = *violation.holder;

  const std::uint64_t first = std::min(block.pfn, other.pfn);
  const auto last_of = [](const Block& b) { return b.pfn + ((1ull << b.order) - 1); };
  const std::uint64_t last = std::max(last_of(block), last_of(other));
  constexpr std::uint64_t width_max = 64;
  // The number of frames a character stands for is a power of two, so that blocks keep their edges.
  const unsigned scale = static_cast<unsigned>(std::bit_width((last - first) / width_max));
  const auto row = [&](std::string_view name, const Block& b) {
    std::string cells(((last - first) >> scale) + 1, '.');
    for (std::uint64_t at = (b.pfn - first) >> scale; at <= (last_of(b) - first) >> scale; ++at)
      cells[at] = '#';
    const std::string end = b.order == 0 ? "" : fmt::format("..{:#x}", last_of(b));
    fmt::print("    {:<16} [{}]  {:#x}{}\n", name, cells, b.pfn, end);
  };
  row(fmt::format("line {}", block.line), block);
  row(violation.holder ? fmt::format("line {}", other.line) : "aligned would be", other);
  if (scale != 0) fmt::print("    ({} frames a character)\n", 1ull << scale);
}

void print_violation(const Violation& violation) {
  const props::Rule& rule = *violation.rule;
  fmt::print("{}: {}\n", rule.id, rule.sentence);
  fmt::print("  {}\n", violation.text);
  fmt::print("  event     {}\n", printable(violation.event));
  if (violation.holder)
    fmt::print("  expected  no page of it live; a free since line {}\n", violation.holder->line);
  else fmt::print("  expected  a frame number divisible by {:#x}\n", 1ull << violation.block.order);
  print_picture(violation);
  fmt::print("\n");
}

void print_counts(const Verdict& verdict) {
  const auto& c = verdict.counts;
  fmt::print(
      "{} page events in {} lines: {} allocations, {} frees, {} batched frees, {} failed "
      "allocations; {} other events skipped, {} marks of lost events\n",
      c.events, c.lines, c.allocations, c.frees, c.batched, c.failed, c.other, c.lost);
  for (const NoteName& note : note_names)
    if (verdict.notes.*note.count != 0)
      fmt::print("note: {} {}\n", verdict.notes.*note.count, note.words);
}

// A recording that left the frees out accuses any kernel; the reader must hear of it.
void print_doubt(const Verdict& verdict) {
  if (verdict.violation_count != 0 && verdict.counts.frees == 0)
    fmt::print(stderr,
               "allocheck: note: there is no mm_page_free event at all; if that event was not "
               "enabled, these violations mean nothing\n");
}

void print_for_people(const Verdict& verdict) {
  for (const Violation& violation : verdict.violations) print_violation(violation);
  if (verdict.violation_count > verdict.violations.size())
    fmt::print("... and {} more violations\n\n",
               verdict.violation_count - verdict.violations.size());
  if (!verdict.problem && verdict.violation_count == 0) fmt::print("clean: ");
  if (!verdict.problem || verdict.violation_count != 0) print_counts(verdict);
  if (verdict.violation_count == 0) return;
  const Violation& first = verdict.violations.front();
  fmt::print("replay: allocheck judge {}\n", recording_word(verdict.file));
  fmt::print("ASSERTION FAILED: {} {}\n", first.rule->id, first.text);
  fmt::print("DEDUP_TOKEN: {}\n", first.rule->id);
}

InputError error_of(const Verdict& verdict) {
  const Problem& problem = *verdict.problem;
  const std::string file = verdict.file == "-" ? "<stdin>" : verdict.file;
  return {file, problem.line, problem.column, problem.what, problem.expected};
}

Json json_of(const Violation& violation) {
  Json one;
  one["rule"] = violation.rule->id;
  one["line"] = violation.block.line;
  one["collides_with_line"] = nullptr;
  if (violation.holder) one["collides_with_line"] = violation.holder->line;
  one["pfn"] = violation.block.pfn;
  one["order"] = violation.block.order;
  one["text"] = violation.text;
  return one;
}

void print_json(const Verdict& verdict) {
  const auto& c = verdict.counts;
  Json all;
  all["file"] = verdict.file;
  all["lines"] = c.lines;
  all["events"] = c.events;
  all["allocations"] = c.allocations;
  all["failed"] = c.failed;
  all["frees"] = c.frees;
  all["batched"] = c.batched;
  all["other"] = c.other;
  all["lost"] = c.lost;
  for (const NoteName& note : note_names)
    all["notes"][std::string(note.key)] = verdict.notes.*note.count;
  all["violation_count"] = verdict.violation_count;
  all["violations"] = Json::array();
  for (const Violation& violation : verdict.violations)
    all["violations"].push_back(json_of(violation));
  all["error"] = verdict.problem ? json_of(error_of(verdict)) : Json(nullptr);
  say(dump(all));
}

}  // namespace

int judge_verb(const std::string& file, bool json) {
  const Verdict verdict = judge_file(file);
  if (json) print_json(verdict);
  else print_for_people(verdict);
  std::fflush(stdout);  // so that a log of both streams keeps the order
  print_doubt(verdict);
  if (verdict.problem) {
    complain(error_of(verdict).text());
    return exit_cannot_test;
  }
  return verdict.violation_count == 0 ? exit_clean : exit_violation;
}

}  // namespace cli
