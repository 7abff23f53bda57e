// What getting and giving back one object costs: the reference's kmalloc, bare, judged, and judged
// with invariants, beside the allocators that programs use.
//
//   a register of 64, taken in turn: what it holds goes back, and an object of the next size comes
//
// The others are loaded by name, so that they do not replace this program's malloc. Where one is
// not installed its benchmark says so, and is skipped.
#include <benchmark/benchmark.h>
#include <dlfcn.h>

#include <array>
#include <cstdlib>
#include <memory>

#include "props/core/random.hpp"
#include "props/kmalloc/world.hpp"

namespace {

using props::kmalloc::Judging;
using ref::core::EraId;
using ref::kmalloc::Address;

constexpr std::size_t slots = 64, sizes_count = 4096;

// Sizes as kernels ask for them: mostly small, some of a page and more.
const std::array<std::uint32_t, sizes_count>& sizes() {
  static const auto drawn = [] {
    std::array<std::uint32_t, sizes_count> all{};
    props::Random random(1);
    for (std::uint32_t& size : all)
      size = static_cast<std::uint32_t>(1 + random.below(random.chance(16) ? 8192 : 512));
    return all;
  }();
  return drawn;
}

ref::core::Config machine_of(EraId era) {
  ref::core::Config c;
  c.era = era;
  c.add_zone(ref::core::ZoneKind::dma, 256);
  c.add_zone(ref::core::ZoneKind::normal, 1024);
  return c;
}

struct QuietEnv final : ref::core::Env {};

void bare(benchmark::State& state, EraId era) {
  ref::kmalloc::Machine m(machine_of(era));
  QuietEnv env;
  const ref::core::Gfp gfp = ref::core::gfp_of(era, "GFP_KERNEL");
  std::array<Address, slots> held{};
  std::size_t i = 0;
  for (auto _ : state) {
    Address& slot = held[i % slots];
    ref::kmalloc::kfree(env, m, slot);
    slot = ref::kmalloc::kmalloc(env, m, sizes()[i++ % sizes_count], gfp).value_or(Address::null);
  }
}

void judged(benchmark::State& state, EraId era, Judging judging) {
  const props::kmalloc::Newborn newborn(machine_of(era));
  props::kmalloc::World world(newborn, judging);
  const ref::core::Gfp gfp = ref::core::gfp_of(era, "GFP_KERNEL");
  std::size_t i = 0;
  for (auto _ : state) {
    const props::ObjectRegister slot{static_cast<std::uint8_t>(i % slots)};
    world.apply({props::kmalloc::Kfree{slot}, {}, {}, 0});
    world.apply({props::kmalloc::Kmalloc{slot, {sizes()[i++ % sizes_count]}, {gfp}}, {}, {}, 0});
  }
  if (world.violation()) state.SkipWithError("a rule is broken");
}

using Malloc = void* (*)(std::size_t);
using Free = void (*)(void*);

void other(benchmark::State& state, Malloc take, Free give) {
  std::array<void*, slots> held{};
  std::size_t i = 0;
  for (auto _ : state) {
    void*& slot = held[i % slots];
    give(slot);
    slot = take(sizes()[i++ % sizes_count]);
    benchmark::DoNotOptimize(slot);
  }
  for (void* slot : held) give(slot);
}

void loaded(benchmark::State& state, const char* library, const char* take, const char* give) {
  void* const handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return state.SkipWithError("not built: the library is not installed");
  const auto malloc_of_it = reinterpret_cast<Malloc>(dlsym(handle, take));
  const auto free_of_it = reinterpret_cast<Free>(dlsym(handle, give));
  if (malloc_of_it == nullptr || free_of_it == nullptr)
    return state.SkipWithError("not built: the library has not these calls");
  other(state, malloc_of_it, free_of_it);
}

Judging every_step() {
  Judging judging = Judging::cheap();
  judging.invariants_every = 1;
  return judging;
}

BENCHMARK_CAPTURE(bare, linux_2_6_11, EraId::linux_2_6_11);
BENCHMARK_CAPTURE(bare, linux_6_1, EraId::linux_6_1);
BENCHMARK_CAPTURE(judged, oracle_2_6_11, EraId::linux_2_6_11, Judging::cheap());
BENCHMARK_CAPTURE(judged, oracle_6_1, EraId::linux_6_1, Judging::cheap());
BENCHMARK_CAPTURE(judged, invariants_2_6_11, EraId::linux_2_6_11, every_step());
BENCHMARK_CAPTURE(judged, invariants_6_1, EraId::linux_6_1, every_step());
BENCHMARK_CAPTURE(other, glibc, &std::malloc, &std::free);
BENCHMARK_CAPTURE(loaded, mimalloc, "libmimalloc.so.2", "mi_malloc", "mi_free");
BENCHMARK_CAPTURE(loaded, jemalloc, "libjemalloc.so.2", "malloc", "free");

}  // namespace
