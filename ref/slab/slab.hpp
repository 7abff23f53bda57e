// slab: the object allocator's interface, as callers in the kernel know it.
//
//   kmem_cache_alloc ─▶ this CPU's array ─▶ shared array ─▶ partial, free slabs ─▶ a new slab
//   kmem_cache_free  ─▶ this CPU's array ─▶ when full: oldest to the shared array, else to slabs
//                        (6.1: objects of another node to the alien array)
//
// Objects are named by kernel address, caches by CacheId. A request that must wait for memory
// answers `suspended`, having changed nothing that a caller can see; it starts anew when it is
// made again.
#pragma once
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ref/slab/machine.hpp"

namespace ref::slab {

using buddy::Answer;
using buddy::Refused;
using core::Env;

enum class CacheId : std::uint32_t {};  // index in the table of caches

struct CacheSpec {
  std::optional<std::string_view> name = {};  // none: NULL
  std::uint64_t size = 0;
  std::uint32_t align = 0;
  std::uint32_t flags = 0;  // SlabFlag
  Ctor ctor = 0;
};

// A cache; in 6.1 perhaps an existing one that serves as well (S-6). What a kernel answers NULL to
// is refused as `no_memory`; what it stops at is a fault: bad_cache (also any failure with
// SLAB_PANIC), duplicate_name.
[[nodiscard]] Answer<CacheId> kmem_cache_create(Env&, Machine&, const CacheSpec&);
// busy: objects remain (S-41), and can still be given back. 2.6.11 keeps the cache as it was.
enum class Destroyed : std::uint8_t { gone, still_used, busy };
Answer<Destroyed> kmem_cache_destroy(Env&, Machine&, std::optional<CacheId>);
// Whether slabs remain (S-40).
Answer<bool> kmem_cache_shrink(Env&, Machine&, std::optional<CacheId>);
std::uint32_t kmem_cache_size(const Machine&, CacheId);

[[nodiscard]] Answer<Address> kmem_cache_alloc(Env&, Machine&, CacheId, Gfp);
[[nodiscard]] Answer<Address> kmem_cache_alloc_node(Env&, Machine&, CacheId, Gfp,
                                                    std::uint32_t node);
// Misuse is in the machine's log, and changes nothing. Of several faults the first of these:
// no_such_cache, not_an_object, wrong_cache, double_free.
void kmem_cache_free(Env&, Machine&, CacheId, Address);
// All or nothing (K-12): how many, 0 or all.
[[nodiscard]] Answer<std::size_t> kmem_cache_alloc_bulk(Env&, Machine&, CacheId, Gfp,
                                                        std::span<Address>);
// No cache: each object to its own. Pages are kmalloc's (kfree_bulk).
void kmem_cache_free_bulk(Env&, Machine&, std::optional<CacheId>, std::span<const Address>);

void cache_reap(Env&, Machine&);  // the periodic work of this CPU (S-42)
void pass_time(Machine&, std::uint32_t ticks);
void rcu_grace_period(Env&, Machine&);  // pages of TYPESAFE_BY_RCU slabs go back

// The table of general caches ---------------------------------------------------------------

// The sizes of an era's classes on a machine, ascending (K-2).
std::span<const std::uint32_t> general_sizes(const core::Config&);
// The smallest class that fits, of the kind that the flags ask for; none above the largest.
std::optional<CacheId> general_cache(const Machine&, std::uint64_t size, Gfp);

// Objects ---------------------------------------------------------------------------------

struct ObjectAt {
  CacheId cache;
  std::uint32_t index;  // in its slab
  Address first;        // its caller's first byte
  bool live;            // a caller has it
};
// The object that an address lies in; nothing outside slabs, or between objects.
std::optional<ObjectAt> object_at(const Machine&, Address);
std::span<const std::byte> read_bytes(const Machine&, Address, std::uint64_t bytes);
std::span<std::byte> write_bytes(Machine&, Address, std::uint64_t bytes);

// Text, byte for byte as /proc/slabinfo.
std::string slabinfo(const Machine&);
enum class SlabinfoWrite : std::uint8_t { done, ignored, invalid, no_memory };
Answer<SlabinfoWrite> slabinfo_write(Env&, Machine&, std::string_view line);  // S-43

}  // namespace ref::slab
