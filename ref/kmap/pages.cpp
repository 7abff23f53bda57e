// From an address back to its page, and clearing parts of pages through temporary maps.
#include <algorithm>
#include <vector>

#include "ref/kmap/local.hpp"
#include "ref/kmap/page_address.hpp"

namespace ref::kmap {
namespace {

using core::AtomicMaps;
using core::Effect;
using core::Fault;
using core::WarnOnce;

// 6.1: the caller should have kept the page.
void should_not_ask(Machine& m, WarnOnce which) {
  switch (m.profile().atomic_maps) {
    case AtomicMaps::typed: return;
    case AtomicMaps::stack: return core::warn_once(m, which);
  }
  UNREACHABLE("a kind of temporary maps outside the list");
}

std::optional<Pfn> fixmap_page(const Machine& m, Address address) {
  switch (m.profile().atomic_maps) {
    case AtomicMaps::typed: return mmu::walk(m, address);
    case AtomicMaps::stack: return local_page(m, address);
  }
  UNREACHABLE("a kind of temporary maps outside the list");
}

Answer<Address> map_page(Env& env, Machine& m, Pfn pfn) {
  switch (m.profile().atomic_maps) {
    case AtomicMaps::typed: return kmap_atomic(env, m, pfn, KmType::KM_USER0);
    case AtomicMaps::stack: return kmap_local_page(env, m, pfn);
  }
  UNREACHABLE("a kind of temporary maps outside the list");
}

void unmap_page(Env& env, Machine& m, Address address) {
  switch (m.profile().atomic_maps) {
    case AtomicMaps::typed: return kunmap_atomic(env, m, address, KmType::KM_USER0);
    case AtomicMaps::stack: return kunmap_local(env, m, address);
  }
  UNREACHABLE("a kind of temporary maps outside the list");
}

// page_size() in pages: of a compound block when its head is given. 2.6.11 looks at one page.
std::uint32_t pages_of(const Machine& m, Pfn pfn) {
  switch (m.profile().atomic_maps) {
    case AtomicMaps::typed: return 1;
    case AtomicMaps::stack: break;
  }
  const buddy::Zone& zone = buddy::zone_at(m, buddy::zone_of_pfn(m, pfn));
  const buddy::Page& page = buddy::page_at(m, buddy::page_index(zone, pfn));
  return page.flags & buddy::PG_head ? 1u << page.order : 1;
}

struct Segment {
  std::uint32_t start, end;
};

// The bytes of a segment that lie in page `i` of a block, counted from the page's start.
Segment part_of(Segment s, std::uint64_t i, std::uint64_t page_bytes) {
  const std::uint64_t begin = i * page_bytes;
  const std::uint64_t first = std::max<std::uint64_t>(s.start, begin);
  const std::uint64_t end = std::min<std::uint64_t>(s.end, begin + page_bytes);
  if (first >= end) return {0, 0};
  return {static_cast<std::uint32_t>(first - begin), static_cast<std::uint32_t>(end - begin)};
}

void clear_bytes(Machine& m, Address page, Segment s) {
  const std::vector<std::byte> zeros(s.end - s.start);
  // The page is mapped, so nothing stops the access.
  (void)mmu::store(m, Address{static_cast<std::uint64_t>(page) + s.start}, zeros);
}

}  // namespace

std::optional<Pfn> kmap_to_page(Machine& m, Address address) {
  if (is_kmap_addr(m, address)) {
    should_not_ask(m, WarnOnce::kmap_to_page_of_kmap);
    return mmu::walk(m, address);
  }
  if (!is_fixmap_address(m, address)) return buddy::virt_to_pfn(m, address);
  should_not_ask(m, WarnOnce::kmap_to_page_of_local);
  return fixmap_page(m, address);
}

void zero_user_segments(Env& env, Machine& m, Pfn pfn, std::uint32_t start1, std::uint32_t end1,
                        std::uint32_t start2, std::uint32_t end2) {
  if (!is_a_page(m, pfn)) return;
  const std::uint32_t pages = pages_of(m, pfn);
  const std::uint64_t page_bytes = m.config.page_bytes;
  if (std::max(end1, end2) > pages * page_bytes)
    return core::report(m, Fault::bad_segment, Effect::none, pfn);
  for (std::uint32_t i = 0; i < pages; ++i) {
    const Segment one = part_of({start1, end1}, i, page_bytes);
    const Segment two = part_of({start2, end2}, i, page_bytes);
    if (one.end == 0 && two.end == 0) continue;
    const Answer<Address> address = map_page(env, m, pfn + i);
    if (!address) return;
    clear_bytes(m, *address, one);
    clear_bytes(m, *address, two);
    unmap_page(env, m, *address);
  }
}

}  // namespace ref::kmap
