// arena: one run of bytes that holds every table of a machine and knows which chunks were written.
//
//   bytes    [cpus|zones|pages          |RAM                                  ]  laid from the
//   config chunks   |  0  |  1  |  2  |  3  |  4  |  5  |  ...                       |  chunk_bytes
//   each written     x     x     x     x                                             at the base:
//   not zero marks             x                 x                                       edited
//   since the base
//
// A chunk that is in neither set holds zeros, and memory that holds zeros is not even backed by the
// host. So a machine with 4 GiB of RAM costs what its tables cost; and two arenas of one base
// differ at most in the chunks that either of them marks, so restoring, comparing and hashing look
// only there.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "ref/core/require.hpp"

namespace ref::core {

using Index = std::uint32_t;
constexpr std::size_t chunk_bytes = 1024;

// Where the records of one table lie: the same value in every copy of a machine.
template <class T>
struct Table {
  static_assert(std::is_trivially_copyable_v<T>);              // copied by bytes
  static_assert(std::has_unique_object_representations_v<T>);  // equal bytes: equal records
  static_assert(chunk_bytes % sizeof(T) == 0);                 // a record lies in one chunk
  std::uint64_t offset = 0;                                    // bytes from the arena's start
  std::uint64_t count = 0;                                     // records
  bool operator==(const Table&) const = default;
};

// 128 bits: a sum over the chunks that are not all zero, so that one chunk can be exchanged.
struct Hash {
  std::uint64_t low = 0, high = 0;
  Hash& operator+=(Hash o) { return low += o.low, high += o.high, *this; }
  Hash& operator-=(Hash o) { return low -= o.low, high -= o.high, *this; }
  bool operator==(const Hash&) const = default;
};

// A run of zeroed memory; big ones are backed by the host only where they are written.
template <class T>
class Zeroed {
 public:
  Zeroed() = default;
  explicit Zeroed(std::size_t count);
  Zeroed(Zeroed&& o) noexcept
      : data_(std::exchange(o.data_, nullptr)), count_(std::exchange(o.count_, 0)) {}
  Zeroed& operator=(Zeroed&& o) noexcept {
    std::swap(data_, o.data_), std::swap(count_, o.count_);
    return *this;
  }
  ~Zeroed();
  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t count() const { return count_; }

 private:
  T* data_ = nullptr;
  std::size_t count_ = 0;
};
extern template class Zeroed<std::byte>;
extern template class Zeroed<std::uint32_t>;

// A set of chunks: a byte each to ask, a list to visit.
class ChunkSet {
 public:
  ChunkSet() = default;
  explicit ChunkSet(std::size_t chunks) : has_(chunks), list_(chunks) {}
  bool has(Index c) const { return has_.data()[c] != std::byte{0}; }
  void add(Index c) {
    if (!has(c)) [[unlikely]] {
      has_.data()[c] = std::byte{1};
      list_.data()[count_++] = c;
    }
  }
  void clear() {
    while (count_ > 0) has_.data()[list_.data()[--count_]] = std::byte{0};
  }
  std::span<const Index> all() const { return {list_.data(), count_}; }

 private:
  Zeroed<std::byte> has_;
  Zeroed<Index> list_;
  std::size_t count_ = 0;
};

class Arena {
 public:
  Arena() = default;
  Arena(const Arena& o) { *this = o; }
  // Costs what either of the two touched when both have one base, and what was ever written
  // otherwise.
  Arena& operator=(const Arena& o);
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = default;

  // Adds `count` zero records behind the rest; only before `fit`.
  template <class T>
  Table<T> lay(std::uint64_t count) {
    REQUIRE(bytes_.count() == 0);
    const std::uint64_t offset = (size_ + sizeof(T) - 1) / sizeof(T) * sizeof(T);
    size_ = offset + count * sizeof(T);
    return {offset, count};
  }
  // All tables are laid: provides the memory.
  void fit();

  template <class T>
  const T& at(const Table<T>& t, std::uint64_t i) const {
    REQUIRE(i < t.count);
    return *reinterpret_cast<const T*>(bytes_.data() + t.offset + i * sizeof(T));
  }
  // Good until this arena is assigned or based anew; a `const T&` taken before sees the change.
  template <class T>
  T& edit(const Table<T>& t, std::uint64_t i) {
    REQUIRE(i < t.count);
    const std::uint64_t offset = t.offset + i * sizeof(T);
    marks_.add(static_cast<Index>(offset / chunk_bytes));
    return *reinterpret_cast<T*>(bytes_.data() + offset);
  }
  // Records [first, first + count) of a table of bytes, to read or to write.
  std::span<const std::byte> bytes(const Table<std::byte>& t, std::uint64_t first,
                                   std::uint64_t count) const {
    REQUIRE(first <= t.count);
    REQUIRE(count <= t.count - first);
    return {bytes_.data() + t.offset + first, count};
  }
  std::span<std::byte> edit_bytes(const Table<std::byte>& t, std::uint64_t first,
                                  std::uint64_t count) {
    REQUIRE(first <= t.count);
    REQUIRE(count <= t.count - first);
    const std::uint64_t begin = t.offset + first;
    if (count > 0)
      for (std::uint64_t c = begin / chunk_bytes; c <= (begin + count - 1) / chunk_bytes; ++c)
        marks_.add(static_cast<Index>(c));
    return {bytes_.data() + begin, count};
  }
  // True when nothing was written to those bytes since the arena was made: they hold zeros.
  bool untouched(const Table<std::byte>& t, std::uint64_t first, std::uint64_t count) const;

  // From now on differences count from here, also for the copies made later.
  void rebase();
  bool operator==(const Arena& o) const;
  Hash hash() const;
  // Recomputed from every byte. Differs from hash() when somebody wrote without edit.
  Hash hash_of_all() const;

  std::uint64_t size() const { return size_; }
  std::size_t touched() const { return marks_.all().size(); }  // chunks edited since the base

 private:
  struct Base {
    Hash all;
    std::vector<Index> written;  // chunks that may hold something, ascending
    std::vector<Hash> hash;      // of written[i]
  };
  std::size_t chunk_count() const { return (size_ + chunk_bytes - 1) / chunk_bytes; }
  std::size_t length_of(Index c) const;
  Hash hash_of(Index c) const;
  Hash base_hash_of(Index c) const;
  bool same_chunk(const Arena& o, Index c) const;
  void copy_chunk(const Arena& o, Index c);
  bool kin(const Arena& o) const { return base_ != nullptr && base_ == o.base_; }

  Zeroed<std::byte> bytes_;
  std::uint64_t size_ = 0;
  ChunkSet marks_;
  std::shared_ptr<const Base> base_;  // its address is the base's identity
};

}  // namespace ref::core
