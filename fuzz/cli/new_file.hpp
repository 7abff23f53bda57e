// new_file: a file that appears whole or not at all.
#pragma once
#include <string>
#include <string_view>

namespace cli {

// Whether a file must be on the disk when it is written, or whoever writes many sees to that.
enum class Sync { now, later };

// Writes beside the path under another name, syncs, and links it there. Answers what went wrong, ""
// if nothing; a file that is there already stays as it is, and is an error.
std::string write_new_file(const std::string& path, std::string_view text, Sync = Sync::now);

}  // namespace cli
