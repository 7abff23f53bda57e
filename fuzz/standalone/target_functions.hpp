// standalone: what a fuzz target exports, for a main of our own instead of libFuzzer's.
#pragma once
#include <cstddef>
#include <cstdint>

extern "C" {
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t room,
                                    unsigned seed);
std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* a, std::size_t a_size,
                                      const std::uint8_t* b, std::size_t b_size, std::uint8_t* out,
                                      std::size_t room, unsigned seed);
std::size_t allocheck_draw_input(std::uint8_t* out, std::size_t room, unsigned seed,
                                 std::size_t steps);
}
