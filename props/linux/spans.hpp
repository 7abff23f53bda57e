// spans: what is known of the frames, as intervals in order of frame numbers.
//
//   leaves   [0x1000 ....][0x8a40 ....][0x22000 ...]     found by binary search
//                 |             |            |
//   chunks   [span span ..][span ...  ][span .....]      at most 128 spans, sorted, contiguous
//
// A block costs one span whatever its order is. A tree of nodes would need a dozen cache misses for
// each event of a long recording; this needs two or three and moves a few kilobytes at worst.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

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

class Spans {
 public:
  // A place between or at spans; invalid after an insertion or removal elsewhere.
  struct Place {
    std::size_t leaf = 0;
    std::size_t index = 0;
    bool operator==(const Place&) const = default;
  };

  // The first span that has a frame at or above `pfn`.
  Place first_reaching(std::uint64_t pfn) const;
  bool at_end(const Place& place) const { return place.leaf == leaves_.size(); }
  Span& at(const Place& place) { return chunks_[leaves_[place.leaf].chunk]->spans[place.index]; }
  Place next(Place place) const;
  // Answers the place behind what was removed.
  Place erase(const Place& place);
  // Makes [span.first, span.end) one span; what other spans have outside of it, they keep.
  void assign(const Span& span);
  // The same where the caller knows that no span overlaps and that `place` is the next one.
  void insert(Place place, const Span& span);
  void clear();
  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t chunk_spans = 128;
  struct Chunk {
    Span spans[chunk_spans];
  };
  struct Leaf {
    std::uint64_t first = 0;  // of its first span, always
    std::uint32_t chunk = 0;
    std::uint32_t count = 0;  // never zero
  };
  static_assert(sizeof(Span) == 40 && sizeof(Leaf) == 16);

  std::uint32_t fresh_chunk();
  void split(std::size_t leaf);

  std::vector<Leaf> leaves_;
  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::vector<std::uint32_t> spare_;  // chunks without a leaf
  std::size_t size_ = 0;
};

}  // namespace props::recorded
