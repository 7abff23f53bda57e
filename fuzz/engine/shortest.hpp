// shortest: is there a shorter trace? Every sequence of the steps left is tried, breadth first.
//
//   alphabet   each operation left with every combination of the arguments left, registers open
//   registers  as many as the trace touches; a sequence takes them in order: p0, then p0 or p1, ...
//
//   length 0   []                                     a sequence that leads to a state seen before
//   length 1   [a p0] [b p0]                          is not continued: what could follow has been
//   length 2   [a p0, a p1] [a p0, b p0] ...          tried there, and no later
//
// Renaming registers changes nothing that a rule can see, so one naming stands for all; only with
// operations that use a range of registers every naming is tried. States are compared exactly
// (World::exact_state), so a sequence that is not continued loses nothing.
#pragma once
#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <set>
#include <unordered_set>
#include <vector>

#include "fuzz/engine/answers.hpp"
#include "fuzz/engine/changes.hpp"
#include "fuzz/engine/finding.hpp"
#include "fuzz/engine/rename.hpp"

namespace fuzz {

// How many registers of each kind, in the order of register_kinds.
using RegisterCounts = std::array<std::size_t, register_kinds.size()>;

// The steps that the search may use, with register 0 wherever a register stands.
template <class L>
class Alphabet {
 public:
  using Step = typename L::Step;
  using Trace = typename L::Trace;

  explicit Alphabet(const Trace& trace) : era_(trace.machine.era) {
    for (const Step& step : trace.steps) collect(step);
    for (const Step& step : trace.steps) combine(step);
    for (std::size_t kind = 0; kind < register_kinds.size(); ++kind)
      registers_[kind] = registers_touched(trace, register_kinds[kind]);
    ordered_ = !std::ranges::any_of(trace.steps, [](const Step& s) { return has_range(s.op); });
  }

  std::size_t size() const { return letters_.size(); }
  std::size_t registers() const { return std::reduce(registers_.begin(), registers_.end()); }
  // Every letter with every registers that it may use when `used` are in use; with each, how many
  // are in use then.
  std::vector<std::pair<Step, RegisterCounts>> with_registers(const RegisterCounts& used) const {
    std::vector<std::pair<Step, RegisterCounts>> out;
    for (const Step& letter : letters_) assign(letter, 0, used, out);
    return out;
  }

 private:
  // A field's place: which operation, armed where, answering what, which field.
  using Place = std::pair<std::string, std::size_t>;

  std::string kind_of(const Step& step) const {
    std::string kind = std::to_string(step.op.index());
    if (step.at) kind += '@' + std::to_string(static_cast<int>(*step.at));
    if (step.answer) kind += "->" + props::print_answer(*step.answer);
    return kind;
  }
  void collect(const Step& step) {
    for (std::size_t field = 0; field < field_count(step.op); ++field) {
      auto& donors = donors_[{kind_of(step), field}];
      donors.push_back(step);
    }
  }
  // All combinations of what stands in the fields of steps of that kind.
  void combine(const Step& step) {
    std::vector<Step> made{step};
    for_each_register(made.front().op, [](char, std::uint8_t& value) { value = 0; });
    for (std::size_t field = 0; field < field_count(step.op); ++field) {
      std::vector<Step> more;
      for (const Step& one : made)
        for (const Step& donor : donors_[{kind_of(step), field}]) {
          more.push_back(one);
          copy_field(donor.op, more.back().op, field);
        }
      made = std::move(more);
    }
    for (Step& one : made) {
      for_each_register(one.op, [](char, std::uint8_t& value) { value = 0; });
      one.line = 0;
      if (seen_.insert(props::print_step(one, era_)).second) letters_.push_back(std::move(one));
    }
  }

  void assign(const Step& letter, std::size_t nth, const RegisterCounts& used,
              std::vector<std::pair<Step, RegisterCounts>>& out) const {
    std::size_t count = 0, kind = 0;
    Step copy = letter;
    for_each_register(copy.op, [&](char prefix, std::uint8_t&) {
      if (count++ == nth) kind = register_kinds.find(prefix);
    });
    if (nth >= count) return out.emplace_back(letter, used), void();
    const std::size_t all = registers_[kind];
    const std::size_t end = ordered_ ? std::min(used[kind] + 1, all) : all;
    for (std::size_t r = 0; r < end; ++r) {
      std::size_t at = 0;
      copy = letter;
      for_each_register(copy.op, [&](char, std::uint8_t& value) {
        if (at++ == nth) value = static_cast<std::uint8_t>(r);
      });
      RegisterCounts now = used;
      now[kind] = std::max(used[kind], r + 1);
      assign(copy, nth + 1, now, out);
    }
  }

