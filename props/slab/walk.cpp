// Drives a machine at random, and asks the naive model about every call.
#include "props/slab/walk.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace props::slab {
namespace {

using namespace ref::slab;
using ref::core::Config;
using ref::core::EraId;
using ref::core::ZoneKind;

constexpr std::size_t objects_max = 400;

}  // namespace

Walk::Walk(const Config& config) : machine_(config) {}

void Walk::judge(std::optional<Finding> finding) {
  ++judged_;
  if (finding && !finding_) finding_ = std::move(finding);
}

CacheId Walk::some_cache(Random& random) const {
  if (!own_.empty() && !random.chance(3)) return own_[random.below(own_.size())];
  const auto sizes = general_sizes(machine_.config);
  return *general_cache(machine_, 1 + random.below(sizes[random.below(sizes.size())]), 0);
}

void Walk::create(Random& random) {
  if (own_.size() >= 6) return destroy(random.below(own_.size()));
  constexpr std::array<std::uint32_t, 4> aligns{0, 0, 8, 64};
  constexpr std::array<std::uint32_t, 6> flags{
      0, 0, SLAB_HWCACHE_ALIGN, SLAB_RECLAIM_ACCOUNT, SLAB_TYPESAFE_BY_RCU, SLAB_NOLEAKTRACE};
  const std::string name = fmt::format("cache-{}", names_++);
  CacheSpec spec;
  spec.name = name;
  spec.size = 8 + random.below(random.chance(3) ? machine_.config.page_bytes : 200);
  spec.align = aligns[random.below(aligns.size())];
  spec.flags = flags[random.below(flags.size())];
  if (machine_.config.era == EraId::linux_2_6_11) spec.flags &= ~SLAB_NOLEAKTRACE;
  spec.ctor = static_cast<Ctor>(random.chance(3) ? random.below(ctor_count) : 0);
  const auto made = kmem_cache_create(*this, machine_, spec);
  if (made) own_.push_back(*made);
}

void Walk::destroy(std::size_t which) {
  const CacheId cache = own_[which];
  const auto references = std::ranges::count(own_, cache);
  if (references == 1) {  // the last one: nothing may be in use
    for (std::size_t i = objects_.size(); i-- > 0;)
      if (objects_[i].cache == cache) free(i);
  }
  (void)kmem_cache_destroy(*this, machine_, cache);
  own_.erase(own_.begin() + static_cast<std::ptrdiff_t>(which));
}

void Walk::alloc(CacheId cache, Gfp gfp) {
  if (objects_.size() >= objects_max) return free(0);
  Model model = Model::of(machine_, cache);
  const auto answer = kmem_cache_alloc(*this, machine_, cache, gfp);
  if (answer) objects_.push_back({cache, *answer});
  if (!answer && answer.error() == Refused::suspended) return;
  judge(model.allocated(machine_, {gfp, {}}, answer ? std::optional(*answer) : std::nullopt));
}

void Walk::bulk(CacheId cache, std::size_t count, Gfp gfp) {
  std::vector<Address> given(count);
  Model model = Model::of(machine_, cache);
  const auto answer = kmem_cache_alloc_bulk(*this, machine_, cache, gfp, given);
  if (!answer && answer.error() == Refused::suspended) return;
  const bool granted = answer && *answer == count;
  if (granted)
    for (const Address address : given) objects_.push_back({cache, address});
  judge(model.allocated_bulk(machine_, {gfp, {}}, given, granted));
}

void Walk::free(std::size_t which) {
  const Object object = objects_[which];
  objects_.erase(objects_.begin() + static_cast<std::ptrdiff_t>(which));
  Model model = Model::of(machine_, object.cache);
  kmem_cache_free(*this, machine_, object.cache, object.address);
  judge(model.freed(machine_, std::span(&object.address, 1)));
}

