// rules: what recorded traffic of a kernel must keep; the room's part of the register.
#pragma once
#include <span>

#include "props/core/rule.hpp"

namespace props::recorded {

std::span<const Rule> rules();

const Rule& aligned_rule();   // LINUX-ALIGNED
const Rule& disjoint_rule();  // LINUX-DISJOINT

}  // namespace props::recorded
