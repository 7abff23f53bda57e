// The text of /proc/buddyinfo and /proc/zoneinfo.
//
// zoneinfo leaves out what this machine does not have: statistics of nodes and of reclaim. The rest
// stands in the kernel's order and columns. The older era's per-CPU part has a block for hot and
// one for cold pages.
#include <fmt/format.h>

#include <iterator>

#include "ref/buddy/buddy.hpp"

namespace ref::buddy {
namespace {

using Out = std::back_insert_iterator<std::string>;

std::string_view proc_name(const Zone& zone) {
  return core::zone_proc_names[static_cast<std::size_t>(zone.kind)];
}

// The zones as /proc walks them: node by node, from the lowest up.
template <class F>
void for_each_zone(const Machine& m, F f) {
  for (std::uint32_t node = 0; node < m.config.nodes; ++node)
    for (const std::uint8_t z : m.buddy.zone_of[node])
      if (z != no_zone) f(Index{z}, zone_at(m, z));
}

void show_pages(Out out, const Zone& z) {
  fmt::format_to(
      out,
      "\n  pages free     {}\n        boost    0\n        min      {}\n        low      {}"
      "\n        high     {}\n        spanned  {}\n        present  {}"
      "\n        managed  {}\n        cma      0",
      z.free_pages, z.watermark[mark_min], z.watermark[mark_low], z.watermark[mark_high], z.pages,
      z.pages, z.managed);
  fmt::format_to(out, "\n        protection: ({}, {}, {})", z.lowmem_reserve[0],
                 z.lowmem_reserve[1], z.lowmem_reserve[2]);
  fmt::format_to(out, "\n      nr_free_pages {}", z.free_pages);
}

void show_pageset(Out out, const Machine& m, std::uint32_t cpu, const Pcp& pcp) {
  switch (m.profile().pcp) {
    case core::PcpPolicy::by_order:
      fmt::format_to(out,
                     "\n    cpu: {}\n              count: {}\n              high:  {}"
                     "\n              batch: {}",
                     cpu, pcp.count[0], pcp.high[0], pcp.batch);
      return;
    case core::PcpPolicy::hot_and_cold:
      for (std::size_t i = 0; i < 2; ++i)
        fmt::format_to(out,
                       "\n    cpu: {} pcp: {}\n              count: {}\n              low:   {}"
                       "\n              high:  {}\n              batch: {}",
                       cpu, i, pcp.count[i], pcp.low[i], pcp.high[i], pcp.batch);
      return;
  }
}

}  // namespace

std::string buddyinfo(const Machine& m) {
  std::string text;
  for_each_zone(m, [&](Index z, const Zone& zone) {
    fmt::format_to(std::back_inserter(text), "Node {}, zone {:>8} ", zone.node, proc_name(zone));
    for (unsigned order = 0; order < m.config.orders; ++order)
      fmt::format_to(std::back_inserter(text), "{:6} ", area_at(m, z, order).count);
    text += '\n';
  });
  return text;
}

std::string zoneinfo(const Machine& m) {
  std::string text;
  for_each_zone(m, [&](Index z, const Zone& zone) {
    const Out out = std::back_inserter(text);
    fmt::format_to(out, "Node {}, zone {:>8}", zone.node, proc_name(zone));
    show_pages(out, zone);
    text += "\n  pagesets";
    for (std::uint32_t cpu = 0; cpu < m.config.cpus; ++cpu)
      show_pageset(out, m, cpu, pcp_at(m, z, cpu));
    fmt::format_to(out, "\n  start_pfn:           {}\n", zone.first);
  });
  return text;
}

}  // namespace ref::buddy
