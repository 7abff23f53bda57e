// The model's per-CPU lists: two of single pages in 2.6.11, one for each small order in 6.1.
#include <algorithm>

#include "props/buddy/model.hpp"
#include "ref/core/require.hpp"

namespace props::buddy {

using ref::core::PcpPolicy;

// Blocks come in at the tail, in the order in which the free lists gave them.
void Model::refill(std::uint32_t z, std::deque<Pfn>& list, unsigned order, std::uint32_t blocks) {
  for (; blocks > 0; --blocks) {
    const auto pfn = take(z, order);
    if (!pfn) return;
    list.push_back(*pfn);
  }
}

std::optional<Model::Pfn> Model::take_from_pcp(std::uint32_t z, std::uint32_t cpu, unsigned order,
                                               bool cold) {
  Pcp& pcp = zones_[z].pcp[cpu];
  const std::uint32_t batch = zones_[z].limits.batch;
  std::size_t at = order;
  switch (config_.profile().pcp) {
    case PcpPolicy::hot_and_cold:  // P-21: filled up already when it runs low
      at = cold ? 1 : 0;
      if (pcp.list[at].size() <= zones_[z].limits.low[at]) refill(z, pcp.list[at], order, batch);
      break;
    case PcpPolicy::by_order:  // P-2: filled when it is empty
      if (pcp.list[at].empty())
        refill(z, pcp.list[at], order, batch == 1 ? 1 : std::max(batch >> order, 2u));
      break;
  }
  if (pcp.list[at].empty()) return std::nullopt;
  const Pfn pfn = pcp.list[at].front();
  pcp.list[at].pop_front();
  return pfn;
}

// The coldest blocks leave first, until so many pages went or the list is empty.
void Model::give_back_from_tail(std::uint32_t z, std::deque<Pfn>& list, unsigned order,
                                std::int64_t& pages) {
  while (pages > 0 && !list.empty()) {
    const Pfn pfn = list.back();
    list.pop_back();
    pages -= std::int64_t{1} << order;
    give(z, pfn, order);
  }
}

// P-4: begins with the list just used and goes round. A list is emptied before the next is touched.
void Model::flush_by_order(std::uint32_t z, std::uint32_t cpu, unsigned first_list,
                           std::int64_t pages) {
  for (unsigned i = 0; i < ref::buddy::pcp_lists; ++i) {
    const unsigned order = (first_list + i) % ref::buddy::pcp_lists;
    give_back_from_tail(z, zones_[z].pcp[cpu].list[order], order, pages);
  }
}

// P-4: how many pages leave once the lists are full, the more the longer nobody allocated. Lists of
// limit zero keep what they have but one page: nr_pcp_free() of 6.1 looks at the limit only.
std::int64_t Model::pages_to_flush(Zone& zone, Pcp& pcp, std::int64_t high, bool whole) {
  std::int64_t count = 0;
  for (unsigned order = 0; order < ref::buddy::pcp_lists; ++order)
    count += static_cast<std::int64_t>(pcp.list[order].size()) << order;
  if (whole) return count;
  const std::int64_t batch = zone.limits.batch;
  if (high < batch) return 1;
  const std::int64_t wanted = batch << pcp.free_factor, most = high - batch;
  if (wanted < most && pcp.free_factor < config_.profile().pcp_batch_scale_max) ++pcp.free_factor;
  return std::min(std::max(wanted, batch), most);
}

void Model::give_to_pcp(std::uint32_t z, std::uint32_t cpu, Pfn pfn, unsigned order, bool cold) {
  Zone& zone = zones_[z];
  Pcp& pcp = zone.pcp[cpu];
  switch (config_.profile().pcp) {
    case PcpPolicy::hot_and_cold: {  // P-21: room is made before the page comes in
      const std::size_t at = cold ? 1 : 0;
      std::int64_t pages = zone.limits.batch;
      if (pcp.list[at].size() >= zone.limits.high[at])
        give_back_from_tail(z, pcp.list[at], 0, pages);
      pcp.list[at].push_front(pfn);
      return;
    }
    case PcpPolicy::by_order: {  // P-3 to P-5: the page comes in, then the lists may be full
      pcp.list[order].push_front(pfn);
      const bool whole = pcp.free_factor > 0 && order > 0;
      std::int64_t high = zone.limits.high[0], count = 0;
      if (zone.reclaim_active) high = std::min<std::int64_t>(zone.limits.batch * 4, high);
      if (whole) high = 0;
      for (unsigned list = 0; list < ref::buddy::pcp_lists; ++list)
        count += static_cast<std::int64_t>(pcp.list[list].size()) << list;
      if (count >= high) flush_by_order(z, cpu, order, pages_to_flush(zone, pcp, high, whole));
      return;
    }
  }
}

void Model::free_block(const Caller& caller, Pfn pfn, unsigned order, bool cold) {
  const auto zone = zone_with(pfn);
  REQUIRE(zone.has_value());
  if (config_.pcp && order <= config_.profile().pcp_order_max)
    give_to_pcp(*zone, caller.cpu, pfn, order, cold);
  else give(*zone, pfn, order);
}

void Model::drain_cpu(std::uint32_t cpu) {
  for (std::uint32_t z = 0; z < zones_.size(); ++z) {
    if (zones_[z].pcp.empty()) continue;
    switch (config_.profile().pcp) {
      case PcpPolicy::hot_and_cold:
        for (std::deque<Pfn>& list : zones_[z].pcp[cpu].list) {
          auto pages = static_cast<std::int64_t>(list.size());
          give_back_from_tail(z, list, 0, pages);
        }
        break;
      case PcpPolicy::by_order:
        for (unsigned order = 0; order < ref::buddy::pcp_lists; ++order) {
          std::deque<Pfn>& list = zones_[z].pcp[cpu].list[order];
          auto pages = static_cast<std::int64_t>(list.size()) << order;
          give_back_from_tail(z, list, order, pages);
        }
        break;
    }
  }
}

void Model::drain_all() {
  for (std::uint32_t cpu = 0; cpu < config_.cpus; ++cpu) drain_cpu(cpu);
}

std::vector<Model::Pfn> Model::pcp_list(std::uint32_t z, std::uint32_t cpu, unsigned list) const {
  if (zones_[z].pcp.empty()) return {};
  const std::deque<Pfn>& pages = zones_[z].pcp[cpu].list[list];
  return {pages.begin(), pages.end()};
}

std::uint32_t Model::pcp_count(std::uint32_t z, std::uint32_t cpu, unsigned list) const {
  if (zones_[z].pcp.empty()) return 0;
  unsigned order = 0;
  switch (config_.profile().pcp) {
    case PcpPolicy::hot_and_cold: break;
    case PcpPolicy::by_order: order = list; break;
  }
  return static_cast<std::uint32_t>(zones_[z].pcp[cpu].list[list].size() << order);
}

std::uint32_t Model::free_factor(std::uint32_t z, std::uint32_t cpu) const {
  return zones_[z].pcp.empty() ? 0 : zones_[z].pcp[cpu].free_factor;
}

}  // namespace props::buddy
