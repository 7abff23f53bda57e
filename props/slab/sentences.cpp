// Joins the table of sentences, and writes its page.
#include "props/slab/sentences.hpp"

#include <fmt/format.h>

#include <iterator>

namespace props::slab {
namespace {

using Out = std::back_insert_iterator<std::string>;

constexpr std::string_view introduction =
    "# Which rule or test holds each sentence\n"
    "\n"
    "The reference slab allocator was written from a sheet of numbered facts about two kernels,\n"
    "Linux 2.6.11 and the SLAB of Linux 6.1 (its source at 6.1.192). This page maps each fact to\n"
    "the rule that judges it, or to the test that works it out by hand. `CAPITALS` are rules, see\n"
    "`rules.cpp`; `Suite.name` are tests beside it. It is generated from `sentences*.cpp`; the\n"
    "test `SlabSentences.the_page_is_what_the_table_says` compares, and tells how to renew it.\n"
    "\n"
    "*Assumed* is what the 2.6.11 era does where nothing is known of that kernel. *Not modelled*\n"
    "gives one of the reasons that are allowed; *elsewhere* names what speaks of another kernel\n"
    "or configuration than the two eras, which is not behaviour that they could have.\n"
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
  for (const NotModelled& part : s.not_modelled) {
    const std::string_view reason = outside_names[static_cast<std::size_t>(part.reason)];
    add(fmt::format("Not modelled ({})", reason), part.what);
  }
  add("Elsewhere", s.elsewhere);
  add("Note", s.note);
  return text;
}

}  // namespace

std::span<const Sentence> sentences() {
  static const std::vector<Sentence> all = [] {
    std::vector<Sentence> joined_rows;
    for (const auto part :
         {creation_sentences(), list_sentences(), content_sentences(), ending_sentences()})
      joined_rows.insert(joined_rows.end(), part.begin(), part.end());
    return joined_rows;
  }();
  return all;
}

std::string sentences_page() {
  std::string text(introduction);
  const Out out = std::back_inserter(text);
  text += "| sentence | what | rule or test | assumed for 2.6.11 | not modelled, notes |\n";
  text += "|---|---|---|---|---|\n";
  for (const Sentence& s : sentences())
    fmt::format_to(out, "| {} | {} | {} | {} | {} |\n", s.id, s.what, joined(s.covers), s.assumed,
                   remarks(s));
  return text;
}

}  // namespace props::slab
