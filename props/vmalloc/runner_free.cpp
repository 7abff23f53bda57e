// The operations that give room back, at once or later, and misuse of them.
#include <fmt/format.h>

#include <algorithm>

#include "props/vmalloc/runner.hpp"

namespace props::vmalloc {

using namespace ref::core;
using Kind = Answer::Kind;
namespace vm = ref::vmalloc;

namespace {

std::string_view name_of(Fault f) {
  return f == Fault::none ? "no fault" : fault_names[static_cast<std::size_t>(f)];
}

}  // namespace

// --- faults
// -----------------------------------------------------------------------------------------

// The call's fault is one of these. Where it must not sleep, it may have said so before it looked.
Answer Runner::expect_fault(std::initializer_list<Fault> may) {
  const Fault fault = m_.globals().log.fault;
  ++w_.reach_.faults[static_cast<std::size_t>(fault)];
  if (std::ranges::find(may, fault) != may.end()) return told();
  const bool sleeps = m_.profile().vmalloc_might_sleep && in_atomic(m_);
  if (fault == Fault::sleeping_in_atomic && sleeps) return told();
  const bool about_sleep = fault == Fault::sleeping_in_atomic;
  w_.break_rule(about_sleep ? "VMALLOC-SLEEP" : "VMALLOC-MISUSE",
                std::string(name_of(*may.begin())), std::string(name_of(fault)));
  return {};
}

void Runner::call(Way way, Address address) {
  switch (way) {
    case Way::vfree: return vm::vfree(w_, m_, address);
    case Way::atomic: return vm::vfree_atomic(w_, m_, address);
    case Way::kvfree: return vm::kvfree(w_, m_, address);
    case Way::vunmap: return vm::vunmap(w_, m_, address);
    case Way::iounmap: return vm::iounmap(w_, m_, address);
    case Way::free_vm_area: return vm::free_vm_area(w_, m_, address);
    case Way::remove:
      if (const auto removed = vm::remove_vm_area(w_, m_, address))
        ref::kmalloc::kfree(w_, m_, removed->descriptor);
      return;
  }
}

// --- giving back
// ------------------------------------------------------------------------------------

Answer Runner::give_back(AreaRegister reg, Way way) {
  Area* a = live(reg);
  if (a == nullptr || a->kind == AreaKind::ram) return skipped();
  const bool frees = way == Way::vfree || way == Way::atomic || way == Way::kvfree;
  if (a->kind == AreaKind::kmalloc) {
    if (way != Way::kvfree) return skipped();
    check_kmalloc(*a);
    if (w_.broken()) return {};
    a->state = Area::State::stale;
    vm::kvfree(w_, m_, a->address);
    return told();
  }
  const bool old = m_.profile().vfree_in_interrupt == VfreeInInterrupt::stops_the_kernel;
  const bool later = frees && !old && (way == Way::atomic || in_interrupt(m_));
  // The link of what waits stands in the memory itself: only its owner's memory will do.
  if (later && !a->owns_pages) return skipped();
  const bool stops = in_interrupt(m_) && ((frees && old) || way == Way::vunmap);
  const bool rounds = way == Way::iounmap || way == Way::remove;
  const bool odd = static_cast<std::uint64_t>(a->address) != a->first && !rounds;
  for (const Pfn pfn : a->pages)
    if (!w_.check_frame(pfn, ", of an area that is given back")) return {};
  const bool purges = flushes(*a, way) && m_.profile().unmapping == Unmapping::lazy_purge;
  const bool modelled = w_.judging_.model && !w_.inside_ && !stops && !odd && !later && !purges;
  const std::optional<Model> model = modelled ? std::optional(Model::of(m_)) : std::nullopt;
  if (!stops && !odd) {
    a->state = later ? Area::State::deferred : Area::State::leaving;
    if (!later) release(*a);
    else w_.contents_[a->pages.front()] = 0;
  }
  call(way, way == Way::remove ? Address{a->first} : a->address);
  if (w_.broken()) return {};
  if (stops) return expect_fault({Fault::in_interrupt});
  if (odd && way == Way::free_vm_area) return expect_fault({Fault::not_an_area});
  if (odd) return expect_fault({Fault::bad_area_address, Fault::not_an_area});
  if (later) {
    ++w_.reach_[ReachEvent::deferred];
    return expect_fault({Fault::none});
  }
  const Answer answer = judge_gone(*a, way);
  const std::uint64_t pages = (a->bytes + a->guard) / page() + (frees ? list_pages(*a) : 0);
  if (model && !w_.broken() && !w_.interleaved_)
    if (const auto finding = model->released(m_, pages)) w_.break_rule(*finding);
  return w_.broken() ? Answer{} : answer;
}

// Of the window, where the list of its pages is too long for one.
std::uint64_t Runner::list_pages(const Area& a) const {
  if (!vm::is_vmalloc_addr(m_, a.list)) return 0;
  return (vm::page_array_bytes(m_, a.pages.size()) + page() - 1) / page() + 1;
}

// Nobody's room any more, from the call on: what runs inside it may have it again.
void Runner::release(Area& a) {
  w_.ranges_.give(a.first);
  if (a.owns_pages)
    for (const Pfn pfn : a.pages) w_.contents_.erase(pfn);
}

Answer Runner::judge_gone(Area& a, Way way) {
  a.state = Area::State::stale;
  if (!flushes(a, way)) w_.lazy_.push_back(a.range());
  const bool frees = way == Way::vfree || way == Way::atomic || way == Way::kvfree;
  const bool loses = a.owns_pages && !frees;
  if (loses) {
    ++w_.reach_[ReachEvent::lost];
    w_.lost_.insert(w_.lost_.end(), a.pages.begin(), a.pages.end());
    w_.lost_counted_ += a.flags & vm::VM_MAP_PUT_PAGES ? 0 : a.pages.size();
    w_.lost_lists_.push_back(a.list);
  }
  if (!w_.interleaved_ && !w_.inside_) {
    judge_unmapped(a, way);
    if (a.owns_pages) judge_pages_of(a, frees);
  }
  if (w_.broken()) return {};
  return expect_fault({loses ? Fault::area_pages_lost : Fault::none});
}

// V-28: with VM_FLUSH_RESET_PERMS vfree and vunmap flush at once. Calls that only take the area
// away do not look at that flag (mm/vmalloc.c: vm_remove_mappings() does, remove_vm_area() does
// not).
bool Runner::flushes(const Area& a, Way way) const {
  const bool only_removes = way == Way::remove || way == Way::free_vm_area || way == Way::iounmap;
  return m_.profile().unmapping == Unmapping::flushed_at_once ||
         (!only_removes && (a.flags & vm::VM_FLUSH_RESET_PERMS) != 0);
}

void Runner::judge_unmapped(const Area& a, Way way) {
  const bool flushed = flushes(a, way);
  for (std::uint64_t at = a.first; at < a.range().end && !w_.broken(); at += page()) {
    if (const auto pfn = ref::mmu::walk(m_, Address{at}))
      w_.break_rule("VMALLOC-UNMAPPED", fmt::format("nothing behind {:#x}: its area is gone", at),
                    fmt::format("pfn {}", *pfn));
    for (std::uint32_t cpu = 0; cpu < m_.config.cpus && flushed && !w_.broken(); ++cpu)
      if (const auto pfn = ref::mmu::cached(m_, cpu, Address{at}))
        w_.break_rule("VMALLOC-FLUSHED",
                      fmt::format("{:#x} forgotten by CPU {}: its area is gone", at, cpu),
                      fmt::format("pfn {}", *pfn));
  }
}

// Every page that the area owned went back, each with its one reference; or none did.
void Runner::judge_pages_of(Area& a, bool freed) {
  for (const Pfn pfn : a.pages) {
    const auto head = ref::buddy::head_of(m_, pfn);
    const auto& zone = ref::buddy::zone_at(m_, ref::buddy::zone_of_pfn(m_, pfn));
    const bool in_use =
        !head || ref::buddy::page_at(m_, ref::buddy::page_index(zone, *head)).kind ==
                     ref::buddy::PageKind::live_head;
    if (in_use != freed) continue;
    w_.break_rule("VMALLOC-PUT",
                  fmt::format("pfn {} {}", pfn, freed ? "given back" : "left as it was"),
                  freed ? "still in use" : "free");
    return;
  }
}

Answer Runner::operator()(const Vfree& op) { return give_back(op.area, Way::vfree); }
Answer Runner::operator()(const VfreeAtomic& op) { return give_back(op.area, Way::atomic); }
Answer Runner::operator()(const Vunmap& op) { return give_back(op.area, Way::vunmap); }
Answer Runner::operator()(const Iounmap& op) { return give_back(op.area, Way::iounmap); }
Answer Runner::operator()(const FreeVmArea& op) { return give_back(op.area, Way::free_vm_area); }
Answer Runner::operator()(const RemoveVmArea& op) { return give_back(op.area, Way::remove); }
Answer Runner::operator()(const Kvfree& op) { return give_back(op.area, Way::kvfree); }

Answer Runner::operator()(const UnmapRam& op) {
  Area* a = live(op.area);
  if (a == nullptr || a->kind != AreaKind::ram) return skipped();
  a->state = Area::State::leaving;
  release(*a);
  vm::vm_unmap_ram(w_, m_, a->address, static_cast<std::uint32_t>(a->pages.size()));
  if (w_.broken()) return {};
  return judge_gone(*a, Way::vunmap);
}

// --- later
// ------------------------------------------------------------------------------------------

// Kernel threads: they run in no interrupt, and within no call.
Answer Runner::operator()(const RunWork&) {
  if (!w_.up() || w_.inside_ || in_atomic(m_)) return skipped();
  std::vector<Area*> due;
  for (Area& a : w_.areas_)
    if (a.state == Area::State::deferred) due.push_back(&a), release(a);
  // Whoever looks meanwhile may find them or not.
  for (Area* a : due) a->state = Area::State::leaving;
  for (std::uint32_t cpu = 0; cpu < m_.config.cpus; ++cpu) vm::free_work(w_, m_, cpu);
  const bool drains = vm::drain_work_pending(m_);
  const Fault fault = m_.globals().log.fault;
  for (Area* a : due) {
    judge_gone(*a, Way::vfree);
    if (w_.broken()) return {};
  }
  w_.reach_[ReachEvent::freed_later] += due.empty() ? 0 : 1;
  w_.reach_[ReachEvent::drained] += drains ? 1 : 0;
  vm::drain_vmap_area_work(w_, m_);
  if (w_.broken()) return {};
  if (drains && vm::vmap_lazy_nr(m_) > lazy_max(m_.config))
    w_.break_rule("VMALLOC-THRESHOLD", fmt::format("{} lazy pages or fewer", lazy_max(m_.config)),
                  fmt::format("{}", vm::vmap_lazy_nr(m_)));
  return fault == Fault::none ? Answer{} : expect_fault({Fault::none});
}

// No CPU knows anything of what is gone (V-40).
Answer Runner::operator()(const VmUnmapAliases&) {
  if (!w_.up() || w_.inside_) return skipped();
  const auto before = static_cast<std::ptrdiff_t>(w_.lazy_.size());
  vm::vm_unmap_aliases(w_, m_);
  if (w_.broken()) return {};
  // What others give back meanwhile, the flush may have come too early for.
  w_.lazy_.erase(w_.lazy_.begin(), w_.lazy_.begin() + before);
  ++w_.reach_[ReachEvent::purged];
  for (Area& a : w_.areas_) {
    if (a.state != Area::State::stale || a.kind == AreaKind::kmalloc) continue;
    for (std::uint64_t at = a.first; at < a.range().end && !w_.interleaved_; at += page())
      for (std::uint32_t cpu = 0; cpu < m_.config.cpus && w_.ranges_.free_at(at); ++cpu)
        if (const auto pfn = ref::mmu::cached(m_, cpu, Address{at});
            pfn && !ref::mmu::walk(m_, Address{at})) {
          w_.break_rule("VMALLOC-FLUSHED", fmt::format("{:#x} forgotten by CPU {}", at, cpu),
                        fmt::format("pfn {}", *pfn));
          return {};
        }
  }
  return expect_fault({Fault::none});
}

// --- misuse
// -----------------------------------------------------------------------------------------

// An address that is in nobody's area. In an interrupt it would be noted before it is looked at.
Answer Runner::free_of_nobody(Address address, void (*free)(Env&, Machine&, Address)) {
  const auto at = static_cast<std::uint64_t>(address);
  const bool ours = vm::area_at(m_, address).has_value();  // of the allocator, or being taken away
  if (!w_.up() || in_interrupt(m_) || ours || !w_.ranges_.free_at(at)) return skipped();
  const std::uint32_t busy = busy_ranges(m_);
  free(w_, m_, address);
  if (w_.broken()) return {};
  if (!w_.interleaved_ && busy_ranges(m_) != busy)
    w_.break_rule("VMALLOC-MISUSE", fmt::format("{} areas, as before", busy),
                  fmt::format("{}", busy_ranges(m_)));
  if (address == Address::null) return expect_fault({Fault::none});
  if (at % page() != 0) return expect_fault({Fault::bad_area_address});
  return expect_fault({Fault::not_an_area});
}

// Of what waits to be freed as well: its memory holds the link to the next one.
Answer Runner::operator()(const VfreeStale& op) {
  if (w_.areas_[op.area.value].state == Area::State::deferred && !busy(op.area.value)) {
    const std::uint32_t areas = busy_ranges(m_);
    vm::vfree(w_, m_, w_.areas_[op.area.value].address);
    if (!w_.broken() && busy_ranges(m_) != areas)
      w_.break_rule("VMALLOC-MISUSE", "the area in place: it is to be freed later", "gone");
    return w_.broken() ? Answer{} : expect_fault({Fault::double_free});
  }
  const Area* a = gone(op.area);
  return a == nullptr ? skipped() : free_of_nobody(a->address, vm::vfree);
}

Answer Runner::operator()(const VunmapStale& op) {
  const Area* a = gone(op.area);
  return a == nullptr ? skipped() : free_of_nobody(a->address, vm::vunmap);
}

Answer Runner::operator()(const VfreeAt& op) {
  return free_of_nobody(Address{op.address.value}, vm::vfree);
}

// V-25: 6.1 finds the area by any of its pages, the guard too; 2.6.11 by its first address only.
Answer Runner::operator()(const VfreeInside& op) {
  Area* a = live(op.area);
  if (a == nullptr || a->kind == AreaKind::kmalloc || a->kind == AreaKind::ram || in_interrupt(m_))
    return skipped();
  const std::uint64_t offset = op.offset.value % (a->bytes + a->guard);
  if (offset == 0) return skipped();
  const Address address{a->first + offset};
  const bool frees = offset % page() == 0 && m_.profile().areas_found_by_any_page;
  for (const Pfn pfn : a->pages)
    if (!w_.check_frame(pfn, ", of an area that is given back")) return {};
  if (frees) {
    a->state = Area::State::leaving;
    release(*a);
  }
  const std::uint32_t busy = busy_ranges(m_);
  vm::vfree(w_, m_, address);
  if (w_.broken()) return {};
  const Answer answer =
      expect_fault({offset % page() == 0 && !frees ? Fault::not_an_area : Fault::bad_area_address});
  if (w_.broken()) return {};
  if (!frees) {
    if (!w_.interleaved_ && busy_ranges(m_) != busy)
      w_.break_rule("VMALLOC-MISUSE", "the area in place", "gone");
    return answer;
  }
  clear_log(m_);
  judge_gone(*a, Way::vfree);
  return w_.broken() ? Answer{} : answer;
}

}  // namespace props::vmalloc
