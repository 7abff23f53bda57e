// The invariants of objects: where they lie, which are free, and who has the others.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "props/slab/invariants_parts.hpp"

namespace props::slab {
namespace {

using ref::slab::CFLGS_OBJFREELIST_SLAB;
using ref::slab::CFLGS_OFF_SLAB;

std::string said(const Machine& m, const SlabView& v, std::string_view what) {
  return fmt::format("{}, the slab at {:#x}, {}", name_of(m, v.cache), v.address, what);
}

bool is_off(const SlabView& v) { return (v.of->flags & CFLGS_OFF_SLAB) != 0; }
bool in_object(const SlabView& v) { return (v.of->flags & CFLGS_OBJFREELIST_SLAB) != 0; }

// While its pages wait for a grace period, a slab of 6.1 needs no indices any more.
bool has_gone(const Machine& m, const SlabView& v) { return !is_old(m) && v.slab->rcu != 0; }

// What stands in front of the first object besides the colour: 2.6.11's management.
std::uint64_t in_front(const Machine& m, const SlabView& v) {
  return is_old(m) && !is_off(v) ? v.of->freelist_size : 0;
}

std::uint64_t behind(const Machine& m, const SlabView& v) {
  return is_old(m) || is_off(v) || in_object(v) ? 0 : v.of->freelist_size;
}

}  // namespace

Broken colours_broken(const Machine& m) {
  for (std::uint64_t i = 0; i < m.slab.node.count; ++i) {
    const auto cache = static_cast<Index>(i / m.config.nodes);
    if (!exists(m, cache)) continue;
    const Cache& c = cache_at(m, cache);
    const std::uint32_t next = is_old(m) ? c.colour_next : m.arena.at(m.slab.node, i).colour_next;
    if (next >= std::max(c.colour, 1u))
      return Witness{name_of(m, cache) + ", the next colour", std::max(c.colour, 1u) - 1, next};
  }
  for (Index page = 0; page < m.slab.slab.count; ++page) {
    const Slab& slab = slab_at(m, page);
    if (slab.head != page + 1 || slab.cache == 0 || !exists(m, slab.cache - 1)) continue;
    const Cache& of = cache_at(m, slab.cache - 1);
    const std::uint64_t most = of.colour == 0 ? 0 : std::uint64_t{of.colour - 1} * of.colour_off;
    const auto where = [&](std::string_view what) {
      return fmt::format("{}, the slab of page {}, {}", name_of(m, slab.cache - 1), page, what);
    };
    if (slab.colour > most) return Witness{where("its colour"), most, slab.colour};
    if (slab.colour != 0 && slab.colour % of.colour_off != 0)
      return Witness{where("its colour is a multiple"), of.colour_off, slab.colour};
    const auto v = sound_slab(m, page);
    if (!v) return Witness{where("the place of its objects"), 0, slab.s_mem};
    if (slab.s_mem - v->address - slab.colour != in_front(m, *v))
      return Witness{where("bytes between its colour and its first object"), in_front(m, *v),
                     slab.s_mem - v->address - slab.colour};
    const std::uint64_t end = slab.s_mem - v->address + std::uint64_t{of.num} * of.size;
    if (end > v->bytes - std::min(v->bytes, behind(m, *v)))
      return Witness{where("the end of its last object"), v->bytes - behind(m, *v), end};
  }
  return std::nullopt;
}

namespace {

Broken on_slab_broken(const Machine& m, const SlabView& v) {
  const std::uint64_t place = is_old(m) ? v.address + v.slab->colour + ref::slab::slab_struct_bytes
                                        : v.address + v.bytes - v.of->freelist_size;
  if (v.slab->freelist == place) return std::nullopt;
  return Witness{said(m, v, "the place of its free indices"), place, v.slab->freelist};
}

// 6.1: the free object that was freed last when the slab was full, and nothing while it is full.
Broken in_object_broken(const Machine& m, const SlabView& v) {
  if (v.slab->active == v.of->num) {
    if (v.slab->freelist == 0) return std::nullopt;
    return Witness{said(m, v, "full, its free indices"), 0, v.slab->freelist};
  }
  if (v.of->freelist_size > v.of->object_size)
    return Witness{said(m, v, "room for free indices in an object"), v.of->object_size,
                   v.of->freelist_size};
  const FreeObjects free = free_objects(m, v);
  for (std::uint64_t i = 0; i < v.of->num; ++i)
    if (v.given(i) == v.slab->freelist) {
      if (is_live(m, v.given(i)))
        return Witness{said(m, v, "free indices in an object that a caller has"), 0, i};
      if (free.wrong.empty() && !free.is_free[i])
        return Witness{said(m, v, "free indices in an object that is used"), 0, i};
      return std::nullopt;
    }
  return Witness{said(m, v, "free indices in an object of its own"), v.given(0), v.slab->freelist};
}

Broken off_slab_broken(const Machine& m, const SlabView& v) {
  const Index holder = v.of->freelist_cache - 1;
  const std::uint64_t place = v.slab->freelist - (is_old(m) ? ref::slab::slab_struct_bytes : 0);
  const auto object = object_given_at(m, place);
  if (!object || object->slab.cache != holder)
    return Witness{said(m, v, "free indices in an object of its general cache"), holder,
                   object ? object->slab.cache : place};
  if (!is_live(m, place) || !has_bit(m, m.slab.own, place))
    return Witness{said(m, v, "free indices in a live object of the allocator's own"), 1, 0};
  if (object->slab.of->object_size < v.of->freelist_size)
    return Witness{said(m, v, "room for its free indices"), v.of->freelist_size,
                   object->slab.of->object_size};
  return std::nullopt;
}

}  // namespace

Broken management_broken(const Machine& m) {
  for (Index c = 0; c < m.slab.cache.count; ++c) {
    if (!exists(m, c)) continue;
    const Cache& of = cache_at(m, c);
    const bool off = (of.flags & CFLGS_OFF_SLAB) != 0;
    if (const Broken broken =
            of_cache(m, c, "a cache for off-slab indices", off, of.freelist_cache != 0))
      return broken;
    if (!off) continue;
    if (!exists(m, of.freelist_cache - 1))
      return of_cache(m, c, "the cache of its off-slab indices exists", 1, 0);
    if (cache_at(m, of.freelist_cache - 1).flags & CFLGS_OFF_SLAB)
      return of_cache(m, c, "off-slab indices of the cache of its off-slab indices", 0, 1);
  }
  std::set<std::uint64_t> places;
  for (const SlabView& v : sound_slabs(m)) {
    if (has_gone(m, v)) continue;
    const Broken broken = is_off(v)      ? off_slab_broken(m, v)
                          : in_object(v) ? in_object_broken(m, v)
                                         : on_slab_broken(m, v);
    if (broken) return broken;
    if (v.slab->freelist != 0 && !places.insert(v.slab->freelist).second)
      return Witness{said(m, v, "free indices of another slab, too"), 1, 2};
  }
  return std::nullopt;
}

Broken indices_broken(const Machine& m) {
  for (const SlabView& v : sound_slabs(m)) {
    if (has_gone(m, v)) continue;
    const FreeObjects free = free_objects(m, v);
    if (!free.wrong.empty()) return Witness{said(m, v, free.wrong), free.expected, free.actual};
    for (std::uint64_t i = 0; i < v.of->num; ++i)
      if (free.is_free[i] && is_live(m, v.given(i)))
        return Witness{said(m, v, fmt::format("object {} is free, and a caller has it", i)), 0, 1};
  }
  return std::nullopt;
}

namespace {

// Where an object that an array holds must come from.
std::uint32_t node_of(const Machine& m, const ArrayView& a) {
  switch (a.kind) {
    case ArrayKind::cpu: return ref::buddy::node_of_cpu(m, a.whose);
    case ArrayKind::shared: return a.whose;
    case ArrayKind::alien: return a.of;
  }
  return 0;
}

// What was seen while the arrays are walked.
struct Seen {
  std::set<std::uint64_t> addresses;
  std::map<Index, FreeObjects> slabs;
  bool is_free(const Machine& m, const ObjectIn& object) {
    auto found = slabs.find(object.slab.page);
    if (found == slabs.end())
      found = slabs.emplace(object.slab.page, free_objects(m, object.slab)).first;
    return found->second.is_free[object.number];
  }
};

// The first entry from `from` on that is not zero; the number of entries if there is none. Most of
// all entries are unused, so they are looked at many at a time.
std::uint32_t first_written(const ArrayView& a, std::uint32_t from) {
  constexpr std::uint32_t block = 32;
  for (; from + block <= a.entries_max; from += block) {
    std::uint64_t any = 0;
    for (std::uint32_t i = 0; i < block; ++i) any |= a.entry[from + i];
    if (any != 0) break;
  }
  while (from < a.entries_max && a.entry[from] == 0) ++from;
  return from;
}

Broken array_broken(const Machine& m, const ArrayView& a, Seen& seen) {
  const auto where = [&](std::string_view what) { return a.name(m) + ", " + std::string(what); };
  if (a.array->limit > a.entries_max)
    return Witness{where("its limit"), a.entries_max, a.array->limit};
  if (a.array->avail > a.array->limit)
    return Witness{where("objects in it"), a.array->limit, a.array->avail};
  if (const std::uint32_t i = first_written(a, a.array->avail); i < a.entries_max)
    return Witness{where(fmt::format("entry {}, unused", i)), 0, a.entry[i]};
  for (std::uint32_t i = 0; i < a.array->avail; ++i) {
    const std::uint64_t address = a.entry[i];
    const auto entry = [&] { return where(fmt::format("entry {}, {:#x}", i, address)); };
    const auto object = object_given_at(m, address);
    if (!object) return Witness{entry() + ", an object begins there", 1, 0};
    if (object->slab.cache != a.cache)
      return Witness{entry() + ", its cache", a.cache, object->slab.cache};
    if (object->slab.node != node_of(m, a))
      return Witness{entry() + ", its node", node_of(m, a), object->slab.node};
    if (is_live(m, address)) return Witness{entry() + ", a caller has it", 0, 1};
    if (!seen.addresses.insert(address).second) return Witness{entry() + ", in arrays", 1, 2};
    if (seen.is_free(m, *object)) return Witness{entry() + ", free on its slab", 0, 1};
  }
  return std::nullopt;
}

}  // namespace

Broken arrays_broken(const Machine& m) {
  Broken broken;
  Seen seen;
  for_each_array(m, [&](const ArrayView& a) {
    if (!broken) broken = array_broken(m, a, seen);
  });
  return broken;
}

Broken sums_broken(const Machine& m) {
  std::map<Index, std::vector<std::uint64_t>> parked;  // by slab: numbers of objects in arrays
  for_each_array(m, [&](const ArrayView& a) {
    for (std::uint32_t i = 0; i < std::min(a.array->avail, a.entries_max); ++i)
      if (const auto object = object_given_at(m, a.entry[i]))
        parked[object->slab.page].push_back(object->number);
  });
  std::uint64_t live_all = 0;
  for (const SlabView& v : sound_slabs(m)) {
    std::uint64_t live = 0;
    for (std::uint64_t i = 0; i < v.of->num; ++i) live += is_live(m, v.given(i));
    live_all += live;
    if (live + parked[v.page].size() != v.slab->active)
      return Witness{said(m, v, "objects with callers and in arrays"), live + parked[v.page].size(),
                     v.slab->active};
  }
  const std::uint64_t bits = bits_of(m, m.slab.live);
  if (bits != live_all) return Witness{"places that count as live objects", live_all, bits};
  return std::nullopt;
}

namespace {

// Collects what caches need for themselves, and what is wrong with it.
class Holdings {
 public:
  explicit Holdings(const Machine& m) : m_(m) {}
  // `address` is an object of at least so many bytes: of a cache, or of a general one.
  void hold(std::string_view what, Index cache, std::uint64_t address, std::uint64_t bytes,
            std::optional<Index> from = std::nullopt) {
    if (broken_) return;
    const auto wrong = [&](std::string_view how, std::uint64_t expected, std::uint64_t actual) {
      broken_ =
          of_cache(m_, cache, fmt::format("{} at {:#x}, {}", what, address, how), expected, actual);
    };
    const auto object = object_given_at(m_, address);
    if (!object && !from && is_block(address, bytes)) {  // too large for any general cache
      if (!blocks_.insert(address).second) wrong("in use elsewhere", 0, 1);
      return;
    }
    if (!object) return wrong("an object", 1, 0);
    if (!is_live(m_, address)) return wrong("a live object", 1, 0);
    if (!has_bit(m_, m_.slab.own, address)) return wrong("one of the allocator's own", 1, 0);
    if (from) wrong("its cache", *from, object->slab.cache);
    else wrong("an object of a general cache", 1, is_general(object->slab.cache));
    if (!broken_ && object->slab.of->object_size < bytes)
      wrong("its room", bytes, object->slab.of->object_size);
    if (!broken_ && !seen_.insert(address).second) wrong("in use elsewhere", 0, 1);
  }
  const Broken& broken() const { return broken_; }
  std::uint64_t count() const { return seen_.size(); }  // without those

