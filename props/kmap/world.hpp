// world: mappings of high memory under test, their oracle, and the steps so far.
//
//   step ──▶ machine ──▶ answer ──▶ slot, address, balance ──▶ each CPU's translation, contents
//             │ yield point          │ a wait, or a refusal
//             └─▶ armed steps        └─▶ is there really no slot without users?
//
// An armed step is an interrupt on this CPU, unless it first selects another one. What an interrupt
// mapped for a moment and forgot is unmapped when it ends. The world never aborts for what the
// subject did: a broken rule is a value, and after it nothing more runs.
#pragma once
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "props/core/mixer.hpp"
#include "props/core/stepping.hpp"
#include "props/kmap/contents.hpp"
#include "props/kmap/operations.hpp"
#include "props/kmap/reach.hpp"
#include "props/kmap/slots.hpp"

namespace props::kmap {

using ref::core::Config;
using ref::core::Fault;
using ref::core::Gfp;

// A machine just after boot: made once per geometry, then copied.
struct Newborn {
  explicit Newborn(const Config& config);
  void rebase();  // whatever was done to it since is how a world of it begins
  ref::kmap::Machine machine;
  std::string settled;  // buddyinfo when nothing is held back
};

// What is judged beyond every answer.
struct Judging {
  std::uint32_t invariants_every = 0;  // all white-box invariants after every nth step; 0: at the
                                       // end only
  bool model = false;                  // the naive model is asked about calls on slots
  Stamps stamps = Stamps::ends;        // in mapped pages
  std::uint32_t contents_every = 0;    // all live maps after every nth step; 0: at the end only
  std::uint32_t exhaust_every = 0;     // all slots taken, all maps ended, on copies; 0: at the end
  bool reach = true;                   // what calls reached is counted
  bool walk_at_end = true;             // invariants, and those copies, at the end

  static Judging everything() {
    return {.invariants_every = 1,
            .model = true,
            .stamps = Stamps::spaced,
            .contents_every = 1,
            .exhaust_every = 8};
  }
  static Judging cheap() { return {}; }
  // The same for a search, where what costs O(machine) is done the less often the larger it is.
  Judging scaled(std::uint64_t pages, std::uint64_t turn) const;
};

// What a register of maps holds; kept after the map is gone.
struct HeldMap {
  enum class Kind : std::uint8_t { none, persistent, atomic, local };
  Kind kind = Kind::none;
  bool live = false;
  bool high = false;    // of a page without a direct address
  bool lost = false;    // somebody's unmap out of order ended it; its caller does not know
  bool inside = false;  // made by the interrupt that runs
  KmType type = KmType::KM_USER0;
  std::uint8_t cpu = 0, task = 0;
  Pfn pfn = 0;
  std::uint64_t address = 0;
  std::uint64_t serial = 0;  // counts maps: larger is newer
  bool temporary() const { return kind == Kind::atomic || kind == Kind::local; }
};

struct HeldPages {
  bool live = false;
  bool compound = false;
  std::uint8_t order = 0;
  Pfn pfn = 0;
};

// What stands on a task's stack of temporary maps, as its callers made it (linux-6.1).
struct Stacked {
  std::uint64_t address;
  Pfn pfn;
};

class World final : public Stepping<World, ref::kmap::Machine, Operation, Reach> {
 public:
  World(const Newborn&, const Judging&);
  // As new; costs what was touched when the geometry is the same.
  void reset(const Newborn&, const Judging&);

  // The checks at the end of a trace.
  void finish();

  std::span<const HeldMap> maps() const { return maps_; }
  std::span<const HeldPages> pages() const { return pages_; }
  const Slots& slots() const { return slots_; }
  bool suspended() const { return pending_[machine_.cpu().task].has_value(); }
  std::uint32_t waiting() const;  // so many calls, each of a task of its own
  bool waits_for_slot(std::uint32_t task) const;
  bool up() const { return ref::mmu::is_up(machine_); }
  bool stacked() const;  // temporary maps are a stack of the task, not slots by type
  std::size_t depth(std::uint32_t task) const { return stack_[task].size(); }
  // A register that a step may fill.
  bool vacant(MapRegister) const;
  bool vacant(PageRegister) const;
  // The frame that an operation names; nothing where the register is empty or the block smaller.
  std::optional<Pfn> frame(PageRegister, IndexArg) const;
  // Whether this CPU, in what it is doing, can use a temporary map.
  bool usable(const HeldMap&) const;
  bool pinned(const HeldPages&) const;  // somebody maps a page of it, or waits to
  // The register of a live persistent map of a page, the newest.
  std::optional<std::size_t> mapped_by(Pfn) const;
  // Everything that what follows may hang on. Two worlds of one newborn and one judging that are
  // equal here answer every further step alike, and are judged alike.
  ref::core::Hash exact_state() const;
  // The slots, and who has them.
  std::string picture() const;

 private:
  friend Stepping;
  friend class Runner;     // the operations, one function each
  friend struct Planting;  // tests that make the subject wrong

  Answer run_operation(const Operation&);
  void interrupted() { interrupted_ = machine_.globals().cpu; }
  void interrupt_ends();
  void after_step();
  const Rule* rule_of(std::string_view id) const;
  // Whether each CPU that can use a map reads its page through its address.
  bool check_translation(const HeldMap&);
  void check_all_contents();
  void forget_contents(Pfn first, Pfn pages);  // of pages that somebody else writes
  void check_invariants();
  void check_capacity();
  void check_returned();

  ref::kmap::Machine scratch_;
  const std::string* settled_ = nullptr;
  Judging judging_;
  Slots slots_;
  std::array<HeldMap, MapRegister::count> maps_{};
  std::array<HeldPages, PageRegister::count> pages_{};
  std::map<Pfn, std::uint32_t> stamp_;  // of pages that somebody wrote through a map
  std::array<std::vector<Stacked>, ref::core::cpus_max> stack_;          // by task
  std::array<std::optional<Operation>, ref::core::cpus_max> pending_{};  // by task: what waits
  std::uint32_t interrupted_ = 0;  // the CPU that an armed step interrupts
  bool searched_ = false;          // a slot was handed out since boot
  std::uint32_t stamps_ = 0;
  std::uint64_t serial_ = 0;
};

}  // namespace props::kmap

// Made in world.cpp, where a step and what it calls are one function.
extern template class props::Stepping<props::kmap::World, ref::kmap::Machine,
                                      props::kmap::Operation, props::kmap::Reach>;
