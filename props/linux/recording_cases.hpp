// recording_cases: lines as the kernel prints them, what the judge says of a text, and dice, for
// the tests.
#pragma once
#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "props/linux/judge.hpp"

namespace props::recorded {

struct Dice {
  std::uint64_t state;
  std::uint64_t below(std::uint64_t limit) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % limit;
  }
};

inline Verdict judge_text(std::string_view text) {
  TextSource source(text);
  LineReader reader(source);
  return judge(reader, "text");
}

// "alloc 8 2" is an event at frame 8 of order 2, as the kernel prints it.
inline std::string event(std::string_view name, std::uint64_t pfn, unsigned order) {
  return fmt::format(
      "            bash-754     [000] .....  2685.396156: {}: page=ffffea0000000040 pfn={:#x} "
      "order={} migratetype=0 gfp_flags=GFP_KERNEL\n",
      name, pfn, order);
}
inline std::string alloc(std::uint64_t pfn, unsigned order) {
  return event("mm_page_alloc", pfn, order);
}
inline std::string free(std::uint64_t pfn, unsigned order) {
  return event("mm_page_free", pfn, order);
}

inline std::string summary(const Violation& violation) {
  std::string said = fmt::format("{} line {}", violation.rule->id, violation.line);
  if (violation.collides_with_line)
    said += fmt::format(" collides {}", *violation.collides_with_line);
  return said;
}

}  // namespace props::recorded
