// Giving back: references, the checks of a free, and where the pages go.
#include <algorithm>

#include "ref/buddy/buddy.hpp"
#include "ref/buddy/free_area.hpp"
#include "ref/buddy/page.hpp"
#include "ref/buddy/pcp.hpp"

namespace ref::buddy {
namespace {

using core::Point;

Page& edit_pfn(Machine& m, Index z, Pfn pfn) {
  return edit_page(m, page_index(zone_at(m, z), pfn));
}

void free_the_page(Env& env, Machine& m, Index z, Pfn pfn, unsigned order, bool cold) {
  if (!free_pages_prepare(m, pfn, order)) return;
  m.events[z].pgfree += std::uint64_t{1} << order;  // P-9
  if (pcp_allowed_order(m, order)) free_unref_page(env, m, z, pfn, order, cold);
  else free_one_page(m, z, pfn, order);
}

// What is wrong with freeing a frame that is not the live head of a block.
Fault fault_of(const Machine& m, Pfn pfn, const Page& page) {
  switch (page.kind) {
    case PageKind::live_head: return page.refcount == 0 ? Fault::double_free : Fault::none;
    case PageKind::free_head:
    case PageKind::pcp_head:
    case PageKind::leaked: return Fault::double_free;
    case PageKind::reserved: return Fault::free_of_reserved;
    case PageKind::inner: break;
  }
  const std::optional<Pfn> head = head_of(m, pfn);
  if (!head) return Fault::double_free;
  const Page& h = page_at(m, page_index(zone_at(m, zone_of_pfn(m, pfn)), *head));
  const bool owned = h.kind == PageKind::live_head && h.refcount > 0;  // else it is on its way back
  return owned ? Fault::free_of_tail : Fault::double_free;
}

// B-35. A smaller order frees the front and loses the rest; a larger one loses all of the block,
// for the kernel gives up when it meets somebody else's pages. A compound block, or one with
// further references, stays as it is.
void free_with_wrong_order(Env& env, Machine& m, Index z, Pfn pfn, unsigned order) {
  Page& head = edit_pfn(m, z, pfn);
  const unsigned own = head.order;
  if (head.refcount > 1 || (head.flags & PG_head)) {
    report(m, Fault::wrong_order, Effect::none, pfn);
    return;
  }
  report(m, Fault::wrong_order, Effect::leaked, pfn);
  if (order > own) {
    leak(m, pfn, 1u << own);
    return;
  }
  leak(m, pfn + (Pfn{1} << order), (1u << own) - (1u << order));
  head.order = static_cast<std::uint8_t>(order);
  head.refcount = 0;
  free_the_page(env, m, z, pfn, order, false);
}

// B-33: somebody else still holds the head of a block that is not compound. He will free one page;
// the others go now.
void free_tails(Env& env, Machine& m, Index z, Pfn pfn, unsigned order) {
  edit_pfn(m, z, pfn).order = 0;
  while (order-- > 0) {
    const Pfn part = pfn + (Pfn{1} << order);
    Page& p = edit_pfn(m, z, part);
    p.kind = PageKind::live_head;
    p.order = static_cast<std::uint8_t>(order);
    free_the_page(env, m, z, part, order, false);
  }
}

// __free_pages. In the older era a reserved page is skipped without a word; it is misuse all the
// same.
void free_block(Env& env, Machine& m, Pfn pfn, unsigned order, bool cold) {
  const Index z = zone_of_pfn(m, pfn);
  if (z == no_zone) return report(m, Fault::no_such_page, Effect::none, pfn);
  Page& head = edit_pfn(m, z, pfn);
  if (const Fault fault = fault_of(m, pfn, head); fault != Fault::none)
    return report(m, fault, Effect::none, pfn);
  if (head.order != order) return free_with_wrong_order(env, m, z, pfn, order);
  const bool compound = head.flags & PG_head;
  if (--head.refcount > 0) {
    if (!compound) free_tails(env, m, z, pfn, order);
    return;
  }
  env.at(Point::buddy_free_ref_dropped);
  free_the_page(env, m, z, pfn, order, cold);
}

// The live page whose count a reference of this frame is: itself, or the head of its compound
// block.
std::optional<Pfn> counted_page(const Machine& m, Pfn pfn) {
  const Index z = zone_of_pfn(m, pfn);
  if (z == no_zone) return std::nullopt;
  const std::optional<Pfn> head = head_of(m, pfn);
  if (!head) return std::nullopt;
  const Page& p = page_at(m, page_index(zone_at(m, z), *head));
  if (p.kind != PageKind::live_head || p.refcount == 0) return std::nullopt;
  return *head == pfn || (p.flags & PG_head) ? head : std::nullopt;
}

}  // namespace

void free_pages_(Env& env, Machine& m, Pfn pfn, unsigned order) {
  free_block(env, m, pfn, order, false);
}

void free_page_(Env& env, Machine& m, Pfn pfn) { free_block(env, m, pfn, 0, false); }

void free_cold_page(Env& env, Machine& m, Pfn pfn) { free_block(env, m, pfn, 0, true); }

void free_pages(Env& env, Machine& m, Address address, unsigned order) {
  if (address == Address::null) return;  // B-27
  const std::optional<Pfn> pfn = virt_to_pfn(m, address);
  if (!pfn) return report(m, Fault::no_such_page, Effect::none);
  free_block(env, m, *pfn, order, false);
}

void free_page(Env& env, Machine& m, Address address) { free_pages(env, m, address, 0); }

void free_pages_exact(Env& env, Machine& m, Address address, std::uint64_t bytes) {
  const std::uint64_t pages = (bytes + m.config.page_bytes - 1) / m.config.page_bytes;
  const auto at = static_cast<std::uint64_t>(address);
  for (std::uint64_t i = 0; i < std::min(pages, m.config.pages()); ++i)
    free_page(env, m, Address{at + i * m.config.page_bytes});
}

void get_page(Machine& m, Pfn pfn) {
  const std::optional<Pfn> page = counted_page(m, pfn);
  if (!page) return report(m, Fault::unreferenced, Effect::none, pfn);
  ++edit_pfn(m, zone_of_pfn(m, *page), *page).refcount;
}

void put_page(Env& env, Machine& m, Pfn pfn) {
  const std::optional<Pfn> page = counted_page(m, pfn);
  if (!page) return report(m, Fault::unreferenced, Effect::none, pfn);
  const Index z = zone_of_pfn(m, *page);
  Page& head = edit_pfn(m, z, *page);
  if (head.refcount > 1) {
    --head.refcount;
    return;
  }
  // The last one: a compound block goes whole, another as if it were a single page.
  free_block(env, m, *page, head.flags & PG_head ? head.order : 0, false);
}

void split_page(Machine& m, Pfn pfn, unsigned order) {
  const Index z = zone_of_pfn(m, pfn);
  if (z == no_zone) return report(m, Fault::no_such_page, Effect::none, pfn);
  Page& head = edit_pfn(m, z, pfn);
  if (const Fault fault = fault_of(m, pfn, head); fault != Fault::none)
    return report(m, Fault::unreferenced, Effect::none, pfn);
  if (head.flags & PG_head) return report(m, Fault::compound_page, Effect::none, pfn);
  if (head.order != order) return report(m, Fault::wrong_order, Effect::none, pfn);
  head.order = 0;
  for (Pfn i = 1; i < (Pfn{1} << order); ++i) {
    Page& p = edit_pfn(m, z, pfn + i);
    p.kind = PageKind::live_head;
    p.refcount = 1;
  }
}

void drain_all_pages(Env& env, Machine& m) {
  for (std::uint32_t cpu = 0; cpu < m.config.cpus; ++cpu) {
    if (cpu > 0) env.at(Point::buddy_drain_cpu_next);
    drain_pages(m, cpu);
  }
}

void drain_local_pages(Machine& m) { drain_pages(m, m.globals().cpu); }

void set_reclaim_active(Machine& m, Index zone, bool active) {
  edit_zone(m, zone).reclaim_active = active;
}

}  // namespace ref::buddy
