// The operations on slots: kmap, kunmap, the flush, and the judgement of waits and wake-ups.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "props/kmap/runner.hpp"

namespace props::kmap {

using namespace ref::core;
using ref::buddy::Refused;
using Says = Answer::Kind;

Answer Runner::operator()(const Kmap& op) {
  const auto pfn = w_.frame(op.page, op.index);
  if (!pfn || !w_.vacant(op.out)) return skipped();
  std::optional<Model> expected = is_high(*pfn) ? model() : std::nullopt;
  const Fault sleeps = sleep_fault();
  const std::uint32_t last = cursor();
  const auto got = ref::kmap::kmap(w_, m_, *pfn);
  w_.reach_[ReachEvent::wrapped] += cursor() < last;
  if (w_.broken()) return {};
  // Nothing but a free slot lets an atomic caller have one; the log says that it should not ask.
  if (!fault_is(sleeps)) return {};
  if (expected && (got || got.error() == Refused::suspended))
    agree(expected->mapped(m_, *pfn, got ? std::optional(*got) : std::nullopt));
  return w_.broken() ? Answer{} : judge_mapped(op, *pfn, got);
}

Answer Runner::judge_mapped(const Kmap& op, Pfn pfn, const Asked<Address>& got) {
  if (!got && got.error() == Refused::suspended) return judge_suspended(op);
  if (!got) return judge_refused(op, pfn);
  const auto address = static_cast<std::uint64_t>(*got);
  HeldMap made{.kind = Kind::persistent, .high = is_high(pfn), .pfn = pfn, .address = address};
  if (!made.high) {
    ++w_.reach_[ReachEvent::direct];
    if (address != direct(pfn))
      w_.break_rule("KMAP-DIRECT", fmt::format("{:#x} of pfn {}", direct(pfn), pfn),
                    fmt::format("{:#x}", address));
  } else {
    const std::uint32_t users = w_.slots_.users(pfn);
    ++w_.reach_[users > 0 ? ReachEvent::mapped_again : ReachEvent::mapped];
    for (const HeldMap& h : w_.maps_) {
      if (h.live || h.kind != Kind::persistent || users > 0 || h.address != address) continue;
      ++w_.reach_[h.pfn == pfn ? ReachEvent::revived : ReachEvent::reused];
      break;
    }
    if (const auto bad = w_.slots_.granted(pfn, address)) w_.break_rule(*bad);
    check_first(address);
  }
  if (w_.broken() || !accept(made, op.out)) return {};
  return answer_of_fault({Says::address, address});
}

// M-4: the search begins behind the last slot, which is slot 0 at boot.
void Runner::check_first(std::uint64_t address) {
  if (std::exchange(w_.searched_, true) || w_.interleaved_ || w_.broken()) return;
  const Slots::Window& window = w_.slots_.window();
  const std::uint64_t wanted = window.begin + 1 % window.slots() * window.page_bytes;
  if (address != wanted)
    w_.break_rule("KMAP-EXACT", fmt::format("the first slot ever at {:#x}", wanted),
                  fmt::format("{:#x}", address));
}

Answer Runner::judge_refused(const Kmap&, Pfn pfn) {
  const bool full = in_atomic(m_) && !w_.slots_.has_room();
  if (is_high(pfn) && (!has_slots() || full)) return answer_of_fault({Says::refused});
  w_.break_rule("KMAP-WAITS",
                fmt::format("a map of pfn {}: {} of {} slots have users", pfn, w_.slots_.used(),
                            w_.slots_.window().slots()),
                "refused");
  return {};
}

// A caller that may sleep waits while no slot is free. If one became free while it fell asleep, it
// was woken.
Answer Runner::judge_suspended(const Kmap& op) {
  const bool atomic = in_atomic(m_);
  if (atomic || (w_.slots_.has_room() && !woken(task()))) {
    w_.break_rule("KMAP-WAITS",
                  atomic ? std::string("a map or a refusal: this caller cannot wait")
                         : fmt::format("a map: {} of {} slots have users", w_.slots_.used(),
                                       w_.slots_.window().slots()),
                  "the task sleeps");
    return {};
  }
  w_.pending_[task()] = op;
  ++w_.reach_[ReachEvent::waited];
  if (!is_deadlock()) return {Says::suspended};
  ++w_.reach_[ReachEvent::deadlock];
  return {Says::fault, 0, Fault::deadlock};
}

Answer Runner::resume(const Kmap& op) {
  const bool was_woken = woken(task());
  const auto pfn = static_cast<Pfn>(m_.current().wait.argument);
  std::optional<Model> expected = was_woken ? model() : std::nullopt;
  const std::uint32_t last = cursor();
  const Operation again = op;  // has its registers in hand, as if it were called only now
  const Operation* const outer = std::exchange(w_.running_, &again);
  w_.pending_[task()].reset();
  const auto got = ref::kmap::resume(w_, m_);
  w_.running_ = outer;
  w_.reach_[ReachEvent::wrapped] += cursor() < last;
  if (w_.broken()) return {};
  if (!fault_is(Fault::none)) return {};
  if (expected && (got || got.error() == Refused::suspended))
    agree(expected->mapped(m_, pfn, got ? std::optional(*got) : std::nullopt));
  if (w_.broken()) return {};
  if (got) ++w_.reach_[ReachEvent::resumed];
  else w_.reach_[ReachEvent::slept_again] += was_woken;
  return judge_mapped(op, pfn, got);
}

// The slot that was handed out last, to see whether the search came round.
std::uint32_t Runner::cursor() const {
  return m_.kmap.globals.count == 0 ? 0 : m_.arena.at(m_.kmap.globals, 0).last_pkmap_nr;
}

bool Runner::woken(std::uint32_t task) const {
  const bool sleeps = m_.arena.at(m_.core.task, task).wait.call == ref::kmap::call_kmap;
  return sleeps && (m_.arena.at(m_.kmap.globals, 0).sleepers >> task & 1u) == 0;
}

bool Runner::somebody_woken() const {
  for (std::uint32_t t = 0; t < m_.core.task.count; ++t)
    if (w_.waits_for_slot(t) && woken(t)) return true;
  return false;
}

// Everybody who has a slot waits for one, and nobody is on his way.
bool Runner::is_deadlock() const {
  if (somebody_woken()) return false;
  return std::ranges::none_of(w_.maps_, [&](const HeldMap& h) {
    return h.live && h.high && h.kind == Kind::persistent && !w_.waits_for_slot(h.task);
  });
}

// --- the way back -----------------------------------------------------------------------------

Fault Runner::kunmap_fault() const {
  if (m_.profile().kunmap_may_sleep) return sleep_fault();
  return in_interrupt(m_) ? Fault::in_interrupt : Fault::none;
}

Answer Runner::operator()(const Kunmap& op) {
  const HeldMap* h = live(op.map, Kind::persistent);
  if (h == nullptr) return skipped();
  return unmap(h->pfn, op.map.value);
}

Answer Runner::operator()(const KunmapStale& op) {
  const HeldMap& h = w_.maps_[op.map.value];
  if (h.live || h.kind != Kind::persistent) return skipped();
  return unmap(h.pfn, w_.mapped_by(h.pfn));
}

Answer Runner::operator()(const KunmapPage& op) {
  const auto pfn = w_.frame(op.page, op.index);
  if (!pfn) return skipped();
  return unmap(*pfn, w_.mapped_by(*pfn));
}

// Somebody sleeps for a slot, and nobody who does was woken yet.
bool Runner::sleepers() const {
  return !somebody_woken() && std::ranges::any_of(w_.pending_, [](const auto& p) {
    return p && std::holds_alternative<Kmap>(*p);
  });
}

// Without an owner it is misuse, unless the page has a direct address anyway.
Answer Runner::unmap(Pfn pfn, std::optional<std::size_t> owner) {
  const bool high = is_high(pfn);
  if (owner && !check_content(w_.maps_[*owner])) return {};
  const Fault context = kunmap_fault();
  const bool stops = context == Fault::in_interrupt;
  std::optional<Model> expected = high && !stops ? model() : std::nullopt;
  const bool sleep = sleepers();
  ref::kmap::kunmap(m_, pfn);
  if (context != Fault::none || owner || !high) {
    if (!fault_is(context)) return {};
  } else if (!fault_is(Fault::kunmap_of_unmapped, {Fault::kunmap_of_zombie})) {
    return {};
  }
  if (expected) agree(expected->unmapped(m_, pfn));
  if (!owner || stops || w_.broken()) return answer_of_fault();
  return judge_unmapped(pfn, *owner, sleep);
}

// By its address, as whoever does not know how it was mapped: no context stops that.
Answer Runner::unpin(std::size_t owner) {
  const HeldMap h = w_.maps_[owner];
  if (!check_content(h)) return {};
  std::optional<Model> expected = model();
  const bool sleep = sleepers();
  const Balance before = balance();
  ref::kmap::kunmap_local(w_, m_, Address{h.address});
  if (!fault_is(Fault::none) || !is_balanced(before, 0)) return {};
  if (expected) agree(expected->unmapped(m_, h.pfn));
  return w_.broken() ? Answer{} : judge_unmapped(h.pfn, owner, sleep);
}

Answer Runner::judge_unmapped(Pfn pfn, std::size_t owner, bool sleepers) {
  w_.maps_[owner].live = false;
  if (!is_high(pfn)) return answer_of_fault();
  w_.slots_.released(pfn);
  if (w_.slots_.users(pfn) > 0 || !sleepers) return answer_of_fault();
  ++w_.reach_[ReachEvent::woke];
  if (!somebody_woken())
    w_.break_rule("KMAP-WAKES",
                  fmt::format("pfn {} was its slot's last: a waiting task is woken", pfn),
                  "all of them sleep on");
  return answer_of_fault();
}

// M-7: as long as nobody flushed, also of a page without users.
Answer Runner::operator()(const KmapHighGet& op) {
  const auto pfn = w_.frame(op.page, op.index);
  if (!pfn || !w_.vacant(op.out) || !is_high(*pfn) || !has_slots()) return skipped();
  const auto wanted = w_.slots_.address_of(*pfn);
  const auto got = ref::kmap::kmap_high_get(m_, *pfn);
  if (!fault_is(Fault::none)) return {};
  if (!got && !wanted) return {Says::refused};
  if (!got) {
    w_.break_rule("KMAP-LOOKUP", fmt::format("{:#x} of pfn {}", *wanted, *pfn), "no address");
    return {};
  }
  const auto address = static_cast<std::uint64_t>(*got);
  if (const auto bad = w_.slots_.granted(*pfn, address)) w_.break_rule(*bad);
  HeldMap made{.kind = Kind::persistent, .high = true, .pfn = *pfn, .address = address};
  return w_.broken() || !accept(made, op.out) ? Answer{} : Answer{Says::address, address};
}

Answer Runner::operator()(const FlushUnused&) {
  if (!has_slots()) return skipped();
  std::optional<Model> expected = model();
  ref::kmap::kmap_flush_unused(m_);
  if (!fault_is(Fault::none)) return {};
  if (expected) agree(expected->flushed(m_));
  ++w_.reach_[ReachEvent::flushed];
  for (const HeldMap& h : w_.maps_) {
    if (w_.broken()) return {};
    if (h.kind != Kind::persistent || !h.high) continue;
    if (h.live) {
      w_.check_translation(h);
      continue;
    }
    if (w_.slots_.users(h.pfn) == 0 && ref::kmap::page_address(m_, h.pfn))
      w_.break_rule("KMAP-FLUSHED", fmt::format("no address of pfn {}", h.pfn), "it has one");
    for (std::uint32_t c = 0; c < m_.config.cpus && !w_.slots_.page_at(h.address); ++c)
      if (const auto seen = ref::mmu::translate(m_, c, Address{h.address}))
        w_.break_rule("KMAP-FLUSHED", fmt::format("CPU {} reads nothing at {:#x}", c, h.address),
                      fmt::format("pfn {}", *seen));
  }
  return {};
}

}  // namespace props::kmap
