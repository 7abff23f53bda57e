// explain_verb: `allocheck explain FILE`: a trace told step by step, in Markdown.
#pragma once
#include "fuzz/cli/trace_file.hpp"

namespace cli {

int explain_verb(const TraceSource&, bool json);

}  // namespace cli
