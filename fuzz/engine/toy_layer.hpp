// toy_layer: a layer for the engines' tests: registers that hold numbers, three rules, many deaths.
//
//   TOY-PAIR     no two registers hold 7 or more at once       p0 = put(value=7), p1 = put(value=7)
//   TOY-NOISE    the noise of a run stays below 1000
//   TOY-STRICT   judged by everything: no register holds 1000
#pragma once
#include <poll.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>
#include <vector>

#include "fuzz/engine/process.hpp"
#include "fuzz/engine/row.hpp"

namespace toy {

using props::Number;
using props::PageRegister;
using props::Random;

struct Put {
  PageRegister out;
  Number<1000> value;
  static constexpr std::string_view name = "put";
  static constexpr std::uint8_t code = 1;
  static constexpr std::string_view help = "Puts a number into an empty register.";
  static void fields(auto& op, auto v) { v("", op.out), v("value", op.value); }
};
struct Take {
  PageRegister page;
  static constexpr std::string_view name = "take";
  static constexpr std::uint8_t code = 2;
  static constexpr std::string_view help = "Empties a register.";
  static void fields(auto& op, auto v) { v("page", op.page); }
};
struct Noise {
  Number<255> loud;
  static constexpr std::string_view name = "noise";
  static constexpr std::uint8_t code = 3;
  static constexpr std::string_view help = "Makes noise.";
  static void fields(auto& op, auto v) { v("loud", op.loud); }
};
enum Way : std::uint64_t { by_abort, by_require, by_signal, by_loop, by_flood, by_exit };
struct Die {
  Number<5> way;
  static constexpr std::string_view name = "die";
  static constexpr std::uint8_t code = 4;
  static constexpr std::string_view help = "Ends the process, or nearly.";
  static void fields(auto& op, auto v) { v("way", op.way); }
};
struct Fill {
  PageRegister first;
  Number<8> count;
  static constexpr std::string_view name = "fill";
  static constexpr std::uint8_t code = 5;
  static constexpr std::string_view help = "Puts 6 into so many registers in a row.";
  static void fields(auto& op, auto v) { v("first", op.first), v("count", op.count); }
};
struct Raise {
  PageRegister page;
  static constexpr std::string_view name = "raise";
  static constexpr std::uint8_t code = 6;
  static constexpr std::string_view help = "Adds one to the number in a register.";
  static void fields(auto& op, auto v) { v("page", op.page); }
};
struct Burst {
  static constexpr std::string_view name = "burst";
  static constexpr std::uint8_t code = 7;
  static constexpr std::string_view help = "Ends the process in much noise, otherwise in silence.";
  static void fields(auto&, auto) {}
};
using Operation = std::variant<Put, Take, Noise, Die, Fill, Raise, Burst>;
static_assert(props::codes_are_distinct<Operation>());

inline constexpr std::array table{
    props::Rule{"TOY-PAIR", "toy", "No two registers hold 7 or more.", "", "", "",
                props::Cost::constant, props::Scope::subject},
    props::Rule{"TOY-NOISE", "toy", "The noise stays below 1000.", "", "", "",
                props::Cost::constant, props::Scope::subject},
    props::Rule{"TOY-STRICT", "toy", "No register holds 1000.", "", "", "", props::Cost::linear,
                props::Scope::subject}};

struct Newborn {
  explicit Newborn(const ref::core::Config& config) : machine(config) {}
  ref::core::Config machine;
};
struct Judging {
  bool strict = false;
  static Judging everything() { return {true}; }
  static Judging cheap() { return {}; }
};
struct Reach {
  std::uint64_t puts = 0, takes = 0, skips = 0;
  void add(const Reach& o) { puts += o.puts, takes += o.takes, skips += o.skips; }
};
inline std::vector<props::ReachGroup> reach_groups(const Reach& r) {
  const props::ReachNeeds old{.era = ref::core::EraId::linux_2_6_11};
  return {{"executed", "steps", {{"put", r.puts}, {"take", r.takes}, {"never", 0, true, old}}},
          {"skipped", "skipped steps", {{"put", 0, false}, {"take", r.skips, false}}}};
}
inline std::string reach_line(const Reach&) { return "toys"; }

[[noreturn]] inline void flood() {
  std::vector<std::vector<char>> all;
  for (;;) {
    all.emplace_back(8u << 20, 'x');
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

inline void die(std::uint64_t way) {
  switch (static_cast<Way>(way)) {
    case by_abort: std::fputs("last words\n", stderr), std::abort();
    case by_require: REQUIRE(way == 99); break;
    case by_signal: std::signal(SIGSEGV, SIG_DFL), std::raise(SIGSEGV); break;
    case by_loop:
      for (;;) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    case by_flood: flood();
    case by_exit: std::_Exit(3);
  }
}

class World {
 public:
  using Step = props::Step<Operation>;
  World(const Newborn& newborn, const Judging& judging) { reset(newborn, judging); }
  void reset(const Newborn& newborn, const Judging& judging) {
    *this = World{};
    strict_ = judging.strict;
    pages_ = newborn.machine.pages();
  }
  props::Answer apply(const Step& step) {
    ++steps_;
    if (violation_) return {props::Answer::Kind::skipped, 0, {}};
    const props::Answer answer = std::visit([&](const auto& op) { return run(op); }, step.op);
    if (answer.kind == props::Answer::Kind::skipped) ++reach_.skips;
    return answer;
  }
  void finish() {}
  const std::optional<props::Violation>& violation() const { return violation_; }
  const Reach& reach() const { return reach_; }
  ref::core::Hash digest() const {
    ref::core::Hash hash{noise_ + pages_, steps_};
    for (std::size_t i = 0; i < held_.size(); ++i)
      hash.low += Random(held_[i] << 8 | i).next(), hash.high += Random(~held_[i]).next();
    return hash;
  }
  ref::core::Hash exact_state() const {
    std::string all = std::to_string(noise_) + ' ' + std::to_string(pages_);
    for (const std::uint64_t held : held_) all += ' ' + std::to_string(held);
    return fuzz::fingerprint(all);
  }
  std::string picture() const { return "a picture"; }

 private:
  World() = default;
  props::Answer run(const Put& op) {
    std::uint64_t& held = held_[op.out.value];
    if (held != 0) return {props::Answer::Kind::skipped, 0, {}};
    held = op.value.value + 1;
    ++reach_.puts;
    if (strict_ && op.value.value == 1000) break_rule(table[2], "another number", "1000");
    judge_pairs();
    return {props::Answer::Kind::count, op.value.value, {}};
  }
  props::Answer run(const Take& op) {
    if (held_[op.page.value] == 0) return {props::Answer::Kind::skipped, 0, {}};
    held_[op.page.value] = 0;
    ++reach_.takes;
    return {};
  }
  props::Answer run(const Fill& op) {
    for (std::size_t i = op.first.value; i < op.first.value + op.count.value; ++i)
      if (i < held_.size() && held_[i] == 0) held_[i] = 7;
    return {};
  }
  props::Answer run(const Raise& op) {
    if (held_[op.page.value] == 0) return {props::Answer::Kind::skipped, 0, {}};
    ++held_[op.page.value];
    judge_pairs();
    return {};
  }
  props::Answer run(const Burst&) {
    REQUIRE(noise_ > 0);
    if (noise_ >= 500) std::abort();
    return {};
  }
  void judge_pairs() {
    if (std::ranges::count_if(held_, [](std::uint64_t h) { return h > 7; }) >= 2)
      break_rule(table[0], "one large number", "two");
  }
  props::Answer run(const Noise& op) {
    noise_ += op.loud.value;
    if (noise_ >= 1000) break_rule(table[1], "quiet", "noise");
    return {};
  }
  props::Answer run(const Die& op) {
    die(op.way.value);
    return {};
  }
  void break_rule(const props::Rule& rule, std::string expected, std::string actual) {
    if (violation_) return;
    violation_ = props::Violation{&rule, steps_ - 1, std::move(expected), std::move(actual), ""};
  }

  std::array<std::uint64_t, 64> held_{};  // the number and one; 0: empty
  std::uint64_t noise_ = 0, pages_ = 0;
  std::size_t steps_ = 0;
  bool strict_ = false;
  Reach reach_;
  std::optional<props::Violation> violation_;
};

// What the generator draws beside takes; set before a search starts.
inline bool draws_pairs = false, draws_noise = false, draws_takes = true;
inline std::optional<Way> draws_death;

class Generator {
 public:
  explicit Generator(Random& random) : loud_(random.below(8)) {}
  static Generator uniform() {
    Generator even;
    even.loud_ = 1;
    return even;
  }
  World::Step draw(const World&, Random& random) const {
    const PageRegister any{static_cast<std::uint8_t>(random.below(64))};
    if (draws_death && random.chance(1000)) return {Die{{*draws_death}}, {}, {}, 0};
    if (draws_noise && random.chance(3)) return {Noise{{loud_}}, {}, {}, 0};
    if (draws_takes && random.chance(2)) return {Take{any}, {}, {}, 0};
    return {Put{any, {random.below(draws_pairs && random.chance(50) ? 1000 : 7)}}, {}, {}, 0};
  }

 private:
  Generator() = default;
  std::uint64_t loud_ = 0;
};

struct Layer {
  static constexpr std::string_view name = "toy";
  using Operation = toy::Operation;
  using Step = props::Step<Operation>;
  using Trace = props::Trace<Operation>;
  using World = toy::World;
  using Newborn = toy::Newborn;
  using Judging = toy::Judging;
  using Reach = toy::Reach;
  using Generator = toy::Generator;
  static ref::core::Config draw_machine(Random& random) {
    ref::core::Config config;
    config.add_zone(ref::core::ZoneKind::normal, 1 + static_cast<std::uint32_t>(random.below(99)));
    return config;
  }
  static std::span<const props::Rule> rules() { return table; }
};

inline const fuzz::Layer& row() {
  using Row = fuzz::Row<Layer>;
  static const fuzz::Layer layer{.name = Layer::name,
                                 .rules = Row::rules,
                                 .properties = nullptr,
                                 .inspect = Row::inspect,
                                 .print_canonical = Row::print_canonical,
                                 .text_of_bytes = Row::text_of_bytes,
                                 .bytes_of_text = Row::bytes_of_text,
                                 .run = Row::run,
                                 .run_for = Row::run_for,
                                 .minimize = Row::minimize,
                                 .swarm = fuzz::swarm<Layer>,
                                 .check = nullptr,
                                 .tell = nullptr,
                                 .show = nullptr,
                                 .reach_bytes = sizeof(fuzz::SwarmPageOf<Layer>::reach),
                                 .language = nullptr};
  return layer;
}

// True when the stream ends soon: nobody holds its other end any more.
inline bool ends_soon(int fd) {
  std::string bytes;
  for (pollfd wait{fd, POLLIN, 0}; ::poll(&wait, 1, 5000) == 1;)
    if (!fuzz::read_some(fd, bytes)) return true;
  return false;
}

inline std::string trace_text(std::string_view steps,
                              std::string_view machine = "era=linux-6.1 zones=NORMAL:64") {
  return "allocheck 1\nmachine " + std::string(machine) + "\n" + std::string(steps) + "end\n";
}

}  // namespace toy
