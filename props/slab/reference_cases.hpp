// reference_cases: small machines of the object allocator, for tests that work a sentence out.
//
//   Kernel k(plain(era));  CacheId c = k.create({.size = 1000});
//   k.picture(c)   "partial [xxo.] free [....]"   x with a caller, o in an array, . free;
//                  lists from their heads, full, partial, free; slabs from their first object
#pragma once
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ref/slab/array.hpp"
#include "ref/slab/freelist.hpp"
#include "ref/slab/lists.hpp"
#include "ref/slab/slab.hpp"

namespace props::slab::by_hand {

using namespace ref::slab;
using namespace ref::core;
using ref::buddy::PageFlag;
using ref::slab::Address;
using ref::slab::Machine;

inline constexpr EraId old_era = EraId::linux_2_6_11, new_era = EraId::linux_6_1;
inline constexpr std::array eras{old_era, new_era};

// One zone, one CPU, pages of 4096 bytes, no per-CPU page lists that hide what goes back.
inline Config plain(EraId era, std::uint32_t pages = 512) {
  Config c;
  c.era = era;
  c.pcp = false;
  c.min_free_kbytes = 0;
  c.lowmem_reserve_ratio = {0, 0};
  c.slab_merge = false;
  c.add_zone(ZoneKind::normal, pages);
  return c;
}
inline Config debugged(EraId era) {
  Config c = plain(era);
  c.slab_debug = true;
  return c;
}
// Two nodes with a CPU each.
inline Config two_nodes() {
  Config c = plain(new_era);
  c.nodes = c.cpus = 2;
  c.add_zone(ZoneKind::normal, 512, 1);
  return c;
}

struct Quiet final : Env {};

class Kernel {
 public:
  explicit Kernel(const Config& config) : m(config) {
    EXPECT_EQ(m.arena.at(m.slab.globals, 0).up, 1u);
  }
  Gfp gfp(std::string_view name = "GFP_KERNEL") const { return gfp_of(m.config.era, name); }

  Answer<CacheId> ask_cache(CacheSpec spec) {
    if (!spec.name) spec.name = "test";
    return kmem_cache_create(env, m, spec);
  }
  CacheId create(const CacheSpec& spec) {
    const auto cache = ask_cache(spec);
    EXPECT_TRUE(cache.has_value());
    return cache.value_or(CacheId{0});
  }
  Address get(CacheId c, Gfp extra = 0) {
    const auto object = kmem_cache_alloc(env, m, c, gfp() | extra);
    EXPECT_TRUE(object.has_value());
    return object.value_or(Address::null);
  }
  std::vector<Address> get_many(CacheId c, std::size_t count) {
    std::vector<Address> objects(count);
    for (Address& o : objects) o = get(c);
    return objects;
  }
  void put(CacheId c, Address object) { kmem_cache_free(env, m, c, object); }
  void put_all(CacheId c, const std::vector<Address>& objects) {
    for (const Address o : objects) put(c, o);
  }
  // With arrays of this size from now on, and empty.
  void tune(CacheId c, std::uint32_t limit, std::uint32_t batch, std::uint32_t shared = 0) {
    const auto done =
        slabinfo_write(env, m,
                       std::string(cache(c).name.data()) + " " + std::to_string(limit) + " " +
                           std::to_string(batch) + " " + std::to_string(shared));
    EXPECT_TRUE(done && *done == SlabinfoWrite::done);
  }

