// The invariants of slabs: their pages, the lists they are on, and what the lists are counted for.
#include <fmt/format.h>

#include "props/slab/invariants_parts.hpp"

namespace props::slab {
namespace {

using ref::buddy::PageKind;

std::string at_page(const Machine& m, Index page) {
  const auto address = address_of_page(m, page);
  return fmt::format("the slab at {:#x}", address.value_or(0));
}

// A first frame: its block of pages, and the frames behind it.
Broken block_broken(const Machine& m, Index page) {
  const Slab& slab = slab_at(m, page);
  if (slab.cache == 0 || !exists(m, slab.cache - 1))
    return Witness{at_page(m, page) + ", its cache", 1, slab.cache};
  const Cache& of = cache_at(m, slab.cache - 1);
  const ref::buddy::Page& p = page_at(m, page);
  if (p.kind != PageKind::live_head)
    return Witness{at_page(m, page) + ", the kind of its first frame",
                   static_cast<std::uint64_t>(PageKind::live_head),
                   static_cast<std::uint64_t>(p.kind)};
  if (p.order != of.gfporder) return Witness{at_page(m, page) + ", order", of.gfporder, p.order};
  if ((p.flags & ref::buddy::PG_slab) == 0) return Witness{at_page(m, page) + ", PG_slab", 1, 0};
  if (p.refcount != 1) return Witness{at_page(m, page) + ", references", 1, p.refcount};
  const auto wanted = (of.flags & ref::slab::SLAB_CACHE_DMA) != 0;
  const auto zone = ref::buddy::zone_of_pfn(m, [&] {
    return static_cast<ref::core::Pfn>((*address_of_page(m, page) - ref::core::page_offset) /
                                       m.config.page_bytes);
  }());
  const auto kind = m.config.zones[zone].kind;
  if (kind == ref::core::ZoneKind::highmem || (wanted && kind != ref::core::ZoneKind::dma))
    return Witness{at_page(m, page) + ", its zone", 0, static_cast<std::uint64_t>(kind)};
  for (Index i = 1; i < Index{1} << p.order; ++i)
    if (page + i >= m.slab.slab.count || slab_at(m, page + i).head != page + 1)
      return Witness{fmt::format("{}, frame {}", at_page(m, page), i), page + 1,
                     page + i < m.slab.slab.count ? slab_at(m, page + i).head : 0};
  return std::nullopt;
}

}  // namespace

std::uint64_t own_frames(const Machine& m) {
  std::uint64_t count = 0;
  for (Index page = 0; page < m.slab.slab.count; ++page) count += slab_at(m, page).head != 0;
  for_each_array(m, [&](const ArrayView& a) {
    const auto ram = ram_of(m, a.array->object);
    if (!ram) return;
    const auto page = static_cast<Index>(*ram / m.config.page_bytes);
    if (slab_at(m, page).head == 0) count += std::uint64_t{1} << page_at(m, page).order;
  });
  return count;
}

Broken pages_broken(const Machine& m) {
  for (Index page = 0; page < m.slab.slab.count; ++page) {
    const Index head = slab_at(m, page).head;
    if (head == page + 1) {
      if (const Broken broken = block_broken(m, page)) return broken;
      continue;
    }
    const ref::buddy::Page& p = page_at(m, page);
    if ((p.flags & ref::buddy::PG_slab) != 0 && p.kind == PageKind::live_head)
      return Witness{fmt::format("frame record {}, PG_slab without a slab", page), 0, 1};
    if (head == 0) continue;
    if (head > page || slab_at(m, head - 1).head != head)
      return Witness{fmt::format("frame record {}, first frame of its slab", page), page, head};
    const Index cache = slab_at(m, head - 1).cache;
    if (cache == 0 || !exists(m, cache - 1) ||
        page - (head - 1) >= std::uint64_t{1} << cache_at(m, cache - 1).gfporder)
      return Witness{fmt::format("frame record {}, inside its slab", page), 1, 0};
  }
  return std::nullopt;
}

namespace {

constexpr std::array<std::string_view, 4> list_names{"no", "full", "partial", "free"};

// Which list a slab belongs to by what it has in use.
unsigned list_of(const SlabView& v) {
  return v.slab->active == 0 ? 3 : v.slab->active < v.of->num ? 2 : 1;
}

Broken list_broken(const Machine& m, Index cache, std::uint32_t node, unsigned which,
                   const ref::slab::List& list, std::uint64_t& listed) {
  const auto where = [&] {
    return fmt::format("{}, the {} list of node {}", name_of(m, cache), list_names[which], node);
  };
  Index previous = 0, length = 0;
  for (Index link = list.head; link != 0;) {
    const auto v = sound_slab(m, link - 1);
    if (!v || ++length > m.slab.slab.count) return Witness{where() + ", a link", 0, link};
    if (v->cache != cache || v->node != node)
      return Witness{where() + ", the cache of " + at_page(m, v->page), cache, v->cache};
    if (v->slab->list != which)
      return Witness{where() + ", what says " + at_page(m, v->page), which, v->slab->list};
    if (list_of(*v) != which)
      return Witness{where() + ", where belongs " + at_page(m, v->page), list_of(*v), which};
    if (v->slab->prev != previous)
      return Witness{where() + ", the back link of " + at_page(m, v->page), previous,
                     v->slab->prev};
    previous = link;
    link = v->slab->next;
  }
  if (list.tail != previous) return Witness{where() + ", its tail", previous, list.tail};
  if (list.count != length) return Witness{where() + ", its length", length, list.count};
  listed += length;
  return std::nullopt;
}

}  // namespace

Broken lists_broken(const Machine& m) {
  std::uint64_t listed = 0, all = 0;
  for (Index c = 0; c < m.slab.cache.count; ++c)
    for (std::uint32_t node = 0; exists(m, c) && node < m.config.nodes; ++node) {
      const Node& n = node_at(m, c, node);
      const std::array<const ref::slab::List*, 3> lists{&n.full, &n.partial, &n.free};
      for (unsigned i = 0; i < 3; ++i)
        if (const Broken broken = list_broken(m, c, node, i + 1, *lists[i], listed)) return broken;
    }
  for (Index page = 0; page < m.slab.slab.count; ++page) {
    const Slab& slab = slab_at(m, page);
    if (slab.head != page + 1) continue;
    if (slab.list > 3) return Witness{at_page(m, page) + ", its list", 3, slab.list};
    if ((slab.list == 0) != (slab.rcu != 0))
      return Witness{at_page(m, page) + ", on a list or waiting", 1, slab.list};
    all += slab.list != 0;
  }
  if (all != listed) return Witness{"slabs on lists", all, listed};
  return std::nullopt;
}

Broken counts_broken(const Machine& m) {
  std::vector<std::uint64_t> slabs(m.slab.node.count), free(m.slab.node.count);
  for (const SlabView& v : sound_slabs(m)) {
    if (v.slab->list == 0) continue;
    const std::uint64_t i = std::uint64_t{v.cache} * m.config.nodes + v.node;
    ++slabs[i], free[i] += v.of->num - v.slab->active;
  }
  for (std::uint64_t i = 0; i < slabs.size(); ++i) {
    const Node& n = m.arena.at(m.slab.node, i);
    const auto cache = static_cast<Index>(i / m.config.nodes);
    if (const Broken broken = of_cache(m, cache, "free_objects", free[i], n.free_objects))
      return broken;
    if (const Broken broken = of_cache(m, cache, "total_slabs", slabs[i], n.total_slabs))
      return broken;
  }
  return std::nullopt;
}

Broken rcu_broken(const Machine& m) {
  Index previous = 0;
  std::uint64_t length = 0, waiting = 0;
  for (Index link = globals_of(m).rcu_first; link != 0;) {
    const auto v = sound_slab(m, link - 1);
    if (!v || ++length > m.slab.slab.count)
      return Witness{"the list of slabs that wait for the grace period, a link", 0, link};
    if (v->slab->rcu != 1 || v->slab->list != 0)
      return Witness{at_page(m, v->page) + ", waits for the grace period", 1, v->slab->rcu};
    if ((v->of->flags & ref::slab::SLAB_TYPESAFE_BY_RCU) == 0)
      return Witness{at_page(m, v->page) + ", its cache is SLAB_TYPESAFE_BY_RCU", 1, 0};
    if (v->slab->active != 0)
      return Witness{at_page(m, v->page) + ", objects in use", 0, v->slab->active};
    if (v->slab->prev != previous)
      return Witness{at_page(m, v->page) + ", its back link", previous, v->slab->prev};
    previous = link;
    link = v->slab->next;
  }
  if (globals_of(m).rcu_last != previous)
    return Witness{"the last slab that waits for the grace period", previous,
                   globals_of(m).rcu_last};
  for (Index page = 0; page < m.slab.slab.count; ++page) waiting += slab_at(m, page).rcu != 0;
  if (waiting != length) return Witness{"slabs that wait for the grace period", waiting, length};
  return std::nullopt;
}

}  // namespace props::slab
