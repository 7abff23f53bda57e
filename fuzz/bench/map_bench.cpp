// What mapping and unmapping one page costs: the reference's maps of each kind, bare.
//
//   persistent   again: a page whose slot is still mapped
//                in turns: more pages than slots, so that all search, and a wrap flushes
//   atomic, local   a slot of the fixmap
//   tables          map, load, unmap, flush on one CPU
#include <benchmark/benchmark.h>

#include "ref/kmap/kmap.hpp"

namespace {

using namespace ref::kmap;
using ref::core::EraId;

constexpr Pfn first = 1024;  // of HIGHMEM

struct QuietEnv final : ref::core::Env {};

ref::core::Config machine_of(EraId era, std::uint32_t slots) {
  ref::core::Config c;
  c.era = era;
  c.add_zone(ref::core::ZoneKind::normal, first);
  c.add_zone(ref::core::ZoneKind::highmem, 2048);
  c.pkmap = slots;
  c.vmalloc = 64;
  return c;
}

void persistent(benchmark::State& state, EraId era, std::uint32_t slots, std::uint32_t pages) {
  ref::kmap::Machine m(machine_of(era, slots));
  QuietEnv env;
  std::uint32_t i = 0;
  for (auto _ : state) {
    const Pfn pfn = first + i++ % pages;
    benchmark::DoNotOptimize(kmap(env, m, pfn));
    kunmap(m, pfn);
  }
  if (m.globals().log.fault != ref::core::Fault::none) state.SkipWithError("a map was refused");
}

void atomic(benchmark::State& state, EraId era, Pfn pfn) {
  ref::kmap::Machine m(machine_of(era, 64));
  QuietEnv env;
  for (auto _ : state)
    kunmap_atomic(env, m, *kmap_atomic(env, m, pfn, KmType::KM_USER0), KmType::KM_USER0);
  if (m.globals().log.fault != ref::core::Fault::none) state.SkipWithError("a map was refused");
}

void local(benchmark::State& state) {
  ref::kmap::Machine m(machine_of(EraId::linux_6_1, 64));
  QuietEnv env;
  for (auto _ : state) kunmap_local(env, m, *kmap_local_page(env, m, first));
  if (m.globals().log.fault != ref::core::Fault::none) state.SkipWithError("a map was refused");
}

void tables(benchmark::State& state) {
  ref::kmap::Machine m(machine_of(EraId::linux_6_1, 64));
  const Address at = fixmap_address(m, 0);
  std::byte b{};
  bool right = true;
  for (auto _ : state) {
    right = right && ref::mmu::map(m, at, first) == ref::mmu::Mapped::done;
    right = right && ref::mmu::load(m, at, std::span(&b, 1)).has_value();
    ref::mmu::unmap(m, at);
    ref::mmu::flush_page(m, at, ref::mmu::Cpus::local);
  }
  if (!right) state.SkipWithError("a page was not mapped");
}

BENCHMARK_CAPTURE(persistent, again_2_6_11, EraId::linux_2_6_11, 1024, 1);
BENCHMARK_CAPTURE(persistent, again_6_1, EraId::linux_6_1, 1024, 1);
BENCHMARK_CAPTURE(persistent, turns_of_64_slots_2_6_11, EraId::linux_2_6_11, 64, 128);
BENCHMARK_CAPTURE(persistent, turns_of_64_slots_6_1, EraId::linux_6_1, 64, 128);
BENCHMARK_CAPTURE(persistent, turns_of_1024_slots_2_6_11, EraId::linux_2_6_11, 1024, 1088);
BENCHMARK_CAPTURE(persistent, turns_of_1024_slots_6_1, EraId::linux_6_1, 1024, 1088);
BENCHMARK_CAPTURE(atomic, highmem_2_6_11, EraId::linux_2_6_11, first);
BENCHMARK_CAPTURE(atomic, highmem_6_1, EraId::linux_6_1, first);
BENCHMARK_CAPTURE(atomic, below_highmem_2_6_11, EraId::linux_2_6_11, 5);
BENCHMARK_CAPTURE(atomic, below_highmem_6_1, EraId::linux_6_1, 5);
BENCHMARK(local);
BENCHMARK(tables);

}  // namespace
