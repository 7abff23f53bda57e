// create: what a cache needs besides its slabs, and how it gets and gives it back.
//
//   Cache ─ descriptor (object of the first cache)
//     ├─ CPU 0, 1, ...   arrays: per-CPU memory (6.1), objects of general caches (2.6.11)
//     └─ node 0, 1, ...  node, shared array, alien arrays: objects of general caches
//
// All parts are there before any is used, so a creation or a change of tunables that fails at one
// of them gives back the others and has changed nothing.
#pragma once
#include "ref/slab/grow.hpp"

namespace ref::slab {

struct Tunables {
  std::uint32_t limit, batchcount, shared;
};
Tunables default_tunables(const Machine&, Index cache);  // S-10

// do_tune_cpucache: new arrays of these sizes, and on a new cache its nodes.
[[nodiscard]] Answer<Tunables> do_tune_cpucache(Env&, Machine&, Index cache, Tunables, Gfp);
void free_parts(Env&, Machine&, Index cache);  // arrays, nodes: of a cache without slabs

// A record for a new cache, filled in; not in the chain. Nothing: the table is full.
struct NewCache {
  std::string_view name;
  std::uint32_t object_size, align, flags;
  Ctor ctor;
  std::uint64_t object;  // of its descriptor
};
enum class Setup : std::uint8_t { done, table_full, too_large };
Setup fill_cache(Machine&, const NewCache&, Index& cache);

void drain_cpu_caches(Env&, Machine&, Index cache);  // S-40: all arrays
bool shrink_cache(Env&, Machine&, Index cache);      // whether slabs remain
void release_dying_caches(Env&, Machine&);           // those that wait for a grace period

// slab_mutex: one call at a time changes or walks the chain of caches.
bool mutex_trylock(Machine&);
void mutex_unlock(Machine&);
Refused wait_for_mutex(Machine&);  // what a call answers that must wait for it

constexpr std::uint32_t reap_timeout_node = 4;  // seconds (S-42)

}  // namespace ref::slab
