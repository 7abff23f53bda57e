// violation: what a judge found, together with the line it was found in and a sentence about it.
//
//   PageViolation or ObjectViolation  +  the text of the event  ->  Violation
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "props/linux/objects.hpp"
#include "props/linux/pages.hpp"

namespace props::recorded {

struct Violation {
  const Rule* rule = nullptr;
  std::uint64_t line = 0;
  std::optional<std::uint64_t> collides_with_line;
  std::variant<PageViolation, ObjectViolation> found;
  std::string event;     // the line itself, cut where it is long
  std::string text;      // one sentence with the numbers
  std::string expected;  // what would have been right
};

Violation told(const PageViolation& found, std::string_view event);
Violation told(const ObjectViolation& found, Classes classes, std::string_view event);

}  // namespace props::recorded
