// mutate: changes traces by what they mean. It knows no engine: a trace and a seed go in, a trace
// comes out, and everything about the operations derives from their description.
//
//   steps      insert, repeat, erase, move, swap        a b c d ──▶ a b c b c d
//   a step     another operation, another argument, another register, armed or not
//   a run      one register renamed in all its steps
//   machine    one field, or another machine
//   two traces see cross_over.hpp
//
// What comes out is canonical, and no longer in bytes than was asked. Registers need no repair: a
// step whose register is empty is skipped.
#pragma once
#include <array>
#include <string_view>
#include <vector>

#include "fuzz/engine/cross_over.hpp"
#include "fuzz/engine/mutate_machine.hpp"
#include "fuzz/engine/mutate_value.hpp"
#include "fuzz/engine/simpler.hpp"
#include "props/core/trace.hpp"

namespace fuzz {

enum class Mutation : std::uint8_t {
  insert,
  repeat,
  erase,
  move,
  swap,
  operation,
  argument,
  seen_argument,
  reg,
  rename,
  arm,
  machine,
  other_machine,
};
inline constexpr std::array<std::string_view, 13> mutation_names{
    "insert",        "repeat", "erase",  "move", "swap",    "operation",    "argument",
    "seen argument", "reg",    "rename", "arm",  "machine", "other machine"};

template <class L>
class Mutator {
 public:
  using Trace = typename L::Trace;
  using Step = typename L::Step;
  using Operation = typename L::Operation;
  static constexpr std::size_t steps_max = 4096;

  // One to four changes; what they were is counted. A machine too large for `max_bytes` becomes
  // the smallest, and where that is too large as well no step is left.
  void mutate(Trace& trace, Random& random, std::size_t max_bytes) {
    const EraId era = trace.machine.era;
    int changes = 1;
    while (changes < 4 && random.chance(2)) ++changes;
    for (int tries = 0; changes > 0 && tries < 64; ++tries)
      if (change(trace, random)) --changes;
    finish(trace, era, max_bytes);
  }

  // The child has steps of both, where both have some and there is room.
  void cross_over(const Trace& a, const Trace& b, Trace& child, Random& random,
                  std::size_t max_bytes) {
    child.machine = random.chance(4) ? b.machine : a.machine;
    child.steps.clear();
    const auto which = static_cast<Crossing>(random.below(crossing_names.size()));
    ++crossed_[static_cast<std::size_t>(which)];
    cross_steps(which, a.steps, b.steps, child.steps, random);
    // Either parent's steps may be of another era than the child's machine.
    const EraId other = child.machine.era == a.machine.era ? b.machine.era : a.machine.era;
    finish(child, other, max_bytes);
  }

  // How often each was done, in the order of the names.
  const auto& applied() const { return applied_; }
  const auto& crossed() const { return crossed_; }

 private:
  using Steps = std::vector<Step>;
  // A row of object allocators says so, and one with maps in a window; the others know nothing of
  // their keys and yield points.
  static constexpr bool objects = requires { L::objects; };
  static constexpr bool windows = requires { L::windows; };
  static constexpr MachineKeys keys{.objects = objects, .windows = windows};
  static constexpr std::size_t points = windows   ? ref::core::point_names.size()
                                        : objects ? ref::core::points_of_objects
                                                  : ref::core::points_of_pages;

  void finish(Trace& trace, EraId before, std::size_t max_bytes) {
    if (trace.steps.size() > steps_max) trace.steps.resize(steps_max, Step{});
    if (trace.machine.era != before) translate(trace);
    if (shorten_to(trace, max_bytes, scratch_)) return;
    trace.machine = smallest(trace.machine.era);
    shorten_to(trace, max_bytes, scratch_);
  }

  static ref::core::Config smallest(EraId era) {
    ref::core::Config config;
    config.era = era;
    config.add_zone(ref::core::ZoneKind::normal, 64);
    return config;
  }

  // Arguments that the new era does not know become others: by way of their bytes.
  void translate(Trace& trace) {
    for (Step& step : trace.steps) {
      scratch_.clear();
      props::encode_step(step, scratch_, trace.machine.era);
      props::ByteReader from(scratch_.bytes());
      step = props::decode_step<Operation>(from, trace.machine.era);
    }
  }

  // Machines are changed seldom: booting another one costs more than many steps.
  static Mutation choose(Random& random) {
    if (random.chance(24)) return random.chance(4) ? Mutation::other_machine : Mutation::machine;
    return static_cast<Mutation>(random.below(static_cast<std::size_t>(Mutation::machine)));
  }

