// generator: draws machines and steps for a search, biased by what the world holds.
//
// Each run draws its own weights (swarm testing): operations are switched off or made frequent, and
// the run leans towards some sizes: those of one class, those beside a class's end, or any.
#pragma once
#include "props/core/draw.hpp"
#include "props/kmalloc/world.hpp"

namespace props::kmalloc {

// Any geometry on which the general caches fit, and cheap to search.
Config draw_machine(Random&);

class Generator {
 public:
  explicit Generator(Random&);  // draws the run's weights
  static Generator uniform();   // every operation as likely as the next, and no leanings
  World::Step draw(const World&, Random&) const;

 private:
  Generator() = default;
  World::Operation draw_once(const World&, Random&) const;
  World::Operation draw_operation(std::size_t index, const World&, Random&) const;
  Weights<Operation> weights_;
  std::uint64_t registers_ = ObjectRegister::count;  // that the run uses, from the first on
  std::uint64_t size_ = 0;                           // that the run prefers; 0: none
  unsigned misuse_one_in_ = 0;
  unsigned armed_one_in_ = 0;
  Gfp usual_ = 0;  // index into the gfp names that is drawn most
};

}  // namespace props::kmalloc
