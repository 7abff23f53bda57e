// Implements the way from a slab's page to its frame and node, and the chain of caches.
#include "ref/slab/records.hpp"

namespace ref::slab {
namespace {

const buddy::Zone& zone_of_page(const Machine& m, Index page) {
  for (Index z = 0; z < m.config.zone_count; ++z) {
    const buddy::Zone& zone = buddy::zone_at(m, z);
    if (page - zone.map < zone.pages) return zone;
  }
  UNREACHABLE("a page record of no zone");
}

}  // namespace

Pfn pfn_of_slab(const Machine& m, Index page) { return buddy::pfn_of(zone_of_page(m, page), page); }

std::uint32_t node_of_slab(const Machine& m, Index page) {
  return m.config.nodes == 1 ? 0 : zone_of_page(m, page).node;
}

void link_cache(Machine& m, Index c) {
  SlabGlobals& g = edit_globals_of(m);
  Cache& cache = edit_cache(m, c);
  cache.state = CacheState::live;
  cache.next = g.first, cache.prev = 0;
  (g.first != 0 ? edit_cache(m, g.first - 1).prev : g.last) = c + 1;
  g.first = c + 1;
}

void unlink_cache(Machine& m, Index c) {
  SlabGlobals& g = edit_globals_of(m);
  Cache& cache = edit_cache(m, c);
  (cache.prev != 0 ? edit_cache(m, cache.prev - 1).next : g.first) = cache.next;
  (cache.next != 0 ? edit_cache(m, cache.next - 1).prev : g.last) = cache.prev;
  cache.next = cache.prev = 0;
}

}  // namespace ref::slab
