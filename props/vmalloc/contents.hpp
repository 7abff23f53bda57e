// contents: what owners keep in their pages, so that a foreign write, or a page behind two
// addresses, shows.
//
//   page   [ word ]......[ word ].........[ word ]      both ends, and a place that the stamp
//   names:
//                                                       no two stamps, and no two places, look
//                                                       alike
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace props::vmalloc {

constexpr std::size_t stamp_words = 3, stamp_bytes = 8;
using Word = std::array<std::byte, stamp_bytes>;

// Where a stamp stands in a page, and what stands there.
struct StampedWord {
  std::uint64_t offset;
  Word bytes;
};
std::array<StampedWord, stamp_words> stamp_of(std::uint32_t stamp, std::uint64_t page_bytes);

}  // namespace props::vmalloc
