// The hash from a page to its persistent address (M-8).
#include "ref/kmap/page_address.hpp"

namespace ref::kmap {
namespace {

using core::PageHash;

PageAddress& edit_record(Machine& m, Index link) {
  return m.arena.edit(m.kmap.page_address, link - 1);
}

void add_tail(Machine& m, Chain& chain, Index link) {
  PageAddress& r = edit_record(m, link);
  r.next = 0, r.prev = chain.tail;
  if (chain.tail != 0) edit_record(m, chain.tail).next = link;
  else chain.head = link;
  chain.tail = link;
}

void unlink(Machine& m, Chain& chain, Index link) {
  PageAddress& r = edit_record(m, link);
  if (r.prev != 0) edit_record(m, r.prev).next = r.next;
  else chain.head = r.next;
  if (r.next != 0) edit_record(m, r.next).prev = r.prev;
  else chain.tail = r.prev;
  r = {};
}

Chain& edit_bucket(Machine& m, Pfn pfn) { return m.arena.edit(m.kmap.bucket, page_bucket(m, pfn)); }

// The record of a page, or 0.
Index find(const Machine& m, Pfn pfn) {
  if (m.kmap.bucket.count == 0) return 0;
  Index link = m.arena.at(m.kmap.bucket, page_bucket(m, pfn)).head;
  while (link != 0) {
    const PageAddress& r = m.arena.at(m.kmap.page_address, link - 1);
    if (r.page == pfn) return link;
    link = r.next;
  }
  return 0;
}

}  // namespace

// hash_ptr of struct page, of 32 bytes each, from the address 0 on.
std::uint32_t page_bucket(const Machine& m, Pfn pfn) {
  return pfn * 32 * m.profile().page_hash_multiplier >> (32 - hash_order);
}

void init_page_address(Machine& m) {
  switch (m.profile().page_hash) {
    case PageHash::by_slot: return;
    case PageHash::pool:  // each was put in front of the others
      for (auto link = static_cast<Index>(m.kmap.page_address.count); link > 0; --link)
        add_tail(m, edit_globals_of(m).pool, link);
      return;
  }
  UNREACHABLE("a page hash outside the list");
}

void set_page_address(Machine& m, Pfn pfn, Address address) {
  Index link = 0;
  switch (m.profile().page_hash) {
    case PageHash::by_slot: link = pkmap_nr(m, address) + 1; break;
    case PageHash::pool:
      link = globals_of(m).pool.head;
      REQUIRE(link != 0);
      unlink(m, edit_globals_of(m).pool, link);
      break;
  }
  PageAddress& r = edit_record(m, link);
  r.page = pfn, r.address = static_cast<std::uint32_t>(address);
  add_tail(m, edit_bucket(m, pfn), link);
}

void clear_page_address(Machine& m, Pfn pfn) {
  const Index link = find(m, pfn);
  if (link == 0) return;
  unlink(m, edit_bucket(m, pfn), link);
  switch (m.profile().page_hash) {
    case PageHash::by_slot: return;
    case PageHash::pool: return add_tail(m, edit_globals_of(m).pool, link);
  }
  UNREACHABLE("a page hash outside the list");
}

std::optional<Address> page_address(const Machine& m, Pfn pfn) {
  if (const auto direct = buddy::page_address(m, pfn)) return direct;
  const Index link = find(m, pfn);
  if (link == 0) return std::nullopt;
  return Address{m.arena.at(m.kmap.page_address, link - 1).address};
}

bool is_a_page(Machine& m, Pfn pfn) {
  if (buddy::zone_of_pfn(m, pfn) != buddy::no_zone) return true;
  core::report(m, core::Fault::no_such_page, core::Effect::none, pfn);
  return false;
}

}  // namespace ref::kmap
