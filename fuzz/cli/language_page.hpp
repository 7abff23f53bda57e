// language_page: the reference of the trace language, generated from what reads and prints traces.
#pragma once
#include <string>

namespace cli {

// Markdown. props/TRACE.md is this text; a test compares them.
std::string language_page();

}  // namespace cli