void Walk::free_bulk(CacheId cache) {
  std::vector<Address> gone;
  for (const Object& object : objects_)
    if (object.cache == cache) gone.push_back(object.address);
  std::erase_if(objects_, [&](const Object& object) { return object.cache == cache; });
  Model model = Model::of(machine_, cache);
  kmem_cache_free_bulk(*this, machine_, cache, gone);
  judge(model.freed(machine_, gone));
}

void Walk::shrink(CacheId cache) {
  Model model = Model::of(machine_, cache);
  const auto remain = kmem_cache_shrink(*this, machine_, cache);
  if (remain) judge(model.shrunk(machine_, *remain));
}

void Walk::shrink_own() {
  for (const CacheId cache : own_) shrink(cache);
}

void Walk::reap() {
  std::vector<Model> models;
  for (const CacheId cache : own_) models.push_back(Model::of(machine_, cache));
  cache_reap(*this, machine_);
  for (Model& model : models) judge(model.reaped(machine_));
}

void Walk::tune(Random& random) {
  if (own_.empty()) return;
  const Cache& cache = machine_.arena.at(
      machine_.slab.cache, static_cast<std::uint64_t>(own_[random.below(own_.size())]));
  // Drawn one by one: compilers evaluate the arguments of a call in orders of their own.
  const std::uint64_t limit = 1 + random.below(20);
  const std::uint64_t batch = 1 + random.below(limit);
  const std::uint64_t shared = random.below(3);
  const std::string line = fmt::format("{} {} {} {}", cache.name.data(), limit, batch, shared);
  (void)slabinfo_write(*this, machine_, line);
}

void Walk::step(Random& random) {
  const Gfp gfp = random.chance(4) ? ref::core::gfp_of(machine_.config.era, "GFP_KERNEL") : 0;
  machine_.edit_globals().log = {};
  machine_.edit_globals().cpu = static_cast<std::uint32_t>(random.below(machine_.config.cpus));
  switch (random.below(40)) {
    case 0:
    case 1: return create(random);
    case 2: return own_.empty() ? create(random) : destroy(random.below(own_.size()));
    case 3: return shrink(some_cache(random));
    case 4:
    case 5: return pass_time(machine_, static_cast<std::uint32_t>(1 + random.below(5)));
    case 6:
    case 7: return reap();
    case 8: return rcu_grace_period(*this, machine_);
    case 9: return tune(random);
    case 10: return bulk(some_cache(random), 1 + random.below(20), gfp);
    case 11: return free_bulk(some_cache(random));
    default: break;
  }
  // Runs of one kind, so that arrays fill and empty.
  const CacheId cache = some_cache(random);
  const bool frees = random.chance(2);
  for (std::uint64_t n = random.below(24); n-- > 0;) {
    if (!frees) alloc(cache, gfp);
    else if (!objects_.empty()) free(random.below(objects_.size()));
  }
}

void Walk::run(std::uint64_t steps, Random& random) {
  for (; steps > 0 && machine_.arena.at(machine_.slab.globals, 0).up != 0; --steps) step(random);
}

Config draw_walk(Random& random) {
  Config c;
  c.era = random.chance(2) ? EraId::linux_2_6_11 : EraId::linux_6_1;
  c.page_bytes = 512u << random.below(4);
  c.orders = static_cast<std::uint32_t>(6 + random.below(3));
  if (c.profile().numa && random.chance(3)) c.nodes = 2;
  c.cpus = static_cast<std::uint32_t>(1 + random.below(3));
  c.cache_line = 16u << random.below(3);
  c.slab_merge = !random.chance(4);
  c.slab_debug = random.chance(5);
  for (std::uint32_t node = 0; node < c.nodes; ++node) {
    if (node == 0 && random.chance(2)) c.add_zone(ZoneKind::dma, 64, node);
    c.add_zone(ZoneKind::normal, 256u << random.below(2), node);
  }
  return c;
}

}  // namespace props::slab
