// swarm_worker: the loop that makes the runs, and the page on which it tells its parent where it
// is.
#pragma once
#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

#include "fuzz/engine/process.hpp"
#include "fuzz/engine/swarm.hpp"
#include "props/core/random.hpp"

namespace fuzz {

// Lies in memory that parent and worker share, so it outlives the worker. Plain data only.
struct SwarmPage {
  static constexpr std::size_t trace_max = 1u << 18;  // more than any run has
  static constexpr std::size_t rules_max = 64;

  std::atomic<bool> stop;            // asked by the parent: end after this run
  std::atomic<std::uint64_t> beat;   // changes with every step
  std::atomic<std::uint64_t> run;    // the one that is being made
  std::atomic<std::uint64_t> steps;  // of it, begun so far
  // A run is a function of its number, so its steps are written down only when somebody asks for
  // them: it is made a second time. 1 + that run; 0: none.
  std::atomic<std::uint64_t> recorded;
  std::array<char, 64> death;  // how its worker died the first time; empty: it did not
  std::atomic<std::uint32_t> trace_bytes;
  std::array<std::uint8_t, trace_max> trace;  // of the recorded run: machine and steps

  std::atomic<std::uint64_t> commits;  // odd while a run's numbers are being added
  std::uint64_t next_run;              // behind the last run that is over
  std::uint64_t runs, operations;      // of the runs that are over
  ref::core::Hash digest;

  struct Broken {
    std::array<char, 64> rule;
    std::uint64_t runs;
    std::uint32_t handed_over;
  };
  std::array<Broken, rules_max> broken;
  std::uint32_t broken_count;

  struct Finding {
    std::uint64_t step;
    double cpu_seconds;  // of this worker
    std::array<char, 64> rule;
    std::array<char, 1024> expected, actual;
  } finding;

  bool append(std::span<const std::uint8_t> bytes);
  // Counts one run that broke the rule. True when its trace shall be handed over.
  bool count_broken(std::string_view rule);
  bool wants_trace(std::string_view rule) const;  // what the next count_broken will answer
  bool records(std::uint64_t run_number) const { return recorded == run_number + 1; }
};

// How the worker speaks to its parent beside the page: a byte there, a byte back.
class Courier {
 public:
  Courier(int to_parent, int from_parent) : to_parent_(to_parent), from_parent_(from_parent) {}
  void hand_over_finding();  // returns when the parent has taken it
  void tell_the_end();

 private:
  int to_parent_, from_parent_;
};

// Runs the workers, one after the other. `work` begins with the given run; `reach_bytes` are the
// page's record of what was reached.
SwarmResult drive_swarm(const SwarmOptions&, SwarmPage&, std::span<char> reach_bytes,
                        const std::function<void(std::uint64_t first, Courier&)>& work,
                        const std::function<ReachTable()>& reach);

template <class L>
struct SwarmPageOf : SwarmPage {
  std::array<typename L::Reach, ref::core::era_count> reach;
  static_assert(std::is_trivially_copyable_v<typename L::Reach>);
};

// The machines of a search. A run names one of a few slots, so that most runs find their machine
// already booted; the slots are filled anew as the search goes on.
template <class L>
class Palette {
 public:
  static constexpr std::uint64_t slots = 32, runs_each = 256;

  explicit Palette(const SwarmOptions& options) : options_(options) {}

  const ref::core::Config& choose(std::uint64_t run, props::Random& random) {
    const std::uint64_t slot = random.below(slots);
    chosen_ = &slots_[options_.machine ? 0 : slot];
    const std::uint64_t name = options_.machine ? 0 : run / runs_each * slots + slot;
    if (chosen_->filled && chosen_->name == name) return chosen_->config;
    *chosen_ = Slot{};
    chosen_->filled = true;
    chosen_->name = name;
    props::Random machine_random(props::seed_of_run(~options_.seed, name));
    chosen_->config = options_.machine ? *options_.machine : L::draw_machine(machine_random);
    return chosen_->config;
  }
  // A world of the machine chosen, as new.
  typename L::World& world(const typename L::Judging& judging) {
    if (chosen_->newborn == nullptr)
      chosen_->newborn = std::make_unique<typename L::Newborn>(chosen_->config);
    if (chosen_->world == nullptr)
      chosen_->world = std::make_unique<typename L::World>(*chosen_->newborn, judging);
    else chosen_->world->reset(*chosen_->newborn, judging);
    return *chosen_->world;
  }

 private:
  struct Slot {
    bool filled = false;
    std::uint64_t name = 0;
    ref::core::Config config;
    std::unique_ptr<typename L::Newborn> newborn;
    std::unique_ptr<typename L::World> world;
  };
  const SwarmOptions& options_;
  std::array<Slot, slots> slots_;
  Slot* chosen_ = nullptr;
};

// Most runs are judged cheaply, for speed; some by what costs more. What each costs is measured by
// `ci/benchmarks`: everything costs tens of times as much as the answers alone, so it is rare.
template <class Judging>
Judging draw_judging(Judge how, props::Random& random) {
  Judging judging = Judging::cheap();
  if (how == Judge::quick) return judging;
  if (how == Judge::full) return Judging::everything();
  if (random.chance(64)) return Judging::everything();
  switch (random.below(16)) {
    case 1:
      if constexpr (requires { judging.invariants_every; }) judging.invariants_every = 8;
      break;
    case 2:
    case 4:
    case 5:
      if constexpr (requires { judging.model; }) judging.model = true;
      break;
    case 3:
      if constexpr (requires { judging.exhaust_every; }) judging.exhaust_every = 32;
      break;
    default:
      if constexpr (requires { judging.touched; }) judging.touched = random.chance(2);
      break;
  }
  return judging;
}

// 16 to 511, every doubling as likely as the next; now and then eight times that, for what only
// adds up.
inline std::uint64_t draw_length(props::Random& random) {
  std::uint64_t least = std::uint64_t{16} << random.below(5);
  if (random.chance(16)) least *= 8;
  return least + random.below(least);
}

template <std::size_t n>
void copy_text(std::string_view from, std::array<char, n>& to) {
  to.fill('\0');
  from.copy(to.data(), n - 1);
}

template <class L>
class SwarmWorker {
 public:
  SwarmWorker(const SwarmOptions& options, SwarmPageOf<L>& page, Courier& courier)
      : options_(options), page_(page), courier_(courier), palette_(options) {}

