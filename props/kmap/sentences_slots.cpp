// The sentences on persistent maps.
#include "props/kmap/sentences.hpp"

namespace props::kmap {

std::vector<Sentence> slot_sentences() {
  return {
      {.id = "M-1",
       .what = "A slot's count says what it is: 0 free and in no TLB, 1 without users and not yet "
               "flushed, n with n - 1 users. From 1 on it is mapped, and its page has its address.",
       .covers = {"KMAP-DISJOINT", "KMAP-SAME", "KMAP-TRANSLATES", "KMAP-CONTENT", "KMAP-CAPACITY",
                  "KMAP-BIJECTION", "KMAP-CLEAN", "KMAP-ORDERED",
                  "Pkmap.counts_users_and_keeps_what_nobody_uses_until_a_flush"}},
      {.id = "M-2",
       .what = "A page of low memory is mapped where it always is, and unmapping it does nothing. "
               "kmap may sleep; 2.6.11 stops when an interrupt unmaps.",
       .covers = {"KMAP-DIRECT", "KMAP-LOOKUP", "KMAP-WAITS", "KMAP-FAULT",
                  "Pkmap.a_page_with_an_address_takes_no_slot",
                  "Pkmap.who_must_not_sleep_is_told_and_served_where_a_slot_is_free",
                  "Pkmap.an_interrupt_that_unmaps_stops_the_older_kernel"}},
      {.id = "M-3",
       .what = "A page that still has its address is mapped there again, without a flush; else it "
               "gets a slot.",
       .covers = {"KMAP-DISJOINT", "KMAP-SAME", "KMAP-CONTENT", "KMAP-EXACT", "KMAP-ORDERED",
                  "Pkmap.a_page_mapped_again_comes_back_to_its_slot_without_a_flush"}},
      {.id = "M-4",
       .what = "Slots are tried in turn from the one behind the last; at slot 0 all without users "
               "are flushed, and the round begins anew. After a round in vain the caller sleeps "
               "without the lock; woken, it first asks whether its page has an address by now. The "
               "first slot ever is slot 1.",
       .covers = {"KMAP-WINDOW", "KMAP-TRANSLATES", "KMAP-WAITS", "KMAP-CAPACITY", "KMAP-QUEUE",
                  "KMAP-EXACT", "KMAP-ORDERED",
                  "Pkmap.slots_go_round_from_the_last_one_and_0_follows_a_flush",
                  "Pkmap.a_round_that_finds_no_slot_ends_at_the_last_one",
                  "Pkmap.one_slot_is_enough", "KmapSleep.ends_with_the_kunmap_that_frees_a_slot",
                  "KmapSleep.is_followed_by_a_look_whether_somebody_else_mapped_the_page",
                  "KmapSleep.of_a_machine_whose_1024_slots_are_all_in_use"}},
      {.id = "M-5",
       .what = "A flush takes every slot with count 1: count, page table, the page's address; then "
               "the TLBs of all CPUs, in 6.1 of the window and only if a slot was taken, in 2.6.11 "
               "always.",
       .covers = {"KMAP-TRANSLATES", "KMAP-FLUSHED", "KMAP-RETURNED", "KMAP-BIJECTION",
                  "KMAP-CLEAN", "KMAP-EXACT", "KMAP-ORDERED",
                  "Pkmap.a_slot_is_handed_on_only_when_no_cpu_knows_its_old_page",
                  "Pkmap.a_flush_is_of_everything_or_of_the_slots_where_one_went"}},
      {.id = "M-6",
       .what = "kunmap needs a page with an address and a user; the last user leaves the mapping, "
               "and wakes who waits.",
       .covers = {"KMAP-WAKES", "KMAP-RETURNED", "KMAP-FAULT", "KMAP-QUEUE", "KMAP-ORDERED",
                  "Pkmap.unmapping_what_is_not_mapped_is_named_in_both_its_forms",
                  "KmapSleep.ends_with_the_kunmap_that_frees_a_slot",
                  "KmapSleep.goes_on_while_a_user_is_left"}},
  };
}

std::vector<Sentence> address_sentences() {
  return {
      {.id = "M-7",
       .what = "The call that never sleeps adds a user to an address that is there, or answers "
               "nothing.",
       .covers = {"KMAP-SAME", "Pkmap.the_variant_that_never_sleeps_only_adds_a_user"},
       .elsewhere = "Only ARM has the call."},
      {.id = "M-8",
       .what = "A hash of 128 buckets holds the pages with addresses: records by slot in 6.1, from "
               "a pool in 2.6.11. A page that is not there has no address.",
       .covers = {"KMAP-LOOKUP", "KMAP-BIJECTION", "KMAP-HASHED",
                  "PageAddress.buckets_are_the_top_bits_of_a_product",
                  "PageAddress.agrees_with_a_naive_one",
                  "PageAddress.the_newer_kernel_s_record_is_that_of_the_slot",
                  "PageAddress.the_older_kernel_s_come_from_a_pool_and_go_behind_the_others"}},
      {.id = "M-9",
       .what = "Unused slots can be flushed at any time. The window ends before its end, and each "
               "address in it leads to its page.",
       .covers = {"KMAP-WINDOW", "KMAP-LOOKUP", "KMAP-FLUSHED",
                  "PageAddress.the_window_of_slots_ends_before_its_end",
                  "PageAddress.every_map_leads_back_to_its_page"}},
      {.id = "M-10",
       .what = "A page without users may be freed before its slot is flushed; who gets the page "
               "next, and maps it, gets that slot.",
       .covers = {"KMAP-RETURNED", "Pkmap.a_page_may_be_freed_while_its_slot_waits_for_a_flush"},
       .note = "A page with users is not freed: a trace that says so skips the step."},
  };
}

}  // namespace props::kmap
