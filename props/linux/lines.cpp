// lines: the buffer behind LineReader and the source that reads a string.
#include "props/linux/lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace props::recorded {

std::expected<std::size_t, Problem> TextSource::read(std::span<char> space) {
  const std::size_t bytes = std::min(space.size(), rest_.size());
  std::copy_n(rest_.data(), bytes, space.data());
  rest_.remove_prefix(bytes);
  return bytes;
}

// Moves the unfinished line to the front and reads behind it.
std::expected<void, Problem> LineReader::refill() {
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  auto bytes = source_.read(std::span(buffer_).subspan(end_));
  if (!bytes) {
    Problem problem = std::move(bytes.error());
    problem.line = line_ + 1;
    problem.column = end_ + 1;
    return std::unexpected(std::move(problem));
  }
  end_ += *bytes;
  exhausted_ = *bytes == 0;
  return {};
}

std::expected<std::optional<std::string_view>, Problem> LineReader::next() {
  std::size_t searched = 0;
  for (;;) {
    const char* start = buffer_.data() + begin_;
    const std::size_t bytes = end_ - begin_;
    const void* newline = std::memchr(start + searched, '\n', bytes - searched);
    const std::size_t length =
        newline != nullptr ? static_cast<std::size_t>(static_cast<const char*>(newline) - start)
                           : bytes;
    if (length > line_bytes_max)
      return std::unexpected(
          Problem{line_ + 1, line_bytes_max + 1,
                  fmt::format("the line is longer than {} bytes", line_bytes_max),
                  "the text of tracefs, one event a line"});
    const bool last = exhausted_ && newline == nullptr;
    if (last && bytes == 0) return std::optional<std::string_view>{};
    if (newline != nullptr || last) {
      begin_ += length + (newline != nullptr ? 1 : 0);
      ++line_;
      std::string_view line{start, length};
      if (line.ends_with('\r')) line.remove_suffix(1);
      return line;
    }
    searched = bytes;
    if (auto filled = refill(); !filled) return std::unexpected(std::move(filled.error()));
  }
}

}  // namespace props::recorded