  void work(std::uint64_t first) {
    const std::uint64_t end = options_.runs == 0 ? UINT64_MAX : options_.first_run + options_.runs;
    const std::uint64_t most = options_.operations == 0 ? UINT64_MAX : options_.operations;
    const auto goes_on = [&](std::uint64_t run) {
      return page_.records(run) || (page_.operations < most && !page_.stop);
    };
    for (std::uint64_t run = first; run < end && goes_on(run); ++run) make(run);
    courier_.tell_the_end();
  }

 private:
  void make(std::uint64_t run) {
    props::Random random(props::seed_of_run(options_.seed, run));
    const ref::core::Config& machine = palette_.choose(run, random);
    auto judging = draw_judging<typename L::Judging>(options_.judge, random);
    if constexpr (requires { judging.scaled(1, run); })
      if (options_.judge != Judge::full) judging = judging.scaled(machine.pages(), run);
    const std::uint64_t length = options_.uniform ? uniform_length : draw_length(random);
    begin(run, machine);
    typename L::World& world = palette_.world(judging);
    const auto generator =
        options_.uniform ? L::Generator::uniform() : typename L::Generator(random);
    const bool recording = page_.records(run);
    std::uint64_t steps = 0;
    while (steps < length && !world.violation()) {
      const typename L::Step step = generator.draw(world, random);
      if (recording) record(step, machine.era);  // before it runs, since it may be our last
      count(page_.beat, 1);
      page_.steps.store(++steps, std::memory_order_relaxed);
      world.apply(step);
    }
    if (!world.violation()) world.finish();
    if (world.violation() && !recording && page_.wants_trace(world.violation()->rule->id)) {
      page_.finding.cpu_seconds = own_cpu_seconds();
      page_.death.fill('\0');
      page_.recorded = run + 1;
      return make(run);
    }
    commit(run, steps, machine.era, world);
    page_.recorded = 0;
  }

  // Nobody else writes there, so that no locked instruction is needed.
  static void count(std::atomic<std::uint64_t>& counter, std::uint64_t more) {
    counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }

  void begin(std::uint64_t run, const ref::core::Config& machine) {
    page_.run = run;
    page_.steps = 0;
    page_.trace_bytes = 0;
    count(page_.beat, 1);
    if (!page_.records(run)) return;
    writer_.clear();
    props::encode_machine(machine, writer_);
    REQUIRE(page_.append(writer_.bytes()));
  }

  void record(const typename L::Step& step, ref::core::EraId era) {
    writer_.clear();
    props::encode_step(step, writer_, era);
    REQUIRE(page_.append(writer_.bytes()));
  }

  void commit(std::uint64_t run, std::uint64_t steps, ref::core::EraId era,
              const typename L::World& world) {
    const ref::core::Hash state = world.digest();
    page_.commits.fetch_add(1);
    page_.digest += {props::seed_of_run(state.low, run), props::seed_of_run(state.high, ~run)};
    page_.operations += steps;
    ++page_.runs;
    page_.reach[static_cast<std::size_t>(era)].add(world.reach());
    page_.next_run = run + 1;
    if (world.violation()) hand_over(world);
    else if (page_.records(run) && page_.death[0] != '\0') hand_over_death(steps);
    // Not before: what stands on the page has been taken by the parent.
    page_.commits.fetch_add(1);
  }

  void hand_over(const typename L::World& world) {
    const props::Violation& violation = *world.violation();
    if (!page_.count_broken(violation.rule->id)) return;
    page_.finding.step = violation.step;
    copy_text(violation.rule->id, page_.finding.rule);
    copy_text(violation.expected, page_.finding.expected);
    copy_text(violation.actual, page_.finding.actual);
    courier_.hand_over_finding();
  }

  // The run killed a worker, and this one it does not: told all the same.
  void hand_over_death(std::uint64_t steps) {
    if (!page_.count_broken(page_.death.data())) return;
    page_.finding.step = steps;
    page_.finding.cpu_seconds = own_cpu_seconds();
    page_.finding.rule = page_.death;
    copy_text("the same end when the run is made again", page_.finding.expected);
    copy_text("it died the first time only", page_.finding.actual);
    courier_.hand_over_finding();
  }

  const SwarmOptions& options_;
  SwarmPageOf<L>& page_;
  Courier& courier_;
  Palette<L> palette_;
  props::ByteWriter writer_;
};

template <class L>
SwarmResult swarm(const SwarmOptions& options) {
  using Page = SwarmPageOf<L>;
  // Its pages are zero, which is what every field begins with.
  const auto unmap = [](Page* page) { unmap_shared(page, sizeof(Page)); };
  const std::unique_ptr<Page, decltype(unmap)> page(new (map_shared(sizeof(Page))) Page{}, unmap);
  return drive_swarm(
      options, *page, {reinterpret_cast<char*>(&page->reach), sizeof page->reach},
      [&](std::uint64_t first, Courier& courier) {
        SwarmWorker<L>(options, *page, courier).work(first);
      },
      [&] { return reach_table(page->reach); });
}

}  // namespace fuzz
