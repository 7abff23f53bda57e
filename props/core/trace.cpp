// Reads the frame of a trace: version, machine, expectation, lines, end.
#include "props/core/trace.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace props {
namespace {

using ref::core::Point;

// Walks a text line by line; every line but the last ends in '\n'.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}
  bool next() {
    if (at_ >= text_.size()) return false;
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    line_ = text_.substr(at_, end - at_);
    closed_ = end < text_.size();
    at_ = end + 1;
    ++number_;
    return true;
  }
  std::string_view line() const { return line_; }
  std::uint32_t number() const { return number_; }
  bool closed() const { return closed_; }  // its '\n' is there

 private:
  std::string_view text_, line_;
  std::size_t at_ = 0;
  std::uint32_t number_ = 0;
  bool closed_ = true;
};

std::unexpected<TraceError> error(const Lines& lines, std::size_t column, std::string what,
                                  std::string expected) {
  return std::unexpected(TraceError{std::max(lines.number(), 1u),
                                    static_cast<std::uint32_t>(column), std::move(what),
                                    std::move(expected)});
}

std::string shown(std::string_view text) { return printable(text, 40); }

std::string point_list() {
  std::string names;
  for (const std::string_view name : ref::core::point_names) names += " @" + std::string(name);
  return "a yield point, one of:" + names;
}

// The step's line: [@point ]operation[ -> answer][ # comment]
std::expected<TraceLine, TraceError> read_step(const Lines& lines) {
  std::string_view text = lines.line();
  TraceLine step{lines.number(), 1, {}, {}, {}};
  if (const std::size_t comment = text.find(" #"); comment != text.npos)
    text = text.substr(0, text.find_last_not_of(' ', comment) + 1);
  if (text.starts_with('@')) {
    const std::size_t space = std::min(text.find(' '), text.size());
    step.at = ref::core::point_of(text.substr(1, space - 1));
    if (!step.at)
      return error(lines, 1, "unknown yield point '" + shown(text.substr(0, space)) + "'",
                   point_list());
    step.column = static_cast<std::uint32_t>(std::min(space + 2, text.size() + 1));
    text = text.substr(std::min(space + 1, text.size()));
  }
  if (const std::size_t arrow = text.find(" -> "); arrow != text.npos) {
    const auto answer = parse_answer(text.substr(arrow + 4));
    if (!answer)
      return error(lines, step.column + arrow + 4,
                   "bad answer '" + shown(text.substr(arrow + 4)) + "'", answer.error());
    step.answer = *answer;
    text = text.substr(0, arrow);
  }
  step.operation = text;
  return step;
}

std::optional<TraceError> read_version(Lines& lines) {
  const std::string expected = fmt::format("'allocheck {}'", trace_version);
  if (!lines.next()) return TraceError{1, 1, "the file is empty", expected};
  const std::string_view line = lines.line();
  if (!line.starts_with("allocheck "))
    return TraceError{1, 1, "no trace: the first line is '" + shown(line) + "'", expected};
  const auto version = parse_number(line.substr(10), 1'000'000, "a version");
  if (!version) return TraceError{1, 11, "bad version '" + shown(line.substr(10)) + "'", expected};
  if (*version != trace_version)
    return TraceError{1, 11, fmt::format("version {} is not known here", *version), expected};
  return std::nullopt;
}

std::optional<TraceError> read_expect(const Lines& lines, TraceFrame& frame) {
  const std::string_view rest = lines.line().substr(7);
  const std::size_t space = rest.find(' ');
  if (space == rest.npos || space == 0 || rest.find(' ', space + 1) != rest.npos ||
      space + 1 == rest.size()) {
    return TraceError{lines.number(), 8, "bad expectation '" + shown(rest) + "'",
                      "a subject and a rule, as in expect mutant:buddy/no-merge BUDDY-COALESCED"};
  }
  frame.expect = Expect{std::string(rest.substr(0, space)), std::string(rest.substr(space + 1))};
  return std::nullopt;
}

// Comments, then the machine.
std::optional<TraceError> read_machine(Lines& lines, TraceFrame& frame) {
  const std::string expected = "'machine era=... zones=...'";
  while (lines.next()) {
    const std::string_view line = lines.line();
    if (line.empty()) continue;
    if (line.starts_with('#')) {
      frame.comments.emplace_back(line.substr(line.starts_with("# ") ? 2 : 1));
      continue;
    }
    if (!line.starts_with("machine "))
      return TraceError{lines.number(), 1, "'" + shown(line) + "' stands before the machine",
                        expected};
    const auto machine = parse_machine(line.substr(8));
    if (!machine) {
      const TextError& e = machine.error();
      return TraceError{lines.number(), static_cast<std::uint32_t>(e.at + 9), printable(e.what),
                        e.expected};
    }
    frame.machine = *machine;
    return std::nullopt;
  }
  return TraceError{lines.number(), static_cast<std::uint32_t>(lines.line().size() + 1),
                    "the file ends here", expected};
}

std::optional<TraceError> read_rest(Lines& lines) {
  while (lines.next())
    if (!lines.line().empty() && !lines.line().starts_with('#'))
      return TraceError{lines.number(), 1, "'" + shown(lines.line()) + "' stands behind 'end'",
                        "the end of the file"};
  return std::nullopt;
}

}  // namespace

std::string printable(std::string_view text, std::size_t most) {
  std::string out;
  for (const char c : text.substr(0, most))
    out += c >= ' ' && c <= '~' ? std::string(1, c)
                                : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  return text.size() > most ? out + "..." : out;
}

std::expected<TraceFrame, TraceError> parse_frame(std::string_view text) {
  Lines lines(text);
  TraceFrame frame;
  if (const auto bad = read_version(lines)) return std::unexpected(*bad);
  if (text.size() > trace_bytes_max)
    return error(lines, 1, fmt::format("the file has {} bytes", text.size()),
                 fmt::format("at most {}", trace_bytes_max));
  if (const auto bad = read_machine(lines, frame)) return std::unexpected(*bad);
  while (lines.next()) {
    const std::string_view line = lines.line();
    if (line.empty() || line.starts_with('#')) continue;
    if (line == "end") {
      if (const auto bad = read_rest(lines)) return std::unexpected(*bad);
      return frame;
    }
    if (line.starts_with("end") && line.find_first_not_of(' ', 3) == line.npos)
      return error(lines, 4, "a space stands behind 'end'", "the end of the line");
    if (line.starts_with("expect ") && frame.lines.empty()) {
      if (const auto bad = read_expect(lines, frame)) return std::unexpected(*bad);
      continue;
    }
    const auto step = read_step(lines);
    if (!step) return std::unexpected(step.error());
    if (frame.lines.size() == trace_steps_max)
      return error(lines, 1, "too many steps", fmt::format("at most {}", trace_steps_max));
    frame.lines.push_back(*step);
  }
  return error(lines, lines.line().size() + 1, "the file ends without 'end': it was cut", "'end'");
}

}  // namespace props
