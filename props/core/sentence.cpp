// Writes the page of a row's sentences.
#include "props/core/sentence.hpp"

#include <fmt/format.h>

#include <iterator>

namespace props {
namespace {

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
  for (const NotModelled& part : s.not_modelled)
    add(fmt::format("Not modelled ({})", part.reason), part.what);
  add("Elsewhere", s.elsewhere);
  add("Note", s.note);
  return text;
}

}  // namespace

std::string sentences_page(std::string_view introduction, std::span<const Sentence> sentences) {
  std::string text(introduction);
  text += "| sentence | what | rule or test | assumed for 2.6.11 | not modelled, notes |\n";
  text += "|---|---|---|---|---|\n";
  for (const Sentence& s : sentences)
    fmt::format_to(std::back_inserter(text), "| {} | {} | {} | {} | {} |\n", s.id, s.what,
                   joined(s.covers), s.assumed, remarks(s));
  return text;
}

}  // namespace props
