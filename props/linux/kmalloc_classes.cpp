// kmalloc_classes: the two tables.
#include "props/linux/kmalloc_classes.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

namespace props::recorded {
namespace {

constexpr std::array<std::uint64_t, 13> slub_sizes{8,   16,  32,   64,   96,   128, 192,
                                                   256, 512, 1024, 2048, 4096, 8192};
constexpr std::span slab_sizes = std::span(slub_sizes).subspan<2>();
static_assert(slab_sizes.front() == 32);

}  // namespace

std::string_view name_of(Classes classes) { return classes == Classes::slub ? "slub" : "slab"; }

std::optional<Classes> classes_of(std::string_view name) {
  for (const Classes classes : {Classes::slub, Classes::slab})
    if (name == name_of(classes)) return classes;
  return std::nullopt;
}

std::span<const std::uint64_t> sizes_of(Classes classes) {
  return classes == Classes::slub ? std::span<const std::uint64_t>(slub_sizes) : slab_sizes;
}

std::uint64_t smallest_fit(std::uint64_t bytes, Classes classes) {
  const auto sizes = sizes_of(classes);
  const auto fit = std::ranges::lower_bound(sizes, bytes);
  if (fit != sizes.end()) return *fit;
  constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max() / 2 + 1;
  return bytes > largest ? 0 : std::bit_ceil(bytes);
}

bool may_take(std::uint64_t slot, std::uint64_t fit, Classes classes) {
  return slot == fit || (classes == Classes::slab && fit == 96 && slot == 128);
}

}  // namespace props::recorded
