// Says what each count of reach means, and on which machines a search is held to it.
#include <fmt/format.h>

#include <span>

#include "props/buddy/reach_parts.hpp"

namespace props::buddy {
namespace {

using namespace ref::core;

// --- operations ---------------------------------------------------------------------------------

// Which operations can be refused or be misuse: those that ask for pages, and those that free.
template <class Op>
constexpr bool asks() {
  return requires(Op op) { op.gfp; };
}
template <class Op>
constexpr bool misusable() {
  return asks<Op>() || Op::name.starts_with("free_") || Op::name.starts_with("__free") ||
         std::is_same_v<Op, GetPage> || std::is_same_v<Op, PutPage> ||
         std::is_same_v<Op, SplitPage>;
}
// Its answer is what became of what it was given, never a fault of its own.
template <class Op>
constexpr bool harmless() {
  return std::is_same_v<Op, FreePagesExact> || std::is_same_v<Op, FreePagesNull>;
}

// One group, a count for each operation; `demanded` asks a value of the operation's type.
template <class F>
ReachGroup by_operation(std::string name, std::string meaning,
                        std::span<const std::uint64_t> counts, F demanded) {
  ReachGroup group{std::move(name), std::move(meaning), {}};
  any_alternative<Operation>([&](auto op) {
    ReachNeeds needs;
    if (std::is_same_v<decltype(op), GetDmaPages> && group.name == "succeeded") needs.dma = true;
    group.counts.push_back(
        {std::string(op.name), counts[group.counts.size()], demanded(op), needs});
    return false;
  });
  return group;
}

void add_operations(std::vector<ReachGroup>& groups, const Reach& r) {
  Reach::Counts<Reach::operations> succeeded{};
  for (std::size_t i = 0; i < succeeded.size(); ++i)
    succeeded[i] = r.executed[i] - r.refused_operations[i] - r.faulted_operations[i] -
                   r.suspended_operations[i];
  const auto all = [](const auto&) { return true; };
  const auto none = [](const auto&) { return false; };
  const auto refusable = [](const auto& op) {
    using Op = std::remove_cvref_t<decltype(op)>;
    return asks<Op>() && !std::is_same_v<Op, AllocPagesBulk>;  // that one answers a number
  };
  const auto faulty = [](const auto& op) {
    using Op = std::remove_cvref_t<decltype(op)>;
    return misusable<Op>() && !harmless<Op>();
  };
  const auto fine = [](const auto& op) {  // what is misuse by intention may never be right
    return !std::is_same_v<std::remove_cvref_t<decltype(op)>, FreeAt>;
  };
  groups.push_back(by_operation("executed", "operations that were run", r.executed, all));
  groups.push_back(by_operation("succeeded", "of those: that did what was asked", succeeded, fine));
  groups.push_back(by_operation("refused", "of those: that found no memory, or must not",
                                r.refused_operations, refusable));
  groups.push_back(by_operation("faulted", "of those: that were misuse, and named",
                                r.faulted_operations, faulty));
  groups.push_back(
      by_operation("waited", "of those: whose task had to wait", r.suspended_operations, none));
  groups.push_back(by_operation("skipped",
                                "drawn, but with an empty operand, an occupied result "
                                "or a waiting task",
                                r.skipped, none));
}

// --- requests -----------------------------------------------------------------------------------

void add_orders(std::vector<ReachGroup>& groups, const Reach& r) {
  ReachGroup granted{"granted_by_order", "requests of an order that were granted", {}};
  ReachGroup refused{"refused_by_order", "requests of an order that were not", {}};
  ReachGroup splits{
      "splits", "free blocks cut into two halves for a grant, by the halves' order", {}};
  ReachGroup merges{
      "merges", "freed blocks merged with their buddy at once, by the halves' order", {}};
  for (std::uint32_t o = 0; o < Reach::orders; ++o) {
    const std::string name = std::to_string(o);
    const ReachNeeds one{.orders = o + 1, .pages = std::uint64_t{1} << o};
    const ReachNeeds two{.orders = o + 2, .pages = std::uint64_t{2} << o};
    granted.counts.push_back({name, r.granted[o], true, one});
    refused.counts.push_back({name, r.refused[o], true, {.orders = o + 1}});
    if (o + 1 == Reach::orders) break;
    splits.counts.push_back({name, r.splits[o], true, two});
    merges.counts.push_back({name, r.merges[o], true, two});
  }
  refused.counts.push_back({"larger", r.too_large[0], true, {}, "above the machine's largest"});
  for (auto* group : {&granted, &refused, &splits, &merges}) groups.push_back(std::move(*group));
}

std::string flag_name(Gfp bit) {
  std::string name;
  for (const GfpName& n : gfp_names())
    for (const EraId era : {EraId::linux_6_1, EraId::linux_2_6_11}) {
      const auto e = static_cast<std::size_t>(era);
      if (name.empty() && n.known[e] && n.mask[e] == bit && n.name.starts_with("__")) name = n.name;
    }
  return name;
}

void add_gfp(std::vector<ReachGroup>& groups, const Reach& r) {
  const auto known = [](Gfp bit, EraId era) { return (gfp_known(era) & bit) != 0; };
  ReachGroup flags{"gfp_flags", "requests with this flag, alone or among others", {}};
  for (unsigned bit = 0; bit < gfp_bit_count; ++bit) {
    const Gfp mask = Gfp{1} << bit;
    flags.counts.push_back(
        {flag_name(mask),
         r.gfp_flags[bit],
         true,
         {.era = only_era(known(mask, EraId::linux_2_6_11), known(mask, EraId::linux_6_1))}});
  }
  ReachGroup asked{"gfp_asked", "requests whose mask is written with this name first", {}};
  ReachGroup granted{"gfp_granted", "of those: granted", {}};
  const GfpNames& all = names_of_gfp();
  for (std::size_t i = 0; i < all.names.size(); ++i) {
    const ReachNeeds needs{.era = only_era(all.known[0][i], all.known[1][i])};
    asked.counts.push_back({std::string(all.names[i]), r.gfp_asked[i], true, needs});
    ReachNeeds memory = needs;
    memory.dma = all.names[i] == "GFP_DMA";
    granted.counts.push_back({std::string(all.names[i]), r.gfp_granted[i], true, memory});
  }
  for (auto* group : {&flags, &asked, &granted}) groups.push_back(std::move(*group));
}

// --- misuse, interleaving, callers --------------------------------------------------------------

ReachNeeds needs_of(Fault fault) {
  switch (fault) {
    case Fault::zero_highmem_atomic:
      return {.era = only_era([](const Profile& p) { return p.zero_highmem_needs_wait; })};
    case Fault::highmem_address:
      return {.era = only_era([](const Profile& p) { return !p.get_free_pages_strips_highmem; })};
    case Fault::free_of_reserved: return {.drawn = true};
    case Fault::free_of_tail:
    case Fault::wrong_order:
    case Fault::unreferenced:
    case Fault::compound_page: return {.orders = 2, .pages = 2};
    default: return {};
  }
}

void add_faults(std::vector<ReachGroup>& groups, const Reach& r) {
  ReachGroup faults{"faults", "misuse of this kind, named by the subject", {}};
  for (std::size_t i = 1; i < faults_of_pages; ++i)  // the first stands for none
    faults.counts.push_back(
        {std::string(fault_names[i]), r.faults[i], true, needs_of(static_cast<Fault>(i))});
  ReachGroup effects{"effects", "what became of the pages in such a fault", {}};
  for (std::size_t i = 0; i < effect_names.size(); ++i) {
    ReachNeeds needs;
    if (static_cast<Effect>(i) == Effect::freed)
      needs.era = only_era([](const Profile& p) { return p.bad_page == BadPage::freed_anyway; });
    effects.counts.push_back({std::string(effect_names[i]), r.effects[i], true, needs});
  }
  groups.push_back(std::move(faults));
  groups.push_back(std::move(effects));
}

ReachNeeds needs_of(Point point) {
  switch (point) {
    case Point::buddy_alloc_zone_next: return {.zones = 2};
    case Point::buddy_pcp_locked: return {.pcp = true};
    case Point::buddy_drain_cpu_next: return {.cpus = 2};
    default: return {};
  }
}

void add_points(std::vector<ReachGroup>& groups, const Reach& r) {
  ReachGroup reached{"points_reached", "calls that came through this yield point", {}};
  ReachGroup armed{"points_armed", "steps that ran at it, as an interrupt or another CPU", {}};
  for (std::size_t i = 0; i < points_of_pages; ++i) {
    const ReachNeeds needs = needs_of(static_cast<Point>(i));
    reached.counts.push_back({std::string(point_names[i]), r.reached[i], true, needs});
    armed.counts.push_back({std::string(point_names[i]), r.points[i], true, needs});
  }
  groups.push_back(std::move(reached));
  groups.push_back(std::move(armed));
}

void add_contexts(std::vector<ReachGroup>& groups, const Reach& r) {
  constexpr std::array<std::string_view, reach_levels> levels{"task",   "preempt_off", "irqs_off",
                                                              "bh_off", "softirq",     "hardirq"};
  ReachGroup contexts{"contexts", "requests made in this context, or by a task with this flag", {}};
  for (std::size_t i = 0; i < reach_contexts; ++i)
    contexts.counts.push_back(
        {std::string(i < reach_levels ? levels[i] : task_flag_names[i - reach_levels]),
         r.contexts[i]});
  groups.push_back(std::move(contexts));
  ReachGroup fill{"fill", "steps that began with so many tenths of the managed pages owned", {}};
  for (std::size_t i = 0; i < r.fill.size(); ++i)
    fill.counts.push_back(
        {i + 1 == r.fill.size() ? "full" : fmt::format("{}-{}%", i * 10, i * 10 + 10),
         r.fill[i],
         true,
         {.pages = 10}});
  groups.push_back(std::move(fill));
}

// --- the rest -----------------------------------------------------------------------------------

struct EventText {
  ReachEvent event;
  std::string_view name, meaning;
  ReachNeeds needs{};
};

std::vector<EventText> event_texts() {
  using enum ReachEvent;
  const auto modern = only_era([](const Profile& p) { return p.slow_path == SlowPath::modern; });
  const auto by_order = only_era([](const Profile& p) { return p.pcp == PcpPolicy::by_order; });
  const auto numa = only_era([](const Profile& p) { return p.numa; });
  const ReachNeeds pcp{.pcp = true};
  return {{zone_fallback, "zone_fallbacks", "served by a lower zone than asked", {.zones = 2}},
          {node_fallback, "node_fallbacks", "served by another node", {.era = numa, .nodes = 2}},
          {slow_grant, "slow_grants", "granted after the fast pass found nothing", {.drawn = true}},
          {reserve_grant, "reserve_grants", "granted from below all watermarks", {.era = modern}},
          {injected, "injected", "requests that failed because the trace said so"},
          {suspended, "suspended", "requests whose task began to wait"},
          {resumed, "resumed", "waiting requests that were tried again"},
          {resumed_granted, "resumed_granted", "of those: granted"},
          {probe, "probes", "refusals that were asked again on a settled copy", {.drawn = true}},
          {exhaustion, "exhaustions", "copies that were settled and emptied block by block"},
          {pcp_hit, "pcp_hits", "served from a per-CPU list as it was", pcp},
          {pcp_refill, "pcp_refills", "served from a per-CPU list that had to be refilled", pcp},
          {pcp_cached, "pcp_cached", "freed onto a per-CPU list, and kept there", pcp},
          {pcp_overflow, "pcp_overflows", "freed onto a list that then gave blocks back", pcp},
          {pcp_bypass,
           "pcp_bypasses",
           "freed past a list that somebody held",
           {.era = by_order, .pcp = true}},
          {drained, "drained", "pages that a drain gave back to the free lists", pcp},
          {shared_free, "shared_frees", "freed while somebody else held a reference"}};
}

void add_events(std::vector<ReachGroup>& groups, const Reach& r) {
  ReachGroup events{"events", "what happened besides", {}};
  for (const EventText& e : event_texts())
    events.counts.push_back(
        {std::string(e.name), r[e.event], true, e.needs, std::string(e.meaning)});
  groups.push_back(std::move(events));
}

}  // namespace

std::vector<ReachGroup> reach_groups(const Reach& r) {
  std::vector<ReachGroup> groups;
  add_operations(groups, r);
  add_orders(groups, r);
  add_gfp(groups, r);
  add_faults(groups, r);
  add_points(groups, r);
  add_contexts(groups, r);
  add_events(groups, r);
  add_machine_groups(groups, r);
  return groups;
}

}  // namespace props::buddy
