// The register of the rules of the vmalloc window.
#include <array>

#include "props/vmalloc/world.hpp"

namespace props::vmalloc {
namespace {

constexpr auto S = Scope::subject;
constexpr auto R = Scope::reference;
constexpr auto every = Cost::constant, walk = Cost::linear;

consteval Rule subject(std::string_view id, std::string_view sentence, std::string_view statement,
                       std::string_view why, std::string_view source, Cost cost = every) {
  return {id, "vmalloc", sentence, statement, why, source, cost, S};
}
consteval Rule reference(std::string_view id, std::string_view sentence, std::string_view statement,
                         std::string_view why, std::string_view source, Cost cost = walk) {
  return {id, "vmalloc", sentence, statement, why, source, cost, R};
}

constexpr std::string_view overlap = "Two owners write over each other.";
constexpr std::string_view stale =
    "A stale translation reads and writes a page that is somebody else's by now.";
constexpr std::string_view blind = "What the search trusts must be true, or it misses what fits.";

constexpr std::array of_subjects{
    subject("VMALLOC-INSIDE", "An area lies inside the window, with its guard.",
            "granted(a) implies start <= a and a + bytes + guard <= end",
            "Beyond are the persistent maps, or memory itself.", "V-4, V-5"),
    subject("VMALLOC-DISJOINT", "No two areas meet, and a guard is behind each.",
            "granted(a) implies [a, a + bytes + guard) meets no [b, b + bytes + guard)", overlap,
            "V-2, V-4"),
    subject("VMALLOC-ALIGNED",
            "An area begins at a page; one of ioremap at its size's power of two.",
            "a mod page = 0; VM_IOREMAP: a mod 2^clamp(log2 size) = 0",
            "Large entries of a page table need it.", "V-4"),
    subject("VMALLOC-REFUSED", "Room that is there is given, if memory is.",
            "refused implies no hole takes bytes + guard at that alignment, or on a copy the same "
            "caller gets not the pages that the call needs",
            "An allocator that refuses what it has is broken the quiet way.", "V-4, V-8"),
    subject("VMALLOC-LIMIT", "What is nothing, more than there is, or wraps, is refused.",
            "size = 0, size > memory, size + guard > window, a NULL page, RAM as a device implies "
            "refused",
            "A size that wrapped is a small area that its owner takes for a large one.",
            "V-1, V-3, V-5, V-9, V-29, I-1"),
    subject("VMALLOC-MAPPED", "Each address has its own page behind it, on every CPU.",
            "page i of the area: walk(a + i * page) = pages[i]", "That is what the call is for.",
            "V-22, V-26, I-1, I-3"),
    subject("VMALLOC-STALE", "No CPU sees behind an area what was there before.",
            "page i, CPU c: translate(c, a + i * page) = walk(a + i * page)", stale, "V-40"),
    subject("VMALLOC-GUARD", "Nothing is behind the guard, and nothing behind room that is empty.",
            "walk and translate of [a + bytes, a + bytes + guard) are nothing on every CPU",
            "An overrun must stop there.", "V-2"),
    subject("VMALLOC-UNMAPPED", "When an area is gone, so is what was behind it.",
            "after vfree, vunmap, iounmap: walk of each of its addresses is nothing",
            "Its pages are other people's by then.", "V-40, V-42, I-2"),
    subject("VMALLOC-FLUSHED", "What was flushed, no CPU knows any more.",
            "2.6.11: after vfree returns; 6.1: after a purge: cached(c, address) is nothing", stale,
            "V-41, V-42, V-43"),
    subject("VMALLOC-PAGES", "The pages of an area are its own, each once, of zones that fit.",
            "frames of vmalloc are distinct, nobody's, refcount 1; vmalloc_32: below 4 GiB; "
            "__GFP_DMA: zone DMA",
            overlap, "V-20, V-22, V-23, V-30"),
    subject("VMALLOC-PUT", "Pages go back with the area that owns them, and only with that.",
            "vfree of vmalloc's and of VM_MAP_PUT_PAGES areas: every page is given back; else none",
            "A page that stays is a leak; one that goes too early is two people's.", "V-26, V-28"),
    subject("VMALLOC-CONTENT", "What an owner wrote stays until he gives it back.",
            "stamp of each frame, read through any address of it and on any CPU",
            "Stamps differ for each frame and time, so mixed-up pages show.", "V-22, V-29"),
    subject("VMALLOC-ZEROED", "Memory that was asked to be zeros is zeros.",
            "vzalloc, vmalloc_user, kvzalloc, __GFP_ZERO implies all bytes = 0",
            "Old contents are other people's secrets.", "V-20, V-30"),
    subject("VMALLOC-OFFSET", "ioremap answers the address of the very byte that was asked for.",
            "ioremap(phys) mod page = phys mod page; vmalloc, vmap: 0",
            "A driver writes into the wrong register of its device.", "I-1"),
    subject("VMALLOC-TO-PAGE", "vmalloc_to_page answers the page behind any address.",
            "vmalloc_to_page(a + offset) = pages[offset / page]; none at the guard",
            "Drivers hand these pages to devices.", "V-22"),
    subject(
        "VMALLOC-SHOWN", "A user is shown pages of the area only, never its guard.",
        "remap_vmalloc_range(a, pgoff, size): pages [pgoff, pgoff + size / page) of an area for "
        "users, or refused",
        "Everything else is a hole in the kernel.", "V-30"),
    subject("VMALLOC-READ", "vread reads memory, and zeros where there is none.",
            "bytes of the pages; zeros behind guards and devices", "Reading a device changes it.",
            "V-32"),
    subject("VMALLOC-FAILED", "A call that fails has nothing that it still holds.",
            "refused implies areas and vmalloc's pages as before",
            "What a failed call keeps is lost.", "V-20, V-29"),
    subject("VMALLOC-WAITS", "Only a caller that may sleep waits.",
            "suspended implies may block, or must not fail, and not atomic",
            "Sleeping in atomic context hangs the machine.", "V-31"),
    subject("VMALLOC-SLEEP", "A call that may sleep is reported where it must not, and only there.",
            "fault sleeping-in-atomic implies atomic; granted in atomic context implies the fault",
            "The fast path hides the mistake until the day memory is short.", "B-23, V-21"),
    subject("VMALLOC-MISUSE", "Misuse is named for what it is, and leaves the rest in place.",
            "fault(step) = the fault that the registers imply, areas as before where it has no "
            "effect",
            "A wrong diagnosis sends people after the wrong bug.", "V-21, V-24, V-25, V-26, I-2"),
    subject("VMALLOC-LISTED", "/proc/vmallocinfo has one line for each area, by address.",
            "each area of a caller: one line start-end; no line of what is lazy meets it",
            "Whoever hunts a leak reads it.", "VI-1"),
    subject("VMALLOC-KV", "kvmalloc answers memory that is large enough, wherever it lies.",
            "an address outside the window implies ksize >= size", overlap, "K-3"),
    subject("VMALLOC-RETURNED",
            "When everything is given back and flushed, every page is back, but for page tables.",
            "on a copy: free all, run the work, purge, shrink, drain; then free pages of all zones "
            "= the newborn's - page tables made since",
            "A page that stays is a leak.", "V-20, V-26", walk),
    subject("VMALLOC-AGAIN", "When everything is given back, the whole window can be had.",
            "on that copy: get_vm_area(window - page) = its first address",
            "Room that is lost makes a machine that runs for a year fail.", "V-6, V-8", walk),
};

constexpr std::array of_reference{
    reference("VMALLOC-LOWEST", "An area lies at the lowest address that fits.",
              "first = min{x: [x, x + bytes + guard) free, x aligned}; 6.1: lazy room counts only "
              "when nothing else fits",
              "First fit by address is what both kernels promise.", "V-4, V-8", every),
    reference("VMALLOC-PURGED", "What is lazy is flushed for room only where nothing else fits.",
              "lazy' < lazy implies no hole beside it; lazy' = 0 if there was none",
              "Every flush interrupts all CPUs.", "V-8, V-41", every),
    reference(
        "VMALLOC-THRESHOLD", "Drain work is scheduled above the limit, and only there.",
        "pending' iff pending or lazy > fls(cpus) * 32 MiB / page (or a quarter of the window)",
        "Too early costs flushes, too late room.", "V-41", every),
    reference("VMALLOC-ACCOUNTED", "The count of vmalloc's pages is theirs.",
              "all freed: nr_vmalloc_pages = pages of areas taken away without vfree",
              "It is printed in /proc/meminfo.", "V-27"),
    reference("VMALLOC-WINDOW", "The allocator has the window that the machine gives it, or none.",
              "up implies a record for each of `vmalloc` pages, and the cache that its era needs",
              "All else is counted from there.", "V-4"),
    reference("VMALLOC-RECORDS", "A record tells of a range that its era knows, or holds zeros.",
              "pages = 0 implies all bytes zero; else set known, pages inside, object iff 6.1",
              "What is stale in a record is read one day.", "V-6"),
    reference("VMALLOC-PARTITION", "Free, busy and lazy ranges are the window, each page once.",
              "6.1: ranges tile [0, N); 2.6.11: ranges are disjoint",
              "Room in two sets is handed out twice; in none, never.", "V-6"),
    reference("VMALLOC-ORDERED", "Each set's list has its ranges by address, and counts them.",
              "first, next ... last = the set's ranges ascending; prev undoes next", blind, "V-6"),
    reference("VMALLOC-TREE", "Each set's tree has the ranges of its list, in order.",
              "in-order(root) = list; parent(child(n)) = n; 2.6.11: no links", blind, "V-6"),
    reference("VMALLOC-BALANCED", "Trees are red-black.",
              "root black; no red below red; as many black nodes on each way down",
              "Else a search takes as long as a list.", "V-6"),
    reference("VMALLOC-AUGMENTED", "A free node knows the largest range at or below it.",
              "largest(n) = max(pages(n), largest(left), largest(right))", blind, "V-6"),
    reference("VMALLOC-MERGED", "Free ranges are never side by side, nor lazy ones.",
              "end(r) != first(next(r)) in the free and in the lazy set",
              "Two halves refuse what the whole would serve.", "V-6"),
    reference("VMALLOC-LAZY", "The lazy pages are counted, with their guards.",
              "vmap_lazy_nr = sum of the lazy set; after vfree: + pages of the area",
              "A count that drifts never lets the drain work end.", "V-6, V-40, V-41"),
    reference(
        "VMALLOC-AREAS", "An area's record is that of a busy range, and consistent.",
        "object implies busy; flags known to the era; nr_pages <= mapped pages; list iff pages",
        "vfree frees what it says.", "V-2, V-26, V-28"),
    reference("VMALLOC-OBJECTS", "Descriptors and lists are objects in use, each once.",
              "object(range) in vmap_area's cache; object(area), list: live; all distinct; listed "
              "pages live",
              "Else the next owner writes over them.", "V-7, V-20"),
    reference("VMALLOC-WAITING", "What interrupts gave to vfree waits on one list, in place.",
              "deferred(area) iff it is on the list of exactly one CPU, linked through its memory",
              "Twice on a list is a circle; on none, a leak.", "V-24"),
    reference("VMALLOC-BLOCKS", "A block of vm_map_ram knows what it cut, and what is dirty.",
              "free + dirty + mapped <= pages; what was never cut is not mapped; queued iff free",
              "A place that is used twice is seen through stale translations.", "V-43"),
    reference("VMALLOC-ENTRIES", "Page tables say of an area what its record says, and no more.",
              "walk(page i) = list[i], or phys + i; all of an area or nothing; elsewhere nothing",
              "A leftover entry is a page with an owner too many.", "V-2, V-22, V-29, V-40"),
    reference("VMALLOC-CACHED", "No CPU keeps a translation of what is free, nor a wrong one.",
              "cached(c, p): p is lazy, or busy and walk(p) the same", stale, "V-40, V-42"),
    reference("VMALLOC-COUNTED", "The pages that areas list are counted.",
              "sum of nr_pages without VM_MAP_PUT_PAGES <= nr_vmalloc_pages",
              "It is printed in /proc/meminfo.", "V-27"),
    reference("VMALLOCINFO-TEXT", "/proc/vmallocinfo says what the records say.",
              "lines of busy ranges by address, then of lazy ones; size, pages, phys, kinds, nodes",
              "Tools read it.", "VI-1"),
};

constexpr auto table = [] {
  std::array<Rule, of_subjects.size() + of_reference.size()> all{};
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i] = i < of_subjects.size() ? of_subjects[i] : of_reference[i - of_subjects.size()];
  return all;
}();

}  // namespace

std::span<const Rule> rules() { return table; }

}  // namespace props::vmalloc
