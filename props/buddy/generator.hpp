// generator: draws machines and steps for a search, biased by what the world holds.
//
// Each run draws its own weights (swarm testing): operations are switched off or made frequent, a
// preferred order and gfp are chosen, and the run leans towards filling or emptying. Some runs do
// one thing nearly all the time, or know only a few blocks: what needs many steps on one block is
// met by no average run.
#pragma once
#include "props/buddy/world.hpp"
#include "props/core/draw.hpp"

namespace props::buddy {

// Any geometry that is cheap to search: both eras, one to three zones, holes, reserved frames, odd
// starts, CPUs, nodes, watermarks.
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
  World::Operation draw_once(const World&, Random&) const;  // whatever becomes of it
  Generator() = default;
  World::Operation draw_operation(std::size_t index, const World&, Random&) const;
  Weights<Operation> weights_;
  std::uint64_t registers_ = PageRegister::count;  // that the run uses, from the first on
  unsigned order_bias_ = 0;                        // most requests are of at most this order
  unsigned misuse_one_in_ = 0;
  unsigned armed_one_in_ = 0;
  Gfp usual_ = 0;  // index into the gfp names that is drawn most
};

}  // namespace props::buddy
