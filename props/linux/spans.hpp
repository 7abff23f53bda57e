// spans: what is known of the frames, as intervals in order of frame numbers.
#pragma once
#include <cstdint>

#include "props/linux/intervals.hpp"

namespace props::recorded {

// A block as its event announced it.
struct Block {
  std::uint64_t pfn = 0;
  std::uint8_t order = 0;
  std::uint64_t line = 0;  // of the event that allocated it
  bool operator==(const Block&) const = default;
};

// `freed` and `batched` are a free of which one of the two events was seen; `both` had both.
enum class Owner : std::uint8_t { live, freed, batched, both };

struct Span {
  std::uint64_t first = 0;
  std::uint64_t end = 0;        // first frame behind
  std::uint64_t block_pfn = 0;  // a live piece remembers the whole block; zero when free
  std::uint64_t line = 0;
  std::uint8_t order = 0;
  Owner owner = Owner::live;

  Block block() const { return {block_pfn, order, line}; }
};

inline Span live_span(const Block& block) {
  return {block.pfn,  block.pfn + (1ull << block.order), block.pfn, block.line, block.order,
          Owner::live};
}
inline Span free_span(std::uint64_t first, std::uint64_t end, Owner owner) {
  return {first, end, 0, 0, 0, owner};
}

using Spans = Intervals<Span>;

}  // namespace props::recorded
