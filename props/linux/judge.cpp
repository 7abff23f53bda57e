// judge: the loop over the lines of a recording.
#include "props/linux/judge.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "props/linux/event.hpp"

namespace props::recorded {
namespace {

constexpr std::size_t event_shown_bytes = 200;

class Reading {
 public:
  explicit Reading(std::string_view file) { verdict_.file = file; }

  // Takes one line; a problem ends the reading.
  std::optional<LineError> take(std::string_view text, std::uint64_t number);
  Verdict finish(std::optional<Problem> problem);

 private:
  std::optional<LineError> take_event(const TraceLine& line, std::string_view text,
                                      std::uint64_t number);
  void count(PageEventKind kind);
  void report(const PageViolation& found, std::string_view text);
  bool continues_other_event(std::string_view text) const;

  Verdict verdict_;
  PagesJudge pages_;
  std::vector<PageViolation> found_;
  bool after_other_event_ = false;
};

// Text that programs write into the trace (trace_marker) may have several lines; those after the
// first look like nothing at all. Bytes that are not text, and pieces of page events, are refused.
bool Reading::continues_other_event(std::string_view text) const {
  return after_other_event_ && text.find("mm_page") == std::string_view::npos &&
         std::ranges::all_of(text, [](unsigned char c) { return c == '\t' || c >= ' '; });
}

std::optional<LineError> Reading::take(std::string_view text, std::uint64_t number) {
  verdict_.counts.lines = number;
  const auto line = read_line(text);
  if (!line) {
    if (continues_other_event(text)) return std::nullopt;
    return line.error();
  }
  switch (line->kind) {
    case LineKind::event: return take_event(*line, text, number);
    case LineKind::lost:
      ++verdict_.counts.lost;
      pages_.forget();
      return std::nullopt;
    case LineKind::blank:
    case LineKind::comment:
    case LineKind::stack: return std::nullopt;
  }
  return std::nullopt;
}

std::optional<LineError> Reading::take_event(const TraceLine& line, std::string_view text,
                                             std::uint64_t number) {
  after_other_event_ = !is_page_event(line.name);
  if (after_other_event_) {
    ++verdict_.counts.other;
    return std::nullopt;
  }
  const auto event = read_page_event(line);
  if (!event) return event.error();
  ++verdict_.counts.events;
  count(event->kind);
  pages_.feed(*event, number, found_);
  for (const PageViolation& found : found_) report(found, text);
  found_.clear();
  return std::nullopt;
}

void Reading::count(PageEventKind kind) {
  switch (kind) {
    case PageEventKind::alloc: ++verdict_.counts.allocations; return;
    case PageEventKind::failed_alloc: ++verdict_.counts.failed; return;
    case PageEventKind::free: ++verdict_.counts.frees; return;
    case PageEventKind::free_batched: ++verdict_.counts.batched; return;
  }
}

void Reading::report(const PageViolation& found, std::string_view text) {
  ++verdict_.violation_count;
  if (verdict_.violations.size() == Verdict::shown_max) return;
  const Block& block = found.block;
  std::string sentence =
      fmt::format("line {}: pfn {:#x} order {} ", block.line, block.pfn, block.order);
  if (found.holder)
    sentence += fmt::format("collides with the block of line {}: pfn {:#x} order {}, still live",
                            found.holder->line, found.holder->pfn, found.holder->order);
  else
    sentence += fmt::format("is not aligned: the frame number leaves {:#x} when divided by {:#x}",
                            block.pfn & ((1ull << block.order) - 1), 1ull << block.order);
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  verdict_.violations.push_back({found.rule, block, found.holder,
                                 std::string(text.substr(0, event_shown_bytes)),
                                 std::move(sentence)});
}

Verdict Reading::finish(std::optional<Problem> problem) {
  if (!problem && verdict_.counts.events == 0)
    problem = Problem{verdict_.counts.lines + 1, 1, "the recording ends without any page event",
                      "mm_page_alloc, mm_page_free or mm_page_free_batched events of tracefs"};
  verdict_.problem = std::move(problem);
  verdict_.notes = pages_.notes();
  return std::move(verdict_);
}

}  // namespace

Verdict judge(LineReader& reader, std::string_view file) {
  Reading reading(file);
  for (;;) {
    const auto line = reader.next();
    if (!line) return reading.finish(line.error());
    if (!*line) return reading.finish(std::nullopt);
    if (auto error = reading.take(**line, reader.line()))
      return reading.finish(Problem{reader.line(), error->column, std::move(error->what),
                                    std::move(error->expected)});
  }
}

}  // namespace props::recorded
