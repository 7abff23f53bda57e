// judge_verb: `allocheck judge FILE|-`: a recording of a running kernel, judged for a reader.
#pragma once
#include <string>

namespace cli {

struct JudgeOptions {
  std::string file;  // "-" is standard input
  std::string classes = "slub";
};

// What of --classes is wrong, "" if nothing; and its help, with the tables themselves.
std::string classes_error(const std::string& name);
std::string classes_help();

// Prints the verdict on stdout (one JSON object when asked) and answers the exit code: 0 clean,
// 1 a violation, 125 when the input cannot be read to its end.
int judge_verb(const JudgeOptions& options, bool json);

}  // namespace cli
