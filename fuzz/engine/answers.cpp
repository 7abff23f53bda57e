// Reads and writes the answers that are known.
#include "fuzz/engine/answers.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "fuzz/engine/failures.hpp"
#include "props/core/mixer.hpp"

namespace fuzz {
namespace {

constexpr std::string_view first_line = "allocheck minimizing 1\n";
constexpr std::size_t key_digits = 32;

std::unexpected<std::string> cannot(std::string_view what, const std::filesystem::path& path) {
  return std::unexpected(
      fmt::format("cannot {} {}: {}; expected a file that can be written, and that nobody else "
                  "is at work on",
                  what, path.string(), std::strerror(errno)));
}

std::unexpected<std::string> no_state(const std::filesystem::path& path, std::string_view what) {
  return std::unexpected(
      fmt::format("{}: {}; expected what `allocheck minimize FILE --state {}` wrote", path.string(),
                  what, path.string()));
}

// The child of a minimizer that was killed holds the lock until it is gone too, a moment later.
bool lock(int fd) {
  for (int tries = 0; tries < 50; ++tries) {
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK) return false;
    ::poll(nullptr, 0, 20);
  }
  errno = EWOULDBLOCK;
  return false;
}

std::string header_of(std::string_view trace) {
  return fmt::format("{}trace {}\n{}\n", first_line, trace.size(), trace);
}

}  // namespace

std::optional<ref::core::Hash> hash_of_hex(std::string_view digits) {
  if (digits.size() != key_digits) return std::nullopt;
  ref::core::Hash key;
  for (auto* half : {&key.high, &key.low}) {
    const char* const end = digits.data() + key_digits / 2;
    const auto [at, bad] = std::from_chars(digits.data(), end, *half, 16);
    if (bad != std::errc{} || at != end) return std::nullopt;
    digits.remove_prefix(key_digits / 2);
  }
  return key;
}

ref::core::Hash fingerprint(std::string_view bytes) {
  props::Mixer sum;
  sum.add(bytes);
  return sum.sum();
}

bool AnswerBook::read(std::string_view text) {
  if (!text.starts_with(first_line)) return false;
  text.remove_prefix(first_line.size());
  if (!text.starts_with("trace ")) return false;
  text.remove_prefix(6);
  std::size_t bytes = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  if (bad != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.starts_with('\n') || text.size() < bytes + 2 || text[bytes + 1] != '\n') return false;
  trace_ = text.substr(1, bytes);
  text.remove_prefix(bytes + 2);
  for (std::size_t line; (line = text.find('\n')) != text.npos; text.remove_prefix(line + 1)) {
    const auto key = hash_of_hex(text.substr(0, std::min(line, key_digits)));
    if (!key || text[key_digits] != ' ') return false;
    answers_.insert_or_assign(*key,
                              std::string(text.substr(key_digits + 1, line - key_digits - 1)));
  }
  return true;
}

std::expected<AnswerBook, std::string> AnswerBook::open(const std::filesystem::path& path,
                                                        std::string_view trace) {
  std::error_code ignored;
  if (!trace.empty() && !std::filesystem::exists(path, ignored))
    if (auto bad = write_durably(path, header_of(trace))) return std::unexpected(*bad);
  AnswerBook book;
  book.file_ = Fd(::open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC));
  if (!book.file_.open()) return cannot("open", path);
  if (!lock(book.file_.get())) return cannot("lock", path);
  std::string text;
  while (read_some(book.file_.get(), text)) {}
  // A kill may have cut the last line.
  const std::size_t whole = text.rfind('\n') + 1;
  if (!book.read(std::string_view(text).substr(0, whole)))
    return no_state(path, "this is no state of a minimizing");
  if (!trace.empty() && trace != book.trace_)
    return no_state(path, "this state belongs to another trace");
  if (whole < text.size() && ::ftruncate(book.file_.get(), static_cast<off_t>(whole)) != 0)
    return cannot("write", path);
  return book;
}

const std::string* AnswerBook::find(const ref::core::Hash& question) const {
  const auto it = answers_.find(question);
  return it == answers_.end() ? nullptr : &it->second;
}

void AnswerBook::add(const ref::core::Hash& question, std::string answer) {
  if (error_.empty() && !write_all(file_.get(), fmt::format("{} {}\n", hex_of(question), answer)))
    error_ = fmt::format("the state could not be written: {}", std::strerror(errno));
  answers_.insert_or_assign(question, std::move(answer));
}

}  // namespace fuzz
