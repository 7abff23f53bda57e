// SLAB-CANONICAL and SLABINFO-TEXT: what is zero where it has no meaning, and what is printed.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "props/slab/invariants_parts.hpp"

namespace props::slab {
namespace {

template <class T>
bool is_zero(const T& record) {
  const T none{};
  return std::memcmp(&record, &none, sizeof(T)) == 0;
}

template <class T, std::size_t n>
bool all_zero(const std::array<T, n>& a) {
  return std::ranges::all_of(a, [](T v) { return v == 0; });
}

Broken cache_record_broken(const Machine& m, Index i) {
  const Cache& c = cache_at(m, i);
  if (c.state == CacheState::unused)
    return of_cache(m, i, "a record of no cache", 1, is_zero(c) ? 1 : 0);
  const auto end = std::ranges::find(c.name, '\0');
  const bool named = end != c.name.begin() && end != c.name.end() &&
                     std::all_of(end, c.name.end(), [](char ch) { return ch == '\0'; });
  if (!named) return of_cache(m, i, "its name, ended by zeros", 1, 0);
  if (c.ctor >= ref::slab::ctor_count)
    return of_cache(m, i, "its constructor", ref::slab::ctor_count - 1, c.ctor);
  if (c.zero != 0 || !all_zero(c.zero_too)) return of_cache(m, i, "padding", 0, 1);
  if (c.users != 0) return of_cache(m, i, "calls inside", 0, c.users);
  const bool chained = c.state == CacheState::live || c.state == CacheState::zombie;
  if (!chained && (c.next | c.prev) != 0) return of_cache(m, i, "links outside the chain", 0, 1);
  const std::uint64_t unused =
      (is_old(m) ? 0 : c.colour_next | c.free_limit) | (i == 0 ? c.object : 0);
  return of_cache(m, i, "fields of the other era", 0, unused);
}

Broken node_record_broken(const Machine& m, Index cache, std::uint32_t node) {
  const Node& n = node_at(m, cache, node);
  if (n.present == 0 && !is_zero(n)) return of_cache(m, cache, "a record of no node", 0, 1);
  if (n.present != exists(m, cache))
    return of_cache(m, cache, "nodes", exists(m, cache), n.present);
  if (n.present == 0) return std::nullopt;
  const bool padded = (n.full.zero | n.partial.zero | n.free.zero | n.zero) != 0;
  if (padded || !all_zero(n.zero_too)) return of_cache(m, cache, "padding of its node", 0, 1);
  if (n.present > 1 || n.free_touched > 1)
    return of_cache(m, cache, "a mark of its node", 1, std::max(n.present, n.free_touched));
  const std::uint64_t unused = (is_old(m) ? n.object | n.free_limit | n.colour_next : 0) |
                               (m.config.nodes == 1 ? n.alien_object : 0);
  return of_cache(m, cache, "fields of its node of the other era", 0, unused);
}

Broken array_record_broken(const Machine& m, const ArrayView& a) {
  const auto wrong = [&](std::string_view what, std::uint64_t expected, std::uint64_t actual) {
    return Witness{a.name(m) + ", " + std::string(what), expected, actual};
  };
  if (a.array->present == 0) {
    if (!is_zero(*a.array)) return wrong("a record of no array", 0, 1);
    return std::nullopt;
  }
  if (!exists(m, a.cache)) return wrong("an array of no cache", 0, 1);
  if (a.array->present > 1 || a.array->touched > 1)
    return wrong("a mark", 1, std::max(a.array->present, a.array->touched));
  const bool per_cpu = a.kind == ArrayKind::cpu && !is_old(m);
  if (per_cpu && a.array->object != 0) return wrong("an object, in per-CPU memory", 0, 1);
  if (a.array->zero != 0 || a.array->zero_too != 0) return wrong("padding", 0, 1);
  return std::nullopt;
}

Broken slab_record_broken(const Machine& m, Index page) {
  Slab s = slab_at(m, page);
  const auto wrong = [&](std::string_view what) {
    return Witness{fmt::format("slab record {}, {}", page, what), 0, 1};
  };
  if (s.head != page + 1) {
    s.head = 0;
    if (!is_zero(s)) return wrong("of no slab's first frame");
    return std::nullopt;
  }
  if (s.zero != 0 || s.zero_too != 0 || s.zero_three != 0) return wrong("padding");
  if (s.rcu > 1) return wrong("its grace mark");
  if (!is_old(m) && s.free != 0) return wrong("a field of the other era");
  if (!is_old(m) && s.rcu != 0 && s.freelist != 0) return wrong("free indices, waiting");
  return std::nullopt;
}

}  // namespace

Broken canonical_broken(const Machine& m) {
  const SlabGlobals& g = globals_of(m);
  if (g.zero != 0 || !all_zero(g.zero_too) || g.up > 1) return Witness{"globals, padding", 0, 1};
  if (g.mutex != 0) return Witness{"slab_mutex", 0, g.mutex};
  if (g.up == 0 && g.first != 0)
    return Witness{"caches of a machine that did not boot", 0, g.first};
  for (std::uint32_t cpu = 0; cpu < g.reap_node.size(); ++cpu)
    if (g.reap_node[cpu] >= (cpu < m.config.cpus ? m.config.nodes : 1))
      return Witness{fmt::format("the node that CPU {} reaps next", cpu), m.config.nodes - 1,
                     g.reap_node[cpu]};
  for (Index c = 0; c < m.slab.cache.count; ++c) {
    if (const Broken broken = cache_record_broken(m, c)) return broken;
    for (std::uint32_t node = 0; node < m.config.nodes; ++node)
      if (const Broken broken = node_record_broken(m, c, node)) return broken;
  }
  Broken broken;
  for_each_array(m, [&](const ArrayView& a) {
    if (!broken) broken = array_record_broken(m, a);
  });
  for (Index page = 0; !broken && page < m.slab.slab.count; ++page)
    broken = slab_record_broken(m, page);
  return broken;
}

namespace {

// What the listed slabs of a cache come to: read once, for all lines.
struct Sums {
  std::uint64_t slabs = 0, unused = 0, free = 0;
};
std::vector<Sums> sums_of_caches(const Machine& m) {
  std::vector<Sums> sums(m.slab.cache.count);
  for (const SlabView& v : sound_slabs(m)) {
    if (v.slab->list == 0) continue;
    Sums& s = sums[v.cache];
    ++s.slabs, s.unused += v.slab->active == 0, s.free += v.of->num - v.slab->active;
  }
  return sums;
}

// The front of a cache's line, up to what debugging adds.
std::string line_of(const Machine& m, Index i, const Sums& sums) {
  const Cache& c = cache_at(m, i);
  const auto [slabs, unused, free] = sums;
  std::uint64_t shared = 0;
  for_each_array_of(m, i, [&](const ArrayView& a) {
    if (a.kind == ArrayKind::shared) shared += a.array->avail;
  });
  const std::string_view name(c.name.data());
  return fmt::format(
      "{:<17} {:>6} {:>6} {:>6} {:>4} {:>4} : tunables {:>4} {:>4} {:>4} : slabdata {:>6} {:>6} "
      "{:>6}",
      name, slabs * c.num - free, slabs * c.num, c.size, c.num, 1u << c.gfporder, c.limit,
      c.batchcount, c.shared, slabs - unused, slabs, shared);
}

}  // namespace

Broken slabinfo_broken(const Machine& m) {
  const std::string text = ref::slab::slabinfo(m);
  std::vector<std::string_view> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(std::string_view(text).substr(at, end - at));
    at = end + 1;
  }
  if (lines.size() < 2 || !lines[0].starts_with("slabinfo - version: 2.1") ||
      !lines[1].starts_with("# name            <active_objs> <num_objs> <objsize>"))
    return Witness{"the head of slabinfo", 2, lines.size()};
  const std::vector<Sums> sums = sums_of_caches(m);
  std::size_t next = 2;
  for (Index link = globals_of(m).first; link != 0 && link <= m.slab.cache.count;) {
    const std::string line = line_of(m, link - 1, sums[link - 1]);
    if (next >= lines.size()) return Witness{"lines of slabinfo", next + 1, lines.size()};
    if (!lines[next].starts_with(line))
      return Witness{fmt::format("line '{}' instead of '{}'", lines[next], line), 1, 0};
    ++next;
    link = cache_at(m, link - 1).next;
    if (next > lines.size()) break;
  }
  if (next != lines.size()) return Witness{"lines of slabinfo", next, lines.size()};
  return std::nullopt;
}

}  // namespace props::slab
