// judge_verb: the verdict on a recording, printed for people or for programs.
#include "fuzz/cli/judge_verb.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "fuzz/cli/exit_codes.hpp"
#include "fuzz/cli/json.hpp"
#include "fuzz/cli/judge_picture.hpp"
#include "fuzz/cli/output.hpp"
#include "props/linux/judge.hpp"
#include "props/linux/rules.hpp"
#include "props/linux/xz.hpp"

namespace cli {
namespace {

using props::recorded::Classes;
using props::recorded::classes_of;
using props::recorded::DirectMap;
using props::recorded::ObjectViolation;
using props::recorded::PageViolation;
using props::recorded::Problem;
using props::recorded::Verdict;
using props::recorded::Violation;

Verdict judge_file(const std::string& file, Classes classes) {
  auto source = props::recorded::open_recording(file);
  if (source) {
    props::recorded::LineReader reader(**source);
    return props::recorded::judge(reader, file, classes);
  }
  Verdict verdict;
  verdict.file = file;
  verdict.problem = std::move(source.error());
  return verdict;
}

// One table names the notes in both forms of the report.
struct Note {
  std::string_view key;
  std::string_view words;
  std::uint64_t count;
};

std::vector<Note> notes_of(const Verdict& verdict) {
  const auto& pages = verdict.notes;
  const auto& objects = verdict.object_notes;
  return {
      {"free_of_unknown", "frees of pages allocated before the recording or behind a loss",
       pages.free_of_unknown},
      {"batched_beside_free", "batched events beside the free of the same page",
       pages.batched_beside_free},
      {"free_of_free", "frees of pages already free (bulk allocations are not traced)",
       pages.free_of_free},
      {"free_of_part", "frees of a part of a block", pages.free_of_part},
      {"free_of_several", "frees of more than one block", pages.free_of_several},
      {"object_handed_out_again",
       "addresses of live objects handed out again (bulk and deferred frees are not traced)",
       objects.handed_out_again},
      {"object_gone_with_page", "live objects whose pages were freed or handed out",
       objects.gone_with_page},
      {"object_free_of_unknown",
       "frees of objects allocated before the recording, in bulk, or behind a loss",
       objects.free_of_unknown},
      {"object_free_of_free", "frees of objects already free (bulk allocations are not traced)",
       objects.free_of_free},
      {"object_free_inside", "frees of an address inside a live object", objects.free_inside},
      {"object_overlap_unsure",
       "overlaps of objects that no page event could tell to be gone; violations in a recording "
       "with page events",
       verdict.overlap_unsure},
      {"object_hidden",
       "object events with hashed pointers, judged by their sizes alone; ci/record-kmem --objects "
       "records raw ones (it writes 0 to options/hash-ptr of tracefs)",
       objects.hidden},
  };
}

// What to type after `judge`; a recording from a pipe has no name.
std::string recording_words(const JudgeOptions& options) {
  const std::string classes =
      options.classes == JudgeOptions{}.classes ? "" : "--classes " + options.classes + " ";
  return classes + (options.file == "-" ? "- < RECORDING" : shell_word(options.file));
}

void print_violation(const Violation& violation) {
  const props::Rule& rule = *violation.rule;
  fmt::print("{}: {}\n", rule.id, rule.sentence);
  fmt::print("  {}\n", violation.text);
  fmt::print("  event     {}\n", printable(violation.event));
  fmt::print("  expected  {}\n", violation.expected);
  print_picture(violation);
  fmt::print("\n");
}

// Which objects a page event covers hangs on it, so the reader hears where it was taken from.
void print_direct_map(const DirectMap& map) {
  switch (map.source()) {
    case DirectMap::Source::unknown:
      fmt::print(
          "note: page events tell no place of objects: neither the layout of x86-64 without "
          "KASLR nor three new slabs were seen\n");
      return;
    case DirectMap::Source::layout:
      fmt::print(
          "note: frame 0 is taken to be at {:#x}, as on x86-64 without KASLR, where the "
          "struct pages are\n",
          map.base());
      return;
    case DirectMap::Source::objects:
      fmt::print("note: frame 0 is at {:#x}, as the objects of new slabs show\n", map.base());
      return;
  }
}

void print_counts(const Verdict& verdict) {
  const auto& c = verdict.counts;
  fmt::print(
      "{} page events in {} lines: {} allocations, {} frees, {} batched frees, {} failed "
      "allocations; {} other events skipped, {} marks of lost events\n",
      c.events, c.lines, c.allocations, c.frees, c.batched, c.failed, c.other, c.lost);
  const auto& o = c.objects;
  if (o.events != 0)
    fmt::print("{} object events: {} allocations, {} frees, {} failed allocations\n", o.events,
               o.allocations, o.frees, o.failed);
  for (const Note& note : notes_of(verdict))
    if (note.count != 0) fmt::print("note: {} {}\n", note.count, note.words);
  if (o.events != 0 && c.events != 0 && verdict.object_notes.hidden == 0)
    print_direct_map(verdict.direct_map);
}

// A recording that left the frees out accuses any kernel; the reader must hear of it.
void print_doubt(const Verdict& verdict) {
  const auto say_missing = [&](const props::Rule& rule, std::uint64_t frees,
                               std::string_view event) {
    const bool broken = std::ranges::any_of(
        verdict.violations, [&](const Violation& one) { return one.rule == &rule; });
    if (broken && frees == 0)
      fmt::print(stderr,
                 "allocheck: note: there is no {} event at all; if that event was not enabled, the "
                 "violations of {} mean nothing\n",
                 event, rule.id);
  };
  say_missing(props::recorded::disjoint_rule(), verdict.counts.frees, "mm_page_free");
  say_missing(props::recorded::object_overlap_rule(), verdict.counts.objects.frees,
              "kfree or kmem_cache_free");
}

void print_for_people(const Verdict& verdict, const JudgeOptions& options) {
  for (const Violation& violation : verdict.violations) print_violation(violation);
  if (verdict.violation_count > verdict.violations.size())
    fmt::print("... and {} more violations\n\n",
               verdict.violation_count - verdict.violations.size());
  if (!verdict.problem && verdict.violation_count == 0) fmt::print("clean: ");
  if (!verdict.problem || verdict.violation_count != 0) print_counts(verdict);
  if (verdict.violation_count == 0) return;
  const Violation& first = verdict.violations.front();
  fmt::print("replay: allocheck judge {}\n", recording_words(options));
  fmt::print("ASSERTION FAILED: {} {}\n", first.rule->id, first.text);
  fmt::print("DEDUP_TOKEN: {}\n", first.rule->id);
}

InputError error_of(const Verdict& verdict) {
  const Problem& problem = *verdict.problem;
  const std::string file = verdict.file == "-" ? "<stdin>" : verdict.file;
  return {file, problem.line, problem.column, problem.what, problem.expected};
}

std::string hex(std::uint64_t address) { return fmt::format("{:#x}", address); }

void add_place(Json& one, const PageViolation& found) {
  one["pfn"] = found.block.pfn;
  one["order"] = found.block.order;
}

// Addresses are text: no number of JSON holds 64 bits safely.
void add_place(Json& one, const ObjectViolation& found) {
  one["address"] = found.object.address == 0 ? Json(nullptr) : Json(hex(found.object.address));
  one["bytes_req"] = found.object.bytes_req;
  one["bytes_alloc"] = found.object.bytes_alloc;
}

Json json_of(const Violation& violation) {
  Json one;
  one["rule"] = violation.rule->id;
  one["line"] = violation.line;
  one["collides_with_line"] = nullptr;
  if (violation.collides_with_line) one["collides_with_line"] = *violation.collides_with_line;
  std::visit([&](const auto& found) { add_place(one, found); }, violation.found);
  one["text"] = violation.text;
  return one;
}

Json json_of(const DirectMap& map) {
  if (map.source() == DirectMap::Source::unknown) return nullptr;
  Json one;
  one["base"] = hex(map.base());
  one["from"] = map.source() == DirectMap::Source::layout ? "layout" : "objects";
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
  all["objects"] = {{"events", c.objects.events},
                    {"allocations", c.objects.allocations},
                    {"failed", c.objects.failed},
                    {"frees", c.objects.frees}};
  all["direct_map"] = json_of(verdict.direct_map);
  all["other"] = c.other;
  all["lost"] = c.lost;
  for (const Note& note : notes_of(verdict)) all["notes"][std::string(note.key)] = note.count;
  all["violation_count"] = verdict.violation_count;
  all["violations"] = Json::array();
  for (const Violation& violation : verdict.violations)
    all["violations"].push_back(json_of(violation));
  all["error"] = verdict.problem ? json_of(error_of(verdict)) : Json(nullptr);
  say(dump(all));
}

}  // namespace

std::string classes_error(const std::string& name) {
  if (classes_of(name)) return "";
  return fmt::format("bad classes '{}'; expected slub or slab", name);
}

std::string classes_help() {
  const auto sizes = sizes_of(Classes::slub);
  return fmt::format("of kmalloc on x86, as the kernel was built: slub ({}), or slab (from {})",
                     fmt::join(sizes, " "), sizes_of(Classes::slab).front());
}

int judge_verb(const JudgeOptions& options, bool json) {
  const Verdict verdict = judge_file(options.file, *classes_of(options.classes));
  if (json) print_json(verdict);
  else print_for_people(verdict, options);
  std::fflush(stdout);  // so that a log of both streams keeps the order
  print_doubt(verdict);
  if (verdict.problem) {
    complain(error_of(verdict).text());
    return exit_cannot_test;
  }
  return verdict.violation_count == 0 ? exit_clean : exit_violation;
}

}  // namespace cli
