// Implements the arena: copying, comparing and hashing by chunks.
#include "ref/core/arena.hpp"

#include <sys/mman.h>

#include <algorithm>
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace ref::core {
namespace {

// From here on memory comes from mmap: lazily zero, and sanitizers keep no shadow of it.
constexpr std::size_t lazy_bytes = std::size_t{1} << 20;
// Up to here in large pages of the host. Not beyond: there most is RAM that is never written, and
// a word of it would cost a large page.
constexpr std::size_t dense_bytes = std::size_t{1} << 28;

}  // namespace

template <class T>
Zeroed<T>::Zeroed(std::size_t count) : count_(count) {
  if (count == 0) return;
  const std::size_t bytes = count * sizeof(T);
  void* at = bytes < lazy_bytes ? std::calloc(count, sizeof(T))
                                : ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  REQUIRE(at != nullptr);
  REQUIRE(at != MAP_FAILED);
  // Steps jump about in what is larger than caches. A refusal costs time only.
  if (bytes >= lazy_bytes && bytes <= dense_bytes) (void)::madvise(at, bytes, MADV_HUGEPAGE);
  data_ = static_cast<T*>(at);
}

template <class T>
Zeroed<T>::~Zeroed() {
  if (data_ == nullptr) return;
  const std::size_t bytes = count_ * sizeof(T);
  if (bytes < lazy_bytes) std::free(data_);
  else ::munmap(data_, bytes);
}
template class Zeroed<std::byte>;
template class Zeroed<std::uint32_t>;

void Arena::fit() {
  REQUIRE(bytes_.count() == 0);
  REQUIRE(chunk_count() <= UINT32_MAX);
  bytes_ = Zeroed<std::byte>(chunk_count() * chunk_bytes);
  marks_ = ChunkSet(chunk_count());
}

std::size_t Arena::length_of(Index c) const {
  return std::min<std::uint64_t>(chunk_bytes, size_ - std::uint64_t{c} * chunk_bytes);
}

// All-zero chunks count nothing, so that memory which was never written needs no visit.
Hash Arena::hash_of(Index c) const {
  static constexpr std::byte zeros[chunk_bytes] = {};
  const std::byte* at = bytes_.data() + std::uint64_t{c} * chunk_bytes;
  if (std::memcmp(at, zeros, length_of(c)) == 0) return {};
  const XXH128_hash_t h = XXH3_128bits_withSeed(at, length_of(c), c);
  return {h.low64, h.high64};
}

Hash Arena::base_hash_of(Index c) const {
  const auto it = std::ranges::lower_bound(base_->written, c);
  if (it == base_->written.end() || *it != c) return {};
  return base_->hash[static_cast<std::size_t>(it - base_->written.begin())];
}

bool Arena::same_chunk(const Arena& o, Index c) const {
  const std::uint64_t at = std::uint64_t{c} * chunk_bytes;
  return std::memcmp(bytes_.data() + at, o.bytes_.data() + at, length_of(c)) == 0;
}

void Arena::copy_chunk(const Arena& o, Index c) {
  const std::uint64_t at = std::uint64_t{c} * chunk_bytes;
  std::memcpy(bytes_.data() + at, o.bytes_.data() + at, length_of(c));
}

Arena& Arena::operator=(const Arena& o) {
  if (this == &o) return *this;
  if (kin(o)) {
    for (Index c : o.marks_.all()) marks_.add(c);  // now whatever either of the two touched
    for (Index c : marks_.all()) copy_chunk(o, c);
    marks_.clear();
  } else {
    bytes_ = Zeroed<std::byte>(o.bytes_.count());
    marks_ = ChunkSet(o.bytes_.count() / chunk_bytes);
    size_ = o.size_;
    base_ = o.base_;
    if (base_)
      for (Index c : base_->written) copy_chunk(o, c);
    for (Index c : o.marks_.all()) copy_chunk(o, c);
  }
  for (Index c : o.marks_.all()) marks_.add(c);
  return *this;
}

bool Arena::untouched(const Table<std::byte>& t, std::uint64_t first, std::uint64_t count) const {
  if (count == 0) return true;
  const std::uint64_t begin = t.offset + first;
  for (std::uint64_t c = begin / chunk_bytes; c <= (begin + count - 1) / chunk_bytes; ++c) {
    if (marks_.has(static_cast<Index>(c))) return false;
    if (base_ && std::ranges::binary_search(base_->written, static_cast<Index>(c))) return false;
  }
  return true;
}

void Arena::rebase() {
  Base base;
  if (base_) base.written = base_->written;
  base.written.insert(base.written.end(), marks_.all().begin(), marks_.all().end());
  std::ranges::sort(base.written);
  const auto twice = std::ranges::unique(base.written);
  base.written.erase(twice.begin(), twice.end());
  base.hash.reserve(base.written.size());
  for (Index c : base.written) {
    base.hash.push_back(hash_of(c));
    base.all += base.hash.back();
  }
  base_ = std::make_shared<const Base>(std::move(base));
  marks_.clear();
}

bool Arena::operator==(const Arena& o) const {
  if (size_ != o.size_) return false;
  const auto same = [&](Index c) { return same_chunk(o, c); };
  if (!std::ranges::all_of(marks_.all(), same) || !std::ranges::all_of(o.marks_.all(), same))
    return false;
  if (kin(o)) return true;
  return (!base_ || std::ranges::all_of(base_->written, same)) &&
         (!o.base_ || std::ranges::all_of(o.base_->written, same));
}

Hash Arena::hash() const {
  Hash sum = base_ ? base_->all : Hash{};
  for (Index c : marks_.all()) {
    if (base_) sum -= base_hash_of(c);
    sum += hash_of(c);
  }
  return sum;
}

Hash Arena::hash_of_all() const {
  Hash sum;
  for (Index c = 0; c < chunk_count(); ++c) sum += hash_of(c);
  return sum;
}

}  // namespace ref::core
