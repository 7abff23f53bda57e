// world: the vmalloc window under test, what its callers know, and the steps so far.
//
//   step ──▶ machine ──▶ answer ──▶ inside, disjoint, aligned; each page behind its own address, on
//              │ yield point          every CPU; nobody's before; the guard behind nothing
//              └─▶ armed steps        │ a refusal: is there a hole, is there memory on a copy?
//                                     └─▶ at the end: is every page back on a copy?
//
// The registers are all that is known of who owns what: areas by address, pages by frame, and for
// each frame that somebody owns what he wrote there. A call that must wait is made again when its
// task is selected.
#pragma once
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "props/core/stepping.hpp"
#include "props/vmalloc/operations.hpp"
#include "props/vmalloc/ranges.hpp"
#include "props/vmalloc/reach.hpp"

namespace props::vmalloc {

using ref::core::Config;
using ref::core::Gfp;
using ref::core::Pfn;
using ref::vmalloc::Address;
using ref::vmalloc::Machine;

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
  std::uint32_t invariants_every = 0;  // of this row and those below, after every nth step; 0: at
                                       // the end
  std::uint32_t contents_every = 0;    // of all that is live, after every nth step; 0: when it goes
  std::uint32_t exhaust_every = 0;     // is every page back, after every nth step; 0: at the end
  bool model = false;                  // the naive model is asked where an area comes to lie
  bool stamps = true;
  bool reach = true;
  bool walk_at_end = true;  // invariants, and whether every page is back

  static Judging everything() {
    return {.invariants_every = 1, .contents_every = 1, .exhaust_every = 8, .model = true};
  }
  static Judging cheap() { return {}; }
  Judging scaled(std::uint64_t pages, std::uint64_t turn) const;
};

enum class AreaKind : std::uint8_t { vmalloc, vmap, ioremap, reserved, ram, kmalloc };

// What an area register holds.
struct Area {
  enum class State : std::uint8_t {
    empty,
    live,
    leaving,   // a call that takes it away runs
    deferred,  // given to vfree in an interrupt: in place until the work runs
    stale,     // gone
  };
  State state = State::empty;
  AreaKind kind = AreaKind::vmalloc;
  bool owns_pages = false;  // vfree gives them back
  Address address{};        // as answered; kept after the area is gone
  std::uint64_t first = 0;  // of its first page
  std::uint64_t bytes = 0;  // that are mapped, or could be: without the guard
  std::uint64_t guard = 0;
  std::uint32_t flags = 0;
  std::uint32_t stamp = 0;  // of memory of kmalloc; pages have theirs by frame
  Address list{};           // of its pages, as the allocator keeps it
  std::vector<Pfn> pages;   // behind it, in order
  bool operator==(const Area&) const = default;

  bool live() const { return state == State::live; }
  // Somebody's room, whoever is at it.
  bool taken() const { return state == State::live || state == State::deferred; }
  Range range() const { return {first, first + bytes + guard}; }
};

// What a page register holds.
struct Block {
  bool live = false;
  std::uint8_t order = 0;
  Pfn pfn = 0;
  bool operator==(const Block&) const = default;
};

class World final : public Stepping<World, Machine, Operation, Reach> {
 public:
  World(const Newborn&, const Judging&);
  void reset(const Newborn&, const Judging&);
  void finish();

  std::span<const Area> areas() const { return areas_; }
  std::span<const Block> blocks() const { return blocks_; }
  const Ranges& ranges() const { return ranges_; }
  bool owned(Pfn pfn) const { return contents_.contains(pfn); }
  bool suspended() const { return pending_[machine_.cpu().task].has_value(); }
  std::uint32_t waiting() const;
  bool up() const { return machine_.arena.at(machine_.vmalloc.globals, 0).up != 0; }
  // The list of the pages of an area that went without them has room of which no register knows.
  bool lost_in_window() const {
    return std::ranges::any_of(
        lost_lists_, [&](Address list) { return ref::vmalloc::is_vmalloc_addr(machine_, list); });
  }
  // Everything that what follows may hang on.
  ref::core::Hash exact_state() const;
  std::string picture() const;

 private:
  friend Stepping;
  friend class Runner;
  friend struct Planting;  // tests that make the subject wrong

  Answer run_operation(const Operation&);
  void after_step();
  const Rule* rule_of(std::string_view id) const;
  bool check_frame(Pfn, std::string_view where);
  bool check_translations(const Area&);
  void check_contents();
  void check_invariants();
  void check_empty();

  Machine scratch_;
  const Newborn* newborn_ = nullptr;
  Judging judging_;
  std::array<Area, AreaRegister::count> areas_{};
  std::array<Block, PageRegister::count> blocks_{};
  Ranges ranges_;                          // of all areas that somebody has
  std::map<Pfn, std::uint32_t> contents_;  // of frames that callers own: stamps; 0: none written
  std::vector<Pfn> lost_;                  // frames of areas that were taken away without them
  std::uint64_t lost_counted_ = 0;         // so many of them still count as vmalloc's
  std::vector<Address> lost_lists_;        // and the lists of their pages
  std::array<std::optional<Operation>, ref::core::cpus_max> pending_{};  // calls that wait
  std::uint32_t busy_ = 0;         // area registers that the interrupted step works on
  std::uint64_t busy_blocks_ = 0;  // and page registers
  std::vector<Range> lazy_;        // given back since the last flush: some CPU may still know them
  bool hidden_ = false;            // the allocator has room for itself that no caller knows of
  std::uint32_t stamps_ = 0;
};

std::span<const Rule> rules();

// Does what was put off, and gives back what caches and per-CPU lists hold.
void settle(ref::core::Env&, Machine&);

}  // namespace props::vmalloc

// Made in world.cpp, where a step and what it calls are one function.
extern template class props::Stepping<props::vmalloc::World, ref::vmalloc::Machine,
                                      props::vmalloc::Operation, props::vmalloc::Reach>;
