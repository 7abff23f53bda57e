// What an object's way back and out costs: of the reference's caches and of its kmalloc, bare,
// judged, and judged with invariants, beside the allocators that programs use.
//
//   64 registers, taken in turn: what one holds goes back, and another comes in its place
//
//   pair 0   kmem_cache_free, kmem_cache_alloc   objects of 128 bytes
//   pair 1   kfree, kmalloc                      of sizes as kernels ask for them
//
// The others are loaded by name, so that they do not replace this program's malloc. One that is
// not installed has no counter; nor has jemalloc, unless the loader is told to keep room for it:
// GLIBC_TUNABLES=glibc.rtld.optional_static_tls=16384, as ci/benchmarks does.
#include <benchmark/benchmark.h>
#include <dlfcn.h>

#include <array>
#include <cstdlib>
#include <memory>

#include "fuzz/bench/turns.hpp"
#include "props/core/random.hpp"
#include "props/kmalloc/world.hpp"
#include "props/slab/world.hpp"

namespace {

using ref::core::EraId;
using ref::slab::Address;

constexpr std::size_t slots = 64, stream = 4096;
// The invariants are walks over the whole machine: so many pairs take as long as a stream.
constexpr std::size_t walked_pairs = 4;

enum class Pair : std::uint8_t { cache, kmalloc };

// Mostly small, some of a page and more; or all the same.
using Sizes = std::array<std::uint32_t, stream>;
Sizes sizes_of(Pair pair) {
  Sizes all{};
  props::Random random(1);
  for (std::uint32_t& size : all)
    size = pair == Pair::cache
               ? 128
               : static_cast<std::uint32_t>(1 + random.below(random.chance(16) ? 8192 : 512));
  return all;
}

ref::core::Config machine_of(EraId era) {
  ref::core::Config c;
  c.era = era;
  c.add_zone(ref::core::ZoneKind::dma, 256);
  c.add_zone(ref::core::ZoneKind::normal, 1024);
  return c;
}

// --- the reference alone
// --------------------------------------------------------------------------

struct QuietEnv final : ref::core::Env {};

class Bare {
 public:
  Bare(Pair pair, EraId era)
      : pair_(pair), machine_(machine_of(era)), gfp_(ref::core::gfp_of(era, "GFP_KERNEL")) {
    cache_ = *ref::slab::kmem_cache_create(env_, machine_, {.name = "object", .size = 128});
    for (Address& slot : held_) slot = *ref::slab::kmem_cache_alloc(env_, machine_, cache_, gfp_);
  }
  void run() {
    if (pair_ == Pair::cache) run_cache();
    else run_kmalloc();
  }

 private:
  void run_cache() {
    for (std::size_t i = 0; i < stream; ++i) {
      Address& slot = held_[i % slots];
      ref::slab::kmem_cache_free(env_, machine_, cache_, slot);
      slot = *ref::slab::kmem_cache_alloc(env_, machine_, cache_, gfp_);
    }
  }
  void run_kmalloc() {
    for (std::size_t i = 0; i < stream; ++i) {
      Address& slot = held_[i % slots];
      ref::kmalloc::kfree(env_, machine_, slot);
      slot = *ref::kmalloc::kmalloc(env_, machine_, sizes_[i], gfp_);
    }
  }

  Pair pair_;
  QuietEnv env_;
  ref::slab::Machine machine_;
  ref::core::Gfp gfp_;
  ref::slab::CacheId cache_{};
  const Sizes sizes_ = sizes_of(pair_);
  std::array<Address, slots> held_{};
};

// --- judged
// ---------------------------------------------------------------------------------------

// A row's world, and a stream of steps for it that begins and ends with full registers.
template <class World, class Newborn>
struct Judged {
  Judged(EraId era, const auto& judging) : newborn(machine_of(era)), world(newborn, judging) {}
  Newborn newborn;
  World world;
  std::vector<typename World::Step> steps;

  void add(const typename World::Operation& op) { steps.push_back({op, {}, {}, 0}); }
  // From where the last one ended.
  void run(std::size_t pairs) {
    for (std::size_t n = 0; n < 2 * pairs; ++n, ++at_) world.apply(steps[at_ % steps.size()]);
  }

