// The register of the page allocator's rules.
#include <array>

#include "props/buddy/world.hpp"

namespace props::buddy {
namespace {

constexpr auto S = Scope::subject;
constexpr auto R = Scope::reference;
constexpr auto every = Cost::constant, tree = Cost::logarithmic, walk = Cost::linear;

constexpr std::array table{
    Rule{"PAGE-ALIGNED", "buddy", "A block starts at a multiple of its size.",
         "granted(p, k) implies p mod 2^k = 0, counted from frame 0 (6.1) or the zone's start "
         "(2.6.11)",
         "Hardware and callers rely on it, and buddies are found by it.", "B-2", tree, S},
    Rule{"PAGE-INSIDE", "buddy", "A block lies inside one zone of the machine.",
         "granted(p, k) implies [p, p + 2^k) within one zone",
         "Pages of another zone, or of none, are somebody else's memory.", "B-8, W-1", tree, S},
    Rule{"PAGE-DISJOINT", "buddy", "No page has two owners.",
         "granted(p, k) implies no page of [p, p + 2^k) is live, reserved or lost",
         "Two owners write over each other.", "B-15, B-40", tree, S},
    Rule{"PAGE-ZONE", "buddy",
         "A request is served from a zone that it allows, and never from a higher one.",
         "granted from zone z implies z <= highest(gfp), and z on the caller's node under "
         "__GFP_THISNODE",
         "A DMA engine that cannot reach the page, or a kernel that cannot address it.",
         "B-22, W-1", tree, S},
    Rule{"PAGE-REFUSED", "buddy", "Memory that is free, and large enough, is given.",
         "refused or suspended implies no allowed zone holds 2^k in D(U) above its low mark and "
         "reserve, "
         "after settling",
         "An allocator that refuses what it has is broken the quiet way.", "B-6, P-8, W-3, W-5",
         tree, S},
    Rule{"PAGE-FORBIDDEN", "buddy", "A request that must fail fails.",
         "order beyond the machine, no allowed zone, or an injected failure implies refused",
         "Error paths that are never taken are never right.", "B-20, W-1", every, S},
    Rule{"PAGE-NOFAIL", "buddy", "A caller that cannot cope with a refusal gets none.",
         "__GFP_NOFAIL and may block implies granted or suspended (6.1)",
         "Such callers do not check.", "W-14", every, S},
    Rule{"PAGE-WAITS", "buddy", "Only a caller that may sleep, and asks for a small block, waits.",
         "suspended implies may block, not atomic, and order <= 3 or __GFP_NOFAIL or retrying",
         "Sleeping in atomic context hangs the machine.", "B-23, W-13, W-15", every, S},
    Rule{"PAGE-SLEEP", "buddy",
         "A call that may sleep is reported where it must not, and only there.",
         "fault sleeping-in-atomic iff may block and atomic, even when memory is there",
         "The fast path hides the mistake until the day memory is short.", "B-23", every, S},
    Rule{"PAGE-MISUSE", "buddy", "Misuse is named for what it is, with its effect on ownership.",
         "fault(step) = the fault that the registers imply: double-free, wrong-order, "
         "free-of-tail, ...",
         "A wrong diagnosis sends people after the wrong bug; none at all corrupts the lists.",
         "B-22, B-26, B-32, B-35, B-36", every, S},
    Rule{"PAGE-ZEROED", "buddy", "A zeroed block is all zeros.",
         "__GFP_ZERO implies every byte of the block is 0 at return",
         "Old contents are other people's secrets.", "B-25", tree, S},
    Rule{"PAGE-CONTENT", "buddy", "What an owner wrote stays until he gives the block back.",
         "stamp(block), and private, flags and mapcount of its first page, unchanged by every step "
         "that is not its owner's",
         "A constant fill would hide overlap; these stamps differ for each block and place.",
         "B-15", tree, S},
    Rule{"PAGE-FRESH", "buddy", "A fresh page carries nothing of its former owner.",
         "granted implies private = 0 on the head and on tails that become heads",
         "A stale private field was taken for a list by its next user.", "B-30, B-39", every, S},
    Rule{"PAGE-COUNT", "buddy", "References are counted where they belong.",
         "page_count: 1 when granted; head + gets - puts; 0 for tails unless compound",
         "One reference too few frees a page in use; one too many keeps it for ever.",
         "B-30, B-31, B-33", every, S},
    Rule{"PAGE-ADDRESS", "buddy",
         "A page below HIGHMEM has the address of its number; a highmem page has none.",
         "page_address(p) = base + p * page size iff zone(p) < HIGHMEM",
         "Arithmetic on addresses is how the kernel gets back from address to page.", "B-26", every,
         S},
    Rule{"PAGE-BULK", "buddy",
         "A bulk request fills empty slots only, in order, and counts the leading ones.",
         "slots filled before keep their page; the answer is the number of leading filled slots",
         "The caller frees by that number.", "B-43", every, S},
    Rule{"PAGE-CONSERVED", "buddy", "The pages shown as free are pages that nobody owns.",
         "sum over buddyinfo of count << order <= managed - live - lost",
         "This one equation finds most faults of page allocators.", "B-14, B-15, BI-1", every, S},
    Rule{"BUDDY-COALESCED", "buddy",
         "What nobody owns can be had again, in the largest possible blocks.",
         "after settling, all of D(U), largest first, is granted, inside U, disjoint",
         "Unmerged buddies make a large request fail while memory is free.", "B-6, B-15, B-33, P-8",
         walk, S},
    Rule{"BUDDY-TILED", "buddy", "The blocks of a zone cover each frame exactly once.",
         "heads in address order: aligned, inside the zone, followed by 2^order - 1 inner frames",
         "A gap leaks frames; an overlap hands one frame to two owners.", "B-2, B-4, B-15", walk,
         R},
    Rule{"BUDDY-LISTED", "buddy", "Free list k holds exactly the free blocks of order k.",
         "members of list k = free heads of order k; linked both ways; count = length",
         "A free block on no list is lost; a used one on a list is handed out twice.", "B-4, B-5",
         walk, R},
    Rule{"BUDDY-COUNTED", "buddy", "NR_FREE_PAGES is what the free lists hold.",
         "free_pages(zone) = sum over k of nr_free(k) << k", "Watermarks are compared with it.",
         "B-14", walk, R},
    Rule{"BUDDY-MERGED", "buddy", "No two free buddies of one order stand beside each other.",
         "free(h) and order(h) < max implies not (free(b) and order(b) = order(h)), b = buddy of h",
         "The large block that they would make is missing.", "B-3, B-6", walk, R},
    Rule{"BUDDY-REFERENCED", "buddy", "Live and reserved pages are referenced, others are not.",
         "live implies refcount >= 1; reserved implies 1; free or on a per-CPU list implies 0",
         "A free page with a reference will be freed once more.", "B-4, B-30, B-40, P-8", walk, R},
    Rule{"BUDDY-CANONICAL", "buddy", "A field without meaning holds zero.",
         "links, order, refcount, private, flags are 0 wherever the kind of the frame gives them "
         "no meaning",
         "States that behave alike must be equal bytes.", "ref/buddy/machine.hpp", walk, R},
    Rule{"BUDDY-EVENTS", "buddy", "PGALLOC and PGFREE count base pages.",
         "in each zone: live <= PGALLOC - PGFREE <= live + lost",
         "Statistics that drift hide leaks.", "P-9", walk, R},
    Rule{"BUDDYINFO-TEXT", "buddy", "/proc/buddyinfo says what the free lists are.",
         "one line per zone in the kernel's format, column k = nr_free(k)",
         "It is what people, and differential tests, look at.", "BI-1", walk, R},
    Rule{"ZONEINFO-TEXT", "buddy", "/proc/zoneinfo says what the zones are.",
         "low mark, managed pages and start of each zone stand in the text", "People tune by it.",
         "W-10", walk, R},
    Rule{"PCP-LISTED", "buddy",
         "Per-CPU lists hold exactly the blocks parked on them, and count their pages.",
         "members of list i = parked heads of its order; count = sum of 2^order",
         "A page counted and not there is lost; one there and not counted outgrows its limit.",
         "P-1, P-8, P-20", walk, R},
    Rule{"PCP-BOUNDED", "buddy", "Per-CPU lists stay within their limits.",
         "2.6.11: count <= high; 6.1: count <= the zone", "They would swallow the zone.",
         "P-4, P-21", walk, R},
    Rule{"PCP-UNLOCKED", "buddy", "Nobody holds a per-CPU list between two calls.", "locked = 0",
         "The next caller would go past it for ever.", "P-6", walk, R},
    Rule{"ZONE-GEOMETRY", "buddy", "A zone has the frames, the node and the kind it was given.",
         "first, pages, map, node and kind as the machine line has them; managed + reserved frames "
         "= pages; zone_of finds each zone and no other",
         "Every list, and every frame number that is handed out, is counted from there.",
         "ref/buddy/machine.hpp", walk, R},
    Rule{"CONTEXT-LEGAL", "buddy", "CPUs, tasks and the log hold what calls can leave behind.",
         "each CPU runs a task of its own; nesting <= 255; flags, faults and suspended calls are "
         "of their lists; no call, no fault and no loss are all zero",
         "Who may sleep, who may use the reserves and which call goes on is read from them.",
         "ref/core/context.hpp", walk, R},
    Rule{"ZONE-MARKS", "buddy", "The watermarks are what min_free_kbytes makes them.",
         "low(zone) = the formula of the era over managed pages",
         "Too low starves atomic callers, too high wastes memory.", "W-10", every, R},
    Rule{"ZONE-RESERVE", "buddy", "Lower zones keep the reserve that the ratios make.",
         "lowmem_reserve[i][j] = sum over k in i+1..j of managed(k) / ratio(i), 0 for ratio 0",
         "Requests that could be served above would eat the memory that only some can use.", "W-9",
         every, R},
    Rule{"BUDDY-EXACT", "buddy", "Each request is answered as the naive model answers it.",
         "answer, frame and pfmemalloc = the model's",
         "Which half of a split goes out, which zone, which watermark: policy, exact, for the "
         "reference only.",
         "B-10, B-11, B-42, B-43, P-2, P-3, P-21, W-1 to W-6, W-11 to W-14", walk, R},
    Rule{
        "BUDDY-ORDERED", "buddy", "Lists, counts and limits are the naive model's, in order.",
        "free lists and per-CPU lists, head to tail, free_factor, marks and reserves = the model's",
        "The order of a list decides what is handed out many steps later.",
        "B-10, B-11, P-2 to P-7, P-20, P-21, P-23, W-9, W-10", walk, R},
};

}  // namespace

std::span<const Rule> rules() { return table; }

}  // namespace props::buddy
