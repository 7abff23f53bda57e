// Implements the calls on objects: the checks of callers, who has what, and the bytes.
#include <algorithm>
#include <bit>

#include "ref/slab/alloc.hpp"
#include "ref/slab/create.hpp"
#include "ref/slab/direct.hpp"
#include "ref/slab/freelist.hpp"

namespace ref::slab {

using namespace core;  // the gfp bits, faults

namespace {

// S-33, 2.6.11: cache_grow's BUG() and kmem_flagcheck. There they are found when a slab is made;
// here always.
inline bool bad_slab_gfp(const Machine& m, const Cache& cache, Gfp gfp) {
  switch (m.profile().slab_misuse) {
    case SlabMisuse::tolerated: return false;
    case SlabMisuse::stops_the_kernel: {
      constexpr Gfp allowed = GFP_BIT_DMA | GFP_BIT_DIRECT_RECLAIM | GFP_BIT_HIGH | GFP_BIT_IO |
                              GFP_BIT_FS | GFP_BIT_COLD | GFP_BIT_NOWARN | GFP_BIT_RETRY_MAYFAIL |
                              GFP_BIT_NOFAIL | GFP_BIT_NORETRY | GFP_BIT_NO_GROW | GFP_BIT_COMP;
      const bool dma = cache.flags & SLAB_CACHE_DMA;
      return (gfp & ~allowed) != 0 || dma != ((gfp & GFP_BIT_DMA) != 0);
    }
  }
  UNREACHABLE("a slab misuse policy outside the list");
}

// A cache that callers may use; where nothing was booted there is none.
inline bool serves(const Machine& m, CacheId cache, Gfp gfp) {
  return usable(m, cache) && !bad_slab_gfp(m, cache_at(m, static_cast<Index>(cache)), gfp);
}
// Why a call on a cache cannot be served.
[[gnu::cold]] Refused refuse(Machine& m, CacheId cache) {
  if (globals_of(m).up == 0) return Refused::no_memory;
  report(m, usable(m, cache) ? Fault::bad_slab_gfp : Fault::no_such_cache, Effect::none);
  return Refused::misuse;
}

Answer<Address> allocate(Env& env, Machine& m, CacheId cache, Gfp gfp,
                         std::optional<std::uint32_t> node) {
  if (!serves(m, cache, gfp)) [[unlikely]]
    return std::unexpected(refuse(m, cache));
  const auto object = slab_alloc(env, m, static_cast<Index>(cache), gfp, node);
  if (!object) return std::unexpected(object.error());
  set_bit(m, m.slab.live, place_in_slab(m, *object), true);
  return Address{*object};
}

// Where an object begins, and its slab.
struct Found {
  Index page;
  std::uint64_t place;
};
// Nothing: no object of a slab begins at the address.
std::optional<Found> find_object(const Machine& m, std::uint64_t address) {
  const std::optional<std::uint64_t> place = place_of(m, address);
  if (!place) return std::nullopt;
  const Index head = slab_at(m, page_of_place(m, *place)).head;
  if (head == 0) return std::nullopt;
  const Slab& s = slab_at(m, head - 1);
  if (s.s_mem == 0) return std::nullopt;  // it is being made
  const Cache& c = cache_at(m, s.cache - 1);
  const std::uint64_t first = s.s_mem + c.obj_offset;
  if (address < first) return std::nullopt;
  const auto offset = static_cast<std::uint32_t>(address - first);  // a slab is smaller than 4 GiB
  if (offset % c.size != 0 || offset / c.size >= c.num) return std::nullopt;
  return Found{head - 1, *place};
}

// What is wrong with giving an address back to a cache: where it is, whose it is, whether anybody
// has it; in this order (S-34, S-35).
Fault fault_of_free(const Machine& m, Index cache, const std::optional<Found>& object) {
  if (!object) return Fault::not_an_object;
  if (slab_at(m, object->page).cache != cache + 1) return Fault::wrong_cache;
  // What the allocator has for itself no caller has: he had it, and gave it back.
  if (!has_bit(m, m.slab.live, object->place) || has_bit(m, m.slab.own, object->place))
    return Fault::double_free;
  return Fault::none;
}

// True: something is wrong, and is in the log now.
[[gnu::noinline]] bool report_bad_free(Machine& m, Index cache, Address address) {
  const auto object = find_object(m, static_cast<std::uint64_t>(address));
  const Fault fault = fault_of_free(m, cache, object);
  if (fault == Fault::none) return false;
  report(m, fault, Effect::none, buddy::virt_to_pfn(m, address).value_or(0));
  return true;
}

// The cache, index + 1, of the object at a place that a caller has; 0: none begins there. The bits
// know, and spare the division that tells where objects begin; but where they begin within words,
// as an odd alignment makes them, a bit does not know at which byte, and the answer is 0.
inline Index cache_of_live(const Machine& m, std::uint64_t place) {
  if (!has_bit(m, m.slab.live, place) || has_bit(m, m.slab.own, place)) return 0;
  const Index head = slab_at(m, page_of_place(m, place)).head;
  if (head == 0) return 0;
  const Slab& s = slab_at(m, head - 1);
  const Cache& c = cache_at(m, s.cache - 1);
  const std::uint64_t bits = place | (s.s_mem + c.obj_offset) | c.size;
  return (bits & (m.profile().word_bytes - 1)) == 0 ? s.cache : 0;
}

void free_object(Env& env, Machine& m, Index cache, Address address) {
  const auto at = static_cast<std::uint64_t>(address);
  const std::optional<std::uint64_t> place = place_of(m, at);
  const bool right = place && cache_of_live(m, *place) == cache + 1;
  if (!right && report_bad_free(m, cache, address)) [[unlikely]]
    return;
  set_bit(m, m.slab.live, *place, false);
  cache_free(env, m, cache, at);
}

// A cache that objects may be given back to: also one that was destroyed while it had some.
bool takes_objects(const Machine& m, CacheId cache) {
  const auto c = static_cast<std::uint64_t>(cache);
  if (c >= m.slab.cache.count) return false;
  const CacheState state = cache_at(m, static_cast<Index>(c)).state;
  return state == CacheState::live || state == CacheState::zombie;
}

}  // namespace

Answer<Address> kmem_cache_alloc(Env& env, Machine& m, CacheId cache, Gfp gfp) {
  return allocate(env, m, cache, gfp, std::nullopt);
}

Answer<Address> kmem_cache_alloc_node(Env& env, Machine& m, CacheId cache, Gfp gfp,
                                      std::uint32_t node) {
  REQUIRE(node < m.config.nodes);
  return allocate(env, m, cache, gfp, node);
}

void kmem_cache_free(Env& env, Machine& m, CacheId cache, Address address) {
  if (!takes_objects(m, cache)) return report(m, Fault::no_such_cache, Effect::none);
  free_object(env, m, static_cast<Index>(cache), address);
}

bool kfree_object(Env& env, Machine& m, Address address) {
  const auto at = static_cast<std::uint64_t>(address);
  const std::optional<std::uint64_t> place = place_of(m, at);
  const Index cache = place ? cache_of_live(m, *place) : 0;
  if (cache == 0) return false;
  set_bit(m, m.slab.live, *place, false);
  cache_free(env, m, cache - 1, at);
  return true;
}

// K-12. 2.6.11 has no such call; it is taken to be the same.
Answer<std::size_t> kmem_cache_alloc_bulk(Env& env, Machine& m, CacheId cache, Gfp gfp,
                                          std::span<Address> objects) {
  if (!serves(m, cache, gfp)) return std::unexpected(refuse(m, cache));
  for (std::size_t i = 0; i < objects.size(); ++i) {
    // Zeroed when all are there: those that go back must be as they were constructed.
    const Gfp one = gfp & ~Gfp{GFP_BIT_ZERO};
    const Answer<Address> object = allocate(env, m, cache, one, std::nullopt);
    if (!object) {
      const Refused why = object.error();
      kmem_cache_free_bulk(env, m, cache, objects.first(i));
      if (why == Refused::no_memory) return std::size_t{0};
      return std::unexpected(why);
    }
    objects[i] = *object;
  }
  if (gfp & GFP_BIT_ZERO)
    for (const Address object : objects)
      std::ranges::fill(write_bytes(m, object, cache_at(m, static_cast<Index>(cache)).object_size),
                        std::byte{0});
  return objects.size();
}

// Without a cache each object goes back to its own; pages are kmalloc's (kfree_bulk).
void kmem_cache_free_bulk(Env& env, Machine& m, std::optional<CacheId> cache,
                          std::span<const Address> objects) {
  if (cache && !takes_objects(m, *cache)) return report(m, Fault::no_such_cache, Effect::none);
  for (const Address object : objects) {
    if (cache) {
      free_object(env, m, static_cast<Index>(*cache), object);
      continue;
    }
    const std::optional<Found> found = find_object(m, static_cast<std::uint64_t>(object));
    if (found) free_object(env, m, slab_at(m, found->page).cache - 1, object);
    else report(m, Fault::not_an_object, Effect::none);
  }
}

Answer<std::uint64_t> alloc_own(Env& env, Machine& m, Index cache, Gfp gfp,
                                std::optional<std::uint32_t> node) {
  const Answer<std::uint64_t> object = slab_alloc(env, m, cache, gfp, node);
  if (!object) return object;
  const std::uint64_t place = place_in_slab(m, *object);
  set_bit(m, m.slab.live, place, true);
  set_bit(m, m.slab.own, place, true);
  return object;
}

Answer<std::uint64_t> alloc_own_pages(Env& env, Machine& m, std::uint64_t bytes, Gfp gfp,
                                      std::uint32_t node) {
  const auto order = static_cast<unsigned>(std::bit_width((bytes - 1) / m.config.page_bytes));
  const auto pfn = buddy::alloc_pages_node(env, m, node, gfp | GFP_BIT_COMP, order);
  if (!pfn) return std::unexpected(forget_wait(m, pfn.error()));
  return core::page_offset + std::uint64_t{*pfn} * m.config.page_bytes;
}

void free_own(Env& env, Machine& m, std::uint64_t address) {
  if (address == 0) return;
  const std::uint64_t place = place_in_slab(m, address);
  const Index page = page_of_place(m, place);
  if (slab_at(m, page).head == 0) {
    const unsigned order = buddy::page_at(m, page).order;
    return buddy::free_pages(env, m, Address{address}, order);
  }
  set_bit(m, m.slab.live, place, false);
  set_bit(m, m.slab.own, place, false);
  cache_free(env, m, slab_at(m, slab_of(m, address)).cache - 1, address);
}

std::optional<ObjectAt> object_at(const Machine& m, Address address) {
  const auto at = static_cast<std::uint64_t>(address);
  const std::optional<std::uint64_t> place = place_of(m, at);
  if (!place) return std::nullopt;
  const Index head = slab_at(m, page_of_place(m, *place)).head;
  if (head == 0 || slab_at(m, head - 1).s_mem == 0) return std::nullopt;
  const Slab& s = slab_at(m, head - 1);
  const Cache& c = cache_at(m, s.cache - 1);
  if (at < s.s_mem + c.obj_offset) return std::nullopt;
  const std::uint64_t offset = at - s.s_mem - c.obj_offset, index = offset / c.size;
  if (index >= c.num || offset % c.size >= c.object_size) return std::nullopt;
  const std::uint64_t first = s.s_mem + c.obj_offset + index * c.size;
  const std::uint64_t begin = *place - (at - first);  // a slab is one run of RAM
  return ObjectAt{CacheId{s.cache - 1}, static_cast<std::uint32_t>(index), Address{first},
                  has_bit(m, m.slab.live, begin) && !has_bit(m, m.slab.own, begin)};
}

std::span<const std::byte> read_bytes(const Machine& m, Address address, std::uint64_t bytes) {
  return m.arena.bytes(m.ram, place_in_slab(m, static_cast<std::uint64_t>(address)), bytes);
}

std::span<std::byte> write_bytes(Machine& m, Address address, std::uint64_t bytes) {
  return m.arena.edit_bytes(m.ram, place_in_slab(m, static_cast<std::uint64_t>(address)), bytes);
}

}  // namespace ref::slab
