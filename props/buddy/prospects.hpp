// prospects: tells before a step runs whether it would be skipped, so that a search draws another.
#pragma once
#include "props/buddy/world.hpp"

namespace props::buddy {

// Nearly always right: what only the call itself finds out (somebody waits for that register, the
// frame turns out to be part of an exact block) is left to it.
bool would_skip(const World&, const Operation&);

}  // namespace props::buddy
