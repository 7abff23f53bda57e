// The list of properties.
#include "props/slab/properties.hpp"

#include <array>

#include "props/core/property_traces.hpp"
#include "props/slab/property_case.hpp"

namespace props::slab {
namespace {

template <void (*ask)(Case&)>
constexpr auto judge = judge_case<Case, ask>;

void skipped_steps_do_nothing(Case& c) { props::skipped_steps_do_nothing(c, CacheSize{}); }
void reading_changes_nothing(Case& c) {
  props::reading_changes_nothing(c, [](std::size_t i) {
    const CacheRegister cache{static_cast<std::uint8_t>(i % CacheRegister::count)};
    return std::array<Operation, 2>{ReadSlabinfo{}, CacheSize{cache}};
  });
}

consteval Rule sentence(std::string_view id, std::string_view name, std::string_view statement,
                        std::string_view why, std::string_view source) {
  return {id, "slab", name, statement, why, source, Cost::linear, Scope::reference};
}

constexpr std::string_view giving =
    "What stays behind is lost to everybody else until the next boot.";
constexpr std::string_view replaying =
    "A trace that is not the whole run can be neither replayed nor minimized.";

constexpr std::array table{
    Property{sentence("PROP-SLAB-NEWBORN",
                      "When all is freed, destroyed and shrunk, the machine looks like a newborn.",
                      "free all; destroy own caches; shrink: free blocks and slabs == newborn's",
                      giving, "S-40, S-41; mm/slab.c, __kmem_cache_shrink(), drain_freelist()"),
             judge<newborn_again>},
    Property{sentence("PROP-SLAB-FREE-ORDER",
                      "In which order objects are freed does not matter once caches are shrunk.",
                      "for orders p, q of the live objects: shrunk(free p) == shrunk(free q)",
                      giving, "S-25, S-40; mm/slab.c, free_block()"),
             judge<any_order_of_frees>},
    Property{sentence("PROP-SLAB-FREE-CPU",
                      "Which CPU frees an object does not matter once caches are shrunk.",
                      "for any CPUs p, q of the frees: shrunk(free on p) == shrunk(free on q)",
                      "Objects that wait in some CPU's or node's array are found again, or lost.",
                      "S-28, S-40; mm/slab.c, drain_cpu_caches(), cache_free_alien()"),
             judge<any_cpu_frees>},
    Property{sentence("PROP-SLAB-CREATE", "A cache whose creation fails leaves nothing behind.",
                      "for each n: fail request n for pages; shrunk == shrunk before",
                      "A creation that runs out of memory half way has much to undo.",
                      "mm/slab_common.c, create_cache(); mm/slab.c, __kmem_cache_release()"),
             judge<failed_creation_leaves_nothing>},
    Property{sentence("PROP-SLAB-SHRINK", "Shrinking a cache that was just shrunk changes nothing.",
                      "shrink; shrink == shrink, answer and every byte of the machine",
                      "A first time that leaves something has not done what it says.",
                      "S-40; mm/slab.c, __kmem_cache_shrink()"),
             judge<shrinking_twice_is_once>},
    Property{sentence("PROP-SLAB-LIFO",
                      "What a CPU freed last is what it is handed out next, from the same cache.",
                      "o = alloc; free(o); alloc == o, on one CPU of the object's node",
                      "The arrays are there because such an object is still in the CPU's cache.",
                      "S-24; mm/slab.c, ____cache_alloc(), __free_one()"),
             judge<last_in_first_out>},
    Property{sentence("PROP-SLAB-CONSTRUCTED",
                      "An object of a cache with a constructor is constructed whenever it is "
                      "handed out.",
                      "for each such cache: the next objects hold what the constructor writes",
                      "Callers rely on it, and give objects back in that state.",
                      "S-31; mm/slab.c, cache_init_objs()"),
             judge<always_constructed>},
    Property{sentence("PROP-SLAB-BULK",
                      "A bulk request gives the very objects that single requests would give.",
                      "alloc_bulk(n) == n times alloc, in order",
                      "The bulk call is there to be faster, not to be different.",
                      "K-12; mm/slab.c, kmem_cache_alloc_bulk()"),
             judge<bulk_is_singles>},
    Property{sentence("PROP-SLAB-SLABINFO",
                      "Slabinfo says of each cache what its slabs and arrays say, slab by slab.",
                      "each line == numbers counted over the frames that are slabs",
                      "A counter that is wrong keeps slabs that should go, or loses some.",
                      "SI-1; mm/slab.c, get_slabinfo()"),
             judge<slabinfo_restates>},
    Property{sentence("PROP-SLAB-AGREED", "The oracle and the invariants agree with every answer.",
                      "judged by everything, no rule breaks after any step",
                      "Two opinions that were written apart find what one overlooks.",
                      "props/slab/objects.hpp, props/slab/invariants.hpp"),
             judge<agreed>},
    Property{sentence("PROP-SLAB-TEXT", "A trace's text, read again, is the same trace.",
                      "print(parse(print(t))) == print(t), and both end in one state", replaying,
                      "props/TRACE.md"),
             judge<text_is_the_trace>},
    Property{sentence("PROP-SLAB-BYTES", "A trace's bytes, decoded again, are the same trace.",
                      "decode(encode(t)) == t but for answers and comments, and both end in one "
                      "state",
                      replaying, "props/core/trace.hpp"),
             judge<bytes_are_the_trace>},
    Property{sentence("PROP-SLAB-SAME",
                      "The same trace on the same machine gives the same answers and state.",
                      "run(t) == run(t) == run(t) in a world that was used and reset", replaying,
                      "CONTRIBUTING.md: a seed is the whole run"),
             judge<runs_alike>},
    Property{sentence("PROP-SLAB-COPY",
                      "A copy is not touched by what the original does, and goes on as it did.",
                      "copy at half; run the original: copy unchanged; run the copy: equal ends",
                      "Settling a copy and asking it must not change what is judged.",
                      "ref/core/arena.hpp"),
             judge<copies_are_independent>},
    Property{sentence("PROP-SLAB-RESTORE", "Restoring a saved state brings back the very state.",
                      "save at half; run on; restore: equal, equal hash; run on: equal ends",
                      "Searches and resets are restored states.", "ref/core/arena.hpp"),
             judge<restored>},
    Property{sentence("PROP-SLAB-JUDGING", "What is judged does not change what happens.",
                      "run(t, everything) == run(t, cheap), answers and state",
                      "A finding of a search must be there when it is replayed.",
                      "props/slab/world.hpp"),
             judge<judged_alike>},
    Property{
        sentence("PROP-SLAB-SKIPPED", "Leaving out a skipped step changes no answer and no state.",
                 "run(t) == run(t without its skipped steps)",
                 "The minimizer lives by deleting steps.", "props/TRACE.md"),
        judge<skipped_steps_do_nothing>},
    Property{sentence("PROP-SLAB-READS", "Reading changes nothing, however often it is done.",
                      "run(t) == run(t with reads behind every step)",
                      "Who looks at counters must not steer the allocator.",
                      "mm/slab_common.c, slab_show()"),
             judge<reading_changes_nothing>},
};

}  // namespace

std::span<const Property> properties() { return table; }

}  // namespace props::slab
