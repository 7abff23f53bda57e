// answer: what a step answered, as a trace may demand it: "-> pfn 16", "-> fault double-free".
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "ref/core/context.hpp"

namespace props {

struct Answer {
  enum class Kind : std::uint8_t {
    skipped,    // an empty operand, an occupied result, a blocked task
    ok,         // done, nothing to tell
    pfn,        // value: the first frame of the block
    refused,    // no memory, or the call does not serve this
    suspended,  // the task waits
    fault,      // misuse, named by `fault`
    count,      // value: a number
    address,    // value: a kernel address, 0 for none
  };
  constexpr Answer(Kind k = Kind::ok, std::uint64_t v = 0,
                   ref::core::Fault f = ref::core::Fault::none)
      : kind(k), fault(f), value(v) {}
  Kind kind;
  ref::core::Fault fault;
  std::uint64_t value;
  bool operator==(const Answer&) const = default;
};
static_assert(sizeof(Answer) <= 16);  // every step returns one, through several calls: in registers

std::string print_answer(const Answer&);  // without the arrow
// The error says what was expected.
std::expected<Answer, std::string> parse_answer(std::string_view);

}  // namespace props
