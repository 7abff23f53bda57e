// mmu: mapping pages of the window, and reading and writing through addresses.
//
//   map, unmap        page tables only; no TLB hears of it
//   load, store       this CPU's TLB ─hit─▶ that frame, be it right or stale
//                                    └miss▶ page tables ─▶ fill, or a page fault
//   flush_...         forgets what is cached, on this CPU or on all
//
// Who unmaps a page has to flush it: until then every CPU may go on using the old translation.
// Addresses of the direct map need no table and no TLB.
#pragma once
#include <expected>
#include <optional>
#include <span>

#include "ref/mmu/machine.hpp"

namespace ref::mmu {

// False: there is no window, or the machine was too small for its tables. Nothing can be mapped.
inline bool is_up(const Machine& m) {
  const auto& d = m.mmu.directory;
  return d.count > 0 && m.arena.at(d, d.count - 1) != 0;
}
// Whether an address is one that page tables could map.
inline bool in_window(const Machine& m, Address address) {
  const auto at = static_cast<std::uint64_t>(address);
  return m.mmu.pages > 0 && at >= m.mmu.base && at < core::address_end;
}

// Page tables --------------------------------------------------------------------------------
// The address may lie anywhere in its page. REQUIREs that it is in the window.

enum class Mapped : std::uint8_t {
  done,
  needs_table,  // no page table stands there: install_table, and ask again
  busy,         // the page is mapped; nothing changed
};
[[nodiscard]] Mapped map(Machine&, Address, Pfn);
// The frame that was mapped there. TLBs keep what they have.
std::optional<Pfn> unmap(Machine&, Address);

bool needs_table(const Machine&, Address);
// The page table of the addresses around: a page of lowmem that holds zeros. It stays for ever.
void install_table(Machine&, Address, Pfn table);
// The frame of the page table there.
std::optional<Pfn> table_at(const Machine&, Address);

// Access -------------------------------------------------------------------------------------

// Where an access stopped. What lies before is done.
struct PageFault {
  Address address;
};
using Access = std::expected<void, PageFault>;

// By the CPU whose turn it is, through its TLB, which is filled. Frames outside RAM answer
// device_byte, and forget what is stored.
[[nodiscard]] Access load(Machine&, Address, std::span<std::byte> out);
[[nodiscard]] Access store(Machine&, Address, std::span<const std::byte> in);
// What a device has at a physical address.
std::byte device_byte(std::uint64_t physical);

// A CPU looks ahead, as hardware may at any time: caches the translation if there is one.
void prefetch(Machine&, std::uint32_t cpu, Address);

// Flushes ------------------------------------------------------------------------------------

enum class Cpus : std::uint8_t { local, all };
void flush_page(Machine&, Address, Cpus);
void flush_range(Machine&, Address begin, Address end, Cpus);  // [begin, end)
void flush_all(Machine&, Cpus);

// Looking without a trace --------------------------------------------------------------------

// What the page tables say; what a CPU has cached; what an access of that CPU would use. For the
// direct map: the frame, nothing cached, the frame.
std::optional<Pfn> walk(const Machine&, Address);
std::optional<Pfn> cached(const Machine&, std::uint32_t cpu, Address);
std::optional<Pfn> translate(const Machine&, std::uint32_t cpu, Address);

// Calls f(cpu, page address, frame) for each cached translation, a CPU's newest first.
template <class F>
void for_each_cached(const Machine& m, F f) {
  for (std::uint32_t cpu = 0; cpu < m.mmu.tlb.count; ++cpu)
    for (Index link = m.arena.at(m.mmu.tlb, cpu).first; link != 0;) {
      const TlbEntry& e = m.arena.at(m.mmu.entry, cpu * m.mmu.pages + link - 1);
      f(cpu, Address{m.mmu.base + (link - 1) * std::uint64_t{m.config.page_bytes}}, pfn_of(e.pte));
      link = e.next;
    }
}

}  // namespace ref::mmu
