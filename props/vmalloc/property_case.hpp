// property_case: the calls that a property's own questions make, and what is left of a machine.
// They are a value of the case: a test hands in a broken one, and sees the property name it.
#pragma once
#include "props/slab/property_case.hpp"
#include "props/vmalloc/properties.hpp"

namespace props::vmalloc {

struct Calls {
  decltype(&ref::vmalloc::vmalloc) vmalloc = ref::vmalloc::vmalloc;
  decltype(&ref::vmalloc::get_vm_area) get_vm_area = ref::vmalloc::get_vm_area;
  decltype(&ref::vmalloc::vmap) vmap = ref::vmalloc::vmap;
  decltype(&ref::vmalloc::vfree) vfree = ref::vmalloc::vfree;
  decltype(&ref::vmalloc::vunmap) vunmap = ref::vmalloc::vunmap;
  decltype(&ref::vmalloc::vm_unmap_aliases) vm_unmap_aliases = ref::vmalloc::vm_unmap_aliases;
  decltype(&ref::vmalloc::vm_unmap_ram) vm_unmap_ram = ref::vmalloc::vm_unmap_ram;
  decltype(&ref::vmalloc::vread) vread = ref::vmalloc::vread;
};

struct Case : props::Case<World, Newborn, Judging> {
  using props::Case<World, Newborn, Judging>::Case;
  Calls calls{};
};

// What the window looks like from far: the ranges of a set, by address.
std::vector<Range> ranges_of(const Machine&, ref::vmalloc::RangeSet);
std::string text_of(const std::vector<Range>&);

// A copy whose callers are plain tasks, with no fault planned and nothing in the log.
Machine at_rest(const World&);
// Areas in the window whose owner could give them back now.
std::vector<Area> live_areas(const World&);
void give_back(const Calls&, Machine&, const Area&);
// Descriptors can be had.
bool memory_left(const Machine&);

// About room.
void window_is_whole_again(Case&), any_order_of_frees(Case&), served_again(Case&),
    purging_twice_is_once(Case&), purging_leaves_what_is_used(Case&);
// About pages.
void written_once_read_everywhere(Case&), reading_is_loading(Case&), pages_of_vmap_stay(Case&);

}  // namespace props::vmalloc
