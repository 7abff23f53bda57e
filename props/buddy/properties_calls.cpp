// Properties about single calls: what they leave alone, and what they come to.
#include <fmt/format.h>

#include <algorithm>

#include "props/buddy/contents.hpp"
#include "props/buddy/property_case.hpp"

namespace props::buddy {
namespace {

using ref::buddy::Machine;
using ref::core::Index;
using ref::core::Log;

// What clients can see of a world: their blocks, and how many pages nobody owns.
struct Seen {
  std::vector<Block> blocks;
  std::vector<std::uint32_t> references;
  std::vector<std::uint64_t> unowned;
  bool operator==(const Seen&) const = default;
};

Seen seen_of(const World& world) {
  const Machine& m = world.machine();
  Seen seen{{world.blocks().begin(), world.blocks().end()}, {}, {}};
  for (const Block& b : seen.blocks)
    if (b.live) seen.references.push_back(ref::buddy::page_count(m, b.pfn));
  for (Index z = 0; z < m.config.zone_count; ++z)
    seen.unowned.push_back(ref::buddy::zone_at(m, z).free_pages + parked(m, z));
  return seen;
}

// Every stamped word of every block; the worlds here stamp densely.
constexpr Judging densely{.stamps = Stamps::spaced};

bool stamps_hold(Case& c, const World& world) {
  for (const Block& b : world.blocks()) {
    if (!b.live || b.stamp == 0) continue;
    const std::uint64_t bytes = std::uint64_t{b.pages} * world.machine().config.page_bytes;
    const Broken wrong = stamp_broken(world.machine(), b.ram, bytes, b.stamp, densely.stamps);
    if (!c.holds(!wrong, wrong ? fmt::format("{:#x} at {}", wrong->expected, wrong->where) : "",
                 wrong ? fmt::format("{:#x}", wrong->actual) : "", world))
      return false;
  }
  return true;
}

}  // namespace

void failing_changes_nothing(Case& c) {
  World world = c.fresh();
  bool armed = false;  // what an interrupt does meanwhile is not the failing call's
  for (std::size_t i = 0; i < c.steps().size() && !c.broken(); ++i) {
    const auto& step = c.steps()[i];
    const Seen before = seen_of(world);
    const Answer answer = c.play(world, step);
    const bool alone = !armed && !step.at;
    armed = step.at.has_value();
    const Log& log = world.machine().globals().log;
    const bool refused = answer.kind == Answer::Kind::refused && log.leaks == 0;
    // Sleeping where one must not is a warning: the call goes on (B-23).
    const bool misused = answer.kind == Answer::Kind::fault &&
                         log.fault != ref::core::Fault::sleeping_in_atomic &&
                         log.effect == ref::core::Effect::none && log.leaks == 0;
    if (c.broken() || !alone || (!refused && !misused)) continue;
    c.at(i);
    c.holds(seen_of(world) == before, "blocks, references and free pages as before the call",
            "the call failed and changed one of them", world);
  }
}

void contents_stay(Case& c) {
  World world = c.fresh(densely);
  for (std::size_t i = 0; i < c.steps().size() && !c.broken(); ++i) {
    c.play(world, c.steps()[i]);
    c.at(i);
    if (c.broken() || !stamps_hold(c, world)) return;
  }
}

void double_frees_are_named(Case& c) {
  const World world = c.played();
  if (c.broken()) return;
  constexpr std::uint64_t most = 64;  // frames tried, over the whole machine
  const Machine& m = world.machine();
  Machine before = m;
  ref::core::clear_log(before);
  Machine after = before;
  QuietEnv env;
  const std::uint64_t stride = m.config.pages() / most + 1;
  for (Index z = 0; z < m.config.zone_count; ++z) {
    const auto& zone = ref::buddy::zone_at(m, z);
    for (std::uint64_t i = 0; i < zone.pages; i += stride) {
      const auto pfn = static_cast<Pfn>(zone.first + i);
      if (!world.oracle().is_free(pfn, 0)) continue;
      ref::buddy::free_pages_(env, after, pfn, 0);
      const Log log = after.globals().log;
      ref::core::clear_log(after);
      const auto name = ref::core::fault_names[static_cast<std::size_t>(log.fault)];
      if (!c.holds(log.fault == ref::core::Fault::double_free,
                   fmt::format("double-free: nobody owns pfn {}", pfn), name, world) ||
          !c.holds(after == before, fmt::format("nothing changes by freeing pfn {} again", pfn),
                   "something does", world))
        return;
    }
  }
}

void bulk_is_singles(Case& c) {
  const World world = c.played();
  if (c.broken() || scribbled(world)) return;
  constexpr Gfp gfp = ref::core::GFP_BIT_HIGHMEM | ref::core::GFP_BIT_NOWARN;  // never waits
  Machine bulk = settled(world);
  Machine singles = bulk;
  QuietEnv env;
  std::vector<std::optional<Pfn>> slots(2 + c.steps().size() % 7);
  const std::size_t filled = ref::buddy::alloc_pages_bulk(env, bulk, gfp, slots);
  for (std::size_t i = 0; i < filled; ++i) {
    const auto one = ref::buddy::alloc_pages(env, singles, gfp, 0);
    // The bulk call looks for a zone with room for all, so it may begin in a lower one.
    if (i == 0 && one &&
        ref::buddy::zone_of_pfn(bulk, *slots[0]) != ref::buddy::zone_of_pfn(bulk, *one))
      return;
    if (!c.holds(one && *one == *slots[i],
                 one ? fmt::format("pfn {} in slot {}, as a single request", *one, i)
                     : std::string("no page: a single request is refused"),
                 fmt::format("pfn {}", *slots[i]), world))
      return;
  }
}

}  // namespace props::buddy
