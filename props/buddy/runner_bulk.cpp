// The bulk request, and suspended calls that are tried again.
#include <fmt/format.h>

#include <algorithm>

#include "props/buddy/runner.hpp"

namespace props::buddy {

using namespace ref::core;  // the gfp bits
using Kind = Answer::Kind;

namespace {

std::size_t leading_filled(const std::vector<std::optional<Pfn>>& slots) {
  const auto hole = std::ranges::find_if(slots, [](const auto& slot) { return !slot; });
  return static_cast<std::size_t>(hole - slots.begin());
}

}  // namespace

// The registers as an array, or nothing when one of them is spoken for.
std::optional<Runner::Slots> Runner::slots_of(const AllocPagesBulk& op) const {
  const std::size_t first = op.first.value, count = op.count.value;
  if (first + count > PageRegister::count) return std::nullopt;
  Slots slots(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Block& b = w_.blocks_[first + i];
    if (b.live) slots[i] = b.pfn;
    else if (!vacant(first + i)) return std::nullopt;
  }
  return slots;
}

Answer Runner::operator()(const AllocPagesBulk& op) {
  const std::optional<Slots> before = slots_of(op);
  if (!before) return skipped();
  Slots slots = *before;
  const Gfp gfp = op.gfp.value;
  const auto empty = static_cast<std::size_t>(std::ranges::count(slots, std::optional<Pfn>{}));
  const bool modelled = w_.model_ && !w_.inside_ && !w_.model_stale_;
  std::vector<Prediction> predicted;
  if (modelled)
    predicted =
        w_.model_->alloc_pages_bulk(caller_of(m_), gfp, empty, slots.size(), leading_filled(slots));
  if (!w_.inside_) {
    w_.busy_first_ = op.first.value;
    w_.busy_count_ = static_cast<std::uint8_t>(slots.size());
  }
  const bool scribbled = m_.arena.at(m_.buddy.sysctl, 0).scribbled > 0;
  const std::size_t filled = ref::buddy::alloc_pages_bulk(w_, m_, gfp, slots);
  if (!w_.inside_) w_.busy_count_ = 0;
  if (w_.broken()) return {};
  const Answer answer = judge_bulk(op, *before, slots, filled, scribbled);
  const bool follows = modelled && !w_.interleaved_ && m_.globals().log.leaks == 0;
  if (follows && !w_.broken()) judge_bulk_model(*before, slots, predicted);
  return answer;
}

Answer Runner::judge_bulk(const AllocPagesBulk& op, const Slots& before, const Slots& slots,
                          std::size_t filled, bool scribbled) {
  const Log log = m_.globals().log;
  const Gfp gfp = op.gfp.value;
  if (log.leaks != 0) tell_losses(log);
  const bool wanted = leading_filled(before) < before.size();
  const Fault fault = wanted ? expected_fault({.gfp = gfp}) : Fault::none;
  if (log.fault != fault && !(scribbled && log.fault == Fault::bad_page))
    return judge_fault(fault, Effect::none);
  count_fault(log.fault, log.effect);

  std::size_t taken = 0;
  for (std::size_t i = 0; i < slots.size() && !w_.broken(); ++i) {
    if (before[i] == slots[i]) continue;
    if (before[i] || m_.globals().injected) {
      w_.break_rule("PAGE-BULK", "only empty slots filled, and none when made to fail",
                    fmt::format("slot {} changed", i));
      return {};
    }
    ++taken;
    judge_granted({.out = static_cast<std::uint8_t>(op.first.value + i), .gfp = gfp},
                  ask_of(gfp, 0), *slots[i]);
    ++w_.reach_.granted[0];
  }
  if (w_.broken()) return {};
  w_.reach_.count_gfp(m_.config.era, gfp, taken > 0);
  const std::size_t least = leading_filled(before) + (taken > 0 ? 1 : 0);
  const std::size_t most = leading_filled(slots);
  if (filled < least || filled > most) {
    w_.break_rule("PAGE-BULK",
                  fmt::format("{} to {}: as many leading slots are filled", least, most),
                  fmt::format("{}", filled));
    return {};
  }
  if (w_.suspended()) {
    const auto out = static_cast<std::uint8_t>(op.first.value + most);
    return judge_suspended({.out = out, .gfp = gfp}, ask_of(gfp, 0));
  }
  if (wanted && taken == 0 && fault == Fault::none && !m_.globals().injected)
    probe({.gfp = gfp}, ask_of(gfp, 0));
  return fault == Fault::none ? Answer{Kind::count, filled} : Answer{Kind::fault, 0, fault};
}

void Runner::judge_bulk_model(const Slots& before, const Slots& slots,
                              const std::vector<Prediction>& predicted) {
  std::size_t taken = 0;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (before[i] == slots[i]) continue;
    if (taken >= predicted.size() || predicted[taken].pfn != *slots[i]) {
      return w_.break_rule(
          "BUDDY-EXACT",
          taken < predicted.size() ? fmt::format("pfn {}", predicted[taken].pfn) : "no more pages",
          fmt::format("pfn {}", *slots[i]));
    }
    ++taken;
  }
  if (taken < predicted.size() && predicted[taken].outcome == Outcome::granted)
    w_.break_rule("BUDDY-EXACT", fmt::format("pfn {} as well", predicted[taken].pfn),
                  "no more pages");
}

Answer Runner::operator()(const SelectTask& op) {
  if (!select_task(m_, op)) return skipped();
  if (!w_.suspended() || w_.inside_) return {};
  World::Pending& pending = w_.pending_[op.id.value];
  REQUIRE(pending.waits);
  const World::Pending was = pending;
  pending = {};
  --w_.waiting_;
  ++w_.reach_[ReachEvent::resumed];
  return allocate({.out = was.out,
                   .order = was.order,
                   .gfp = was.gfp,
                   .by = was.by,
                   .bytes = was.bytes,
                   .retried = true});
}

}  // namespace props::buddy
