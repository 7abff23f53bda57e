// Runs an operation; those on pages, contexts, and questions.
#include "props/kmap/runner.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace props::kmap {

using namespace ref::core;
using Says = Answer::Kind;

Answer Runner::run(const Operation& op) {
  const bool elsewhere =
      std::holds_alternative<SelectCpu>(op) || std::holds_alternative<SelectTask>(op);
  if (w_.suspended() && !elsewhere) return skipped();  // this CPU's task waits
  return std::visit([&](const auto& which) { return (*this)(which); }, op);
}

// --- faults -----------------------------------------------------------------------------------

bool Runner::fault_is(Fault must, Faults may) {
  if (w_.broken()) return false;
  const Log& log = m_.globals().log;
  ++w_.reach_.faults[static_cast<std::size_t>(log.fault)];
  if (log.fault == must || std::ranges::find(may, log.fault) != may.end()) return true;
  const auto name = [](Fault f) {
    return std::string(f == Fault::none ? "no fault" : fault_names[static_cast<std::size_t>(f)]);
  };
  w_.break_rule("KMAP-FAULT", name(must), name(log.fault));
  return false;
}

Answer Runner::answer_of_fault(Answer otherwise) const {
  const Fault fault = m_.globals().log.fault;
  return fault == Fault::none ? otherwise : Answer{Says::fault, 0, fault};
}

Fault Runner::sleep_fault() const {
  return in_atomic(m_) ? Fault::sleeping_in_atomic : Fault::none;
}

// --- contents ---------------------------------------------------------------------------------

bool Runner::accept(HeldMap made, MapRegister out) {
  made.live = true;
  made.cpu = static_cast<std::uint8_t>(cpu());
  made.task = static_cast<std::uint8_t>(task());
  made.inside = made.temporary() && interrupts();
  made.serial = ++w_.serial_;
  w_.maps_[out.value] = made;
  count_context();
  if (!w_.check_translation(made)) return false;
  if (w_.judging_.stamps == Stamps::none) return true;
  return w_.stamp_.contains(made.pfn) ? check_content(made) : write(made);
}

bool Runner::check_content(const HeldMap& h) {
  const auto known = w_.stamp_.find(h.pfn);
  if (w_.broken() || h.lost || known == w_.stamp_.end()) return !w_.broken();
  const Seen seen = read_through(m_, h.address, known->second, w_.judging_.stamps);
  if (seen.good()) return true;
  if (seen.fault)
    w_.break_rule("KMAP-CONTENT", fmt::format("pfn {} is read at {:#x}", h.pfn, h.address),
                  fmt::format("a page fault at {:#x}", *seen.fault));
  else
    w_.break_rule("KMAP-CONTENT",
                  fmt::format("{:#x} at {} of pfn {}, read at {:#x}", seen.broken->expected,
                              seen.broken->where, h.pfn, h.address),
                  fmt::format("{:#x}", seen.broken->actual));
  return false;
}

bool Runner::write(const HeldMap& h) {
  const std::uint32_t stamp = w_.stamp_[h.pfn] = ++w_.stamps_;
  if (write_through(m_, h.address, stamp, w_.judging_.stamps).good()) return true;
  w_.break_rule("KMAP-CONTENT", fmt::format("pfn {} is written at {:#x}", h.pfn, h.address),
                "a page fault");
  return false;
}

Answer Runner::operator()(const TouchMap& op) {
  const HeldMap& h = w_.maps_[op.map.value];
  if (!h.live || h.lost || !w_.usable(h) || w_.judging_.stamps == Stamps::none) return skipped();
  const auto through_all = [&] {
    for (const HeldMap& other : w_.maps_)
      if (other.live && other.pfn == h.pfn && w_.usable(other))
        if (!w_.check_translation(other) || !check_content(other)) return false;
    return true;
  };
  if (through_all() && write(h)) through_all();
  return {};
}

// Nobody need have the address mapped: hardware looks where it likes.
Answer Runner::operator()(const Prefetch& op) {
  const HeldMap& h = w_.maps_[op.map.value];
  if (h.kind == HeldMap::Kind::none || !h.high) return skipped();
  ref::mmu::prefetch(m_, cpu(), Address{h.address});
  return {};
}

// --- questions --------------------------------------------------------------------------------

Answer Runner::operator()(const PageAddress& op) {
  const auto pfn = w_.frame(op.page, op.index);
  if (!pfn) return skipped();
  const auto got = ref::kmap::page_address(m_, *pfn);
  const std::uint64_t address = got ? static_cast<std::uint64_t>(*got) : 0;
  const auto expected =
      is_high(*pfn) ? w_.slots_.address_of(*pfn) : std::optional<std::uint64_t>(direct(*pfn));
  if (expected && address != *expected)
    w_.break_rule("KMAP-LOOKUP", fmt::format("{:#x} of pfn {}", *expected, *pfn),
                  fmt::format("{:#x}", address));
  // Without users it may still have the address that it had, as long as no other page has it.
  if (!expected && got && w_.slots_.page_at(address))
    w_.break_rule(
        "KMAP-LOOKUP", fmt::format("no address of pfn {}, or one that nobody uses", *pfn),
        fmt::format("{:#x}, where pfn {} is mapped", address, *w_.slots_.page_at(address)));
  return {Says::address, address};
}

Answer Runner::operator()(const KmapToPage& op) {
  const HeldMap& h = w_.maps_[op.map.value];
  if (!h.live || h.lost || !w_.usable(h)) return skipped();
  const auto pfn = ref::kmap::kmap_to_page(m_, Address{h.address});
  if (pfn == h.pfn) return {Says::pfn, *pfn};
  w_.break_rule("KMAP-LOOKUP", fmt::format("pfn {} at {:#x}", h.pfn, h.address),
                pfn ? fmt::format("pfn {}", *pfn) : std::string("no page"));
  return {};
}

