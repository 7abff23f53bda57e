// The sentences on blocks: their lists, requests for them, and giving them back.
#include "props/buddy/sentences.hpp"

namespace props::buddy {

using namespace outside;

std::span<const Sentence> block_sentences() {
  static const std::vector<Sentence> rows{
      // Structures -----------------------------------------------------------------------------
      {.id = "B-1",
       .what = "There are 11 free lists, for blocks of 1 to 1024 pages; orders above 3 are costly.",
       .covers = {"BuddyLists.orders_run_from_0_to_10",
                  "Refusals.small_blocking_requests_wait_and_large_ones_fail"},
       .not_modelled = {{migratetypes, "the list of types and their numbers"}},
       .note = "A machine may have fewer lists, so that small ones can be searched."},
      {.id = "B-2",
       .what = "A block of 2^k pages starts at a multiple of 2^k: of frame numbers in 6.1, of the "
               "distance to the zone's start in 2.6.11.",
       .covers = {"PAGE-ALIGNED", "BUDDY-TILED",
                  "BuddyLists.a_crooked_zone_is_cut_from_frame_0_or_from_its_own_start",
                  "Model.BlocksAreAlignedToTheZoneInTheOldEraAndToFrameZeroInTheNew"},
       .elsewhere = "The index of 2.6.20, relative to 1024 frames."},
      {.id = "B-3",
       .what =
           "The buddy differs in bit k of the frame number; the pair starts where that bit is 0.",
       .covers = {"BUDDY-MERGED",
                  "BuddyLists.only_the_block_that_differs_in_one_bit_is_the_buddy"}},
      {.id = "B-4",
       .what =
           "The first frame of a free block carries the mark and the order, has no reference and "
           "is on one list; the frames behind it carry nothing.",
       .covers = {"BUDDY-TILED", "BUDDY-LISTED", "BUDDY-REFERENCED", "BUDDY-CANONICAL",
                  "BuddyLists.only_the_head_of_a_free_block_says_that_it_is_free"},
       .elsewhere = "The flag of 2.6.20.",
       .note = "Which flag says so is representation: both eras have one kind for it."},
      {.id = "B-5",
       .what = "The count of a free list is its length.",
       .covers = {"BUDDY-LISTED",
                  "BuddyLists.merging_goes_on_while_the_buddy_is_free_and_of_the_same_order"},
       .not_modelled = {{migratetypes, "one list for each type below the count"}}},
      {.id = "B-6",
       .what = "Two buddies merge when both are free, of one order and of one zone; afterwards no "
               "free buddies stand side by side.",
       .covers = {"PAGE-REFUSED", "BUDDY-COALESCED", "BUDDY-MERGED",
                  "BuddyLists.merging_goes_on_while_the_buddy_is_free_and_of_the_same_order"},
       .not_modelled = {{migratetypes, "unlike types that keep large blocks apart"},
                        {pageblocks, "the order from which types are compared"}},
       .elsewhere = "Guard pages of CONFIG_DEBUG_PAGEALLOC."},
      {.id = "B-7",
       .what = "A would-be buddy is looked at only after it is known to exist and to be free.",
       .covers = {"BuddyLists.a_buddy_in_a_hole_is_never_asked"},
       .not_modelled = {{migratetypes, "the type that was read too early"}}},
      {.id = "B-8",
       .what = "No block spans two zones, whatever stands free on both sides of the border.",
       .covers = {"PAGE-INSIDE", "BuddyLists.a_block_never_spans_two_zones",
                  "Model.MergingStopsAtTheEndOfAZone"}},

      // Lists ----------------------------------------------------------------------------------
      {.id = "B-10",
       .what =
           "The first block of the smallest sufficient list is taken; its lowest part goes out, "
           "and each upper half goes to the head of its list.",
       .covers = {"BUDDY-EXACT", "BUDDY-ORDERED",
                  "BuddyLists.a_fresh_block_is_handed_out_from_its_lowest_frame_upwards",
                  "BuddyLists.the_head_of_the_smallest_sufficient_list_is_taken"},
       .note = "Those lists are empty when a larger block is split, so head or tail is the same."},
      {.id = "B-11",
       .what =
           "A freed block goes to the head; in 6.1 to the tail when its next merge is likely or "
           "the caller says so.",
       .covers = {"BUDDY-EXACT", "BUDDY-ORDERED",
                  "BuddyLists.a_block_whose_next_merge_is_likely_goes_to_the_tail_in_6_1",
                  "BuddyLists.pages_left_over_by_an_exact_request_go_to_the_tail",
                  "BuddyLists.a_newborn_6_1_machine_hands_out_its_lowest_block_first",
                  "Model.ABlockOneBelowTheLargestOrderGoesToTheHead",
                  "Model.TheLikelyMergeIsLookedUpInTheZoneOfThePairsFirstFrame"},
       .assumed = "What an exact request leaves over goes to the tail: that call is younger.",
       .elsewhere = "Shuffled lists (CONFIG_SHUFFLE_PAGE_ALLOCATOR).",
       .note =
           "The likely merge is looked up in the zone of the pair's first frame, which may be the "
           "zone below; 6.1.192 does so too. Its boot frees to the tail."},
      {.id = "B-12",
       .what = "Which other types serve when the list of a type is empty.",
       .covers = {},
       .not_modelled = {{migratetypes, "all of it"}}},
      {.id = "B-13",
       .what = "When a whole pageblock changes its type.",
       .covers = {},
       .not_modelled = {{pageblocks, "all of it"}}},
      {.id = "B-14",
       .what =
           "The zone's count of free pages is what its free lists hold; parked pages are not in "
           "it.",
       .covers = {"PAGE-CONSERVED", "BUDDY-COUNTED",
                  "BuddyLists.free_pages_counts_the_free_lists_and_nothing_else"},
       .not_modelled = {{isolation, "isolated blocks, which do not count"}}},
      {.id = "B-15",
       .what =
           "Managed pages are free, parked, owned or lost; nothing else, and never two of these.",
       .covers = {"PAGE-DISJOINT", "PAGE-CONTENT", "PAGE-CONSERVED", "BUDDY-COALESCED",
                  "BUDDY-TILED", "BuddyLists.free_pages_counts_the_free_lists_and_nothing_else"}},

      // Requests -------------------------------------------------------------------------------
      {.id = "B-20",
       .what = "An order beyond the lists is refused at once: with one warning in 6.1, which "
               "__GFP_NOWARN silences without using it up; silently in 2.6.11.",
       .covers = {"PAGE-FORBIDDEN",
                  "BuddyRequests.an_order_beyond_the_lists_is_refused_and_nothing_else_happens",
                  "BuddyRequests."
                  "an_order_beyond_the_lists_warns_once_and_nowarn_does_not_use_that_up"},
       .elsewhere = "2.6.20, which is as silent."},
      {.id = "B-21",
       .what = "A task's scopes take flags away: NOIO takes IO and FS, NOFS takes FS.",
       .covers = {"BuddyRequests.the_scopes_of_a_task_take_io_and_fs_away_in_6_1"},
       .not_modelled = {{migratetypes, "PF_MEMALLOC_PIN, which takes MOVABLE"}},
       .assumed = "It has no scopes: the tasks' flags are ignored.",
       .note = "The mask of allowed flags is all ones once the machine has booted, and ours has."},
      {.id = "B-22",
       .what = "Four bits of the flags name the highest zone; eight of the sixteen combinations "
               "contradict themselves.",
       .covers = {"PAGE-ZONE", "PAGE-MISUSE", "BuddyRequests.all_sixteen_zone_modifiers_of_6_1",
                  "BuddyRequests.all_four_zone_modifiers_of_2_6_11",
                  "Model.FlagsThatExcludeEachOtherAreMisuseAndDoNotCount"},
       .assumed = "DMA with HIGHMEM is misuse, and refused; that kernel reads past its array.",
       .elsewhere =
           "The precedence of 2.6.20; zone 0 for a bad combination without CONFIG_DEBUG_VM.",
       .note = "Without zones DMA32 and MOVABLE, requests for them go to NORMAL and HIGHMEM."},
      {.id = "B-23",
       .what =
           "One flag decides whether a caller may sleep; in atomic context it is reported before "
           "any page is looked at, and the call goes on.",
       .covers = {"PAGE-SLEEP", "PAGE-WAITS",
                  "BuddyRequests."
                  "a_call_that_may_sleep_is_reported_in_atomic_context_and_goes_on"},
       .note = "As with CONFIG_DEBUG_ATOMIC_SLEEP. What would then have to wait is refused."},
      {.id = "B-24",
       .what = "Atomic and blocking at once: one warning in the slow path, and atomic is dropped.",
       .covers = {"BuddyRequests.atomic_and_blocking_at_once_warns_in_the_slow_path_only"},
       .note = "In 6.1.192 the dropped flag decides only whether a boost is ignored (W-8)."},
      {.id = "B-25",
       .what = "A zeroed block is zero to its last byte, in HIGHMEM too; 2.6.11 refuses to zero "
               "HIGHMEM for a caller that cannot wait.",
       .covers = {"PAGE-ZEROED", "BuddyRequests.the_whole_block_is_zeroed_in_highmem_too",
                  "BuddyRequests.zeroed_highmem_needs_a_caller_that_can_wait_in_2_6_11"},
       .assumed = "The misuse is named before a page is taken; that kernel stops with the page in "
                  "hand.",
       .elsewhere = "2.6.20, where only debug kernels look."},
      {.id = "B-26",
       .what =
           "A request by address drops HIGHMEM in 6.1; in 2.6.11 it loses the highmem page that "
           "it gets, and get_zeroed_page refuses at once.",
       .covers = {"PAGE-MISUSE", "PAGE-ADDRESS",
                  "BuddyRequests.get_free_pages_drops_highmem_in_6_1_and_loses_the_page_in_2_6_11",
                  "BuddyRequests.an_address_request_that_falls_back_below_highmem_is_served",
                  "BuddyRequests.get_zeroed_page_refuses_highmem_at_once_in_2_6_11"},
       .assumed = "The lost page is a named fault, highmem-address, with its effect: leaked.",
       .elsewhere = "2.6.20, the same as 2.6.11."},
      {.id = "B-27",
       .what = "Freeing the null address does nothing.",
       .covers = {"BuddyFree.freeing_the_null_address_does_nothing"},
       .note = "A null page cannot be said here: pages are frame numbers."},

      // Owning and freeing ---------------------------------------------------------------------
      {.id = "B-30",
       .what =
           "A fresh block has one reference, at its head; tails of a plain block have none, and "
           "private is 0.",
       .covers = {"PAGE-FRESH", "PAGE-COUNT", "BUDDY-REFERENCED",
                  "BuddyFree.a_fresh_block_has_one_reference_at_its_head_and_none_on_its_tails"},
       .elsewhere = "Kernels without an MMU, which reference every page.",
       .note = "2.6.11 stores counts less one; that is representation, page_count is modelled."},
      {.id = "B-31",
       .what =
           "A compound block is one thing: references of a tail are its head's. A single page is "
           "never compound.",
       .covers = {"PAGE-COUNT", "BuddyFree.references_of_a_compound_tail_are_its_heads",
                  "BuddyFree.a_single_page_never_becomes_compound"},
       .assumed = "Compound blocks exist, as in its kernels with CONFIG_HUGETLB_PAGE.",
       .elsewhere = "Where 2.6.20 keeps order and destructor.",
       .note =
           "The head of a tail follows from order and alignment and is not stored; destructor and "
           "the tails' mapping are representation."},
      {.id = "B-32",
       .what = "Dropping a reference that is not there is found.",
       .covers = {"PAGE-MISUSE", "BuddyFree.a_reference_of_a_page_that_has_none_is_reported"},
       .elsewhere = "Kernels of 6.1 without CONFIG_DEBUG_VM, which go on.",
       .note = "Taking one from nothing is reported as well."},
      {.id = "B-33",
       .what =
           "Freeing a plain block that somebody else references frees all but its first page; a "
           "compound one stays whole. Nothing is lost when the last reference goes.",
       .covers = {"PAGE-COUNT", "BUDDY-COALESCED",
                  "BuddyFree.a_shared_block_gives_up_all_but_its_first_page",
                  "BuddyFree.a_shared_compound_block_stays_whole"},
       .not_modelled = {{only_5_17, "the head asked for after the reference was dropped"}},
       .assumed = "The same; that kernel loses the tails, a bug that is left to the mutants.",
       .elsewhere = "2.6.20, which loses them too."},
      {.id = "B-34",
       .what = "A second free of a plain block would free its tails again.",
       .covers = {"PAGE-MISUSE", "BuddyFree.a_second_free_is_named_and_takes_nothing_apart"},
       .note = "Named as double-free, and nothing happens; the kernel's damage is left to the "
               "mutants."},
      {.id = "B-35",
       .what = "A wrong order: a smaller one loses the rest of the block; a larger one that meets "
               "owned pages loses it all; a compound block is checked.",
       .covers = {"PAGE-MISUSE", "BuddyFree.a_smaller_order_frees_the_front_and_loses_the_rest",
                  "BuddyFree.a_larger_order_loses_the_block_and_leaves_its_neighbour_alone",
                  "BuddyFree.a_compound_block_freed_with_another_order_stays_as_it_is",
                  "BuddyFree.an_inner_page_cannot_be_freed_by_itself"},
       .assumed = "The same; that kernel frees bad pages all the same (B-36), neighbours included.",
       .elsewhere = "2.6.20's report of a compound block.",
       .note = "A larger order always gives the block up, also where the neighbours are free: the "
               "kernels would swallow them. A compound block is left as it is."},
      {.id = "B-36",
       .what =
           "A page freed while flagged or mapped is bad: 6.1 loses the whole block, 2.6.11 cleans "
           "it and frees it.",
       .covers = {"PAGE-MISUSE", "BuddyFree.a_page_freed_with_a_telling_flag_is_bad",
                  "BuddyFree.a_page_freed_while_mapped_is_bad"},
       .assumed = "The same flags tell, also those that are younger (unevictable).",
       .elsewhere = "2.6.20, which refuses reserved pages only; uncharging under memcg.",
       .note =
           "6.1.192 clears mlocked before it looks, so that flag is not bad. PG_reserved is the "
           "kind of a frame here, private_2 and page->mapping are not modelled fields; an owner "
           "flags his block at its head."},
      {.id = "B-37",
       .what = "Blocks are checked when they are freed.",
       .covers = {"BuddyFree.a_single_page_is_checked_when_it_is_freed",
                  "BuddyFree.a_page_freed_with_a_telling_flag_is_bad"},
       .elsewhere =
           "6.1 without CONFIG_DEBUG_VM, which looks at parked pages only when they leave."},
      {.id = "B-38",
       .what = "A page that is not clean when it is handed out is lost, and another is tried.",
       .covers = {"BuddyFree."
                  "a_page_that_was_scribbled_on_while_free_is_found_when_it_is_handed_out"},
       .assumed = "It is reported, cleaned and handed out, as its bad pages are when freed.",
       .note = "Only flags can be scribbled on here; a free frame's counts cannot be reached."},
      {.id = "B-39",
       .what = "A fresh page has private 0, also where a tail becomes a head.",
       .covers = {"PAGE-FRESH", "BuddyFree.a_fresh_page_has_no_private_data_of_its_former_owner"}},
      {.id = "B-40",
       .what = "Reserved pages are referenced and stay away from the allocator; boot frees the "
               "others past the per-CPU lists; freeing a reserved page is misuse.",
       .covers = {"PAGE-DISJOINT", "BUDDY-REFERENCED",
                  "BuddyLists.reserved_frames_are_referenced_and_on_no_list",
                  "BuddyLists.boot_frees_past_the_per_cpu_lists",
                  "BuddyLists.a_newborn_6_1_machine_hands_out_its_lowest_block_first",
                  "Model.ReservedFramesAreOnNoList"},
       .assumed =
           "Freeing one is named; that kernel skips it without a word. The effect is the same, "
           "none.",
       .elsewhere = "2.6.20's boot memory, which clears a fixed number of pages."},
      {.id = "B-41",
       .what = "split_page makes single pages of a plain block, each with one reference.",
       .covers = {"BuddyFree.a_split_block_is_so_many_single_pages",
                  "BuddyFree.only_a_live_block_that_is_not_compound_is_split"},
       .assumed = "As in 6.1: the call is younger.",
       .elsewhere = "Kernels with memcg or page_owner, which copy their records to every page."},
      {.id = "B-42",
       .what =
           "An exact request keeps as many single pages as its bytes need, and frees the rest past "
           "the per-CPU lists; compound and HIGHMEM are dropped with a warning; no bytes are too "
           "many.",
       .covers = {"BUDDY-EXACT",
                  "BuddyRequests.an_exact_request_takes_exactly_the_pages_that_its_bytes_need",
                  "BuddyRequests.an_exact_request_of_a_whole_block_needs_no_larger_one",
                  "BuddyRequests.an_exact_requests_rest_goes_past_the_per_cpu_lists",
                  "BuddyRequests.an_exact_request_drops_compound_and_highmem_with_one_warning",
                  "BuddyRequests.an_exact_request_of_nothing_is_refused_as_too_large"},
       .assumed = "As in 6.1, with the era's own way to allocate: the call is younger.",
       .note = "The order of no bytes is 52 in a 64-bit kernel, 64 here: both beyond every list."},
      {.id = "B-43",
       .what =
           "A bulk request fills empty slots in order and counts leading ones; it needs all its "
           "slots above the low mark, else takes one page in the ordinary way; it may stop early.",
       .covers = {"PAGE-BULK", "BUDDY-EXACT",
                  "BuddyRequests.a_bulk_request_fills_the_empty_slots_in_order",
                  "BuddyRequests.a_bulk_request_without_empty_slots_only_counts",
                  "BuddyRequests."
                  "a_bulk_request_needs_all_its_slots_above_the_low_mark_or_takes_one_page",
                  "BuddyRequests.a_bulk_request_takes_one_page_when_the_per_cpu_list_is_held",
                  "BuddyRequests.a_bulk_request_may_stop_early",
                  "Model.AnInjectedFailureEndsABulkRequestWithoutASinglePage"},
       .assumed = "As in 6.1, from the hot or the cold list: the call is younger.",
       .elsewhere = "Kernels that charge memcg, which take one page."},
      {.id = "B-44",
       .what = "Fragments of a page, handed out from its end.",
       .covers = {},
       .not_modelled = {{page_frag, "all of it"}}},
  };
  return rows;
}

}  // namespace props::buddy
