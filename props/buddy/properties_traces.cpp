// Properties about traces, copies, and runs: a trace is all there is to know of a run.
#include <fmt/format.h>

#include <algorithm>

#include "props/buddy/property_case.hpp"

namespace props::buddy {
namespace {

using Steps = std::vector<World::Step>;
using Trace = Case::Trace;

std::string text_of(const ref::core::Hash& hash) {
  return fmt::format("final state {:016x}{:016x}", hash.high, hash.low);
}

void same_state(Case& c, const ref::core::Hash& wanted, const World& seen) {
  c.holds(seen.digest() == wanted, text_of(wanted), text_of(seen.digest()), seen);
}

// Answers of two runs, the other with `origin` telling which step of the trace each of its steps
// is.
void same_answers(Case& c, const std::vector<Answer>& wanted, const std::vector<Answer>& actual,
                  const std::vector<std::size_t>& origin, const World& seen) {
  for (std::size_t i = 0; i < actual.size() && !c.broken(); ++i) {
    c.at(origin[i]);
    c.holds(wanted[origin[i]] == actual[i], print_answer(wanted[origin[i]]),
            print_answer(actual[i]), seen);
  }
  if (!c.broken()) c.at(c.steps().size());
}

std::vector<std::size_t> in_order(std::size_t count) {
  std::vector<std::size_t> all(count);
  for (std::size_t i = 0; i < count; ++i) all[i] = i;
  return all;
}

// Clears the log, which tells of the last call only: runs that end in other calls can be compared.
void forget_the_last_call(Case& c, World& world) {
  c.play(world, World::Step{FreePagesNull{}, {}, {}, 0});
}

// Only machine and steps: what bytes keep.
Trace bare(const Trace& trace) {
  Trace plain{trace.machine, trace.steps, {}, {}};
  for (auto& step : plain.steps) step.answer.reset();
  return plain;
}

}  // namespace

void text_is_the_trace(Case& c) {
  const World world = c.played();
  if (c.broken()) return;
  const std::string text = print_trace(c.trace);
  const auto read = parse_trace<Operation>(text);
  if (!c.holds(read.has_value(), "a trace that can be read", read ? "" : read.error().what, world))
    return;
  if (!c.holds(print_trace(*read) == text, "the same text again", "another text", world)) return;
  const Newborn newborn(read->machine);
  World again(newborn, Judging::cheap());
  c.play(again, read->steps);
  same_state(c, world.digest(), again);
}

void bytes_are_the_trace(Case& c) {
  const World world = c.played();
  if (c.broken()) return;
  const Trace plain = bare(c.trace);
  const Trace read = decode_trace<Operation>(encode_trace(plain));
  if (!c.holds(print_trace(read) == print_trace(plain), "the same trace again", "another trace",
               world))
    return;
  const Newborn newborn(read.machine);
  World again(newborn, Judging::cheap());
  c.play(again, read.steps);
  same_state(c, world.digest(), again);
}

void runs_alike(Case& c) {
  World world = c.fresh();
  const auto answers = c.play(world, c.steps());
  const auto digest = world.digest();
  World other = c.fresh();
  const auto second = c.play(other, c.steps());
  if (c.broken()) return;
  same_answers(c, answers, second, in_order(second.size()), other);
  same_state(c, digest, other);
  world.reset(c.newborn, Judging::cheap());  // used before: nothing of that may be left
  const auto third = c.play(world, c.steps());
  if (c.broken()) return;
  same_answers(c, answers, third, in_order(third.size()), world);
  same_state(c, digest, world);
}

void copies_are_independent(Case& c) {
  const std::size_t half = c.steps().size() / 2;
  World world = c.fresh();
  c.play(world, c.steps().first(half));
  World copy = world;
  const auto digest = copy.digest();
  const auto answers = c.play(world, c.steps().subspan(half));
  if (c.broken() || half == c.steps().size()) return;
  same_state(c, digest, copy);
  const auto& arena = copy.machine().arena;
  c.holds(arena.hash_of_all() == arena.hash(), "a hash of every byte", "a hash of other bytes",
          copy);
  const auto again = c.play(copy, c.steps().subspan(half));
  c.holds(again == answers, "the answers of the original", "other answers", copy);
  same_state(c, world.digest(), copy);
}

void restored(Case& c) {
  const std::size_t half = c.steps().size() / 2;
  World world = c.fresh();
  c.play(world, c.steps().first(half));
  const World saved = world;
  c.play(world, c.steps().subspan(half));
  if (c.broken() || half == c.steps().size()) return;
  const auto end = world.digest();
  world = saved;
  c.holds(world.machine() == saved.machine(), "the very state that was saved", "another", world);
  same_state(c, saved.digest(), world);
  const auto& arena = world.machine().arena;
  c.holds(arena.hash_of_all() == arena.hash(), "a hash of every byte", "a hash of other bytes",
          world);
  c.play(world, c.steps().subspan(half));
  same_state(c, end, world);
}

void judged_alike(Case& c) {
  // Stamps are part of the state, so both write the same.
  World cheap = c.fresh({.stamps = Judging::everything().stamps});
  World watched = c.fresh(Judging::everything());
  const auto answers = c.play(cheap, c.steps());
  const auto other = c.play(watched, c.steps());
  if (c.broken()) return;
  same_answers(c, answers, other, in_order(other.size()), watched);
  same_state(c, cheap.digest(), watched);
}

// Its violations are those of the rules: the world asks the oracle, the exact model and the
// invariants after every step.
void agreed(Case& c) {
  World world = c.fresh(Judging::everything());
  c.play(world, c.steps());
  if (c.broken()) return;
  world.finish();
  const auto& v = world.violation();
  if (v) c.judged(*v);
  else c.holds(true, "", "", world);
}

void skipped_steps_do_nothing(Case& c) {
  World world = c.fresh();
  const auto answers = c.play(world, c.steps());
  if (c.broken()) return;
  Steps kept;
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
  World shorter = c.fresh();
  const auto fewer = c.play(shorter, kept);
  if (c.broken()) return;
  same_answers(c, answers, fewer, origin, shorter);
  forget_the_last_call(c, world), forget_the_last_call(c, shorter);
  same_state(c, world.digest(), shorter);
}

void reading_changes_nothing(Case& c) {
  World world = c.fresh(), curious = c.fresh();
  const auto answers = c.play(world, c.steps());
  std::vector<Answer> other;
  for (std::size_t i = 0; i < c.steps().size() && !c.broken(); ++i) {
    const auto& step = c.steps()[i];
    other.push_back(c.play(curious, step));
    if (step.at) continue;  // it waits for the next step, which must not be a reading one
    const PageRegister page{static_cast<std::uint8_t>(i % PageRegister::count)};
    for (const Operation& op : {Operation{PageCount{page, {0}}}, Operation{PageAddress{page}},
                                Operation{ReadBuddyinfo{}}, Operation{ReadZoneinfo{}}})
      c.play(curious, World::Step{op, {}, {}, 0});
  }
  if (c.broken()) return;
  same_answers(c, answers, other, in_order(other.size()), curious);
  forget_the_last_call(c, world), forget_the_last_call(c, curious);
  same_state(c, world.digest(), curious);
}

}  // namespace props::buddy
