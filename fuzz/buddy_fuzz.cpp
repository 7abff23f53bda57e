// Searches for a trace that breaks a rule of the page allocator.
#include "fuzz/engine/target.hpp"
#include "props/buddy/layer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::run_input<props::buddy::Layer>({data, size});
  return 0;
}
