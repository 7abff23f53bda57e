// The register of the slab layer's rules.
#include "props/slab/rules.hpp"

#include <array>

#include "props/buddy/world.hpp"

namespace props::slab {
namespace {

constexpr auto S = Scope::subject;
constexpr auto R = Scope::reference;
constexpr auto every = Cost::constant, tree = Cost::logarithmic, walk = Cost::linear;

constexpr std::array table{
    // Of any object allocator --------------------------------------------------------------------
    Rule{"OBJECT-USABLE", "slab", "An object is as large as was asked, or larger.",
         "granted(a, n) implies usable(a) >= n; kmem_cache_size >= the size of the creation",
         "What is written at the end of a short object is written into the next one.", "S-5, K-8",
         every, S},
    Rule{"OBJECT-ALIGNED", "slab",
         "An object starts at a multiple of the alignment that was asked.",
         "granted(a) implies a mod align = 0, for every power of two that the page source keeps",
         "Hardware and casts of callers rely on it.", "S-4, K-4", every, S},
    Rule{"OBJECT-DISJOINT", "slab", "No byte has two owners.",
         "granted(a, n) implies [a, a + usable) meets no live object",
         "Two owners write over each other.", "S-21, S-34", tree, S},
    Rule{"OBJECT-IN-PAGES", "slab",
         "An object lies in pages that the allocator has from the page source, while it lives.",
         "[a, a + usable) within one live block of the page allocator, below HIGHMEM, that no "
         "caller of pages has; no page of a live object is handed out",
         "A slab that goes too early leaves its callers with somebody else's memory.", "S-26, S-27",
         tree, S},
    Rule{
        "OBJECT-CONTENT", "slab", "What an owner wrote stays until he gives the object back.",
        "stamp(object) unchanged by every step that is not its owner's; likewise in callers' pages",
        "Free indices, poison and other owners must keep away from what is in use.", "S-7, S-30",
        every, S},
    Rule{"OBJECT-CONSTRUCTED", "slab", "An object is handed out in its constructed state.",
         "ctor and no __GFP_ZERO imply each byte = constructed(ctor, offset)",
         "Callers do not initialise what the constructor has.", "S-30", every, S},
    Rule{"OBJECT-ZEROED", "slab", "A zeroed object is all zeros.",
         "__GFP_ZERO implies the bytes asked for are 0 at return",
         "Old contents are other people's secrets.", "S-31, S-32", every, S},
    Rule{"OBJECT-REFUSED", "slab", "A refusal means that the page source refuses, too.",
         "refused or suspended, and no failure injected, implies: on a copy, the page source does "
         "not have what a new slab and its management need",
         "An allocator that refuses what it could have is broken the quiet way.", "S-20, S-23",
         walk, S},
    Rule{"OBJECT-BULK", "slab", "Many objects are handed out all, or none.",
         "kmem_cache_alloc_bulk answers 0 or the count",
         "Callers cannot know which of them they have.", "K-12", every, S},
    Rule{"OBJECT-WAITS", "slab", "Only a caller that may sleep waits.",
         "suspended implies may block, and not atomic",
         "Sleeping in atomic context hangs the machine.", "S-33", every, S},
    Rule{"OBJECT-FAULT", "slab", "Misuse is named for what it is, and only misuse.",
         "fault(step) = the fault that the registers imply: double-free, not-an-object, "
         "wrong-cache, no-such-cache, overwritten, ...; misuse changes nothing",
         "A wrong diagnosis sends people after the wrong bug; none at all corrupts the lists.",
         "S-1 to S-3, S-33 to S-35, S-41", every, S},
    Rule{"OBJECT-DESTROYED", "slab", "Destroying a cache says what became of it.",
         "still used iff others have it; busy iff objects of it are live; else gone",
         "A cache that goes with its objects leaves callers with free memory.", "S-6, S-41", every,
         S},
    Rule{"OBJECT-SHRUNK", "slab", "Shrinking leaves slabs exactly where objects are live.",
         "slabs remain iff the cache has a live object", "Memory that nobody uses is kept.", "S-40",
         every, S},
    Rule{"OBJECT-TUNED", "slab", "Tunables out of range change nothing.",
         "slabinfo_write done implies 1 <= batchcount <= limit",
         "An array without a limit is written past its end.", "S-43", every, S},
    Rule{"OBJECT-LISTED", "slab", "The slabinfo line of a cache counts its callers' objects.",
         "active objects of a name >= live objects of the cache of that name",
         "People find leaks by these numbers.", "SI-1", walk, S},
    Rule{"OBJECT-PAGES-BACK", "slab",
         "When everything was given back and shrunk, every page is free again.",
         "on a copy: all objects freed, caches destroyed, the others shrunk, RCU over: free blocks "
         "of each order = after boot",
         "What is not given back is lost until the next boot.", "S-26, S-27, S-40, S-41", walk, S},

    // Of the reference ---------------------------------------------------------------------------
    Rule{"SLAB-CHAIN", "slab",
         "The chain of caches holds every cache that was not destroyed, once.",
         "members of the chain = caches that are live or busy when destroyed; linked both ways; "
         "first and last are its ends",
         "A cache struct that is freed while it is linked makes the next creation write into "
         "somebody's object.",
         "S-6, S-41", walk, R},
    Rule{"SLAB-LAYOUT", "slab", "The slabs of a cache are laid out as its sizes and flags demand.",
         "order, num, place and size of the management, colours, allocflags = the era's formulas "
         "over size, align and flags",
         "One object too many runs over the management or past the slab's end.",
         "S-4, S-5, S-7, S-8, S-9", walk, R},
    Rule{"SLAB-LIMITS", "slab", "A cache's tunables are in range, and reach all its arrays.",
         "1 <= batchcount <= limit; CPU arrays have the cache's; free_limit = (1 + CPUs of the "
         "node) * batchcount + num",
         "An array that believes in a limit of its own writes past its end.", "S-10, S-11, S-43",
         walk, R},
    Rule{"SLAB-PAGES", "slab", "A slab is a block of pages that the cache owns, and says so.",
         "PG_slab iff first frame of a slab; its block is live, of the cache's order; each of its "
         "frames names it, and no other frame does",
         "From the page the allocator finds the cache: a wrong answer frees into foreign lists.",
         "S-9, S-27", walk, R},
    Rule{"SLAB-LISTED", "slab", "The list that a slab is on says how many of its objects are used.",
         "full: active = num; partial: 0 < active < num; free: active = 0; linked both ways; each "
         "slab on one list of its node",
         "An object is taken from a slab that has none, or memory is kept that nobody uses.",
         "S-20, S-25", walk, R},
    Rule{"SLAB-COUNTED", "slab", "A node's counts are what its slabs say.",
         "free_objects = sum of num - active; total_slabs = slabs on its lists",
         "Slabs are given back, and arrays refilled, by these numbers.", "S-20, S-21", walk, R},
    Rule{"SLAB-CONSERVED", "slab", "What slabs count as used, callers or arrays have.",
         "for each cache: sum of active = objects with callers + sum of avail over its arrays",
         "An object that nobody has is lost; one that two have is handed out twice.", "S-21", walk,
         R},
    Rule{"SLAB-INDICES", "slab", "A slab's free indices name each of its free objects once.",
         "num - active indices, below num, all different; none of an object that is used",
         "A duplicate hands one object to two callers.", "S-25, S-34", walk, R},
    Rule{"SLAB-MANAGED", "slab", "Free indices stand where nobody else writes.",
         "at the slab's border, in a free object, or in a live object of a general cache that is "
         "not itself off slab; never in an object that is used, and each at its own place",
         "The owner of the object writes over the free indices, or they over his data.",
         "S-7, K-14", walk, R},
    Rule{"SLAB-COLOURED", "slab", "A slab's first object is shifted by one of the cache's colours.",
         "offset in {0 .. colour - 1} * colour_off, 0 where there is none; the last object ends "
         "before the slab's end and its management",
         "A colour too many pushes the last object into the next page.", "S-9", walk, R},
    Rule{"SLAB-ARRAYS", "slab",
         "Arrays hold used objects of their cache, each once, on their node.",
         "avail <= limit; entries are objects of the cache, counted as used, without a caller, in "
         "one array only; shared: of its node, alien: of the other one; 0 behind avail",
         "Whatever stands in an array is the next one to be handed out.", "S-21, S-22, S-24, S-28",
         walk, R},
    Rule{"SLAB-HELD", "slab", "What a cache needs for itself is live memory, and nobody else's.",
         "descriptors, nodes, arrays, tables of arrays and off-slab indices begin at live objects "
         "of their caches, large enough, each in one use",
         "An array that was freed is written to by the next free.", "S-7, S-26, S-41", walk, R},
    Rule{"SLAB-GENERAL", "slab", "There is a general cache for every class and kind.",
         "general[kind][class] is a live cache of that size, with the kind's flags; no other entry",
         "kmalloc takes what the table says without asking.", "K-2, K-6", walk, R},
    Rule{"SLAB-MERGED", "slab", "A cache counts its users, and only plain ones have several.",
         "refcount: -1 or 0 of the allocator's own, >= 1 live, 0 when busy at its end; > 1 implies "
         "6.1, merging on, no constructor and no flag that forbids it",
         "One user's constructor or destruction becomes the other's.", "S-6, S-41", walk, R},
    Rule{"SLAB-RCU", "slab", "Slabs that wait for a grace period are free, whole and in one list.",
         "members of the list = slabs marked so; of TYPESAFE_BY_RCU caches; on no other list, "
         "active = 0",
         "Pages that go at once are read by those who hold the lock; pages forgotten are lost.",
         "S-27", walk, R},
    Rule{"SLAB-CANONICAL", "slab", "A field without meaning holds zero.",
         "records of what does not exist are zero; so are padding and fields of the other era",
         "States that behave alike must be equal bytes.", "ref/slab/machine.hpp", walk, R},
    Rule{"SLABINFO-TEXT", "slab", "/proc/slabinfo says what the caches are.",
         "header, and one line for each cache of the chain: counts, sizes, tunables as the lists "
         "and arrays have them",
         "It is what people, and differential tests, look at.", "SI-1", walk, R},
    Rule{"SLAB-EXACT", "slab", "Each request is answered as the naive model answers it.",
         "address of an allocation, and whether slabs remain = the model's",
         "Which object goes out, and when a slab comes or goes: policy, exact, for the reference "
         "only.",
         "S-22, S-23, S-24, S-25, S-26, S-28, S-40, S-41, S-42, K-12", walk, R},
    Rule{"SLAB-ORDERED", "slab", "Lists and arrays are the naive model's, in order.",
         "the three lists of each node, head to tail, free indices, arrays, touched marks and "
         "colours = the model's",
         "The order of a list decides what is handed out many steps later.",
         "S-9, S-22, S-23, S-24, S-25, S-28, S-42, S-43", walk, R},
};

}  // namespace

std::span<const Rule> rules() { return table; }

const Rule* find_rule(std::string_view id) {
  const Rule* rule = props::find_rule(table, id);
  return rule ? rule : props::find_rule(buddy::rules(), id);
}

}  // namespace props::slab
