// Runs an operation; those on pages, contexts, time and texts.
#include "props/slab/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace props::slab {

using namespace ref::core;
using Kind = Answer::Kind;

Answer Runner::run(const Operation& op) {
  const bool elsewhere =
      std::holds_alternative<SelectCpu>(op) || std::holds_alternative<SelectTask>(op);
  if (w_.suspended() && !elsewhere) return skipped();  // this CPU's task waits
  return std::visit([&](const auto& which) { return (*this)(which); }, op);
}

// --- faults -----------------------------------------------------------------------------------

bool Runner::fault_is(Fault must, Faults may) {
  const Log& log = m_.globals().log;
  ++w_.reach_.faults[static_cast<std::size_t>(log.fault)];
  if (log.fault == must || std::ranges::find(may, log.fault) != may.end()) return true;
  // Bytes that somebody overwrote may be met by any call.
  if (log.fault == Fault::overwritten && w_.overwrote_) return true;
  const auto name = [](Fault f) {
    return std::string(f == Fault::none ? "no fault" : fault_names[static_cast<std::size_t>(f)]);
  };
  w_.break_rule("OBJECT-FAULT", name(must), name(log.fault));
  return false;
}

Answer Runner::answer_of_fault(Answer otherwise) const {
  const Fault fault = m_.globals().log.fault;
  return fault == Fault::none ? otherwise : Answer{Kind::fault, 0, fault};
}

bool Runner::sleep_is_told(Gfp gfp, Faults may) {
  const bool wrong = (gfp & GFP_BIT_DIRECT_RECLAIM) && in_atomic(m_);
  return fault_is(wrong ? Fault::sleeping_in_atomic : Fault::none, may);
}

// Calls that take a mutex: 2.6.11 stops when it is made in an interrupt, 6.1 says that it may
// sleep.
bool Runner::context_is_told(Faults may) {
  const bool old = m_.profile().slab_misuse == SlabMisuse::stops_the_kernel;
  if (old) return fault_is(in_interrupt(m_) ? Fault::bad_cache : Fault::none, may);
  return fault_is(in_atomic(m_) ? Fault::sleeping_in_atomic : Fault::none, may);
}

// --- contents ---------------------------------------------------------------------------------

void Runner::stamp(HeldObject& o) {
  if (w_.judging_.stamps == Stamps::none) return;
  o.stamp = ++w_.stamps_;
  write_contents(m_, o.ram, o.usable, o.stamp, w_.judging_.stamps);
}

void Runner::stamp(HeldPages& p) {
  p.stamp = ++w_.stamps_;
  write_contents(m_, ref::buddy::ram_offset(m_, p.pfn), Bytes{m_.config.page_bytes} << p.order,
                 p.stamp, w_.judging_.stamps);
}

Answer Runner::operator()(const TouchObject& op) {
  HeldObject* o = live(op.object);
  if (o == nullptr) return skipped();
  if (w_.check_contents(*o)) stamp(*o);
  return {};
}

// --- pages ------------------------------------------------------------------------------------

// Only for pressure: how pages are handed out is the page allocator's own row's business.
Answer Runner::operator()(const AllocPages& op) {
  if (!w_.vacant(op.out)) return skipped();
  const auto order = static_cast<unsigned>(op.order.value);
  const auto got = ref::buddy::alloc_pages(w_, m_, op.gfp.value, order);
  if (w_.broken()) return {};
  if (!got && got.error() == ref::buddy::Refused::suspended) return suspended(op, op.gfp.value);
  if (!got) return answer_of_fault({Kind::refused});
  const std::uint64_t address = page_offset + std::uint64_t{*got} * m_.config.page_bytes;
  if (auto bad = w_.ledger_.pages_granted(address, Bytes{m_.config.page_bytes} << order)) {
    w_.break_rule(*bad);
    return {};
  }
  HeldPages& p = w_.pages_[op.out.value];
  p = {true, static_cast<std::uint8_t>(order), *got, 0};
  stamp(p);
  return answer_of_fault({Kind::pfn, *got});
}

Answer Runner::operator()(const FreePages& op) {
  HeldPages& p = w_.pages_[op.page.value];
  if (!p.live) return skipped();
  if (!w_.check_contents(p)) return {};
  p.live = false;
  w_.ledger_.pages_released(page_offset + std::uint64_t{p.pfn} * m_.config.page_bytes);
  ref::buddy::free_pages_(w_, m_, p.pfn, p.order);
  return answer_of_fault();
}

// --- context ----------------------------------------------------------------------------------

// A call that had to wait is made again, from its beginning.
Answer Runner::operator()(const SelectTask& op) {
  if (!select_task(m_, op)) return skipped();
  if (!w_.suspended() || w_.inside_) return {};
  const Operation again = w_.pending_.take(m_.cpu().task);
  ++w_.reach_[ReachEvent::resumed];
  // Its cache may be gone by now; the task was selected all the same.
  const Answer answer = std::visit([&](const auto& which) { return (*this)(which); }, again);
  return answer.kind == Kind::skipped ? Answer{} : answer;
}

