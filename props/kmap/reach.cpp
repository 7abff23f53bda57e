// Counts what was reached, and says what each count means and where a search is held to it.
#include "props/kmap/reach.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <span>

namespace props::kmap {
namespace {

using namespace ref::core;

using Flat = std::array<std::uint64_t, sizeof(Reach) / sizeof(std::uint64_t)>;
static_assert(sizeof(Flat) == sizeof(Reach));

constexpr EraId old_era = EraId::linux_2_6_11, new_era = EraId::linux_6_1;

// --- operations ---------------------------------------------------------------------------------

template <class Op, class... Of>
constexpr bool is_one_of = (std::is_same_v<Op, Of> || ...);

template <class Op>
ReachNeeds needs_of() {
  ReachNeeds needs;
  if constexpr (is_one_of<Op, KmapLocal, KunmapLocal>) needs.era = new_era;
  if constexpr (is_one_of<Op, KunmapAtomicAs>) needs.era = old_era;
  needs.drawn = true;
  return needs;
}

template <class F>
ReachGroup by_operation(std::string name, std::string meaning,
                        std::span<const std::uint64_t> counts, F demanded) {
  ReachGroup group{std::move(name), std::move(meaning), {}};
  any_alternative<Operation>([&](auto op) {
    group.counts.push_back({std::string(op.name), counts[group.counts.size()], demanded(op),
                            needs_of<decltype(op)>()});
    return false;
  });
  return group;
}

void add_operations(std::vector<ReachGroup>& groups, const Reach& r) {
  const auto all = [](const auto&) { return true; };
  const auto none = [](const auto&) { return false; };
  const auto faulty = [](const auto& op) {
    using Op = std::remove_cvref_t<decltype(op)>;
    return is_one_of<Op, Kmap, Kunmap, KunmapStale, KunmapPage, KmapAtomic, KunmapAtomicAs,
                     KmapLocal, KunmapLocal, ZeroSegments>;
  };
  const auto waits = [](const auto& op) {
    return is_one_of<std::remove_cvref_t<decltype(op)>, Kmap>;
  };
  groups.push_back(by_operation("executed", "operations that were run", r.executed, all));
  groups.push_back(by_operation("refused", "of those: that found no memory or no slot",
                                r.refused_operations, none));
  groups.push_back(by_operation("faulted", "of those: that were misuse, and named",
                                r.faulted_operations, faulty));
  groups.push_back(
      by_operation("waited", "of those: whose task had to wait", r.suspended_operations, waits));
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
    needs.drawn = true;
    faults.counts.push_back({std::string(fault_names[i]), r.faults[i], true, needs});
  };
  add(Fault::sleeping_in_atomic);
  add(Fault::kunmap_of_unmapped);
  add(Fault::kunmap_of_zombie);
  add(Fault::in_interrupt, {.era = old_era});
  add(Fault::wrong_atomic_type, {.era = old_era});
  add(Fault::atomic_slot_busy, {.era = old_era});
  add(Fault::unmap_out_of_order, {.era = new_era});
  add(Fault::too_many_local_maps, {.era = new_era});
  add(Fault::bad_segment);
  groups.push_back(std::move(faults));

  ReachGroup reached{"points_reached", "calls that came through this yield point", {}};
  ReachGroup armed{"points_armed", "steps that ran at it, as an interrupt or another CPU", {}};
  for (std::size_t i = 0; i < point_names.size(); ++i) {
    const auto point = static_cast<Point>(i);
    const bool ours = point == Point::kmap_unlocked || point == Point::kmap_atomic_cleared;
    const ReachNeeds needs{.drawn = true};
    reached.counts.push_back({std::string(point_names[i]), r.reached[i], ours, needs});
    armed.counts.push_back({std::string(point_names[i]), r.points[i], ours, needs});
  }
  groups.push_back(std::move(reached));
  groups.push_back(std::move(armed));

