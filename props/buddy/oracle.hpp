// oracle: judges a page allocator by what a client sees, and by nothing else.
//
//   frame    0   1   2   3   4   5   6   7         owned: given out, reserved, or lost by a fault
//          [ own ][  free ][     free     ]        U = the rest; D(U) = its maximal aligned blocks
//   D(U)            order 1    order 2
//
// Any placement inside U is legal. A refusal is not legal while an allowed zone holds a block of
// D(U) that passes the strictest watermark: that is what "must grant" means. Per-CPU lists can hide
// such a block for a while, so a world asks again on a settled copy before it accuses.
//
//   word   63..0          a bit for each of 64 frames: owned       frame = origin + 64 * word + bit
//   tree       2          1 + the order of the largest block of D(U) below
//            1   2        the leaves are the words
//
// A block that changes hands changes its words. The tree is asked only when a request was refused,
// so it is brought up to date then, and only where words have changed since.
#pragma once
#include <array>
#include <memory>
#include <vector>

#include "props/core/mixer.hpp"
#include "props/core/violation.hpp"
#include "ref/core/arena.hpp"
#include "ref/core/config.hpp"
#include "ref/core/gfp.hpp"

namespace props::buddy {

using ref::core::Config;
using ref::core::Gfp;
using ref::core::Pfn;
using ref::core::ZoneKind;

// What was asked, as far as its answer is judged.
struct Ask {
  unsigned order = 0;
  ZoneKind highest = ZoneKind::normal;  // of the zones allowed
  std::uint32_t node = 0;               // whose zones come first
  bool this_node = false;               // and no other's
};

struct FreeBlock {
  Pfn pfn;
  unsigned order;
};

class PageOracle {
 public:
  explicit PageOracle(const Config&);

  // A block was handed out. Judges alignment, bounds, overlap and zone, then owns it, and answers
  // its zone. `nowhere`: a rule is broken, and nothing has changed; `misplaced` tells which.
  static constexpr std::uint32_t nowhere = UINT32_MAX;
  [[nodiscard]] std::uint32_t take(Pfn, unsigned order, const Ask&);
  Finding misplaced(Pfn, unsigned order, const Ask&) const;
  // Both in one.
  [[nodiscard]] std::optional<Finding> granted(Pfn, unsigned order, const Ask&);
  // An owner gave a block back, or gave up part of one.
  void released(Pfn, unsigned order);
  // Frames that nobody will see again: a fault lost them, maybe from under nobody.
  void lost(Pfn first, std::uint32_t pages);

  // True when no zone that the request may use exists, or its order is beyond the machine.
  bool must_refuse(const Ask&) const;
  // True when a settled allocator has to serve the request.
  bool must_grant(const Ask&) const;

  // The sysctl files that the strictest watermark depends on.
  void set_min_free_kbytes(std::uint32_t kbytes);
  void set_lowmem_reserve_ratio(ZoneKind, std::uint32_t ratio);

  // The low mark of a zone, and what a request from `highest` down must leave, recomputed naively.
  std::uint64_t low_mark(std::uint32_t zone) const { return marks_.low[zone]; }
  std::uint64_t reserve(std::uint32_t zone, ZoneKind highest) const {
    return marks_.reserve[zone][static_cast<std::size_t>(highest)];
  }

  bool is_free(Pfn, unsigned order) const;  // wholly in U
  std::uint64_t unowned(std::uint32_t zone) const { return unowned_[zone]; }
  std::uint64_t unowned() const { return unowned_all_; }
  std::uint64_t managed() const { return managed_all_; }
  // D(U) of a zone, in address order, blocks no larger than the machine's largest order.
  std::vector<FreeBlock> free_blocks(std::uint32_t zone) const;
  std::optional<std::uint32_t> zone_of(Pfn pfn) const {
    for (std::uint32_t z = 0; z < config_.zone_count; ++z)
      if (pfn - config_.zones[z].first < config_.zones[z].pages) return z;
    return std::nullopt;
  }
  // What is owned now is where copies begin: restoring them costs what was touched since.
  void rebase();
  const Config& config() const { return config_; }
  void add_to(Mixer&) const;  // all that its judgement hangs on

 private:
  struct Zone {
    std::uint64_t origin;      // position 0 is this frame
    unsigned height;           // the tree covers 2^height frames, 64 at least
    std::uint64_t first_word;  // position p is bit p % 64 of word first_word + p / 64
    std::uint64_t words;
    ref::core::Table<std::uint8_t> node;  // [1] is the root; [words + w] tells of word w
  };
  struct Marks {
    std::array<std::uint64_t, ref::core::zones_max> low;
    std::array<std::array<std::uint64_t, ref::core::zone_kinds>, ref::core::zones_max> reserve;
  };
  void mark(std::uint32_t zone, std::uint64_t position, unsigned order, bool free);
  void mark_range(std::uint32_t zone, Pfn first, std::uint64_t pages, bool free);
  std::uint64_t& change_word(std::uint64_t word);
  void tell_parents(const Zone&, std::uint64_t node) const;
  void tell_tree() const;
  bool is_free_in(const Zone&, std::uint64_t position, unsigned order) const;
  void collect(const Zone&, std::uint64_t node, unsigned level, std::vector<FreeBlock>&) const;
  void collect_word(const Zone&, std::uint64_t word, std::vector<FreeBlock>&) const;
  bool allowed(std::uint32_t zone, const Ask&) const;
  bool passes_strictest(std::uint32_t zone, const Ask&) const;
  void recompute_marks();

  Config config_;
  // Arenas, so that a reset costs what was touched.
  ref::core::Arena arena_;
  ref::core::Table<std::uint64_t> word_;  // a bit for each position of each zone: not in U
  // What the words say, as far as it was asked for: telling it of changes changes no answer.
  mutable ref::core::Arena tree_;
  ref::core::Table<std::uint8_t> untold_at_;   // of a word: it is in untold_
  mutable std::vector<std::uint32_t> untold_;  // words that changed since
  std::array<Zone, ref::core::zones_max> zone_{};
  std::array<std::uint64_t, ref::core::zones_max> unowned_{};
  std::uint64_t unowned_all_ = 0, managed_all_ = 0;  // of all zones
  std::uint32_t min_free_kbytes_ = 0;
  std::array<std::uint32_t, 2> ratio_{};
  Marks marks_{};
};

}  // namespace props::buddy
