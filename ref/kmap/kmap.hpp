// kmap: addresses for pages that have none, persistent and temporary.
//
//   kmap(page)    ─▶ has it an address? ─yes─▶ one more user of its slot
//                                       └no─▶ next slot with count 0 ─none─▶ wait for a kunmap
//   kmap_atomic   2.6.11: the slot of the type on this CPU       6.1: the top of the task's stack
//   kmap_local    6.1 only: the same stack, and the task may be preempted
//
// Pages below HIGHMEM have an address anyway, and take no slot. Misuse is in the machine's log, and
// changes nothing, unless its description says what it does.
#pragma once
#include <optional>
#include <string_view>

#include "ref/kmap/machine.hpp"

namespace ref::kmap {

using buddy::Answer;
using buddy::Refused;
using core::Env;

// Persistent ---------------------------------------------------------------------------------

// Refused as no_memory: highmem on a machine without slots. Suspended: the task sleeps until a slot
// is free. Misuse: it would have to sleep where it must not; where a slot is free, or none is
// needed, the log tells the same misuse, and the map is made.
[[nodiscard]] Answer<Address> kmap(Env&, Machine&, Pfn);
void kunmap(Machine&, Pfn);

// The running task sleeps in kmap; somebody woke it.
bool is_sleeping(const Machine&);
bool is_woken(const Machine&);
// Its kmap goes on. Not woken: it stays suspended.
[[nodiscard]] Answer<Address> resume(Env&, Machine&);

// The address that a page has now, if any: of the direct map, or persistent. Of several maps of a
// page only the persistent one counts.
std::optional<Address> page_address(const Machine&, Pfn);
// One more user of a page's persistent address, or nothing: never sleeps, never maps (M-7).
std::optional<Address> kmap_high_get(Machine&, Pfn);
void kmap_flush_unused(Machine&);  // M-9

// Temporary ----------------------------------------------------------------------------------

enum class KmType : std::uint8_t {  // A-1; 6.1 has none, and ignores it
  KM_BOUNCE_READ,
  KM_SKB_SUNRPC_DATA,
  KM_SKB_DATA_SOFTIRQ,
  KM_USER0,
  KM_USER1,
  KM_BIO_SRC_IRQ,
  KM_BIO_DST_IRQ,
  KM_PTE0,
  KM_PTE1,
  KM_IRQ0,
  KM_IRQ1,
  KM_SOFTIRQ0,
  KM_SOFTIRQ1,
  KM_TYPE_NR,  // none: the 14th
};
inline constexpr std::array<std::string_view, 14> km_type_names{"KM_BOUNCE_READ",
                                                                "KM_SKB_SUNRPC_DATA",
                                                                "KM_SKB_DATA_SOFTIRQ",
                                                                "KM_USER0",
                                                                "KM_USER1",
                                                                "KM_BIO_SRC_IRQ",
                                                                "KM_BIO_DST_IRQ",
                                                                "KM_PTE0",
                                                                "KM_PTE1",
                                                                "KM_IRQ0",
                                                                "KM_IRQ1",
                                                                "KM_SOFTIRQ0",
                                                                "KM_SOFTIRQ1",
                                                                "KM_TYPE_NR"};

// Disables preemption and page faults, also for pages below HIGHMEM. Misuse (wrong_atomic_type,
// atomic_slot_busy, too_many_local_maps, no_such_page) answers `misuse`.
[[nodiscard]] Answer<Address> kmap_atomic(Env&, Machine&, Pfn, KmType);
// 6.1, not the newest map: unmap_out_of_order with effect `freed`; the newest one is gone, and the
// log has its frame.
void kunmap_atomic(Env&, Machine&, Address, KmType);

// 6.1. Refused as no_memory in 2.6.11, which has none.
[[nodiscard]] Answer<Address> kmap_local_page(Env&, Machine&, Pfn);
void kunmap_local(Env&, Machine&, Address);  // also of kmap_high_get

// The address of a temporary slot of the fixmap: KM_... + 13 * cpu, or depth + 16 * cpu.
Address fixmap_address(const Machine&, std::uint32_t slot);

// Both ------------------------------------------------------------------------------------

// The frame behind an address of any map, or of the direct map (M-9). 6.1 warns once of each kind
// of maps: nobody should ask.
std::optional<Pfn> kmap_to_page(Machine&, Address);
bool is_kmap_addr(const Machine&, Address);  // persistent

// Clears bytes [start1, end1) and [start2, end2) of a page, or of a compound block (6.1), through
// temporary maps. bad_segment: an end behind the last byte.
void zero_user_segments(Env&, Machine&, Pfn, std::uint32_t start1, std::uint32_t end1,
                        std::uint32_t start2, std::uint32_t end2);

// Slots --------------------------------------------------------------------------------------

Address pkmap_address(const Machine&, std::uint32_t slot);
std::uint32_t pkmap_nr(const Machine&, Address);  // REQUIREs is_kmap_addr
std::uint32_t pkmap_count(const Machine&, std::uint32_t slot);
// The bucket of a page's address, 0 to 127 (M-8).
std::uint32_t page_bucket(const Machine&, Pfn);

}  // namespace ref::kmap
