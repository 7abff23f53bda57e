// show_asked: what `allocheck show` finds by asking the reference: waste, and the largest requests.
#pragma once
#include "fuzz/cli/show_verb.hpp"

namespace cli {

int show_waste(const ShowOptions&);
int show_limits(const ShowOptions&);

}  // namespace cli