  props::EraId era_;
  std::map<Place, std::vector<Step>> donors_;
  std::set<std::string> seen_;
  std::vector<Step> letters_;
  RegisterCounts registers_{};
  bool ordered_ = true;
};

// One sequence that is continued: its last letter, and the sequence before.
template <class L>
struct SearchNode {
  std::size_t before = 0;  // index; its own at the root
  typename L::Step letter{};
  RegisterCounts used{};
};

// `ask(prefix, letters)` answers as CandidateRunner::expand does: a word for where it stands, and
// one for each letter.
// `going_on()` is asked before. Returns the first sequence that breaks the rule, or nothing; what
// is known then stands in `known`.
template <class L>
class ShortestSearch {
 public:
  using Trace = typename L::Trace;
  using Step = typename L::Step;

  ShortestSearch(const Trace& best, std::string rule, Shortest& known)
      : best_(best), rule_(std::move(rule)), alphabet_(best), known_(known) {
    known_.alphabet = alphabet_.size();
    known_.registers = alphabet_.registers();
    known_.sequences = known_.states = 1;
    known_.bound = 1;  // leaving out everything was tried before
    nodes_.push_back({});
  }

  template <class Ask, class GoingOn>
  std::optional<Trace> run(Ask&& ask, GoingOn&& going_on) {
    std::size_t begin = 0;
    for (std::size_t length = 1; length < best_.steps.size(); ++length) {
      const std::size_t end = nodes_.size();
      for (std::size_t node = begin; node < end; ++node) {
        if (!going_on()) return std::nullopt;
        if (auto found = expand(node, ask)) return found;
      }
      begin = end;
      known_.bound = length + 1;
    }
    known_.status = Shortest::Status::proved;
    return std::nullopt;
  }

 private:
  template <class Ask>
  std::optional<Trace> expand(std::size_t node, Ask& ask) {
    const Trace prefix = prefix_of(node);
    const auto letters = alphabet_.with_registers(nodes_[node].used);
    Trace all{best_.machine, {}, {}, {}};
    for (const auto& [letter, used] : letters) all.steps.push_back(letter);
    const std::string answer = ask(prefix, all);
    std::string_view rest = answer;
    if (const auto here = state_of(next_word(rest)); here && node == 0) seen_.insert(*here);
    for (const auto& [letter, used] : letters) {
      const std::string_view word = next_word(rest);
      ++known_.sequences;
      if (word.size() > 1 && breaks(word)) {
        Trace found = prefix;
        found.steps.push_back(letter);
        return found;
      }
      const auto there = state_of(word);
      if (!there || !seen_.insert(*there).second) continue;
      ++known_.states;
      nodes_.push_back({node, letter, used});
    }
    return std::nullopt;
  }

  static constexpr std::size_t key_digits = 32;
  static std::string_view next_word(std::string_view& rest) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    return word;
  }
  // Where it went on; nothing where it ended, or where nothing changed.
  static std::optional<ref::core::Hash> state_of(std::string_view word) {
    if (!word.starts_with('=') && !word.starts_with('~')) return std::nullopt;
    return hash_of_hex(word.substr(1, key_digits));
  }
  bool breaks(std::string_view word) const {
    if (word[0] == '!') return word.substr(1) == rule_;
    return word[0] == '~' && word.substr(1 + key_digits) == rule_;
  }

  Trace prefix_of(std::size_t node) const {
    Trace prefix{best_.machine, {}, {}, {}};
    for (; node != 0; node = nodes_[node].before) prefix.steps.push_back(nodes_[node].letter);
    std::ranges::reverse(prefix.steps);
    return prefix;
  }

  const Trace& best_;
  std::string rule_;
  Alphabet<L> alphabet_;
  Shortest& known_;
  std::vector<SearchNode<L>> nodes_;
  std::unordered_set<ref::core::Hash, HashOfHash> seen_;
};

}  // namespace fuzz
