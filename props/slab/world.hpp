// world: an object allocator under test, its oracle, and the steps so far.
//
//   step ──▶ machine ──▶ answer ──▶ place, zeros, construction ──▶ contents of all objects
//             │ yield point          │ refusal, or a wait
//             └─▶ armed steps        └─▶ a copy: does the page source refuse as well?
//
// The same world serves the fuzz targets, replay and minimizing.
#pragma once
#include <array>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "props/core/mixer.hpp"
#include "props/core/stepping.hpp"
#include "props/slab/objects.hpp"
#include "props/slab/operations.hpp"
#include "props/slab/reach.hpp"

namespace props::slab {

using ref::core::Config;
using ref::core::Fault;
using ref::core::Gfp;
using ref::core::Pfn;
using ref::slab::CacheId;

// A machine just after boot: made once per geometry, then copied.
struct Newborn {
  explicit Newborn(const Config& config);
  void rebase();  // whatever was done to it since is how a world of it begins
  ref::slab::Machine machine;
  std::string settled;  // buddyinfo when nothing is held back: what the end of a run must show
};

// What is judged beyond every answer.
struct Judging {
  std::uint32_t invariants_every = 0;  // all white-box invariants after every nth step; 0: at the
                                       // end only
  bool model = false;                  // the naive model is asked about calls on a cache
  Stamps stamps = Stamps::spaced;      // in live objects
  std::uint32_t contents_every = 0;    // all live objects after every nth step; 0: when they go
  std::uint32_t exhaust_every = 0;     // all freed and shrunk, on a copy; 0: at the end only
  bool reach = true;                   // what calls reached is counted
  bool walk_at_end = true;             // invariants, and all freed and shrunk, at the end

  static Judging everything() {
    return {.invariants_every = 1, .model = true, .contents_every = 1, .exhaust_every = 16};
  }
  static Judging cheap() { return {}; }
  // The same for a search, where what costs O(machine) is done the less often the larger it is.
  Judging scaled(std::uint64_t pages, std::uint64_t turn) const;
};

// What a register of caches holds.
struct HeldCache {
  enum class State : std::uint8_t {
    empty,
    live,
    leaving,  // a call that destroys it runs
    stale,    // destroyed
    lingers,  // destroyed while objects were live: it never goes (S-41)
  };
  State state = State::empty;
  CacheId id{};
  CacheCreate asked{};
};

// What a register of objects holds.
struct HeldObject {
  bool live = false;
  bool overrun = false;       // its red zone is broken
  std::uint64_t address = 0;  // kept after the object is gone
  std::uint64_t ram = 0;
  Bytes usable = 0;
  std::uint32_t stamp = 0;
  CacheId cache{};
  ref::slab::Ctor ctor = 0;
  Bytes bytes = 0;  // as asked
};

struct HeldPages {
  bool live = false;
  std::uint8_t order = 0;
  Pfn pfn = 0;
  std::uint32_t stamp = 0;
};

class World final : public Stepping<World, ref::slab::Machine, Operation, Reach> {
 public:
  World(const Newborn&, const Judging&);
  // As new; costs what was touched when the geometry is the same.
  void reset(const Newborn&, const Judging&);

  // The checks at the end of a trace.
  void finish();

  std::span<const HeldObject> objects() const { return objects_; }
  std::span<const HeldCache> caches() const { return caches_; }
  std::span<const HeldPages> pages() const { return pages_; }
  bool suspended() const { return pending_.has(machine_.cpu().task); }
  std::uint32_t waiting() const { return pending_.count(); }
  bool up() const { return slab_globals().up != 0; }
  // Something stays when all is given back: other arrays, bytes that were overwritten, a cache that
  // never goes.
  bool disturbed() const;
  // A register that a step may fill.
  bool vacant(ObjectRegister) const;
  bool vacant(CacheRegister) const;
  bool vacant(PageRegister) const;
  // Everything that what follows may hang on. Two worlds of one newborn and one judging that are
  // equal here answer every further step alike, and are judged alike.
  ref::core::Hash exact_state() const;
  // The caches, their slabs and arrays.
  std::string picture() const;

 private:
  friend Stepping;
  friend class Runner;     // the operations, one function each
  friend struct Planting;  // tests that make the subject wrong

  Answer run_operation(const Operation&);
  void after_step();
  const Rule* rule_of(std::string_view id) const;
  bool check_contents(const HeldObject&);
  bool check_contents(const HeldPages&);
  void check_all_contents();
  void check_invariants();
  void check_pages_back();
  const ref::slab::SlabGlobals& slab_globals() const {
    return machine_.arena.at(machine_.slab.globals, 0);
  }

  ref::slab::Machine scratch_;
  const std::string* settled_ = nullptr;
  Judging judging_;
  Objects ledger_;
  std::array<HeldObject, ObjectRegister::count> objects_{};
  std::array<HeldCache, CacheRegister::count> caches_{};
  std::array<HeldPages, PageRegister::count> pages_{};
  WaitingCalls<Operation> pending_;
  struct WrittenAfterFree {
    std::uint64_t address, ram;  // of the object, of the byte
    CacheId cache;
    std::byte value;
  };
  std::vector<WrittenAfterFree> written_after_free_;
  bool overwrote_ = false;  // somebody wrote where nobody may
  bool retuned_ = false;    // arrays were exchanged, and with them what boot made
  std::uint32_t stamps_ = 0;
};

// How a machine is when nobody holds anything back: all caches shrunk, per-CPU lists empty.
void settle(ref::slab::Machine&);

}  // namespace props::slab

// Made in world.cpp, where a step and what it calls are one function.
extern template class props::Stepping<props::slab::World, ref::slab::Machine,
                                      props::slab::Operation, props::slab::Reach>;
