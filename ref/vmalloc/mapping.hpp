// mapping: the page tables of a range, and the lists of pages that stand in memory.
//
//   map_page ─▶ mmu::map ─needs a table─▶ a page of lowmem, zeroed ─▶ again
//   unmap_range: entries go at once; who may still have them cached is the caller's question
#pragma once
#include "ref/mmu/mmu.hpp"
#include "ref/vmalloc/areas.hpp"

namespace ref::vmalloc {

using Done = Answer<void>;

// Maps frames one after the other from the first page of a range on. Where it stops, what lies
// before stays mapped. `tables` is what page tables are asked for with.
[[nodiscard]] Done map_pages(Env&, Machine&, Index page, std::span<const Pfn> frames, Gfp tables);
[[nodiscard]] Done map_frames(Env&, Machine&, Index page, Pfn first, std::uint32_t count);

// The same of a list that may have NULLs in it, or frames that are none: those refuse it (V-29).
[[nodiscard]] Done map_list(Env&, Machine&, Index page, std::span<const std::optional<Pfn>>);

// Unmaps a busy range that nobody finds any more, and gives it back as its era does.
void unmap_and_release(Env&, Machine&, Index page);
// All CPUs forget [begin, end).
void flush_window(Machine&, Index begin, Index end);

// What page tables are asked for with, within a call that has these flags.
Gfp table_gfp(const Machine&, Gfp);

// One entry of a list of pages: a frame, or none (a NULL pointer).
void write_entry(Machine&, Address list, std::uint64_t i, std::optional<Pfn>);
std::optional<Pfn> read_entry(Machine&, Address list, std::uint64_t i);

// Words of memory at any address that is mapped; false at one that is not.
bool write_word(Machine&, Address, std::uint64_t value);
std::optional<std::uint64_t> read_word(Machine&, Address);

}  // namespace ref::vmalloc
