// buddy: the page allocator's interface, as callers in the kernel know it.
//
//   alloc_pages ─▶ fast pass over the zonelist ─▶ slow pass, reserves ─▶ reclaim ─▶ wait or refuse
//                     per zone: watermark, per-CPU list, free lists
//   free_pages  ─▶ drop a reference ─▶ check ─▶ per-CPU list or free lists
//
// A leading double underscore belongs to the compiler in C++: the kernel's `__name` is `name_`
// here. Pages are named by frame number; calls that take an address say Address.
#pragma once
#include <expected>
#include <optional>
#include <span>
#include <string>

#include "ref/buddy/machine.hpp"

namespace ref::buddy {

using core::Effect;
using core::Env;
using core::Fault;
using core::Gfp;

enum class Address : std::uint64_t { null = 0 };  // a kernel virtual address

// Why a request was not served. A misuse also stands in the machine's log, with its effect.
enum class Refused : std::uint8_t {
  no_memory,
  suspended,  // the task waits; see resume()
  misuse,     // the call was wrong
};

template <class T>
using Answer = std::expected<T, Refused>;

// Allocation: 2^order frames, reference count 1. Orders of the machine's limit and above are
// refused.
[[nodiscard]] Answer<Pfn> alloc_pages(Env&, Machine&, Gfp, unsigned order);
// The same, from the zones of `node` first. A call that waits goes on as if it were alloc_pages.
[[nodiscard]] Answer<Pfn> alloc_pages_node(Env&, Machine&, std::uint32_t node, Gfp, unsigned order);
[[nodiscard]] Answer<Pfn> alloc_page(Env&, Machine&, Gfp);
[[nodiscard]] Answer<Address> get_free_pages_(Env&, Machine&, Gfp, unsigned order);
[[nodiscard]] Answer<Address> get_free_page_(Env&, Machine&, Gfp);
[[nodiscard]] Answer<Address> get_zeroed_page(Env&, Machine&, Gfp);
[[nodiscard]] Answer<Address> get_dma_pages_(Env&, Machine&, Gfp, unsigned order);
// Exactly the pages that `bytes` need; give back with free_pages_exact and the same size (B-42).
[[nodiscard]] Answer<Address> alloc_pages_exact(Env&, Machine&, std::uint64_t bytes, Gfp);
// Fills the empty slots in order, with single pages, and may stop early. The first so many slots as
// it answers are filled (B-43); when it could take only one page, slots behind that one are not
// counted.
[[nodiscard]] std::size_t alloc_pages_bulk(Env&, Machine&, Gfp,
                                           std::span<std::optional<Pfn>> slots);

// The current task's suspended call, tried again: its frame when it succeeds.
[[nodiscard]] Answer<Pfn> resume(Env&, Machine&);
inline bool is_suspended(const Machine& m) { return m.current().wait.call != 0; }  // its task

// Giving back. Misuse is reported in the machine's log (Machine::globals().log), with its effect.
void free_pages_(Env&, Machine&, Pfn, unsigned order);  // __free_pages
void free_page_(Env&, Machine&, Pfn);                   // __free_page
void free_cold_page(Env&, Machine&, Pfn);               // P-20; hot in 6.1
void free_pages(Env&, Machine&, Address, unsigned order);
void free_page(Env&, Machine&, Address);
void free_pages_exact(Env&, Machine&, Address, std::uint64_t bytes);

// References. On an inner frame of a compound block they act on its head (B-31).
void get_page(Machine&, Pfn);
void put_page(Env&, Machine&, Pfn);  // the last one frees: a compound block whole, else one page
std::uint32_t page_count(const Machine&, Pfn);

// Makes 2^order single pages of a block (B-41).
void split_page(Machine&, Pfn, unsigned order);

// The address of a frame below HIGHMEM; the frame of such an address.
std::optional<Address> page_address(const Machine&, Pfn);
std::optional<Pfn> virt_to_pfn(const Machine&, Address);

void drain_all_pages(Env&, Machine&);
void drain_local_pages(Machine&);

// What an owner, or somebody who forgot that he no longer is, writes into a page's record.
void set_page_private(Machine&, Pfn, std::uint32_t value);
std::uint32_t page_private(const Machine&, Pfn);
void set_page_flags(Machine&, Pfn, std::uint16_t flags);
void set_page_mapcount(Machine&, Pfn, std::uint32_t count);

bool page_is_pfmemalloc(const Machine&, Pfn);  // W-11

void set_reclaim_active(Machine&, Index zone, bool);  // kswapd is at work in the zone (P-5)

// Contents ------------------------------------------------------------------------------------

// Where the bytes of a frame begin in RAM.
std::uint64_t ram_offset(const Machine&, Pfn);
std::span<const std::byte> read_pages(const Machine&, Pfn, std::uint64_t offset,
                                      std::uint64_t bytes);
std::span<std::byte> write_pages(Machine&, Pfn, std::uint64_t offset, std::uint64_t bytes);
bool pages_are_zero(const Machine&, Pfn, std::uint64_t bytes);

// Text, byte for byte as the files below /proc.
std::string buddyinfo(const Machine&);  // BI-1
std::string zoneinfo(const Machine&);

}  // namespace ref::buddy
