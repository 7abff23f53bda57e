// The list of properties.
#include "props/vmalloc/properties.hpp"

#include <array>

#include "props/core/property_traces.hpp"
#include "props/vmalloc/property_case.hpp"

namespace props::vmalloc {
namespace {

template <void (*ask)(Case&)>
constexpr auto judge = judge_case<Case, ask>;

void skipped_steps_do_nothing(Case& c) { props::skipped_steps_do_nothing(c, ReadVmallocinfo{}); }
void reading_changes_nothing(Case& c) {
  props::reading_changes_nothing(c, [](std::size_t i) {
    const AreaRegister area{static_cast<std::uint8_t>(i % AreaRegister::count)};
    return std::array<Operation, 3>{VmallocToPage{area, {i * 64}}, Vread{area, {i}, {100}},
                                    ReadVmallocinfo{}};
  });
}

consteval Rule sentence(std::string_view id, std::string_view name, std::string_view statement,
                        std::string_view why, std::string_view source) {
  return {id, "vmalloc", name, statement, why, source, Cost::linear, Scope::reference};
}

constexpr std::string_view replaying =
    "A trace that is not the whole run can be neither replayed nor minimized.";
constexpr std::string_view room = "Room that is lost is lost until the next boot.";

constexpr std::array table{
    Property{sentence("PROP-VMALLOC-WHOLE",
                      "When all areas are given back and flushed, the window is one free range.",
                      "free all; purge: free set == {[start, end)}", room,
                      "V-6, V-8; mm/vmalloc.c, merge_or_add_vmap_area()"),
             judge<window_is_whole_again>},
    Property{sentence("PROP-VMALLOC-FREE-ORDER",
                      "In which order areas are given back does not matter once they are flushed.",
                      "for orders p, q of areas: free ranges after p == after q", room,
                      "V-6; mm/vmalloc.c, merge_or_add_vmap_area_augment()"),
             judge<any_order_of_frees>},
    Property{sentence("PROP-VMALLOC-AGAIN",
                      "What was given back and flushed serves the same size, there or lower.",
                      "free a; purge; get_vm_area(size of a) <= a", room,
                      "V-4, V-8; mm/vmalloc.c, alloc_vmap_area()"),
             judge<served_again>},
    Property{sentence("PROP-VMALLOC-PURGE-TWICE", "Flushing twice is flushing once.",
                      "purge(purge(m)) == purge(m), and nothing is lazy",
                      "Who flushes must know that it is done.",
                      "V-41; mm/vmalloc.c, _vm_unmap_aliases()"),
             judge<purging_twice_is_once>},
    Property{
        sentence("PROP-VMALLOC-PURGE-USED", "Flushing leaves what is used as it is.",
                 "busy ranges and their translations before == after a purge",
                 "A flush is for what is gone.", "V-41; mm/vmalloc.c, __purge_vmap_area_lazy()"),
        judge<purging_leaves_what_is_used>},
    Property{sentence("PROP-VMALLOC-ALIASES",
                      "What is written through one address of a page is read through all of them.",
                      "a, b = vmap(pages) twice: store(a + o, x); load(b + o) == page[o] == x",
                      "Mapped twice, it is still one page.", "V-22, V-29; mm/vmalloc.c, vmap()"),
             judge<written_once_read_everywhere>},
    Property{sentence("PROP-VMALLOC-VREAD", "vread of memory is what loads read there.",
                      "vread(a, bytes) == load(a, bytes) for areas with pages of RAM",
                      "A dump that differs from memory misleads.", "V-32; mm/vmalloc.c, vread()"),
             judge<reading_is_loading>},
    Property{
        sentence("PROP-VMALLOC-BORROWED",
                 "Mapping pages takes no reference, and unmapping drops none.",
                 "refcounts before == after vmap == after vunmap",
                 "A reference too few frees a page in use.", "V-26, V-29; mm/vmalloc.c, vmap()"),
        judge<pages_of_vmap_stay>},
    Property{sentence("PROP-VMALLOC-AGREED",
                      "What callers know and the invariants agree with every answer.",
                      "judged by everything, no rule breaks after any step",
                      "Two opinions that were written apart find what one overlooks.",
                      "props/vmalloc/world.hpp, props/vmalloc/invariants.hpp"),
             judge<agreed>},
    Property{sentence("PROP-VMALLOC-TEXT", "A trace's text, read again, is the same trace.",
                      "print(parse(print(t))) == print(t), and both end in one state", replaying,
                      "props/TRACE.md"),
             judge<text_is_the_trace>},
    Property{sentence("PROP-VMALLOC-BYTES", "A trace's bytes, decoded again, are the same trace.",
                      "decode(encode(t)) == t but for answers and comments, and both end in one "
                      "state",
                      replaying, "props/core/trace.hpp"),
             judge<bytes_are_the_trace>},
    Property{sentence("PROP-VMALLOC-SAME",
                      "The same trace on the same machine gives the same answers and state.",
                      "run(t) == run(t) == run(t) in a world that was used and reset", replaying,
                      "CONTRIBUTING.md: a seed is the whole run"),
             judge<runs_alike>},
    Property{sentence("PROP-VMALLOC-COPY",
                      "A copy is not touched by what the original does, and goes on as it did.",
                      "copy at half; run the original: copy unchanged; run the copy: equal ends",
                      "Settling a copy and asking it must not change what is judged.",
                      "ref/core/arena.hpp"),
             judge<copies_are_independent>},
    Property{sentence("PROP-VMALLOC-RESTORE", "Restoring a saved state brings back the very state.",
                      "save at half; run on; restore: equal, equal hash; run on: equal ends",
                      "Searches and resets are restored states.", "ref/core/arena.hpp"),
             judge<restored>},
    Property{sentence("PROP-VMALLOC-JUDGING", "What is judged does not change what happens.",
                      "run(t, everything) == run(t, cheap), answers and state",
                      "A finding of a search must be there when it is replayed.",
                      "props/vmalloc/world.hpp"),
             judge<judged_alike>},
    Property{sentence("PROP-VMALLOC-SKIPPED",
                      "Leaving out a skipped step changes no answer and no state.",
                      "run(t) == run(t without its skipped steps)",
                      "The minimizer lives by deleting steps.", "props/TRACE.md"),
             judge<skipped_steps_do_nothing>},
    Property{sentence("PROP-VMALLOC-READS", "Reading changes nothing, however often it is done.",
                      "run(t) == run(t with reads behind every step)",
                      "Who reads /proc must not steer the allocator.",
                      "V-32, VI-1; mm/vmalloc.c, s_show()"),
             judge<reading_changes_nothing>},
};

}  // namespace

std::span<const Property> properties() { return table; }

}  // namespace props::vmalloc
