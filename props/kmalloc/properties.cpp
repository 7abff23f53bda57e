// The list of properties.
#include "props/kmalloc/properties.hpp"

#include <array>

#include "props/core/property_traces.hpp"
#include "props/kmalloc/property_case.hpp"

namespace props::kmalloc {
namespace {

template <void (*ask)(Case&)>
constexpr auto judge = judge_case<Case, ask>;

void skipped_steps_do_nothing(Case& c) { props::skipped_steps_do_nothing(c, KmallocSizeRoundup{}); }
void reading_changes_nothing(Case& c) {
  props::reading_changes_nothing(
      c, [](std::size_t i) { return std::array<Operation, 1>{KmallocSizeRoundup{{i * i}}}; });
}

consteval Rule sentence(std::string_view id, std::string_view name, std::string_view statement,
                        std::string_view why, std::string_view source) {
  return {id, "kmalloc", name, statement, why, source, Cost::linear, Scope::reference};
}

constexpr std::string_view giving =
    "What stays behind is lost to everybody else until the next boot.";
constexpr std::string_view replaying =
    "A trace that is not the whole run can be neither replayed nor minimized.";

constexpr std::array table{
    Property{sentence("PROP-KMALLOC-NEWBORN",
                      "When all is freed and shrunk, the machine looks like a newborn.",
                      "free all; shrink: free blocks and slabs == newborn's", giving,
                      "K-7, S-40; mm/slab_common.c, kfree()"),
             judge<newborn_again>},
    Property{sentence("PROP-KMALLOC-AGAIN",
                      "A size that a newborn serves is served again when all was given back.",
                      "for the sizes that are held: newborn serves s => emptied serves s", giving,
                      "K-3, K-5; mm/slab_common.c, __do_kmalloc_node()"),
             judge<served_again>},
    Property{sentence("PROP-KMALLOC-FREE-ORDER",
                      "In which order memory is freed does not matter once caches are shrunk.",
                      "for orders p, q of what is held: shrunk(free p) == shrunk(free q)", giving,
                      "K-7, S-25; mm/slab_common.c, kfree()"),
             judge<any_order_of_frees>},
    Property{sentence("PROP-KMALLOC-BULK",
                      "A bulk free leaves the very machine that single frees leave.",
                      "kfree_bulk(all) == kfree of each, every byte of the machine",
                      "The bulk call is there to be faster, not to be different.",
                      "K-12; mm/slab.c, kmem_cache_free_bulk()"),
             judge<bulk_is_singles>},
    Property{sentence("PROP-KMALLOC-MONOTONE",
                      "Who asks for more gets no less, and as much as was asked for.",
                      "a <= b => a <= ksize(kmalloc(a)) <= ksize(kmalloc(b))",
                      "A class that is too small for its sizes is an overrun to come.",
                      "K-3, K-5; mm/slab_common.c, kmalloc_slab()"),
             judge<room_grows_with_size>},
    Property{sentence("PROP-KMALLOC-ROUNDUP",
                      "What a size rounds up to is what is usable of memory of that size.",
                      "kmalloc_size_roundup(n) == ksize(kmalloc(n)), n > 0",
                      "Callers size their buffers by it before they have any.",
                      "K-11; mm/slab_common.c, kmalloc_size_roundup()"),
             judge<room_is_as_rounded_up>},
    Property{
        sentence("PROP-KMALLOC-PREFIX", "Resizing keeps the bytes up to the smaller of both sizes.",
                 "krealloc(p, n): the first min(size, n) bytes as before",
                 "That is what the call is for.", "K-10; mm/slab_common.c, __do_krealloc()"),
        judge<prefix_is_kept>},
    Property{
        sentence("PROP-KMALLOC-SENSITIVE",
                 "A sensitive free leaves nothing of what all usable bytes held.",
                 "kfree_sensitive(p): ksize(p) bytes are zero; poison where slabs are debugged",
                 "Keys must not be found by the next owner.",
                 "K-13; mm/slab_common.c, kfree_sensitive()"),
        judge<sensitive_is_cleared>},
    Property{sentence("PROP-KMALLOC-OVERFLOW",
                      "An array that no number holds the size of is refused, and nothing changes.",
                      "n * size > SIZE_MAX: kmalloc_array, kcalloc, krealloc_array refuse",
                      "A product that wraps around is a small block that is used as a large one.",
                      "K-8; include/linux/slab.h, kmalloc_array()"),
             judge<overflow_is_refused>},
    Property{sentence("PROP-KMALLOC-AGREED",
                      "What callers know and the invariants agree with every answer.",
                      "judged by everything, no rule breaks after any step",
                      "Two opinions that were written apart find what one overlooks.",
                      "props/kmalloc/world.hpp, props/slab/invariants.hpp"),
             judge<agreed>},
    Property{sentence("PROP-KMALLOC-TEXT", "A trace's text, read again, is the same trace.",
                      "print(parse(print(t))) == print(t), and both end in one state", replaying,
                      "props/TRACE.md"),
             judge<text_is_the_trace>},
    Property{sentence("PROP-KMALLOC-BYTES", "A trace's bytes, decoded again, are the same trace.",
                      "decode(encode(t)) == t but for answers and comments, and both end in one "
                      "state",
                      replaying, "props/core/trace.hpp"),
             judge<bytes_are_the_trace>},
    Property{sentence("PROP-KMALLOC-SAME",
                      "The same trace on the same machine gives the same answers and state.",
                      "run(t) == run(t) == run(t) in a world that was used and reset", replaying,
                      "CONTRIBUTING.md: a seed is the whole run"),
             judge<runs_alike>},
    Property{sentence("PROP-KMALLOC-COPY",
                      "A copy is not touched by what the original does, and goes on as it did.",
                      "copy at half; run the original: copy unchanged; run the copy: equal ends",
                      "Settling a copy and asking it must not change what is judged.",
                      "ref/core/arena.hpp"),
             judge<copies_are_independent>},
    Property{sentence("PROP-KMALLOC-RESTORE", "Restoring a saved state brings back the very state.",
                      "save at half; run on; restore: equal, equal hash; run on: equal ends",
                      "Searches and resets are restored states.", "ref/core/arena.hpp"),
             judge<restored>},
    Property{sentence("PROP-KMALLOC-JUDGING", "What is judged does not change what happens.",
                      "run(t, everything) == run(t, cheap), answers and state",
                      "A finding of a search must be there when it is replayed.",
                      "props/kmalloc/world.hpp"),
             judge<judged_alike>},
    Property{sentence("PROP-KMALLOC-SKIPPED",
                      "Leaving out a skipped step changes no answer and no state.",
                      "run(t) == run(t without its skipped steps)",
                      "The minimizer lives by deleting steps.", "props/TRACE.md"),
             judge<skipped_steps_do_nothing>},
    Property{sentence("PROP-KMALLOC-READS", "Reading changes nothing, however often it is done.",
                      "run(t) == run(t with reads behind every step)",
                      "Who asks how much a size gets must not steer the allocator.",
                      "K-11; mm/slab_common.c, ksize(), kmalloc_size_roundup()"),
             judge<reading_changes_nothing>},
};

}  // namespace

std::span<const Property> properties() { return table; }

}  // namespace props::kmalloc
