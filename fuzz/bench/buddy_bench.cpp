// What a step costs: in the bare allocator, judged, judged with invariants, and in a whole search.
#include <benchmark/benchmark.h>

#include <map>
#include <memory>
#include <vector>

#include "fuzz/bench/turns.hpp"
#include "fuzz/bench/workload.hpp"
#include "fuzz/engine/swarm_worker.hpp"
#include "ref/buddy/buddy.hpp"

namespace {

using bench::L;
using ref::core::EraId;
using ref::core::Pfn;

class Nobody : public ref::core::Env {};

constexpr std::uint64_t stream_length = 4096, stream_seed = 1;

// A booted machine of each kind, made once: filling the large one takes a while.
const L::Newborn& newborn_of(EraId era, bool large) {
  static std::map<std::pair<EraId, bool>, std::unique_ptr<L::Newborn>> made;
  auto& newborn = made[{era, large}];
  if (newborn == nullptr)
    newborn = std::make_unique<L::Newborn>(large ? bench::crowded(bench::large_machine(era))
                                                 : L::Newborn(bench::small_machine(era)));
  return *newborn;
}

struct Setting {
  EraId era;
  bool large;
};
Setting setting_of(benchmark::State& state) {
  const Setting s{static_cast<EraId>(state.range(0)), state.range(1) == 1};
  state.SetLabel(std::string(ref::core::profile_of(s.era).name) +
                 (s.large ? ", 2^20 pages 70 % full" : ", 112 pages"));
  return s;
}

// The stream on the allocator alone.
class Bare {
 public:
  explicit Bare(const Setting& s)
      : machine_(newborn_of(s.era, s.large).machine),
        gfp_(std::get<props::buddy::AllocPages>(bench::steps_of({{0, true, 0}}, s.era)[0].op)
                 .gfp.value) {}
  void run() {
    for (const bench::Toggle& t : toggles_) {
      if (t.takes) {
        const auto got = ref::buddy::alloc_pages(env_, machine_, gfp_, t.order);
        live_[t.reg] = got.has_value();
        if (got) block_[t.reg] = *got;
      } else if (live_[t.reg]) {
        ref::buddy::free_pages_(env_, machine_, block_[t.reg], t.order);
      }
    }
  }
  std::size_t steps() const { return toggles_.size(); }

 private:
  Nobody env_;
  ref::buddy::Machine machine_;
  ref::core::Gfp gfp_;
  std::vector<bench::Toggle> toggles_ = bench::draw_toggles(stream_length, stream_seed);
  std::array<Pfn, 256> block_{};
  std::array<bool, 256> live_{};
};

void bare(benchmark::State& state) {
  Bare stream(setting_of(state));
  for (auto _ : state) stream.run();
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(stream.steps()));
}

// The same stream through a world.
void judged(benchmark::State& state, L::Judging judging) {
  const Setting s = setting_of(state);
  L::World world(newborn_of(s.era, s.large), judging);
  // The full walk of a large machine takes milliseconds a step.
  const bool walks = judging.invariants_every == 1 && s.large;
  const auto steps =
      bench::steps_of(bench::draw_toggles(walks ? 32 : stream_length, stream_seed), s.era);
  for (auto _ : state)
    for (const L::Step& step : steps) world.apply(step);
  if (world.violation()) state.SkipWithError("a rule broke");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(steps.size()));
}

// Oracle and stamps; what is reached is not counted, as it judges nothing.
L::Judging quick() {
  L::Judging judging;
  judging.reach = false;
  return judging;
}
L::Judging with_walk() {
  L::Judging judging = quick();
  judging.invariants_every = 1;
  return judging;
}
L::Judging with_touched() {
  L::Judging judging = quick();
  judging.touched = true;
  return judging;
}

// All ways in turns, from where ratios come.
void in_turns(benchmark::State& state) {
  const Setting s = setting_of(state);
  const auto steps = bench::steps_of(bench::draw_toggles(stream_length, stream_seed), s.era);
  bench::Turns turns;
  Bare stream(s);
  turns.add("bare", stream.steps(), [&] { stream.run(); });
  std::vector<std::unique_ptr<L::World>> worlds;
  for (const auto& [name, judging] : {std::pair{"judged/quick", quick()},
                                      {"judged/counted", L::Judging{}},
                                      {"judged/touched", with_touched()}}) {
    L::World& world =
        *worlds.emplace_back(std::make_unique<L::World>(newborn_of(s.era, s.large), judging));
    turns.add(name, steps.size(), [&] {
      for (const L::Step& step : steps) world.apply(step);
    });
  }
  turns.take(state);
  for (const auto& world : worlds)
    if (world->violation()) state.SkipWithError("a rule broke");
}

// A world that ran sixteen steps: copied whole, put back, and named.
void copy_machine(benchmark::State& state) {
  const Setting s = setting_of(state);
  const ref::buddy::Machine& machine = newborn_of(s.era, s.large).machine;
  for (auto _ : state) benchmark::DoNotOptimize(ref::buddy::Machine(machine));
}
void run_and_restore(benchmark::State& state) {
  const Setting s = setting_of(state);
  L::World world(newborn_of(s.era, s.large), {});
  const auto steps = bench::steps_of(bench::draw_toggles(16, stream_seed), s.era);
  for (auto _ : state) {
    for (std::size_t i = 0; i < 16; ++i) world.apply(steps[i]);
    world.reset(newborn_of(s.era, s.large), {});
  }
}
void hash_after_sixteen(benchmark::State& state) {
  const Setting s = setting_of(state);
  L::World world(newborn_of(s.era, s.large), {});
  const auto steps = bench::steps_of(bench::draw_toggles(16, stream_seed), s.era);
  for (std::size_t i = 0; i < 16; ++i) world.apply(steps[i]);
  for (auto _ : state) benchmark::DoNotOptimize(world.digest());
}

// A search of its own, with worker and all: operations a second of the worker's processor time,
// which is what counts, for its process is not ours.
void swarm_operations(benchmark::State& state, fuzz::Judge judge, std::uint64_t runs) {
  std::int64_t operations = 0;
  fuzz::SwarmOptions options;
  options.judge = judge;
  for (auto _ : state) {
    options.runs = runs;
    const fuzz::SwarmResult result = fuzz::swarm<L>(options);
    if (!result.broken.empty()) state.SkipWithError("a rule broke");
    operations += static_cast<std::int64_t>(result.operations);
    state.SetIterationTime(result.cpu_seconds);
    options.first_run += runs;
  }
  state.SetItemsProcessed(operations);
}

const std::vector<std::vector<std::int64_t>> settings{{0, 1}, {0, 1}};
BENCHMARK(in_turns)->ArgsProduct(settings);
BENCHMARK(bare)->ArgsProduct(settings);
BENCHMARK_CAPTURE(judged, quick, quick())->ArgsProduct(settings);
BENCHMARK_CAPTURE(judged, counted, L::Judging{})->ArgsProduct(settings);
BENCHMARK_CAPTURE(judged, touched, with_touched())->ArgsProduct(settings);
BENCHMARK_CAPTURE(judged, full_walk, with_walk())->ArgsProduct(settings);
BENCHMARK(copy_machine)->ArgsProduct(settings);
BENCHMARK(run_and_restore)->ArgsProduct(settings);
BENCHMARK(hash_after_sixteen)->ArgsProduct(settings);
BENCHMARK_CAPTURE(swarm_operations, quick, fuzz::Judge::quick, 20000)->UseManualTime();
BENCHMARK_CAPTURE(swarm_operations, mixed, fuzz::Judge::mixed, 2000)->UseManualTime();

}  // namespace
