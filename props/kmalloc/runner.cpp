// Runs an operation; those that allocate and resize, and those that change context and settings.
#include "props/kmalloc/runner.hpp"

#include "props/buddy/contents.hpp"

namespace props::kmalloc {

using namespace ref::core;
using ref::buddy::Refused;
using Kind = Answer::Kind;

Answer Runner::run(const Operation& op) {
  const bool elsewhere =
      std::holds_alternative<SelectCpu>(op) || std::holds_alternative<SelectTask>(op);
  if (w_.suspended() && !elsewhere) return skipped();  // this CPU's task waits
  return std::visit([&](const auto& which) { return (*this)(which); }, op);
}

void Runner::hold(std::uint8_t reg, const Memory& memory) {
  w_.memory_[reg] = memory;
  w_.live_ |= std::uint64_t{1} << reg;
}

void Runner::drop(std::uint8_t reg) {
  w_.memory_[reg].live = false;
  w_.live_ &= ~(std::uint64_t{1} << reg);
}

void Runner::stamp(Memory& memory) {
  if (w_.judging_.stamps == Stamps::none || memory.nothing) return;
  memory.stamp = ++w_.stamps_;
  slab::write_contents(m_, memory.ram, memory.owned, memory.stamp, w_.judging_.stamps);
}

Answer Runner::granted(const Memory& memory) const {
  // A caller that must not sleep is told so, and served all the same (B-23).
  if (const Fault fault = m_.globals().log.fault; fault != Fault::none)
    return {Kind::fault, 0, fault};
  return {Kind::address, static_cast<std::uint64_t>(memory.address)};
}

// --- allocating -------------------------------------------------------------------------------

template <class Call>
Answer Runner::allocate(std::uint8_t out, const Want& want, Call call) {
  if (w_.memory_[out].live || busy(out) || !up()) return skipped();
  if (!w_.inside_) w_.busy_ = std::uint64_t{1} << out;
  const Got got = call();
  if (!w_.inside_) w_.busy_ = 0;
  if (w_.broken()) return {};
  if (const auto refused = judge_call(want, got)) return *refused;
  std::optional<Memory> memory = judge_granted(want, *got);
  if (memory) judge_zeros(want, *memory, 0, want.size);
  if (!memory || w_.broken()) return {};
  stamp(*memory);
  hold(out, *memory);
  return granted(*memory);
}

Runner::Want Runner::array(const Operation& op, std::uint64_t n, std::uint64_t size, Gfp gfp,
                           bool zeros) const {
  const std::uint64_t most = zeros ? m_.profile().array_bytes_max : m_.profile().size_max;
  return {n * size, gfp, zeros, size != 0 && n > most / size, op};
}

Answer Runner::operator()(const Kmalloc& op) {
  const Want want{op.size.value, op.gfp.value, false, false, op};
  return allocate(op.out.value, want,
                  [&] { return ref::kmalloc::kmalloc(w_, m_, want.size, want.gfp); });
}

Answer Runner::operator()(const Kzalloc& op) {
  const Want want{op.size.value, op.gfp.value, true, false, op};
  return allocate(op.out.value, want,
                  [&] { return ref::kmalloc::kzalloc(w_, m_, want.size, want.gfp); });
}

Answer Runner::operator()(const KmallocNode& op) {
  if (op.node.value >= m_.config.nodes) return skipped();
  const auto node = static_cast<std::uint32_t>(op.node.value);
  const Want want{op.size.value, op.gfp.value, false, false, op, node};
  return allocate(op.out.value, want,
                  [&] { return ref::kmalloc::kmalloc_node(w_, m_, want.size, want.gfp, node); });
}

Answer Runner::operator()(const KmallocArray& op) {
  const Want want = array(op, op.n.value, op.size.value, op.gfp.value, false);
  return allocate(op.out.value, want, [&] {
    return ref::kmalloc::kmalloc_array(w_, m_, op.n.value, op.size.value, want.gfp);
  });
}

Answer Runner::operator()(const Kcalloc& op) {
  const Want want = array(op, op.n.value, op.size.value, op.gfp.value, true);
  return allocate(op.out.value, want, [&] {
    return ref::kmalloc::kcalloc(w_, m_, op.n.value, op.size.value, want.gfp);
  });
}

// --- resizing ---------------------------------------------------------------------------------

template <class Call>
Answer Runner::resize(std::uint8_t reg, const Want& want, Call call) {
  if (busy(reg) || !up()) return skipped();
  const Memory old = w_.memory_[reg];
  if (old.live && !w_.check_content(old)) return {};
  drop(reg);
  if (!w_.inside_) w_.busy_ = std::uint64_t{1} << reg, w_.moving_ = old;
  const Got got = call(old.live ? old.address : Address::null);
  if (!w_.inside_) w_.busy_ = 0, w_.moving_ = {};
  if (w_.broken()) return {};
  if (want.size == 0 && !want.impossible) return judge_freed(got);
  if (old.live && want.size <= old.usable && !want.impossible)
    return judge_in_place(reg, want, old, got);
  if (const auto refused = judge_call(want, got)) {
    if (old.live && !w_.broken()) judge_unchanged(reg, old);
    return *refused;
  }
  return judge_moved(reg, want, old, *got);
}

Answer Runner::judge_freed(const Got& got) {
  const Answer answer = expect_fault(Fault::none, Effect::none);
  const Address nothing = m_.profile().zero_size_ptr ? ref::kmalloc::zero_size_ptr : Address::null;
  if (!got || *got != nothing)
    w_.break_rule("KMALLOC-NOTHING", "the address of nothing: what was there is freed",
                  "something else");
  if (answer.kind == Kind::fault) return answer;
  return {Kind::address, static_cast<std::uint64_t>(nothing)};
}

Answer Runner::judge_in_place(std::uint8_t reg, const Want& want, const Memory& old,
                              const Got& got) {
  ++w_.reach_[ReachEvent::stayed];
  const Answer answer = expect_fault(Fault::none, Effect::none);
  if (!got || *got != old.address) {
    w_.break_rule("KMALLOC-STAYS", address_text(old.address) + ": it fits there",
                  got ? address_text(*got) : "refused");
    return answer;
  }
  Memory memory = old;
  memory.size = memory.owned = want.size;
  judge_kept(old, memory);
  judge_zeros(want, memory, want.size, memory.usable);
  if (w_.broken()) return {};
  stamp(memory);
  hold(reg, memory);
  return {Kind::address, static_cast<std::uint64_t>(memory.address)};
}

Answer Runner::judge_moved(std::uint8_t reg, const Want& want, const Memory& old, Address got) {
  ++w_.reach_[ReachEvent::moved];
  std::optional<Memory> memory = judge_granted(want, got);
  if (!memory) return {};
  if (old.meets(static_cast<std::uint64_t>(got), memory->usable))
    w_.break_rule("KMALLOC-DISJOINT", "new memory beside the old, which is copied from",
                  address_text(got));
  if (old.live && !old.nothing) judge_kept(old, *memory);
  judge_zeros(want, *memory, old.live ? old.usable : 0, want.size);
  if (w_.broken()) return {};
  stamp(*memory);
  hold(reg, *memory);
  return granted(*memory);
}

Answer Runner::operator()(const Krealloc& op) {
  const bool zeros = op.gfp.value & GFP_BIT_ZERO;
  const Want want{op.size.value, op.gfp.value, zeros, false, op};
  return resize(op.object.value, want, [&](Address old) {
    return ref::kmalloc::krealloc(w_, m_, old, want.size, want.gfp);
  });
}

Answer Runner::operator()(const KreallocArray& op) {
  Want want = array(op, op.n.value, op.size.value, op.gfp.value, false);
  want.zeros = op.gfp.value & GFP_BIT_ZERO;
  return resize(op.object.value, want, [&](Address old) {
    return ref::kmalloc::krealloc_array(w_, m_, old, op.n.value, op.size.value, want.gfp);
  });
}

// --- pages of somebody else, and what caches keep -----------------------------------------------

Answer Runner::operator()(const AllocPages& op) {
  Block& block = w_.blocks_[op.out.value];
  const std::uint64_t bit = std::uint64_t{1} << op.out.value;
  if (block.live || (w_.inside_ && (w_.busy_blocks_ & bit) != 0)) return skipped();
  if (!w_.inside_) w_.busy_blocks_ = bit;
  const auto order = static_cast<unsigned>(op.order.value);
  const auto got = ref::buddy::alloc_pages(w_, m_, op.gfp.value, order);
  if (!w_.inside_) w_.busy_blocks_ = 0;
  if (w_.broken()) return {};
  const Fault fault = m_.globals().log.fault;
  if (!got && got.error() == Refused::suspended) return wait(op);
  if (!got) return fault == Fault::none ? Answer{Kind::refused} : Answer{Kind::fault, 0, fault};
  block = {true, order > 0 && (op.gfp.value & GFP_BIT_COMP) != 0, static_cast<std::uint8_t>(order),
           *got};
  w_.live_blocks_ |= bit;
  judge_block(block);
  if (w_.broken()) return {};
  if (w_.judging_.stamps != Stamps::none)
    buddy::write_stamp(m_, ref::buddy::ram_offset(m_, *got),
                       std::uint64_t{m_.config.page_bytes} << order, *got + 1, buddy::Stamps::ends);
  return fault == Fault::none ? Answer{Kind::pfn, *got} : Answer{Kind::fault, 0, fault};
}

Answer Runner::operator()(const FreePages& op) {
  Block* block = live(op.page);
  if (block == nullptr) return skipped();
  if (!w_.check_content(*block)) return {};
  block->live = false;
  w_.live_blocks_ &= ~(std::uint64_t{1} << op.page.value);
  ref::buddy::free_pages_(w_, m_, block->pfn, block->order);
  return expect_fault(Fault::none, Effect::none);
}

Answer Runner::operator()(const DrainAllPages&) {
  ref::buddy::drain_all_pages(w_, m_);
  return expect_fault(Fault::none, Effect::none);
}

Answer Runner::operator()(const ShrinkAll&) {
  if (in_atomic(m_) || !up()) return skipped();
  for (std::uint64_t i = 0; i < m_.slab.general.count; ++i)
    if (const Index cache = m_.arena.at(m_.slab.general, i); cache != 0)
      (void)ref::slab::kmem_cache_shrink(w_, m_, ref::slab::CacheId{cache - 1});
  return expect_fault(Fault::none, Effect::none);
}

Answer Runner::operator()(const Reap& op) {
  if (in_atomic(m_) || !up()) return skipped();
  ref::slab::pass_time(m_, static_cast<std::uint32_t>(op.ticks.value));
  ref::slab::cache_reap(w_, m_);
  return expect_fault(Fault::none, Effect::none);
}

// --- waiting ----------------------------------------------------------------------------------

// The machine keeps nothing of the wait: the whole call is made again.
Answer Runner::wait(const Operation& op) {
  ++w_.reach_[ReachEvent::suspended];
  w_.pending_.put(m_, op);
  return {Kind::suspended};
}

Answer Runner::operator()(const SelectTask& op) {
  if (!select_task(m_, op)) return skipped();
  if (!w_.suspended() || w_.inside_) return {};
  const Operation again = w_.pending_.take(m_.cpu().task);
  ++w_.reach_[ReachEvent::resumed];
  // Its register may be taken by now; the task was selected all the same.
  const Answer answer = run(again);
  return answer.kind == Kind::skipped ? Answer{} : answer;
}

}  // namespace props::kmalloc
