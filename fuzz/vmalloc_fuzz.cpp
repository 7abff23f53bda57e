// Searches for a trace that breaks a rule of the vmalloc window.
#include "fuzz/engine/entry.hpp"
#include "props/vmalloc/layer.hpp"

using Target = fuzz::Target<props::vmalloc::Layer>;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return Target::run(data, size);
}
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t room, unsigned seed) {
  return Target::mutate(data, size, room, seed);
}
extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* a, std::size_t a_size,
                                                 const std::uint8_t* b, std::size_t b_size,
                                                 std::uint8_t* out, std::size_t room,
                                                 unsigned seed) {
  return Target::cross_over(a, a_size, b, b_size, out, room, seed);
}
extern "C" std::size_t allocheck_draw_input(std::uint8_t* out, std::size_t room, unsigned seed,
                                            std::size_t steps) {
  return Target::draw(out, room, seed, steps);
}