 private:
  // A block of pages of that size, which no slab has.
  bool is_block(std::uint64_t address, std::uint64_t bytes) const {
    const auto ram = ram_of(m_, address);
    if (!ram || *ram % m_.config.page_bytes != 0) return false;
    const auto page = static_cast<Index>(*ram / m_.config.page_bytes);
    const ref::buddy::Page& p = page_at(m_, page);
    const std::uint64_t room = std::uint64_t{m_.config.page_bytes} << p.order;
    return slab_at(m_, page).head == 0 && p.kind == ref::buddy::PageKind::live_head &&
           bytes <= room && (p.order == 0 || bytes > room / 2);
  }
  bool is_general(Index cache) const {
    for (std::uint64_t i = 0; i < m_.slab.general.count; ++i)
      if (m_.arena.at(m_.slab.general, i) == cache + 1) return true;
    return false;
  }
  const Machine& m_;
  std::set<std::uint64_t> seen_, blocks_;
  Broken broken_;
};

}  // namespace

Broken held_broken(const Machine& m) {
  Holdings held(m);
  for (Index c = 0; c < m.slab.cache.count; ++c) {
    if (!exists(m, c)) continue;
    if (c != 0) held.hold("its descriptor", c, cache_at(m, c).object, 0, 0);
    for (std::uint32_t node = 0; node < m.config.nodes; ++node) {
      const Node& n = node_at(m, c, node);
      if (is_old(m)) continue;
      held.hold("its node", c, n.object, 0);
      if (m.config.nodes > 1)
        held.hold("its table of alien arrays", c, n.alien_object,
                  m.config.nodes * m.profile().word_bytes);
    }
  }
  for_each_array(m, [&](const ArrayView& a) {
    const bool per_cpu = a.kind == ArrayKind::cpu && !is_old(m);  // per-CPU memory is no object
    if (a.array->present != 0 && !per_cpu && exists(m, a.cache))
      held.hold(
          "an array", a.cache, a.array->object,
          ref::slab::array_struct_bytes + std::uint64_t{a.array->limit} * m.profile().word_bytes);
  });
  for (const SlabView& v : sound_slabs(m))
    if (is_off(v) && !has_gone(m, v))
      held.hold("free indices", v.cache,
                v.slab->freelist - (is_old(m) ? ref::slab::slab_struct_bytes : 0),
                v.of->freelist_size);
  if (held.broken()) return held.broken();
  const std::uint64_t own = bits_of(m, m.slab.own);
  if (own != held.count()) return Witness{"objects of the allocator's own", held.count(), own};
  return std::nullopt;
}

}  // namespace props::slab
