// kmalloc_classes: how large the slot is that kmalloc takes for a request.
//
//   slub   8 16 32 64 96 128 192 256 512 1k 2k 4k 8k  |  then whole pages, a power of two of them
//   slab        32 64 96 128 192 256 512 1k 2k 4k 8k  |
//
// These are the classes of x86. A machine whose DMA needs a larger alignment has fewer small ones.
// SLAB aligns each class to cache lines, so that where those have 64 bytes its 96 take 128 (K-3).
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace props::recorded {

// Which of Linux's two slab allocators the recorded kernel was built with.
enum class Classes : std::uint8_t { slub, slab };

std::string_view name_of(Classes);
std::optional<Classes> classes_of(std::string_view name);
std::span<const std::uint64_t> sizes_of(Classes);

// The smallest that fits; zero when there is no such power of two of pages.
std::uint64_t smallest_fit(std::uint64_t bytes, Classes);

// Whether a kernel may record a slot of `slot` bytes for a class of so many.
bool may_take(std::uint64_t slot, std::uint64_t fit, Classes);

}  // namespace props::recorded
