// reach_output: what a search reached, as text, as JSON, and as the head of a page.
#pragma once
#include "fuzz/cli/json.hpp"
#include "fuzz/engine/reach.hpp"

namespace cli {

// A group's counts on one line, behind it the names of what was never reached; and the skip rate.
std::string reach_text(const fuzz::ReachTable&);
// group, name, count
Json reach_json(const fuzz::ReachTable&);
// era, group, name, count
Json reach_by_era_json(const fuzz::ReachTable&);
// "all", and "operations" by name
Json skip_rate_json(const fuzz::ReachTable&);

// The first paragraphs of fuzz/REACH.md: what it is, the command, the machine that measured.
std::string reach_page_head(const std::string& command);

}  // namespace cli
