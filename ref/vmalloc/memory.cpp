// Implements the calls that allocate: an area, a list of pages, pages one by one, their mapping.
//
//   area ─▶ list: kmalloc up to a page, else vmalloc once more ─▶ pages ─▶ page tables
//                 at each arrow the call may fail or wait; then all that it took goes back
#include <algorithm>

#include "ref/slab/grow.hpp"
#include "ref/vmalloc/free.hpp"
#include "ref/vmalloc/mapping.hpp"

namespace ref::vmalloc {
namespace {

using namespace core;  // the gfp bits

struct Ask {
  std::uint64_t size;
  Gfp gfp;
  std::uint32_t flags = 0;  // VmFlag
  Node node = {};
};

Answer<Index> allocate(Env&, Machine&, const Ask&);

Gfp gfp_kernel(const Machine& m) { return gfp_of(m.config.era, "GFP_KERNEL"); }

// What the vmalloc calls themselves ask for: 2.6.11 names HIGHMEM, 6.1 adds it on the way.
Gfp gfp_vmalloc(const Machine& m) { return gfp_kernel(m) | m.profile().vmalloc_gfp; }

Gfp gfp_of_pages(const Machine& m, Gfp gfp) {
  switch (m.profile().vmalloc_pages) {
    case VmallocPages::as_asked: return gfp;
    case VmallocPages::highmem_added:
      gfp |= GFP_BIT_NOWARN;
      return gfp & (GFP_BIT_DMA | GFP_BIT_DMA32) ? gfp : gfp | GFP_BIT_HIGHMEM;
  }
  UNREACHABLE("a choice of pages outside the list");
}

// What a list of pages is asked for with, wherever it will lie. All of it is written, so 2.6.11,
// whose slab stops at __GFP_ZERO, need not ask for zeros.
Gfp nested_gfp(const Machine& m, Gfp gfp) {
  switch (m.profile().vmalloc_pages) {
    case VmallocPages::as_asked: return gfp & ~GFP_BIT_ZERO;
    case VmallocPages::highmem_added: return (gfp & reclaim_mask) | GFP_BIT_ZERO;
  }
  UNREACHABLE("a choice of pages outside the list");
}

// The list of an area's pages, whatever it holds.
Answer<Address> alloc_page_array(Env& env, Machine& m, std::uint32_t pages, const Ask& ask) {
  const std::uint64_t bytes = page_array_bytes(m, pages);
  if (bytes <= m.config.page_bytes) {
    const Gfp gfp = nested_gfp(m, ask.gfp) & ~GFP_BIT_HIGHMEM;
    if (ask.node) return kmalloc::kmalloc_node(env, m, bytes, gfp, *ask.node);
    return kmalloc::kmalloc(env, m, bytes, gfp);
  }
  const Answer<Index> page =
      allocate(env, m, {.size = bytes, .gfp = nested_gfp(m, ask.gfp), .node = ask.node});
  if (!page) return std::unexpected(page.error());
  return address_of(m, *page);
}

// One page, or why not. Nothing is kept of a wait: the whole call is made again.
Answer<Pfn> alloc_one(Env& env, Machine& m, Gfp gfp, Node node) {
  const Answer<Pfn> got =
      node ? buddy::alloc_pages_node(env, m, *node, gfp, 0) : buddy::alloc_page(env, m, gfp);
  if (!got) return std::unexpected(slab::forget_wait(m, got.error()));
  return got;
}

// 6.1 takes up to a hundred at once while that works (V-20).
void alloc_in_bulk(Env& env, Machine& m, Gfp gfp, std::uint32_t pages, std::vector<Pfn>& got) {
  while (got.size() < pages) {
    std::array<std::optional<Pfn>, 100> slots{};
    const std::size_t asked = std::min<std::size_t>(slots.size(), pages - got.size());
    const std::size_t filled =
        buddy::alloc_pages_bulk(env, m, gfp & ~GFP_BIT_NOFAIL, std::span(slots).first(asked));
    if (filled < asked && buddy::is_suspended(m)) slab::forget_wait(m, Refused::suspended);
    for (std::size_t i = 0; i < filled; ++i) got.push_back(*slots[i]);
    if (filled < asked) return;
  }
}

Done alloc_area_pages(Env& env, Machine& m, const Ask& ask, std::uint32_t pages,
                      std::vector<Pfn>& got) {
  const Gfp gfp = gfp_of_pages(m, ask.gfp);
  if (m.profile().vmalloc_in_bulk && !ask.node) alloc_in_bulk(env, m, gfp, pages, got);
  while (got.size() < pages) {
    const Answer<Pfn> pfn = alloc_one(env, m, gfp, ask.node);
    if (!pfn) return std::unexpected(pfn.error());
    got.push_back(*pfn);
  }
  return {};
}

// __vmalloc_area_node. What it took stands in the area, for whoever undoes it.
Done fill_area(Env& env, Machine& m, Index page, const Ask& ask) {
  const std::uint32_t pages = mappable_pages(m, page, ask.flags);
  const Answer<Address> list = alloc_page_array(env, m, pages, ask);
  if (!list) return std::unexpected(list.error());
  edit_area(m, page).page_array = static_cast<std::uint64_t>(*list);
  std::vector<Pfn> got;
  const Done allocated = alloc_area_pages(env, m, ask, pages, got);
  for (std::uint32_t i = 0; i < pages; ++i)
    write_entry(m, *list, i, i < got.size() ? std::optional(got[i]) : std::nullopt);
  edit_area(m, page).nr_pages = static_cast<std::uint32_t>(got.size());
  edit_globals_of(m).nr_vmalloc_pages += got.size();
  if (!allocated) return allocated;
  return map_pages(env, m, page, got, table_gfp(m, ask.gfp));
}

// What must not fail, and cannot be had now, waits (V-31).
Refused refusal(Gfp gfp, Refused refused) {
  return gfp & GFP_BIT_NOFAIL && refused == Refused::no_memory ? Refused::suspended : refused;
}

// __vmalloc_node_range
Answer<Index> allocate(Env& env, Machine& m, const Ask& ask) {
  if (ask.size == 0) {
    if (m.profile().vmalloc_warns) warn_once(m, WarnOnce::vmalloc_of_nothing);
    return std::unexpected(Refused::no_memory);
  }
  if (!up(m) || (ask.size - 1) >> slab::page_shift(m) >= memory_pages(m))
    return std::unexpected(Refused::no_memory);
  const Answer<Index> page =
      get_area(env, m,
               {.bytes = ask.size,
                .flags = ask.flags | VM_ALLOC,
                .gfp = m.profile().descriptors_ask_as_pages ? ask.gfp : gfp_kernel(m),
                .node = ask.node});
  if (!page) return std::unexpected(refusal(ask.gfp, page.error()));
  if (const Done filled = fill_area(env, m, *page, ask); !filled) {
    free_area(env, m, *page, Pages::freed);
    return std::unexpected(refusal(ask.gfp, filled.error()));
  }
  hand_out(m, *page);
  return page;
}

Answer<Address> allocate_at(Env& env, Machine& m, const Ask& ask) {
  const Answer<Index> page = allocate(env, m, ask);
  if (!page) return std::unexpected(page.error());
  return address_of(m, *page);
}

// V-30. Where DMA32 is no zone of its own it is the zones that have addresses.
Gfp gfp_vmalloc32(const Machine& m) { return gfp_kernel(m) | m.profile().vmalloc_32_gfp; }

}  // namespace

// V-1: 2.6.11 counts every frame, 6.1 those that can be allocated.
std::uint64_t memory_pages(const Machine& m) {
  if (m.profile().vmalloc_limit_counts_reserved) return m.config.pages();
  std::uint64_t managed = 0;
  for (std::uint32_t z = 0; z < m.config.zone_count; ++z) managed += m.config.managed(z);
  return managed;
}

Answer<Address> vmalloc(Env& env, Machine& m, std::uint64_t size) {
  return allocate_at(env, m, {.size = size, .gfp = gfp_vmalloc(m)});
}
Answer<Address> vzalloc(Env& env, Machine& m, std::uint64_t size) {
  return allocate_at(env, m, {.size = size, .gfp = gfp_vmalloc(m) | GFP_BIT_ZERO});
}
Answer<Address> vmalloc_(Env& env, Machine& m, std::uint64_t size, Gfp gfp) {
  return allocate_at(env, m, {.size = size, .gfp = gfp});
}
Answer<Address> vmalloc_node(Env& env, Machine& m, std::uint64_t size, std::uint32_t node) {
  return allocate_at(env, m, {.size = size, .gfp = gfp_vmalloc(m), .node = node});
}
Answer<Address> vmalloc_32(Env& env, Machine& m, std::uint64_t size) {
  return allocate_at(env, m, {.size = size, .gfp = gfp_vmalloc32(m)});
}
Answer<Address> vmalloc_user(Env& env, Machine& m, std::uint64_t size) {
  return allocate_at(env, m,
                     {.size = size, .gfp = gfp_vmalloc(m) | GFP_BIT_ZERO, .flags = VM_USERMAP});
}
Answer<Address> vmalloc_32_user(Env& env, Machine& m, std::uint64_t size) {
  return allocate_at(env, m,
                     {.size = size, .gfp = gfp_vmalloc32(m) | GFP_BIT_ZERO, .flags = VM_USERMAP});
}

// kvmalloc_node: contiguous memory if that is easy, else any pages.
Answer<Address> kvmalloc(Env& env, Machine& m, std::uint64_t size, Gfp gfp) {
  Gfp easy = gfp;
  if (size > m.config.page_bytes) {
    easy |= GFP_BIT_NOWARN;
    if (!(gfp & GFP_BIT_RETRY_MAYFAIL)) easy |= GFP_BIT_NORETRY;
    easy &= ~GFP_BIT_NOFAIL;
  }
  const Answer<Address> got = gfp & GFP_BIT_ZERO
                                  ? kmalloc::kzalloc(env, m, size, easy & ~GFP_BIT_ZERO)
                                  : kmalloc::kmalloc(env, m, size, easy);
  if (got || size <= m.config.page_bytes || got.error() == Refused::suspended) return got;
  if (!(gfp & GFP_BIT_DIRECT_RECLAIM)) return got;
  if (size > INT32_MAX) {
    if (!(gfp & GFP_BIT_NOWARN)) warn_once(m, WarnOnce::kvmalloc_too_large);
    return std::unexpected(Refused::no_memory);
  }
  return allocate_at(env, m, {.size = size, .gfp = gfp | m.profile().vmalloc_gfp});
}

Answer<Address> kvzalloc(Env& env, Machine& m, std::uint64_t size, Gfp gfp) {
  return kvmalloc(env, m, size, gfp | GFP_BIT_ZERO);
}

void kvfree(Env& env, Machine& m, Address address) {
  if (is_vmalloc_addr(m, address)) vfree(env, m, address);
  else kmalloc::kfree(env, m, address);
}

}  // namespace ref::vmalloc