  bool change(Trace& trace, Random& random) {
    const Mutation which = choose(random);
    const bool done = change(which, trace, random);
    if (done) ++applied_[static_cast<std::size_t>(which)];
    return done;
  }

  bool change(Mutation which, Trace& trace, Random& random) {
    Steps& steps = trace.steps;
    const EraId era = trace.machine.era;
    if (which == Mutation::insert) return insert(steps, random, era);
    if (which == Mutation::machine) return change_machine(trace, random);
    if (which == Mutation::other_machine) {
      const EraId before = trace.machine.era;
      trace.machine = L::draw_machine(random);
      if (trace.machine.era != before) translate(trace);
      return true;
    }
    if (steps.empty()) return false;
    Step& one = steps[random.below(steps.size())];
    switch (which) {
      case Mutation::repeat: return repeat(steps, random);
      case Mutation::erase: return erase(steps, random);
      case Mutation::move: return move(steps, random);
      case Mutation::swap: std::swap(one, steps[random.below(steps.size())]); return true;
      case Mutation::operation: return other_operation(one, steps, random, era);
      case Mutation::argument: return change_field(one.op, random, Near{random, era});
      case Mutation::seen_argument: return change_field(one.op, random, Seen{steps, random, era});
      case Mutation::reg: return change_register(one.op, steps, random);
      case Mutation::rename: return rename(steps, random);
      default: return arm(one, random);
    }
  }

  bool change_machine(Trace& trace, Random& random) {
    const EraId before = trace.machine.era;
    if (!mutate_machine(trace.machine, random, keys)) return false;
    if (trace.machine.era != before) translate(trace);
    return true;
  }

  // ---- values

  // A value of this type that some step has already, if one is met soon.
  template <class D>
  static bool find_seen(const Steps& steps, Random& random, D& value) {
    for (int tries = 0; tries < 4 && !steps.empty(); ++tries) {
      std::size_t candidates = 0;
      std::visit(
          [&](const auto& op) {
            op.fields(op, [&]<class F>(std::string_view, const F& field) {
              if constexpr (std::is_same_v<F, D>)
                if (random.below(++candidates) == 0) value = field;
            });
          },
          steps[random.below(steps.size())].op);
      if (candidates > 0) return true;
    }
    return false;
  }

  struct Near {
    Random& random;
    EraId era;
    template <class D>
    void operator()(std::string_view, D& field) const {
      field = random.chance(4) ? Variation<D>::draw(random, era)
                               : Variation<D>::near(field, random, era);
    }
  };
  // A result goes to a register that nobody uses, rather; an operand is one that is used.
  struct Seen {
    const Steps& steps;
    Random& random;
    EraId era;
    template <class D>
    void operator()(std::string_view key, D& field) const {
      const bool rather_new = key.empty() ? !random.chance(4) : random.chance(4);
      if (rather_new || !find_seen(steps, random, field)) field = Variation<D>::draw(random, era);
    }
  };

  // Calls f(key, field) for one field of the operation. False: it has none.
  template <class F>
  static bool change_field(Operation& any, Random& random, F f) {
    const std::size_t count = field_count(any);
    if (count == 0) return false;
    std::size_t left = random.below(count);
    std::visit(
        [&](auto& op) {
          op.fields(op, [&](std::string_view key, auto& field) {
            if (left-- == 0) f(key, field);
          });
        },
        any);
    return true;
  }

  static void emplace(Operation& any, std::size_t wanted) {
    [&]<std::size_t... i>(std::index_sequence<i...>) {
      ((i == wanted ? void(any.template emplace<i>()) : void()), ...);
    }(std::make_index_sequence<std::variant_size_v<Operation>>{});
  }

  // Some operation; half the time one of a kind that the trace has.
  static Step draw_step(const Steps& steps, Random& random, EraId era) {
    Step step{};
    const bool as_seen = !steps.empty() && random.chance(2);
    emplace(step.op, as_seen ? steps[random.below(steps.size())].op.index()
                             : random.below(std::variant_size_v<Operation>));
    std::visit([&](auto& op) { op.fields(op, Seen{steps, random, era}); }, step.op);
    if (random.chance(32)) arm(step, random);
    return step;
  }

  // ---- one step

  // Another operation; it keeps those arguments that both have, by type and order.
  static bool other_operation(Step& step, const Steps& steps, Random& random, EraId era) {
    const Step before = step;
    emplace(step.op, random.below(std::variant_size_v<Operation>));
    std::visit(
        [&](auto& op) {
          std::size_t position = 0;
          op.fields(op, [&]<class D>(std::string_view key, D& field) {
            Seen{steps, random, era}(key, field);
            keep_field(before.op, position++, field);
          });
        },
        step.op);
    return true;
  }
  template <class D>
  static void keep_field(const Operation& from, std::size_t position, D& field) {
    std::visit(
        [&](const auto& op) {
          std::size_t at = 0;
          op.fields(op, [&]<class F>(std::string_view, const F& old) {
            if constexpr (std::is_same_v<F, D>)
              if (at == position) field = old;
            ++at;
          });
        },
        from);
  }

