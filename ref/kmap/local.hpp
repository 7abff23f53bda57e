// local: a task's stack of temporary maps (6.1), for the inside of kmap.
#pragma once
#include "ref/kmap/kmap.hpp"

namespace ref::kmap {

// migrate_disable() keeps it on another CPU.
bool is_pinned_elsewhere(const Machine&, std::uint32_t task);

// its maps leave this CPU's fixmap, and come back.
void sched_out(Machine&, std::uint32_t task);
void sched_in(Machine&, std::uint32_t task);

// __kmap_local_page_prot and kunmap_local_indexed.
[[nodiscard]] Answer<Address> map_local(Machine&, Pfn);
bool unmap_local(Env&, Machine&, Address);  // false: misuse, and nothing changed
// The frame that the running task has mapped there.
std::optional<Pfn> local_page(const Machine&, Address);

// An address of the fixmap's temporary slots.
bool is_fixmap_address(const Machine&, Address);

}  // namespace ref::kmap
