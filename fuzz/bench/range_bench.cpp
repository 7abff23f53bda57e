// What reserving and giving back addresses costs while 10, 1000 and 100,000 areas are live: 6.1's
// tree of free ranges beside the list of 2.6.11.
//
//   [a][b][c][d]...   one at random goes, and one of 1 to 3 pages comes: small holes remain
//
// The list would be walked once for each of 100,000 areas that are set up in order, so they come
// from the last to the first: a large area keeps the room below, and shrinks.
#include <benchmark/benchmark.h>

#include <vector>

#include "props/core/random.hpp"
#include "ref/vmalloc/vmalloc.hpp"

namespace {

using ref::core::EraId;
using ref::vmalloc::Address;

struct QuietEnv final : ref::core::Env {};

// 32 MiB of memory, and 880 MiB of addresses: small pages, so that 300,000 of them and more fit.
ref::core::Config machine_of(EraId era) {
  ref::core::Config c;
  c.era = era;
  c.page_bytes = 2048;
  c.add_zone(ref::core::ZoneKind::normal, 16384);
  c.vmalloc = 450000;
  return c;
}

struct Filled {
  ref::vmalloc::Machine machine;
  std::vector<Address> live;
};

Address reserve(ref::vmalloc::Machine& m, std::uint64_t pages) {
  QuietEnv env;
  return *ref::vmalloc::get_vm_area(env, m, pages * m.config.page_bytes, 0);
}

// Each area is a page and its guard.
Filled fill(EraId era, std::size_t areas) {
  Filled f{ref::vmalloc::Machine(machine_of(era)), {}};
  QuietEnv env;
  if (f.machine.profile().area_search != ref::core::AreaSearch::sorted_list) {
    for (std::size_t i = 0; i < areas; ++i) f.live.push_back(reserve(f.machine, 1));
    return f;
  }
  for (std::size_t below = areas - 1; below > 0; --below) {
    const Address room = reserve(f.machine, 2 * below - 1);
    f.live.push_back(reserve(f.machine, 1));
    ref::vmalloc::free_vm_area(env, f.machine, room);
  }
  f.live.push_back(reserve(f.machine, 1));
  return f;
}

void reserve_and_give_back(benchmark::State& state, EraId era) {
  Filled f = fill(era, static_cast<std::size_t>(state.range(0)));
  QuietEnv env;
  props::Random random(1);
  for (auto _ : state) {
    Address& slot = f.live[random.below(f.live.size())];
    ref::vmalloc::free_vm_area(env, f.machine, slot);
    ref::vmalloc::drain_vmap_area_work(env, f.machine);
    const std::uint64_t pages = 1 + random.below(3);
    const auto got =
        ref::vmalloc::get_vm_area(env, f.machine, pages * f.machine.config.page_bytes, 0);
    if (!got) return state.SkipWithError("a request was refused");
    slot = *got;
  }
}
BENCHMARK_CAPTURE(reserve_and_give_back, tree_of_6_1, EraId::linux_6_1)
    ->Arg(10)
    ->Arg(1000)
    ->Arg(100000);
BENCHMARK_CAPTURE(reserve_and_give_back, list_of_2_6_11, EraId::linux_2_6_11)
    ->Arg(10)
    ->Arg(1000)
    ->Arg(100000)
    ->Iterations(200);

}  // namespace
