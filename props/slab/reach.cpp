// Counts what was reached, and says what each count means and where a search is held to it.
#include "props/slab/reach.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <span>

namespace props::slab {
namespace {

using namespace ref::core;

using Flat = std::array<std::uint64_t, sizeof(Reach) / sizeof(std::uint64_t)>;
static_assert(sizeof(Flat) == sizeof(Reach));

constexpr EraId old_era = EraId::linux_2_6_11, new_era = EraId::linux_6_1;

// --- operations ---------------------------------------------------------------------------------

template <class Op>
constexpr bool asks() {
  return requires(Op op) { op.gfp; } || std::is_same_v<Op, CacheCreate>;
}
// Those that can be misuse, or are nothing else.
template <class Op>
constexpr bool misusable() {
  return asks<Op>() || std::is_same_v<Op, CacheDestroy> || std::is_same_v<Op, CacheShrink> ||
         std::is_same_v<Op, FreeStaleObject> || std::is_same_v<Op, FreeToWrongCache> ||
         std::is_same_v<Op, FreeInterior>;
}

template <class F>
ReachGroup by_operation(std::string name, std::string meaning,
                        std::span<const std::uint64_t> counts, F demanded) {
  ReachGroup group{std::move(name), std::move(meaning), {}};
  any_alternative<Operation>([&](auto op) {
    using Op = decltype(op);
    ReachNeeds needs;
    needs.drawn = std::is_same_v<Op, Overrun> || std::is_same_v<Op, WriteAfterFree>;
    group.counts.push_back(
        {std::string(op.name), counts[group.counts.size()], demanded(op), needs});
    return false;
  });
  return group;
}

void add_operations(std::vector<ReachGroup>& groups, const Reach& r) {
  const auto all = [](const auto&) { return true; };
  const auto none = [](const auto&) { return false; };
  const auto refusable = [](const auto& op) {
    using Op = std::remove_cvref_t<decltype(op)>;
    return asks<Op>() && !std::is_same_v<Op, CacheAllocBulk>;  // that one answers a number
  };
  const auto faulty = [](const auto& op) { return misusable<std::remove_cvref_t<decltype(op)>>(); };
  groups.push_back(by_operation("executed", "operations that were run", r.executed, all));
  groups.push_back(by_operation("refused", "of those: that found no memory, or must not",
                                r.refused_operations, refusable));
  groups.push_back(by_operation("faulted", "of those: that were misuse, and named",
                                r.faulted_operations, faulty));
  groups.push_back(
      by_operation("waited", "of those: whose task had to wait", r.suspended_operations, none));
  groups.push_back(by_operation("skipped",
                                "drawn, but with an empty operand, an occupied result or a "
                                "waiting task",
                                r.skipped, none));
}

// --- misuse, interleaving, callers --------------------------------------------------------------

void add_faults(std::vector<ReachGroup>& groups, const Reach& r) {
  ReachGroup faults{"faults", "misuse of this kind, named by the subject", {}};
  const auto add = [&](Fault fault, ReachNeeds needs = {}) {
    const auto i = static_cast<std::size_t>(fault);
    faults.counts.push_back({std::string(fault_names[i]), r.faults[i], true, needs});
  };
  add(Fault::sleeping_in_atomic);
  add(Fault::double_free);
  add(Fault::bad_cache, {.era = old_era});
  add(Fault::duplicate_name, {.era = old_era});
  add(Fault::no_such_cache);
  add(Fault::bad_slab_gfp, {.era = old_era});
  add(Fault::wrong_cache);
  add(Fault::not_an_object);
  add(Fault::overwritten, {.drawn = true});
  groups.push_back(std::move(faults));

  ReachGroup reached{"points_reached", "calls that came through this yield point", {}};
  ReachGroup armed{"points_armed", "steps that ran at it, as an interrupt or another CPU", {}};
  for (std::size_t i = 0; i < points_of_objects; ++i) {
    const bool ours = i >= points_of_pages;
    ReachNeeds needs;
    if (static_cast<Point>(i) == Point::slab_drain_cpu_next) needs.cpus = 2;
    reached.counts.push_back({std::string(point_names[i]), r.reached[i], ours, needs});
    armed.counts.push_back({std::string(point_names[i]), r.points[i], ours, needs});
  }
  groups.push_back(std::move(reached));
  groups.push_back(std::move(armed));

  constexpr std::array<std::string_view, reach_levels> levels{"task",   "preempt_off", "irqs_off",
                                                              "bh_off", "softirq",     "hardirq"};
  ReachGroup contexts{"contexts", "allocations asked for in this context", {}};
  for (std::size_t i = 0; i < levels.size(); ++i)
    contexts.counts.push_back({std::string(levels[i]), r.contexts[i]});
  groups.push_back(std::move(contexts));
}

// --- the rest -----------------------------------------------------------------------------------

struct EventText {
  ReachEvent event;
  std::string_view name, meaning;
  ReachNeeds needs{};
};

std::vector<EventText> event_texts() {
  using enum ReachEvent;
  const ReachNeeds drawn{.drawn = true}, smp{.cpus = 2};
  return {
      {hit, "hits", "served from this CPU's array"},
      {refill, "refills", "served after this CPU's array was refilled"},
      {from_shared, "from_shared", "refills that took from the shared array", smp},
      {to_shared, "to_shared", "frees that moved objects to the shared array", smp},
      {to_alien, "to_alien", "frees of another node's object", {.era = new_era, .nodes = 2}},
      {flush, "flushes", "frees that emptied part of this CPU's array"},
      {grown, "grown", "slabs made"},
      {destroyed, "destroyed", "slabs whose pages went back"},
      {to_full, "to_full", "slabs of which the last free object was taken"},
      {to_partial, "to_partial", "slabs that came to have used and free objects"},
      {to_free, "to_free", "slabs of which nothing is used any more, and that are kept"},
      {off_slab, "off_slab", "caches made whose slabs are managed from elsewhere", drawn},
      {objfreelist,
       "objfreelist",
       "caches made whose free indices stand in a free object",
       {.era = new_era, .drawn = true}},
      {coloured, "coloured", "caches made whose slabs are shifted in turn", drawn},
      {merged, "merged", "creations that found a cache that serves as well", {.era = new_era}},
      {shared_destroyed,
       "shared_destroyed",
       "destructions of a cache that others still use",
       {.era = new_era}},
      {busy_destroyed, "busy_destroyed", "destructions while objects were live"},
      {rcu_waited, "rcu_waited", "grace periods that gave pages back"},
      {shrunk, "shrunk", "calls to shrink after which no slab was left"},
      {reaped, "reaped", "periodic work that gave pages back"},
      {retuned, "retuned", "writes of slabinfo that changed a cache"},
      {zeroed, "zeroed", "objects that had to be all zeros", {.era = new_era}},
      {constructed, "constructed", "objects that had to be as constructed"},
      {injected, "injected", "calls in which a page request was made to fail"},
      {suspended, "suspended", "calls whose task began to wait"},
      {resumed, "resumed", "waiting calls that were made again"},
      {probe, "probes", "refusals after which a copy's page source was asked", drawn},
      {settled, "settled", "copies on which everything was given back"},
  };
}

struct ClassText {
  std::string_view name;
  bool (*holds)(const Config&, bool up);
  bool numa = false;
};

constexpr std::array<ClassText, reach_classes> classes{{
    {"up", [](const Config&, bool up) { return up; }},
    {"too_small", [](const Config&, bool up) { return !up; }},
    {"1_node", [](const Config& c, bool) { return c.nodes == 1; }},
    {"2_nodes", [](const Config& c, bool) { return c.nodes == 2; }, true},
    {"1_cpu", [](const Config& c, bool) { return c.cpus == 1; }},
    {"2_cpus", [](const Config& c, bool) { return c.cpus == 2; }},
    {"3_cpus", [](const Config& c, bool) { return c.cpus == 3; }},
    {"4_cpus", [](const Config& c, bool) { return c.cpus == 4; }},
    {"dma", [](const Config& c, bool) { return c.zones[0].kind == ZoneKind::dma; }},
    {"page_256", [](const Config& c, bool) { return c.page_bytes == 256; }},
    {"page_1024", [](const Config& c, bool) { return c.page_bytes == 1024; }},
    {"page_4096", [](const Config& c, bool) { return c.page_bytes == 4096; }},
    {"line_16", [](const Config& c, bool) { return c.cache_line == 16; }},
    {"line_32", [](const Config& c, bool) { return c.cache_line == 32; }},
    {"line_64", [](const Config& c, bool) { return c.cache_line == 64; }},
    {"line_128", [](const Config& c, bool) { return c.cache_line == 128; }},
    {"line_256", [](const Config& c, bool) { return c.cache_line == 256; }},
    {"debug", [](const Config& c, bool) { return c.slab_debug; }},
    {"no_debug", [](const Config& c, bool) { return !c.slab_debug; }},
    {"merge", [](const Config& c, bool) { return c.slab_merge; }},
    {"no_merge", [](const Config& c, bool) { return !c.slab_merge; }},
}};

}  // namespace

void Reach::add(const Reach& o) {
  Flat mine = std::bit_cast<Flat>(*this);
  const Flat other = std::bit_cast<Flat>(o);
  for (std::size_t i = 0; i < mine.size(); ++i) mine[i] += other[i];
  *this = std::bit_cast<Reach>(mine);
}

void Reach::count_machine(const Config& c, bool up) {
  for (std::size_t i = 0; i < classes.size(); ++i) machines[i] += classes[i].holds(c, up);
  ++runs[0];
}

std::vector<ReachGroup> reach_groups(const Reach& r) {
  std::vector<ReachGroup> groups;
  add_operations(groups, r);
  add_faults(groups, r);
  ReachGroup events{"events", "what happened besides", {}};
  for (const EventText& e : event_texts())
    events.counts.push_back(
        {std::string(e.name), r[e.event], true, e.needs, std::string(e.meaning)});
  groups.push_back(std::move(events));
  ReachGroup machines{"machines", "runs on a machine of this class", {}};
  for (std::size_t i = 0; i < classes.size(); ++i) {
    ReachNeeds needs{.drawn = true};
    if (classes[i].numa) needs.era = new_era;
    machines.counts.push_back({std::string(classes[i].name), r.machines[i], true, needs});
  }
  groups.push_back(std::move(machines));
  groups.push_back({"runs", "runs in all", {{"runs", r.runs[0]}}});
  return groups;
}

std::string reach_line(const Reach& r) {
  const auto sum = [](std::span<const std::uint64_t> counts) {
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  };
  const std::uint64_t executed = sum(r.executed), skipped = sum(r.skipped);
  const std::uint64_t percent = executed + skipped == 0 ? 0 : skipped * 100 / (executed + skipped);
  const auto faults = std::ranges::count_if(r.faults, [](std::uint64_t n) { return n > 0; });
  return fmt::format("skips {}% faults {} slabs {} refills {}", percent, faults,
                     r[ReachEvent::grown], r[ReachEvent::refill]);
}

}  // namespace props::slab