  static std::uint8_t any_register(char kind, Random& random) {
    std::uint8_t drawn = 0;
    const auto draw = [&]<char prefix>(props::Register<prefix>) {
      if (kind == prefix) drawn = Variation<props::Register<prefix>>::draw(random, {}).value;
    };
    draw(props::PageRegister{}), draw(props::ObjectRegister{}), draw(props::CacheRegister{});
    draw(props::MapRegister{}), draw(props::AreaRegister{});
    return drawn;
  }

  bool change_register(Operation& any, const Steps& steps, Random& random) {
    std::size_t count = 0;
    for_each_register(any, [&](char, std::uint8_t&) { ++count; });
    if (count == 0) return false;
    std::size_t left = random.below(count);
    Operation other = steps[random.below(steps.size())].op;
    for_each_register(any, [&](char kind, std::uint8_t& mine) {
      if (left-- != 0) return;
      const std::uint8_t before = mine;
      for_each_register(other, [&](char other_kind, std::uint8_t& seen) {
        if (other_kind == kind && (mine == before || random.chance(2))) mine = seen;
      });
      if (mine == before) mine = any_register(kind, random);
    });
    return true;
  }

  static bool arm(Step& step, Random& random) {
    if (step.at && random.chance(2)) step.at.reset();
    else step.at = static_cast<ref::core::Point>(random.below(points));
    return true;
  }

  // ---- runs of steps

  bool insert(Steps& steps, Random& random, EraId era) {
    if (steps.size() >= steps_max) return false;
    const std::size_t count = random.chance(2) ? 1 : draw_count(16, random);
    run_.clear();
    for (std::size_t i = 0; i < count; ++i) run_.push_back(draw_step(steps, random, era));
    steps.insert(step_at(steps, random.below(steps.size() + 1)), run_.begin(), run_.end());
    return true;
  }

  // A run once more elsewhere, or many times on the spot: some faults need the hundredth.
  bool repeat(Steps& steps, Random& random) {
    if (steps.size() >= steps_max) return false;
    const std::size_t first = random.below(steps.size());
    const std::size_t count = draw_count(steps.size() - first, random);
    run_.assign(step_at(steps, first), step_at(steps, first + count));
    const bool elsewhere = !random.chance(4);
    const std::size_t times = elsewhere ? 1 : 1 + random.below(256 / count + 1);
    const std::size_t to = elsewhere ? random.below(steps.size() + 1) : first + count;
    for (std::size_t i = 0; i < times && steps.size() < steps_max; ++i)
      steps.insert(step_at(steps, to), run_.begin(), run_.end());
    return true;
  }

  static bool erase(Steps& steps, Random& random) {
    const std::size_t first = random.below(steps.size());
    const std::size_t count = draw_count(steps.size() - first, random);
    steps.erase(step_at(steps, first), step_at(steps, first + count));
    return true;
  }

  bool move(Steps& steps, Random& random) {
    const std::size_t first = random.below(steps.size());
    const std::size_t count = draw_count(steps.size() - first, random);
    run_.assign(step_at(steps, first), step_at(steps, first + count));
    steps.erase(step_at(steps, first), step_at(steps, first + count));
    steps.insert(step_at(steps, random.below(steps.size() + 1)), run_.begin(), run_.end());
    return true;
  }

  // In a run of steps one register becomes another.
  static bool rename(Steps& steps, Random& random) {
    const std::size_t first = random.below(steps.size());
    const std::size_t count = draw_count(steps.size() - first, random);
    std::optional<std::pair<char, std::uint8_t>> from;
    std::uint8_t to = 0;
    for (std::size_t i = first; i < first + count; ++i)
      for_each_register(steps[i].op, [&](char kind, std::uint8_t& r) {
        if (!from) from.emplace(kind, r), to = any_register(kind, random);
        if (from->first == kind && from->second == r) r = to;
      });
    return from.has_value();
  }

  Steps run_;  // on its way; kept, so that mutating hardly allocates
  props::ByteWriter scratch_;
  std::array<std::uint64_t, mutation_names.size()> applied_{};
  std::array<std::uint64_t, crossing_names.size()> crossed_{};
};

}  // namespace fuzz
