// The register of kmalloc's rules.
#include <array>

#include "props/kmalloc/world.hpp"

namespace props::kmalloc {
namespace {

constexpr auto S = Scope::subject;
constexpr auto R = Scope::reference;
constexpr auto every = Cost::constant, walk = Cost::linear;

constexpr std::array table{
    Rule{"KMALLOC-ALIGNED", "kmalloc", "Memory is aligned for any basic type.",
         "granted(p) implies p mod 8 = 0 (2.6.11: 4); above the largest class p mod page = 0",
         "Hardware faults on some machines, and is slow on all.", "K-4", every, S},
    Rule{
        "KMALLOC-NATURAL", "kmalloc", "A size that is a power of two is aligned to itself.",
        "6.1: size = 2^k, up to a page, implies p mod size = 0, also for what a class rounds up to "
        "2^k",
        "Drivers hand such memory to devices and file systems, and rely on it.", "K-4", every, S},
    Rule{
        "KMALLOC-INSIDE", "kmalloc",
        "Memory lies in pages that came from the page allocator, and have an address.",
        "each frame of [p, p + usable) is of a live block below HIGHMEM that no caller of the page "
        "allocator has; under __GFP_DMA in zone DMA",
        "Anything else is somebody else's memory.", "K-6", every, S},
    Rule{"KMALLOC-DISJOINT", "kmalloc", "No byte has two owners.",
         "granted(p) implies [p, p + usable) meets no other live [q, q + usable)",
         "Two owners write over each other.", "K-3", every, S},
    Rule{"KMALLOC-ROOM", "kmalloc", "What is usable is at least what was asked for.",
         "ksize(p) >= size, and stays what it was", "The owner writes as much as he asked for.",
         "K-3, K-11", every, S},
    Rule{"KMALLOC-CLASS", "kmalloc", "The smallest class that fits serves, and pages above it.",
         "usable = min{c in classes(era, page, cache line): c >= size}, or page << get_order(size)",
         "A larger class wastes memory; a smaller one overflows.", "K-2, K-3, K-5", every, R},
    Rule{"KMALLOC-NOTHING", "kmalloc", "Nothing is asked for, and nothing is taken.",
         "6.1: size = 0 implies ZERO_SIZE_PTR; 2.6.11: an object of the smallest class",
         "Callers tell it from NULL, which means that memory is short.", "K-1, K-8", every, S},
    Rule{"KMALLOC-LIMIT", "kmalloc",
         "What is larger than the limit, or than any number, is refused.",
         "size > KMALLOC_MAX_SIZE, or n * size > the largest size_t (kcalloc of 2.6.11: INT_MAX) "
         "implies refused",
         "A product that wrapped is a small object that its owner takes for a large one.",
         "K-5, K-8", every, S},
    Rule{"KMALLOC-ZEROED", "kmalloc", "Memory that was asked to be zeros is zeros.",
         "kzalloc, kcalloc, __GFP_ZERO implies bytes [p, p + size) = 0; in place, krealloc clears "
         "what lies behind the new size",
         "Old contents are other people's secrets.", "K-9", every, S},
    Rule{"KMALLOC-CONTENT", "kmalloc", "What an owner wrote stays until he gives the memory back.",
         "stamp(p) of the bytes that are the owner's, unchanged by every other step",
         "These stamps differ for each block and place, so overlap shows.", "K-3", every, S},
    Rule{"KMALLOC-MOVED", "kmalloc", "krealloc keeps the contents, wherever the memory lies.",
         "bytes [0, min(old size, new size)) of the answer are those of the old memory",
         "That is what the call is for.", "K-10", every, S},
    Rule{"KMALLOC-STAYS", "kmalloc", "krealloc moves nothing that fits where it is.",
         "0 < size <= ksize(p) implies krealloc(p, size) = p",
         "Callers keep pointers into memory that they only made smaller.", "K-10", every, S},
    Rule{"KMALLOC-FAILED", "kmalloc", "A call that fails changes nothing that an owner can see.",
         "krealloc refused implies ksize(p) and contents of p as before",
         "The caller still has the old memory, and goes on with it.", "K-10", every, S},
    Rule{"KMALLOC-REFUSED", "kmalloc", "Memory that is there is given.",
         "refused or suspended implies that, on a copy, the page allocator refuses the same "
         "caller two blocks of twice the size",
         "An allocator that refuses what it has is broken the quiet way.", "K-5", every, S},
    Rule{"KMALLOC-WAITS", "kmalloc", "Only a caller that may sleep waits.",
         "suspended implies may block, and not atomic",
         "Sleeping in atomic context hangs the machine.", "B-23", every, S},
    Rule{"KMALLOC-SLEEP", "kmalloc",
         "A call that may sleep is reported where it must not, and only there.",
         "fault sleeping-in-atomic iff may block, atomic, and the size is served at all",
         "The fast path hides the mistake until the day memory is short.", "B-23", every, S},
    Rule{"KMALLOC-MISUSE", "kmalloc", "Misuse is named for what it is, with its effect.",
         "fault(step) = the fault that the registers imply: double-free, not-an-object; effect "
         "freed exactly where 6.1 gives pages back all the same",
         "A wrong diagnosis sends people after the wrong bug; none at all corrupts the lists.",
         "K-7, K-10, K-12", every, S},
    Rule{"KMALLOC-SENSITIVE", "kmalloc", "Of memory that is freed as sensitive nothing remains.",
         "after kfree_sensitive(p) no eight bytes of the stamp stand in [p, p + usable)",
         "A key that stays in free memory is the next owner's.", "K-13", every, S},
    Rule{"KMALLOC-ROUNDUP", "kmalloc", "kmalloc_size_roundup tells what would be usable.",
         "roundup(size) = ksize(kmalloc(size)); roundup(0) = 0; roundup(the largest size_t) is "
         "itself; else >= size, but for what wraps",
         "Callers use it to ask for just what they would get.", "K-11", every, S},
    Rule{"KMALLOC-RETURNED", "kmalloc",
         "When everything is given back and the caches are shrunk, every page is back.",
         "on a copy: free all, shrink, drain; then free pages of each zone = those of the newborn, "
         "shrunk and drained, minus what a fault lost",
         "A page that stays is a leak.", "K-7, K-12", walk, S},
    Rule{"KMALLOC-AGAIN", "kmalloc", "A size that was served once is served again from empty.",
         "on the copy that is empty: the largest request that this run was granted is granted",
         "Fragmentation that outlives its objects is a leak of another kind.", "K-5", walk, S},
};

}  // namespace

std::span<const Rule> rules() { return table; }

}  // namespace props::kmalloc
