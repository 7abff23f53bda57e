// The sentences on limits: per-CPU lists, watermarks and reserves, and the text below /proc.
#include "props/buddy/sentences.hpp"

namespace props::buddy {

using namespace outside;

std::span<const Sentence> limit_sentences() {
  static const std::vector<Sentence> rows{
      // Per-CPU lists of 6.1 -------------------------------------------------------------------
      {.id = "P-1",
       .what = "Orders 0 to 3 pass through per-CPU lists, which count base pages.",
       .covers = {"PCP-LISTED", "PerCpuLists.orders_0_to_3_have_lists_that_count_base_pages"},
       .not_modelled = {{migratetypes, "one list for each type"},
                        {pageblocks, "the lists of the order of a pageblock"}}},
      {.id = "P-2",
       .what =
           "An empty list is refilled with batch >> order blocks, at least two unless the batch is "
           "one, in the order obtained; the head goes out. Each allocation halves the flush.",
       .covers = {"BUDDY-EXACT", "BUDDY-ORDERED",
                  "PerCpuLists.an_empty_list_is_refilled_and_its_head_goes_out",
                  "PerCpuLists.a_batch_of_one_is_refilled_one_by_one",
                  "PerCpuLists.freeing_without_allocating_doubles_what_is_flushed"}},
      {.id = "P-3",
       .what = "A freed block is put at the head: last in, first out.",
       .covers = {"BUDDY-EXACT", "BUDDY-ORDERED",
                  "PerCpuLists.the_page_freed_last_is_handed_out_first"},
       .not_modelled = {{migratetypes, "the type that is remembered, and CMA"},
                        {isolation, "isolated pages, which go past the lists"},
                        {highatomic, "pages of that type on the movable list"}}},
      {.id = "P-4",
       .what =
           "Full lists are flushed from the tail, beginning with the list just used, whole blocks "
           "at a time: a batch, doubled by each flush up to five times; everything when a block "
           "of a higher order comes after a flush.",
       .covers = {"PCP-BOUNDED", "BUDDY-ORDERED",
                  "PerCpuLists.freeing_without_allocating_doubles_what_is_flushed",
                  "PerCpuLists.a_flush_is_doubled_five_times_at_most",
                  "PerCpuLists.a_high_order_free_after_a_flush_empties_every_list",
                  "PerCpuLists.a_flush_begins_with_the_list_just_used_and_goes_round",
                  "PerCpuLists.a_flush_goes_on_with_the_next_higher_order",
                  "PerCpuLists.blocks_are_flushed_whole"},
       .not_modelled = {{only_5_17, "doubling without an end"}},
       .note = "With high 0 the source of 6.1.192 frees one page, not everything (nr_pcp_free). No "
               "list here has high 0: without lists (pcp=off) blocks go past them."},
      {.id = "P-5",
       .what = "While kswapd is at work the limit is four batches.",
       .covers = {"BUDDY-ORDERED", "PerCpuLists.active_reclaim_limits_the_lists_to_four_batches",
                  "Model.ActiveReclaimLowersTheLimitToFourBatches"}},
      {.id = "P-6",
       .what = "Whoever finds the lists held, as an interrupt may, uses the free lists.",
       .covers = {"PCP-UNLOCKED", "BUDDY-ORDERED",
                  "PerCpuLists.whoever_finds_the_lists_held_uses_the_free_lists",
                  "BuddyRequests.a_bulk_request_takes_one_page_when_the_per_cpu_list_is_held"},
       .not_modelled = {{only_5_17, "the zone that fails then"}}},
      {.id = "P-7",
       .what =
           "The batch is a quarter of a thousandth of the zone, at most 1 MiB worth, rounded to "
           "2^n - 1; the limit is the CPUs' share of the low mark, at least four batches.",
       .covers = {"BUDDY-ORDERED", "PerCpuLists.batch_and_high_follow_the_size_of_the_zone",
                  "PerCpuLists.the_batch_of_6_1_counts_managed_pages",
                  "PerCpuLists.the_low_mark_is_shared_by_the_cpus",
                  "Model.TheClassicMachineInTheNewEra"},
       .note =
           "Open: vm.percpu_pagelist_high_fraction has no operation; its default, 0, holds. The "
           "lists of early boot are never used: B-40."},
      {.id = "P-8",
       .what =
           "A parked block is not free: no reference, not counted, and its buddy does not merge "
           "with it until it is drained.",
       .covers = {"PAGE-REFUSED", "BUDDY-COALESCED", "BUDDY-REFERENCED", "PCP-LISTED",
                  "PerCpuLists.a_parked_page_is_no_buddy_until_it_is_drained",
                  "PerCpuLists.a_drain_of_this_cpu_leaves_the_others_alone"},
       .assumed = "Draining all CPUs works as in 6.1: the call is younger."},
      {.id = "P-9",
       .what = "PGALLOC and PGFREE count base pages.",
       .covers = {"BUDDY-EVENTS", "PerCpuLists.the_event_counters_count_base_pages"},
       .not_modelled = {{only_5_17, "one for each parked block"}},
       .assumed = "The same."},

      // Per-CPU lists of 2.6 -------------------------------------------------------------------
      {.id = "P-20",
       .what =
           "2.6.11 parks single pages only, hot and cold; __GFP_COLD takes cold ones, only a cold "
           "free gives them.",
       .covers = {"PCP-LISTED", "BUDDY-ORDERED",
                  "PerCpuLists.only_single_pages_are_parked_in_2_6_11",
                  "PerCpuLists.cold_pages_have_a_list_of_their_own",
                  "PerCpuLists.a_cold_free_is_like_any_other_in_6_1"},
       .note = "6.1 has no cold pages: there a cold free is an ordinary one."},
      {.id = "P-21",
       .what = "Hot: low 2 and high 6 batches; cold: 0 and 2. A refill at low, even when pages are "
               "left; at high a batch leaves from the tail before the page comes in.",
       .covers = {"PCP-BOUNDED", "BUDDY-EXACT", "BUDDY-ORDERED",
                  "PerCpuLists.the_hot_list_is_refilled_at_low_even_if_it_is_not_empty",
                  "PerCpuLists.a_full_hot_list_gives_a_batch_back_before_it_takes_a_page",
                  "PerCpuLists.the_cold_list_is_refilled_when_empty_and_keeps_two_batches"},
       .note =
           "When a refill brings nothing the free lists are asked directly; they are empty then."},
      {.id = "P-22",
       .what = "The per-CPU lists of 2.6.20, without low.",
       .covers = {},
       .elsewhere = "All of it: 2.6.20 is no era of this project."},
      {.id = "P-23",
       .what =
           "The batch of 2.6.11: a quarter of a thousandth of the pages present, at most 256 KiB "
           "worth, at least 1.",
       .covers = {"BUDDY-ORDERED",
                  "PerCpuLists.the_batch_of_2_6_11_counts_present_pages_up_to_256_kib"},
       .elsewhere = "The cap and the rounding of 2.6.20."},

      // Watermarks -----------------------------------------------------------------------------
      {.id = "W-1",
       .what = "Zones are asked from the highest allowed downwards, never upwards.",
       .covers = {"PAGE-INSIDE", "PAGE-ZONE", "PAGE-FORBIDDEN", "BUDDY-EXACT",
                  "Watermarks.zones_are_asked_from_the_highest_allowed_downwards",
                  "Watermarks.the_node_of_the_caller_comes_first_with_all_its_zones"},
       .note = "There is no zone DMA32."},
      {.id = "W-2",
       .what =
           "The first pass keeps the low mark; the second the minimum, with the caller's rights.",
       .covers = {"BUDDY-EXACT",
                  "Watermarks.the_fast_pass_keeps_the_low_mark_and_the_slow_pass_the_minimum"},
       .not_modelled = {{reclaim_and_oom, "kswapd itself; where it is woken is a yield point"}}},
      {.id = "W-3",
       .what =
           "6.1: free pages less 2^order - 1 must be more than mark and reserve; __GFP_HIGH halves "
           "the mark, and who cannot block as well gets a quarter of that.",
       .covers = {"PAGE-REFUSED", "BUDDY-EXACT", "Watermarks.the_reserves_of_6_1",
                  "Watermarks.a_block_must_leave_more_than_the_mark_counted_from_its_last_page",
                  "Watermarks.the_count_may_go_below_zero",
                  "Model.WhoMayGoHowFarBelowTheMinimumInTheNewEra"},
       .not_modelled = {{highatomic, "the pages reserved for it"},
                        {migratetypes, "free CMA pages"},
                        {reclaim_and_oom, "the right of a victim"}}},
      {.id = "W-4",
       .what = "6.1: a high order also needs one block that is large enough.",
       .covers = {"BUDDY-EXACT", "Watermarks.a_high_order_needs_a_block_in_6_1"},
       .not_modelled = {{migratetypes, "on the list of a type that may be used"},
                        {highatomic, "or of that type"}}},
      {.id = "W-5",
       .what = "2.6.11: smaller blocks do not count, and each order halves what must be left.",
       .covers = {"PAGE-REFUSED", "BUDDY-EXACT",
                  "Watermarks.small_blocks_do_not_count_for_a_high_order_in_2_6_11",
                  "Model.TheErasDisagreeAboutHighOrdersInAFragmentedZone"}},
      {.id = "W-6",
       .what = "2.6.11: __GFP_HIGH halves the minimum; who cannot wait, or is realtime outside an "
               "interrupt, then gets a quarter of what is left.",
       .covers = {"BUDDY-EXACT", "Watermarks.the_reserves_of_2_6_11",
                  "Model.WhoMayGoHowFarBelowTheMinimumInTheOldEra"}},
      {.id = "W-7",
       .what = "The reserves of 5.17.",
       .covers = {},
       .not_modelled = {{only_5_17, "all of it"}}},
      {.id = "W-8",
       .what = "The shortcut for single pages never says yes where the full check says no.",
       .covers = {"BUDDY-EXACT", "Watermarks.single_pages_end_exactly_at_mark_and_reserve"},
       .not_modelled = {{pageblocks, "boosted marks, which come of stealing pageblocks"}},
       .note = "There is no shortcut: every request takes the full check."},
      {.id = "W-9",
       .what =
           "A zone keeps, from those who could have gone higher, the pages of all zones above it "
           "divided by its ratio; ratio 0 or a zone without pages keeps nothing.",
       .covers = {"ZONE-RESERVE", "BUDDY-ORDERED",
                  "Watermarks.a_lower_zone_keeps_its_share_of_all_zones_above",
                  "Watermarks.empty_and_missing_zones_in_the_sum",
                  "Watermarks.the_classic_machine"},
       .assumed =
           "The sum and the meaning of ratio 0 are 6.1's; the ratios 256 and 32 are its own.",
       .note = "Machines below 4096 pages have ratio 0 unless they say otherwise."},
      {.id = "W-10",
       .what =
           "Marks follow from min_free_kbytes by the zones' shares; HIGHMEM has a thousandth, from "
           "32 to 128 pages; low and high lie a distance above.",
       .covers = {"ZONE-MARKS", "ZONEINFO-TEXT", "BUDDY-ORDERED", "Watermarks.the_classic_machine",
                  "Watermarks.the_minimum_of_highmem_is_a_thousandth_from_32_to_128",
                  "Watermarks.the_product_of_the_minimum_does_not_overflow",
                  "Watermarks.min_free_kbytes_is_clamped",
                  "Watermarks.a_new_min_free_kbytes_counts_at_once",
                  "ProcText.zoneinfo_shows_marks_sizes_reserves_and_per_cpu_lists"},
       .not_modelled = {{pageblocks, "the boost, which is always 0"},
                        {reclaim_and_oom, "the mark for promotion, which only kswapd reads"}},
       .assumed = "Shares are of managed pages. The product is 64 bits wide, which that kernel's "
                  "is not. zoneinfo has 6.1's format, with a block for hot and one for cold pages.",
       .note = "Open: vm.watermark_scale_factor has no operation; its default, 10, holds. With "
               "min_free_kbytes 0 all marks are 0, while the kernel keeps those of HIGHMEM and the "
               "distance; machines below 4096 pages are so unless they say otherwise."},

      // Reserves and refusals ------------------------------------------------------------------
      {.id = "W-11",
       .what =
           "Who may take the last page: __GFP_MEMALLOC, and a task with PF_MEMALLOC unless in an "
           "interrupt; __GFP_NOMEMALLOC forbids it. Such pages are marked in 6.1.",
       .covers = {"BUDDY-EXACT", "Refusals.who_may_take_the_last_page_in_6_1",
                  "Refusals.who_may_take_the_last_page_in_2_6_11",
                  "Refusals.pages_from_below_the_marks_are_marked_themselves",
                  "Model.TheContextDecidesWhatATasksFlagsAreWorth"},
       .not_modelled = {{reclaim_and_oom, "victims of the OOM killer"}},
       .assumed = "PF_MEMALLOC outside interrupts is all there is, and the page is not marked."},
      {.id = "W-12",
       .what =
           "Who cannot block is refused after two passes, or three with reserves, and a warning "
           "unless __GFP_NOWARN or a request for DMA memory that the machine does not have.",
       .covers = {"BUDDY-EXACT",
                  "Refusals.who_cannot_block_has_two_passes_and_a_third_for_the_reserves",
                  "Refusals.a_refusal_warns_unless_it_is_asked_not_to",
                  "Refusals.a_dma_request_without_any_dma_memory_is_refused_silently_in_6_1"},
       .assumed = "A refusal warns unless __GFP_NOWARN.",
       .note = "A machine has no clock: no warning is dropped for coming too soon after another."},
      {.id = "W-13",
       .what =
           "A blocking request of order 3 or less goes on until memory comes; a larger one fails. "
           "Which flags change that, and for whom nobody is killed.",
       .covers = {"PAGE-WAITS", "BUDDY-EXACT",
                  "Refusals.small_blocking_requests_wait_and_large_ones_fail",
                  "Refusals.who_waits_is_served_when_a_page_comes_back",
                  "Model.WhoGivesUpAndWhoWaits"},
       .not_modelled = {{reclaim_and_oom,
                         "reclaim, compaction and the killer: who would go on is suspended, "
                         "who would give up is refused; also 2.6.11's restart after a kill"}}},
      {.id = "W-14",
       .what = "__GFP_NOFAIL is never refused if it can block, and may use half of the minimum; "
               "warnings "
               "for blocks above order 1 and for callers that cannot block.",
       .covers = {"PAGE-NOFAIL", "BUDDY-EXACT", "Refusals.who_must_not_fail_waits_at_any_order",
                  "Refusals.who_must_not_fail_but_cannot_block_is_warned_of_and_refused",
                  "Refusals.who_must_not_fail_may_use_half_of_the_minimum_in_6_1",
                  "Refusals."
                  "a_pair_is_the_largest_block_without_a_warning_for_who_must_not_fail",
                  "Refusals."
                  "a_large_block_for_who_must_not_fail_warns_only_where_a_zone_serves_it"},
       .not_modelled = {{reclaim_and_oom, "the last page after a kill"}},
       .assumed = "No warnings. __GFP_NORETRY wins over __GFP_NOFAIL, as W-13 says of that kernel.",
       .elsewhere = "2.6.20's spinning."},
      {.id = "W-15",
       .what =
           "What the named combinations are made of; high priority does not mean that a caller may "
           "sleep, and not to wait is no right to reserves in 6.1.",
       .covers = {"PAGE-WAITS", "Refusals.the_combinations_of_6_1_mean_what_they_are_made_of",
                  "Watermarks.the_reserves_of_6_1"},
       .not_modelled = {{highatomic, "the last resort of those who cannot block"}}},
      {.id = "W-16",
       .what = "When a pageblock is reserved for urgent high orders.",
       .covers = {},
       .not_modelled = {{highatomic, "all of it"}}},

      // Text -----------------------------------------------------------------------------------
      {.id = "BI-1",
       .what = "buddyinfo has a line for each zone with the length of each free list, in fixed "
               "columns; parked pages are not seen.",
       .covers = {"PAGE-CONSERVED", "BUDDYINFO-TEXT",
                  "ProcText.buddyinfo_is_one_line_for_each_zone"},
       .assumed = "The same format."},
  };
  return rows;
}

}  // namespace props::buddy
