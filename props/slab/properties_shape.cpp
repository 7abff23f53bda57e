// Properties about what is left when things are given back: it hangs on nothing but what is kept.
#include <fmt/format.h>

#include <algorithm>

#include "props/slab/property_case.hpp"

namespace props::slab {
namespace {

using namespace ref::core;

// True when somebody did to the machine what stays: other arrays, bytes that no owner may write, a
// cache that never goes.
bool leaves_something(const World& world) { return !world.up() || world.disturbed(); }

void same_shape(Case& c, std::string_view how, const Shape& wanted, const Shape& actual,
                const World& seen) {
  c.holds(actual == wanted, text_of(wanted), fmt::format("{}: {}", how, text_of(actual)), seen);
}

}  // namespace

void newborn_again(Case& c) {
  const World world = c.played();
  if (c.broken() || leaves_something(world)) return;
  Machine born = at_rest(c.newborn.machine);
  settle({}, born);
  Machine m = at_rest(world);
  QuietEnv env;
  const auto objects = live_objects(world);
  for (const HeldObject& o : objects) give_back(c.calls, m, o);
  for (const HeldPages& p : world.pages())
    if (p.live) ref::buddy::free_pages_(env, m, p.pfn, p.order);
  for (const HeldCache& held : world.caches())
    if (held.state == HeldCache::State::live) (void)c.calls.destroy(env, m, held.id);
  settle(c.calls, m);
  same_shape(c, "all given back, destroyed and shrunk", shape_of(born), shape_of(m), world);
}

void any_order_of_frees(Case& c) {
  const World world = c.played();
  if (c.broken() || leaves_something(world)) return;
  auto objects = live_objects(world);
  if (objects.size() < 2) return;
  const auto left = [&] {
    Machine m = at_rest(world);
    for (const HeldObject& o : objects) give_back(c.calls, m, o);
    settle(c.calls, m);
    return shape_of(m);
  };
  const Shape wanted = left();
  std::ranges::reverse(objects);
  same_shape(c, "freed from the last register on", wanted, left(), world);
  std::ranges::sort(objects, {}, &HeldObject::address);
  same_shape(c, "freed by address", wanted, left(), world);
  const auto middle = objects.begin() + static_cast<std::ptrdiff_t>(objects.size() / 2);
  std::ranges::rotate(objects, middle);
  same_shape(c, "freed by address from the middle on", wanted, left(), world);
}

void any_cpu_frees(Case& c) {
  const World world = c.played();
  const std::uint32_t cpus = world.machine().config.cpus;
  const auto objects = live_objects(world);
  if (c.broken() || leaves_something(world) || cpus < 2 || objects.empty()) return;
  const auto left = [&](const auto& cpu_of) {
    Machine m = at_rest(world);
    for (std::size_t i = 0; i < objects.size(); ++i) {
      select_cpu(m, cpu_of(i));
      give_back(c.calls, m, objects[i]);
    }
    settle(c.calls, m);
    return shape_of(m);
  };
  const Shape wanted = left([](std::size_t) { return 0u; });
  same_shape(c, "freed by the last CPU, not the first", wanted,
             left([&](std::size_t) { return cpus - 1; }), world);
  same_shape(c, "freed by all CPUs in turn", wanted,
             left([&](std::size_t i) { return static_cast<std::uint32_t>(i % cpus); }), world);
}

// One cache after the other, so that free objects of the general caches run out at some.
void failed_creation_leaves_nothing(Case& c) {
  const World world = c.played();
  if (c.broken() || leaves_something(world)) return;
  constexpr std::uint32_t caches = 16, requests = 3;  // requests for pages by one creation
  Machine m = at_rest(world);
  QuietEnv env;
  for (std::uint32_t i = 0; i < caches; ++i) {
    const std::string name = fmt::format("property-{}", i);
    const ref::slab::CacheSpec spec{
        .name = name, .size = 40 + 97 * ((c.steps().size() + i) % 40), .ctor = 1};
    for (std::uint32_t nth = 1; nth <= requests; ++nth) {
      Machine failing = m;
      plan_failure(failing, nth);
      const auto cache = c.calls.create(env, failing, spec);
      if (failing.globals().fail_page_alloc != 0) break;  // it asked for fewer
      if (cache) continue;
      Machine before = m;
      settle({}, before), settle({}, failing);
      same_shape(c, fmt::format("its request {} for pages failed", nth), shape_of(before),
                 shape_of(failing), world);
      if (c.broken()) return;
    }
    if (!ref::slab::kmem_cache_create(env, m, spec)) return;
  }
}

void shrinking_twice_is_once(Case& c) {
  const World world = c.played();
  if (c.broken() || !world.up()) return;
  Machine m = at_rest(world);
  QuietEnv env;
  for (const HeldCache& cache : live_caches(world)) {
    const auto first = c.calls.shrink(env, m, cache.id);
    Machine twice = m;
    const auto second = c.calls.shrink(env, twice, cache.id);
    if (!c.holds(second == first, "the same answer the second time", "another", world)) return;
    if (!c.holds(twice == m, fmt::format("cache {} as it was", static_cast<Index>(cache.id)),
                 "the second time changed something", world))
      return;
  }
}

}  // namespace props::slab
