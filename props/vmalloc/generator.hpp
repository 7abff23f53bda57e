// generator: draws machines and steps for a search, biased by what the world holds.
//
// Each run draws its own weights (swarm testing): operations are switched off or made frequent, and
// the run leans towards some sizes. A window is small, so that it fills, is purged and used again;
// CPUs look ahead at areas that live, and at those that are gone.
#pragma once
#include "props/core/random.hpp"
#include "props/vmalloc/world.hpp"

namespace props::vmalloc {

// Any geometry with a window, on which the general caches fit, and cheap to search.
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
  void add_up();
  std::array<std::uint16_t, Reach::operations> weight_{};
  std::array<std::uint32_t, Reach::operations> up_to_{};  // of the weights so far
  std::uint32_t total_ = 0;
  std::uint32_t registers_ = AreaRegister::count;  // that the run uses, from the first on
  std::uint64_t pages_ = 0;                        // of an area that the run prefers; 0: none
  unsigned misuse_one_in_ = 0;
  unsigned armed_one_in_ = 0;
};

}  // namespace props::vmalloc
