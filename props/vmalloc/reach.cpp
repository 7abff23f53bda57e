// Counts what was reached, and says what each count means.
#include "props/vmalloc/reach.hpp"

#include <fmt/format.h>

#include <numeric>
#include <span>

namespace props::vmalloc {
namespace {

using namespace ref::core;

using Flat = std::array<std::uint64_t, sizeof(Reach) / sizeof(std::uint64_t)>;
static_assert(sizeof(Flat) == sizeof(Reach));

std::uint64_t sum(std::span<const std::uint64_t> counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

template <class Op>
constexpr bool is_one_of(auto... sample) {
  return (std::is_same_v<Op, decltype(sample)> || ...);
}
// The calls that ask for room.
template <class Op>
constexpr bool asks =
    is_one_of<Op>(Vmalloc{}, Vzalloc{}, Vmalloc32{}, VmallocUser{}, VmallocGfp{}, VmallocNode{},
                  Kvmalloc{}, Kvzalloc{}, Vmap{}, VmapPutPages{}, Ioremap{}, GetVmArea{});
// What is misuse by intention.
template <class Op>
constexpr bool misuse = is_one_of<Op>(VfreeStale{}, VunmapStale{}, VfreeInside{});
// What 2.6.11 does not have.
template <class Op>
constexpr bool modern = is_one_of<Op>(VmallocNode{}, VmapPutPages{}, VmapRam{}, UnmapRam{});

template <class F>
ReachGroup by_operation(std::string name, std::string meaning,
                        std::span<const std::uint64_t> counts, F demanded) {
  ReachGroup group{std::move(name), std::move(meaning), {}};
  any_alternative<Operation>([&](auto op) {
    ReachNeeds needs;
    if (modern<decltype(op)>) needs.era = EraId::linux_6_1;
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
                                []<class Op>(const Op&) {
                                  // What a stale load finds in 6.1 is the event stale_load.
                                  return !misuse<Op> && !is_one_of<Op>(LoadStale{});
                                }));
  groups.push_back(by_operation("refused", "of those: that found no room or no memory, or must not",
                                r.refused_operations,
                                []<class Op>(const Op&) { return asks<Op>; }));
  groups.push_back(by_operation("faulted", "of those: that were misuse, and named",
                                r.faulted_operations,
                                []<class Op>(const Op&) { return misuse<Op>; }));
  groups.push_back(
      by_operation("waited", "of those: whose task had to wait", r.suspended_operations, none));
  groups.push_back(by_operation("skipped",
                                "drawn, but with an empty operand, an occupied result "
                                "or a waiting task",
                                r.skipped, none));
}

struct Event {
  std::string_view name, meaning;
  bool modern = false;  // 6.1 only
};
constexpr std::array<Event, reach_events> events{{
    {"never", "asked for nothing, for more than there is, or for what wraps"},
    {"injected", "a page request was made to fail"},
    {"suspended", "a task had to wait"},
    {"resumed", "a call was made again"},
    {"probe", "a refusal though a hole fits was looked into on a copy"},
    {"emptied", "everything was given back on a copy"},
    {"deferred", "an interrupt's vfree was put off", true},
    {"freed_later", "areas that had been put off were freed", true},
    {"purged", "all that was lazy was flushed, as asked"},
    {"purged_for_room", "all that was lazy was flushed, to find room", true},
    {"drained", "the drain work ran", true},
    {"lost", "an area was taken away without its pages"},
    {"prefetched", "a CPU cached a translation that nobody asked for"},
    {"stale_load", "a CPU read through what was gone, before the flush", true},
    {"reused", "an area lies where another one was"},
    {"kv_kmalloc", "kvmalloc had memory of kmalloc"},
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
  ReachGroup granted{"granted_by_size", "areas that were granted, by pages up to", {}};
  for (std::size_t i = 1; i < r.granted.size(); ++i)
    granted.counts.push_back(
        {std::to_string((std::uint64_t{1} << i) - 1), r.granted[i], i <= 6, {.drawn = i > 4}});
  groups.push_back(std::move(granted));
  groups.push_back(by_name("faults", "what calls were found guilty of", r.faults, fault_names));
  groups.push_back(by_name("points", "steps that ran within another", r.points, point_names));
  groups.push_back(by_name("reached", "points that the subject passed", r.reached, point_names));
  ReachGroup happened{"events", "what happened on the way", {}};
  for (std::size_t i = 0; i < reach_events; ++i) {
    ReachNeeds needs;
    if (events[i].modern) needs.era = EraId::linux_6_1;
    happened.counts.push_back(
        {std::string(events[i].name), r.events[i], true, needs, std::string(events[i].meaning)});
  }
  groups.push_back(std::move(happened));
  groups.push_back({"runs", "runs of a search", {{"runs", r.runs[0]}}});
  return groups;
}

std::string reach_line(const Reach& r) {
  const std::uint64_t done = sum(r.executed), skips = sum(r.skipped);
  const std::uint64_t grants = sum(r.granted), refusals = sum(r.refused_operations);
  const auto percent = [](std::uint64_t part, std::uint64_t all) {
    return all == 0 ? 0 : 100 * part / all;
  };
  return fmt::format("areas {}% skips {}% purges {} reused {}", percent(grants, grants + refusals),
                     percent(skips, skips + done), r[ReachEvent::purged_for_room],
                     r[ReachEvent::reused]);
}

}  // namespace props::vmalloc
