// output: how the command speaks: safe text, colour where it is wanted, errors of one form.
#pragma once
#include <cstdio>
#include <string>
#include <string_view>

namespace cli {

// Colour only on a terminal, and never with NO_COLOR set.
bool wants_colour(FILE*);
std::string bold(std::string_view text, bool colour);
std::string alarming(std::string_view text, bool colour);

// The bytes as a terminal may see them: control characters and what is no UTF-8 as \xNN; what is
// longer than `bytes_max` is cut.
std::string printable(std::string_view bytes, std::size_t bytes_max = 2000);

// A file name as one word of the shell, so that a printed command can be pasted.
std::string shell_word(std::string_view name);

// "allocheck: MESSAGE" on stderr, made printable.
void complain(std::string_view message);
// A remark that is no result, on stderr as well.
void note(std::string_view message);
// Writes a result to stdout. Throws when it does not get there.
void say(std::string_view text);

}  // namespace cli
