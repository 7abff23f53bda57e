// The register of the kmap layer's rules.
#include "props/kmap/rules.hpp"

#include <array>

#include "props/mmu/rules.hpp"

namespace props::kmap {
namespace {

constexpr auto S = Scope::subject;
constexpr auto R = Scope::reference;
constexpr auto every = Cost::constant, tree = Cost::logarithmic, walk = Cost::linear;

constexpr std::array table{
    // Of any mapper of pages to slots -----------------------------------------------------------
    Rule{"KMAP-WINDOW", "kmap", "A page without an address is mapped at a slot of the window.",
         "granted(a) implies a = begin + n * page, 0 <= n < slots",
         "An address outside is some other mapping's.", "M-4, M-9", every, S},
    Rule{"KMAP-DIRECT", "kmap", "A page of low memory is mapped where it always is.",
         "kmap(lowmem page) = its address in the direct map",
         "Callers do not ask where their page is from.", "M-2", every, S},
    Rule{"KMAP-DISJOINT", "kmap", "No slot has two pages.",
         "granted(p, a) implies no other page with users is at a",
         "Two callers read and write one page, each believing that it is his.", "M-1, M-3", tree,
         S},
    Rule{"KMAP-SAME", "kmap", "A page that is mapped has one address, for all of its users.",
         "granted(p, a) while p has users implies a = their address",
         "page_address has one answer; the second mapping would never be ended.", "M-1, M-3", tree,
         S},
    Rule{"KMAP-TRANSLATES", "kmap", "Every CPU reads the mapped page through its address.",
         "for each live map (p, a) and each CPU c: translation of a on c = p",
         "A translation that outlived its slot reads and writes somebody else's page.",
         "M-1, M-4, M-5", walk, S},
    Rule{"KMAP-CONTENT", "kmap", "What is written through one mapping is read through all.",
         "store through a map of p; load through each map of p = what was stored",
         "That is what a mapping is for.", "M-1, M-3", every, S},
    Rule{"KMAP-LOOKUP", "kmap", "A mapped page knows its address, and the address its page.",
         "p has users at a: page_address(p) = a, kmap_to_page(a) = p; none behind the last slot; "
         "nobody's page answers a slot with users",
         "Whoever asks goes on with the answer.", "M-2, M-8, M-9", every, S},
    Rule{"KMAP-WAITS", "kmap", "A caller waits, or is refused, only while every slot has users.",
         "sleeps implies may sleep, and no slot is free or it was woken; refused implies no slot, "
         "or none free and it may not sleep",
         "A wait with a free slot may last for ever.", "M-2, M-4", every, S},
    Rule{"KMAP-WAKES", "kmap", "Who frees a slot wakes somebody who waits for one.",
         "the last user of a page goes and tasks sleep implies one of them is woken",
         "A wake-up that is lost is a hang.", "M-6", every, S},
    Rule{"KMAP-CAPACITY", "kmap", "Every slot without users can be had.",
         "on a copy: slots - used more pages are mapped, none of them in vain",
         "A slot that is lost makes the next caller wait.", "M-1, M-4", walk, S},
    Rule{"KMAP-FLUSHED", "kmap", "After a flush nothing is left of what nobody uses.",
         "kmap_flush_unused: no address of a page without users, no CPU reads through its slot",
         "Whoever flushes is about to take the memory away.", "M-5, M-9", walk, S},
    Rule{"KMAP-RETURNED", "kmap", "When all maps have ended nothing is left of them.",
         "on a copy: all ended, flushed, pages freed: no address, no translation, free blocks as "
         "after boot",
         "A count that drifts keeps a slot for ever.", "M-5, M-6, M-10", walk, S},
    Rule{"KMAP-FAULT", "kmap", "Misuse is named for what it is, and only misuse.",
         "fault(step) = the fault that the registers imply: kunmap-of-unmapped, kunmap-of-zombie, "
         "sleeping-in-atomic, in-interrupt, wrong-atomic-type, atomic-slot-busy, "
         "unmap-out-of-order, too-many-local-maps, bad-segment",
         "A wrong diagnosis sends people after the wrong bug.",
         "M-2, M-6, A-1, A-2, A-3, A-10, A-11", every, S},
    Rule{"KMAP-ZEROED", "kmap", "Clearing pieces of a page clears them, and nothing else.",
         "zero_user_segments: bytes of [start1, end1) and [start2, end2) are 0, the others as "
         "before",
         "Left bytes are somebody's secrets, cleared ones somebody's data.", "A-14", walk, S},
    Rule{"ATOMIC-WINDOW", "kmap", "A temporary map is at a page of the fixmap.",
         "fixmap begin <= a < end, a mod page = 0", "Beside it are other mappings.", "A-1, A-10",
         every, S},
    Rule{"ATOMIC-DIRECT", "kmap", "A temporary map of low memory is at its direct address.",
         "kmap_atomic(lowmem page) = its address in the direct map",
         "A slot taken there would be missing elsewhere.", "A-2, A-10", every, S},
    Rule{"ATOMIC-DISJOINT", "kmap", "No two temporary maps that live at once share an address.",
         "granted(a) implies no live temporary map at a, of this CPU and task or another CPU",
         "An interrupt that takes the slot it interrupted changes the page under its user.",
         "A-1, A-2, A-10", every, S},
    Rule{"ATOMIC-TRANSLATES", "kmap",
         "A CPU reads the page of a temporary map through its address.",
         "for each live map (p, a) of the task that runs on c: translation of a on c = p",
         "A slot is used again and again: a stale translation is the usual accident.",
         "A-3, A-11, A-12", every, S},
    Rule{"ATOMIC-GONE", "kmap", "A temporary map that ended is not read through any more.",
         "unmapped, or its task was switched out, implies no translation of a on its CPU",
         "Later users of the slot read the old page.", "A-3, A-11, A-12", every, S},
    Rule{"ATOMIC-KEPT", "kmap", "A task's maps are where they were whenever it runs.",
         "a task with local maps runs on the CPU where it made them",
         "The addresses that it holds are those of one CPU.", "A-11, A-12", every, S},
    Rule{"ATOMIC-BALANCED", "kmap", "Each atomic map disables preemption and page faults once.",
         "kmap_atomic: both counts + 1, also for low memory; kunmap_atomic: - 1; refused, misused, "
         "and local maps: unchanged",
         "A count that drifts makes a CPU atomic for ever.", "A-2, A-3, A-11, A-13", every, S},
    Rule{"ATOMIC-REFUSED", "kmap", "A temporary map is refused only where its slot is taken.",
         "refused implies no window, or misuse that the registers imply",
         "Callers do not test for it.", "A-1, A-10", every, S},

    // Of the reference ---------------------------------------------------------------------------
    Rule{"KMAP-BIJECTION", "kmap", "A slot with a count is mapped, and its page has its address.",
         "count >= 1 iff its pte is present iff one record of the hash has its address, with the "
         "pte's frame, which is in HIGHMEM",
         "A count without a page, or a page without a count, is mapped twice or never freed.",
         "M-1, M-5, M-8", walk, R},
    Rule{"KMAP-HASHED", "kmap", "The hash of addresses holds each page in its bucket, once.",
         "chains linked both ways; records in the bucket of their page; 2.6.11: all others in the "
         "pool; 6.1: record n is slot n's, the others zero",
         "A page that is not found is mapped a second time.", "M-8", walk, R},
    Rule{"KMAP-CLEAN", "kmap", "No CPU remembers a translation that a slot does not have any more.",
         "cached on a CPU within pkmap, or its own part of the fixmap, implies the page tables say "
         "the same",
         "A slot with count 0 is handed out without another flush.", "M-1, M-5, A-3, A-11", walk,
         R},
    Rule{"KMAP-QUEUE", "kmap", "Who sleeps for a slot waits in kmap, and every slot has users.",
         "sleepers are tasks whose call is kmap, of a page in HIGHMEM; sleepers imply count >= 2 "
         "everywhere; the cursor is a slot",
         "A sleeper beside a free slot was not woken.", "M-4, M-6", walk, R},
    Rule{"ATOMIC-SLOTS", "kmap",
         "The temporary slots of a CPU hold its live maps and nothing else.",
         "2.6.11: slots that are mapped <= page faults disabled on the CPU; 6.1: slot n of a CPU = "
         "entry n of its task's stack",
         "A slot that stays mapped stops the next one who needs it.", "A-1, A-2, A-10, A-11, A-12",
         walk, R},
    Rule{"ATOMIC-SAVED", "kmap", "A task's stack of maps is whole, and keeps it where it is.",
         "idx < 16; entries below idx present and of HIGHMEM, 0 from there on; migration disabled "
         "idx times, on the CPU where it runs",
         "What is not saved is not there after the next switch.", "A-10, A-11, A-12", walk, R},
    Rule{"KMAP-CANONICAL", "kmap", "A field of maps without meaning holds zero.",
         "padding, the CPU of a task that is not pinned, and fields of the other era are zero",
         "States that behave alike must be equal bytes.", "ref/kmap/machine.hpp", walk, R},
    Rule{"KMAP-EXACT", "kmap", "Each page is mapped where the naive model maps it.",
         "address of kmap, or the wait, = the model's",
         "Slots in turn, a flush when they wrap: policy, exact, for the reference only.",
         "M-3, M-4, M-5", walk, R},
    Rule{"KMAP-ORDERED", "kmap", "Counts, pages and the cursor are the naive model's.",
         "after kmap, kunmap and flushes: counts, pages with an address, last slot = the model's",
         "A count that is wrong shows many steps later.", "M-1, M-3, M-4, M-5, M-6", walk, R},
    Rule{"ATOMIC-EXACT", "kmap", "A temporary map is at the slot of its type or depth, and CPU.",
         "a = FIXADDR_TOP - (1 + type + 13 * cpu) pages, or depth + 16 * cpu",
         "The order of types is what code of two contexts relies on.", "A-1, A-10", every, R},
};

}  // namespace

std::span<const Rule> rules() { return table; }

const Rule* find_rule(std::string_view id) {
  const Rule* rule = props::find_rule(table, id);
  return rule ? rule : mmu::find_rule(id);
}

}  // namespace props::kmap
