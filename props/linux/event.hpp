// event: reads one line of tracefs text; knows the form of events, nothing of what they mean.
//
//              bash-754     [000] .....  2685.396156: mm_page_free: page=ffffea00 pfn=0x2a9a0c
//              order=0
//   |   task   |-pid   |    [cpu]  flags time:        name:         fields
//
// A task name may hold any bytes, so the header is found from the column where the kernel ends the
// name (16 characters wide) and, failing that, by its shape. Other tracers' texts are not read.
#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "props/linux/lines.hpp"

namespace props::recorded {

// What a line is. `lost` is any mark after which the recording has a hole behind it: "CPU:1 [LOST 7
// EVENTS]" or, at the place where an overwritten buffer begins, "##### CPU 1 buffer started ####".
enum class LineKind : std::uint8_t { blank, comment, lost, stack, event };

struct TraceLine {
  LineKind kind = LineKind::blank;
  std::string_view name;            // of an event; empty where the kernel prints none
  std::string_view fields;          // all text after the name
  std::uint64_t fields_column = 0;  // of the first byte of `fields`, from 1
};

// What is wrong with a line; the caller knows which line it is.
struct LineError {
  std::uint64_t column = 0;
  std::string what;
  std::string expected;
};

std::expected<TraceLine, LineError> read_line(std::string_view line);

// The value of `key` among "key=value key=value"; a null view (data() == nullptr) when it is
// absent.
std::string_view field(std::string_view fields, std::string_view key);

// The same as a number: "0x" and hexadecimal digits, or decimal digits as older kernels print.
// `expected` is for the message.
std::expected<std::uint64_t, LineError> number_field(const TraceLine& line, std::string_view key,
                                                     std::string_view expected);

// The same as a pointer, hexadecimal with or without "0x". Zero is a null pointer; nothing is one
// that the recording hides: hashed, so that it is no address of a 64-bit kernel, or "(ptrval)".
std::expected<std::optional<std::uint64_t>, LineError> pointer_field(const TraceLine& line,
                                                                     std::string_view key);

// What is wrong with the value of `key`, at its column, which exists.
LineError field_error(const TraceLine& line, std::string_view key, std::string what,
                      std::string_view expected);

enum class PageEventKind : std::uint8_t { alloc, failed_alloc, free, free_batched };

struct PageEvent {
  PageEventKind kind = PageEventKind::alloc;
  std::uint8_t order = 0;
  std::uint64_t pfn = 0;   // zero for a failed allocation
  std::uint64_t page = 0;  // where its struct page is; zero where the recording hides it
};

bool is_page_event(std::string_view name);

// Precondition: is_page_event(line.name).
std::expected<PageEvent, LineError> read_page_event(const TraceLine& line);

}  // namespace props::recorded
