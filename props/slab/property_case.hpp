// property_case: the subject of a property's own questions, and what is left when all is given
// back.
//
//   world at the end of a trace ──▶ copy, caller free to act ──▶ calls ──▶ settled ──▶ shape
//
// The calls are a value of the case: a test hands in a broken one, and sees the property name it.
#pragma once
#include "props/buddy/property_case.hpp"
#include "props/slab/properties.hpp"

namespace props::slab {

using ref::core::Index;
using ref::slab::Address;
using ref::slab::Machine;

struct Calls {
  decltype(&ref::slab::kmem_cache_create) create = ref::slab::kmem_cache_create;
  decltype(&ref::slab::kmem_cache_destroy) destroy = ref::slab::kmem_cache_destroy;
  decltype(&ref::slab::kmem_cache_shrink) shrink = ref::slab::kmem_cache_shrink;
  decltype(&ref::slab::kmem_cache_alloc) alloc = ref::slab::kmem_cache_alloc;
  decltype(&ref::slab::kmem_cache_alloc_bulk) alloc_bulk = ref::slab::kmem_cache_alloc_bulk;
  decltype(&ref::slab::kmem_cache_free) free = ref::slab::kmem_cache_free;
  decltype(&ref::slab::slabinfo) slabinfo = ref::slab::slabinfo;
};

struct Case : props::Case<World, Newborn, Judging> {
  using props::Case<World, Newborn, Judging>::Case;
  Calls calls{};
};

// What memory looks like from far: the free blocks, and of each cache its slabs and the objects
// that they have given out.
struct Shape {
  struct OfCache {
    std::string name;
    std::uint64_t slabs = 0, used_slabs = 0, active = 0;
    bool operator==(const OfCache&) const = default;
  };
  std::vector<std::pair<Pfn, unsigned>> free_blocks;
  std::vector<OfCache> caches;  // newest first
  bool operator==(const Shape&) const = default;
};
Shape shape_of(const Machine&);
std::string text_of(const Shape&);

// Slabs and objects by cache, counted slab by slab; those that wait for a grace period are not
// among them.
std::vector<Shape::OfCache> count_slabs(const Machine&);

// A copy whose callers are plain tasks, with no fault planned and nothing in the log.
Machine at_rest(const World&);
Machine at_rest(Machine);

// Back to the pages goes all that is in nobody's hands.
void settle(const Calls&, Machine&);

std::vector<HeldObject> live_objects(const World&);
// Gives one back as a good owner would, in the state that the constructor left it in.
void give_back(const Calls&, Machine&, const HeldObject&);

// Flags that a cache's callers may use without waiting.
Gfp gfp_for(const HeldCache&);
// Registers that name a live cache, each cache once.
std::vector<HeldCache> live_caches(const World&);

// About what is left.
void newborn_again(Case&), any_order_of_frees(Case&), any_cpu_frees(Case&),
    failed_creation_leaves_nothing(Case&), shrinking_twice_is_once(Case&);
// About objects and texts.
void last_in_first_out(Case&), always_constructed(Case&), bulk_is_singles(Case&),
    slabinfo_restates(Case&);

}  // namespace props::slab
