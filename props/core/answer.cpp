// Spelling of answers.
#include "props/core/answer.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "props/core/domain.hpp"

namespace props {
namespace {

constexpr std::array<std::string_view, 8> words{"skipped",   "ok",    "pfn",   "refused",
                                                "suspended", "fault", "count", "address"};

}  // namespace

std::string print_answer(const Answer& a) {
  const std::string word(words[static_cast<std::size_t>(a.kind)]);
  switch (a.kind) {
    case Answer::Kind::pfn:
    case Answer::Kind::count: return fmt::format("{} {}", word, a.value);
    case Answer::Kind::address: return fmt::format("{} 0x{:x}", word, a.value);
    case Answer::Kind::fault:
      return fmt::format("{} {}", word, ref::core::fault_names[static_cast<std::size_t>(a.fault)]);
    case Answer::Kind::skipped:
    case Answer::Kind::ok:
    case Answer::Kind::refused:
    case Answer::Kind::suspended: return word;
  }
  return word;
}

std::expected<Answer, std::string> parse_answer(std::string_view text) {
  const std::size_t space = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, space);
  const std::string_view rest = text.substr(std::min(space + 1, text.size()));
  Answer a;
  std::size_t i = 0;
  while (i < words.size() && words[i] != word) ++i;
  if (i < words.size()) {
    a.kind = static_cast<Answer::Kind>(i);
    if (a.kind == Answer::Kind::pfn || a.kind == Answer::Kind::count) {
      if (const auto n = parse_number(rest, UINT64_MAX)) a.value = *n;
    } else if (a.kind == Answer::Kind::address && rest.starts_with("0x")) {
      std::from_chars(rest.data() + 2, rest.data() + rest.size(), a.value, 16);
    } else if (a.kind == Answer::Kind::fault) {
      for (std::size_t f = 1; f < ref::core::fault_names.size(); ++f)
        if (ref::core::fault_names[f] == rest) a.fault = static_cast<ref::core::Fault>(f);
    }
    const bool named = a.kind != Answer::Kind::fault || a.fault != ref::core::Fault::none;
    if (named && print_answer(a) == text) return a;  // one spelling for each
  }
  return std::unexpected(
      std::string("an answer: pfn N, count N, address 0xN, ok, refused, suspended, skipped, or "
                  "fault NAME"));
}

}  // namespace props
