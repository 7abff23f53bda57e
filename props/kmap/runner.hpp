// runner: runs one operation on a world, and judges its answer.
#pragma once
#include <initializer_list>

#include "props/kmap/model.hpp"
#include "props/kmap/world.hpp"

namespace props::kmap {

class Runner {
 public:
  explicit Runner(World& world) : w_(world), m_(world.machine_) {}
  Answer run(const Operation&);

 private:
  // One overload for each kind of operation.
  Answer operator()(const AllocPages&);
  Answer operator()(const FreePages&);
  Answer operator()(const Kmap&);
  Answer operator()(const Kunmap&);
  Answer operator()(const KunmapStale&);
  Answer operator()(const KunmapPage&);
  Answer operator()(const KmapAtomic&);
  Answer operator()(const KunmapAtomic&);
  Answer operator()(const KunmapAtomicAs&);
  Answer operator()(const KmapLocal&);
  Answer operator()(const KunmapLocal&);
  Answer operator()(const TouchMap&);
  Answer operator()(const Prefetch&);
  Answer operator()(const PageAddress&);
  Answer operator()(const KmapToPage&);
  Answer operator()(const SlotToPage&);
  Answer operator()(const FlushUnused&);
  Answer operator()(const ZeroSegments&);
  Answer operator()(const KmapHighGet&);
  Answer operator()(const SelectCpu&);
  Answer operator()(const SelectTask&);
  Answer operator()(const SetTaskFlags&);
  Answer operator()(const FailPageAlloc&);
  template <ref::core::ContextMove move, std::uint8_t code>
  Answer operator()(const MoveContext<move, code>&);

  using Address = ref::buddy::Address;
  using Kind = HeldMap::Kind;
  using Faults = std::initializer_list<Fault>;
  template <class T>
  using Asked = ref::buddy::Answer<T>;

  // Persistent: runner_slots.cpp.
  Answer judge_mapped(const Kmap&, Pfn, const Asked<Address>&);
  Answer judge_refused(const Kmap&, Pfn);
  void check_first(std::uint64_t address);
  Answer judge_suspended(const Kmap&);
  Answer resume(const Kmap&);
  Answer unmap(Pfn, std::optional<std::size_t> owner);
  Answer unpin(std::size_t owner);
  Answer judge_unmapped(Pfn, std::size_t owner, bool sleepers);
  bool sleepers() const;
  bool woken(std::uint32_t task) const;
  bool somebody_woken() const;
  bool is_deadlock() const;
  std::uint32_t cursor() const;

  // Temporary: runner_temporary.cpp.
  struct Balance {
    std::uint16_t preempt, pagefault;
    bool operator==(const Balance&) const = default;
  };
  Balance balance() const;
  bool is_balanced(const Balance& before, int change);
  Fault atomic_fault(Pfn, KmType) const;
  Answer judge_temporary(HeldMap made, MapRegister out, const Asked<Address>&, Fault expected,
                         const Balance&);
  bool is_own_slot(const HeldMap&);
  Answer end_temporary(MapRegister);
  bool is_gone(std::uint64_t address);

  // Of every map that was made: its page is read through it.
  bool accept(HeldMap made, MapRegister out);
  bool check_content(const HeldMap&);
  bool write(const HeldMap&);

  // The call's fault is `must`, or one of `may`; where neither: KMAP-FAULT.
  bool fault_is(Fault must, Faults may = {});
  Answer answer_of_fault(Answer otherwise = {}) const;
  Fault sleep_fault() const;   // of a call that may sleep, in this context
  Fault kunmap_fault() const;  // of kunmap, before it looks at the page
  Answer skipped() const { return {Answer::Kind::skipped}; }
  bool is_high(Pfn pfn) const { return !ref::buddy::page_address(m_, pfn); }
  std::uint64_t direct(Pfn pfn) const {
    return ref::core::page_offset + std::uint64_t{pfn} * m_.config.page_bytes;
  }
  std::uint32_t task() const { return m_.cpu().task; }
  std::uint32_t cpu() const { return m_.globals().cpu; }
  bool has_slots() const { return w_.up() && m_.config.pkmap > 0; }
  HeldMap* live(MapRegister r, Kind kind) {
    HeldMap& h = w_.maps_[r.value];
    return h.live && h.kind == kind ? &h : nullptr;
  }
  bool interrupts() const { return w_.inside_ && cpu() == w_.interrupted_; }
  void count_context();

  // The naive model before a call on slots, where it is asked; and what it said behind.
  std::optional<Model> model() const {
    if (!w_.judging_.model || w_.inside_ || !has_slots()) return std::nullopt;
    return Model::of(m_);
  }
  void agree(const std::optional<Finding>& finding) {
    if (finding && !w_.interleaved_ && !w_.broken()) w_.break_rule(*finding);
  }

  World& w_;
  ref::kmap::Machine& m_;
};

}  // namespace props::kmap
