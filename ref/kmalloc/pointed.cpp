// Implements the reading of an address, from the records of pages and slabs.
#include "ref/kmalloc/pointed.hpp"

namespace ref::kmalloc {
namespace {

const buddy::Page& page_of(const Machine& m, Pfn pfn) {
  const buddy::Zone& zone = buddy::zone_at(m, buddy::zone_of_pfn(m, pfn));
  return buddy::page_at(m, buddy::page_index(zone, pfn));
}

bool in_slab(const Machine& m, Pfn pfn) {
  const buddy::Zone& zone = buddy::zone_at(m, buddy::zone_of_pfn(m, pfn));
  return m.arena.at(m.slab.slab, buddy::page_index(zone, pfn)).head != 0;
}

}  // namespace

Pointed pointed(const Machine& m, Address address) {
  const Address last_nothing = m.profile().zero_size_ptr ? zero_size_ptr : Address::null;
  if (address <= last_nothing) return {At::nothing};
  const std::optional<Pfn> pfn = buddy::virt_to_pfn(m, address);
  if (!pfn) return {At::outside};
  return {in_slab(m, *pfn) ? At::object : At::pages, *pfn};
}

std::optional<Pfn> folio_of(const Machine& m, Pfn pfn) {
  const std::optional<Pfn> head = buddy::head_of(m, pfn);
  if (!head) return std::nullopt;
  const buddy::Page& page = page_of(m, *head);
  const bool live = page.kind == buddy::PageKind::live_head && page.refcount > 0;
  return live && (page.flags & buddy::PG_head) ? head : std::nullopt;
}

unsigned folio_order(const Machine& m, Pfn head) { return page_of(m, head).order; }

}  // namespace ref::kmalloc
