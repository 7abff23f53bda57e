// runner: runs one operation on a world, and judges its answer.
#pragma once
#include <initializer_list>

#include "props/slab/model.hpp"
#include "props/slab/world.hpp"

namespace props::slab {

class Runner {
 public:
  explicit Runner(World& world) : w_(world), m_(world.machine_) {}
  Answer run(const Operation&);

 private:
  // One overload for each kind of operation.
  Answer operator()(const AllocPages&);
  Answer operator()(const FreePages&);
  Answer operator()(const CacheCreate&);
  Answer operator()(const CacheDestroy&);
  Answer operator()(const CacheShrink&);
  Answer operator()(const CacheSize&);
  Answer operator()(const CacheAlloc&);
  Answer operator()(const CacheAllocNode&);
  Answer operator()(const CacheAllocBulk&);
  Answer operator()(const CacheFree&);
  Answer operator()(const CacheFreeBulk&);
  Answer operator()(const TouchObject&);
  Answer operator()(const FreeStaleObject&);
  Answer operator()(const FreeToWrongCache&);
  Answer operator()(const FreeInterior&);
  Answer operator()(const Overrun&);
  Answer operator()(const WriteAfterFree&);
  Answer operator()(const CacheReap&);
  Answer operator()(const RcuGracePeriod&);
  Answer operator()(const PassTime&);
  Answer operator()(const ReadSlabinfo&);
  Answer operator()(const WriteSlabinfo&);
  Answer operator()(const SelectTask&);
  template <ContextOperation Op>
  Answer operator()(const Op& op) {
    return run_in_context(m_, op);
  }

  using Effect = ref::core::Effect;
  using Faults = std::initializer_list<Fault>;
  using CacheHeld = HeldCache::State;

  // What a call on a cache is judged by.
  struct Want {
    Operation op;  // to be made again when its task had to wait
    ObjectRegister out;
    CacheRegister cache;
    Gfp gfp = 0;
    std::optional<std::uint32_t> node{};
  };
  Answer allocate(const Want&);
  Answer allocate_stale(const Want&);
  Answer judge_granted(const Want&, const HeldCache&, std::uint64_t address);
  bool judge_fresh(const Want&, const HeldCache&, HeldObject&);
  void probe(const Want&, const HeldCache&);
  void probe(const std::vector<unsigned>& orders, Gfp);
  Answer suspended(const Operation&, Gfp);

  Answer judge_create(const CacheCreate&, const ref::slab::Answer<CacheId>&);
  bool is_sane(const CacheCreate&) const;
  Answer judge_refused_create(const CacheCreate&);
  void probe_create();

  Answer give_back(std::uint64_t address, CacheId, Faults misuse);
  Answer give_back_owned(HeldObject&);
  void before_free(HeldObject&);

  // The call's fault is `must`, or one of `may`; where neither: OBJECT-FAULT.
  bool fault_is(Fault must, Faults may = {});
  Answer answer_of_fault(Answer otherwise = {}) const;
  // What a call that may sleep is told in this context.
  bool sleep_is_told(Gfp, Faults may);
  bool context_is_told(Faults may = {});
  bool name_is_unclear() const;  // several caches may stand below one name

  HeldObject* live(ObjectRegister r) {
    return w_.objects_[r.value].live ? &w_.objects_[r.value] : nullptr;
  }
  HeldObject* owner_of(std::uint64_t address);
  bool is_general(CacheId) const;
  bool names_nothing(CacheId) const;  // a destroyed cache, whose number no other has by now
  void forget_repaired();             // of what was written after free, what the subject wrote over
  bool in_use(CacheId) const;         // a live register, or one whose cache lingers, names it
  const ref::slab::Cache& cache_of(CacheId id) const {
    return m_.arena.at(m_.slab.cache, static_cast<std::uint64_t>(id));
  }
  Answer skipped() const { return {Answer::Kind::skipped}; }
  void stamp(HeldObject&);
  void stamp(HeldPages&);

  // The naive model before a call on a cache, where it is asked; and what it said behind.
  std::optional<Model> model_of(CacheId cache) const {
    if (!w_.judging_.model || w_.inside_ || !w_.up()) return std::nullopt;
    return Model::of(m_, cache);
  }
  void agree(const std::optional<Finding>& finding) {
    if (finding && !w_.interleaved_ && !w_.broken()) w_.break_rule(*finding);
  }

  // What is counted around a call: runner_reach.cpp.
  struct Counts {
    std::uint64_t in_array = 0, shared = 0, alien = 0, slabs = 0, free = 0, full = 0, partial = 0;
  };
  Counts counts(CacheId) const;
  void count_alloc(CacheId, const Counts& before, bool got);
  void count_free(CacheId, const Counts& before);
  void count_lists(const Counts& before, const Counts& now);
  void count_context();
  void count_created(const ref::slab::Cache&, bool merged);
  std::uint64_t total_slabs() const;

  World& w_;
  ref::slab::Machine& m_;
};

}  // namespace props::slab
