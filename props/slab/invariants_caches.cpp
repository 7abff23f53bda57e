// The invariants of caches: their chain, who shares them, their tunables, the general ones.
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "props/slab/invariants_parts.hpp"

namespace props::slab {

using namespace ref::slab;

namespace {

bool is_chained(const Cache& c) {
  return c.state == CacheState::live || c.state == CacheState::zombie;
}

}  // namespace

Broken chain_broken(const Machine& m) {
  Index previous = 0, length = 0, all = 0;
  for (Index link = globals_of(m).first; link != 0;) {
    if (link > m.slab.cache.count || ++length > m.slab.cache.count)
      return Witness{"the chain of caches, a link", m.slab.cache.count, link};
    const Cache& c = cache_at(m, link - 1);
    if (!is_chained(c))
      return of_cache(m, link - 1, "its state, being in the chain",
                      static_cast<std::uint64_t>(CacheState::live),
                      static_cast<std::uint64_t>(c.state));
    if (c.prev != previous) return of_cache(m, link - 1, "its back link", previous, c.prev);
    previous = link;
    link = c.next;
  }
  if (globals_of(m).last != previous)
    return Witness{"the end of the chain of caches", previous, globals_of(m).last};
  for (Index c = 0; c < m.slab.cache.count; ++c) {
    if (cache_at(m, c).state > CacheState::rcu_dying)
      return of_cache(m, c, "its state", static_cast<std::uint64_t>(CacheState::rcu_dying),
                      static_cast<std::uint64_t>(cache_at(m, c).state));
    all += is_chained(cache_at(m, c));
  }
  if (all != length) return Witness{"caches in their chain", all, length};
  return std::nullopt;
}

namespace {

// The first cache, and the general ones that are neither accounted nor reclaimable, nor for DMA.
bool is_unshared(const Machine& m, Index cache) {
  for (std::uint32_t i = 0; i < general_classes_max; ++i)
    if (m.arena.at(m.slab.general, i) == cache + 1) return true;
  return cache == 0;
}

}  // namespace

Broken merged_broken(const Machine& m) {
  constexpr std::uint32_t apart =
      SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER | SLAB_TYPESAFE_BY_RCU | SLAB_NOLEAKTRACE;
  for (Index c = 0; c < m.slab.cache.count; ++c) {
    if (!exists(m, c)) continue;
    const Cache& of = cache_at(m, c);
    const auto wrong = [&](std::string_view what, std::int64_t expected) {
      return of_cache(m, c, what, static_cast<std::uint64_t>(expected),
                      static_cast<std::uint64_t>(std::int64_t{of.refcount}));
    };
    if (of.state != CacheState::live) {
      if (of.refcount != 0) return wrong("references at its end", 0);
      continue;
    }
    if (is_old(m)) {
      if (of.refcount != 0) return wrong("references, where nothing is merged", 0);
      continue;
    }
    if (is_unshared(m, c) != (of.refcount == -1))
      return wrong("references", is_unshared(m, c) ? -1 : 1);
    if (of.refcount == 0 || of.refcount < -1) return wrong("references", 1);
    const bool alone = of.ctor != 0 || (of.flags & apart) != 0 || !m.config.slab_merge;
    if (of.refcount > 1 && alone) return wrong("references of a cache that is not merged", 1);
  }
  return std::nullopt;
}

namespace {

std::uint64_t cpus_of(const Machine& m, std::uint32_t node) {
  std::uint64_t count = 0;
  for (std::uint32_t cpu = 0; cpu < m.config.cpus; ++cpu)
    count += ref::buddy::node_of_cpu(m, cpu) == node;
  return count;
}

Broken tunables_broken(const Machine& m, Index c) {
  const Cache& of = cache_at(m, c);
  if (of.limit < 1 || of.limit > cpu_entries_max)
    return of_cache(m, c, "limit", cpu_entries_max, of.limit);
  if (of.batchcount < 1 || of.batchcount > of.limit)
    return of_cache(m, c, "batchcount", of.limit, of.batchcount);
  for (std::uint32_t node = 0; node < m.config.nodes; ++node) {
    const std::uint64_t limit = (1 + cpus_of(m, node)) * of.batchcount + of.num;
    const std::uint32_t said = is_old(m) ? of.free_limit : node_at(m, c, node).free_limit;
    if (const Broken broken = of_cache(m, c, "free_limit", limit, said)) return broken;
  }
  return std::nullopt;
}

// Which arrays a cache has: of each CPU, of each node if it shares, and of each other node.
bool has_array(const Machine& m, const ArrayView& a) {
  switch (a.kind) {
    case ArrayKind::cpu: return true;
    case ArrayKind::shared: return cache_at(m, a.cache).shared > 0;
    case ArrayKind::alien: return a.whose != a.of;
  }
  return false;
}

Broken array_limits_broken(const Machine& m, const ArrayView& a) {
  constexpr std::uint64_t nobody = 0xbaadf00d, large = 131072;
  const Cache& of = cache_at(m, a.cache);
  const bool cpu = a.kind == ArrayKind::cpu, has = has_array(m, a);
  const std::uint64_t alien = of.size > large ? 1 : alien_entries_max;
  const std::uint64_t limit = cpu ? of.limit
                              : a.kind == ArrayKind::shared
                                  ? std::uint64_t{of.shared} * of.batchcount
                                  : alien;
  const auto expect = [&](std::string_view what, std::uint64_t expected,
                          std::uint64_t actual) -> Broken {
    if (expected == actual) return std::nullopt;
    return Witness{a.name(m) + ", " + std::string(what), expected, actual};
  };
  if (auto broken = expect("there", has, a.array->present)) return broken;
  if (auto broken = expect("limit", has ? limit : 0, a.array->limit)) return broken;
  return expect("batchcount", !has ? 0 : cpu ? of.batchcount : nobody, a.array->batchcount);
}

}  // namespace

Broken limits_broken(const Machine& m) {
  for (Index c = 0; c < m.slab.cache.count; ++c)
    if (exists(m, c))
      if (const Broken broken = tunables_broken(m, c)) return broken;
  Broken broken;
  for_each_array(m, [&](const ArrayView& a) {
    if (!broken && exists(m, a.cache)) broken = array_limits_broken(m, a);
  });
  return broken;
}

namespace {

std::uint32_t flag_of(GeneralKind kind) {
  switch (kind) {
    case GeneralKind::normal: return 0;
    case GeneralKind::reclaimable: return SLAB_RECLAIM_ACCOUNT;
    case GeneralKind::cgroup: return SLAB_ACCOUNT;
    case GeneralKind::dma: return SLAB_CACHE_DMA;
  }
  return 0;
}

// A cache that others may be merged into (S-6) is as large as the largest of them, up to what its
// class is rounded up to: a power of two by nothing, others to the cache line.
bool may_grow(const Machine& m, const Cache& c, std::uint32_t bytes) {
  if (c.refcount < 1 || m.config.slab_debug) return false;
  std::uint32_t line = m.config.cache_line;
  while (bytes <= line / 2) line /= 2;
  line = std::max(line, m.profile().word_bytes);
  return !std::has_single_bit(bytes) && c.size == (bytes + line - 1) / line * line;
}

}  // namespace

Broken general_broken(const Machine& m) {
  constexpr std::uint32_t kinds = SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT | SLAB_CACHE_DMA;
  const bool up = globals_of(m).up != 0;
  const auto sizes = general_sizes(m.config);
  for (std::uint32_t kind = 0; kind < general_kinds; ++kind) {
    const auto is = static_cast<GeneralKind>(kind);
    const bool there = up && (!is_old(m) || is == GeneralKind::normal || is == GeneralKind::dma);
    for (std::uint32_t i = 0; i < general_classes_max; ++i) {
      const Index entry = m.arena.at(m.slab.general, kind * general_classes_max + i);
      const auto where = [&](std::string_view what) {
        return fmt::format("general cache of kind {}, class {}, {}", kind, i, what);
      };
      const bool has = there && i < sizes.size();
      if ((entry != 0) != has) return Witness{where("there"), has, entry};
      if (!has) continue;
      if (!exists(m, entry - 1)) return Witness{where("a cache"), 1, entry};
      const Cache& of = cache_at(m, entry - 1);
      const bool grew = may_grow(m, of, sizes[i]) && of.object_size <= of.size;
      if (of.object_size < sizes[i] || (of.object_size > sizes[i] && !grew))
        return Witness{where("size"), sizes[i], of.object_size};
      if ((of.flags & kinds) != flag_of(is))
        return Witness{where("flags"), flag_of(is), of.flags & kinds};
      if (of.state != CacheState::live) return Witness{where("live"), 1, 0};
    }
  }
  return std::nullopt;
}

}  // namespace props::slab
