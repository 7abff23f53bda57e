// The sentences on caches: making and ending them, their layout, and what /proc says.
#include "props/slab/sentences.hpp"

namespace props::slab {

using namespace outside;

std::span<const Sentence> creation_sentences() {
  static const std::vector<Sentence> rows{
      {.id = "S-1",
       .what = "A cache needs a name and a size: 2.6.11 stops for none, for interrupts, for less "
               "than a word and for more than 128 KiB; 6.1 refuses a missing name, interrupts and "
               "too large a size, and takes size 0.",
       .covers = {"OBJECT-FAULT", "SlabCreate.what_callers_must_not_ask_for",
                  "SlabCreate.in_an_interrupt", "SlabCreate.a_space_in_a_name_is_warned_of",
                  "SlabCreate.nothing_is_a_size", "SlabCreate.the_largest_size_and_one_more",
                  "SlabCreate.what_is_refused_changes_nothing"},
       .elsewhere = "Destructors, and 6.1 without CONFIG_DEBUG_VM, which checks nothing.",
       .note = "A name with a space only warns."},
      {.id = "S-2",
       .what = "A second cache of a name stops 2.6.11; 6.1 takes it.",
       .covers = {"SlabCreate.a_name_that_stands_there_already"},
       .elsewhere = "2.6.20, which answers NULL."},
      {.id = "S-3",
       .what = "A flag that nobody knows is refused in 6.1 and stops 2.6.11; a known one without "
               "meaning here is dropped.",
       .covers = {"OBJECT-FAULT", "SlabCreate.what_callers_must_not_ask_for",
                  "SlabCreate.debug_flags_without_debugging"}},
      {.id = "S-4",
       .what = "The alignment is the largest of what was asked, of the cache line halved while "
               "two objects fit into half of it, and of a word.",
       .covers = {"OBJECT-ALIGNED", "SLAB-LAYOUT", "SlabLayout.lines_and_alignments",
                  "SlabCreate.an_alignment_that_is_no_power_of_two_is_believed"},
       .note = "An alignment that is no power of two is the caller's mistake."},
      {.id = "S-5",
       .what = "The distance of objects is the size rounded up to a word and to the alignment, 16 "
               "bytes at least where indices have one byte; what fits no order is refused.",
       .covers = {"OBJECT-USABLE", "SLAB-LAYOUT", "SlabLayout.what_no_slab_holds_is_refused"},
       .not_modelled = {{usercopy, "the region that may be copied to users"}}},
      {.id = "S-6",
       .what = "In 6.1 a plain cache of nearly the same size, alignment and kind is shared: its "
               "references are counted, and its size is the largest asked. 2.6.11 shares nothing.",
       .covers = {"OBJECT-DESTROYED", "SLAB-CHAIN", "SLAB-MERGED",
                  "SlabMerge.caches_that_serve_alike_are_one",
                  "SlabMerge.and_those_that_do_not_stay_apart", "SlabMerge.an_alignment_is_kept",
                  "SlabMerge.not_with_nomerge_nor_in_2_6_11"},
       .not_modelled = {{usercopy, "caches with such a region are kept apart"}}},
      {.id = "S-7",
       .what = "The free indices stand in a free object, or in an object of a general cache, or "
               "behind the objects, whichever serves first (6.1); in front of them, or in a "
               "general cache's object for large ones (2.6.11).",
       .covers = {"OBJECT-CONTENT", "SLAB-LAYOUT", "SLAB-MANAGED", "SLAB-HELD",
                  "SlabLayout.free_indices_in_an_object_off_the_slab_or_at_its_end",
                  "SlabLayout.a_constructor_keeps_indices_out_of_objects",
                  "SlabLayout.management_in_front_or_off_the_slab"}},
      {.id = "S-8",
       .what = "The order is the lowest that wastes an eighth at most, or the first that serves "
               "for reclaimable caches, or the largest that the machine has room for.",
       .covers = {"SLAB-LAYOUT", "SlabLayout.larger_machines_have_larger_slabs"}},
      {.id = "S-9",
       .what = "What a slab leaves over shifts its objects by whole colours, in turn: counted on "
               "before in 6.1, behind in 2.6.11.",
       .covers = {"SLAB-LAYOUT", "SLAB-PAGES", "SLAB-COLOURED", "SLAB-ORDERED",
                  "SlabLayout.colours_in_turn",
                  "SlabLayout.no_room_for_a_second_colour_is_no_colour"}},
      {.id = "S-10",
       .what = "The limit of a CPU's array goes by the distance of objects, batchcount is half of "
               "it; shared arrays hold eight batches, on several CPUs, for objects of a page at "
               "most.",
       .covers = {"SLAB-LIMITS", "SlabLayout.arrays_are_sized_by_the_stride"}},
      {.id = "S-11",
       .what = "A node keeps as many free objects as its CPUs and one more take at once, and one "
               "slab.",
       .covers = {"SLAB-LIMITS", "SlabLists.too_many_free_objects_cost_a_slab"}},
  };
  return rows;
}

std::span<const Sentence> ending_sentences() {
  static const std::vector<Sentence> rows{
      {.id = "S-40",
       .what = "Shrinking empties all arrays and gives back every free slab; it answers whether "
               "slabs remain.",
       .covers = {"OBJECT-SHRUNK", "OBJECT-PAGES-BACK", "SLAB-EXACT",
                  "SlabDestroy.shrinking_says_whether_slabs_remain"},
       .not_modelled = {{slub_internals, "what its answer means there"}}},
      {.id = "S-41",
       .what = "Destroying takes a reference, and the cache with the last; with objects in use "
               "6.1 keeps it in the chain, with no references, and 2.6.11 as it was.",
       .covers = {"OBJECT-FAULT", "OBJECT-DESTROYED", "OBJECT-PAGES-BACK", "SLAB-CHAIN",
                  "SLAB-HELD", "SLAB-MERGED", "SLAB-EXACT",
                  "SlabDestroy.a_cache_with_objects_stays", "SlabDestroy.no_cache_at_all"}},
      {.id = "S-42",
       .what = "Every two seconds an array that was not used gives up a fifth of its limit; every "
               "four a node gives up some free slabs unless it took from them: of the head in "
               "2.6.11, of the tail in 6.1.",
       .covers = {"SLAB-EXACT", "SLAB-ORDERED",
                  "SlabReap.an_array_that_was_used_only_loses_the_mark",
                  "SlabReap.then_a_fifth_of_it_goes", "SlabReap.free_slabs_go_every_four_seconds",
                  "SlabReap.an_empty_array_keeps_its_mark_in_6_1"}},
      {.id = "S-43",
       .what = "Tunables out of range change nothing: 6.1 says nothing either, 2.6.11 answers "
               "EINVAL; so does a name that is none, in both.",
       .covers = {"OBJECT-TUNED", "SLAB-LIMITS", "SLAB-ORDERED", "SlabInfo.what_may_be_written",
                  "SlabFree.looks_for_slabs_beyond_the_limit_behind_an_empty_array"}},
      {.id = "SI-1",
       .what = "Version 2.1 has two lines of head and one for each cache, in which objects in "
               "arrays count as active and the size is the distance of objects.",
       .covers = {"OBJECT-LISTED", "SLABINFO-TEXT", "SLAB-COUNTED",
                  "SlabInfo.objects_in_arrays_count_as_active",
                  "SlabInfo.free_slabs_are_not_active_and_the_shared_array_is_shown",
                  "SlabInfo.of_a_newborn_machine"}},
  };
  return rows;
}

}  // namespace props::slab
