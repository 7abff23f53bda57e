// event: the scanner of tracefs lines and of the fields of page events.
#include "props/linux/event.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "props/linux/object_event.hpp"

namespace props::recorded {
namespace {

constexpr std::string_view line_form =
    "a line of tracefs: TASK-PID [CPU] FLAGS SECONDS.MICROSECONDS: EVENT: FIELDS";
constexpr std::size_t task_width = 16;
constexpr unsigned order_limit = 64;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

std::size_t skip_spaces(std::string_view text, std::size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  return at;
}

// "2685.396156:" or, with a counting clock, "2685396156:". Answers where the text after it begins.
std::optional<std::size_t> after_time(std::string_view line, std::size_t at) {
  std::size_t end = skip_digits(line, at);
  if (end == at) return std::nullopt;
  if (end < line.size() && line[end] == '.') end = skip_digits(line, end + 1);
  if (end == line.size() || line[end] != ':') return std::nullopt;
  return end + 1;
}

// Reads "[000] .....  2685.396156:" from `open`, the place of a bracket; flags may be missing.
std::optional<std::size_t> after_header(std::string_view line, std::size_t open) {
  std::size_t at = skip_digits(line, open + 1);
  if (at == open + 1 || at == line.size() || line[at] != ']') return std::nullopt;
  at = skip_spaces(line, at + 1);
  if (auto rest = after_time(line, at)) return rest;
  while (at < line.size() && line[at] != ' ') ++at;
  return after_time(line, skip_spaces(line, at));
}

std::optional<std::size_t> find_header_end(std::string_view line) {
  std::size_t from = 0;  // where the search for "[CPU]" begins
  if (line.size() > task_width + 1 && line[task_width] == '-' && is_digit(line[task_width + 1]))
    from = task_width;
  for (std::size_t open = line.find('[', from); open != std::string_view::npos;
       open = line.find('[', open + 1))
    if (auto rest = after_header(line, open)) return rest;
  return std::nullopt;
}

bool is_lost(std::string_view text) {
  if (text.starts_with("#####")) return text.find("buffer started") != std::string_view::npos;
  if (!text.starts_with("CPU:") || !text.ends_with(']')) return false;
  const std::size_t at = skip_digits(text, 4);
  if (at == 4 || text.substr(at, 2) != " [") return false;
  return text.find("LOST") != std::string_view::npos ||
         text.find("DROPPED") != std::string_view::npos;
}

TraceLine of_kind(LineKind kind) {
  TraceLine line;
  line.kind = kind;
  return line;
}

std::expected<TraceLine, LineError> event_line(std::string_view line, std::size_t at) {
  at = skip_spaces(line, at);
  // The function tracer and stack traces print no "name:"; such lines have only fields.
  std::size_t end = at;
  while (end < line.size() && line[end] != ':' && line[end] != ' ') ++end;
  TraceLine result = of_kind(LineKind::event);
  const bool named = end < line.size() && line[end] == ':';
  if (named) {
    result.name = line.substr(at, end - at);
    at = skip_spaces(line, end + 1);
  }
  result.fields = line.substr(at);
  result.fields_column = at + 1;
  // An event that ends before its colon is a cut line, not a line of another tracer; but the
  // function tracer knows functions of the same names, as "kfree <-__fput".
  const std::string_view word = line.substr(at, end - at);
  if (!named && (is_page_event(word) || is_object_event(word)) &&
      !line.substr(end).starts_with(" <-"))
    return std::unexpected(
        LineError{end + 1, fmt::format("no ':' after {}", word), "EVENT: FIELDS"});
  return result;
}

// A shown value is cut: a message must stay one line whatever the input holds.
std::string quoted(std::string_view text) {
  constexpr std::size_t shown = 32;
  return fmt::format("{:?}{}", text.substr(0, shown), text.size() > shown ? "..." : "");
}

std::uint64_t column_of(const TraceLine& line, std::string_view value) {
  return line.fields_column + static_cast<std::uint64_t>(value.data() - line.fields.data());
}

std::optional<std::uint64_t> digits(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}
std::optional<std::uint64_t> hexadecimal(std::string_view text) { return digits(text, 16); }

// All of `text` as a number: "0x" and hexadecimal digits, or decimal digits as older kernels print.
std::optional<std::uint64_t> number(std::string_view text) {
  return text.starts_with("0x") ? hexadecimal(text.substr(2)) : digits(text, 10);
}

LineError absent(const TraceLine& line, std::string_view key, std::string_view expected) {
  return {line.fields_column + line.fields.size(), fmt::format("{} has no {}=", line.name, key),
          std::string(expected)};
}

// How kernels print a null pointer: "(null)", "(nil)", or zeros.
bool is_null_pointer(std::string_view text) {
  if (text == "(null)" || text == "(nil)") return true;
  if (text.starts_with("0x")) text.remove_prefix(2);
  return !text.empty() && text.find_first_not_of('0') == std::string_view::npos;
}

struct PageEventName {
  std::string_view name;
  PageEventKind kind;
};
// The last two are the names of kernels before 3.3.
constexpr std::array page_event_names{
    PageEventName{"mm_page_alloc", PageEventKind::alloc},
    PageEventName{"mm_page_free", PageEventKind::free},
    PageEventName{"mm_page_free_batched", PageEventKind::free_batched},
    PageEventName{"mm_page_free_direct", PageEventKind::free},
    PageEventName{"mm_pagevec_free", PageEventKind::free_batched},
};

}  // namespace

std::expected<TraceLine, LineError> read_line(std::string_view line) {
  const std::size_t start = skip_spaces(line, 0);
  if (start == line.size()) return TraceLine{};
  const std::string_view text = line.substr(start);
  if (text.front() == '#') return of_kind(is_lost(text) ? LineKind::lost : LineKind::comment);
  if (const auto end = find_header_end(line)) return event_line(line, *end);
  if (is_lost(text)) return of_kind(LineKind::lost);
  if (text.starts_with("=> ")) return of_kind(LineKind::stack);
  return std::unexpected(LineError{
      start + 1, fmt::format("{} is not a line of tracefs", quoted(text)), std::string(line_form)});
}

std::string_view field(std::string_view fields, std::string_view key) {
  std::size_t at = 0;
  while (at < fields.size()) {
    at = skip_spaces(fields, at);
    const std::size_t end = std::min(fields.find(' ', at), fields.size());
    const std::string_view word = fields.substr(at, end - at);
    if (word.size() > key.size() && word[key.size()] == '=' && word.starts_with(key))
      return word.substr(key.size() + 1);
    at = end;
  }
  return {};
}

LineError field_error(const TraceLine& line, std::string_view key, std::string what,
                      std::string_view expected) {
  return {column_of(line, field(line.fields, key)), std::move(what), std::string(expected)};
}

std::expected<std::uint64_t, LineError> number_field(const TraceLine& line, std::string_view key,
                                                     std::string_view expected) {
  const std::string_view text = field(line.fields, key);
  if (text.data() == nullptr) return std::unexpected(absent(line, key, expected));
  if (auto value = number(text)) return *value;
  return std::unexpected(
      field_error(line, key, fmt::format("{}={} is not a number", key, quoted(text)), expected));
}

std::expected<std::optional<std::uint64_t>, LineError> pointer_field(const TraceLine& line,
                                                                     std::string_view key) {
  constexpr std::uint64_t kernel_half = 1ull << 63;
  constexpr std::uint64_t null_most = 16;  // ZERO_SIZE_PTR, what kmalloc answers for no bytes
  const std::string expected = fmt::format("{}=HEX", key);
  const std::string_view text = field(line.fields, key);
  if (text.data() == nullptr) return std::unexpected(absent(line, key, expected));
  if (is_null_pointer(text)) return 0;
  if (text.starts_with('(')) return std::nullopt;
  const auto value = hexadecimal(text.starts_with("0x") ? text.substr(2) : text);
  if (!value)
    return std::unexpected(
        field_error(line, key, fmt::format("{}={} is not a pointer", key, quoted(text)), expected));
  if (*value <= null_most) return 0;
  if (*value < kernel_half) return std::nullopt;
  return *value;
}

bool is_page_event(std::string_view name) {
  if (!name.starts_with("mm_page")) return false;
  for (const PageEventName& known : page_event_names)
    if (known.name == name) return true;
  return false;
}

std::expected<PageEvent, LineError> read_page_event(const TraceLine& line) {
  PageEvent event;
  for (const PageEventName& known : page_event_names)
    if (known.name == line.name) event.kind = known.kind;

  const auto order = number_field(line, "order", "order=NUMBER below 64");
  if (!order) return std::unexpected(order.error());
  if (*order >= order_limit)
    return std::unexpected(
        field_error(line, "order", fmt::format("order {} cannot be", *order), "an order below 64"));
  event.order = static_cast<std::uint8_t>(*order);

  const auto pfn = number_field(line, "pfn", "pfn=0xHEX or pfn=DECIMAL");
  if (!pfn) return std::unexpected(pfn.error());
  // A request that was refused is traced too: a null page, and zero for the frame it did not get.
  if (event.kind == PageEventKind::alloc &&
      (*pfn == 0 || is_null_pointer(field(line.fields, "page")))) {
    event.kind = PageEventKind::failed_alloc;
    return event;
  }
  if (*pfn > std::numeric_limits<std::uint64_t>::max() - (1ull << event.order))
    return std::unexpected(field_error(
        line, "pfn", fmt::format("pfn {:#x} of order {} ends beyond 64 bits", *pfn, event.order),
        "a block of frames whose end is a 64-bit number"));
  event.pfn = *pfn;
  if (const auto page = pointer_field(line, "page"); page && *page) event.page = **page;
  return event;
}

}  // namespace props::recorded
