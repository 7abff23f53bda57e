// require: a broken assumption of our own ends the program with file, line and condition, in every
// build.
#pragma once
#include <cstdio>
#include <cstdlib>

namespace ref::core {

// The line starts with a fixed word, so that whoever watches the process can quote it. Cold and
// never inlined: there is one check in nearly every access, and their ends must cost the hot path
// nothing.
[[noreturn, gnu::cold, gnu::noinline]] inline void require_failed(const char* file, int line,
                                                                  const char* condition) {
  std::fprintf(stderr, "REQUIRE %s:%d: %s\n", file, line, condition);
  std::fflush(stderr);
  std::abort();
}

}  // namespace ref::core

// Never for input: bad input is an error value. Split conditions, so that the line says which
// failed.
#define REQUIRE(...) \
  ((__VA_ARGS__) ? void() : ::ref::core::require_failed(__FILE__, __LINE__, #__VA_ARGS__))

// A place that no path reaches: behind a switch that has every case.
#define UNREACHABLE(text) ::ref::core::require_failed(__FILE__, __LINE__, "unreachable: " text)
