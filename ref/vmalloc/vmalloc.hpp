// vmalloc: memory and mappings in the window above the direct map, as callers in the kernel know
// them.
//
//   vmalloc(3 pages) ─▶ range of 4 ─▶ page list ─▶ pages one by one ─▶ page tables
//   vmap(pages)      ─▶ range      ─▶ page tables       ioremap(phys) ─▶ the same, outside RAM
//   vfree            ─▶ unmap, pages back ─▶ 2.6.11: flush, range free   6.1: lazy, until a purge
//
// Areas are named by the address that the caller has. A request that must wait for memory answers
// `suspended`, having changed nothing that a caller can see; it starts anew when it is made again.
// Misuse is in the machine's log.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ref/kmalloc/kmalloc.hpp"
#include "ref/vmalloc/machine.hpp"

namespace ref::vmalloc {

using core::Env;
using slab::Answer;
using slab::Refused;

// Memory -------------------------------------------------------------------------------------

[[nodiscard]] Answer<Address> vmalloc(Env&, Machine&, std::uint64_t size);
[[nodiscard]] Answer<Address> vzalloc(Env&, Machine&, std::uint64_t size);
[[nodiscard]] Answer<Address> vmalloc_(Env&, Machine&, std::uint64_t size, Gfp);  // __vmalloc
[[nodiscard]] Answer<Address> vmalloc_node(Env&, Machine&, std::uint64_t size, std::uint32_t node);
[[nodiscard]] Answer<Address> vmalloc_32(Env&, Machine&, std::uint64_t size);       // V-30
[[nodiscard]] Answer<Address> vmalloc_user(Env&, Machine&, std::uint64_t size);     // V-30
[[nodiscard]] Answer<Address> vmalloc_32_user(Env&, Machine&, std::uint64_t size);  // V-30
// In an interrupt 6.1 only notes what is to be freed (V-24): see free_work.
void vfree(Env&, Machine&, Address);
void vfree_atomic(Env&, Machine&, Address);  // 6.1: always noted; 2.6.11: as vfree

[[nodiscard]] Answer<Address> kvmalloc(Env&, Machine&, std::uint64_t size, Gfp);
[[nodiscard]] Answer<Address> kvzalloc(Env&, Machine&, std::uint64_t size, Gfp);
void kvfree(Env&, Machine&, Address);
bool is_vmalloc_addr(const Machine&, Address);  // inside the window

// Mappings -----------------------------------------------------------------------------------

// Pages may repeat; a page that is NULL, or no frame of the machine, refuses the whole (V-29).
// With VM_MAP_PUT_PAGES the list in memory, `page_array`, must hold the same pages
// (write_page_array); it goes to the area with one reference of each page (V-26).
[[nodiscard]] Answer<Address> vmap(Env&, Machine&, std::span<const std::optional<Pfn>> pages,
                                   std::uint32_t flags, Address page_array = Address::null);
void vunmap(Env&, Machine&, Address);

// The address of byte `phys`: pages outside RAM, or reserved ones, in a new area (I-1 to I-3).
[[nodiscard]] Answer<Address> ioremap(Env&, Machine&, std::uint64_t phys, std::uint64_t size);
void iounmap(Env&, Machine&, Address);

// Addresses only, nothing mapped. The area goes with free_vm_area, vunmap or vfree.
[[nodiscard]] Answer<Address> get_vm_area(Env&, Machine&, std::uint64_t size, std::uint32_t flags);
void free_vm_area(Env&, Machine&, Address);  // only the address that get_vm_area answered
struct Removed {
  Address descriptor;   // the vm_struct: the caller's to kfree
  Address first;        // of the area
  std::uint64_t bytes;  // with the guard
  std::uint32_t flags, nr_pages;
};
// Nothing where no area is; that is no misuse. Pages that the area owned are lost.
std::optional<Removed> remove_vm_area(Env&, Machine&, Address);

// Short-lived mappings without guards, packed into blocks of one CPU (V-43). `count` as it was
// mapped. Refused as no_memory in 2.6.11, which has none.
[[nodiscard]] Answer<Address> vm_map_ram(Env&, Machine&, std::span<const std::optional<Pfn>> pages);
void vm_unmap_ram(Env&, Machine&, Address, std::uint32_t count);
// Pages of a block, and the most that one mapping takes of one: on the classic machine 1024 and 64.
std::uint32_t vmap_block_pages(const core::Config&);
std::uint32_t vmap_max_alloc(const core::Config&);

// A list of pages in memory, as the kernel keeps it: one pointer each. The memory is there.
void write_page_array(Machine&, Address, std::span<const std::optional<Pfn>> pages);
std::uint64_t page_array_bytes(const Machine&, std::uint64_t pages);

// Questions ----------------------------------------------------------------------------------

// The frame that the page tables map there; nothing where none does, and outside RAM.
std::optional<Pfn> vmalloc_to_page(const Machine&, Address);

struct AreaAt {
  Address first;
  std::uint64_t bytes;  // with the guard
  std::uint32_t flags, nr_pages;
  std::uint64_t phys_addr;
  Address page_array;  // null: it owns no pages
  Address descriptor;  // its vm_struct
  bool deferred;       // waits for free_work
};
// The area that an address lies in, guard included.
std::optional<AreaAt> area_at(const Machine&, Address);
// The bytes of an area that may be mapped: without its guard.
std::uint64_t get_vm_area_size(const Machine&, const AreaAt&);

// Reads [address, address + out.size()): holes, unmapped pages and ioremapped ones as zeros. How
// many bytes, all or none: none when no area lies there (V-32).
std::uint64_t vread(const Machine&, Address, std::span<std::byte> out);

// The pages that a user would see of [address + pgoff pages, + bytes); nothing when the range is
// not all of one area's own, or the area is not for users.
std::optional<std::vector<Pfn>> remap_vmalloc_range(const Machine&, Address, std::uint64_t pgoff,
                                                    std::uint64_t bytes);

std::uint64_t vmalloc_nr_pages(const Machine&);  // V-27
std::string vmallocinfo(const Machine&);         // VI-1

// What 6.1 puts off --------------------------------------------------------------------------

// Above so many lazy pages the drain work is scheduled (V-41): 32 MiB for each doubling of CPUs,
// and never more than a quarter of the window, which is the same on the classic machine.
std::uint32_t lazy_max_pages(const core::Config&);
std::uint32_t vmap_lazy_nr(const Machine&);
// Flushes what is lazy, on all CPUs, and makes it free. False: there was nothing.
bool purge_vmap_area_lazy(Env&, Machine&);
void vm_unmap_aliases(Env&, Machine&);

bool drain_work_pending(const Machine&);
void drain_vmap_area_work(Env&, Machine&);  // does nothing when it is not pending
bool free_work_pending(const Machine&, std::uint32_t cpu);
void free_work(Env&, Machine&, std::uint32_t cpu);  // frees what was noted, the newest first

}  // namespace ref::vmalloc
