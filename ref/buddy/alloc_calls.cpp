// The allocating calls that answer with an address, or with exact pages, and their resumption.
#include <bit>

#include "ref/buddy/alloc.hpp"
#include "ref/buddy/free_area.hpp"
#include "ref/buddy/page.hpp"

namespace ref::buddy {

using namespace core;  // the gfp bits

namespace {

// B-42: the pages that are needed become single ones, the rest goes back at once.
void make_alloc_exact(Machine& m, Pfn pfn, unsigned order, std::uint64_t bytes) {
  const auto keep = static_cast<Pfn>((bytes + m.config.page_bytes - 1) / m.config.page_bytes);
  const Index z = zone_of_pfn(m, pfn);
  const Zone& zone = zone_at(m, z);
  edit_page(m, page_index(zone, pfn)).order = 0;
  for (Pfn i = 1; i < keep; ++i) {
    Page& p = edit_page(m, page_index(zone, pfn + i));
    p.kind = PageKind::live_head;
    p.refcount = 1;
  }
  for (Pfn i = keep; i < (Pfn{1} << order); ++i) free_one_page(m, z, pfn + i, 0, FreeTo::tail);
  m.events[z].pgfree += (std::uint64_t{1} << order) - keep;
}

unsigned get_order(const Machine& m, std::uint64_t bytes) {
  if (bytes == 0) return 64;  // wraps in the kernel, and is refused as too high
  return static_cast<unsigned>(std::bit_width((bytes - 1) / m.config.page_bytes));
}

// What the call does with the block it got.
Answer<Pfn> finish(Machine& m, Answer<Pfn> got, Call call, unsigned order, std::uint64_t argument) {
  if (!got || call == Call::none || call == Call::alloc_pages) return got;
  if (!page_address(m, *got)) {  // B-26: the page is lost with the address that it does not have
    report(m, Fault::highmem_address, Effect::leaked, *got);
    leak(m, *got, 1u << order);
    return std::unexpected(Refused::misuse);
  }
  if (call == Call::alloc_pages_exact) make_alloc_exact(m, *got, order, argument);
  return got;
}

Answer<Address> alloc_by_address(Env& env, Machine& m, Gfp gfp, unsigned order, Call call,
                                 std::uint64_t argument) {
  if (m.profile().get_free_pages_strips_highmem) gfp &= ~Gfp{GFP_BIT_HIGHMEM};
  const Answer<Pfn> got =
      finish(m, alloc_pages_for(env, m, gfp, order, call, argument), call, order, argument);
  if (!got) return std::unexpected(got.error());
  return *page_address(m, *got);
}

}  // namespace

Answer<Address> get_free_pages_(Env& env, Machine& m, Gfp gfp, unsigned order) {
  return alloc_by_address(env, m, gfp, order, Call::get_free_pages, 0);
}

Answer<Address> get_free_page_(Env& env, Machine& m, Gfp gfp) {
  return get_free_pages_(env, m, gfp, 0);
}

Answer<Address> get_zeroed_page(Env& env, Machine& m, Gfp gfp) {
  if (!m.profile().get_free_pages_strips_highmem && (gfp & GFP_BIT_HIGHMEM)) {
    report(m, Fault::highmem_address, Effect::none);  // B-26: this call refuses at once
    return std::unexpected(Refused::misuse);
  }
  return get_free_pages_(env, m, gfp | GFP_BIT_ZERO, 0);
}

Answer<Address> get_dma_pages_(Env& env, Machine& m, Gfp gfp, unsigned order) {
  return get_free_pages_(env, m, gfp | GFP_BIT_DMA, order);
}

Answer<Address> alloc_pages_exact(Env& env, Machine& m, std::uint64_t bytes, Gfp gfp) {
  if (gfp & (GFP_BIT_COMP | GFP_BIT_HIGHMEM)) {
    warn_once(m, WarnOnce::exact_flags);
    gfp &= ~Gfp{GFP_BIT_COMP | GFP_BIT_HIGHMEM};
  }
  return alloc_by_address(env, m, gfp, get_order(m, bytes), Call::alloc_pages_exact, bytes);
}

Answer<Pfn> resume(Env& env, Machine& m) {
  REQUIRE(is_suspended(m));
  const Wait wait = m.current().wait;
  m.arena.edit(m.core.task, m.cpu().task).wait = {};
  const auto call = static_cast<Call>(wait.call);
  const Request r = request_of(m, wait.gfp, wait.order);
  return finish(m, alloc_pages_slowpath(env, m, r, call, wait.argument), call, wait.order,
                wait.argument);
}

}  // namespace ref::buddy
