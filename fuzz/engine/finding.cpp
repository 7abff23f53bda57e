// Names of how a minimizer came to its end.
#include "fuzz/engine/finding.hpp"

#include <array>

namespace fuzz {

std::string_view name_of(MinimizeResult::Stopped stopped) {
  constexpr std::array<std::string_view, 3> names{"a fixed point", "the budget ended",
                                                  "interrupted"};
  return names[static_cast<std::size_t>(stopped)];
}

}  // namespace fuzz
