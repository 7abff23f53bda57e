// The sentences on objects: lists and arrays, contents, and misuse.
#include "props/slab/sentences.hpp"

namespace props::slab {

using namespace outside;

std::span<const Sentence> list_sentences() {
  static const std::vector<Sentence> rows{
      {.id = "S-20",
       .what = "A slab is on the list that its objects in use demand, and the lists are counted.",
       .covers = {"OBJECT-REFUSED", "SLAB-LISTED", "SLAB-COUNTED", "SlabLists.the_life_of_a_slab",
                  "SlabLists.counts_follow_the_lists"}},
      {.id = "S-21",
       .what = "Objects in arrays count as used: what slabs count, callers or arrays have.",
       .covers = {"OBJECT-DISJOINT", "SLAB-COUNTED", "SLAB-CONSERVED", "SLAB-ARRAYS",
                  "SlabInfo.objects_in_arrays_count_as_active"}},
      {.id = "S-22",
       .what = "The newest object of the CPU's array goes out first.",
       .covers = {"SLAB-ARRAYS", "SLAB-EXACT", "SLAB-ORDERED",
                  "SlabArrays.the_newest_entry_goes_first"}},
      {.id = "S-23",
       .what = "An empty array takes a batch from the shared array, else from partial slabs, then "
               "free ones, else from a new one; a slab taken from goes to the head of its list.",
       .covers =
           {"OBJECT-REFUSED", "SLAB-EXACT", "SLAB-ORDERED",
            "SlabArrays.an_untouched_array_gets_sixteen",
            "SlabArrays.a_refill_takes_from_several_slabs_but_makes_at_most_one",
            "SlabLists.partial_slabs_are_used_before_free_ones",
            "SlabLists.a_filled_slab_goes_to_the_head_of_full_and_others_to_the_head_of_partial"}},
      {.id = "S-24",
       .what = "A full array gives its oldest batch to the shared array while that has room, else "
               "to the slabs.",
       .covers = {"SLAB-ARRAYS", "SLAB-EXACT", "SLAB-ORDERED",
                  "SlabArrays.a_full_array_flushes_its_oldest",
                  "SlabArrays.a_flush_goes_to_the_shared_array_while_it_has_room"}},
      {.id = "S-25",
       .what = "An object that goes back is the next to go out of its slab, which moves to the "
               "tail of partial, or to the head of free.",
       .covers = {"SLAB-LISTED", "SLAB-INDICES", "SLAB-EXACT", "SLAB-ORDERED",
                  "SlabLists.an_empty_slab_goes_to_the_head_of_free",
                  "SlabLists.a_free_moves_its_slab_to_the_tail_of_partial_even_if_it_was_there",
                  "SlabLists.a_slab_gives_out_what_it_got_last"}},
      {.id = "S-26",
       .what = "Beyond the limit free slabs go: from the tail and after the batch in 6.1, as they "
               "become free in 2.6.11; arrays are put right before.",
       .covers = {"OBJECT-IN-PAGES", "OBJECT-PAGES-BACK", "SLAB-HELD", "SLAB-EXACT",
                  "SlabLists.too_many_free_objects_cost_a_slab",
                  "SlabFree.looks_for_slabs_beyond_the_limit_behind_an_empty_array"}},
      {.id = "S-27",
       .what = "Pages of TYPESAFE_BY_RCU slabs stay until a grace period has passed.",
       .covers = {"OBJECT-IN-PAGES", "OBJECT-PAGES-BACK", "SLAB-PAGES", "SLAB-RCU",
                  "SlabDestroy.pages_wait_for_the_grace_period"}},
      {.id = "S-28",
       .what = "In 6.1 an object of another node waits in an alien array of twelve, which "
               "overflows to that node's shared array and slabs.",
       .covers = {"SLAB-ARRAYS", "SLAB-EXACT", "SLAB-ORDERED",
                  "SlabNodes.an_object_of_another_node_is_staged",
                  "SlabNodes.reaping_empties_the_alien_arrays_in_turn"}},
      {.id = "S-29",
       .what = "Slabs made from reserves serve only those who may use reserves.",
       .covers = {},
       .note = "Only while some socket is marked for swapping over the network, which no machine "
               "here has; otherwise all slabs are alike."},
  };
  return rows;
}

std::span<const Sentence> content_sentences() {
  static const std::vector<Sentence> rows{
      {.id = "S-30",
       .what = "A constructor runs once for each object of a new slab, or with poison at each "
               "allocation; what was freed constructed comes back so.",
       .covers = {"OBJECT-CONTENT", "OBJECT-CONSTRUCTED",
                  "SlabObjects.a_constructor_runs_once_for_an_object",
                  "SlabObjects.with_poison_it_runs_at_each_allocation"},
       .elsewhere = "Destructors and the flags of constructors."},
      {.id = "S-31",
       .what =
           "__GFP_ZERO to a cache with a constructor warns once, and zeroes; 2.6.11 has no such "
           "flag of its slab, and stops.",
       .covers = {"OBJECT-ZEROED",
                  "SlabObjects.zeroing_what_was_constructed_is_warned_of_once_and_done",
                  "SlabMisuse.zeroing_what_was_constructed_stops_2_6_11"}},
      {.id = "S-32",
       .what = "__GFP_ZERO clears the object as asked for, not what it is rounded up to.",
       .covers = {"OBJECT-ZEROED", "SlabObjects.zeroing_takes_the_object_and_leaves_what_is_behind",
                  "SlabObjects.a_merged_cache_zeroes_for_all"}},
      {.id = "S-33",
       .what = "Flags of zones that no slab may come from are dropped with a warning in 6.1, and "
               "stop 2.6.11.",
       .covers = {"OBJECT-WAITS", "OBJECT-FAULT", "SlabMisuse.gfp_that_an_object_cannot_have",
                  "SlabMisuse.highmem_is_no_place_for_objects",
                  "SlabMisuse.dma_that_the_cache_does_not_say"}},
      {.id = "S-34",
       .what = "With debugging red zones stand around objects and poison in free ones; what was "
               "overwritten, or freed twice, is reported.",
       .covers = {"OBJECT-DISJOINT", "SLAB-INDICES", "SlabDebug.red_zones_stand_around_the_object",
                  "SlabDebug.a_write_to_a_free_object_is_found_when_it_is_handed_out",
                  "SlabDebug.or_when_its_slab_is_destroyed"},
       .not_modelled = {{slub_internals, "CONFIG_SLAB_FREELIST_HARDENED"}},
       .note = "Without debugging a kernel sees no double free; the reference always does."},
      {.id = "S-35",
       .what = "An object freed to another cache is misuse; the kernel believes its caller.",
       .covers = {"OBJECT-FAULT", "SlabMisuse.is_named_and_changes_nothing",
                  "SlabMisuse.every_use_of_a_destroyed_cache_is_named_and_changes_nothing"},
       .note = "The reference names it, and changes nothing."},
  };
  return rows;
}

}  // namespace props::slab