  const Cache& cache(CacheId c) const { return cache_at(m, static_cast<Index>(c)); }
  const Node& node(CacheId c, std::uint32_t n = 0) const {
    return node_at(m, static_cast<Index>(c), n);
  }
  const ArrayCache& cpu(CacheId c, std::uint32_t which = 0) const {
    return array_at(m, cpu_array(m, static_cast<Index>(c), which));
  }
  const ArrayCache& shared(CacheId c, std::uint32_t n = 0) const {
    return array_at(m, shared_array(m, static_cast<Index>(c), n));
  }
  const ArrayCache& alien(CacheId c, std::uint32_t n, std::uint32_t of) const {
    return array_at(m, alien_array(m, static_cast<Index>(c), n, of));
  }
  std::vector<Address> entries(const ArrayRef& a) const {
    std::vector<Address> all;
    for (std::uint32_t i = 0; i < array_at(m, a).avail; ++i)
      all.push_back(Address{m.arena.at(a.entries, a.index * a.room + i)});
    return all;
  }
  std::vector<Address> cpu_entries(CacheId c, std::uint32_t which = 0) const {
    return entries(cpu_array(m, static_cast<Index>(c), which));
  }
  const Slab& slab(Address object) const {
    return slab_at(m, slab_of(m, static_cast<std::uint64_t>(object)));
  }
  std::uint32_t index(Address object) const {
    const auto at = static_cast<std::uint64_t>(object);
    return obj_to_index(m, slab_of(m, at), at);
  }
  // Bytes from the slab's first page to the object.
  std::uint64_t offset(Address object) const {
    const auto at = static_cast<std::uint64_t>(object);
    return at - slab_address(m, slab_of(m, at));
  }

  // What went wrong since this was last asked.
  Log log() {
    const Log log = m.globals().log;
    clear_log(m);
    return log;
  }
  Fault fault() { return log().fault; }
  unsigned warnings() { return log().warnings; }
  std::uint64_t free_pages() const {
    std::uint64_t sum = 0;
    for (Index z = 0; z < m.config.zone_count; ++z) sum += ref::buddy::zone_at(m, z).free_pages;
    return sum;
  }
  // Everything that is in nobody's hands goes back to the pages.
  void settle() {
    for (int round = 0; round < 3; ++round)
      for (Index link = globals_of(m).first; link != 0; link = cache_at(m, link - 1).next)
        (void)kmem_cache_shrink(env, m, CacheId{link - 1});
    clear_log(m);
  }
  // Takes what the caches have in stock, so that every object that a call needs is the first of a
  // new slab: each is a page request that can fail.
  struct Stock {
    CacheId cache;
    Address object;
  };
  std::vector<Stock> take_stock();
  std::string picture(CacheId c, std::uint32_t n = 0) const;

  Quiet env;
  Machine m;
};

inline std::vector<Kernel::Stock> Kernel::take_stock() {
  settle();
  std::vector<Stock> stock;
  for (Index link = globals_of(m).first; link != 0; link = cache_at(m, link - 1).next) {
    const CacheId c{link - 1};
    if (cache(c).size > 4096) continue;  // nothing that is needed is so large
    const Gfp dma = cache(c).flags & SLAB_CACHE_DMA ? Gfp{GFP_BIT_DMA} : Gfp{0};
    for (std::uint32_t n = 0; n < m.config.nodes; ++n) {
      select_cpu(m, n);  // whose node is this
      while (cpu(c, n).avail + node(c, n).free_objects > 0) stock.push_back({c, get(c, dma)});
    }
  }
  select_cpu(m, 0);
  return stock;
}

inline std::string Kernel::picture(CacheId c, std::uint32_t n) const {
  std::string text;
  const auto draw = [&](std::string_view name, const List& list) {
    if (list.head == 0) return;
    text += (text.empty() ? "" : " ") + std::string(name);
    for (Index link = list.head; link != 0; link = slab_at(m, link - 1).next) {
      text += " [";
      std::vector<bool> free(cache(c).num, false);
      Machine copy = m;  // taking the free ones out of a copy tells which they are
      while (slab_at(copy, link - 1).active < cache(c).num)
        free[obj_to_index(m, link - 1, slab_get_obj(copy, link - 1))] = true;
      for (std::uint32_t i = 0; i < cache(c).num; ++i) {
        const Address object{index_to_obj(m, link - 1, i)};
        text += free[i] ? '.' : object_at(m, object)->live ? 'x' : 'o';
      }
      text += ']';
    }
  };
  draw("full", node(c, n).full), draw("partial", node(c, n).partial), draw("free", node(c, n).free);
  return text.empty() ? "none" : text;
}

}  // namespace props::slab::by_hand
