// waste: how much of what is handed out was not asked for, found by asking the reference.
//
//   asked    1 ... 32   33 ... 64   65 ... 128       a step: sizes that are answered alike
//   usable      32         64          128           lost: (usable - asked) / usable
//
// Sizes are asked from 1 upwards until one is refused, at both ends of each step: a curve tells of
// every size, and no formula of the allocator is known here.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

struct WasteStep {
  std::uint64_t first, last, usable;  // bytes
};

struct WasteCurve {
  std::string_view interface;  // "kmalloc"
  std::string_view era;
  std::string machine;  // on which it was asked, as a machine line
  std::vector<WasteStep> steps;

  std::uint64_t limit() const { return steps.empty() ? 0 : steps.back().last; }
};

// Of both eras: kmalloc, alloc_pages, alloc_pages_exact.
std::vector<WasteCurve> waste_curves();

struct Lost {
  double worst = 0, mean = 0;  // of 1, over all sizes of a range
};
// Over the sizes from `first` to `last` that the curve has.
Lost lost(const WasteCurve&, std::uint64_t first, std::uint64_t last);

std::string waste_text(const std::vector<WasteCurve>&);  // tables, and a plot for a terminal
std::string waste_svg(const std::vector<WasteCurve>&);

}  // namespace fuzz
