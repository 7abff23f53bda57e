// violation: a broken rule, where it was seen, and what was seen instead.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "props/core/rule.hpp"

namespace props {

// What a check found: the rule's id, and both sides in words.
struct Finding {
  std::string_view rule;
  std::string expected, actual;
};

struct Violation {
  const Rule* rule = nullptr;
  std::size_t step = 0;  // index into the trace; its size: at the end, after all steps
  std::string expected, actual;
  std::string picture;  // may be empty
};

// Where an invariant of a state fails, and what it saw there.
struct Witness {
  std::string where;
  std::uint64_t expected = 0, actual = 0;
};
using Broken = std::optional<Witness>;

}  // namespace props
