// The list of properties.
#include "props/kmap/properties.hpp"

#include <array>

#include "props/core/property_traces.hpp"
#include "props/kmap/property_case.hpp"

namespace props::kmap {
namespace {

template <void (*ask)(Case&)>
constexpr auto judge = judge_case<Case, ask>;

void skipped_steps_do_nothing(Case& c) { props::skipped_steps_do_nothing(c, PageAddress{}); }
void reading_changes_nothing(Case& c) {
  props::reading_changes_nothing(c, [](std::size_t i) {
    const PageRegister page{static_cast<std::uint8_t>(i % 8)};
    return std::array<Operation, 1>{PageAddress{page, {i % 4}}};
  });
}

consteval Rule sentence(std::string_view id, std::string_view name, std::string_view statement,
                        std::string_view why, std::string_view source) {
  return {id, "kmap", name, statement, why, source, Cost::linear, Scope::reference};
}

constexpr std::string_view replaying =
    "A trace that is not the whole run can be neither replayed nor minimized.";

constexpr std::array table{
    Property{
        sentence("PROP-KMAP-NEWBORN",
                 "When all maps have ended and are flushed, the window looks like a newborn's.",
                 "kunmap all; flush: counts, pages, addresses, cached translations == newborn's",
                 "A slot that stays behind is missing for ever.",
                 "M-5, M-6; mm/highmem.c, flush_all_zero_pkmaps()"),
        judge<newborn_again>},
    Property{
        sentence("PROP-KMAP-UNMAP-ORDER", "In which order maps end does not matter.",
                 "for orders p, q of all but one live map: shape(end p) == shape(end q)",
                 "Users of a page do not know of each other.", "M-6; mm/highmem.c, kunmap_high()"),
        judge<any_order_of_unmaps>},
    Property{
        sentence("PROP-KMAP-FLUSH", "Flushing a window that was just flushed changes nothing.",
                 "flush; flush == flush", "A first time that leaves something has not flushed.",
                 "M-5, M-9; mm/highmem.c, __kmap_flush_unused()"),
        judge<flushing_twice_is_once>},
    Property{sentence("PROP-KMAP-AGAIN",
                      "A page whose last map just ended is mapped again where it was.",
                      "kunmap until no user is left; kmap == the address before",
                      "That is why nothing is flushed before the slots run out.",
                      "M-3; mm/highmem.c, kmap_high()"),
             judge<mapped_again_is_there>},
    Property{sentence("PROP-KMAP-WAKE", "Whoever waits for a slot gets the next that becomes free.",
                      "all slots taken; kmap waits; the last user of one goes: resume == a map",
                      "A wake-up that is lost is a hang.", "M-4, M-6; mm/highmem.c, kunmap_high()"),
             judge<one_unmap_wakes>},
    Property{sentence("PROP-KMAP-TURN", "Every slot that nobody uses can be had, each once.",
                      "flush; kmap(p1), kmap(p2), ...: as many different slots as were free",
                      "A search that passes a slot by loses it, or hands it out twice.",
                      "M-4; mm/highmem.c, map_new_virtual()"),
             judge<every_slot_once>},
    Property{sentence("PROP-ATOMIC-NOTHING", "An atomic map that ended leaves nothing behind.",
                      "a = kmap_atomic(p); load(a); kunmap_atomic(a): every byte as before",
                      "Interrupts do it at any time.", "A-3, A-11, A-13; mm/highmem.c"),
             judge<atomic_leaves_nothing>},
    Property{
        sentence("PROP-ATOMIC-SWITCH", "A task that was away finds its maps where it left them.",
                 "switch to another task that maps and unmaps; switch back: same translations",
                 "Local maps may be preempted: that is what they are for.",
                 "A-12; mm/highmem.c, __kmap_local_sched_in()"),
        judge<there_and_back>},
    Property{
        sentence("PROP-KMAP-READS-ALL",
                 "What is written through one map is read through all, on each CPU.",
                 "a = kmap_atomic(p); store(a, x): load through p's other address == x, per CPU",
                 "Two addresses of a page are one memory.", "M-1, A-2, A-11"),
        judge<all_read_the_same>},
    Property{sentence("PROP-KMAP-AGREED", "The oracle and the invariants agree with every answer.",
                      "judged by everything, no rule breaks after any step",
                      "Two opinions that were written apart find what one overlooks.",
                      "props/kmap/slots.hpp, props/kmap/invariants.hpp"),
             judge<agreed>},
    Property{sentence("PROP-KMAP-TEXT", "A trace's text, read again, is the same trace.",
                      "print(parse(print(t))) == print(t), and both end in one state", replaying,
                      "props/TRACE.md"),
             judge<text_is_the_trace>},
    Property{sentence("PROP-KMAP-BYTES", "A trace's bytes, decoded again, are the same trace.",
                      "decode(encode(t)) == t but for answers and comments, and both end in one "
                      "state",
                      replaying, "props/core/trace.hpp"),
             judge<bytes_are_the_trace>},
    Property{sentence("PROP-KMAP-SAME",
                      "The same trace on the same machine gives the same answers and state.",
                      "run(t) == run(t) == run(t) in a world that was used and reset", replaying,
                      "CONTRIBUTING.md: a seed is the whole run"),
             judge<runs_alike>},
    Property{sentence("PROP-KMAP-COPY",
                      "A copy is not touched by what the original does, and goes on as it did.",
                      "copy at half; run the original: copy unchanged; run the copy: equal ends",
                      "Taking a copy's last slots must not change what is judged.",
                      "ref/core/arena.hpp"),
             judge<copies_are_independent>},
    Property{sentence("PROP-KMAP-RESTORE", "Restoring a saved state brings back the very state.",
                      "save at half; run on; restore: equal, equal hash; run on: equal ends",
                      "Searches and resets are restored states.", "ref/core/arena.hpp"),
             judge<restored>},
    Property{sentence("PROP-KMAP-JUDGING", "What is judged does not change what happens.",
                      "run(t, everything) == run(t, cheap), answers and state",
                      "A finding of a search must be there when it is replayed.",
                      "props/kmap/world.hpp"),
             judge<judged_alike>},
    Property{
        sentence("PROP-KMAP-SKIPPED", "Leaving out a skipped step changes no answer and no state.",
                 "run(t) == run(t without its skipped steps)",
                 "The minimizer lives by deleting steps.", "props/TRACE.md"),
        judge<skipped_steps_do_nothing>},
    Property{sentence("PROP-KMAP-READS", "Asking for addresses changes nothing, however often.",
                      "run(t) == run(t with page_address behind every step)",
                      "Who looks must not steer the mapper.", "M-8; mm/highmem.c, page_address()"),
             judge<reading_changes_nothing>},
};

}  // namespace

std::span<const Property> properties() { return table; }

}  // namespace props::kmap
