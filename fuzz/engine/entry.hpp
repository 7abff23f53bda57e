// entry: what a fuzz target of a layer hands to its engine: run, mutate, cross over, draw.
//
//   libFuzzer      ──▶ LLVMFuzzerTestOneInput, LLVMFuzzerCustomMutator, LLVMFuzzerCustomCrossOver
//   standalone.cpp ──▶ the same, without libFuzzer
#pragma once
#include "fuzz/engine/mutate_input.hpp"
#include "fuzz/engine/target.hpp"

// libFuzzer's own mutation of bytes. Not there without libFuzzer.
extern "C" __attribute__((weak)) std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size,
                                                              std::size_t room);

namespace fuzz {

template <class L>
struct Target {
  static int run(const std::uint8_t* data, std::size_t size) {
    run_input<L>({data, size});
    return 0;
  }

  static std::size_t mutate(std::uint8_t* data, std::size_t size, std::size_t room, unsigned seed) {
    return mutator().mutate(data, size, room, seed,
                            [&](std::uint8_t* bytes, std::size_t now, std::size_t most) {
                              if (LLVMFuzzerMutate != nullptr)
                                return LLVMFuzzerMutate(bytes, now, most);
                              Random random(~std::uint64_t{seed});
                              return mutate_bytes(bytes, now, most, random);
                            });
  }

  static std::size_t cross_over(const std::uint8_t* a, std::size_t a_size, const std::uint8_t* b,
                                std::size_t b_size, std::uint8_t* out, std::size_t room,
                                unsigned seed) {
    return mutator().cross_over({a, a_size}, {b, b_size}, {out, room}, seed);
  }

  static std::size_t draw(std::uint8_t* out, std::size_t room, unsigned seed, std::size_t steps) {
    return draw_input<L>({out, room}, seed, steps);
  }

 private:
  static InputMutator<L>& mutator() {
    static InputMutator<L> mutator(mutate_by_of_environment());
    return mutator;
  }
};

}  // namespace fuzz
