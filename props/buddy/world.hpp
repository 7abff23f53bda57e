// world: a page allocator under test, its oracles, and the steps so far.
//
//   step ──▶ classify ──▶ machine ──▶ answer ──▶ oracle: legal? ──▶ contents, references
//                           │ yield point               │ refusal that looks wrong
//                           └─▶ armed steps             └─▶ settle a copy, ask again
//
// The same world serves the fuzz targets, the properties, replay and minimizing.
#pragma once
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "props/buddy/contents.hpp"
#include "props/buddy/model.hpp"
#include "props/buddy/operations.hpp"
#include "props/buddy/oracle.hpp"
#include "props/buddy/reach.hpp"
#include "props/buddy/touched.hpp"
#include "props/core/stepping.hpp"

namespace props::buddy {

// A machine and its oracle just after boot: made once per geometry, then copied.
struct Newborn {
  explicit Newborn(const Config& config);
  void rebase();  // whatever was done to it since is how a world of it begins
  ref::buddy::Machine machine;
  PageOracle oracle;
};

// What is judged beyond every answer.
struct Judging {
  std::uint32_t invariants_every =
      0;               // all white-box invariants after every nth step; 0: at the end only
  bool model = false;  // the naive exact model runs beside
  std::uint32_t model_every = 1;    // its lists are compared after every nth step
  Stamps stamps = Stamps::ends;     // in live blocks
  bool touched = false;             // after every step, the invariants of what it touched
  std::uint32_t exhaust_every = 0;  // exhaustion probe after every nth step; 0: at the end only
  bool reach = true;                // what calls reached is counted
  bool walk_at_end = true;          // invariants and exhaustion at the end

  static Judging everything() {
    return {.invariants_every = 1, .model = true, .stamps = Stamps::spaced, .exhaust_every = 1};
  }
  static Judging cheap() { return {}; }
  // The same for a search, where what costs O(pages) is done the less often the larger the machine
  // is. Runs take turns with the checks at the end; `turn` is the run's number.
  Judging scaled(std::uint64_t pages, std::uint64_t turn) const;
};

// What a register holds.
struct Block {
  bool live = false;
  bool exact = false;  // from alloc_pages_exact: `pages` single pages
  bool compound = false;
  std::uint8_t order = 0;
  std::uint8_t zone = 0;  // asked once per block
  std::uint16_t flags = 0;
  Pfn pfn = 0;  // kept after the block is gone: what free_stale frees
  std::uint32_t pages = 0;
  std::uint32_t references = 0;
  std::uint32_t stamp = 0;  // identity of its contents; 0: none written
  std::uint64_t bytes = 0;  // as asked, of exact blocks
  std::uint64_t ram = 0;    // where its memory begins
  std::uint32_t mapcount = 0;
  std::uint32_t private_data = 0;
  bool operator==(const Block&) const = default;
};

// The rules of this layer.
std::span<const Rule> rules();

class World final : public Stepping<World, ref::buddy::Machine, Operation, Reach> {
 public:
  World(const Newborn&, const Judging&);
  // As new; costs what was touched when the geometry is the same.
  void reset(const Newborn&, const Judging&);

  // The checks at the end of a trace.
  void finish();

  const PageOracle& oracle() const { return oracle_; }
  std::span<const Block> blocks() const { return blocks_; }
  std::uint64_t live() const { return live_; }  // bit r: register r holds a live block
  std::uint64_t taken() const;                  // or a call that waits will fill it
  bool suspended() const { return ref::buddy::is_suspended(machine_); }  // the running task waits
  std::uint32_t waiting() const { return waiting_; }  // so many calls, each of a task of its own
  // Everything that what follows may hang on: machine, oracles, registers, what waits. Two worlds
  // of one newborn and one judging that are equal here answer every further step alike, and are
  // judged alike.
  ref::core::Hash exact_state() const;
  // The zones as rows of frames; '.' free, a digit for a live block's order, and so on.
  std::string picture() const;

 private:
  friend Stepping;
  friend class Runner;  // the operations, one function each

  // How a call names what it allocates.
  enum class By : std::uint8_t { page, address, exact };
  // What a suspended task will put into a register.
  struct Pending {
    bool waits = false;
    By by = By::page;
    std::uint8_t out = 0;
    unsigned order = 0;
    Gfp gfp = 0;
    std::uint64_t bytes = 0;
  };

  Answer run_operation(const Operation&);
  void interrupted();
  void after_step();
  const Rule* rule_of(std::string_view id) const { return find_rule(rules(), id); }
  void check_marks();
  void check_model();
  bool check_content(const Block&);
  void check_contents();
  void check_owners();
  void check_invariants();
  void exhaust();
  void begin_reach();

  ref::buddy::Machine scratch_;
  PageOracle oracle_, scratch_oracle_;
  std::optional<Model> model_;
  bool model_stale_ = false;  // something happened that the model does not follow: it starts anew
  Judging judging_;
  bool looks_after_steps_ = false;
  std::array<Block, PageRegister::count> blocks_{};
  std::uint64_t live_ = 0;  // of those, by bit
  static_assert(PageRegister::count == 64);
  std::array<Pending, ref::core::cpus_max> pending_{};  // by task
  std::uint32_t waiting_ = 0;                           // how many of them wait
  Touched touched_;                                     // by the step that runs
  TouchedCheck touched_check_;
  Pfn leaving_first_ = 0, leaving_pages_ = 0;     // an exact block that goes back page by page
  std::uint8_t busy_first_ = 0, busy_count_ = 0;  // registers that the interrupted step will fill
  std::uint32_t stamps_ = 0;
  std::uint64_t tenths_per_page_ = 0;  // of the managed pages, in units of 2^-32
};

}  // namespace props::buddy

// Made in world.cpp, where a step and what it calls are one function.
extern template class props::Stepping<props::buddy::World, ref::buddy::Machine,
                                      props::buddy::Operation, props::buddy::Reach>;
