// The sentences on vmalloc, and the page that is made of them.
#include "props/vmalloc/sentences.hpp"

#include <fmt/format.h>

#include <iterator>

namespace props::vmalloc {
namespace {

using enum Outside;

const std::vector<Sentence>& places() {
  static const std::vector<Sentence> rows{
      {.id = "V-1",
       .what = "vmalloc of nothing, or of more pages than the machine has, is refused: by 6.1 with "
               "one warning, by 2.6.11 in silence. vmap too.",
       .covers = {"VMALLOC-LIMIT", "Vmalloc.nothing_is_no_memory_and_6_1_warns_once",
                  "Vmalloc.more_pages_than_the_machine_has_are_refused_at_once"},
       .note = "2.6.11 counts every frame, 6.1 those that can be allocated."},
      {.id = "V-2",
       .what = "An area is as many whole pages as were asked for, and a guard behind them that is "
               "never mapped. vmap takes no VM_NO_GUARD.",
       .covers = {"VMALLOC-DISJOINT", "VMALLOC-GUARD", "VMALLOC-AREAS", "VMALLOC-ENTRIES",
                  "Vmalloc.each_page_has_its_own_frame_and_the_guard_has_none",
                  "Vmap.nobody_maps_without_a_guard",
                  "AreaList.a_hole_is_used_when_guard_and_all_fit"}},
      {.id = "V-3",
       .what = "A size that wraps when it is rounded, or when its guard is added, is refused.",
       .covers = {"VMALLOC-LIMIT", "Vmalloc.a_size_that_wraps_is_refused"},
       .note = "6.1 would stop at one such size, which no caller reaches; here it is refused."},
      {.id = "V-4",
       .what =
           "An area lies at the lowest address that takes it, inside the window. ioremap's is a "
           "multiple of a power of two: 6.1's is not below the size and at most what a page "
           "table maps, 2.6.11's is above the size and at most 128 pages.",
       .covers = {"VMALLOC-INSIDE", "VMALLOC-DISJOINT", "VMALLOC-ALIGNED", "VMALLOC-LOWEST",
                  "VMALLOC-REFUSED", "VMALLOC-WINDOW",
                  "AreaList.an_ioremapped_area_is_aligned_to_the_power_of_two_above_its_size",
                  "AreaTree.an_ioremapped_area_is_aligned_to_the_power_of_two_at_its_size",
                  "AreaTree.a_hole_that_fits_by_luck_is_found"},
       .note = "6.1 overlooks holes that fit an alignment by luck; ours finds them."},
      {.id = "V-5",
       .what = "The end of the window is compared wherever the place lies. 2.6.11 forgot it where "
               "no area is in front.",
       .covers = {"VMALLOC-INSIDE", "VMALLOC-LIMIT",
                  "AreaList.what_does_not_fit_is_refused_in_an_empty_window_too",
                  "AreaList.what_does_not_fit_behind_the_last_area_is_refused"},
       .note = "That was a bug, which is planted, and no part of the era."},
      {.id = "V-6",
       .what = "6.1 keeps free ranges in a tree that knows the largest below each node, busy ones "
               "in a tree, lazy ones in a third, each with a list by address. The three are the "
               "whole window; free ranges are merged; the lazy pages are counted.",
       .covers = {"VMALLOC-RECORDS", "VMALLOC-PARTITION", "VMALLOC-ORDERED", "VMALLOC-TREE",
                  "VMALLOC-BALANCED", "VMALLOC-AUGMENTED", "VMALLOC-MERGED", "VMALLOC-LAZY",
                  "VMALLOC-AGAIN", "AreaTree.a_range_merges_with_both_neighbours",
                  "AreaTree.agrees_with_a_search_from_the_left_when_it_is_deep"},
       .note = "The kernel's free tree goes on to the end of all addresses; ours is the window."},
      {.id = "V-7",
       .what = "Room is a whole free range, its left or right end, or within it: then a second "
               "record is needed, which each CPU has in store.",
       .covers = {"VMALLOC-OBJECTS", "AreaTree.a_range_is_cut_at_its_edges_or_within",
                  "AreaTree.each_range_has_an_object_and_a_cpu_keeps_one_more"}},
      {.id = "V-8",
       .what = "Where nothing fits, what is lazy is flushed, and the search is made once more.",
       .covers = {"VMALLOC-REFUSED", "VMALLOC-LOWEST", "VMALLOC-PURGED", "VMALLOC-AGAIN",
                  "AreaTree.when_nothing_fits_the_lazy_ranges_are_purged_and_searched_once_more"},
       .elsewhere = "Notifiers that give room back: nobody registers one."},
      {.id = "V-9",
       .what = "The test of a hole does not wrap.",
       .covers = {"VMALLOC-LIMIT", "Vmalloc.a_size_that_wraps_is_refused"}},
  };
  return rows;
}

const std::vector<Sentence>& memory() {
  static const std::vector<Sentence> rows{
      {.id = "V-20",
       .what = "Pages come one by one, of HIGHMEM where no other zone is asked for; their list is "
               "memory of kmalloc up to a page, else of vmalloc itself. What fails gives "
               "everything back.",
       .covers = {"VMALLOC-PAGES", "VMALLOC-ZEROED", "VMALLOC-FAILED", "VMALLOC-RETURNED",
                  "VMALLOC-OBJECTS", "Vmalloc.whichever_request_fails_nothing_is_left_behind",
                  "Vmalloc.a_long_list_of_pages_is_allocated_the_same_way",
                  "Vmalloc.the_pages_are_high_ones_while_there_are_any"},
       .elsewhere = "A signal that ends the caller: tasks here have none."},
      {.id = "V-21",
       .what = "6.1 stops where an interrupt asks for room; 2.6.11 does not look.",
       .covers = {"VMALLOC-SLEEP", "VMALLOC-MISUSE", "Vmalloc.no_interrupt_may_ask_6_1_for_it",
                  "Vmalloc.who_is_atomic_may_not_ask_for_it"}},
      {.id = "V-22",
       .what = "Each page has one reference, and is behind its own address.",
       .covers = {"VMALLOC-MAPPED", "VMALLOC-PAGES", "VMALLOC-CONTENT", "VMALLOC-TO-PAGE",
                  "VMALLOC-ENTRIES", "Vmalloc.each_page_has_its_own_frame_and_the_guard_has_none",
                  "SamePage.a_high_page_has_as_many_addresses_as_maps"}},
      {.id = "V-23",
       .what = "Pages of higher orders are split, so that each has a reference of its own.",
       .covers = {"VMALLOC-PAGES"},
       .not_modelled = {{huge, "all pages are of order 0 here, as they are after the split"},
                        {only_5_17, "compound pages"}}},
      {.id = "V-24",
       .what = "vfree of NULL is nothing. In an interrupt 6.1 notes the area on a list of its CPU, "
               "linked through the memory itself, and frees it later; 2.6.11 stops.",
       .covers = {"VMALLOC-MISUSE", "VMALLOC-WAITING", "Vfree.null_is_nothing",
                  "Vfree.an_interrupt_stops_2_6_11",
                  "Vfree.an_interrupt_leaves_the_work_to_later_in_6_1",
                  "Vfree.what_waits_to_be_freed_cannot_be_freed_again",
                  "Vfree.each_cpu_has_its_own_list"},
       .note = "Given twice, the kernel's list becomes a circle; ours names it."},
      {.id = "V-25",
       .what =
           "An address that begins no page frees nothing, nor does one of no area. 6.1 finds an "
           "area by any of its pages, the guard too; 2.6.11 by its first address.",
       .covers = {"VMALLOC-MISUSE", "Vfree.an_address_within_a_page_frees_nothing",
                  "Vfree.an_address_of_no_area_frees_nothing",
                  "Vfree.an_interior_page_frees_the_area_in_6_1_only"}},
  };
  return rows;
}

const std::vector<Sentence>& ownership() {
  static const std::vector<Sentence> rows{
      {.id = "V-26",
       .what = "vfree of a mapping only unmaps it, unless VM_MAP_PUT_PAGES gave it the pages: then "
               "each loses a reference. vunmap of memory of vmalloc loses the memory.",
       .covers = {"VMALLOC-MAPPED", "VMALLOC-PUT", "VMALLOC-MISUSE", "VMALLOC-RETURNED",
                  "VMALLOC-AREAS", "Vmap.one_reference_of_each_page_is_put",
                  "Vunmap.memory_that_is_only_unmapped_is_lost"}},
      {.id = "V-27",
       .what = "Pages of vmalloc are counted from their allocation to vfree; those of "
               "VM_MAP_PUT_PAGES are not.",
       .covers = {"VMALLOC-ACCOUNTED", "VMALLOC-COUNTED",
                  "Vmalloc.pages_are_counted_while_they_are_mapped"},
       .not_modelled = {{memcg, "its own count"}, {only_5_17, "put pages were taken off"}},
       .assumed = "Counted alike; that kernel had no such count."},
      {.id = "V-28",
       .what = "Each flag of an area has a bit of its own.",
       .covers = {"VMALLOC-PUT", "VMALLOC-AREAS",
                  "Vmap.pages_are_put_for_one_flag_and_addresses_flushed_for_another",
                  "Vmap.what_2_6_11_does_not_know_it_does_not_keep"},
       .not_modelled = {{kasan, "its flag"}, {huge, "its flag"}}},
      {.id = "V-29",
       .what = "A page may be mapped more than once. A NULL page, or one that is no frame, fails "
               "the whole. vmap takes no reference.",
       .covers = {"VMALLOC-LIMIT", "VMALLOC-CONTENT", "VMALLOC-FAILED", "VMALLOC-ENTRIES",
                  "Vmap.a_page_may_stand_in_the_list_twice",
                  "Vmap.a_list_with_no_page_in_it_is_refused_as_a_whole",
                  "Vmap.whichever_request_fails_nothing_is_left_behind"}},
      {.id = "V-30",
       .what = "vmalloc_32 takes pages that 32 bits address; vmalloc_user takes zeros that may be "
               "shown, and their guard never is.",
       .covers = {"VMALLOC-PAGES", "VMALLOC-ZEROED", "VMALLOC-SHOWN",
                  "Vmalloc.memory_for_32_bits_has_addresses_of_its_own",
                  "Vmalloc.memory_for_users_and_of_vzalloc_holds_zeros",
                  "Remap.only_pages_of_the_area_are_shown_to_a_user"},
       .assumed = "vmalloc_user, vzalloc and remap_vmalloc_range, which are younger, do as 6.1's."},
      {.id = "V-31",
       .what = "__GFP_NOFAIL does not fail.",
       .covers = {"VMALLOC-WAITS", "Vmalloc.what_must_not_fail_waits_instead",
                  "Vmalloc.a_task_that_waits_holds_nothing"},
       .note = "The kernel's loop is a task that waits here."},
      {.id = "V-32",
       .what = "vread reads holes, guards and devices as zeros.",
       .covers = {"VMALLOC-READ", "Vread.holes_and_guards_read_as_zeros",
                  "Vread.what_is_ioremapped_is_a_hole",
                  "Vread.a_range_that_begins_before_the_window_reads_zeros_up_to_it"},
       .assumed = "As 6.1, where that kernel read devices and stopped behind the last area."},
  };
  return rows;
}

const std::vector<Sentence>& later() {
  static const std::vector<Sentence> rows{
      {.id = "V-40",
       .what =
           "6.1 unmaps at once and frees the pages at once, but room is used again only after a "
           "flush that covers it.",
       .covers = {"VMALLOC-STALE", "VMALLOC-UNMAPPED", "VMALLOC-CACHED", "VMALLOC-ENTRIES",
                  "VMALLOC-LAZY",
                  "Vfree.pages_go_back_at_once_and_addresses_when_every_cpu_has_forgotten_them",
                  "Lazy.no_address_is_used_again_while_a_cpu_remembers_what_was_there"}},
      {.id = "V-41",
       .what = "Above so many lazy pages drain work is scheduled; a purge flushes once, and makes "
               "everything free.",
       .covers = {"VMALLOC-FLUSHED", "VMALLOC-PURGED", "VMALLOC-THRESHOLD", "VMALLOC-LAZY",
                  "Lazy.work_is_scheduled_above_the_threshold_and_not_at_it",
                  "Lazy.one_flush_covers_all_that_is_lazy_and_a_second_finds_nothing",
                  "Lazy.the_threshold_grows_with_each_doubling_of_cpus"},
       .not_modelled = {{only_5_17, "the freeing task purges"}},
       .note = "In a small window the limit is a quarter of it."},
      {.id = "V-42",
       .what = "2.6.11 unmaps and flushes at once.",
       .covers = {"VMALLOC-UNMAPPED", "VMALLOC-FLUSHED", "VMALLOC-CACHED",
                  "AreaList.an_area_that_is_given_back_can_be_had_again_at_once"}},
      {.id = "V-43",
       .what = "vm_map_ram cuts small mappings from blocks of its CPU; no place of a block is used "
               "twice before all of it was flushed.",
       .covers = {"VMALLOC-FLUSHED", "VMALLOC-BLOCKS", "VmMapRam.no_place_of_a_block_is_used_twice",
                  "VmMapRam.aliases_of_a_block_without_room_are_flushed_too",
                  "VmMapRam.a_purge_takes_blocks_that_nobody_uses"},
       .note = "6.1.192 forgets blocks without room when it flushes aliases; ours does not."},
      {.id = "V-44",
       .what = "With debug_pagealloc, and for VM_FLUSH_RESET_PERMS, the flush comes at once.",
       .covers = {"Vmap.pages_are_put_for_one_flag_and_addresses_flushed_for_another"},
       .elsewhere = "debug_pagealloc: a configuration that is not modelled."},
      {.id = "I-1",
       .what =
           "ioremap of nothing, of what wraps, and of any RAM is refused. The offset in the page "
           "is kept, and all pages that it touches are mapped. 2.6.11 answers the direct map "
           "below 1 MiB.",
       .covers = {"VMALLOC-LIMIT", "VMALLOC-MAPPED", "VMALLOC-OFFSET",
                  "Ioremap.the_offset_within_the_page_is_kept_and_all_pages_are_mapped",
                  "Ioremap.nothing_and_what_wraps_are_refused",
                  "Ioremap.memory_that_the_kernel_uses_is_refused_and_reserved_memory_is_not",
                  "Ioremap.in_2_6_11_the_range_below_one_megabyte_is_always_mapped"},
       .not_modelled = {{physical, "addresses are as wide as a page table's entry"}}},
      {.id = "I-2",
       .what = "iounmap rounds to a page, ignores the direct map, and names an address of no area.",
       .covers = {"VMALLOC-UNMAPPED", "VMALLOC-MISUSE",
                  "Iounmap.addresses_of_the_direct_map_are_ignored"}},
      {.id = "I-3",
       .what = "The same memory twice is two areas.",
       .covers = {"VMALLOC-MAPPED", "Ioremap.the_same_memory_twice_is_two_areas"}},
      {.id = "VI-1",
       .what =
           "/proc/vmallocinfo has a line for each busy range by address, with its guard; what is "
           "lazy follows the last one, and needs one.",
       .covers = {"VMALLOC-LISTED", "VMALLOCINFO-TEXT",
                  "Vmallocinfo.each_busy_range_has_a_line_in_address_order",
                  "Vmallocinfo.lazy_ranges_follow_the_last_busy_one_and_need_one",
                  "Vmallocinfo.pages_are_counted_by_node_and_long_lists_named"},
       .assumed = "As 6.1 prints it: that kernel had no such file.",
       .note = "Callers have no code here, so their task stands for it."},
  };
  return rows;
}

constexpr std::string_view introduction =
    "# Which rule or test holds each sentence of vmalloc\n"
    "\n"
    "As `props/buddy/SENTENCES.md`: numbered facts about Linux 2.6.11 and Linux 6.1 (its source "
    "at\n"
    "6.1.192), each with the rule (`CAPITALS`, see `rules.cpp`) that judges it, or the test\n"
    "(`Suite.name`) that works it out by hand. It is generated from `sentences.cpp`; the test\n"
    "`VmallocSentences.the_page_is_what_the_table_says` compares, and tells how to renew it.\n"
    "\n"
    "| sentence | what | rule or test | assumed for 2.6.11 | not modelled, notes |\n"
    "|---|---|---|---|---|\n";

std::string joined(std::span<const std::string_view> names) {
  std::string text;
  for (const std::string_view name : names)
    fmt::format_to(std::back_inserter(text), "{}`{}`", text.empty() ? "" : "<br>", name);
  return text;
}

std::string remarks(const Sentence& s) {
  std::string text;
  const auto add = [&](std::string_view kind, std::string_view what) {
    if (what.empty()) return;
    fmt::format_to(std::back_inserter(text), "{}*{}:* {}", text.empty() ? "" : "<br>", kind, what);
  };
  for (const NotModelled& part : s.not_modelled)
    add(fmt::format("Not modelled ({})", outside_names[static_cast<std::size_t>(part.reason)]),
        part.what);
  add("Elsewhere", s.elsewhere);
  add("Note", s.note);
  return text;
}

}  // namespace

std::span<const Sentence> sentences() {
  static const std::vector<Sentence> all = [] {
    std::vector<Sentence> rows = places();
    rows.insert(rows.end(), memory().begin(), memory().end());
    rows.insert(rows.end(), ownership().begin(), ownership().end());
    rows.insert(rows.end(), later().begin(), later().end());
    return rows;
  }();
  return all;
}

std::string sentences_page() {
  std::string text(introduction);
  for (const Sentence& s : sentences())
    fmt::format_to(std::back_inserter(text), "| {} | {} | {} | {} | {} |\n", s.id, s.what,
                   joined(s.covers), s.assumed, remarks(s));
  return text;
}

}  // namespace props::vmalloc
