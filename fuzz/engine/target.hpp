// target: what every fuzz target does with its input. Nothing here needs a library.
//
//   bytes ──▶ trace ──▶ world of that machine ──▶ steps ──▶ broken rule? report and abort
#pragma once
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>

#include "props/core/random.hpp"
#include "props/core/trace.hpp"
#include "props/core/violation.hpp"

namespace fuzz {

// Worlds of the machines seen last, each made as new in time proportional to what was touched.
// Booting one costs more than running most inputs, so many are kept, as far as memory allows.
template <class L>
class Worlds {
 public:
  typename L::World& fresh(const ref::core::Config& machine, const typename L::Judging& judging) {
    std::unique_ptr<Entry>& entry = kept_[slot_of(machine)];
    if (entry != nullptr && entry->machine == machine) {
      entry->world.reset(entry->newborn, judging);
      return entry->world;
    }
    if (entry != nullptr) pages_ -= entry->machine.pages();
    entry.reset();
    pages_ += machine.pages();
    if (pages_ > pages_max) forget_all(machine.pages());
    entry = std::make_unique<Entry>(machine, judging);
    return entry->world;
  }

 private:
  struct Entry {
    Entry(const ref::core::Config& config, const typename L::Judging& judging)
        : machine(config), newborn(config), world(newborn, judging) {}
    ref::core::Config machine;
    typename L::Newborn newborn;
    typename L::World world;
  };
  static constexpr std::size_t slots = 512;
  static constexpr std::uint64_t pages_max = 1u << 18;  // in all worlds together

  void forget_all(std::uint64_t pages_of_next) {
    for (auto& entry : kept_) entry.reset();
    pages_ = pages_of_next;
  }
  // Two machines of one slot only cost time.
  static std::size_t slot_of(const ref::core::Config& c) {
    std::uint64_t hash = static_cast<std::uint64_t>(c.era);
    const auto add = [&](std::uint64_t n) { hash = (hash ^ n) * 0x9e3779b97f4a7c15; };
    add(c.page_bytes), add(c.orders), add(c.nodes), add(c.cpus), add(c.pcp), add(c.reserved_count);
    for (std::uint32_t i = 0; i < c.zone_count; ++i)
      add(c.zones[i].first), add(c.zones[i].pages),
          add(static_cast<std::uint64_t>(c.zones[i].kind));
    add(c.min_free_kbytes.value_or(UINT32_MAX));
    add(c.cache_line), add(c.slab_debug), add(c.slab_merge), add(c.pkmap), add(c.vmalloc);
    return (hash >> 32) % slots;
  }

  std::array<std::unique_ptr<Entry>, slots> kept_;
  std::uint64_t pages_ = 0;
};

// Crash triage reads the line ASSERTION FAILED; libFuzzer's minimizer reads DEDUP_TOKEN, without
// which it would take any abort for the same.
template <class L>
[[noreturn]] void abort_for(const props::Violation& violation, const typename L::Trace& trace) {
  const auto text = [](std::string_view s) { return static_cast<int>(s.size()); };
  const props::Rule& rule = *violation.rule;
  const std::string step = violation.step < trace.steps.size()
                               ? props::print_step(trace.steps[violation.step], trace.machine.era)
                               : "at the end of the trace";
  std::fprintf(stderr, "%.*s: %.*s\n  step %zu: %s\n  expected  %s\n  actual    %s\n%s\n",
               text(rule.id), rule.id.data(), text(rule.sentence), rule.sentence.data(),
               violation.step + 1, step.c_str(), violation.expected.c_str(),
               violation.actual.c_str(), violation.picture.c_str());
  std::fprintf(stderr, "ASSERTION FAILED: %.*s %.*s\nDEDUP_TOKEN: %.*s\n", text(rule.id),
               rule.id.data(), text(rule.sentence), rule.sentence.data(), text(rule.id),
               rule.id.data());
  std::fflush(stderr);
  std::abort();
}

// At most so many operations of an input are run; fewer with ALLOCHECK_STEPS=N, for measuring.
inline std::size_t steps_of_environment() {
  constexpr std::size_t most = 4096;
  const char* text = std::getenv("ALLOCHECK_STEPS");
  if (text == nullptr) return most;
  const auto n = props::parse_number(text, most);
  if (n) return *n;
  std::fprintf(stderr, "ALLOCHECK_STEPS=%s; expected %s\n", text, n.error().c_str());
  std::_Exit(125);
}

// Judging is cheap but for the end, where everything is looked at; the naive model runs beside some
// inputs only, and large machines are walked at the end of some only. The size of an input chooses,
// so that it is always judged in the same way. An input is decoded as it runs: only one that breaks
// a rule is ever held as a trace.
template <class L>
void run_input(std::span<const std::uint8_t> input) {
  constexpr std::uint64_t pages_max = 1u << 16;  // larger machines find nothing more, only slower
  constexpr std::size_t model_one_in = 32;       // it costs several times as much as the rest
  static const std::size_t steps_max = steps_of_environment();
  static Worlds<L> worlds;
  props::ByteReader from(input);
  const ref::core::Config machine = props::decode_machine(from);
  if (machine.pages() > pages_max) return;
  auto judging = L::Judging::cheap();
  if constexpr (requires { judging.reach; }) judging.reach = false;  // nobody reads it here
  if constexpr (requires { judging.model; }) judging.model = input.size() % model_one_in == 0;
  if constexpr (requires { judging.scaled(1, 1); })
    judging = judging.scaled(machine.pages(), input.size());
  typename L::World& world = worlds.fresh(machine, judging);
  for (std::size_t steps = 0; !from.empty() && steps < steps_max && !world.violation(); ++steps)
    world.apply(props::decode_step<typename L::Operation>(from, machine.era));
  if (!world.violation()) world.finish();
  if (world.violation())
    abort_for<L>(*world.violation(), props::decode_trace<typename L::Operation>(input));
}

// Writes an input of so many operations that search what is alive, as the swarm draws them: for
// measuring, and to begin a search without a corpus. Its size; it may be cut for want of room.
template <class L>
std::size_t draw_input(std::span<std::uint8_t> out, std::uint64_t seed, std::size_t steps) {
  props::Random random(seed);
  const ref::core::Config machine = L::draw_machine(random);
  const typename L::Newborn newborn(machine);
  typename L::World world(newborn, L::Judging::cheap());
  const typename L::Generator generator(random);
  props::ByteWriter writer;
  props::encode_machine(machine, writer);
  for (; steps > 0 && !world.violation(); --steps) {
    const typename L::Step step = generator.draw(world, random);
    props::encode_step(step, writer, machine.era);
    world.apply(step);
  }
  const std::size_t size = std::min(writer.bytes().size(), out.size());
  std::copy_n(writer.bytes().begin(), size, out.begin());
  return size;
}

}  // namespace fuzz
