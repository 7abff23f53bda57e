// The sentences on kmalloc, and the page that is made of them.
#include "props/kmalloc/sentences.hpp"

namespace props::kmalloc {
namespace {

using namespace outside;

const std::vector<Sentence>& sizes_and_frees() {
  static const std::vector<Sentence> rows{
      {.id = "K-1",
       .what = "Nothing is asked for: 6.1 answers the address 16, which is no memory and not NULL; "
               "2.6.11 an object of its smallest class.",
       .covers = {"KMALLOC-NOTHING", "KmallocSizes.nothing_is_an_address_of_its_own_in_6_1",
                  "KmallocSizes.nothing_is_an_object_of_the_smallest_class_in_2_6_11",
                  "KmallocSizes.nothing_through_every_call"}},
      {.id = "K-2",
       .what = "The classes: 6.1 has 32 to 8192 with 96 and 192; 2.6.11 32 to 131072, with 96 "
               "where a cache line is shorter than 64 bytes and 192 where shorter than 128.",
       .covers = {"KMALLOC-CLASS", "KmallocSizes.the_classes_of_each_era",
                  "KmallocSizes.short_cache_lines_have_a_class_of_96_in_2_6_11_and_long_ones_none_"
                  "of_192"},
       .not_modelled = {{slub_internals, "its classes of 8 and 16"},
                        {only_5_17, "classes up to 4 MiB"}},
       .note = "Pages of another size than 4 KiB have the classes that fit."},
      {.id = "K-3",
       .what = "The smallest class that fits serves; usable is the size of the class, even where "
               "its objects lie further apart.",
       .covers = {"KMALLOC-CLASS", "KMALLOC-ROOM", "KMALLOC-DISJOINT", "KMALLOC-CONTENT",
                  "KmallocSizes.each_size_gets_the_smallest_class_that_fits",
                  "KmallocSizes.usable_is_the_size_of_the_class_even_where_its_objects_lie_further_"
                  "apart"},
       .not_modelled = {{slub_internals, "usable is the distance of its objects"}}},
      {.id = "K-4",
       .what = "Memory is aligned to 8 bytes; a class of a power of two to its size (6.1); what is "
               "larger than the classes to a page.",
       .covers = {"KMALLOC-ALIGNED", "KMALLOC-NATURAL",
                  "KmallocSizes.sizes_of_a_power_of_two_are_aligned_to_themselves_in_6_1"},
       .note = "2.6.11 promises a word, which is four bytes there."},
      {.id = "K-5",
       .what =
           "Above the classes 6.1 gives compound pages of the order that holds the size, up to "
           "the largest block; beyond that it refuses with a warning. 2.6.11 refuses, silently, "
           "all above its largest class.",
       .covers = {"KMALLOC-CLASS", "KMALLOC-LIMIT", "KMALLOC-REFUSED", "KMALLOC-AGAIN",
                  "KmallocLarge.sizes_above_the_largest_class_are_compound_pages_in_6_1",
                  "KmallocLarge.nothing_is_larger_than_the_largest_block_in_6_1",
                  "KmallocLarge.nothing_is_larger_than_the_largest_class_in_2_6_11",
                  "KmallocLimit.every_call_refuses_what_is_above_it"},
       .not_modelled = {{only_5_17, "the silent limit of its classes"}},
       .elsewhere = "Constant sizes above the limit of 2.6.11, which do not link.",
       .note = "The warning is the page allocator's own (B-20): once, and not under "
               "__GFP_NOWARN."},
      {.id = "K-6",
       .what =
           "The flags choose the kind of cache: DMA before RECLAIMABLE before ACCOUNT. Flags of "
           "zones without addresses are taken off with a warning; 2.6.11 stops when a cache has "
           "to grow with them.",
       .covers = {"KMALLOC-INSIDE", "KmallocFlags.the_flags_choose_the_kind_of_cache",
                  "KmallocFlags.zones_without_addresses_are_not_asked_for_in_6_1",
                  "KmallocFlags.such_flags_stop_2_6_11_when_a_cache_has_to_grow"}},
      {.id = "K-7",
       .what = "kfree of NULL does nothing, in 6.1 of any address up to 16. A page that is no slab "
               "goes back in 6.1, a single one with one warning; what 2.6.11 does is not defined.",
       .covers = {"KMALLOC-MISUSE", "KMALLOC-RETURNED",
                  "Kfree.null_and_the_address_of_nothing_are_nothing",
                  "Kfree.a_page_that_is_no_slab_goes_back_with_one_warning_in_6_1",
                  "Kfree.compound_pages_of_the_page_allocator_go_back_silently_in_6_1",
                  "Kfree.an_address_within_large_memory_gives_back_all_of_it_in_6_1",
                  "Kfree.a_page_that_is_no_slab_is_not_given_back_in_2_6_11",
                  "Kfree.every_call_that_takes_an_address_names_one_that_is_free",
                  "Kfree.every_call_that_takes_an_address_names_one_within_an_object"},
       .not_modelled = {{only_5_17, "such a page is warned of and kept"}},
       .assumed = "A page that is no slab is a named misuse without effect.",
       .note = "A single page is named as misuse in 6.1 too, with the effect that it is freed."},
  };
  return rows;
}

const std::vector<Sentence>& other_calls() {
  static const std::vector<Sentence> rows{
      {.id = "K-8",
       .what = "A product that no number holds is refused without a word; one of nothing is "
               "nothing. kcalloc of 2.6.11 stops at INT_MAX.",
       .covers = {"KMALLOC-LIMIT", "KMALLOC-NOTHING",
                  "KmallocArrays.a_product_that_no_number_holds_is_refused_without_a_word",
                  "KmallocArrays.sizes_of_2_6_11_are_words_of_32_bits_and_kcalloc_has_half_of_them",
                  "KmallocArrays.no_product_that_wraps_is_taken_for_a_small_one",
                  "Krealloc.a_refusal_leaves_the_old_memory_as_it_was"},
       .assumed = "kmalloc_array and krealloc_array, which are younger, refuse what 32 bits do not "
                  "hold."},
      {.id = "K-9",
       .what =
           "kzalloc clears at least what was asked for. krealloc in place with __GFP_ZERO clears "
           "what lies behind the new size.",
       .covers = {"KMALLOC-ZEROED", "KmallocZeroed.memory_of_kzalloc_and_kcalloc_is_zeros",
                  "Krealloc.in_place_the_rest_becomes_zeros_if_asked_for"},
       .not_modelled = {{only_5_17, "nothing is cleared in place"}},
       .assumed = "kzalloc, which is younger, clears as kcalloc does, without __GFP_ZERO."},
      {.id = "K-10",
       .what = "krealloc to nothing frees; of nothing allocates; what fits stays where it is; what "
               "does not is copied whole, then the old memory is freed. On failure it stays.",
       .covers = {"KMALLOC-STAYS", "KMALLOC-MOVED", "KMALLOC-FAILED", "KMALLOC-MISUSE",
                  "Krealloc.zero_frees_and_null_allocates",
                  "Krealloc.what_fits_stays_and_what_does_not_is_copied_whole",
                  "Krealloc.a_refusal_leaves_the_old_memory_as_it_was",
                  "Krealloc.of_what_was_freed_is_named_at_every_size"},
       .not_modelled = {{kasan, "the check of the first byte"},
                        {tags,
                         "pointers that differ in "
                         "their tag alone"}},
       .assumed = "All of it, with NULL for nothing: the call is younger.",
       .note = "Of memory that nobody has, the reference reports misuse and does nothing more."},
      {.id = "K-11",
       .what =
           "ksize of nothing is 0. kmalloc_size_roundup tells what would be usable, keeps 0 and "
           "the largest number, and tells blocks of pages above the classes.",
       .covers = {"KMALLOC-ROOM", "KMALLOC-ROUNDUP", "Ksize.of_nothing_is_nothing",
                  "Ksize.of_pages_that_kmalloc_did_not_give_is_nothing",
                  "KmallocRoundup.tells_the_usable_size_without_asking_for_memory"},
       .not_modelled = {{only_5_17, "the inner call stops on NULL"}},
       .assumed = "kmalloc_size_roundup, which is younger, keeps what is above the classes."},
      {.id = "K-12",
       .what = "kfree_bulk takes objects and large memory together, and does not ask for NULL.",
       .covers = {"KMALLOC-MISUSE", "KMALLOC-RETURNED",
                  "KfreeBulk.objects_and_pages_go_back_together_and_null_is_no_object"},
       .not_modelled = {{only_5_17, "large memory in bulk was lost"}},
       .assumed = "kfree_bulk, which is younger, does what 6.1's does.",
       .elsewhere = "Bulk allocation from one cache: the row slab."},
      {.id = "K-13",
       .what = "kfree_sensitive clears all that is usable, then frees; NULL is allowed.",
       .covers = {"KMALLOC-SENSITIVE", "KfreeSensitive.all_that_was_usable_is_cleared"},
       .assumed = "kfree_sensitive, which is younger, does what 6.1's does.",
       .elsewhere = "kvmalloc, kvfree and kvrealloc: they stand on vmalloc, a row to come."},
      {.id = "K-14",
       .what = "The management of an off-slab cache is an object of a general cache that is not "
               "off-slab itself, so that giving memory never needs itself.",
       .covers = {"KMALLOC-RETURNED", "KmallocBoot.management_never_needs_its_own_cache"},
       .note = "The layout that decides it is slab's."},
  };
  return rows;
}

constexpr std::string_view introduction =
    "# Which rule or test holds each sentence of kmalloc\n"
    "\n"
    "As `props/buddy/SENTENCES.md`: numbered facts about Linux 2.6.11 and Linux 6.1 (its source "
    "at\n"
    "6.1.192), each with the rule (`CAPITALS`, see `rules.cpp`) that judges it, or the test\n"
    "(`Suite.name`) that works it out by hand. It is generated from `sentences.cpp`; the test\n"
    "`KmallocSentences.the_page_is_what_the_table_says` compares, and tells how to renew it.\n"
    "\n";

}  // namespace

std::span<const Sentence> sentences() {
  static const std::vector<Sentence> all = [] {
    std::vector<Sentence> rows = sizes_and_frees();
    rows.insert(rows.end(), other_calls().begin(), other_calls().end());
    return rows;
  }();
  return all;
}

std::string sentences_page() { return props::sentences_page(introduction, sentences()); }

}  // namespace props::kmalloc
