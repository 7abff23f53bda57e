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

// Where a topic is read from.
enum class ShowFrom : std::uint8_t {
  trace,             // the end of one
  trace_or_machine,  // or a newborn machine
  nowhere,           // the command knows it
};
std::string_view operand_of(ShowFrom);  // " TRACE"
struct ShowTopic {
  std::string_view name, help;
  ShowFrom from;
  bool has_figure = false;
};
std::vector<ShowTopic> show_topics();

int show_verb(const ShowOptions&);

}  // namespace cli
