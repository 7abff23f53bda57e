// runner: runs one operation on a world, and judges its answer.
#pragma once
#include "props/kmalloc/world.hpp"

namespace props::kmalloc {

class Runner {
 public:
  explicit Runner(World& world) : w_(world), m_(world.machine_) {}
  Answer run(const Operation&);

 private:
  // One overload for each kind of operation.
  Answer operator()(const Kmalloc&);
  Answer operator()(const Kzalloc&);
  Answer operator()(const KmallocArray&);
  Answer operator()(const Kcalloc&);
  Answer operator()(const KmallocNode&);
  Answer operator()(const Krealloc&);
  Answer operator()(const KreallocArray&);
  Answer operator()(const Kfree&);
  Answer operator()(const KfreeSensitive&);
  Answer operator()(const KfreeBulk&);
  Answer operator()(const Ksize&);
  Answer operator()(const KmallocSizeRoundup&);
  Answer operator()(const WriteObject&);
  Answer operator()(const KfreeStale&);
  Answer operator()(const KreallocStale&);
  Answer operator()(const KfreeInside&);
  Answer operator()(const KfreePage&);
  Answer operator()(const KfreeAt&);
  Answer operator()(const ShrinkAll&);
  Answer operator()(const Reap&);
  Answer operator()(const AllocPages&);
  Answer operator()(const FreePages&);
  Answer operator()(const DrainAllPages&);
  Answer operator()(const SelectTask&);
  template <ContextOperation Op>
  Answer operator()(const Op& op) {
    return run_in_context(m_, op);
  }

  using Got = ref::kmalloc::Answer<Address>;
  using Fault = ref::core::Fault;
  using Effect = ref::core::Effect;
  // What a call asks for, as far as its answer is judged.
  struct Want {
    std::uint64_t size = 0;
    Gfp gfp = 0;
    bool zeros = false;
    bool impossible = false;              // the product of an array's sizes
    Operation op;                         // to be made again if it must wait
    std::optional<std::uint32_t> node{};  // that was named
  };

  // An array's bytes; impossible when no size_t of the era holds them, or kcalloc's limit does not.
  Want array(const Operation&, std::uint64_t n, std::uint64_t size, Gfp, bool zeros) const;
  template <class Call>
  Answer allocate(std::uint8_t out, const Want&, Call call);
  template <class Call>
  Answer resize(std::uint8_t reg, const Want&, Call call);

  Answer judge_freed(const Got&);
  Answer judge_in_place(std::uint8_t reg, const Want&, const Memory& old, const Got&);
  Answer judge_moved(std::uint8_t reg, const Want&, const Memory& old, Address);
  Answer wait(const Operation&);

  // runner_judge.cpp
  std::optional<Answer> judge_call(const Want&, const Got&);
  std::optional<Memory> judge_granted(const Want&, Address);
  void judge_place(const Want&, const Memory&);
  void judge_size(const Want&, const Memory&);
  void judge_zeros(const Want&, const Memory&, std::uint64_t from, std::uint64_t to);
  void judge_kept(const Memory& old, const Memory& now);
  void judge_unchanged(std::uint8_t reg, const Memory& old);
  void judge_block(const Block&);
  Answer judge_suspended(const Want&);
  static std::string address_text(Address);
  void probe(const Want&);
  bool too_large(const Want&) const;
  Answer granted(const Memory&) const;

  // runner_free.cpp
  Answer give_back(std::uint8_t reg, bool sensitive);
  Answer free_inside(std::uint8_t reg, Address);
  bool in_blocks(Address) const;
  bool is_internal(Address) const;
  Answer expect_fault(Fault, Effect);
  Answer expect_misuse();
  std::optional<std::uint8_t> owner_of(Address) const;  // of the byte there

  void hold(std::uint8_t reg, const Memory&);
  void drop(std::uint8_t reg);
  void stamp(Memory&);
  bool up() const { return m_.arena.at(m_.slab.globals, 0).up != 0; }
  bool busy(std::uint8_t reg) const { return w_.inside_ && (w_.busy_ >> reg & 1) != 0; }
  Memory* live(ObjectRegister r) {
    return w_.memory_[r.value].live && !busy(r.value) ? &w_.memory_[r.value] : nullptr;
  }
  Block* live(PageRegister r) {
    const bool is_busy = w_.inside_ && (w_.busy_blocks_ >> r.value & 1) != 0;
    return w_.blocks_[r.value].live && !is_busy ? &w_.blocks_[r.value] : nullptr;
  }
  Answer skipped() const { return {Answer::Kind::skipped}; }

  World& w_;
  Machine& m_;
};

}  // namespace props::kmalloc
