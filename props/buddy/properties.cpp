// The list of properties.
#include "props/buddy/properties.hpp"

#include <array>

#include "props/buddy/property_case.hpp"
#include "props/core/property_traces.hpp"

namespace props::buddy {
namespace {

template <void (*ask)(Case&)>
constexpr auto judge = judge_case<Case, ask>;

// What a trace may read behind each step, and what it may do at its end without a trace of it.
void skipped_steps_do_nothing(Case& c) { props::skipped_steps_do_nothing(c, FreePagesNull{}); }
void reading_changes_nothing(Case& c) {
  props::reading_changes_nothing(c, [](std::size_t i) {
    const PageRegister page{static_cast<std::uint8_t>(i % PageRegister::count)};
    return std::array<Operation, 4>{PageCount{page, {0}}, PageAddress{page}, ReadBuddyinfo{},
                                    ReadZoneinfo{}};
  });
}

consteval Rule sentence(std::string_view id, std::string_view name, std::string_view statement,
                        std::string_view why, std::string_view source) {
  return {id, "buddy", name, statement, why, source, Cost::linear, Scope::reference};
}

constexpr std::string_view merging = "Pages that stay apart are pages that a large request lacks.";
constexpr std::string_view replaying =
    "A trace that is not the whole run can be neither replayed nor minimized.";

constexpr std::array table{
    Property{sentence("PROP-NEWBORN",
                      "Whatever was done, giving all back and settling leaves the newborn's free "
                      "blocks.",
                      "free all; drain_all_pages: free lists == D(all frames not reserved or lost)",
                      merging, "B-6; mm/page_alloc.c, __free_one_page()"),
             judge<newborn_again>},
    Property{sentence("PROP-FREE-ORDER",
                      "In which order blocks are given back does not matter once all is settled.",
                      "for orders p, q of the live blocks: settled(free p) == settled(free q)",
                      merging, "B-6; mm/page_alloc.c, __free_one_page()"),
             judge<any_order_of_frees>},
    Property{sentence("PROP-EXHAUST",
                      "Once settled, every block that nobody owns can be had, and then nothing.",
                      "each of D(U), largest first, is granted; then order 0 is refused", merging,
                      "B-6, B-10; the definition of D(U), props/buddy/oracle.hpp"),
             judge<all_can_be_had>},
    Property{sentence("PROP-ROUND-TRIP",
                      "Taking a block of any order and giving it back changes no free block once "
                      "settled.",
                      "settled(free(alloc(order))) == settled, by free blocks", merging,
                      "B-6, B-10; mm/page_alloc.c, expand(), __free_one_page()"),
             judge<taken_and_given_back>},
    Property{sentence("PROP-SETTLE",
                      "Settling empties the per-CPU lists, loses no page, and is done after once.",
                      "drain; pcp == 0; free + pcp as before; drain again == drain",
                      "Everything that asks a settled copy builds on it.",
                      "P-8; mm/page_alloc.c, drain_all_pages()"),
             judge<settled_once>},
    Property{sentence("PROP-COUNTS",
                      "Frames, counters, buddyinfo and zoneinfo add up to the same pages.",
                      "per zone: sum of frames by kind == counters == texts == pages",
                      "A counter that is wrong moves every watermark.",
                      "B-14, BI-1; mm/vmstat.c, frag_show_print(), zoneinfo_show_print()"),
             judge<pages_add_up>},
    Property{sentence("PROP-FAILED", "A call that fails changes nothing that a client can see.",
                      "refused, or misuse without effect: blocks, references, free pages as before",
                      "A caller that is told no must not have lost anything.",
                      "the calls' contract; mm/page_alloc.c, __alloc_pages(), __free_pages()"),
             judge<failing_changes_nothing>},
    Property{
        sentence("PROP-CONTENTS", "A block keeps its contents through everything that others do.",
                 "after each step: stamps of all live blocks hold",
                 "Somebody else writes into memory that has an owner.", "the calls' contract"),
        judge<contents_stay>},
    Property{sentence("PROP-DOUBLE-FREE",
                      "Freeing what nobody owns is named a double free, and changes nothing.",
                      "for frames of U: free reports double-free; state as before",
                      "A double free that goes through gives one page to two owners.",
                      "B-34; mm/page_alloc.c, free_pages_prepare()"),
             judge<double_frees_are_named>},
    Property{sentence("PROP-BULK",
                      "A bulk request gives the very pages that single requests would give.",
                      "bulk(n) == n times alloc_page, as far as it goes, from the same zone",
                      "The bulk call is there to be faster, not to be different.",
                      "B-43; mm/page_alloc.c, __alloc_pages_bulk()"),
             judge<bulk_is_singles>},
    Property{sentence("PROP-AGREED",
                      "The oracle, the exact model and the invariants agree with every answer.",
                      "judged by everything, no rule breaks after any step",
                      "Two opinions that were written apart find what one overlooks.",
                      "props/buddy/model.hpp, props/buddy/oracle.hpp"),
             judge<agreed>},
    Property{sentence("PROP-TEXT", "A trace's text, read again, is the same trace.",
                      "print(parse(print(t))) == print(t), and both end in one state", replaying,
                      "props/TRACE.md"),
             judge<text_is_the_trace>},
    Property{sentence("PROP-BYTES", "A trace's bytes, decoded again, are the same trace.",
                      "decode(encode(t)) == t but for answers and comments, and both end in one "
                      "state",
                      replaying, "props/core/trace.hpp"),
             judge<bytes_are_the_trace>},
    Property{sentence("PROP-SAME",
                      "The same trace on the same machine gives the same answers and state.",
                      "run(t) == run(t) == run(t) in a world that was used and reset", replaying,
                      "CONTRIBUTING.md: a seed is the whole run"),
             judge<runs_alike>},
    Property{sentence("PROP-COPY",
                      "A copy is not touched by what the original does, and goes on as it did.",
                      "copy at half; run the original: copy unchanged; run the copy: equal ends",
                      "Settling a copy and asking it must not change what is judged.",
                      "ref/core/arena.hpp"),
             judge<copies_are_independent>},
    Property{sentence("PROP-RESTORE", "Restoring a saved state brings back the very state.",
                      "save at half; run on; restore: equal, equal hash; run on: equal ends",
                      "Searches and resets are restored states.", "ref/core/arena.hpp"),
             judge<restored>},
    Property{sentence("PROP-JUDGING", "What is judged does not change what happens.",
                      "run(t, everything) == run(t, cheap), answers and state",
                      "A finding of a search must be there when it is replayed.",
                      "props/buddy/world.hpp"),
             judge<judged_alike>},
    Property{sentence("PROP-SKIPPED", "Leaving out a skipped step changes no answer and no state.",
                      "run(t) == run(t without its skipped steps)",
                      "The minimizer lives by deleting steps.", "props/TRACE.md"),
             judge<skipped_steps_do_nothing>},
    Property{sentence("PROP-READS", "Reading changes nothing, however often it is done.",
                      "run(t) == run(t with reads behind every step)",
                      "Who looks at counters must not steer the allocator.",
                      "mm/vmstat.c, frag_show(), zoneinfo_show()"),
             judge<reading_changes_nothing>},
};

}  // namespace

std::span<const Property> properties() { return table; }

}  // namespace props::buddy
