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

// Remembers the first difference. Words are made only then: a comparison that finds nothing, which
// is nearly every one, formats nothing.
class Model::Comparison {
 public:
  Comparison(const Model& model, const ref::buddy::Machine& m) : model_(model), m_(m) {}

  std::optional<std::string> first() {
    for (Index z = 0; z < model_.zones_.size() && !found_; ++z) zone(z);
    settings();
    return found_;
  }

 private:
  template <class... Args>
  void equal(std::uint64_t model, std::uint64_t machine, fmt::format_string<const Args&...> what,
             const Args&... args) {
    if (model == machine || found_) return;
    found_ = fmt::format("{}: model {}, machine {}", fmt::format(what, args...), model, machine);
  }
  template <class... Args>
  void equal_lists(const std::deque<Pfn>& model, Index z, const ref::buddy::List& list,
                   fmt::format_string<const Args&...> what, const Args&... args) {
    if (found_) return;
    if (!is_chain(model, z, list)) {
      const std::vector<Pfn> machine = frames_of(m_, z, list), wanted(model.begin(), model.end());
      found_ = fmt::format(what, args...) + " " + lists_text(wanted, machine);
    } else if (model.size() != list.count) {
      found_ = fmt::format("{} blocks counted: model {}, machine {}", fmt::format(what, args...),
                           model.size(), list.count);
    }
  }
  bool is_chain(const std::deque<Pfn>& model, Index z, const ref::buddy::List& list) const {
    const ref::buddy::Zone& zone = ref::buddy::zone_at(m_, z);
    const auto leads_on = [&](Index link) { return link != 0 && link - 1 - zone.map < zone.pages; };
    Index link = list.head;
    for (const Pfn pfn : model) {
      if (!leads_on(link) || ref::buddy::pfn_of(zone, link - 1) != pfn) return false;
      link = ref::buddy::page_at(m_, link - 1).next;
    }
    return !leads_on(link);
  }

  void zone(Index z);
  void pcp(Index z, std::uint32_t cpu);
  void settings();
  const Model& model_;
  const ref::buddy::Machine& m_;
  std::optional<std::string> found_;
};

void Model::Comparison::zone(Index z) {
  const Zone& model = model_.zones_[z];
  const ref::buddy::Zone& machine = ref::buddy::zone_at(m_, z);
  const std::uint32_t node = model.spec.node;
  const std::string_view name = ref::core::zone_names[static_cast<std::size_t>(model.spec.kind)];
  constexpr std::array mark_names{"min", "low", "high"};
  for (std::size_t mark = 0; mark < mark_names.size(); ++mark)
    equal(model.mark[mark], machine.watermark[mark], "node {} zone {} watermark {}", node, name,
          mark_names[mark]);
  for (std::size_t kind = 0; kind < ref::core::zone_kinds; ++kind)
    equal(model.reserve[kind], machine.lowmem_reserve[kind], "node {} zone {} reserve against {}",
          node, name, ref::core::zone_names[kind]);
  equal(model.managed, machine.managed, "node {} zone {} managed pages", node, name);
  equal(model.reclaim_active, machine.reclaim_active, "node {} zone {} reclaim active", node, name);
  for (unsigned order = 0; order < model_.config_.orders; ++order)
    equal_lists(model_.free_list(z, order), z, ref::buddy::area_at(m_, z, order),
                "node {} zone {} order {}", node, name, order);
  equal(model_.free_pages(z), machine.free_pages, "node {} zone {} free pages", node, name);
  for (std::uint32_t cpu = 0; cpu < model.pcp.size(); ++cpu) pcp(z, cpu);
}

void Model::Comparison::pcp(Index z, std::uint32_t cpu) {
  const Zone& model = model_.zones_[z];
  const ref::buddy::Pcp& machine = ref::buddy::pcp_at(m_, z, cpu);
  const std::uint32_t node = model.spec.node;
  const std::string_view name = ref::core::zone_names[static_cast<std::size_t>(model.spec.kind)];
  std::array<std::uint64_t, 2> counts{};
  for (unsigned list = 0; list < ref::buddy::pcp_lists; ++list) {
    equal_lists(model.pcp[cpu].list[list], z, ref::buddy::pcp_list_at(m_, z, cpu, list),
                "node {} zone {} CPU {} list {}", node, name, cpu, list);
    switch (model_.config_.profile().pcp) {
      case ref::core::PcpPolicy::hot_and_cold:
        if (list < counts.size()) counts[list] += model_.pcp_count(z, cpu, list);
        break;
      case ref::core::PcpPolicy::by_order: counts[0] += model_.pcp_count(z, cpu, list); break;
    }
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    equal(counts[i], machine.count[i], "node {} zone {} CPU {} count {}", node, name, cpu, i);
    equal(model.limits.low[i], machine.low[i], "node {} zone {} CPU {} low {}", node, name, cpu, i);
    equal(model.limits.high[i], machine.high[i], "node {} zone {} CPU {} high {}", node, name, cpu,
          i);
  }
  equal(model.limits.batch, machine.batch, "node {} zone {} CPU {} batch", node, name, cpu);
  equal(model_.free_factor(z, cpu), machine.free_factor, "node {} zone {} CPU {} free factor", node,
        name, cpu);
}

void Model::Comparison::settings() {
  const ref::buddy::Sysctl& sysctl = m_.arena.at(m_.buddy.sysctl, 0);
  equal(model_.min_free_kbytes_, sysctl.min_free_kbytes, "min_free_kbytes");
  for (std::size_t kind = 0; kind < model_.ratio_.size(); ++kind)
    equal(model_.ratio_[kind], sysctl.lowmem_reserve_ratio[kind], "lowmem_reserve_ratio of {}",
          ref::core::zone_names[kind]);
  equal(model_.fail_nth_, m_.globals().fail_page_alloc, "requests until the planned failure");
}

std::optional<std::string> Model::difference(const ref::buddy::Machine& m) const {
  return Comparison(*this, m).first();
}

}  // namespace props::buddy
