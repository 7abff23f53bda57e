// What the properties share about machines of the object allocator.
#include "props/slab/property_case.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "ref/slab/records.hpp"

namespace props::slab {

using namespace ref::core;

std::vector<Shape::OfCache> count_slabs(const Machine& m) {
  std::vector<Shape::OfCache> sums(ref::slab::caches_max);
  for (Index page = 0; page < m.slab.slab.count; ++page) {
    const ref::slab::Slab& s = ref::slab::slab_at(m, page);
    if (s.head != page + 1 || s.cache == 0 || s.rcu != 0) continue;
    Shape::OfCache& sum = sums[s.cache - 1];
    ++sum.slabs, sum.used_slabs += s.active > 0, sum.active += s.active;
  }
  for (Index i = 0; i < sums.size(); ++i) sums[i].name = name_of(ref::slab::cache_at(m, i));
  return sums;
}

Shape shape_of(const Machine& m) {
  Shape shape{buddy::shape_of(m), {}};
  const auto sums = count_slabs(m);
  const Index first = m.arena.at(m.slab.globals, 0).first;
  for (Index link = first; link != 0; link = ref::slab::cache_at(m, link - 1).next)
    shape.caches.push_back(sums[link - 1]);
  return shape;
}

std::string text_of(const Shape& shape) {
  std::string text = buddy::text_of(shape.free_blocks) + "\n  caches (slabs, objects given out)";
  for (const Shape::OfCache& c : shape.caches)
    if (c.slabs > 0) text += fmt::format(" {}:{},{}", c.name, c.slabs, c.active);
  return text;
}

Machine at_rest(Machine m) {
  plan_failure(m, 0);
  for (std::uint32_t c = 0; c < m.config.cpus; ++c) {
    Cpu& cpu = m.arena.edit(m.core.cpu, c);
    const std::uint32_t task = cpu.task;
    cpu = {};
    cpu.task = task;
    m.arena.edit(m.core.task, task) = {};
  }
  clear_log(m);
  return m;
}

Machine at_rest(const World& world) { return at_rest(world.machine()); }

// What is off slab is given back to another cache, and what that frees perhaps to a third.
void settle(const Calls& calls, Machine& m) {
  QuietEnv env;
  ref::slab::rcu_grace_period(env, m);
  for (int round = 0; round < 4; ++round)
    for (Index i = 0; i < ref::slab::caches_max; ++i)
      if (m.arena.at(m.slab.cache, i).state == ref::slab::CacheState::live)
        (void)calls.shrink(env, m, CacheId{i});
  ref::slab::rcu_grace_period(env, m);
  ref::buddy::drain_all_pages(env, m);
}

std::vector<HeldObject> live_objects(const World& world) {
  std::vector<HeldObject> live;
  std::ranges::copy_if(world.objects(), std::back_inserter(live), &HeldObject::live);
  return live;
}

void give_back(const Calls& calls, Machine& m, const HeldObject& o) {
  QuietEnv env;
  if (o.ctor != 0) construct(m, o.ram, o.usable, o.ctor);
  calls.free(env, m, o.cache, Address{o.address});
}

Gfp gfp_for(const HeldCache& cache) {
  const bool dma = (cache.asked.flags.value & ref::slab::SLAB_CACHE_DMA) != 0;
  return GFP_BIT_NOWARN | (dma ? Gfp{GFP_BIT_DMA} : Gfp{0});
}

std::vector<HeldCache> live_caches(const World& world) {
  std::vector<HeldCache> live;
  for (const HeldCache& c : world.caches())
    if (c.state == HeldCache::State::live &&
        std::ranges::find(live, c.id, &HeldCache::id) == live.end())
      live.push_back(c);
  return live;
}

}  // namespace props::slab
