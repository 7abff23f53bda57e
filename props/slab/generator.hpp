// generator: draws machines and steps for a search, biased by what the world holds.
//
// Each run draws its own weights (swarm testing): operations are switched off or made frequent, the
// run leans towards filling or emptying, and knows few or many caches. Some runs do one thing
// nearly all the time: arrays hold dozens of objects, so what is behind them needs many calls.
#pragma once
#include "props/core/draw.hpp"
#include "props/slab/world.hpp"

namespace props::slab {

// Any geometry that is cheap to search: both eras, small and large pages, cache lines, debug flags,
// CPUs, nodes; a few too small to boot.
Config draw_machine(Random&);

class Generator {
 public:
  explicit Generator(Random&);  // draws the run's weights
  // Every operation as likely as the next, and no leanings: what drawn weights are measured
  // against.
  static Generator uniform();
  // The next step. Registers are chosen so that most steps are not skipped.
  World::Step draw(const World&, Random&) const;

 private:
  Generator() = default;
  World::Operation draw_once(const World&, Random&) const;
  World::Operation draw_operation(std::size_t index, const World&, Random&) const;
  Weights<Operation> weights_;
  std::uint64_t caches_ = CacheRegister::count;  // registers that the run uses, from the first on
  std::uint64_t objects_ = ObjectRegister::count;
  unsigned misuse_one_in_ = 0;
  unsigned armed_one_in_ = 0;
  bool plain_ = false;  // most caches of the run are of one size, without flags
  std::uint64_t size_ = 0;
  Gfp usual_ = 0;  // index into the gfp names that is drawn most
};

// Nearly always right: whether the step would be skipped, so that a search draws another.
bool would_skip(const World&, const Operation&);

}  // namespace props::slab
