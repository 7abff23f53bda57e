// The operations on temporary maps: of a type and CPU, or of a task's stack; and clearing pages.
#include <fmt/format.h>

#include <algorithm>

#include "props/kmap/runner.hpp"

namespace props::kmap {

using namespace ref::core;
using ref::buddy::Refused;
using Says = Answer::Kind;

namespace {

constexpr std::size_t stack_max = 15;       // the sixteenth would be one too many
constexpr std::uint32_t nesting_max = 255;  // of preempt_disable

}  // namespace

Runner::Balance Runner::balance() const {
  return {m_.cpu().preempt_count, m_.cpu().pagefault_disabled};
}

bool Runner::is_balanced(const Balance& before, int change) {
  if (w_.broken()) return false;
  const Balance expected{static_cast<std::uint16_t>(before.preempt + change),
                         static_cast<std::uint16_t>(before.pagefault + change)};
  const Balance now = balance();
  if (now == expected) return true;
  w_.break_rule("ATOMIC-BALANCED",
                fmt::format("preempt count {}, page faults disabled {} times", expected.preempt,
                            expected.pagefault),
                fmt::format("{}, {}", now.preempt, now.pagefault));
  return false;
}

bool Runner::is_gone(std::uint64_t address) {
  if (w_.broken()) return false;
  const auto seen = ref::mmu::translate(m_, cpu(), Address{address});
  if (!seen) return true;
  w_.break_rule("ATOMIC-GONE",
                fmt::format("CPU {} reads nothing at {:#x} any more", cpu(), address),
                fmt::format("pfn {}", *seen));
  return false;
}

// --- making -----------------------------------------------------------------------------------

Fault Runner::atomic_fault(Pfn pfn, KmType type) const {
  if (!w_.stacked() && type == KmType::KM_TYPE_NR) return Fault::wrong_atomic_type;
  if (!is_high(pfn) || !w_.up()) return Fault::none;
  if (w_.stacked())
    return w_.stack_[task()].size() < stack_max ? Fault::none : Fault::too_many_local_maps;
  const bool busy = std::ranges::any_of(w_.maps_, [&](const HeldMap& h) {
    return h.live && h.high && h.kind == Kind::atomic && h.cpu == cpu() && h.type == type;
  });
  return busy ? Fault::atomic_slot_busy : Fault::none;
}

Answer Runner::operator()(const KmapAtomic& op) {
  const auto pfn = w_.frame(op.page, op.index);
  if (!pfn || !w_.vacant(op.out)) return skipped();
  const Balance before = balance();
  const Fault expected = before.preempt >= nesting_max ? Fault::too_many_local_maps
                                                       : atomic_fault(*pfn, op.type.value);
  const auto got = ref::kmap::kmap_atomic(w_, m_, *pfn, op.type.value);
  if (w_.broken() || !is_balanced(before, got ? 1 : 0)) return {};
  ++w_.reach_[is_high(*pfn) ? ReachEvent::atomic : ReachEvent::atomic_direct];
  return judge_temporary({.kind = Kind::atomic, .type = op.type.value, .pfn = *pfn}, op.out, got,
                         expected, before);
}

Answer Runner::operator()(const KmapLocal& op) {
  const auto pfn = w_.frame(op.page, op.index);
  if (!pfn || !w_.vacant(op.out) || !w_.stacked()) return skipped();
  const Balance before = balance();
  const Fault expected = atomic_fault(*pfn, KmType::KM_USER0);
  const auto got = ref::kmap::kmap_local_page(w_, m_, *pfn);
  if (w_.broken() || !is_balanced(before, 0)) return {};
  ++w_.reach_[is_high(*pfn) ? ReachEvent::local : ReachEvent::local_direct];
  return judge_temporary({.kind = Kind::local, .pfn = *pfn}, op.out, got, expected, before);
}

Answer Runner::judge_temporary(HeldMap made, MapRegister out, const Asked<Address>& got,
                               Fault expected, const Balance&) {
  if (!fault_is(expected)) return {};
  const bool may_have = expected == Fault::none && (w_.up() || !is_high(made.pfn));
  if (got.has_value() != may_have) {
    w_.break_rule("ATOMIC-REFUSED", may_have ? "a map: its slot is free" : "a refusal",
                  got ? "a map" : "refused");
    return {};
  }
  if (!got) return answer_of_fault({Says::refused});
  made.address = static_cast<std::uint64_t>(*got);
  made.high = is_high(made.pfn);
  if (!made.high && made.address != direct(made.pfn)) {
    w_.break_rule("ATOMIC-DIRECT", fmt::format("{:#x} of pfn {}", direct(made.pfn), made.pfn),
                  fmt::format("{:#x}", made.address));
    return {};
  }
  if (made.high && !is_own_slot(made)) return {};
  if (made.high && w_.stacked()) w_.stack_[task()].push_back({made.address, made.pfn});
  if (!accept(made, out)) return {};
  return {Says::address, made.address};
}

// In the fixmap, at a page that nobody else's map stands at, and the one that policy says.
bool Runner::is_own_slot(const HeldMap& made) {
  const ref::core::Window& window = m_.mmu.window;
  if (made.address < window.fixmap_start || made.address >= window.fixaddr_top ||
      made.address % m_.config.page_bytes != 0) {
    w_.break_rule(
        "ATOMIC-WINDOW",
        fmt::format("a page from {:#x} to {:#x}", window.fixmap_start, window.fixaddr_top),
        fmt::format("{:#x}", made.address));
    return false;
  }
  // Tasks take turns on a CPU, and bring their maps along.
  const auto meets = [&](const HeldMap& h) {
    const bool of_another_task = h.cpu == cpu() && h.task != task();
    return h.live && !h.lost && h.temporary() && h.address == made.address && !of_another_task;
  };
  const auto other = std::ranges::find_if(w_.maps_, meets);
  if (other != w_.maps_.end()) {
    w_.break_rule(
        "ATOMIC-DISJOINT",
        fmt::format("a slot of CPU {} that nobody uses, for pfn {}", cpu(), made.pfn),
        fmt::format("{:#x}, which maps pfn {} for CPU {}", made.address, other->pfn, other->cpu));
    return false;
  }
  const std::size_t nth =
      w_.stacked() ? w_.stack_[task()].size() : static_cast<std::size_t>(made.type);
  const std::uint64_t wanted =
      Model::temporary_address(m_.config, cpu(), static_cast<std::uint32_t>(nth));
  if (made.address == wanted) return true;
  w_.break_rule("ATOMIC-EXACT", fmt::format("{:#x}", wanted), fmt::format("{:#x}", made.address));
  return false;
}

// --- ending -----------------------------------------------------------------------------------

Answer Runner::operator()(const KunmapAtomic& op) {
  const HeldMap* h = live(op.map, Kind::atomic);
  return h == nullptr || !w_.usable(*h) ? skipped() : end_temporary(op.map);
}

Answer Runner::operator()(const KunmapLocal& op) {
  const HeldMap* h = live(op.map, Kind::local);
  if (h != nullptr) return w_.usable(*h) ? end_temporary(op.map) : skipped();
  h = live(op.map, Kind::persistent);
  if (h != nullptr) return h->high && w_.stacked() ? unpin(op.map.value) : skipped();
  // Once more, where nothing is mapped any more.
  const HeldMap& old = w_.maps_[op.map.value];
  if (old.live || old.kind != Kind::local || !old.high || old.cpu != cpu() ||
      !w_.stack_[task()].empty())
    return skipped();
  const Balance before = balance();
  ref::kmap::kunmap_local(w_, m_, Address{old.address});
  if (!fault_is(Fault::kunmap_of_unmapped) || !is_balanced(before, 0)) return {};
  return answer_of_fault();
}

// The caller's map ends. On a stack it is always the newest that goes, be it the caller's or not.
Answer Runner::end_temporary(MapRegister r) {
  const HeldMap map = w_.maps_[r.value];
  const bool atomic = map.kind == Kind::atomic;
  if (w_.usable(map) && !check_content(map)) return {};
  const bool on_stack = map.high && w_.stacked();
  Fault expected = Fault::none;
  if (on_stack && w_.stack_[task()].empty()) expected = Fault::kunmap_of_unmapped;
  else if (on_stack && w_.stack_[task()].back().address != map.address)
    expected = Fault::unmap_out_of_order;
  w_.reach_[ReachEvent::out_of_order] += expected == Fault::unmap_out_of_order;
  w_.reach_[ReachEvent::lost_unmapped] += map.lost;
  w_.maps_[r.value].live = false;
  const Balance before = balance();
  if (atomic) ref::kmap::kunmap_atomic(w_, m_, Address{map.address}, map.type);
  else ref::kmap::kunmap_local(w_, m_, Address{map.address});
  const bool ends = expected != Fault::kunmap_of_unmapped;
  if (w_.broken() || !fault_is(expected) || !is_balanced(before, atomic && ends ? -1 : 0))
    return {};
  std::uint64_t gone = map.address;
  if (on_stack && ends) {
    gone = w_.stack_[task()].back().address;
    w_.stack_[task()].pop_back();
    for (HeldMap& h : w_.maps_)
      if (h.live && h.temporary() && h.high && h.task == task() && h.address == gone) h.lost = true;
  }
  if (map.high && ends && !is_gone(gone)) return {};
  return answer_of_fault();
}

Answer Runner::operator()(const KunmapAtomicAs& op) {
  const HeldMap* h = live(op.map, Kind::atomic);
  if (h == nullptr || !w_.usable(*h) || w_.stacked()) return skipped();
  const bool fits = op.type.value == h->type;
  if (fits || (!h->high && op.type.value != KmType::KM_TYPE_NR)) return end_temporary(op.map);
  const Balance before = balance();
  ref::kmap::kunmap_atomic(w_, m_, Address{h->address}, op.type.value);
  if (!fault_is(Fault::wrong_atomic_type) || !is_balanced(before, 0)) return {};
  return w_.check_translation(*h) ? answer_of_fault() : Answer{};
}

// --- clearing ---------------------------------------------------------------------------------

Answer Runner::operator()(const ZeroSegments& op) {
  const auto pfn = w_.frame(op.page, op.index);
  if (!pfn) return skipped();
  const HeldPages& p = w_.pages_[op.page.value];
  const bool whole = w_.stacked() && p.compound && op.index.value == 0;
  const std::uint64_t bytes = std::uint64_t{m_.config.page_bytes} << (whole ? p.order : 0);
  const std::uint64_t ends[2][2] = {{op.start1.value, op.end1.value},
                                    {op.start2.value, op.end2.value}};
  const bool too_far = ends[0][1] > bytes || ends[1][1] > bytes;
  const bool nothing = ends[0][0] >= ends[0][1] && ends[1][0] >= ends[1][1];
  Fault expected = too_far   ? Fault::bad_segment
                   : nothing ? Fault::none
                             : atomic_fault(*pfn, KmType::KM_USER0);
  if (!too_far && !nothing && !w_.stacked() && m_.cpu().preempt_count >= nesting_max)
    expected = Fault::too_many_local_maps;
  const auto memory = ref::buddy::read_pages(m_, *pfn, 0, bytes);
  std::vector<std::byte> wanted(memory.begin(), memory.end());
  const bool done = expected == Fault::none && (w_.up() || !is_high(*pfn));
  for (const auto& [start, end] : ends)
    for (std::uint64_t i = start; done && i < end; ++i) wanted[i] = std::byte{0};
  const Balance before = balance();
  const auto argument = [](const OffsetArg& a) { return static_cast<std::uint32_t>(a.value); };
  // What stood there is gone from the first byte on, and an interrupt may look at any of them. It
  // finds the call's own map on the stack.
  const auto pages = static_cast<Pfn>(bytes / m_.config.page_bytes);
  if (done && !nothing) w_.forget_contents(*pfn, pages);
  const bool stacks = done && !nothing && w_.stacked() && is_high(*pfn);
  const auto depth = static_cast<std::uint32_t>(w_.stack_[task()].size());
  if (stacks)
    w_.stack_[task()].push_back({Model::temporary_address(m_.config, cpu(), depth), *pfn});
  ref::kmap::zero_user_segments(w_, m_, *pfn, argument(op.start1), argument(op.end1),
                                argument(op.start2), argument(op.end2));
  if (w_.broken()) return {};
  if (stacks) w_.stack_[task()].pop_back();
  if (!fault_is(expected) || !is_balanced(before, 0)) return {};
  if (done && !nothing) {
    ++w_.reach_[ReachEvent::cleared];
    w_.forget_contents(*pfn, pages);
  }
  const auto now = ref::buddy::read_pages(m_, *pfn, 0, bytes);
  const auto [seen, should] = std::ranges::mismatch(now, wanted);
  if (seen != now.end() && !w_.interleaved_ && !w_.inside_)
    w_.break_rule("KMAP-ZEROED",
                  fmt::format("{:#x} at byte {} of pfn {}", std::to_integer<unsigned>(*should),
                              seen - now.begin(), *pfn),
                  fmt::format("{:#x}", std::to_integer<unsigned>(*seen)));
  return answer_of_fault();
}

}  // namespace props::kmap
