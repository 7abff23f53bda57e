// Implements the per-CPU lists of both eras.
#include "ref/buddy/pcp.hpp"

#include <algorithm>
#include <bit>

#include "ref/buddy/free_area.hpp"
#include "ref/buddy/lists.hpp"

namespace ref::buddy {
namespace {

void add_to_pcp(Machine& m, Index z, Pfn pfn, unsigned order, unsigned list, bool front) {
  const Index page = page_index(zone_at(m, z), pfn);
  Page& head = edit_page(m, page);
  REQUIRE(head.kind == PageKind::inner);
  head.kind = PageKind::pcp_head;
  head.order = static_cast<std::uint8_t>(order);
  const std::uint64_t at = pcp_list_index(m, z, m.globals().cpu, list);
  (front ? push_front : push_back)(m, m.buddy.pcp_list, at, page);
}

Pfn take_from_pcp(Machine& m, Index z, std::uint32_t cpu, unsigned list, Index page) {
  unlink(m, m.buddy.pcp_list, pcp_list_index(m, z, cpu, list), page);
  Page& head = edit_page(m, page);
  head.kind = PageKind::inner;
  head.order = 0;
  return pfn_of(zone_at(m, z), page);
}

// Refills in one go, appending in the order obtained (P-2). Returns how many blocks came.
std::uint32_t rmqueue_bulk(Machine& m, Index z, unsigned order, std::uint32_t blocks,
                           unsigned list) {
  std::uint32_t got = 0;
  for (; got < blocks; ++got) {
    const MaybePfn pfn = rmqueue_smallest(m, z, order);
    if (!pfn) break;
    add_to_pcp(m, z, *pfn, order, list, false);
  }
  return got;
}

// Takes the block at one end of a list; `which` counts it.
Pfn pop(Machine& m, Index z, std::uint32_t cpu, unsigned list, bool front) {
  const List& l = pcp_list_at(m, z, cpu, list);
  return take_from_pcp(m, z, cpu, list, (front ? l.head : l.tail) - 1);
}

// --- 2.6.11: hot and cold ---------------------------------------------------------------------

MaybePfn rmqueue_hot_cold(Machine& m, Index z, bool cold) {
  const std::uint32_t cpu = m.globals().cpu;
  Pcp& pcp = edit_pcp(m, z, cpu);
  if (pcp.count[cold] <= pcp.low[cold]) pcp.count[cold] += rmqueue_bulk(m, z, 0, pcp.batch, cold);
  if (pcp.count[cold] == 0) return std::nullopt;
  --pcp.count[cold];
  return pop(m, z, cpu, cold, true);
}

void free_hot_cold_page(Machine& m, Index z, Pfn pfn, bool cold) {
  const std::uint32_t cpu = m.globals().cpu;
  Pcp& pcp = edit_pcp(m, z, cpu);
  if (pcp.count[cold] >= pcp.high[cold]) {
    for (std::uint32_t i = 0; i < pcp.batch && pcp.count[cold] > 0; ++i) {
      --pcp.count[cold];
      free_one_page(m, z, pop(m, z, cpu, cold, false), 0);
    }
  }
  add_to_pcp(m, z, pfn, 0, cold, true);
  ++pcp.count[cold];
}

// --- 6.1: by order ----------------------------------------------------------------------------

// Frees about `count` base pages from the tails, a list at a time, beginning with `first` (P-4).
void free_pcppages_bulk(Machine& m, Index z, std::uint32_t cpu, std::uint32_t count,
                        unsigned first) {
  Pcp& pcp = edit_pcp(m, z, cpu);
  std::int64_t left = std::min(count, pcp.count[0]);
  for (unsigned list = first; left > 0; list = (list + 1) % pcp_lists) {
    while (left > 0 && pcp_list_at(m, z, cpu, list).count > 0) {
      const Pfn pfn = pop(m, z, cpu, list, false);
      left -= std::int64_t{1} << list;
      pcp.count[0] -= 1u << list;
      free_one_page(m, z, pfn, list);
    }
  }
}

std::uint32_t nr_pcp_high(const Zone& zone, const Pcp& pcp, bool free_high) {
  if (pcp.high[0] == 0 || free_high) return 0;
  return zone.reclaim_active ? std::min(pcp.batch << 2, pcp.high[0]) : pcp.high[0];  // P-5
}

std::uint32_t nr_pcp_free(const Machine& m, Pcp& pcp, std::uint32_t high, bool free_high) {
  if (free_high) return pcp.count[0];
  if (high < pcp.batch) return 1;
  const std::uint32_t most = high - pcp.batch;
  const std::uint32_t batch = pcp.batch << pcp.free_factor;
  if (batch < most && pcp.free_factor < m.profile().pcp_batch_scale_max) ++pcp.free_factor;
  return std::max(std::min(batch, most), pcp.batch);
}

void free_unref_page_commit(Machine& m, Index z, Pfn pfn, unsigned order) {
  const std::uint32_t cpu = m.globals().cpu;
  add_to_pcp(m, z, pfn, order, order, true);
  Pcp& pcp = edit_pcp(m, z, cpu);
  pcp.count[0] += 1u << order;
  const bool free_high = pcp.free_factor > 0 && order > 0;
  const std::uint32_t high = nr_pcp_high(zone_at(m, z), pcp, free_high);
  if (pcp.count[0] >= high)
    free_pcppages_bulk(m, z, cpu, nr_pcp_free(m, pcp, high, free_high), order);
}

// False: somebody is inside already (P-6).
bool pcp_trylock(Env& env, Machine& m, Index z) {
  const std::uint32_t cpu = m.globals().cpu;
  if (pcp_at(m, z, cpu).locked) return false;
  edit_pcp(m, z, cpu).locked = 1;
  env.at(core::Point::buddy_pcp_locked);
  REQUIRE(m.globals().cpu == cpu);
  return true;
}

// The head of the list, which is refilled when it is empty.
MaybePfn rmqueue_locked(Machine& m, Index z, unsigned order) {
  const std::uint32_t cpu = m.globals().cpu;
  Pcp& pcp = edit_pcp(m, z, cpu);
  if (pcp_list_at(m, z, cpu, order).count == 0) {
    const std::uint32_t blocks = pcp.batch == 1 ? 1 : std::max(pcp.batch >> order, 2u);
    pcp.count[0] += rmqueue_bulk(m, z, order, blocks, order) << order;
  }
  if (pcp_list_at(m, z, cpu, order).count == 0) return std::nullopt;
  pcp.count[0] -= 1u << order;
  return pop(m, z, cpu, order, true);
}

MaybePfn rmqueue_by_order(Env& env, Machine& m, Index z, unsigned order) {
  if (!pcp_trylock(env, m, z)) return std::nullopt;
  Pcp& pcp = edit_pcp(m, z, m.globals().cpu);
  pcp.free_factor = static_cast<std::uint16_t>(pcp.free_factor >> 1);
  const MaybePfn pfn = rmqueue_locked(m, z, order);
  pcp.locked = 0;
  return pfn;
}

void free_by_order(Env& env, Machine& m, Index z, Pfn pfn, unsigned order) {
  if (!pcp_trylock(env, m, z)) return free_one_page(m, z, pfn, order);
  free_unref_page_commit(m, z, pfn, order);
  edit_pcp(m, z, m.globals().cpu).locked = 0;
}

std::uint32_t cpus_of_node(const Machine& m, std::uint32_t node) {
  std::uint32_t count = 0;
  for (std::uint32_t c = 0; c < m.config.cpus; ++c) count += node_of_cpu(m, c) == node;
  return count == 0 ? m.config.cpus : count;
}

std::uint32_t batch_of(const Machine& m, const Zone& zone) {
  const std::uint32_t pages =
      m.profile().pcp == core::PcpPolicy::by_order ? zone.managed : zone.pages;
  return std::max(std::min(pages / 1024, m.profile().batch_bytes_max / m.config.page_bytes) / 4,
                  1u);
}

}  // namespace

bool pcp_allowed_order(const Machine& m, unsigned order) {
  return m.config.pcp && order <= m.profile().pcp_order_max;
}

MaybePfn rmqueue_pcplist(Env& env, Machine& m, Index z, unsigned order, bool cold) {
  switch (m.profile().pcp) {
    case core::PcpPolicy::hot_and_cold: return rmqueue_hot_cold(m, z, cold);
    case core::PcpPolicy::by_order: return rmqueue_by_order(env, m, z, order);
  }
  UNREACHABLE("a per-CPU policy outside the list");
}

PcpHolder::PcpHolder(Env& env, Machine& m, Index zone, bool cold)
    : m_(m), zone_(zone), cpu_(m.globals().cpu), cold_(cold), held_(pcp_trylock(env, m, zone)) {}

PcpHolder::~PcpHolder() {
  if (held_) edit_pcp(m_, zone_, cpu_).locked = 0;
}

MaybePfn PcpHolder::take() {
  if (!held_) return std::nullopt;
  switch (m_.profile().pcp) {
    case core::PcpPolicy::hot_and_cold: return rmqueue_hot_cold(m_, zone_, cold_);
    case core::PcpPolicy::by_order: return rmqueue_locked(m_, zone_, 0);
  }
  UNREACHABLE("a per-CPU policy outside the list");
}

void free_unref_page(Env& env, Machine& m, Index z, Pfn pfn, unsigned order, bool cold) {
  switch (m.profile().pcp) {
    case core::PcpPolicy::hot_and_cold: free_hot_cold_page(m, z, pfn, cold); return;
    case core::PcpPolicy::by_order: free_by_order(env, m, z, pfn, order); return;
  }
  UNREACHABLE("a per-CPU policy outside the list");
}

void drain_pages(Machine& m, std::uint32_t cpu) {
  for (Index z = 0; z < m.config.zone_count; ++z) {
    const Pcp& now = pcp_at(m, z, cpu);
    if (now.count[0] + now.count[1] == 0 || now.locked) continue;  // locked: its holder goes on
    for (unsigned list = 0; list < pcp_lists; ++list) {
      while (pcp_list_at(m, z, cpu, list).count > 0) {
        const Pfn pfn = pop(m, z, cpu, list, false);
        const bool by_order = m.profile().pcp == core::PcpPolicy::by_order;
        Pcp& pcp = edit_pcp(m, z, cpu);
        pcp.count[by_order ? 0 : list] -= by_order ? 1u << list : 1u;
        free_one_page(m, z, pfn, by_order ? list : 0);
      }
    }
  }
}

void setup_pageset(Machine& m, Index z) {
  if (!m.config.pcp) return;
  const Zone& zone = zone_at(m, z);
  const std::uint32_t batch = batch_of(m, zone);
  for (std::uint32_t c = 0; c < m.config.cpus; ++c) {
    Pcp& pcp = edit_pcp(m, z, c);
    switch (m.profile().pcp) {
      case core::PcpPolicy::hot_and_cold:  // P-21
        pcp.batch = batch;
        pcp.low = {2 * batch, 0};
        pcp.high = {6 * batch, 2 * batch};
        break;
      case core::PcpPolicy::by_order:  // P-7
        pcp.batch = std::max(std::bit_floor(batch + batch / 2) - 1, 1u);
        pcp.high[0] =
            std::max(zone.watermark[mark_low] / cpus_of_node(m, zone.node), pcp.batch * 4);
        break;
    }
  }
}

}  // namespace ref::buddy
