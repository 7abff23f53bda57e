// TLBs: what each CPU has cached, and the accesses that go through it.
#include <algorithm>

#include "ref/mmu/mmu.hpp"

namespace ref::mmu {
namespace {

Index page_of(const Machine& m, Address address) {
  const std::uint64_t at = static_cast<std::uint64_t>(address) - m.mmu.base;
  return static_cast<Index>(at / m.config.page_bytes);
}

std::uint64_t entry_index(const Machine& m, std::uint32_t cpu, Index page) {
  return cpu * m.mmu.pages + page;
}
TlbEntry& edit_entry(Machine& m, std::uint32_t cpu, Index page) {
  return m.arena.edit(m.mmu.entry, entry_index(m, cpu, page));
}

void fill(Machine& m, std::uint32_t cpu, Index page, Pfn pfn) {
  Tlb& tlb = m.arena.edit(m.mmu.tlb, cpu);
  if (tlb.first != 0) edit_entry(m, cpu, tlb.first - 1).prev = page + 1;
  edit_entry(m, cpu, page) = {pte_of(pfn), tlb.first, 0, 0};
  tlb.first = page + 1;
  ++tlb.count;
}

void forget(Machine& m, std::uint32_t cpu, Index page) {
  const TlbEntry gone = m.arena.at(m.mmu.entry, entry_index(m, cpu, page));
  if (gone.pte == 0) return;
  Tlb& tlb = m.arena.edit(m.mmu.tlb, cpu);
  if (gone.prev != 0) edit_entry(m, cpu, gone.prev - 1).next = gone.next;
  else tlb.first = gone.next;
  if (gone.next != 0) edit_entry(m, cpu, gone.next - 1).prev = gone.prev;
  edit_entry(m, cpu, page) = {};
  --tlb.count;
}

// Costs what is filled, or the pages of the range, whichever is less.
void forget_range(Machine& m, std::uint32_t cpu, Index first, Index end) {
  const Tlb tlb = m.arena.at(m.mmu.tlb, cpu);
  if (end - first < tlb.count) {
    for (Index page = first; page < end; ++page) forget(m, cpu, page);
    return;
  }
  for (Index link = tlb.first; link != 0;) {
    const Index page = link - 1;
    link = m.arena.at(m.mmu.entry, entry_index(m, cpu, page)).next;
    if (page >= first && page < end) forget(m, cpu, page);
  }
}

void forget_range(Machine& m, Index first, Index end, Cpus cpus) {
  switch (cpus) {
    case Cpus::local: return forget_range(m, m.globals().cpu, first, end);
    case Cpus::all:
      for (std::uint32_t cpu = 0; cpu < m.config.cpus; ++cpu) forget_range(m, cpu, first, end);
      return;
  }
  UNREACHABLE("CPUs outside the list");
}

// What an access of a CPU uses, cached from now on.
std::optional<Pfn> resolve(Machine& m, std::uint32_t cpu, Address address) {
  if (!in_window(m, address)) return buddy::virt_to_pfn(m, address);
  if (const auto hit = cached(m, cpu, address)) return hit;
  const std::optional<Pfn> pfn = walk(m, address);
  if (pfn) fill(m, cpu, page_of(m, address), *pfn);
  return pfn;
}

// Calls f(frame, offset in it, first byte of the access, bytes) for each page of an access.
template <class F>
Access each_page(Machine& m, Address address, std::uint64_t bytes, F f) {
  const std::uint64_t page = m.config.page_bytes;
  for (std::uint64_t done = 0; done < bytes;) {
    const std::uint64_t at = static_cast<std::uint64_t>(address) + done;
    const std::optional<Pfn> pfn = resolve(m, m.globals().cpu, Address{at});
    if (!pfn) return std::unexpected(PageFault{Address{at}});
    const std::uint64_t part = std::min(page - at % page, bytes - done);
    f(*pfn, at % page, done, part);
    done += part;
  }
  return {};
}

bool in_ram(const Machine& m, Pfn pfn) { return buddy::zone_of_pfn(m, pfn) != buddy::no_zone; }

}  // namespace

std::byte device_byte(std::uint64_t physical) {
  return static_cast<std::byte>((physical + 1) * 0x9e3779b97f4a7c15 >> 56);
}

Access load(Machine& m, Address address, std::span<std::byte> out) {
  return each_page(m, address, out.size(),
                   [&](Pfn pfn, std::uint64_t offset, std::uint64_t done, std::uint64_t bytes) {
                     const auto to = out.subspan(done, bytes);
                     if (in_ram(m, pfn)) {
                       std::ranges::copy(buddy::read_pages(m, pfn, offset, bytes), to.begin());
                       return;
                     }
                     std::uint64_t physical = std::uint64_t{pfn} * m.config.page_bytes + offset;
                     for (std::byte& b : to) b = device_byte(physical++);
                   });
}

Access store(Machine& m, Address address, std::span<const std::byte> in) {
  return each_page(m, address, in.size(),
                   [&](Pfn pfn, std::uint64_t offset, std::uint64_t done, std::uint64_t bytes) {
                     if (!in_ram(m, pfn)) return;
                     std::ranges::copy(in.subspan(done, bytes),
                                       buddy::write_pages(m, pfn, offset, bytes).begin());
                   });
}

void prefetch(Machine& m, std::uint32_t cpu, Address address) {
  REQUIRE(cpu < m.config.cpus);
  resolve(m, cpu, address);
}

void flush_page(Machine& m, Address address, Cpus cpus) {
  REQUIRE(in_window(m, address));
  const Index page = page_of(m, address);
  forget_range(m, page, page + 1, cpus);
}

void flush_range(Machine& m, Address begin, Address end, Cpus cpus) {
  if (begin >= end) return;
  REQUIRE(in_window(m, begin));
  const Address last{static_cast<std::uint64_t>(end) - 1};
  REQUIRE(in_window(m, last));
  forget_range(m, page_of(m, begin), page_of(m, last) + 1, cpus);
}

void flush_all(Machine& m, Cpus cpus) {
  if (m.mmu.pages == 0) return;  // no window
  forget_range(m, 0, static_cast<Index>(m.mmu.pages), cpus);
}

std::optional<Pfn> cached(const Machine& m, std::uint32_t cpu, Address address) {
  if (!in_window(m, address)) return std::nullopt;
  const Pte pte = m.arena.at(m.mmu.entry, entry_index(m, cpu, page_of(m, address))).pte;
  return pte == 0 ? std::nullopt : std::optional<Pfn>(pfn_of(pte));
}

std::optional<Pfn> translate(const Machine& m, std::uint32_t cpu, Address address) {
  if (const auto hit = cached(m, cpu, address)) return hit;
  return walk(m, address);
}

}  // namespace ref::mmu
