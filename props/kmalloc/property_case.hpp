// property_case: the calls that a property's own questions make. They are a value of the case: a
// test hands in a broken one, and sees the property name it.
#pragma once
#include "props/kmalloc/properties.hpp"
#include "props/slab/property_case.hpp"

namespace props::kmalloc {

struct Calls {
  decltype(&ref::kmalloc::kmalloc) kmalloc = ref::kmalloc::kmalloc;
  decltype(&ref::kmalloc::kmalloc_array) kmalloc_array = ref::kmalloc::kmalloc_array;
  decltype(&ref::kmalloc::kcalloc) kcalloc = ref::kmalloc::kcalloc;
  decltype(&ref::kmalloc::krealloc) krealloc = ref::kmalloc::krealloc;
  decltype(&ref::kmalloc::krealloc_array) krealloc_array = ref::kmalloc::krealloc_array;
  decltype(&ref::kmalloc::kfree) kfree = ref::kmalloc::kfree;
  decltype(&ref::kmalloc::kfree_sensitive) kfree_sensitive = ref::kmalloc::kfree_sensitive;
  decltype(&ref::kmalloc::kfree_bulk) kfree_bulk = ref::kmalloc::kfree_bulk;
  decltype(&ref::kmalloc::ksize) ksize = ref::kmalloc::ksize;
  decltype(&ref::kmalloc::kmalloc_size_roundup) roundup = ref::kmalloc::kmalloc_size_roundup;
};

struct Case : props::Case<World, Newborn, Judging> {
  using props::Case<World, Newborn, Judging>::Case;
  Calls calls{};
};

// About what is left when all is freed.
void newborn_again(Case&), served_again(Case&), any_order_of_frees(Case&), bulk_is_singles(Case&);
// About sizes.
void room_grows_with_size(Case&), room_is_as_rounded_up(Case&), overflow_is_refused(Case&);
// About contents.
void prefix_is_kept(Case&), sensitive_is_cleared(Case&);

}  // namespace props::kmalloc
