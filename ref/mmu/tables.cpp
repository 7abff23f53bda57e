// Page tables: a directory of pages of the buddy system, whose entries are bytes of RAM.
#include <cstring>

#include "ref/mmu/mmu.hpp"

namespace ref::mmu {
namespace {

std::uint64_t table_number(const Machine& m, Address address) {
  REQUIRE(in_window(m, address));
  return (static_cast<std::uint64_t>(address) - m.mmu.base) / core::table_span(m.config.page_bytes);
}

// Bytes from the start of the page table to the entry.
std::uint64_t entry_offset(const Machine& m, Address address) {
  const std::uint64_t page = static_cast<std::uint64_t>(address) / m.config.page_bytes;
  return page % (m.config.page_bytes / sizeof(Pte)) * sizeof(Pte);
}

Pte read_pte(const Machine& m, Pfn table, Address address) {
  Pte pte = 0;
  const auto bytes = buddy::read_pages(m, table, entry_offset(m, address), sizeof pte);
  std::memcpy(&pte, bytes.data(), sizeof pte);
  return pte;
}

void write_pte(Machine& m, Pfn table, Address address, Pte pte) {
  const auto bytes = buddy::write_pages(m, table, entry_offset(m, address), sizeof pte);
  std::memcpy(bytes.data(), &pte, sizeof pte);
}

}  // namespace

std::optional<Pfn> table_at(const Machine& m, Address address) {
  const Index link = m.arena.at(m.mmu.directory, table_number(m, address));
  return link == 0 ? std::nullopt : std::optional<Pfn>(link - 1);
}

bool needs_table(const Machine& m, Address address) { return !table_at(m, address); }

void install_table(Machine& m, Address address, Pfn table) {
  Index& link = m.arena.edit(m.mmu.directory, table_number(m, address));
  REQUIRE(link == 0);
  link = table + 1;
}

Mapped map(Machine& m, Address address, Pfn pfn) {
  const std::optional<Pfn> table = table_at(m, address);
  if (!table) return Mapped::needs_table;
  if (read_pte(m, *table, address) != 0) return Mapped::busy;
  write_pte(m, *table, address, pte_of(pfn));
  return Mapped::done;
}

std::optional<Pfn> unmap(Machine& m, Address address) {
  const std::optional<Pfn> pfn = walk(m, address);
  if (pfn) write_pte(m, *table_at(m, address), address, 0);
  return pfn;
}

std::optional<Pfn> walk(const Machine& m, Address address) {
  if (!in_window(m, address)) return buddy::virt_to_pfn(m, address);
  const std::optional<Pfn> table = table_at(m, address);
  if (!table) return std::nullopt;
  const Pte pte = read_pte(m, *table, address);
  return pte == 0 ? std::nullopt : std::optional<Pfn>(pfn_of(pte));
}

}  // namespace ref::mmu
