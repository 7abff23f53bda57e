// Makes stamps by odd multipliers, so that neighbours differ.
#include "props/vmalloc/contents.hpp"

namespace props::vmalloc {

std::array<StampedWord, stamp_words> stamp_of(std::uint32_t stamp, std::uint64_t page_bytes) {
  const std::uint64_t words = page_bytes / stamp_bytes;
  const std::array<std::uint64_t, stamp_words> at{0, 1 + stamp * 7919u % (words - 2), words - 1};
  std::array<StampedWord, stamp_words> out{};
  for (std::size_t i = 0; i < stamp_words; ++i) {
    out[i].offset = at[i] * stamp_bytes;
    for (std::size_t b = 0; b < stamp_bytes; ++b) {
      const std::uint64_t mixed = (std::uint64_t{stamp} + 1) * 0x9e3779b97f4a7c15 ^
                                  (at[i] * stamp_bytes + b + 1) * 0xbf58476d1ce4e5b9;
      out[i].bytes[b] = static_cast<std::byte>(mixed >> 56 ^ mixed >> 29);
    }
  }
  return out;
}

}  // namespace props::vmalloc
