// property_traces: what is true of traces, copies and runs in every layer: a trace is all there is
// to know of a run.
//
// Each is asked of a Case. An operation that reads and changes nothing stands for "the next call"
// where two worlds are compared whose last calls differ: the log tells of the last call only.
#pragma once
#include <fmt/format.h>

#include "props/core/property_case.hpp"

namespace props {

inline std::string text_of(const ref::core::Hash& hash) {
  return fmt::format("final state {:016x}{:016x}", hash.high, hash.low);
}

template <class Case>
void same_state(Case& c, const ref::core::Hash& wanted, const typename Case::World& seen) {
  c.holds(seen.digest() == wanted, text_of(wanted), text_of(seen.digest()), seen);
}

// Answers of two runs, the other with `origin` telling which step of the trace each of its steps
// is.
template <class Case>
void same_answers(Case& c, const std::vector<Answer>& wanted, const std::vector<Answer>& actual,
                  const std::vector<std::size_t>& origin, const typename Case::World& seen) {
  for (std::size_t i = 0; i < actual.size() && !c.broken(); ++i) {
    c.at(origin[i]);
    c.holds(wanted[origin[i]] == actual[i], print_answer(wanted[origin[i]]),
            print_answer(actual[i]), seen);
  }
  if (!c.broken()) c.at(c.steps().size());
}

inline std::vector<std::size_t> in_order(std::size_t count) {
  std::vector<std::size_t> all(count);
  for (std::size_t i = 0; i < count; ++i) all[i] = i;
  return all;
}

template <class Case>
void make(Case& c, typename Case::World& world, const typename Case::Operation& op) {
  c.play(world, typename Case::Step{op, {}, {}, 0});
}

// A trace that was written and read: in a world of its own it ends as the first one.
template <class Case>
void ends_alike(Case& c, const typename Case::World& world, const typename Case::Trace& read) {
  const typename Case::Newborn newborn(read.machine);
  typename Case::World again(newborn, Case::Judging::cheap());
  c.play(again, typename Case::Steps(read.steps));
  same_state(c, world.digest(), again);
}

template <class Case>
void text_is_the_trace(Case& c) {
  const auto world = c.played();
  if (c.broken()) return;
  const std::string text = print_trace(c.trace);
  const auto read = parse_trace<typename Case::Operation>(text);
  if (!c.holds(read.has_value(), "a trace that can be read", read ? "" : read.error().what, world))
    return;
  if (c.holds(print_trace(*read) == text, "the same text again", "another text", world))
    ends_alike(c, world, *read);
}

// Bytes keep machine and steps, and no answers.
template <class Case>
void bytes_are_the_trace(Case& c) {
  const auto world = c.played();
  if (c.broken()) return;
  typename Case::Trace plain{c.trace.machine, c.trace.steps, {}, {}};
  for (auto& step : plain.steps) step.answer.reset();
  const auto read = decode_trace<typename Case::Operation>(encode_trace(plain));
  if (c.holds(print_trace(read) == print_trace(plain), "the same trace again", "another trace",
              world))
    ends_alike(c, world, read);
}

template <class Case>
void runs_alike(Case& c) {
  auto world = c.fresh();
  const auto answers = c.play(world, c.steps());
  const auto digest = world.digest();
  auto other = c.fresh();
  const auto second = c.play(other, c.steps());
  if (c.broken()) return;
  same_answers(c, answers, second, in_order(second.size()), other);
  same_state(c, digest, other);
  world.reset(c.newborn, Case::Judging::cheap());  // used before: nothing of that may be left
  const auto third = c.play(world, c.steps());
  if (c.broken()) return;
  same_answers(c, answers, third, in_order(third.size()), world);
  same_state(c, digest, world);
}

template <class Case>
void every_byte_is_hashed(Case& c, const typename Case::World& world) {
  const auto& arena = world.machine().arena;
  c.holds(arena.hash_of_all() == arena.hash(), "a hash of every byte", "a hash of other bytes",
          world);
}

template <class Case>
void copies_are_independent(Case& c) {
  const std::size_t half = c.steps().size() / 2;
  auto world = c.fresh();
  c.play(world, c.steps().first(half));
  auto copy = world;
  const auto digest = copy.digest();
  const auto answers = c.play(world, c.steps().subspan(half));
  if (c.broken() || half == c.steps().size()) return;
  same_state(c, digest, copy);
  every_byte_is_hashed(c, copy);
  const auto again = c.play(copy, c.steps().subspan(half));
  c.holds(again == answers, "the answers of the original", "other answers", copy);
  same_state(c, world.digest(), copy);
}

template <class Case>
void restored(Case& c) {
  const std::size_t half = c.steps().size() / 2;
  auto world = c.fresh();
  c.play(world, c.steps().first(half));
  const auto saved = world;
  c.play(world, c.steps().subspan(half));
  if (c.broken() || half == c.steps().size()) return;
  const auto end = world.digest();
  world = saved;
  c.holds(world.machine() == saved.machine(), "the very state that was saved", "another", world);
  same_state(c, saved.digest(), world);
  every_byte_is_hashed(c, world);
  c.play(world, c.steps().subspan(half));
  same_state(c, end, world);
}

// Stamps are part of the state, so both write the same.
template <class Case>
void judged_alike(Case& c) {
  auto judging = Case::Judging::cheap();
  judging.stamps = Case::Judging::everything().stamps;
  auto cheap = c.fresh(judging);
  auto watched = c.fresh(Case::Judging::everything());
  const auto answers = c.play(cheap, c.steps());
  const auto other = c.play(watched, c.steps());
  if (c.broken()) return;
  same_answers(c, answers, other, in_order(other.size()), watched);
  same_state(c, cheap.digest(), watched);
}

// Its violations are those of the rules: the world asks all its judges after every step.
template <class Case>
void agreed(Case& c) {
  auto world = c.fresh(Case::Judging::everything());
  c.play(world, c.steps());
  if (c.broken()) return;
  world.finish();
  const auto& v = world.violation();
  if (v) c.judged(*v);
  else c.holds(true, "", "", world);
}

template <class Case>
void skipped_steps_do_nothing(Case& c, const typename Case::Operation& reading) {
  auto world = c.fresh();
  const auto answers = c.play(world, c.steps());
  if (c.broken()) return;
  std::vector<typename Case::Step> kept;
  std::vector<std::size_t> origin;
  std::size_t waiting = 0;  // armed steps in front of this one, which go when it goes
  for (std::size_t i = 0; i < answers.size(); ++i) {
    kept.push_back(c.steps()[i]);
    origin.push_back(i);
    if (c.steps()[i].at) {
      ++waiting;
      continue;
    }
    if (answers[i].kind == Answer::Kind::skipped)
      kept.resize(kept.size() - waiting - 1), origin.resize(kept.size());
    waiting = 0;
  }
  if (kept.size() == answers.size()) return;
  auto shorter = c.fresh();
  const auto fewer = c.play(shorter, typename Case::Steps(kept));
  if (c.broken()) return;
  same_answers(c, answers, fewer, origin, shorter);
  make(c, world, reading), make(c, shorter, reading);
  same_state(c, world.digest(), shorter);
}

// `readings(i)` are what may be read behind step i.
template <class Case, class Readings>
void reading_changes_nothing(Case& c, const Readings& readings) {
  auto world = c.fresh(), curious = c.fresh();
  const auto answers = c.play(world, c.steps());
  std::vector<Answer> other;
  for (std::size_t i = 0; i < c.steps().size() && !c.broken(); ++i) {
    const auto& step = c.steps()[i];
    other.push_back(c.play(curious, step));
    if (step.at) continue;  // it waits for the next step, which must not be a reading one
    for (const typename Case::Operation& op : readings(i)) make(c, curious, op);
  }
  if (c.broken()) return;
  same_answers(c, answers, other, in_order(other.size()), curious);
  make(c, world, readings(0).back()), make(c, curious, readings(0).back());
  same_state(c, world.digest(), curious);
}

}  // namespace props
