// cross_over: the steps of a child from those of two parents.
//
//   splice     a a a|b b b       the beginning of one, the end of the other
//   exchange   a a|b b|a         a run of one in the place of as many of the other
//   graft      a a|b b|a a a     a run of one inside the other
//   riffle     a|b b|a a|b       runs of both in turn
#pragma once
#include <algorithm>
#include <array>
#include <string_view>

#include "props/core/random.hpp"
#include "props/core/trace.hpp"

namespace fuzz {

using props::Random;

enum class Crossing : std::uint8_t { splice, exchange, graft, riffle };
inline constexpr std::array<std::string_view, 4> crossing_names{"splice", "exchange", "graft",
                                                                "riffle"};

template <class Steps>
auto step_at(const Steps& steps, std::size_t i) {
  return steps.begin() + static_cast<std::ptrdiff_t>(i);
}

// Mostly a step or a few; now and then a large part.
inline std::size_t draw_count(std::size_t most, Random& random) {
  return 1 + random.below(std::min<std::size_t>(most, std::size_t{1} << random.below(9)));
}

template <class Steps>
void append_run(Steps& to, const Steps& from, std::size_t first, std::size_t end) {
  to.insert(to.end(), step_at(from, first), step_at(from, end));
}

// Where to cut a parent: inside, so that something of it is taken.
template <class Steps>
std::size_t draw_cut(const Steps& steps, Random& random) {
  return steps.empty() ? 0 : 1 + random.below(steps.size());
}

// Runs of both in turn, each parent's in its own order.
template <class Steps>
void riffle(const Steps& a, const Steps& b, Steps& child, Random& random) {
  for (std::size_t i = 0, j = 0; i < a.size() || j < b.size();) {
    const std::size_t m =
        i < a.size() ? draw_count(std::min(a.size() - i, std::size_t{8}), random) : 0;
    append_run(child, a, i, i + m);
    i += m;
    const std::size_t n =
        j < b.size() ? draw_count(std::min(b.size() - j, std::size_t{8}), random) : 0;
    append_run(child, b, j, j + n);
    j += n;
  }
}

template <class Steps>
void cross_steps(Crossing which, const Steps& a, const Steps& b, Steps& child, Random& random) {
  if (which == Crossing::riffle) return riffle(a, b, child, random);
  const std::size_t from = b.empty() ? 0 : random.below(b.size());
  const std::size_t end = b.empty() ? 0 : from + draw_count(b.size() - from, random);
  const std::size_t to = draw_cut(a, random);
  append_run(child, a, 0, to);
  if (which == Crossing::splice) return append_run(child, b, from, b.size());
  append_run(child, b, from, end);
  const std::size_t skipped = which == Crossing::exchange ? end - from : 0;
  append_run(child, a, std::min(to + skipped, a.size()), a.size());
}

// Drops the last steps until the encoded trace fits. False: not even the machine fits.
template <class Trace>
bool shorten_to(Trace& trace, std::size_t max_bytes, props::ByteWriter& scratch) {
  scratch.clear();
  props::encode_machine(trace.machine, scratch);
  if (scratch.bytes().size() > max_bytes) {
    trace.steps.clear();
    return false;
  }
  std::size_t fitting = 0;
  for (; fitting < trace.steps.size(); ++fitting) {
    props::encode_step(trace.steps[fitting], scratch, trace.machine.era);
    if (scratch.bytes().size() > max_bytes) break;
  }
  trace.steps.erase(trace.steps.begin() + static_cast<std::ptrdiff_t>(fitting), trace.steps.end());
  return true;
}

}  // namespace fuzz
