// Properties about sizes, and about the bytes that are there.
#include <fmt/format.h>

#include <algorithm>

#include "props/kmalloc/property_case.hpp"

namespace props::kmalloc {
namespace {

constexpr Gfp no_waiting = ref::core::GFP_BIT_NOWARN;

bool up(const World& world) { return world.machine().arena.at(world.machine().slab.globals, 0).up; }

// Around the border of each class, above them all, and what the trace asked for; ascending.
std::vector<std::uint64_t> sizes_of(const World& world) {
  std::vector<std::uint64_t> sizes;
  for (const std::uint64_t size : ref::slab::general_sizes(world.machine().config))
    sizes.insert(sizes.end(), {size - 1, size, size + 1});
  sizes.push_back(2 * sizes.back());
  for (const Memory& held : world.memory())
    if (held.live && !held.nothing) sizes.push_back(std::max<std::uint64_t>(held.size, 1));
  std::ranges::sort(sizes);
  sizes.erase(std::ranges::unique(sizes).begin(), sizes.end());
  return sizes;
}

// Asks about each size that can be had: `ask(size, usable)` until one answer is wrong.
template <class Ask>
void for_each_room(Case& c, const Ask& ask) {
  const World world = c.played();
  if (c.broken() || !up(world)) return;
  Machine m = slab::at_rest(world.machine());
  QuietEnv env;
  for (const std::uint64_t size : sizes_of(world)) {
    const auto got = c.calls.kmalloc(env, m, size, no_waiting);
    if (!got) continue;
    const std::uint64_t usable = c.calls.ksize(m, *got);
    c.calls.kfree(env, m, *got);
    if (!ask(world, size, usable)) return;
  }
}

std::byte pattern(std::uint64_t at) { return static_cast<std::byte>(at * 31 + at / 251 + 7); }

void write_pattern(Machine& m, Address address, std::uint64_t bytes) {
  const auto room = ref::slab::write_bytes(m, address, bytes);
  for (std::uint64_t i = 0; i < bytes; ++i) room[i] = pattern(i);
}

// How many bytes of a pattern stand as written.
std::uint64_t pattern_stands(const Machine& m, Address address, std::uint64_t bytes) {
  const auto room = ref::slab::read_bytes(m, address, bytes);
  std::uint64_t i = 0;
  while (i < bytes && room[i] == pattern(i)) ++i;
  return i;
}

}  // namespace

void room_grows_with_size(Case& c) {
  std::uint64_t least = 0;
  for_each_room(c, [&](const World& world, std::uint64_t size, std::uint64_t usable) {
    const std::uint64_t wanted = std::max(size, least);
    least = usable;
    return c.holds(usable >= wanted, fmt::format("{} or more usable of {} bytes", wanted, size),
                   fmt::format("{}", usable), world);
  });
}

void room_is_as_rounded_up(Case& c) {
  for_each_room(c, [&](const World& world, std::uint64_t size, std::uint64_t usable) {
    const std::uint64_t told = c.calls.roundup(world.machine(), size);
    return c.holds(told == usable, fmt::format("{} bytes round up to {}, as usable", size, usable),
                   fmt::format("{}", told), world);
  });
}

void prefix_is_kept(Case& c) {
  const World world = c.played();
  if (c.broken() || !up(world)) return;
  Machine m = slab::at_rest(world.machine());
  QuietEnv env;
  for (const Memory& held : world.memory()) {
    if (!held.live || held.nothing) continue;
    Address address = held.address;
    std::uint64_t size = held.size;
    for (const std::uint64_t next : {held.size / 2 + 1, held.usable, held.usable + 1,
                                     3 * held.usable + 1, held.size / 3 + 1}) {
      write_pattern(m, address, size);
      const auto moved = c.calls.krealloc(env, m, address, next, no_waiting);
      if (!moved) continue;
      const std::uint64_t kept = std::min(size, next), stands = pattern_stands(m, *moved, kept);
      if (!c.holds(stands == kept, fmt::format("{} bytes kept from {} to {}", kept, size, next),
                   fmt::format("{}", stands), world))
        return;
      address = *moved;
      size = next;
    }
  }
}

// Free objects are poisoned where slabs are debugged, so there nothing but zeros' place is asked.
void sensitive_is_cleared(Case& c) {
  const World world = c.played();
  if (c.broken() || !up(world)) return;
  Machine m = slab::at_rest(world.machine());
  QuietEnv env;
  constexpr std::byte secret{0xee};
  for (const std::uint64_t size : sizes_of(world)) {
    const auto got = ref::kmalloc::kmalloc(env, m, size, no_waiting);
    if (!got) continue;
    const std::uint64_t usable = ref::kmalloc::ksize(m, *got);
    std::ranges::fill(ref::slab::write_bytes(m, *got, usable), secret);
    c.calls.kfree_sensitive(env, m, *got);
    const auto left = ref::slab::read_bytes(m, *got, usable);
    const auto bad = m.config.slab_debug
                         ? std::ranges::find(left, secret)
                         : std::ranges::find_if(left, [](std::byte b) { return b != std::byte{}; });
    if (!c.holds(bad == left.end(), fmt::format("nothing of what {} bytes held", size),
                 fmt::format("byte {}", bad - left.begin()), world))
      return;
  }
}

void overflow_is_refused(Case& c) {
  const World world = c.played();
  if (c.broken() || !up(world)) return;
  const Machine before = slab::at_rest(world.machine());
  const auto held = std::ranges::find_if(
      world.memory(), [](const Memory& memory) { return memory.live && !memory.nothing; });
  const Address old = held == world.memory().end() ? Address::null : held->address;
  const std::uint64_t most = before.profile().size_max;
  Machine m = before;
  QuietEnv env;
  for (const std::uint64_t n : {std::uint64_t{2}, std::uint64_t{3}, 5 + c.steps().size(),
                                std::uint64_t{1} << 16, most / 2, most / 2 + 1, most - 1, most}) {
    const std::uint64_t size = most / n + 1;  // n of them are more than any number holds
    for (const auto& [a, b] : {std::pair{n, size}, std::pair{size, n}})
      for (const auto& got : {c.calls.kmalloc_array(env, m, a, b, no_waiting),
                              c.calls.kcalloc(env, m, a, b, no_waiting),
                              c.calls.krealloc_array(env, m, old, a, b, no_waiting)})
        if (!c.holds(!got, fmt::format("{} times {} bytes are refused", a, b),
                     fmt::format("{:#x}", static_cast<std::uint64_t>(got.value_or(Address::null))),
                     world))
          return;
  }
  c.holds(m == before, "the machine as before the refusals", "it changed", world);
}

}  // namespace props::kmalloc
