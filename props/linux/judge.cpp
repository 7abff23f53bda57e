// judge: the loop over the lines of a recording.
#include "props/linux/judge.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "props/linux/object_event.hpp"

namespace props::recorded {
namespace {

class Reading {
 public:
  Reading(std::string_view file, Classes classes) : classes_(classes), objects_(classes) {
    verdict_.file = file;
  }

  // Takes one line; a problem ends the reading.
  std::optional<LineError> take(std::string_view text, std::uint64_t number);
  Verdict finish(std::optional<Problem> problem);

 private:
  std::optional<LineError> take_event(const TraceLine& line, std::string_view text,
                                      std::uint64_t number);
  std::optional<LineError> take_page_event(const TraceLine& line, std::string_view text,
                                           std::uint64_t number);
  std::optional<LineError> take_object_event(const TraceLine& line, std::string_view text,
                                             std::uint64_t number);
  void count(PageEventKind kind);
  void count(ObjectEventKind kind);
  void place(const PageEvent& event);
  void report(Violation violation);
  void report_overlap(Violation violation);
  void report_held();
  bool continues_other_event(std::string_view text) const;

  Verdict verdict_;
  Classes classes_;
  PagesJudge pages_;
  ObjectsJudge objects_;
  DirectMap map_;
  std::vector<PageViolation> found_;
  std::vector<ObjectViolation> found_objects_;
  // Overlaps seen before the first page event: whether there is one decides what they are.
  std::vector<Violation> held_;
  std::uint64_t held_count_ = 0;
  bool any_page_event_ = false;
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
      objects_.forget();
      return std::nullopt;
    case LineKind::blank:
    case LineKind::comment:
    case LineKind::stack: return std::nullopt;
  }
  return std::nullopt;
}

std::optional<LineError> Reading::take_event(const TraceLine& line, std::string_view text,
                                             std::uint64_t number) {
  after_other_event_ = false;
  if (is_page_event(line.name)) return take_page_event(line, text, number);
  if (is_object_event(line.name)) return take_object_event(line, text, number);
  after_other_event_ = true;
  ++verdict_.counts.other;
  return std::nullopt;
}

std::optional<LineError> Reading::take_page_event(const TraceLine& line, std::string_view text,
                                                  std::uint64_t number) {
  const auto event = read_page_event(line);
  if (!event) return event.error();
  ++verdict_.counts.events;
  count(event->kind);
  pages_.feed(*event, number, found_);
  for (const PageViolation& found : found_) report(told(found, text));
  found_.clear();
  if (event->kind != PageEventKind::failed_alloc) place(*event);
  return std::nullopt;
}

std::optional<LineError> Reading::take_object_event(const TraceLine& line, std::string_view text,
                                                    std::uint64_t number) {
  const auto event = read_object_event(line);
  if (!event) return event.error();
  ++verdict_.counts.objects.events;
  count(event->kind);
  const bool placed = event->address != 0 && event->kind != ObjectEventKind::free;
  if (placed && map_.take_object(event->address, event->bytes_alloc)) objects_.forget();
  objects_.feed(*event, number, found_objects_);
  for (const ObjectViolation& found : found_objects_)
    if (found.holder) report_overlap(told(found, classes_, text));
    else report(told(found, classes_, text));
  found_objects_.clear();
  return std::nullopt;
}

// What was seen of objects stays true only if no page event before this one went unplaced.
void Reading::place(const PageEvent& event) {
  const bool first = !any_page_event_;
  any_page_event_ = true;
  const bool moved = map_.take_page(event);
  if (first) report_held();
  else if (moved) objects_.forget();
  const auto [from, to] = map_.addresses(event.pfn, event.order);
  objects_.cover(from, to);
}

void Reading::count(PageEventKind kind) {
  switch (kind) {
    case PageEventKind::alloc: ++verdict_.counts.allocations; return;
    case PageEventKind::failed_alloc: ++verdict_.counts.failed; return;
    case PageEventKind::free: ++verdict_.counts.frees; return;
    case PageEventKind::free_batched: ++verdict_.counts.batched; return;
  }
}

void Reading::count(ObjectEventKind kind) {
  switch (kind) {
    case ObjectEventKind::kmalloc:
    case ObjectEventKind::cache_alloc: ++verdict_.counts.objects.allocations; return;
    case ObjectEventKind::failed_alloc: ++verdict_.counts.objects.failed; return;
    case ObjectEventKind::free:
    case ObjectEventKind::free_nothing: ++verdict_.counts.objects.frees; return;
  }
}

void Reading::report(Violation violation) {
  ++verdict_.violation_count;
  if (verdict_.violations.size() == Verdict::shown_max) return;
  verdict_.violations.push_back(std::move(violation));
}

void Reading::report_overlap(Violation violation) {
  if (map_.source() != DirectMap::Source::unknown) return report(std::move(violation));
  if (any_page_event_) {
    ++verdict_.overlap_unsure;
    return;
  }
  ++held_count_;
  if (held_.size() < Verdict::shown_max) held_.push_back(std::move(violation));
}

// The first page event came, or the recording ended without one.
void Reading::report_held() {
  if (map_.source() == DirectMap::Source::unknown) {
    verdict_.overlap_unsure += held_count_;
  } else {
    verdict_.violation_count += held_count_;
    std::vector<Violation> both;
    std::ranges::merge(verdict_.violations, held_, std::back_inserter(both), {}, &Violation::line,
                       &Violation::line);
    if (both.size() > Verdict::shown_max) both.resize(Verdict::shown_max);
    verdict_.violations = std::move(both);
  }
  held_.clear();
  held_count_ = 0;
}

Verdict Reading::finish(std::optional<Problem> problem) {
  report_held();
  if (!problem && verdict_.counts.events == 0 && verdict_.counts.objects.events == 0)
    problem =
        Problem{verdict_.counts.lines + 1, 1, "the recording ends without any page or object event",
                "events of tracefs: mm_page_alloc, mm_page_free, mm_page_free_batched, "
                "kmalloc, kfree, kmem_cache_alloc or kmem_cache_free"};
  verdict_.problem = std::move(problem);
  verdict_.notes = pages_.notes();
  verdict_.object_notes = objects_.notes();
  verdict_.direct_map = map_;
  return std::move(verdict_);
}

}  // namespace

Verdict judge(LineReader& reader, std::string_view file, Classes classes) {
  Reading reading(file, classes);
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
