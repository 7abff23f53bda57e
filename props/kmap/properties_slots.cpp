// Properties about slots: what is left when maps end, and what can be had again.
#include <fmt/format.h>

#include <algorithm>

#include "props/kmap/property_case.hpp"

namespace props::kmap {
namespace {

using namespace ref::core;

bool has_slots(const World& world) { return world.up() && world.machine().config.pkmap > 0; }

void same_shape(Case& c, std::string_view how, const Shape& wanted, const Shape& actual,
                const World& seen) {
  c.holds(actual == wanted, text_of(wanted), fmt::format("{}: {}", how, text_of(actual)), seen);
}

}  // namespace

void newborn_again(Case& c) {
  const World world = c.played();
  if (c.broken() || !has_slots(world)) return;
  Machine m = at_rest(world);
  for (const HeldMap& h : live_maps(world)) c.calls.unmap(m, h.pfn);
  c.calls.flush(m);
  same_shape(c, "all ended and flushed", shape_of(c.newborn.machine), shape_of(m), world);
}

void any_order_of_unmaps(Case& c) {
  const World world = c.played();
  auto maps = live_maps(world);
  if (c.broken() || maps.size() < 2) return;
  const auto left = [&] {
    Machine m = at_rest(world);
    for (std::size_t i = 0; i < maps.size() - 1; ++i) c.calls.unmap(m, maps[i].pfn);
    return shape_of(m);
  };
  std::ranges::sort(maps, {}, &HeldMap::serial);
  const Shape wanted = left();
  std::reverse(maps.begin(), maps.end() - 1);
  same_shape(c, "ended from the newest on", wanted, left(), world);
  std::sort(maps.begin(), maps.end() - 1,
            [](const HeldMap& a, const HeldMap& b) { return a.address < b.address; });
  same_shape(c, "ended by address", wanted, left(), world);
}

void flushing_twice_is_once(Case& c) {
  const World world = c.played();
  if (c.broken() || !has_slots(world)) return;
  Machine m = at_rest(world);
  c.calls.flush(m);
  const Shape once = shape_of(m);
  c.calls.flush(m);
  same_shape(c, "flushed again", once, shape_of(m), world);
}

// M-3: as long as nobody flushed, a page comes back to where it was.
void mapped_again_is_there(Case& c) {
  const World world = c.played();
  if (c.broken()) return;
  QuietEnv env;
  for (const HeldMap& h : live_maps(world)) {
    Machine m = at_rest(world);
    for (std::uint32_t n = world.slots().users(h.pfn); n > 0; --n) c.calls.unmap(m, h.pfn);
    const auto again = c.calls.map(env, m, h.pfn);
    if (!c.holds(
            again == Address{h.address}, fmt::format("pfn {} at {:#x} again", h.pfn, h.address),
            again ? fmt::format("at {:#x}", static_cast<std::uint64_t>(*again)) : "refused", world))
      return;
  }
}

// All slots are taken, a task waits; one page loses its last user.
void one_unmap_wakes(Case& c) {
  const World world = c.played();
  if (c.broken() || !has_slots(world)) return;
  const auto frames = unmapped_frames(world);
  const std::size_t room = world.slots().window().slots() - world.slots().used();
  Machine m = at_rest(world);
  if (frames.size() <= room || in_atomic(m)) return;
  QuietEnv env;
  for (std::size_t i = 0; i < room; ++i)
    if (!c.calls.map(env, m, frames[i])) return;
  const auto waits = c.calls.map(env, m, frames[room]);
  if (!c.holds(!waits && waits.error() == ref::buddy::Refused::suspended, "a wait: no slot is free",
               waits ? "a map" : "a refusal", world))
    return;
  const auto live = live_maps(world);
  const Pfn victim = room > 0 ? frames[0] : live.front().pfn;
  const std::uint32_t users = room > 0 ? 1 : world.slots().users(victim);
  for (std::uint32_t n = 0; n < users; ++n) c.calls.unmap(m, victim);
  const auto woken = c.calls.resume(env, m);
  c.holds(woken.has_value(), fmt::format("the slot of pfn {} for the task that waits", victim),
          "it sleeps on", world);
}

// On a flushed window the slots come in turn, each once.
void every_slot_once(Case& c) {
  const World world = c.played();
  if (c.broken() || !has_slots(world)) return;
  Machine m = at_rest(world);
  c.calls.flush(m);
  QuietEnv env;
  std::vector<Address> seen;
  const auto frames = unmapped_frames(world);
  const std::size_t room = world.slots().window().slots() - world.slots().used();
  for (std::size_t i = 0; i < std::min(room, frames.size()); ++i) {
    const auto got = c.calls.map(env, m, frames[i]);
    const bool fresh = got && std::ranges::find(seen, *got) == seen.end() &&
                       !world.slots().page_at(static_cast<std::uint64_t>(*got));
    if (!c.holds(fresh, "a slot that nobody uses", got ? "a slot in use" : "no slot", world))
      return;
    seen.push_back(*got);
  }
}

}  // namespace props::kmap
