// world: an object allocator under test, its oracle, and the steps so far.
//
//   step ──▶ machine ──▶ answer ──▶ place, zeros, construction ──▶ contents of all objects
//             │ yield point          │ refusal, or a wait
//             └─▶ armed steps        └─▶ a copy: does the page source refuse as well?
//
// The same world serves the fuzz targets, replay and minimizing. It never aborts for what the
// subject did: a broken rule is a value, and after it nothing more runs.
#pragma once
#include <array>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "props/core/mixer.hpp"
#include "props/core/trace.hpp"
#include "props/core/violation.hpp"
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

class World final : private ref::core::Env {
 public:
  using Operation = props::slab::Operation;
  using Step = props::Step<Operation>;

  World(const Newborn&, const Judging&);
  // As new; costs what was touched when the geometry is the same.
  void reset(const Newborn&, const Judging&);

  // Runs a step. An armed one only waits, and answers ok. After a violation nothing runs any more.
  Answer apply(const Step&);
  // The checks at the end of a trace.
  void finish();

  const std::optional<Violation>& violation() const { return violation_; }
  const ref::slab::Machine& machine() const { return machine_; }
  std::span<const HeldObject> objects() const { return objects_; }
  std::span<const HeldCache> caches() const { return caches_; }
  std::span<const HeldPages> pages() const { return pages_; }
  const Reach& reach() const { return reach_; }
  std::size_t steps() const { return step_; }
  bool suspended() const { return pending_[machine_.cpu().task].has_value(); }
  std::uint32_t waiting() const;  // so many calls, each of a task of its own
  bool up() const { return slab_globals().up != 0; }
  // Something stays when all is given back: other arrays, bytes that were overwritten, a cache that
  // never goes.
  bool disturbed() const;
  // A register that a step may fill.
  bool vacant(ObjectRegister) const;
  bool vacant(CacheRegister) const;
  bool vacant(PageRegister) const;
  ref::core::Hash digest() const;
  // Everything that what follows may hang on. Two worlds of one newborn and one judging that are
  // equal here answer every further step alike, and are judged alike.
  ref::core::Hash exact_state() const;
  // The caches, their slabs and arrays.
  std::string picture() const;

 private:
  friend class Runner;     // the operations, one function each
  friend struct Planting;  // tests that make the subject wrong

  void at(ref::core::Point) override;
  bool reclaim(const ref::core::ReclaimRequest&) override { return false; }

  Answer run(const Operation&);
  [[gnu::cold]] void break_rule(std::string_view rule, std::string expected, std::string actual);
  void break_rule(const Finding& f) { break_rule(f.rule, f.expected, f.actual); }
  bool broken() const { return violation_.has_value(); }
  void skip_armed();
  void expect_answer(Answer demanded, Answer given);
  void after_step();
  bool check_contents(const HeldObject&);
  bool check_contents(const HeldPages&);
  void check_all_contents();
  void check_invariants();
  void check_pages_back();
  const ref::slab::SlabGlobals& slab_globals() const {
    return machine_.arena.at(machine_.slab.globals, 0);
  }

  ref::slab::Machine machine_, scratch_;
  const std::string* settled_ = nullptr;
  Judging judging_;
  Objects ledger_;
  std::array<HeldObject, ObjectRegister::count> objects_{};
  std::array<HeldCache, CacheRegister::count> caches_{};
  std::array<HeldPages, PageRegister::count> pages_{};
  std::array<std::optional<Operation>, ref::core::cpus_max> pending_{};  // by task: what waits
  std::vector<Step> armed_;
  struct WrittenAfterFree {
    std::uint64_t address, ram;  // of the object, of the byte
    CacheId cache;
    std::byte value;
  };
  std::vector<WrittenAfterFree> written_after_free_;
  const Operation* running_ = nullptr;  // the interrupted operation: it will fill its registers
  bool inside_ = false;                 // an armed step runs
  bool interleaved_ = false;  // one ran during this step, so its refusal may have been right then
  bool overwrote_ = false;    // somebody wrote where nobody may
  bool retuned_ = false;      // arrays were exchanged, and with them what boot made
  std::size_t step_ = 0;
  std::uint32_t stamps_ = 0;
  Reach reach_;
  std::optional<Violation> violation_;
};

// How a machine is when nobody holds anything back: all caches shrunk, per-CPU lists empty.
void settle(ref::slab::Machine&);

}  // namespace props::slab
