// lines: cuts a stream of bytes into lines, in bounded memory, whatever the bytes are.
//
//   ByteSource --read--> [ ....line\nline\nli ] --next--> line   line   li...
//                         one buffer, fixed size
//
// A recording may be gigabytes of text or, by mistake, of noise: nothing is kept but the buffer,
// and a line longer than the bound is an error, not an allocation.
#pragma once
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace props::recorded {

// Why an input cannot be judged. Line and column count from 1; line 0 speaks of the whole input.
struct Problem {
  std::uint64_t line = 0;
  std::uint64_t column = 0;
  std::string what;
  std::string expected;
  bool operator==(const Problem&) const = default;
};

// Where bytes come from: a file, a decompressor, a string in a test.
class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;
  // Fills the front of `space` and says how much; 0 is the end. A problem has line 0.
  virtual std::expected<std::size_t, Problem> read(std::span<char> space) = 0;
};

// Bytes that are already in memory and outlive the source.
class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string_view text) : rest_(text) {}
  std::expected<std::size_t, Problem> read(std::span<char> space) override;

 private:
  std::string_view rest_;
};

class LineReader {
 public:
  // The kernel formats an event into at most two pages of text; this is far above both.
  static constexpr std::size_t line_bytes_max = 64 * 1024;

  explicit LineReader(ByteSource& source) : source_(source), buffer_(4 * line_bytes_max) {}

  // The next line without its end, valid until the next call; nothing at the end of the input.
  std::expected<std::optional<std::string_view>, Problem> next();
  // The number of the line that `next` returned last.
  std::uint64_t line() const { return line_; }

 private:
  std::expected<void, Problem> refill();

  ByteSource& source_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // the bytes not yet handed out are buffer_[begin_, end_)
  std::size_t end_ = 0;
  std::uint64_t line_ = 0;
  bool exhausted_ = false;
};

}  // namespace props::recorded
