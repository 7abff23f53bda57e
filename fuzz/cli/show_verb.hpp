// show_verb: `allocheck show WHAT [TRACE]`: what the reference holds, and what the command knows.
#pragma once
#include <string>
#include <vector>

#include "fuzz/cli/trace_file.hpp"

namespace cli {

struct ShowOptions {
  std::string what;
  TraceSource source;  // file "": none was given
  bool markdown = false;
  bool svg = false;
  bool json = false;
};

struct ShowTopic {
  std::string_view name, help;
  bool needs_trace;
};
std::vector<ShowTopic> show_topics();

int show_verb(const ShowOptions&);

}  // namespace cli