Answer Runner::suspended(const Operation& op, Gfp gfp) {
  ++w_.reach_[ReachEvent::suspended];
  if (in_atomic(m_) || !(gfp & GFP_BIT_DIRECT_RECLAIM)) {
    w_.break_rule("OBJECT-WAITS", "memory or a refusal: this caller cannot wait",
                  fmt::format("suspended, with gfp {:#x}", gfp));
    return {};
  }
  w_.pending_.put(m_, op);
  return {Kind::suspended};
}

// --- time -------------------------------------------------------------------------------------

Answer Runner::operator()(const PassTime& op) {
  if (!w_.up()) return skipped();
  ref::slab::pass_time(m_, static_cast<std::uint32_t>(op.ticks.value));
  return {};
}

// Work of a kernel thread: no interrupt does it, and no other caller.
Answer Runner::operator()(const CacheReap&) {
  if (!w_.up() || w_.inside_ || in_atomic(m_)) return skipped();
  const std::uint64_t before = total_slabs();
  std::vector<Model> models;
  for (const HeldCache& c : w_.caches_)
    if (c.state == CacheHeld::live && w_.judging_.model) models.push_back(Model::of(m_, c.id));
  ref::slab::cache_reap(w_, m_);
  if (w_.broken()) return {};
  w_.reach_[ReachEvent::reaped] += total_slabs() < before;
  fault_is(Fault::none);
  for (Model& model : models) agree(model.reaped(m_));
  return answer_of_fault();
}

Answer Runner::operator()(const RcuGracePeriod&) {
  if (!w_.up() || w_.inside_ || in_atomic(m_)) return skipped();
  const bool waits = m_.arena.at(m_.slab.globals, 0).rcu_first != 0;
  ref::slab::rcu_grace_period(w_, m_);
  if (w_.broken()) return {};
  w_.reach_[ReachEvent::rcu_waited] += waits;
  fault_is(Fault::none);
  return answer_of_fault();
}

// --- the file ---------------------------------------------------------------------------------

// Where caches may become one, the name in the file is the first one's.
bool Runner::name_is_unclear() const { return m_.profile().caches_merge && m_.config.slab_merge; }

Answer Runner::operator()(const ReadSlabinfo&) {
  if (!w_.up()) return skipped();
  std::istringstream text(ref::slab::slabinfo(m_));
  std::map<std::string, std::uint64_t> active;
  std::uint64_t lines = 0;
  for (std::string line; std::getline(text, line); ++lines) {
    if (lines < 2 || line.size() < 18) continue;  // the version, and the heads of the columns
    std::istringstream numbers(line.substr(line.find_last_not_of(' ', 17) < 17 ? 17 : 18));
    std::string name = line.substr(0, 17);
    name.erase(name.find_last_not_of(' ') + 1);
    std::uint64_t objects = 0;
    if (numbers >> objects) active[name] += objects;
  }
  if (name_is_unclear()) return {Kind::count, lines};
  for (const HeldCache& c : w_.caches_) {
    const auto told = c.asked.name_of.told();
    if (c.state != CacheHeld::live || !told || told->size() > 17) continue;
    const auto held = std::ranges::count_if(
        w_.objects_, [&](const HeldObject& o) { return o.live && o.cache == c.id; });
    if (active[std::string(*told)] >= static_cast<std::uint64_t>(held)) continue;
    w_.break_rule("OBJECT-LISTED", fmt::format("{} or more active objects of {}", held, *told),
                  fmt::format("{}", active[std::string(*told)]));
    return {};
  }
  return {Kind::count, lines};
}

Answer Runner::operator()(const WriteSlabinfo& op) {
  if (!w_.up() || w_.inside_ || in_atomic(m_) || !op.name_of.told()) return skipped();
  const std::string line = fmt::format("{} {} {} {}\n", *op.name_of.told(), op.limit.value,
                                       op.batch.value, op.shared.value);
  // A cache of the allocator's own may give the very arrays.
  const auto named = Model::named(m_, *op.name_of.told());
  std::optional<Model> model = named && !is_general(*named) && static_cast<Index>(*named) != 0
                                   ? model_of(*named)
                                   : std::nullopt;
  const auto done = ref::slab::slabinfo_write(w_, m_, line);
  if (w_.broken()) return {};
  w_.retuned_ = true;  // also one that failed half way
  if (!done && done.error() == ref::buddy::Refused::suspended)
    return suspended(op, GFP_BIT_DIRECT_RECLAIM);
  if (!fault_is(Fault::none) || !done) return answer_of_fault({Kind::refused});
  using ref::slab::SlabinfoWrite;
  const bool good = op.limit.value >= 1 && op.batch.value >= 1 && op.batch.value <= op.limit.value;
  if (*done == SlabinfoWrite::done && !good)
    w_.break_rule("OBJECT-TUNED", "no change: 1 <= batch <= limit does not hold", "done");
  if (model) agree(model->tuned(m_, {op.limit.value, op.batch.value, op.shared.value}, *done));
  w_.reach_[ReachEvent::retuned] += *done == SlabinfoWrite::done;
  return {*done == SlabinfoWrite::done      ? Kind::ok
          : *done == SlabinfoWrite::ignored ? Kind::count
                                            : Kind::refused};
}

}  // namespace props::slab
