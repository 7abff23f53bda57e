// spans: sorted chunks under a sorted index.
#include "props/linux/spans.hpp"

#include <algorithm>

namespace props::recorded {

Spans::Place Spans::first_reaching(std::uint64_t pfn) const {
  const auto behind = std::ranges::upper_bound(leaves_, pfn, {}, &Leaf::first);
  if (behind == leaves_.begin()) return {0, 0};
  const auto leaf = static_cast<std::size_t>(behind - leaves_.begin()) - 1;
  const Span* spans = chunks_[leaves_[leaf].chunk]->spans;
  // Spans are disjoint, so their ends are in order too.
  const Span* found =
      std::upper_bound(spans, spans + leaves_[leaf].count, pfn,
                       [](std::uint64_t wanted, const Span& span) { return wanted < span.end; });
  const auto index = static_cast<std::size_t>(found - spans);
  if (index == leaves_[leaf].count) return {leaf + 1, 0};
  return {leaf, index};
}

Spans::Place Spans::next(Place place) const {
  if (++place.index == leaves_[place.leaf].count) place = {place.leaf + 1, 0};
  return place;
}

Spans::Place Spans::erase(const Place& place) {
  Leaf& leaf = leaves_[place.leaf];
  Span* spans = chunks_[leaf.chunk]->spans;
  std::copy(spans + place.index + 1, spans + leaf.count, spans + place.index);
  --size_;
  if (--leaf.count == 0) {
    spare_.push_back(leaf.chunk);
    leaves_.erase(leaves_.begin() + static_cast<std::ptrdiff_t>(place.leaf));
    return {place.leaf, 0};
  }
  leaf.first = spans[0].first;
  if (place.index == leaf.count) return {place.leaf + 1, 0};
  return place;
}

std::uint32_t Spans::fresh_chunk() {
  if (spare_.empty()) {
    chunks_.push_back(std::make_unique<Chunk>());
    return static_cast<std::uint32_t>(chunks_.size() - 1);
  }
  const std::uint32_t chunk = spare_.back();
  spare_.pop_back();
  return chunk;
}

// Moves the upper half of a full chunk to a leaf of its own.
void Spans::split(std::size_t at) {
  const std::uint32_t chunk = fresh_chunk();
  Leaf& low = leaves_[at];
  constexpr std::uint32_t half = chunk_spans / 2;
  const Span* spans = chunks_[low.chunk]->spans;
  std::copy(spans + half, spans + chunk_spans, chunks_[chunk]->spans);
  low.count = half;
  leaves_.insert(leaves_.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                 Leaf{chunks_[chunk]->spans[0].first, chunk, chunk_spans - half});
}

void Spans::insert(Place place, const Span& span) {
  if (leaves_.empty()) leaves_.push_back(Leaf{span.first, fresh_chunk(), 0});
  // Before the first span of a leaf is behind the last of the leaf before.
  if (place.index == 0 && place.leaf != 0) {
    --place.leaf;
    place.index = leaves_[place.leaf].count;
  }
  if (leaves_[place.leaf].count == chunk_spans) {
    split(place.leaf);
    const std::size_t low = leaves_[place.leaf].count;
    if (place.index > low) place = {place.leaf + 1, place.index - low};
  }
  Leaf& leaf = leaves_[place.leaf];
  Span* spans = chunks_[leaf.chunk]->spans;
  std::copy_backward(spans + place.index, spans + leaf.count, spans + leaf.count + 1);
  spans[place.index] = span;
  leaf.first = spans[0].first;
  ++leaf.count;
  ++size_;
}

void Spans::assign(const Span& span) {
  Place place = first_reaching(span.first);
  while (!at_end(place) && at(place).first < span.end) {
    Span old = at(place);
    if (old.first < span.first) {
      at(place).end = span.first;
      place = next(place);
      if (old.end > span.end) {
        old.first = span.end;
        insert(place, old);
        place = first_reaching(span.first);
      }
    } else if (old.end > span.end) {
      at(place).first = span.end;
      if (place.index == 0) leaves_[place.leaf].first = span.end;
    } else {
      place = erase(place);
    }
  }
  insert(place, span);
}

void Spans::clear() {
  for (const Leaf& leaf : leaves_) spare_.push_back(leaf.chunk);
  leaves_.clear();
  size_ = 0;
}

}  // namespace props::recorded
