// input: reads what a user names: files of bounded size, folders in a fixed order; errors with a
// place.
//
//   allocheck: FILE:LINE:COLUMN: what is wrong; expected ...
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "props/core/trace.hpp"

namespace cli {

// Where input is wrong, and how. Line 0: the file as a whole.
struct InputError {
  std::string file;
  std::uint64_t line = 0, column = 0;
  std::string what, expected;

  std::string text() const;  // without "allocheck: "
};
InputError at_place(std::string_view file, const props::TraceError&);

enum class Form { text, bytes };

// A raw input has at most so many bytes. A step takes one at least, so none of its steps is cut
// off.
constexpr std::size_t raw_bytes_max = props::trace_steps_max;

// The whole file, if it is no longer than a trace may be. Of a file that is no text trace only the
// beginning is read, enough for its parser to say so: noise of any size is refused at once.
std::expected<std::string, InputError> read_input(const std::string& file, Form = Form::text);

// A file stands for itself, whatever its name. A folder stands for all regular files in and below
// it, sorted by path, but for README.md and dot files: what cannot be read is then reported, not
// passed over. An error when nothing is there.
std::expected<std::vector<std::string>, InputError> files_of(const std::vector<std::string>& named);

}  // namespace cli
