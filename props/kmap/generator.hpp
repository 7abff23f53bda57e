// generator: draws machines and steps for a search, biased by what the world holds.
//
// Each run draws its own weights (swarm testing): operations are switched off or made frequent, the
// run leans towards filling or emptying, and knows few or many pages and maps. Slots must run out
// and wrap again and again, so windows are small, and blocks of pages large.
#pragma once
#include "props/core/random.hpp"
#include "props/kmap/world.hpp"

namespace props::kmap {

// Any geometry that is cheap to search: both eras, small and large pages, windows of 2 to 16 slots,
// 1 to 8 CPUs; a few without slots, or too small for a window.
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
  void add_up();
  World::Operation draw_once(const World&, Random&) const;
  World::Operation draw_operation(std::size_t index, const World&, Random&) const;
  std::array<std::uint16_t, Reach::operations> weight_{};
  std::array<std::uint32_t, Reach::operations> up_to_{};  // of the weights so far
  std::uint32_t total_ = 0;
  std::uint64_t maps_ = MapRegister::count;  // registers that the run uses, from the first on
  std::uint64_t blocks_ = 8;
  unsigned misuse_one_in_ = 0;
  unsigned armed_one_in_ = 0;
  unsigned order_ = 3;
};

// Nearly always right: whether the step would be skipped, so that a search draws another.
bool would_skip(const World&, const Operation&);

}  // namespace props::kmap
