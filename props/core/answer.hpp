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
  Kind kind = Kind::ok;
  std::uint64_t value = 0;
  ref::core::Fault fault = ref::core::Fault::none;
  bool operator==(const Answer&) const = default;
};

std::string print_answer(const Answer&);  // without the arrow
// The error says what was expected.
std::expected<Answer, std::string> parse_answer(std::string_view);

}  // namespace props
