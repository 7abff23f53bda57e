// runner: runs one operation on a world, and judges its answer.
#pragma once
#include <expected>

#include "props/buddy/world.hpp"

namespace props::buddy {

class Runner {
 public:
  explicit Runner(World& world) : w_(world), m_(world.machine_) {}
  Answer run(const Operation&);

 private:
  // One overload for each kind of operation.
  Answer operator()(const AllocPages&);
  Answer operator()(const AllocPage&);
  Answer operator()(const GetFreePages&);
  Answer operator()(const GetFreePage&);
  Answer operator()(const GetZeroedPage&);
  Answer operator()(const GetDmaPages&);
  Answer operator()(const AllocPagesBulk&);
  Answer operator()(const AllocPagesExact&);
  Answer operator()(const SplitPage&);
  Answer operator()(const FreePagesByPage&);
  Answer operator()(const FreePageByPage&);
  Answer operator()(const FreePages&);
  Answer operator()(const FreePage&);
  Answer operator()(const FreePagesExact&);
  Answer operator()(const FreeColdPage&);
  Answer operator()(const GetPage&);
  Answer operator()(const PutPage&);
  Answer operator()(const PageAddress&);
  Answer operator()(const PageCount&);
  Answer operator()(const DrainAllPages&);
  Answer operator()(const DrainLocalPages&);
  Answer operator()(const FreeStale&);
  Answer operator()(const FreeTail&);
  Answer operator()(const FreeAt&);
  Answer operator()(const SetPagePrivate&);
  Answer operator()(const SetPageFlags&);
  Answer operator()(const SetPageMapcount&);
  Answer operator()(const ScribblePageFlags&);
  Answer operator()(const Touch&);
  Answer operator()(const SelectTask&);
  Answer operator()(const FailPageAlloc&);
  Answer operator()(const SetMinFreeKbytes&);
  Answer operator()(const SetLowmemReserveRatio&);
  Answer operator()(const SetReclaimActive&);
  Answer operator()(const ReadBuddyinfo&);
  Answer operator()(const ReadZoneinfo&);
  Answer operator()(const FreePagesNull&);
  template <ContextOperation Op>
  Answer operator()(const Op& op) {
    return run_in_context(m_, op);
  }

  using By = World::By;
  using Slots = std::vector<std::optional<Pfn>>;
  // What a register-filling call wants.
  struct Want {
    std::uint8_t out = 0;
    unsigned order = 0;
    Gfp gfp = 0;  // as it arrives at the page allocator
    By by = By::page;
    std::uint64_t bytes = 0;  // of exact requests
    bool retried = false;     // a suspended call that is tried again
  };
  using Got = std::expected<Pfn, ref::buddy::Refused>;
  using Fault = ref::core::Fault;
  using Effect = ref::core::Effect;

  Answer allocate(Want&&);  // changed in place: a copy of what was just written would stall
  Got call(const Want&);
  Prediction predict(const Want&);
  Fault expected_fault(const Want&) const;
  Answer judge(const Want&, const Got&, const std::optional<Prediction>&, bool scribbled);
  void tell_losses(const ref::core::Log&);
  Answer judge_answer(const Want&, const Got&, bool scribbled);
  Answer judge_granted(const Want&, const Ask&, Pfn);
  Answer judge_refused(const Want&, const Ask&);
  Answer judge_suspended(const Want&, const Ask&);
  Answer judge_misuse(const Want&, bool scribbled_on);
  void judge_model(const Want&, const Got&, const Prediction&);
  bool plainly_fresh(const Want&, ref::core::Index first, std::uint32_t pages) const;
  void judge_fresh(const Want&, Pfn);
  void probe(const Want&, const Ask&);
  std::optional<Slots> slots_of(const AllocPagesBulk&) const;
  Answer judge_bulk(const AllocPagesBulk&, const Slots& before, const Slots& after,
                    std::size_t filled, bool scribbled);
  void judge_bulk_model(const Slots& before, const Slots& after, const std::vector<Prediction>&);
  Ask ask_of(Gfp, unsigned order) const;
  void set_live(Block&, bool);
  Block& fill(std::uint8_t reg, std::uint32_t zone, Pfn, unsigned order, Gfp);

  // The block that a frame belongs to, by the registers; null when nobody owns it.
  Block* owner_of(Pfn);
  bool vacant(std::size_t reg) const;
  bool vacant(std::size_t first, std::size_t count) const;

  // What is counted around a call: runner_reach.cpp.
  struct Before {
    std::uint64_t free = 0;  // pages on the free lists of the zone, or of all
    std::uint64_t slow = 0;
    unsigned merges = 0;
    bool counts = false, pcp = false, held = false;
  };
  std::uint64_t free_pages() const;
  void count_fault(Fault fault, Effect effect) {
    ++w_.reach_.faults[static_cast<std::size_t>(fault)];
    if (fault != Fault::none) ++w_.reach_.effects[static_cast<std::size_t>(effect)];
  }
  void count_context();
  Before before_alloc(const Want&) const;
  void count_alloc(const Want&, const Got&, const Before&);
  void count_split(std::uint32_t zone, Pfn, unsigned order);
  Before before_free(Pfn, unsigned order) const;
  void count_free(Pfn, unsigned order, const Before&);

  enum class How : std::uint8_t { page, address, cold };
  Answer give_back(Pfn, unsigned order, How);
  Answer give_back_block(Block&, unsigned order, How);
  Answer give_back_owned(Block&, unsigned order, How);
  Answer give_back_wrong_order(Block&, unsigned order, How);
  Answer drop_last(Block&, unsigned order, How);
  void call_free(Pfn, unsigned order, How);
  bool address_of(Pfn) const;
  void released(Pfn, unsigned order, bool cold);
  void unowned(Pfn, unsigned order);
  void touch(Pfn pfn) {
    if (!w_.judging_.touched) return;
    w_.touched_.zone(*w_.oracle_.zone_of(pfn));
    w_.touched_.block = pfn;
  }
  void tell_model(Pfn, unsigned order, bool cold);
  Answer expect_fault(Fault fault, Effect effect) {
    count_fault(fault, effect);
    const bool none = fault == Fault::none && m_.globals().log.fault == Fault::none;
    return none ? Answer{} : judge_fault(fault, effect);
  }
  Answer judge_fault(Fault, Effect);
  void stamp(Block&);
  Answer skipped() const { return {Answer::Kind::skipped}; }
  Block* live(PageRegister r) { return w_.blocks_[r.value].live ? &w_.blocks_[r.value] : nullptr; }

  World& w_;
  ref::buddy::Machine& m_;
};

}  // namespace props::buddy
