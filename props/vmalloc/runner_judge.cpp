// Judges answers of calls that take room: where it lies, what is behind it, and why there is none.
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "props/core/probe.hpp"
#include "props/slab/contents.hpp"
#include "props/vmalloc/runner.hpp"

namespace props::vmalloc {

using namespace ref::core;
using ref::buddy::Refused;
using Kind = Answer::Kind;
namespace vm = ref::vmalloc;

namespace {

bool may_block(Gfp gfp) { return (gfp & GFP_BIT_DIRECT_RECLAIM) != 0; }
std::uint64_t number(Address address) { return static_cast<std::uint64_t>(address); }

}  // namespace

// --- what was asked for
// -----------------------------------------------------------------------------

std::uint64_t Runner::mapped_bytes(const Want& want) const {
  return (want.size + page() - 1) / page() * page();
}

std::uint64_t Runner::guard_of(const Want& want) const {
  if (want.kind == AreaKind::ram) return 0;  // its block has one, or not
  return want.flags & vm::VM_NO_GUARD ? 0 : page();
}

// V-4. 2.6.11 aligns to more than the size, 6.1 to no more than one page table maps.
Room Runner::room_of(const Want& want) const {
  Room room{mapped_bytes(want) + guard_of(want), page()};
  if (want.flags & vm::VM_IOREMAP)
    room.align = ioremap_align(m_, mapped_bytes(want) / page()) * page();
  return room;
}

// Too little, too much, or a number that wraps: no state serves it.
bool Runner::never_served(const Want& want) const {
  const Range& window = w_.ranges_.window();
  if (want.impossible || want.size == 0 || want.size > window.end - window.first) return true;
  if (mapped_bytes(want) + guard_of(want) > window.end - window.first) return true;
  // vm_map_ram counts no pages, and its list may name one of them often.
  const bool of_memory = want.kind == AreaKind::vmalloc || want.kind == AreaKind::vmap ||
                         want.kind == AreaKind::kmalloc;
  return of_memory && mapped_bytes(want) / page() > m_.config.pages();
}

// What is seen in the arguments, before any memory is asked for. That the window is too small for
// it, or a page NULL, is seen only when the descriptors are there: for those the caller may wait.
bool Runner::refused_at_once(const Want& want) const {
  if (want.size == 0 || (want.impossible && want.kind == AreaKind::ioremap)) return true;
  const bool counted = want.kind == AreaKind::vmalloc || want.kind == AreaKind::vmap;
  if (counted && mapped_bytes(want) / page() > m_.config.pages()) return true;
  return want.size > m_.profile().size_max - 2 * page();  // with a guard the number wraps
}

// Whatever may sleep is told so where it must not; 6.1 stops where an interrupt asks for room.
bool Runner::judge_call_fault(const Want& want, bool refused) {
  const Fault fault = m_.globals().log.fault;
  ++w_.reach_.faults[static_cast<std::size_t>(fault)];
  const auto wrong = [&](std::string_view rule, std::string_view expected) {
    w_.break_rule(rule, std::string(expected),
                  std::string(fault_names[static_cast<std::size_t>(fault)]));
    return false;
  };
  const bool atomic = in_atomic(m_);
  if (fault == Fault::sleeping_in_atomic && !atomic)
    return wrong("VMALLOC-SLEEP", "no fault: this caller may sleep");
  const bool may_do_without = want.size == 0 || want.kind == AreaKind::ram;
  if (!refused && atomic && fault == Fault::none && may_block(want.gfp) && !may_do_without)
    return wrong("VMALLOC-SLEEP", "sleeping-in-atomic");
  const bool must_refuse = m_.profile().areas_refuse_interrupts && in_interrupt(m_);
  if (!refused && must_refuse && !want.may_be_kmalloc && want.kind != AreaKind::ram)
    return wrong("VMALLOC-MISUSE", "in-interrupt: no interrupt has room here");
  if (fault == Fault::in_interrupt && !in_interrupt(m_))
    return wrong("VMALLOC-MISUSE", "no fault: this is no interrupt");
  const bool null_page = want.kind == AreaKind::vmap && want.impossible;
  const bool known =
      fault == Fault::none || fault == Fault::sleeping_in_atomic ||
      (refused && (fault == Fault::in_interrupt || (null_page && fault == Fault::no_such_page)));
  if (!known && !from_below(want.gfp, fault)) return wrong("VMALLOC-MISUSE", "no fault");
  return true;
}

// --- refusals
// ---------------------------------------------------------------------------------------

Answer Runner::judge_refused(const Want& want, Refused why) {
  if (!judge_call_fault(want, true)) return {};
  const Fault fault = m_.globals().log.fault;
  if (never_served(want)) {
    ++w_.reach_[ReachEvent::never];
    return fault == Fault::none ? Answer{Kind::refused} : told();
  }
  if (why == Refused::misuse) {
    if (fault == Fault::none)
      w_.break_rule("VMALLOC-MISUSE", "a refusal, or misuse that is named",
                    "misuse without a name");
    return told();
  }
  probe(want);
  return fault == Fault::none ? Answer{Kind::refused} : told();
}

Answer Runner::judge_suspended(const Want& want) {
  if (!judge_call_fault(want, true)) return {};
  // Page tables, and in 2.6.11 the descriptor, are asked for with GFP_KERNEL whatever the flags
  // are.
  if (in_atomic(m_) || (refused_at_once(want) && !(want.gfp & GFP_BIT_NOFAIL))) {
    w_.break_rule("VMALLOC-WAITS", "room or a refusal: this caller cannot wait",
                  "it was suspended");
    return {};
  }
  probe(want);
  return w_.broken() ? Answer{} : wait(want.op);
}

// A call that failed took nothing that it still has.
void Runner::judge_unchanged(std::uint64_t nr_pages, std::uint32_t busy) {
  if (w_.interleaved_ || w_.inside_) return;
  if (vm::vmalloc_nr_pages(m_) != nr_pages)
    w_.break_rule("VMALLOC-FAILED", fmt::format("{} pages are vmalloc's, as before", nr_pages),
                  fmt::format("{}", vm::vmalloc_nr_pages(m_)));
  else if (busy_ranges(m_) != busy)
    w_.break_rule("VMALLOC-FAILED", fmt::format("{} areas, as before", busy),
                  fmt::format("{}", busy_ranges(m_)));
}

// Refused or waiting. It was room that was short, or memory; where neither was, it is an allocator
// that refuses what it has.
void Runner::probe(const Want& want) {
  if (w_.interleaved_ || w_.inside_ || w_.broken() || m_.globals().injected || w_.hidden_) return;
  if (want.kind == AreaKind::ram) return;
  if (want.may_be_kmalloc && !may_block(want.gfp)) return;  // then kvmalloc has kmalloc only
  // With this flag no cache may take pages for a slab, however many are free: kvmalloc's own memory
  // and the list of the pages come from caches that may have no object left.
  if (want.gfp & GFP_BIT_NO_GROW) return;
  const auto hides = [&](const Area& a) {
    return a.taken() && a.kind == AreaKind::vmalloc &&
           vm::page_array_bytes(m_, a.pages.size()) > page();
  };
  const auto in_window = [&](Address list) { return vm::is_vmalloc_addr(m_, list); };
  if (std::ranges::any_of(w_.areas_, hides) || std::ranges::any_of(w_.lost_lists_, in_window))
    return;
  const std::uint64_t list = vm::page_array_bytes(m_, mapped_bytes(want) / page());
  if (want.owns_pages && list > page()) return;  // it takes room for its list as well
  if (!w_.ranges_.fits(room_of(want))) return;
  ++w_.reach_[ReachEvent::probe];
  if (!memory_on_a_copy(want)) return;
  const Room room = room_of(want);
  w_.break_rule(
      "VMALLOC-REFUSED",
      fmt::format("{:#x} bytes at a multiple of {:#x}: there is a hole at {:#x}, and memory",
                  room.bytes, room.align, w_.ranges_.lowest(room)),
      "refused");
}

// Whatever the call needs of memory: its pages, page tables, a slab for each descriptor, its list.
// All of it single pages below HIGHMEM, but for two larger blocks that a slab may be.
bool Runner::memory_on_a_copy(const Want& want) {
  QuietEnv env;
  w_.scratch_ = m_;
  plan_failure(w_.scratch_, 0);
  constexpr Gfp beside = GFP_BIT_HIGHMEM | GFP_BIT_ZERO | GFP_BIT_NOFAIL | GFP_BIT_HIGH |
                         GFP_BIT_ATOMIC | GFP_BIT_MEMALLOC;
  const Gfp gfp = want.gfp & ~beside;
  const unsigned slab_order = std::min(3u, m_.config.orders - 1);
  for (int i = 0; i < 4; ++i)
    if (!ref::buddy::alloc_pages(env, w_.scratch_, gfp, slab_order)) return false;
  const std::uint64_t pages = mapped_bytes(want) / page();
  const std::uint64_t tables = 2 + pages / (page() / 4);
  for (std::uint64_t i = 0; i < pages + tables; ++i)
    if (!ref::buddy::alloc_page(env, w_.scratch_, gfp)) return false;
  return true;
}

// --- room that was granted
// --------------------------------------------------------------------------

Answer Runner::judge_granted(std::uint8_t out, const Want& want, Address got) {
  const Range& window = w_.ranges_.window();
  const bool outside = number(got) < window.first || number(got) >= window.end;
  // I-1: what PCs have below 1 MiB is in the direct map already; it takes no room.
  if (outside && want.kind == AreaKind::ioremap && m_.profile().isa_is_always_mapped &&
      number(got) == page_offset + want.phys)
    return {Kind::address, number(got)};
  if (!judge_call_fault(want, false)) return {};
  if (outside && want.may_be_kmalloc) return judge_kmalloc(out, want, got);
  if (never_served(want)) {
    w_.break_rule("VMALLOC-LIMIT", fmt::format("{} bytes refused", want.size),
                  fmt::format("{:#x}", number(got)));
    return {};
  }
  Area area{.state = Area::State::live,
            .kind = want.kind,
            .owns_pages = want.owns_pages,
            .address = got,
            .first = number(got) / page() * page(),
            .bytes = mapped_bytes(want),
            .guard = guard_of(want),
            .flags = want.flags,
            .pages = want.pages};
  const std::uint64_t offset = want.kind == AreaKind::ioremap ? want.phys % page() : 0;
  if (number(got) - area.first != offset) {
    w_.break_rule("VMALLOC-OFFSET", fmt::format("an address at byte {} of a page", offset),
                  fmt::format("{:#x}", number(got)));
    return {};
  }
  if (const auto finding = w_.ranges_.granted(area.first, room_of(want))) {
    w_.break_rule(*finding);
    return {};
  }
  if (!judge_pages(want, area) || !w_.check_translations(area) || !judge_zeros(want, area))
    return {};
  if (const auto known = vm::area_at(m_, Address{area.first})) area.list = known->page_array;
  w_.ranges_.take(area.range());
  if (want.owns_pages && want.kind == AreaKind::vmalloc)
    for (const Pfn pfn : area.pages) own(pfn);
  ++w_.reach_.granted[std::min<std::size_t>(std::bit_width(area.bytes / page()),
                                            Reach::size_classes - 1)];
  w_.reach_[ReachEvent::reused] += std::ranges::any_of(w_.areas_, [&](const Area& other) {
    return other.state == Area::State::stale && other.range().meets(area.range());
  });
  w_.areas_[out] = std::move(area);
  const Fault fault = m_.globals().log.fault;
  return fault == Fault::none ? Answer{Kind::address, number(got)} : told();
}

// What the owner wrote into memory of kmalloc is still there.
void Runner::check_kmalloc(const Area& a) {
  if (a.stamp == 0) return;
  const auto ram = slab::ram_of(m_, number(a.address), a.bytes);
  const Broken w = slab::contents_broken(m_, *ram, a.bytes, a.stamp, slab::Stamps::spaced);
  if (w)
    w_.break_rule("VMALLOC-CONTENT", fmt::format("{:#x} at {}", w->expected, w->where),
                  fmt::format("{:#x}", w->actual));
}

// Memory of kmalloc: what that row's world judges in full.
Answer Runner::judge_kmalloc(std::uint8_t out, const Want& want, Address got) {
  ++w_.reach_[ReachEvent::kv_kmalloc];
  Area area;
  area.state = Area::State::live;
  area.kind = AreaKind::kmalloc;
  area.address = got;
  area.bytes = want.size;
  if (number(got) <= number(ref::kmalloc::zero_size_ptr)) {
    if (want.size > 0 || number(got) == 0)
      w_.break_rule("VMALLOC-KV", fmt::format("{} bytes of memory", want.size), "nothing");
    return {Kind::address, number(got)};  // nothing is held
  }
  const Log log = m_.globals().log;
  const std::uint64_t usable = ref::kmalloc::ksize(m_, got);
  m_.edit_globals().log = log;
  if (usable < want.size) {
    w_.break_rule("VMALLOC-KV", fmt::format("{} usable bytes or more", want.size),
                  fmt::format("{}", usable));
    return {};
  }
  if (want.zeros) {
    const auto bytes = ref::slab::read_bytes(m_, got, want.size);
    if (std::ranges::any_of(bytes, [](std::byte b) { return b != std::byte{0}; }))
      w_.break_rule("VMALLOC-ZEROED", "zeros", "other bytes");
  }
  if (w_.broken()) return {};
  if (w_.judging_.stamps && want.size > 0) {
    const auto ram = slab::ram_of(m_, number(got), want.size);
    if (!ram) {
      w_.break_rule("VMALLOC-KV", "memory of the direct map", fmt::format("{:#x}", number(got)));
      return {};
    }
    area.stamp = ++w_.stamps_;
    slab::write_contents(m_, *ram, want.size, area.stamp, slab::Stamps::spaced);
  }
  w_.areas_[out] = std::move(area);
  const Fault fault = m_.globals().log.fault;
  return fault == Fault::none ? Answer{Kind::address, number(got)} : told();
}

// The frames behind an area: those that the caller named, or new ones of its own.
bool Runner::judge_pages(const Want& want, Area& area) {
  if (want.kind != AreaKind::vmalloc) return true;
  for (std::uint64_t i = 0; i * page() < area.bytes; ++i) {
    const auto pfn = vm::vmalloc_to_page(m_, Address{area.first + i * page()});
    if (!pfn) {
      w_.break_rule("VMALLOC-MAPPED", fmt::format("a page behind page {} of the area", i),
                    "nothing");
      return false;
    }
    if (!judge_frame(want, area, *pfn)) return false;
    area.pages.push_back(*pfn);
  }
  return true;
}

bool Runner::judge_frame(const Want& want, const Area& area, Pfn pfn) {
  const auto wrong = [&](std::string expected) {
    w_.break_rule("VMALLOC-PAGES", std::move(expected), fmt::format("pfn {}", pfn));
    return false;
  };
  if (w_.owned(pfn) || std::ranges::find(area.pages, pfn) != area.pages.end())
    return wrong("a page that nobody has");
  const auto& zone = ref::buddy::zone_at(m_, ref::buddy::zone_of_pfn(m_, pfn));
  const auto& record = ref::buddy::page_at(m_, ref::buddy::page_index(zone, pfn));
  if (record.kind != ref::buddy::PageKind::live_head || record.order != 0 || record.refcount != 1)
    return wrong("a single page with one reference");
  if ((want.gfp & GFP_BIT_DMA) && zone.kind != ZoneKind::dma) return wrong("a page of zone DMA");
  const std::uint64_t below = std::uint64_t{1} << 32;
  if (want.low && (zone.kind == ZoneKind::highmem || std::uint64_t{pfn} * page() >= below))
    return wrong("a page that 32 bits address");
  return true;
}

bool Runner::judge_zeros(const Want& want, const Area& area) {
  if (!want.zeros || want.kind != AreaKind::vmalloc) return true;
  for (const Pfn pfn : area.pages) {
    const auto bytes = ref::buddy::read_pages(m_, pfn, 0, page());
    if (std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; })) continue;
    w_.break_rule("VMALLOC-ZEROED", fmt::format("zeros in pfn {}", pfn), "other bytes");
    return false;
  }
  return true;
}

}  // namespace props::vmalloc
