// Names and words of how a minimizer came to its end.
#include "fuzz/engine/finding.hpp"

#include <fmt/format.h>

#include <array>

namespace fuzz {

std::string_view name_of(MinimizeResult::Stopped stopped) {
  constexpr std::array<std::string_view, 3> names{"a fixed point", "the budget ended",
                                                  "interrupted"};
  return names[static_cast<std::size_t>(stopped)];
}

std::string_view name_of(Shortest::Status status) {
  constexpr std::array<std::string_view, 4> names{"not-searched", "proved", "budget",
                                                  "interrupted"};
  return names[static_cast<std::size_t>(status)];
}

std::string words_of(const Shortest& s) {
  const std::string where = fmt::format(
      "in this alphabet ({} step{}, {} register{}; {} sequences, {} states)", s.alphabet,
      s.alphabet == 1 ? "" : "s", s.registers, s.registers == 1 ? "" : "s", s.sequences, s.states);
  switch (s.status) {
    case Shortest::Status::not_searched: return "shorter traces were not searched for";
    case Shortest::Status::proved: return "proved shortest " + where;
    case Shortest::Status::budget:
      return fmt::format("the search's budget ended at length {}: none shorter {}", s.bound, where);
    case Shortest::Status::interrupted:
      return fmt::format("the search was interrupted at length {}: none shorter {}", s.bound,
                         where);
  }
  return "";
}

}  // namespace fuzz
