// intervals: entries [first, end) that never overlap, found by where they are.
//
//   leaves   [0x1000 ....][0x8a40 ....][0x22000 ...]     found by binary search
//                 |             |            |
//   chunks   [entry entry ][entry ... ][entry ....]      at most 128 entries, sorted, contiguous
//
// An interval costs one entry however long it is. A tree of nodes would need a dozen cache misses
// for each event of a long recording; this needs two or three and moves a few kilobytes at worst.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace props::recorded {

// An Entry has the members `first` and `end` (the first place behind it), and may have any others.
template <class Entry>
class Intervals {
 public:
  // A place between or at entries; invalid after an insertion or removal elsewhere.
  struct Place {
    std::size_t leaf = 0;
    std::size_t index = 0;
    bool operator==(const Place&) const = default;
  };

  // The first entry that ends behind `at`: it covers `at` or lies beyond.
  Place first_reaching(std::uint64_t at) const;
  bool at_end(const Place& place) const { return place.leaf == leaves_.size(); }
  Entry& at(const Place& place) { return chunks_[leaves_[place.leaf].chunk]->entries[place.index]; }
  Place next(Place place) const;
  // Answers the place behind what was removed.
  Place erase(const Place& place);
  // Makes [entry.first, entry.end) one entry; what others have outside of it, they keep.
  void assign(const Entry& entry);
  // The same where the caller knows that none overlaps and that `place` is the next one.
  void insert(Place place, const Entry& entry);
  void clear();
  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t chunk_entries = 128;
  struct Chunk {
    Entry entries[chunk_entries];
  };
  struct Leaf {
    std::uint64_t first = 0;  // of its first entry, always
    std::uint32_t chunk = 0;
    std::uint32_t count = 0;  // never zero
  };
  static_assert(sizeof(Entry) <= 40 && sizeof(Leaf) == 16);

  std::uint32_t fresh_chunk();
  void split(std::size_t leaf);

  std::vector<Leaf> leaves_;
  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::vector<std::uint32_t> spare_;  // chunks without a leaf
  std::size_t size_ = 0;
};

template <class Entry>
auto Intervals<Entry>::first_reaching(std::uint64_t at) const -> Place {
  const auto behind = std::ranges::upper_bound(leaves_, at, {}, &Leaf::first);
  if (behind == leaves_.begin()) return {0, 0};
  const auto leaf = static_cast<std::size_t>(behind - leaves_.begin()) - 1;
  const Entry* entries = chunks_[leaves_[leaf].chunk]->entries;
  // Entries are disjoint, so their ends are in order too.
  const Entry* found =
      std::upper_bound(entries, entries + leaves_[leaf].count, at,
                       [](std::uint64_t wanted, const Entry& entry) { return wanted < entry.end; });
  const auto index = static_cast<std::size_t>(found - entries);
  if (index == leaves_[leaf].count) return {leaf + 1, 0};
  return {leaf, index};
}

template <class Entry>
auto Intervals<Entry>::next(Place place) const -> Place {
  if (++place.index == leaves_[place.leaf].count) place = {place.leaf + 1, 0};
  return place;
}

template <class Entry>
auto Intervals<Entry>::erase(const Place& place) -> Place {
  Leaf& leaf = leaves_[place.leaf];
  Entry* entries = chunks_[leaf.chunk]->entries;
  std::copy(entries + place.index + 1, entries + leaf.count, entries + place.index);
  --size_;
  if (--leaf.count == 0) {
    spare_.push_back(leaf.chunk);
    leaves_.erase(leaves_.begin() + static_cast<std::ptrdiff_t>(place.leaf));
    return {place.leaf, 0};
  }
  leaf.first = entries[0].first;
  if (place.index == leaf.count) return {place.leaf + 1, 0};
  return place;
}

template <class Entry>
std::uint32_t Intervals<Entry>::fresh_chunk() {
  if (spare_.empty()) {
    chunks_.push_back(std::make_unique<Chunk>());
    return static_cast<std::uint32_t>(chunks_.size() - 1);
  }
  const std::uint32_t chunk = spare_.back();
  spare_.pop_back();
  return chunk;
}

// Moves the upper half of a full chunk to a leaf of its own.
template <class Entry>
void Intervals<Entry>::split(std::size_t at) {
  const std::uint32_t chunk = fresh_chunk();
  Leaf& low = leaves_[at];
  constexpr std::uint32_t half = chunk_entries / 2;
  const Entry* entries = chunks_[low.chunk]->entries;
  std::copy(entries + half, entries + chunk_entries, chunks_[chunk]->entries);
  low.count = half;
  leaves_.insert(leaves_.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                 Leaf{chunks_[chunk]->entries[0].first, chunk, chunk_entries - half});
}

template <class Entry>
void Intervals<Entry>::insert(Place place, const Entry& entry) {
  if (leaves_.empty()) leaves_.push_back(Leaf{entry.first, fresh_chunk(), 0});
  // Before the first entry of a leaf is behind the last of the leaf before.
  if (place.index == 0 && place.leaf != 0) {
    --place.leaf;
    place.index = leaves_[place.leaf].count;
  }
  if (leaves_[place.leaf].count == chunk_entries) {
    split(place.leaf);
    const std::size_t low = leaves_[place.leaf].count;
    if (place.index > low) place = {place.leaf + 1, place.index - low};
  }
  Leaf& leaf = leaves_[place.leaf];
  Entry* entries = chunks_[leaf.chunk]->entries;
  std::copy_backward(entries + place.index, entries + leaf.count, entries + leaf.count + 1);
  entries[place.index] = entry;
  leaf.first = entries[0].first;
  ++leaf.count;
  ++size_;
}

template <class Entry>
void Intervals<Entry>::assign(const Entry& entry) {
  Place place = first_reaching(entry.first);
  while (!at_end(place) && at(place).first < entry.end) {
    Entry old = at(place);
    if (old.first < entry.first) {
      at(place).end = entry.first;
      place = next(place);
      if (old.end > entry.end) {
        old.first = entry.end;
        insert(place, old);
        place = first_reaching(entry.first);
      }
    } else if (old.end > entry.end) {
      at(place).first = entry.end;
      if (place.index == 0) leaves_[place.leaf].first = entry.end;
    } else {
      place = erase(place);
    }
  }
  insert(place, entry);
}

template <class Entry>
void Intervals<Entry>::clear() {
  for (const Leaf& leaf : leaves_) spare_.push_back(leaf.chunk);
  leaves_.clear();
  size_ = 0;
}

}  // namespace props::recorded
