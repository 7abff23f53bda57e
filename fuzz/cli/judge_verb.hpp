// judge_verb: `allocheck judge FILE|-`: a recording of a running kernel, judged for a reader.
#pragma once
#include <string>

namespace cli {

// Prints the verdict on stdout (one JSON object when asked) and answers the exit code: 0 clean,
// 1 a violation, 125 when the input cannot be read to its end.
int judge_verb(const std::string& file, bool json);

}  // namespace cli
