// The classes of machines that a search runs on.
#include <algorithm>
#include <span>

#include "props/buddy/reach_parts.hpp"

namespace props::buddy {
namespace {

using namespace ref::core;

struct ClassText {
  std::string_view name;
  bool (*holds)(const Config&);
  bool numa = false;
};

bool has(const Config& c, ZoneKind kind) {
  return std::ranges::any_of(std::span(c.zones).first(c.zone_count),
                             [&](const ZoneSpec& z) { return z.kind == kind; });
}
std::uint32_t zones_of_first_node(const Config& c) {
  return static_cast<std::uint32_t>(
      std::ranges::count(std::span(c.zones).first(c.zone_count), c.zones[0].node, &ZoneSpec::node));
}
bool has_hole(const Config& c) {
  for (std::uint32_t z = 1; z < c.zone_count; ++z)
    if (c.zones[z].first > c.zones[z - 1].first + c.zones[z - 1].pages) return true;
  return false;
}
bool starts_crooked(const Config& c) {
  return std::ranges::any_of(std::span(c.zones).first(c.zone_count), [&](const ZoneSpec& z) {
    return z.first % (Pfn{1} << (c.orders - 1)) != 0;
  });
}

constexpr std::array<ClassText, reach_classes> classes{{
    {"dma", [](const Config& c) { return has(c, ZoneKind::dma); }},
    {"normal", [](const Config& c) { return has(c, ZoneKind::normal); }},
    {"highmem", [](const Config& c) { return has(c, ZoneKind::highmem); }},
    {"1_zone", [](const Config& c) { return zones_of_first_node(c) == 1; }},
    {"2_zones", [](const Config& c) { return zones_of_first_node(c) == 2; }},
    {"3_zones", [](const Config& c) { return zones_of_first_node(c) == 3; }},
    {"1_node", [](const Config& c) { return c.nodes == 1; }},
    {"2_nodes", [](const Config& c) { return c.nodes == 2; }, true},
    {"3_nodes", [](const Config& c) { return c.nodes == 3; }, true},
    {"1_cpu", [](const Config& c) { return c.cpus == 1; }},
    {"2_cpus", [](const Config& c) { return c.cpus == 2; }},
    {"3_cpus", [](const Config& c) { return c.cpus == 3; }},
    {"4_cpus", [](const Config& c) { return c.cpus == 4; }},
    {"pcp_on", [](const Config& c) { return c.pcp; }},
    {"pcp_off", [](const Config& c) { return !c.pcp; }},
    {"hole", has_hole},
    {"reserved", [](const Config& c) { return c.reserved_count > 0; }},
    {"crooked_start", starts_crooked},
    {"watermarks", [](const Config& c) { return min_free_kbytes_of(c) > 0; }},
    {"lowmem_reserve", [](const Config& c) { return lowmem_reserve_ratio_of(c)[0] > 0; }},
    {"page_64", [](const Config& c) { return c.page_bytes == 64; }},
    {"page_4096", [](const Config& c) { return c.page_bytes == 4096; }},
    {"large", [](const Config& c) { return c.pages() >= formula_pages; }},
}};

}  // namespace

void Reach::count_machine(const Config& c) {
  for (std::size_t i = 0; i < classes.size(); ++i) machines[i] += classes[i].holds(c);
  ++machine_orders[c.orders - 1];
  ++runs[0];
}

void add_machine_groups(std::vector<ReachGroup>& groups, const Reach& r) {
  const auto numa = only_era([](const Profile& p) { return p.numa; });
  ReachGroup machines{"machines", "runs on a machine of this class", {}};
  for (std::size_t i = 0; i < classes.size(); ++i)
    machines.counts.push_back({std::string(classes[i].name),
                               r.machines[i],
                               true,
                               {.era = classes[i].numa ? numa : std::nullopt, .drawn = true}});
  ReachGroup orders{"machine_orders", "runs on a machine with so many orders", {}};
  for (std::size_t i = 0; i < Reach::orders; ++i)
    orders.counts.push_back({std::to_string(i + 1), r.machine_orders[i], true, {.drawn = true}});
  constexpr std::array<std::string_view, reach_judged> judged{"cheap", "invariants", "model",
                                                              "exhaustion", "everything"};
  ReachGroup judging{"judged", "runs that were judged this way", {}};
  for (std::size_t i = 0; i < judged.size(); ++i)
    judging.counts.push_back({std::string(judged[i]), r.judged[i], true, {.drawn = true}});
  for (auto* group : {&machines, &orders, &judging}) groups.push_back(std::move(*group));
  groups.push_back({"runs", "runs in all", {{"runs", r.runs[0]}}});
}

}  // namespace props::buddy