Answer Runner::operator()(const SlotToPage& op) {
  if (!w_.up()) return skipped();
  const Slots::Window& window = w_.slots_.window();
  const std::uint64_t address = window.begin + op.slot.value * m_.config.page_bytes;
  // Behind the gap begin the temporary maps, whose owners ask for them by register.
  const bool just_behind = op.slot.value == window.slots();
  if (op.slot.value > window.slots()) return skipped();
  const auto pfn = ref::kmap::kmap_to_page(m_, Address{address});
  const auto owner = w_.slots_.page_at(address);
  const bool wrong = just_behind ? pfn.has_value() : owner && pfn != owner;
  if (wrong || (just_behind && ref::kmap::is_kmap_addr(m_, Address{address})))
    w_.break_rule("KMAP-LOOKUP",
                  owner ? fmt::format("pfn {} at {:#x}", *owner, address)
                        : fmt::format("no page at {:#x}, behind the last slot", address),
                  pfn ? fmt::format("pfn {}", *pfn) : std::string("another answer"));
  return pfn ? Answer{Says::pfn, *pfn} : Answer{Says::refused};
}

// --- pages ------------------------------------------------------------------------------------

// Only to have something to map: how pages are handed out is the page allocator's row's business.
Answer Runner::operator()(const AllocPages& op) {
  if (!w_.vacant(op.out)) return skipped();
  const auto order = static_cast<unsigned>(op.order.value);
  const auto got = ref::buddy::alloc_pages(w_, m_, op.gfp.value, order);
  if (w_.broken()) return {};
  w_.reach_[ReachEvent::injected] += m_.globals().injected;
  if (!got && got.error() == ref::buddy::Refused::suspended) {
    m_.arena.edit(m_.core.task, task()).wait = {};
    w_.pending_[task()] = op;
    return {Says::suspended};
  }
  if (!got) return answer_of_fault({Says::refused});
  const bool compound = order > 0 && (op.gfp.value & GFP_BIT_COMP);
  w_.pages_[op.out.value] = {true, compound, static_cast<std::uint8_t>(order), *got};
  return answer_of_fault({Says::pfn, *got});
}

Answer Runner::operator()(const FreePages& op) {
  HeldPages& p = w_.pages_[op.page.value];
  if (!p.live || w_.pinned(p)) return skipped();
  p.live = false;
  w_.forget_contents(p.pfn, Pfn{1} << p.order);
  for (const HeldMap& h : w_.maps_) {
    if (h.kind != HeldMap::Kind::persistent || !h.high) continue;
    if ((h.pfn - p.pfn) >> p.order != 0) continue;
    w_.reach_[ReachEvent::freed_unflushed] += ref::kmap::page_address(m_, h.pfn).has_value();
  }
  ref::buddy::free_pages_(w_, m_, p.pfn, p.order);
  return answer_of_fault();
}

// --- context ----------------------------------------------------------------------------------

Answer Runner::operator()(const SelectCpu& op) {
  if (op.id.value >= m_.config.cpus) return skipped();
  select_cpu(m_, static_cast<std::uint32_t>(op.id.value));
  return {};
}

// The maps of the task that goes leave the CPU, those of the one that comes are there again. A call
// that had to wait goes on.
Answer Runner::operator()(const SelectTask& op) {
  const auto id = static_cast<std::uint32_t>(op.id.value);
  if (id >= m_.core.task.count) return skipped();
  const std::uint32_t before = task();
  if (!ref::kmap::switch_task(m_, id)) {
    w_.reach_[ReachEvent::pinned] += !in_atomic(m_);
    return skipped();
  }
  for (const HeldMap& h : w_.maps_)
    if (h.live && h.high && h.kind == HeldMap::Kind::local && h.task == id) {
      w_.reach_[ReachEvent::kept] += before != id;
      if (h.cpu == cpu()) {
        if (!w_.check_translation(h)) return {};
      } else if (!h.lost) {
        w_.break_rule("ATOMIC-KEPT",
                      fmt::format("task {} on CPU {}, where its maps are", id, h.cpu),
                      fmt::format("on CPU {}", cpu()));
        return {};
      }
    }
  for (const Stacked& old : w_.stack_[before]) {
    const bool taken = std::ranges::any_of(
        w_.stack_[id], [&](const Stacked& s) { return s.address == old.address; });
    if (before != id && !taken && !is_gone(old.address)) return {};
  }
  std::optional<Operation>& pending = w_.pending_[id];
  if (!pending || w_.inside_) return {};
  const Operation again = *pending;
  if (const Kmap* kmap = std::get_if<Kmap>(&again)) return resume(*kmap);
  pending.reset();
  const Answer answer = std::visit([&](const auto& which) { return (*this)(which); }, again);
  return answer.kind == Says::skipped ? Answer{} : answer;
}

template <ContextMove move, std::uint8_t code>
Answer Runner::operator()(const MoveContext<move, code>&) {
  return move_context(m_, move) ? Answer{} : skipped();
}

Answer Runner::operator()(const SetTaskFlags& op) {
  set_task_flags(m_, op.flags.value);
  return {};
}

Answer Runner::operator()(const FailPageAlloc& op) {
  plan_failure(m_, static_cast<std::uint32_t>(op.nth.value));
  return {};
}

void Runner::count_context() {
  const Cpu& c = m_.cpu();
  auto& to = w_.reach_.contexts;
  to[0] += in_task(m_);
  to[1] += c.preempt_count > 0;
  to[2] += c.irqs_off > 0;
  to[3] += c.bh_off > 0;
  to[4] += c.softirq_count > 0;
  to[5] += c.hardirq_count > 0;
}

}  // namespace props::kmap
