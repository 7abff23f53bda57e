// Runs an operation; those that look, that write page fields, and that change context and settings.
#include "props/buddy/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "ref/buddy/watermark.hpp"

namespace props::buddy {

using namespace ref::core;
using Kind = Answer::Kind;

Answer Runner::run(const Operation& op) {
  const bool elsewhere =
      std::holds_alternative<SelectCpu>(op) || std::holds_alternative<SelectTask>(op);
  if (w_.waiting_ > 0 && w_.suspended() && !elsewhere) return skipped();  // this CPU's task waits
  if (w_.judging_.reach && !w_.inside_) {
    const std::uint64_t owned = w_.oracle_.managed() - w_.oracle_.unowned();
    ++w_.reach_.fill[std::min<std::uint64_t>(10, owned * w_.tenths_per_page_ >> 32)];
  }
  return std::visit([&](const auto& which) { return (*this)(which); }, op);
}

Block* Runner::owner_of(Pfn pfn) {
  for (Block& b : w_.blocks_)
    if (b.live && pfn - b.pfn < b.pages) return &b;
  return nullptr;
}

bool Runner::address_of(Pfn pfn) const {
  const auto z = w_.oracle_.zone_of(pfn);
  return z && m_.config.zones[*z].kind != ZoneKind::highmem;
}

// --- faults -----------------------------------------------------------------------------------

Answer Runner::judge_fault(Fault fault, Effect effect) {
  const Log& log = m_.globals().log;
  const bool named = log.fault == fault && (fault == Fault::none || log.effect == effect);
  if (!named) {
    const auto text = [](Fault f, Effect e) {
      return f == Fault::none
                 ? std::string("no fault")
                 : fmt::format("{}, effect {}", fault_names[static_cast<std::size_t>(f)],
                               effect_names[static_cast<std::size_t>(e)]);
    };
    const bool sleeps =
        fault == Fault::sleeping_in_atomic || log.fault == Fault::sleeping_in_atomic;
    w_.break_rule(sleeps ? "PAGE-SLEEP" : "PAGE-MISUSE", text(fault, effect),
                  text(log.fault, log.effect));
    return {};
  }
  if (fault == Fault::none) return {};
  return {Kind::fault, 0, fault};
}

// --- contents and page fields -----------------------------------------------------------------

Answer Runner::operator()(const Touch& op) {
  Block* b = live(op.page);
  if (b == nullptr) return skipped();
  if (w_.check_content(*b)) stamp(*b);
  return {};
}

Answer Runner::operator()(const SetPagePrivate& op) {
  Block* b = live(op.page);
  if (b == nullptr || b->exact) return skipped();
  b->private_data = static_cast<std::uint32_t>(op.value.value);
  ref::buddy::set_page_private(m_, b->pfn, b->private_data);
  return {};
}

Answer Runner::operator()(const SetPageFlags& op) {
  Block* b = live(op.page);
  if (b == nullptr || b->exact) return skipped();
  b->flags = static_cast<std::uint16_t>(op.flags.value);
  ref::buddy::set_page_flags(m_, b->pfn, b->flags);
  return {};
}

Answer Runner::operator()(const SetPageMapcount& op) {
  Block* b = live(op.page);
  if (b == nullptr || b->exact) return skipped();
  b->mapcount = static_cast<std::uint32_t>(op.count.value);
  ref::buddy::set_page_mapcount(m_, b->pfn, b->mapcount);
  return {};
}

Answer Runner::operator()(const ScribblePageFlags& op) {
  const auto pfn = static_cast<Pfn>(op.pfn.value);
  if (!w_.oracle_.zone_of(pfn) || m_.config.is_reserved(pfn) || owner_of(pfn)) return skipped();
  if (w_.interleaved_) return skipped();  // a block may be between its lists and its owner
  ref::buddy::set_page_flags(m_, pfn, static_cast<std::uint16_t>(op.flags.value));
  return {};
}

// --- context and settings ---------------------------------------------------------------------

Answer Runner::operator()(const FailPageAlloc& op) {
  if (w_.model_) w_.model_->plan_failure(static_cast<std::uint32_t>(op.nth.value));
  return run_in_context(m_, op);
}

Answer Runner::operator()(const DrainAllPages&) {
  const std::uint64_t before = free_pages();
  ref::buddy::drain_all_pages(w_, m_);
  w_.touched_.all();
  w_.reach_[ReachEvent::drained] += free_pages() - before;
  if (w_.model_ && !w_.interleaved_) w_.model_->drain_all();
  return expect_fault(Fault::none, Effect::none);
}

Answer Runner::operator()(const DrainLocalPages&) {
  const std::uint64_t before = free_pages();
  ref::buddy::drain_local_pages(m_);
  w_.touched_.all();
  w_.reach_[ReachEvent::drained] += free_pages() - before;
  if (w_.model_ && !w_.interleaved_) w_.model_->drain_cpu(m_.globals().cpu);
  return expect_fault(Fault::none, Effect::none);
}

Answer Runner::operator()(const SetMinFreeKbytes& op) {
  const auto kbytes = static_cast<std::uint32_t>(op.kbytes.value);
  ref::buddy::set_min_free_kbytes(m_, kbytes);
  w_.oracle_.set_min_free_kbytes(kbytes);
  if (w_.model_) w_.model_->set_min_free_kbytes(kbytes);
  w_.check_marks();
  return {};
}

Answer Runner::operator()(const SetLowmemReserveRatio& op) {
  if (op.zone.kind == ZoneKind::highmem) return skipped();
  const auto ratio = static_cast<std::uint32_t>(op.ratio.value);
  ref::buddy::set_lowmem_reserve_ratio(m_, op.zone.kind, ratio);
  w_.oracle_.set_lowmem_reserve_ratio(op.zone.kind, ratio);
  if (w_.model_) w_.model_->set_lowmem_reserve_ratio(op.zone.kind, ratio);
  w_.check_marks();
  return {};
}

Answer Runner::operator()(const SetReclaimActive& op) {
  if (op.zone.node >= m_.config.nodes) return skipped();
  const std::uint8_t z = m_.buddy.zone_of[op.zone.node][static_cast<std::size_t>(op.zone.kind)];
  if (z == ref::buddy::no_zone) return skipped();
  ref::buddy::set_reclaim_active(m_, z, op.on.value == 1);
  if (w_.model_) w_.model_->set_reclaim_active(z, op.on.value == 1);
  return {};
}

// --- the files --------------------------------------------------------------------------------

// The free pages that buddyinfo shows, zone by zone, are pages that nobody owns.
Answer Runner::operator()(const ReadBuddyinfo&) {
  std::istringstream text(ref::buddy::buddyinfo(m_));
  std::uint64_t all = 0;
  const std::uint64_t unowned = w_.oracle_.unowned();
  for (std::string line; std::getline(text, line);) {
    std::istringstream in(line.substr(std::min<std::size_t>(line.size(), 22)));
    std::uint64_t count = 0;
    for (unsigned order = 0; in >> count; ++order) all += count << order;
  }
  if (all > unowned)
    w_.break_rule("PAGE-CONSERVED",
                  fmt::format("at most {} free pages: the others are owned", unowned),
                  fmt::format("{} in buddyinfo", all));
  return {Kind::count, all};
}

Answer Runner::operator()(const ReadZoneinfo&) {
  const std::string text = ref::buddy::zoneinfo(m_);
  for (std::uint32_t z = 0; z < m_.config.zone_count; ++z) {
    const std::string low = fmt::format("\n        low      {}\n", w_.oracle_.low_mark(z));
    const std::string managed = fmt::format("\n        managed  {}\n", m_.config.managed(z));
    const std::string start =
        fmt::format("\n  start_pfn:           {}\n", m_.config.zones[z].first);
    for (const std::string& line : {low, managed, start})
      if (text.find(line) == text.npos) {
        w_.break_rule("ZONEINFO-TEXT", "the line '" + line.substr(1, line.size() - 2) + "'", text);
        return {};
      }
  }
  w_.check_marks();
  return {};
}

}  // namespace props::buddy
