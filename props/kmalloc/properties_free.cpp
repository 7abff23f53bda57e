// Properties about what is left when memory is given back.
#include <fmt/format.h>

#include <algorithm>

#include "props/kmalloc/property_case.hpp"

namespace props::kmalloc {
namespace {

using slab::Shape;

constexpr Gfp no_waiting = ref::core::GFP_BIT_NOWARN;

bool up(const World& world) { return world.machine().arena.at(world.machine().slab.globals, 0).up; }

std::vector<Address> live_addresses(const World& world) {
  std::vector<Address> live;
  for (const Memory& held : world.memory())
    if (held.live && !held.nothing) live.push_back(held.address);
  return live;
}

// Everything of everybody goes back, in this order.
Machine emptied(const Case& c, const World& world, const std::vector<Address>& order) {
  Machine m = slab::at_rest(world.machine());
  QuietEnv env;
  for (const Address address : order) c.calls.kfree(env, m, address);
  for (const Block& b : world.blocks())
    if (b.live) ref::buddy::free_pages_(env, m, b.pfn, b.order);
  slab::settle({}, m);
  return m;
}

Machine settled_newborn(const Case& c) {
  Machine m = slab::at_rest(c.newborn.machine);
  slab::settle({}, m);
  return m;
}

}  // namespace

void newborn_again(Case& c) {
  const World world = c.played();
  if (c.broken() || !up(world)) return;
  const Shape wanted = slab::shape_of(settled_newborn(c));
  const Shape actual = slab::shape_of(emptied(c, world, live_addresses(world)));
  c.holds(actual == wanted, slab::text_of(wanted), slab::text_of(actual), world);
}

// Other blocks may be larger than asked for as well: what counts is the whole machine.
void served_again(Case& c) {
  const World world = c.played();
  if (c.broken() || !up(world)) return;
  Machine born = settled_newborn(c);
  Machine m = emptied(c, world, live_addresses(world));
  QuietEnv env;
  for (const Memory& held : world.memory()) {
    if (!held.live || held.nothing) continue;
    const auto first = ref::kmalloc::kmalloc(env, born, held.size, no_waiting);
    if (!first) continue;
    ref::kmalloc::kfree(env, born, *first);
    const auto again = c.calls.kmalloc(env, m, held.size, no_waiting);
    if (!c.holds(again.has_value(), fmt::format("{} bytes: the newborn has them", held.size),
                 "refused, with everything given back", world))
      return;
    c.calls.kfree(env, m, *again);
  }
}

void any_order_of_frees(Case& c) {
  const World world = c.played();
  std::vector<Address> order = live_addresses(world);
  if (c.broken() || !up(world) || order.size() < 2) return;
  const auto compare = [&](std::string_view how, const Shape& wanted) {
    const Shape actual = slab::shape_of(emptied(c, world, order));
    c.holds(actual == wanted, slab::text_of(wanted),
            fmt::format("freed {}: {}", how, slab::text_of(actual)), world);
  };
  const Shape wanted = slab::shape_of(emptied(c, world, order));
  std::ranges::reverse(order);
  compare("from the last register on", wanted);
  std::ranges::sort(order);
  compare("by address", wanted);
}

void bulk_is_singles(Case& c) {
  const World world = c.played();
  const std::vector<Address> all = live_addresses(world);
  if (c.broken() || !up(world) || all.empty()) return;
  Machine singles = slab::at_rest(world.machine()), bulk = singles;
  QuietEnv env;
  for (const Address address : all) c.calls.kfree(env, singles, address);
  c.calls.kfree_bulk(env, bulk, all);
  c.holds(bulk == singles, "the machine that single frees leave", "another", world);
}

}  // namespace props::kmalloc
