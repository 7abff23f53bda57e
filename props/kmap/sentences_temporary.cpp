// The sentences on temporary maps.
#include "props/kmap/sentences.hpp"

namespace props::kmap {

std::vector<Sentence> temporary_sentences() {
  return {
      {.id = "A-1",
       .what = "2.6.11 has thirteen types, each with a slot on each CPU; slots grow downwards from "
               "the top of the fixmap.",
       .covers = {"KMAP-FAULT", "ATOMIC-WINDOW", "ATOMIC-DISJOINT", "ATOMIC-REFUSED",
                  "ATOMIC-SLOTS", "ATOMIC-EXACT", "KmapAtomic.each_type_has_an_address_on_each_cpu",
                  "KmapAtomic.a_14th_type_is_the_first_of_the_next_cpu_and_named"},
       .elsewhere = "CONFIG_DEBUG_HIGHMEM, with an empty slot before each."},
      {.id = "A-2",
       .what = "kmap_atomic disables preemption and page faults first, for low memory too, which "
               "takes no slot. A slot that is taken is not mapped over.",
       .covers = {"KMAP-FAULT", "ATOMIC-DIRECT", "ATOMIC-DISJOINT", "ATOMIC-BALANCED",
                  "ATOMIC-SLOTS", "KmapAtomic.forbids_sleeping_and_faults_whatever_the_page",
                  "KmapAtomic.a_type_that_is_in_use_is_not_mapped_over"}},
      {.id = "A-3",
       .what = "kunmap_atomic clears the slot of the type and flushes one page on this CPU, if the "
               "address is that slot's; a direct address is right too.",
       .covers = {"KMAP-FAULT", "ATOMIC-TRANSLATES", "ATOMIC-GONE", "ATOMIC-BALANCED", "KMAP-CLEAN",
                  "KmapAtomic.unmapping_clears_the_entry_and_this_cpu_s_tlb",
                  "KmapAtomic.another_type_is_not_unmapped_by_this_one"},
       .elsewhere = "2.6.11 without CONFIG_DEBUG_HIGHMEM, which leaves the entry to the next map."},
      {.id = "A-4",
       .what = "Types end in any order, and interrupts have types of their own.",
       .covers = {"KmapAtomic.an_interrupt_has_types_of_its_own"}},
      {.id = "A-10",
       .what = "6.1 has a stack of maps for each task: fifteen, for the sixteenth is one too many. "
               "The slot goes by depth and CPU; low memory takes none.",
       .covers = {"KMAP-FAULT", "ATOMIC-WINDOW", "ATOMIC-DIRECT", "ATOMIC-DISJOINT",
                  "ATOMIC-REFUSED", "ATOMIC-SLOTS", "ATOMIC-SAVED", "ATOMIC-EXACT",
                  "KmapLocal.is_a_stack_in_the_fixmap_of_the_cpu",
                  "KmapLocal.of_a_page_with_an_address_takes_nothing",
                  "KmapLocal.a_16th_map_is_one_too_many"},
       .elsewhere = "CONFIG_DEBUG_KMAP_LOCAL, with an empty slot between, and FORCE_MAP."},
      {.id = "A-11",
       .what = "A map disables migration. The newest goes first: by another address the newest "
               "goes all the same, with a warning. Entry, TLB and saved entry are cleared before "
               "the slot is free. An address outside of the fixmap is low memory, or persistent.",
       .covers = {"KMAP-FAULT", "ATOMIC-TRANSLATES", "ATOMIC-GONE", "ATOMIC-KEPT",
                  "ATOMIC-BALANCED", "KMAP-CLEAN", "ATOMIC-SLOTS", "ATOMIC-SAVED",
                  "KmapLocal.the_newest_goes_first_by_any_address_of_its_page",
                  "KmapLocal.out_of_order_the_newest_dies_instead",
                  "KmapLocal.is_torn_down_before_its_slot_is_free",
                  "KmapLocal.an_address_of_no_map_is_named_and_below_the_kernel_warned_of",
                  "Pkmap.a_page_that_was_pinned_is_unpinned_by_its_address"}},
      {.id = "A-12",
       .what = "A task that goes takes its maps out of the CPU's slots, and finds them there when "
               "it comes back; it may sleep with them.",
       .covers = {"ATOMIC-TRANSLATES", "ATOMIC-GONE", "ATOMIC-KEPT", "ATOMIC-SLOTS", "ATOMIC-SAVED",
                  "KmapLocal.maps_leave_with_their_task_and_come_back_with_it",
                  "KmapLocal.pins_its_task_to_the_cpu",
                  "KmapLocal.may_be_held_while_its_task_sleeps"},
       .note = "No task is forked here."},
      {.id = "A-13",
       .what =
           "kmap_atomic is kmap_local with preemption and page faults off, low memory included.",
       .covers = {"ATOMIC-BALANCED", "KmapLocal.and_atomic_maps_are_one_stack",
                  "KmapAtomic.forbids_sleeping_and_faults_whatever_the_page"},
       .note = "That kunmap_atomic takes no page is for a compiler to say."},
      {.id = "A-14",
       .what = "zero_user_segments passes over a piece that ends before it begins, and stops for "
               "one that ends behind the page.",
       .covers = {"KMAP-FAULT", "KMAP-ZEROED",
                  "ZeroUserSegments.clears_two_ranges_and_nothing_else",
                  "ZeroUserSegments.of_nothing_does_nothing",
                  "ZeroUserSegments.behind_the_end_of_the_page_is_named",
                  "ZeroUserSegments.goes_through_a_compound_block_page_by_page"},
       .assumed = "The call is there, for one page, through KM_USER0."},
  };
}

}  // namespace props::kmap
