// world: kmalloc under test, what its callers know, and the steps so far.
//
//   step ──▶ machine ──▶ answer ──▶ aligned, inside, disjoint, large enough, zeros, contents kept
//              │ yield point                 │ a refusal: are there pages on a copy?
//              └─▶ armed steps               └─▶ at the end: is every page back on a copy?
//
// The registers are all that is known of who owns what: memory by address, and pages of somebody
// else, so that memory runs short. A call that must wait is made again when its task is selected.
#pragma once
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "props/core/stepping.hpp"
#include "props/kmalloc/operations.hpp"
#include "props/kmalloc/reach.hpp"
#include "props/slab/contents.hpp"

namespace props::kmalloc {

using ref::core::Config;
using ref::core::Gfp;
using ref::core::Pfn;
using ref::kmalloc::Address;
using ref::kmalloc::Machine;
using slab::Stamps;

// The pages of each zone that are free when nobody has anything and no cache keeps a free slab.
using ZonePages = std::array<std::uint64_t, ref::core::zones_max>;

// A machine just after boot: made once per geometry, then copied.
struct Newborn {
  explicit Newborn(const Config& config);
  void rebase() { machine.arena.rebase(); }
  Machine machine;
  ZonePages settled{};
};

// What is judged beyond every answer.
struct Judging {
  std::uint32_t invariants_every = 0;  // of the rows below, after every nth step; 0: at the end
  std::uint32_t exhaust_every = 0;     // is every page back, after every nth step; 0: at the end
  Stamps stamps = Stamps::spaced;      // in live memory
  bool reach = true;
  bool walk_at_end = true;  // invariants, and whether every page is back

  static Judging everything() { return {.invariants_every = 1, .exhaust_every = 8}; }
  static Judging cheap() { return {}; }
  Judging scaled(std::uint64_t pages, std::uint64_t turn) const;
};

// What an object register holds.
struct Memory {
  bool live = false;
  bool nothing = false;      // ZERO_SIZE_PTR: no memory
  Address address{};         // kept after the memory is gone: what kfree_stale frees
  std::uint64_t ram = 0;     // where it lies
  std::uint64_t size = 0;    // as asked
  std::uint64_t usable = 0;  // as ksize says
  std::uint64_t owned = 0;   // bytes that the owner writes: as asked, or all after ksize
  std::uint32_t stamp = 0;   // of its contents; 0: none written
  bool operator==(const Memory&) const = default;

  bool meets(std::uint64_t first, std::uint64_t bytes) const {
    const auto at = static_cast<std::uint64_t>(address);
    return live && !nothing && at < first + bytes && first < at + usable;
  }
};

// What a page register holds.
struct Block {
  bool live = false, compound = false;
  std::uint8_t order = 0;
  Pfn pfn = 0;
  bool operator==(const Block&) const = default;
};

class World final : public Stepping<World, ref::kmalloc::Machine, Operation, Reach> {
 public:
  World(const Newborn&, const Judging&);
  void reset(const Newborn&, const Judging&);
  void finish();

  std::span<const Memory> memory() const { return memory_; }
  std::span<const Block> blocks() const { return blocks_; }
  std::uint64_t live() const { return live_; }  // bit r: object register r holds something
  std::uint64_t live_blocks() const { return live_blocks_; }
  bool suspended() const { return pending_.has(machine_.cpu().task); }
  std::uint32_t waiting() const { return pending_.count(); }
  // Everything that what follows may hang on.
  ref::core::Hash exact_state() const;
  std::string picture() const;

 private:
  friend Stepping;
  friend class Runner;

  Answer run_operation(const Operation&);
  void after_step();
  const Rule* rule_of(std::string_view id) const;
  bool check_content(const Memory&);
  bool check_content(const Block&);
  void check_contents();
  void check_invariants();
  void check_empty();

  Machine scratch_;
  const Newborn* newborn_ = nullptr;
  Judging judging_;
  std::array<Memory, ObjectRegister::count> memory_{};
  std::array<Block, PageRegister::count> blocks_{};
  std::uint64_t live_ = 0, live_blocks_ = 0;  // of those, by bit
  WaitingCalls<Operation> pending_;
  std::uint64_t busy_ = 0;         // object registers that the interrupted step works on
  std::uint64_t busy_blocks_ = 0;  // and page registers
  Memory moving_;                  // what an interrupted krealloc moves: not in a register
  std::uint64_t largest_ = 0;      // bytes of the largest request that was granted
  Gfp largest_gfp_ = 0;
  std::uint32_t stamps_ = 0;
};

std::span<const Rule> rules();

// Gives back the free slabs of every general cache, and what per-CPU lists hold.
void settle(ref::core::Env&, Machine&);

}  // namespace props::kmalloc

// Made in world.cpp, where a step and what it calls are one function.
extern template class props::Stepping<props::kmalloc::World, ref::kmalloc::Machine,
                                      props::kmalloc::Operation, props::kmalloc::Reach>;