  constexpr std::array<std::string_view, reach_levels> levels{"task",   "preempt_off", "irqs_off",
                                                              "bh_off", "softirq",     "hardirq"};
  ReachGroup contexts{"contexts", "maps made in this context", {}};
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
  const ReachNeeds high{.drawn = true}, stack{.era = new_era, .drawn = true};
  return {
      {mapped, "mapped", "pages without users that got a slot", high},
      {mapped_again, "mapped_again", "pages with users that were mapped once more", high},
      {revived, "revived", "of those mapped: at their old address, that nobody flushed", high},
      {direct, "direct", "pages of low memory that kmap was asked for"},
      {wrapped, "wrapped", "slots found behind the end of the window, after a flush", high},
      {reused, "reused", "slots that had another page before", high},
      {waited, "waited", "calls whose task began to sleep for a slot", high},
      {slept_again, "slept_again", "tasks that were woken, and found no slot", high},
      {resumed, "resumed", "tasks that were woken, and got one", high},
      {woke, "woke", "slots that became free while tasks slept", high},
      {deadlock, "deadlock", "waits after which everybody who has a slot waits for one", high},
      {flushed, "flushed", "flushes of what nobody uses", high},
      {freed_unflushed, "freed_unflushed", "pages freed while they had an address", high},
      {atomic, "atomic", "atomic maps of pages without an address", high},
      {atomic_direct, "atomic_direct", "atomic maps of low memory"},
      {local, "local", "local maps of pages without an address", stack},
      {local_direct, "local_direct", "local maps of low memory", {.era = new_era}},
      {out_of_order, "out_of_order", "unmaps of what was not the newest", stack},
      {lost_unmapped, "lost_unmapped", "unmaps of what somebody else had ended", stack},
      {interrupt_unmapped, "interrupt_unmapped", "maps that an interrupt left behind", high},
      {kept, "kept", "maps that were there again when their task came back", stack},
      {pinned,
       "pinned",
       "tasks that could not go to another CPU",
       {.era = new_era, .cpus = 2, .drawn = true}},
      {cleared, "cleared", "pages of which pieces were cleared"},
      {injected, "injected", "calls in which a page request was made to fail"},
      {exhausted, "exhausted", "copies on which all free slots were taken"},
      {returned, "returned", "copies on which all maps were ended"},
  };
}

struct ClassText {
  std::string_view name;
  bool (*holds)(const Config&, bool up);
};

constexpr std::array<ClassText, reach_classes> classes{{
    {"up", [](const Config&, bool up) { return up; }},
    {"down", [](const Config&, bool up) { return !up; }},
    {"no_slots", [](const Config& c, bool) { return c.pkmap == 0; }},
    {"2_slots", [](const Config& c, bool) { return c.pkmap == 2; }},
    {"4_slots", [](const Config& c, bool) { return c.pkmap == 4; }},
    {"8_slots", [](const Config& c, bool) { return c.pkmap == 8; }},
    {"16_slots", [](const Config& c, bool) { return c.pkmap == 16; }},
    {"1_cpu", [](const Config& c, bool) { return c.cpus == 1; }},
    {"2_cpus", [](const Config& c, bool) { return c.cpus == 2; }},
    {"more_cpus", [](const Config& c, bool) { return c.cpus > 2; }},
    {"page_64", [](const Config& c, bool) { return c.page_bytes == 64; }},
    {"page_256", [](const Config& c, bool) { return c.page_bytes == 256; }},
    {"page_4096", [](const Config& c, bool) { return c.page_bytes == 4096; }},
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
  for (std::size_t i = 0; i < classes.size(); ++i)
    machines.counts.push_back({std::string(classes[i].name), r.machines[i], true, {.drawn = true}});
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
  return fmt::format("skips {}% faults {} maps {} waits {}", percent, faults, r[ReachEvent::mapped],
                     r[ReachEvent::waited]);
}

}  // namespace props::kmap
