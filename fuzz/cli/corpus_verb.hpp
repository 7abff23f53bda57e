// corpus_verb: `allocheck corpus pack|unpack FROM TO`: text traces as raw inputs of a fuzzer, and
// back.
//
//   pack     corpus/buddy/*.trace ──▶ seeds/0f3c…          machine and steps
//   unpack   seeds/0f3c…          ──▶ texts/81aa….trace    the canonical text
//
// A file is named by a hash of what is in it, so equal ones meet, and the same command once more
// goes on where it was interrupted.
#pragma once
#include <array>
#include <string>
#include <string_view>

namespace cli {

struct CorpusTask {
  std::string_view name, help;
};
inline constexpr std::array corpus_tasks{
    CorpusTask{"pack", "text traces to raw inputs"},
    CorpusTask{"unpack", "raw inputs to text traces"},
};

struct CorpusOptions {
  std::string what, from, to;
  std::string layer;  // whose inputs; "": the first layer's
  bool json = false;
};

// 0 all converted; 125 some were not, each named on stderr; 72 interrupted.
int corpus_verb(const CorpusOptions&);

}  // namespace cli
