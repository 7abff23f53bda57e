// page_address: the hash from a page to its persistent address, and more for the inside of kmap.
#pragma once
#include "ref/kmap/kmap.hpp"

namespace ref::kmap {

void init_page_address(Machine&);  // page_address_init
void set_page_address(Machine&, Pfn, Address);
void clear_page_address(Machine&, Pfn);  // set_page_address(page, NULL)

inline KmapGlobals& edit_globals_of(Machine& m) { return m.arena.edit(m.kmap.globals, 0); }
inline const KmapGlobals& globals_of(const Machine& m) { return m.arena.at(m.kmap.globals, 0); }

// One user less of a highmem page (M-6).
void kunmap_high(Machine&, Pfn);

// False, and no_such_page is reported: a frame that no zone has.
[[nodiscard]] bool is_a_page(Machine&, Pfn);
inline bool is_highmem(const Machine& m, Pfn pfn) { return !buddy::page_address(m, pfn); }

}  // namespace ref::kmap
