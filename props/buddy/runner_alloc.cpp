// The allocating operations, and the judgement of their answers.
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "props/buddy/runner.hpp"
#include "props/core/probe.hpp"

namespace props::buddy {

using namespace ref::core;  // the gfp bits
using ref::buddy::Refused;
using Kind = Answer::Kind;

namespace {

bool may_block(Gfp gfp) { return gfp & GFP_BIT_DIRECT_RECLAIM; }

}  // namespace

Ask Runner::ask_of(Gfp gfp, unsigned order) const {
  const ZoneKind highest = gfp & GFP_BIT_DMA       ? ZoneKind::dma
                           : gfp & GFP_BIT_HIGHMEM ? ZoneKind::highmem
                                                   : ZoneKind::normal;
  const std::uint32_t node = m_.config.nodes == 1 ? 0 : m_.globals().cpu % m_.config.nodes;
  return {order, highest, node, (gfp & GFP_BIT_THISNODE) != 0};
}

bool Runner::vacant(std::size_t reg) const {
  if (w_.blocks_[reg].live) return false;
  if (reg - w_.busy_first_ < w_.busy_count_) return false;
  if (w_.waiting_ == 0) return true;
  return std::ranges::none_of(w_.pending_, [&](const auto& p) { return p.waits && p.out == reg; });
}

bool Runner::vacant(std::size_t first, std::size_t count) const {
  for (std::size_t i = 0; i < count; ++i)
    if (first + i >= PageRegister::count || !vacant(first + i)) return false;
  return true;
}

void Runner::set_live(Block& b, bool live) {
  b.live = live;
  const std::uint64_t bit = std::uint64_t{1} << (&b - w_.blocks_.data());
  w_.live_ = live ? w_.live_ | bit : w_.live_ & ~bit;
}

Block& Runner::fill(std::uint8_t reg, std::uint32_t zone, Pfn pfn, unsigned order, Gfp gfp) {
  Block& b = w_.blocks_[reg];
  b = {};
  set_live(b, true);
  b.order = static_cast<std::uint8_t>(order);
  b.pfn = pfn;
  b.pages = 1u << order;
  b.zone = static_cast<std::uint8_t>(zone);
  b.ram = std::uint64_t{ref::buddy::page_index(ref::buddy::zone_at(m_, b.zone), pfn)} *
          m_.config.page_bytes;
  b.references = 1;
  b.compound = order > 0 && (gfp & GFP_BIT_COMP);
  return b;
}

void Runner::stamp(Block& b) {
  if (w_.judging_.stamps == Stamps::none) return;
  b.stamp = ++w_.stamps_;
  write_stamp(m_, b.ram, std::uint64_t{b.pages} * m_.config.page_bytes, b.stamp,
              w_.judging_.stamps);
}

// --- the operations ---------------------------------------------------------------------------

Answer Runner::operator()(const AllocPages& op) {
  return allocate(
      {.out = op.out.value, .order = static_cast<unsigned>(op.order.value), .gfp = op.gfp.value});
}

Answer Runner::operator()(const AllocPage& op) {
  return allocate({.out = op.out.value, .gfp = op.gfp.value});
}

Answer Runner::operator()(const GetFreePages& op) {
  return allocate({.out = op.out.value,
                   .order = static_cast<unsigned>(op.order.value),
                   .gfp = op.gfp.value,
                   .by = By::address});
}

Answer Runner::operator()(const GetFreePage& op) {
  return allocate({.out = op.out.value, .gfp = op.gfp.value, .by = By::address});
}

Answer Runner::operator()(const GetZeroedPage& op) {
  const Gfp gfp = op.gfp.value | GFP_BIT_ZERO;
  if (!m_.profile().get_free_pages_strips_highmem && (gfp & GFP_BIT_HIGHMEM)) {
    // This call of that era refuses highmem at once (B-26).
    if (!vacant(op.out.value)) return skipped();
    (void)ref::buddy::get_zeroed_page(w_, m_, op.gfp.value);
    return expect_fault(Fault::highmem_address, Effect::none);
  }
  return allocate({.out = op.out.value, .gfp = gfp, .by = By::address});
}

Answer Runner::operator()(const GetDmaPages& op) {
  return allocate({.out = op.out.value,
                   .order = static_cast<unsigned>(op.order.value),
                   .gfp = op.gfp.value | GFP_BIT_DMA,
                   .by = By::address});
}

Answer Runner::operator()(const AllocPagesExact& op) {
  const std::uint64_t last = (op.bytes.value - 1) / m_.config.page_bytes;
  const unsigned order = op.bytes.value == 0 ? 64 : static_cast<unsigned>(std::bit_width(last));
  const Gfp gfp = op.gfp.value & ~Gfp{GFP_BIT_COMP | GFP_BIT_HIGHMEM};
  return allocate(
      {.out = op.out.value, .order = order, .gfp = gfp, .by = By::exact, .bytes = op.bytes.value});
}

Runner::Got Runner::call(const Want& want) {
  const auto frame = [&](const ref::buddy::Answer<ref::buddy::Address>& got) -> Got {
    if (!got) return std::unexpected(got.error());
    // An address outside the direct map names no frame; the oracle will say so.
    return static_cast<Pfn>((static_cast<std::uint64_t>(*got) - page_offset) /
                            m_.config.page_bytes);
  };
  if (want.retried) return ref::buddy::resume(w_, m_);
  switch (want.by) {
    case By::page: return ref::buddy::alloc_pages(w_, m_, want.gfp, want.order);
    case By::address: return frame(ref::buddy::get_free_pages_(w_, m_, want.gfp, want.order));
    case By::exact: return frame(ref::buddy::alloc_pages_exact(w_, m_, want.bytes, want.gfp));
  }
  UNREACHABLE("a way to allocate outside the list");
}

Prediction Runner::predict(const Want& want) {
  const Caller caller = caller_of(m_);
  if (want.by == By::exact)
    return want.retried ? w_.model_->resume_exact(caller, want.gfp, want.bytes)
                        : w_.model_->alloc_exact(caller, want.gfp, want.bytes);
  return want.retried ? w_.model_->resume(caller, want.gfp, want.order)
                      : w_.model_->alloc_pages(caller, want.gfp, want.order);
}

Answer Runner::allocate(Want&& want) {
  if (!vacant(want.out)) return skipped();
  if (want.by != By::page && m_.profile().get_free_pages_strips_highmem)
    want.gfp &= ~Gfp{GFP_BIT_HIGHMEM};
  std::optional<Prediction> predicted;
  if (w_.model_ && !w_.inside_ && !w_.model_stale_) predicted = predict(want);
  const bool scribbled = m_.arena.at(m_.buddy.sysctl, 0).scribbled > 0;
  if (!w_.inside_) w_.busy_first_ = want.out, w_.busy_count_ = 1;
  const Before before = w_.judging_.reach ? before_alloc(want) : Before{};
  const Got got = call(want);
  if (!w_.inside_) w_.busy_count_ = 0;
  if (w_.broken()) return {};
  if (w_.judging_.reach) count_alloc(want, got, before);
  return judge(want, got, predicted, scribbled);
}

// --- judging ----------------------------------------------------------------------------------

// What is wrong with the call itself, by the flags and the context alone.
Runner::Fault Runner::expected_fault(const Want& want) const {
  if (want.order >= m_.config.orders || want.retried) return Fault::none;
  const Gfp zones = want.gfp & (GFP_BIT_DMA | GFP_BIT_HIGHMEM | GFP_BIT_DMA32);
  if ((zones & (zones - 1)) != 0) return Fault::bad_zone_modifiers;
  if (m_.profile().zero_highmem_needs_wait && (want.gfp & GFP_BIT_ZERO) &&
      (want.gfp & GFP_BIT_HIGHMEM) && !may_block(want.gfp))
    return Fault::zero_highmem_atomic;
  return may_block(want.gfp) && in_atomic(m_) ? Fault::sleeping_in_atomic : Fault::none;
}

// What a fault lost. The log names the first four runs; where there are more, the records are
// asked, or a later probe would expect those pages back.
void Runner::tell_losses(const Log& log) {
  w_.model_stale_ = true;
  if (log.leaks <= log.leak.size()) {
    for (std::uint32_t i = 0; i < log.leaks; ++i)
      w_.oracle_.lost(log.leak[i].first, log.leak[i].pages);
    return;
  }
  for (std::uint32_t z = 0; z < m_.config.zone_count; ++z) {
    const ref::buddy::Zone& zone = ref::buddy::zone_at(m_, z);
    for (Pfn i = 0; i < zone.pages; ++i)
      if (ref::buddy::page_at(m_, zone.map + i).kind == ref::buddy::PageKind::leaked)
        w_.oracle_.lost(zone.first + i, 1);
  }
}

// What any client may demand comes first; what the naive model says of policy comes last.
Answer Runner::judge(const Want& want, const Got& got, const std::optional<Prediction>& predicted,
                     bool scribbled) {
  const Answer answer = judge_answer(want, got, scribbled);
  if (!predicted) return answer;
  const bool follows = !w_.interleaved_ && m_.globals().log.leaks == 0;
  if (follows && !w_.broken()) judge_model(want, got, *predicted);
  return answer;
}

Answer Runner::judge_answer(const Want& want, const Got& got, bool scribbled) {
  const Log& log = m_.globals().log;
  const Ask ask = ask_of(want.gfp, want.order);
  if (log.leaks != 0) tell_losses(log);
  const Fault fault = expected_fault(want);
  const bool scribbled_on =
      scribbled && log.fault == Fault::bad_page;  // found on the way, whoever asked (B-38)
  const bool by_address_only = want.by != By::page && log.fault == Fault::highmem_address;
  if (log.fault != fault && !scribbled_on && !(fault == Fault::none && by_address_only))
    return judge_fault(fault, Effect::none);
  count_fault(log.fault, log.effect);
  if (!got && got.error() == Refused::misuse) return judge_misuse(want, scribbled_on);

  if (m_.globals().injected) {
    ++w_.reach_[ReachEvent::injected];
    if (got || got.error() == Refused::suspended) {
      w_.break_rule("PAGE-FORBIDDEN", "a refusal: this request was made to fail",
                    got ? fmt::format("granted pfn {}", *got) : "suspended");
    }
    return {Kind::refused};
  }
  Answer answer{Kind::refused};
  if (got) answer = judge_granted(want, ask, *got);
  else if (got.error() == Refused::suspended) answer = judge_suspended(want, ask);
  else answer = judge_refused(want, ask);
  // A caller that must not sleep is told so, and served all the same (B-23).
  if (fault != Fault::none && !w_.broken()) return {Kind::fault, 0, fault};
  return answer;
}

Answer Runner::judge_misuse(const Want& want, bool scribbled_on) {
  const Log& log = m_.globals().log;
  const bool highmem = want.by != By::page && (want.gfp & GFP_BIT_HIGHMEM);
  // B-26: the page was taken, and lost with the address that it does not have. That the page was
  // bad as well may have been seen before.
  if (highmem && log.leaks > 0 && (scribbled_on || log.fault == Fault::highmem_address))
    return {Kind::fault, 0, Fault::highmem_address};
  return judge_fault(expected_fault(want), Effect::none);
}

Answer Runner::judge_granted(const Want& want, const Ask& ask, Pfn pfn) {
  const std::uint32_t zone = w_.oracle_.take(pfn, want.order, ask);
  if (zone == PageOracle::nowhere) [[unlikely]] {
    if (w_.oracle_.must_refuse(ask))
      w_.break_rule("PAGE-FORBIDDEN", "a refusal: no zone of the machine may serve this",
                    fmt::format("granted pfn {}", pfn));
    else w_.break_rule(w_.oracle_.misplaced(pfn, want.order, ask));
    return {};
  }
  touch(pfn);
  Block& b = fill(want.out, zone, pfn, want.order, want.by == By::exact ? 0 : want.gfp);
  if (want.by == By::exact) {
    b.exact = true;
    b.bytes = want.bytes;
    b.order = 0;
    b.pages =
        static_cast<std::uint32_t>((want.bytes + m_.config.page_bytes - 1) / m_.config.page_bytes);
    for (Pfn i = b.pages; i < (Pfn{1} << want.order); ++i) unowned(pfn + i, 0);
  }
  if (!plainly_fresh(want, ref::buddy::page_index(ref::buddy::zone_at(m_, zone), pfn), b.pages))
    judge_fresh(want, pfn);
  if (!w_.broken()) stamp(b);
  return {Kind::pfn, pfn};
}

// What judge_fresh looks for in the usual request, without its words for what is wrong.
// `first` is the index of its first page, which the block's address would tell by a division.
bool Runner::plainly_fresh(const Want& want, Index first, std::uint32_t pages) const {
  if (want.by != By::page || (want.gfp & GFP_BIT_ZERO)) return false;
  const ref::buddy::Page& head = ref::buddy::page_at(m_, first);
  if (head.kind == ref::buddy::PageKind::inner || head.refcount != 1) return false;
  std::uint32_t any = head.private_data;
  if (pages > 1)
    for (Pfn i = std::max<Pfn>(1, pages / 4), step = i; i < pages; i += step)
      any |= ref::buddy::page_at(m_, first + i).private_data;
  return any == 0;
}

// A block just handed out: one reference, nothing of its former owner's, zeros where asked.
void Runner::judge_fresh(const Want& want, Pfn pfn) {
  const Block& b = w_.blocks_[want.out];
  const ref::buddy::Zone& zone = ref::buddy::zone_at(m_, b.zone);
  const auto page = [&](Pfn frame) -> const ref::buddy::Page& {
    return ref::buddy::page_at(m_, ref::buddy::page_index(zone, frame));
  };
  const bool inside = page(pfn).kind == ref::buddy::PageKind::inner;
  const std::uint32_t count = inside ? ref::buddy::page_count(m_, pfn) : page(pfn).refcount;
  if (count != 1)
    return w_.break_rule("PAGE-COUNT", fmt::format("1 reference of pfn {}", pfn),
                         fmt::format("{}", count));
  for (Pfn i = 0; i < b.pages; i += std::max<Pfn>(1, b.pages / 4))
    if (const std::uint32_t value = page(pfn + i).private_data; value != 0)
      return w_.break_rule("PAGE-FRESH", fmt::format("private 0 of pfn {}", pfn + i),
                           fmt::format("{}", value));
  if (want.by != By::page && !address_of(pfn))
    return w_.break_rule("PAGE-ADDRESS", "a page with a kernel address",
                         fmt::format("pfn {}", pfn));
  if (!(want.gfp & GFP_BIT_ZERO)) return;
  const std::uint64_t bytes = std::uint64_t{b.pages} * m_.config.page_bytes;
  // Every byte, and not by what the allocator itself trusts. Not by memcmp either: libFuzzer hears
  // of each call of it, which costs more than to compare, and tells nothing about the subject.
  const auto all_zero = [](std::span<const std::byte> all) {
    std::byte any{0};
    for (const std::byte one : all) any |= one;
    return any == std::byte{0};
  };
  if (!all_zero(ref::buddy::read_pages(m_, pfn, 0, bytes)))
    return w_.break_rule("PAGE-ZEROED", fmt::format("{} bytes of zeros from pfn {} on", bytes, pfn),
                         "something else");
}

Answer Runner::judge_refused(const Want& want, const Ask& ask) {
  const bool nofail = (want.gfp & GFP_BIT_NOFAIL) && may_block(want.gfp) && !in_atomic(m_);
  const bool old = m_.profile().slow_path == SlowPath::classic;
  if (nofail && !old && !w_.oracle_.must_refuse(ask))
    w_.break_rule("PAGE-NOFAIL", "memory, or waiting: the caller cannot cope with a refusal",
                  "refused");
  else probe(want, ask);
  return {Kind::refused};
}

Answer Runner::judge_suspended(const Want& want, const Ask& ask) {
  ++w_.reach_[ReachEvent::suspended];
  const bool endless = want.gfp & (GFP_BIT_NOFAIL | GFP_BIT_RETRY_MAYFAIL);
  if (!may_block(want.gfp) || in_atomic(m_) || (want.order > 3 && !endless)) {
    w_.break_rule("PAGE-WAITS", "memory or a refusal: this caller cannot wait", "it was suspended");
    return {};
  }
  if (want.order >= m_.config.orders) {  // it would wait for ever
    w_.break_rule("PAGE-FORBIDDEN", "a refusal: no block of the machine is so large",
                  "it was suspended");
    return {};
  }
  ++w_.waiting_;
  w_.pending_[m_.cpu().task] = {true, want.by, want.out, want.order, want.gfp, want.bytes};
  probe(want, ask);
  return {Kind::suspended};
}

// A refusal, or a wait, while D(U) has what was asked: asked again on a settled copy.
void Runner::probe(const Want& want, const Ask& ask) {
  if (w_.interleaved_ || w_.inside_ || w_.broken() || !w_.oracle_.must_grant(ask)) return;
  if (m_.arena.at(m_.buddy.sysctl, 0).scribbled > 0) return;  // pages may be lost on the way (B-38)
  ++w_.reach_[ReachEvent::probe];
  QuietEnv env;
  w_.scratch_ = m_;
  ref::buddy::drain_all_pages(env, w_.scratch_);
  plan_failure(w_.scratch_, 0);
  Task& task = w_.scratch_.arena.edit(w_.scratch_.core.task, w_.scratch_.cpu().task);
  task.wait = {};
  if (ref::buddy::alloc_pages(env, w_.scratch_, want.gfp, want.order)) return;
  w_.break_rule(
      "PAGE-REFUSED",
      fmt::format("2^{} pages: an allowed zone holds such a block that nobody owns, above "
                  "its low mark and reserve",
                  want.order),
      "refused, and again with all per-CPU lists drained");
}

void Runner::judge_model(const Want& want, const Got& got, const Prediction& p) {
  const auto text = [](Outcome o, Pfn pfn) {
    switch (o) {
      case Outcome::granted: return fmt::format("pfn {}", pfn);
      case Outcome::no_memory: return std::string("refused");
      case Outcome::suspended: return std::string("suspended");
      case Outcome::misuse: return std::string("misuse");
    }
    return std::string();
  };
  Outcome actual = Outcome::granted;
  if (!got) {
    switch (got.error()) {
      case Refused::no_memory: actual = Outcome::no_memory; break;
      case Refused::suspended: actual = Outcome::suspended; break;
      case Refused::misuse: actual = Outcome::misuse; break;
    }
  }
  if (actual == Outcome::misuse && m_.globals().log.fault == Fault::highmem_address) return;
  const Pfn pfn = got ? *got : 0;
  if (actual != p.outcome || (got && pfn != p.pfn))
    return w_.break_rule("BUDDY-EXACT", text(p.outcome, p.pfn), text(actual, pfn));
  if (got && want.by != By::exact && ref::buddy::page_is_pfmemalloc(m_, pfn) != p.pfmemalloc)
    w_.break_rule("BUDDY-EXACT", fmt::format("pfmemalloc {}", p.pfmemalloc),
                  fmt::format("{}", !p.pfmemalloc));
}

}  // namespace props::buddy
