// Joins the table of sentences, and writes its page.
#include "props/kmap/sentences.hpp"

#include <fmt/format.h>

#include <iterator>

namespace props::kmap {
namespace {

constexpr std::string_view introduction =
    "# Which rule or test holds each sentence\n"
    "\n"
    "The reference's maps of high memory were written from a sheet of numbered facts about two\n"
    "kernels, Linux 2.6.11 and Linux 6.1 (its source at 6.1.192), on i386. This page maps each\n"
    "fact to the rule that judges it, or to the test that works it out by hand. `CAPITALS` are\n"
    "rules, see `rules.cpp` here and in `props/mmu/`; `Suite.name` are tests beside it. It is\n"
    "generated from `sentences*.cpp`; the test `KmapSentences.the_page_is_what_the_table_says`\n"
    "compares, and tells how to renew it.\n"
    "\n"
    "*Assumed* is what the 2.6.11 era does where nothing is known of that kernel. *Elsewhere*\n"
    "names what speaks of another kernel or configuration than the two eras, which is not\n"
    "behaviour that they could have.\n"
    "\n";

std::string joined(std::span<const std::string_view> names) {
  std::string text;
  for (const std::string_view name : names)
    fmt::format_to(std::back_inserter(text), "{}`{}`", text.empty() ? "" : "<br>", name);
  return text;
}

std::string remarks(const Sentence& s) {
  std::string text;
  const auto add = [&](std::string_view kind, std::string_view what) {
    if (what.empty()) return;
    fmt::format_to(std::back_inserter(text), "{}*{}:* {}", text.empty() ? "" : "<br>", kind, what);
  };
  add("Elsewhere", s.elsewhere);
  add("Note", s.note);
  return text;
}

}  // namespace

std::span<const Sentence> sentences() {
  static const std::vector<Sentence> all = [] {
    std::vector<Sentence> rows;
    for (const auto part : {slot_sentences, address_sentences, temporary_sentences})
      for (const Sentence& s : part()) rows.push_back(s);
    return rows;
  }();
  return all;
}

std::string sentences_page() {
  std::string text(introduction);
  text += "| sentence | what | rule or test | assumed for 2.6.11 | notes |\n";
  text += "|---|---|---|---|---|\n";
  for (const Sentence& s : sentences())
    fmt::format_to(std::back_inserter(text), "| {} | {} | {} | {} | {} |\n", s.id, s.what,
                   joined(s.covers), s.assumed, remarks(s));
  return text;
}

}  // namespace props::kmap
