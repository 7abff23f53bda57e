// How the command speaks.
#include "fuzz/cli/output.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace cli {
namespace {

// The length of the UTF-8 sequence that `text` starts with, 0 if it starts with none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::size_t length = 0;
  if (byte(0) < 0x80) return 1;
  if (byte(0) >= 0xc2 && byte(0) <= 0xdf) length = 2;
  else if (byte(0) >= 0xe0 && byte(0) <= 0xef) length = 3;
  else if (byte(0) >= 0xf0 && byte(0) <= 0xf4) length = 4;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0u) != 0x80) return 0;
  // Overlong forms, surrogates, and numbers beyond the last one.
  if (byte(0) == 0xe0 && byte(1) < 0xa0) return 0;
  if (byte(0) == 0xed && byte(1) > 0x9f) return 0;
  if (byte(0) == 0xf0 && byte(1) < 0x90) return 0;
  if (byte(0) == 0xf4 && byte(1) > 0x8f) return 0;
  return length;
}

// Characters that move a terminal's cursor or change its state.
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < ' ' || first == 0x7f;
  return first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
}

void write_all(FILE* to, std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), to) != text.size())
    throw std::system_error(errno, std::generic_category(), "cannot write the output");
}

}  // namespace

bool wants_colour(FILE* to) {
  const char* no_colour = std::getenv("NO_COLOR");
  return (no_colour == nullptr || *no_colour == '\0') && isatty(fileno(to)) == 1;
}

std::string bold(std::string_view text, bool colour) {
  return colour ? fmt::format("\x1b[1m{}\x1b[0m", text) : std::string(text);
}

std::string alarming(std::string_view text, bool colour) {
  return colour ? fmt::format("\x1b[1;31m{}\x1b[0m", text) : std::string(text);
}

std::string printable(std::string_view bytes, std::size_t bytes_max) {
  std::string shown;
  for (std::size_t at = 0; at < bytes.size();) {
    if (shown.size() > bytes_max) return shown + "...";
    const std::size_t length = utf8_length(bytes.substr(at));
    const std::string_view character = bytes.substr(at, length == 0 ? 1 : length);
    if (length == 0 || is_control(character))
      for (const char c : character)
        shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else shown += character;
    at += character.size();
  }
  return shown;
}

std::string shell_word(std::string_view name) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+,:@%=-";
  const std::string safe = (name.starts_with('-') ? "./" : "") + std::string(name);
  if (!safe.empty() && safe.find_first_not_of(plain) == std::string::npos) return safe;
  const bool tame = printable(safe, safe.size() * 4) == safe;
  std::string word = tame ? "'" : "$'";  // $'...' spells control characters
  for (const char c : safe) {
    const auto byte = static_cast<unsigned char>(c);
    if (tame) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
    else if (c == '\'' || c == '\\') word += std::string("\\") + c;
    else if (byte < ' ' || byte >= 0x7f) word += fmt::format("\\x{:02x}", byte);
    else word += c;
  }
  return word + "'";
}

void complain(std::string_view message) {
  std::fflush(stdout);  // so that a log of both streams keeps the order
  fmt::print(stderr, "allocheck: {}\n", printable(message));
}

void note(std::string_view message) { complain(fmt::format("note: {}", message)); }

void say(std::string_view text) { write_all(stdout, text); }

}  // namespace cli
