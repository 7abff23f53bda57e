// The model beside a machine: taking its lists over, and finding the first thing that differs.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "props/buddy/model.hpp"

namespace props::buddy {

namespace {

using ref::buddy::Index;
using ref::core::Pfn;

// A list of a machine, head first; empty at a link that leads nowhere or in a circle.
std::vector<Pfn> frames_of(const ref::buddy::Machine& m, Index z, const ref::buddy::List& list) {
  const ref::buddy::Zone& zone = ref::buddy::zone_at(m, z);
  std::vector<Pfn> frames;
  for (Index link = list.head; link != 0;) {
    const Index page = link - 1;
    if (frames.size() > list.count || page < zone.map || page - zone.map >= zone.pages) break;
    frames.push_back(ref::buddy::pfn_of(zone, page));
    link = ref::buddy::page_at(m, page).next;
  }
  return frames;
}

// Lists are shown from where they first differ.
std::string lists_text(const std::vector<Pfn>& model, const std::vector<Pfn>& machine) {
  const auto at = std::mismatch(model.begin(), model.end(), machine.begin(), machine.end());
  const auto shown = [](auto from, auto end) {
    return std::vector<Pfn>(from, from + std::min<std::ptrdiff_t>(end - from, 8));
  };
  return fmt::format("at position {} of {} and {}: model {}, machine {}", at.first - model.begin(),
                     model.size(), machine.size(), shown(at.first, model.end()),
                     shown(at.second, machine.end()));
}

}  // namespace

Model Model::of(const ref::buddy::Machine& m) {
  Model model(m.config);
  const ref::buddy::Sysctl& sysctl = m.arena.at(m.buddy.sysctl, 0);
  model.min_free_kbytes_ = sysctl.min_free_kbytes;
  model.ratio_ = sysctl.lowmem_reserve_ratio;
  model.fail_nth_ = m.globals().fail_page_alloc;
  model.set_watermarks();
  model.set_lowmem_reserves();
  const auto deque_of = [&](Index z, const ref::buddy::List& list) {
    const std::vector<Pfn> frames = frames_of(m, z, list);
    return std::deque<Pfn>(frames.begin(), frames.end());
  };
  for (Index z = 0; z < model.zones_.size(); ++z) {
    Zone& zone = model.zones_[z];
    zone.reclaim_active = ref::buddy::zone_at(m, z).reclaim_active != 0;
    for (unsigned order = 0; order < m.config.orders; ++order)
      zone.free[order] = deque_of(z, ref::buddy::area_at(m, z, order));
    for (std::uint32_t cpu = 0; cpu < zone.pcp.size(); ++cpu) {
      zone.pcp[cpu].free_factor = ref::buddy::pcp_at(m, z, cpu).free_factor;
      for (unsigned list = 0; list < ref::buddy::pcp_lists; ++list)
        zone.pcp[cpu].list[list] = deque_of(z, ref::buddy::pcp_list_at(m, z, cpu, list));
    }
  }
  return model;
}

std::optional<std::string> Model::difference(const ref::buddy::Machine& m) const {
  std::string found;
  const auto equal = [&](std::uint64_t model, std::uint64_t machine, const std::string& what) {
    if (found.empty() && model != machine)
      found = fmt::format("{}: model {}, machine {}", what, model, machine);
  };
  const auto equal_lists = [&](const std::vector<Pfn>& model, std::uint32_t z,
                               const ref::buddy::List& list, const std::string& what) {
    const std::vector<Pfn> machine = frames_of(m, z, list);
    if (found.empty() && model != machine) found = what + " " + lists_text(model, machine);
    equal(model.size(), list.count, what + " blocks counted");
  };
  for (std::uint32_t z = 0; z < zones_.size() && found.empty(); ++z) {
    const ref::buddy::Zone& zone = ref::buddy::zone_at(m, z);
    const std::string name =
        fmt::format("node {} zone {}", zones_[z].spec.node,
                    ref::core::zone_names[static_cast<std::size_t>(zones_[z].spec.kind)]);
    constexpr std::array mark_names{"min", "low", "high"};
    for (std::size_t mark = 0; mark < mark_names.size(); ++mark)
      equal(zones_[z].mark[mark], zone.watermark[mark],
            fmt::format("{} watermark {}", name, mark_names[mark]));
    for (std::size_t kind = 0; kind < ref::core::zone_kinds; ++kind)
      equal(zones_[z].reserve[kind], zone.lowmem_reserve[kind],
            fmt::format("{} reserve against {}", name, ref::core::zone_names[kind]));
    equal(zones_[z].managed, zone.managed, name + " managed pages");
    equal(zones_[z].reclaim_active, zone.reclaim_active, name + " reclaim active");
    for (unsigned order = 0; order < config_.orders; ++order) {
      const std::deque<Pfn>& list = free_list(z, order);
      equal_lists({list.begin(), list.end()}, z, ref::buddy::area_at(m, z, order),
                  fmt::format("{} order {}", name, order));
    }
    equal(free_pages(z), zone.free_pages, name + " free pages");
    for (std::uint32_t cpu = 0; cpu < zones_[z].pcp.size(); ++cpu) {
      const ref::buddy::Pcp& pcp = ref::buddy::pcp_at(m, z, cpu);
      const std::string where = fmt::format("{} CPU {}", name, cpu);
      std::array<std::uint64_t, 2> counts{};
      for (unsigned list = 0; list < ref::buddy::pcp_lists; ++list) {
        equal_lists(pcp_list(z, cpu, list), z, ref::buddy::pcp_list_at(m, z, cpu, list),
                    fmt::format("{} list {}", where, list));
        switch (config_.profile().pcp) {
          case ref::core::PcpPolicy::hot_and_cold:
            if (list < counts.size()) counts[list] += pcp_count(z, cpu, list);
            break;
          case ref::core::PcpPolicy::by_order: counts[0] += pcp_count(z, cpu, list); break;
        }
      }
      for (std::size_t i = 0; i < counts.size(); ++i) {
        equal(counts[i], pcp.count[i], fmt::format("{} count {}", where, i));
        equal(zones_[z].limits.low[i], pcp.low[i], fmt::format("{} low {}", where, i));
        equal(zones_[z].limits.high[i], pcp.high[i], fmt::format("{} high {}", where, i));
      }
      equal(zones_[z].limits.batch, pcp.batch, where + " batch");
      equal(free_factor(z, cpu), pcp.free_factor, where + " free factor");
    }
  }
  const ref::buddy::Sysctl& sysctl = m.arena.at(m.buddy.sysctl, 0);
  equal(min_free_kbytes_, sysctl.min_free_kbytes, "min_free_kbytes");
  for (std::size_t kind = 0; kind < ratio_.size(); ++kind)
    equal(ratio_[kind], sysctl.lowmem_reserve_ratio[kind],
          fmt::format("lowmem_reserve_ratio of {}", ref::core::zone_names[kind]));
  equal(fail_nth_, m.globals().fail_page_alloc, "requests until the planned failure");
  if (found.empty()) return std::nullopt;
  return found;
}

}  // namespace props::buddy
