// Counts what was reached, and says what each count means.
#include "props/kmalloc/reach.hpp"

#include <fmt/format.h>

#include <numeric>
#include <span>

namespace props::kmalloc {
namespace {

using namespace ref::core;

using Flat = std::array<std::uint64_t, sizeof(Reach) / sizeof(std::uint64_t)>;
static_assert(sizeof(Flat) == sizeof(Reach));

std::uint64_t sum(std::span<const std::uint64_t> counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

template <class Op>
constexpr bool asks() {
  return requires(Op op) { op.gfp; };
}
// What is misuse by intention.
template <class Op>
constexpr bool misuse() {
  return std::is_same_v<Op, KreallocStale>;
}

template <class F>
ReachGroup by_operation(std::string name, std::string meaning,
                        std::span<const std::uint64_t> counts, F demanded) {
  ReachGroup group{std::move(name), std::move(meaning), {}};
  any_alternative<Operation>([&](auto op) {
    ReachNeeds needs;
    // 2.6.11 keeps a page that is no slab (K-7), whoever gives it to kfree.
    const bool right_in_6_1 = std::is_same_v<decltype(op), KfreePage> && group.name == "succeeded";
    if (std::is_same_v<decltype(op), KmallocNode> || right_in_6_1) needs.era = EraId::linux_6_1;
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
  const auto none = [](const auto&) { return false; };
  groups.push_back(by_operation("executed", "operations that were run", r.executed,
                                [](const auto&) { return true; }));
  groups.push_back(by_operation("succeeded", "of those: that did what was asked", succeeded,
                                []<class Op>(const Op&) { return !misuse<Op>(); }));
  groups.push_back(by_operation("refused", "of those: that found no memory, or must not",
                                r.refused_operations,
                                []<class Op>(const Op&) { return asks<Op>() && !misuse<Op>(); }));
  groups.push_back(
      by_operation("faulted", "of those: that were misuse, and named", r.faulted_operations, none));
  groups.push_back(
      by_operation("waited", "of those: whose task had to wait", r.suspended_operations, none));
  groups.push_back(by_operation("skipped",
                                "drawn, but with an empty operand, an occupied result "
                                "or a waiting task",
                                r.skipped, none));
}

constexpr std::array<std::pair<std::string_view, std::string_view>, reach_events> event_texts{{
    {"nothing", "nothing was asked for, and answered"},
    {"large", "memory above the largest class"},
    {"moved", "krealloc moved the memory, or had none to begin with"},
    {"stayed", "krealloc left the memory where it was"},
    {"overflow", "sizes whose product no number holds"},
    {"above_limit", "sizes above the limit"},
    {"injected", "a page request was made to fail"},
    {"suspended", "a task had to wait"},
    {"resumed", "a call was made again"},
    {"probe", "a refusal was looked into on a copy"},
    {"emptied", "everything was given back on a copy"},
    {"internal", "an address that the allocator uses itself now: skipped"},
}};

template <class Names>
ReachGroup by_name(std::string name, std::string meaning, std::span<const std::uint64_t> counts,
                   const Names& names) {
  ReachGroup group{std::move(name), std::move(meaning), {}};
  for (std::size_t i = 0; i < counts.size(); ++i)
    group.counts.push_back({std::string(names[i]), counts[i], false});
  return group;
}

}  // namespace

void Reach::add(const Reach& other) {
  auto& to = reinterpret_cast<Flat&>(*this);
  const auto& from = reinterpret_cast<const Flat&>(other);
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += from[i];
}

std::vector<ReachGroup> reach_groups(const Reach& r) {
  std::vector<ReachGroup> groups;
  add_operations(groups, r);
  ReachGroup granted{"granted_by_size", "memory that was granted, by the power of two below", {}};
  for (std::size_t i = 0; i < r.granted.size(); ++i)
    granted.counts.push_back({std::to_string(std::uint64_t{1} << i),
                              r.granted[i],
                              i >= 5 && i <= 13,
                              {.pages = std::uint64_t{1} << (i > 11 ? 6 : 4)}});
  groups.push_back(std::move(granted));
  groups.push_back(by_name("faults", "what calls were found guilty of", r.faults, fault_names));
  groups.push_back(by_name("effects", "what those did to ownership", r.effects, effect_names));
  groups.push_back(by_name("points", "steps that ran within another", r.points, point_names));
  groups.push_back(by_name("reached", "points that the subject passed", r.reached, point_names));
  ReachGroup events{"events", "what happened on the way", {}};
  for (std::size_t i = 0; i < reach_events; ++i) {
    const bool rare = i == static_cast<std::size_t>(ReachEvent::internal);
    ReachNeeds needs;
    if (i == static_cast<std::size_t>(ReachEvent::nothing) ||
        i == static_cast<std::size_t>(ReachEvent::large))
      needs.era = EraId::linux_6_1;
    events.counts.push_back({std::string(event_texts[i].first), r.events[i], !rare, needs,
                             std::string(event_texts[i].second)});
  }
  groups.push_back(std::move(events));
  groups.push_back({"runs", "runs of a search", {{"runs", r.runs[0]}}});
  return groups;
}

std::string reach_line(const Reach& r) {
  const std::uint64_t done = sum(r.executed), skips = sum(r.skipped);
  const std::uint64_t grants = sum(r.granted), refusals = sum(r.refused_operations);
  const auto percent = [](std::uint64_t part, std::uint64_t all) {
    return all == 0 ? 0 : 100 * part / all;
  };
  return fmt::format("grants {}% skips {}% large {} moved {}", percent(grants, grants + refusals),
                     percent(skips, skips + done), r[ReachEvent::large], r[ReachEvent::moved]);
}

}  // namespace props::kmalloc
