// workload: one stream of steps, the same for every way of running it.
//
//   step   0        1        2       ...        each names a register and toggles it: a block is
//          p17=     p3=      free p17           taken where there is none and given back where one
//          is
//
// So a bare allocator, a judged one and one with every check can be compared step by step.
#pragma once
#include <cstdint>
#include <vector>

#include "props/buddy/layer.hpp"
#include "props/core/random.hpp"

namespace bench {

using L = props::buddy::Layer;

struct Toggle {
  std::uint8_t reg;
  bool takes;
  std::uint8_t order;
};

// `length` toggles, mostly of small orders; afterwards every register is empty, so a stream can be
// run again and again.
std::vector<Toggle> draw_toggles(std::uint64_t length, std::uint64_t seed);
std::vector<L::Step> steps_of(const std::vector<Toggle>&, ref::core::EraId);

// About a hundred pages in three zones: what the engines mostly see.
ref::core::Config small_machine(ref::core::EraId);
// 2^20 pages in the three zones of a 4 GiB machine.
ref::core::Config large_machine(ref::core::EraId);
// A large machine of which 70 % belong to owners that no register knows, in scattered blocks.
L::Newborn crowded(const ref::core::Config&);

}  // namespace bench