 private:
  std::size_t at_ = 0;
};

props::ObjectRegister slot_of(std::size_t i) { return {static_cast<std::uint8_t>(i % slots)}; }

using JudgedCache = Judged<props::slab::World, props::slab::Newborn>;
std::unique_ptr<JudgedCache> judged_cache(EraId era, const props::slab::Judging& judging) {
  auto judged = std::make_unique<JudgedCache>(era, judging);
  const ref::core::Gfp gfp = ref::core::gfp_of(era, "GFP_KERNEL");
  props::slab::CacheCreate create;
  create.name_of.index = 1;
  create.size.value = 128;
  judged->world.apply({create, {}, {}, 0});
  const auto alloc = [&](std::size_t i) {
    return props::slab::CacheAlloc{slot_of(i), create.out, {gfp}};
  };
  for (std::size_t i = 0; i < slots; ++i) judged->world.apply({alloc(i), {}, {}, 0});
  for (std::size_t i = 0; i < stream; ++i) {
    judged->add(props::slab::CacheFree{slot_of(i)});
    judged->add(alloc(i));
  }
  return judged;
}

using JudgedKmalloc = Judged<props::kmalloc::World, props::kmalloc::Newborn>;
std::unique_ptr<JudgedKmalloc> judged_kmalloc(EraId era, const props::kmalloc::Judging& judging) {
  auto judged = std::make_unique<JudgedKmalloc>(era, judging);
  const ref::core::Gfp gfp = ref::core::gfp_of(era, "GFP_KERNEL");
  const Sizes sizes = sizes_of(Pair::kmalloc);
  const auto alloc = [&](std::size_t i) {
    return props::kmalloc::Kmalloc{slot_of(i), {sizes[i]}, {gfp}};
  };
  for (std::size_t i = 0; i < slots; ++i) judged->world.apply({alloc(i), {}, {}, 0});
  for (std::size_t i = 0; i < stream; ++i) {
    judged->add(props::kmalloc::Kfree{slot_of(i)});
    judged->add(alloc(i));
  }
  return judged;
}

// Oracle and stamps; what is reached is not counted, as it judges nothing.
template <class Judging>
Judging judging_of(bool invariants) {
  Judging judging = Judging::cheap();
  judging.reach = false;
  judging.invariants_every = invariants ? 1 : 0;
  return judging;
}

// --- the others
// -----------------------------------------------------------------------------------

using Malloc = void* (*)(std::size_t);
using Free = void (*)(void*);

struct Other {
  const char *name, *library, *take, *give;  // no library: this program's own
};
constexpr std::array others{Other{"glibc", nullptr, "malloc", "free"},
                            Other{"mimalloc", "libmimalloc.so.2", "mi_malloc", "mi_free"},
                            Other{"jemalloc", "libjemalloc.so.2", "malloc", "free"}};

class Stream {
 public:
  Stream(Pair pair, Malloc take, Free give) : sizes_(sizes_of(pair)), take_(take), give_(give) {}
  ~Stream() {
    for (void* slot : held_) give_(slot);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  void run() {
    for (std::size_t i = 0; i < stream; ++i) {
      void*& slot = held_[i % slots];
      give_(slot);
      slot = take_(sizes_[i]);
      benchmark::DoNotOptimize(slot);
    }
  }

 private:
  Sizes sizes_;
  Malloc take_;
  Free give_;
  std::array<void*, slots> held_{};
};

std::unique_ptr<Stream> stream_of(const Other& other, Pair pair) {
  void* const handle = dlopen(other.library, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return nullptr;
  const auto take = reinterpret_cast<Malloc>(dlsym(handle, other.take));
  const auto give = reinterpret_cast<Free>(dlsym(handle, other.give));
  if (take == nullptr || give == nullptr) return nullptr;
  return std::make_unique<Stream>(pair, take, give);
}

// --- the benchmarks
// -------------------------------------------------------------------------------

struct Setting {
  Pair pair;
  EraId era;
};
Setting setting_of(benchmark::State& state) {
  const Setting s{static_cast<Pair>(state.range(0)), static_cast<EraId>(state.range(1))};
  state.SetLabel(std::string(s.pair == Pair::cache ? "kmem_cache_alloc and kmem_cache_free, "
                                                   : "kmalloc and kfree, ") +
                 std::string(ref::core::profile_of(s.era).name));
  return s;
}

template <class Make>
bool take_turns(benchmark::State& state, bench::Turns& turns, Make make) {
  const auto judged = make(false), walked = make(true);
  turns.add("judged", stream, [&] { judged->run(stream); });
  turns.add("invariants", walked_pairs, [&] { walked->run(walked_pairs); });
  turns.take(state);
  return !judged->world.violation() && !walked->world.violation();
}

// All in turns, from where ratios come.
void objects_in_turns(benchmark::State& state) {
  const Setting s = setting_of(state);
  Bare bare(s.pair, s.era);
  bench::Turns turns;
  turns.add("bare", stream, [&] { bare.run(); });
  std::vector<std::unique_ptr<Stream>> streams;
  for (const Other& other : others) {
    const auto& made = streams.emplace_back(stream_of(other, s.pair));
    if (made) turns.add(other.name, stream, [&run = *made] { run.run(); });
  }
  const bool held =
      s.pair == Pair::cache
          ? take_turns(state, turns,
                       [&](bool walks) {
                         return judged_cache(s.era, judging_of<props::slab::Judging>(walks));
                       })
          : take_turns(state, turns, [&](bool walks) {
              return judged_kmalloc(s.era, judging_of<props::kmalloc::Judging>(walks));
            });
  if (!held) state.SkipWithError("a rule is broken");
}

// The reference alone, for a profile.
void objects_bare(benchmark::State& state) {
  const Setting s = setting_of(state);
  Bare bare(s.pair, s.era);
  for (auto _ : state) bare.run();
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(stream));
}

const std::vector<std::vector<std::int64_t>> settings{{0, 1}, {0, 1}};
BENCHMARK(objects_in_turns)->ArgsProduct(settings);
BENCHMARK(objects_bare)->ArgsProduct(settings);

}  // namespace
