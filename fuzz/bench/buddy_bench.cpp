// What a step costs: in the bare allocator, judged, and in a whole search.
#include <benchmark/benchmark.h>

#include "fuzz/engine/swarm_worker.hpp"
#include "props/buddy/layer.hpp"
#include "ref/buddy/buddy.hpp"

namespace {

using L = props::buddy::Layer;

// About a hundred pages in three zones: what the fuzz targets mostly see.
ref::core::Config small_machine() {
  ref::core::Config config;
  config.add_zone(ref::core::ZoneKind::dma, 16);
  config.add_zone(ref::core::ZoneKind::normal, 64);
  config.add_zone(ref::core::ZoneKind::highmem, 32);
  return config;
}

// Allocates and frees pages of one order, nothing judged.
void bare_alloc_free(benchmark::State& state) {
  class Nobody : public ref::core::Env {
  } env;
  ref::buddy::Machine machine(small_machine());
  const auto gfp = ref::core::gfp_of(machine.config.era, "GFP_KERNEL");
  const auto order = static_cast<unsigned>(state.range(0));
  for (auto _ : state) {
    const auto block = ref::buddy::alloc_pages(env, machine, gfp, order);
    if (!block) {
      state.SkipWithError("the machine is full");
      break;
    }
    ref::buddy::free_pages_(env, machine, *block, order);
  }
  state.SetItemsProcessed(state.iterations() * 2);
}

// The same pair through a world, which judges every answer.
void judged_alloc_free(benchmark::State& state) {
  const L::Newborn newborn(small_machine());
  L::World world(newborn, L::Judging::cheap());
  const props::GfpArg gfp{ref::core::gfp_of(newborn.machine.config.era, "GFP_KERNEL")};
  const auto order = static_cast<std::uint64_t>(state.range(0));
  const L::Step alloc{props::buddy::AllocPages{{0}, {order}, gfp}, {}, {}, 0};
  const L::Step free{props::buddy::FreePages{{0}}, {}, {}, 0};
  for (auto _ : state) {
    world.apply(alloc);
    world.apply(free);
  }
  if (world.violation()) state.SkipWithError("a rule broke");
  state.SetItemsProcessed(state.iterations() * 2);
}

// A search of its own, with worker and all: operations a second.
void swarm_operations(benchmark::State& state) {
  std::int64_t operations = 0;
  fuzz::SwarmOptions options;
  options.runs = 2000;
  for (auto _ : state) {
    operations += static_cast<std::int64_t>(fuzz::swarm<L>(options).operations);
    options.first_run += options.runs;
  }
  state.SetItemsProcessed(operations);
}

BENCHMARK(bare_alloc_free)->Arg(0)->Arg(3);
BENCHMARK(judged_alloc_free)->Arg(0)->Arg(3);
BENCHMARK(swarm_operations)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
