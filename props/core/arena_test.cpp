// Tests that an arena is a value: against plain vectors of bytes that are copied whole.
#include "ref/core/arena.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <concepts>
#include <map>
#include <set>

#include "props/core/random.hpp"
#include "ref/core/machine.hpp"

namespace props {
namespace {

using ref::core::Arena;
using ref::core::chunk_bytes;
using ref::core::Table;
using Plain = std::vector<std::byte>;

static_assert(std::regular<Arena>);
static_assert(std::is_nothrow_move_constructible_v<Arena>);

// A row's functions take the row's own machine: reaching upward must not compile.
struct UpperRow : ref::core::Machine {};
[[maybe_unused]] void act_on_upper_row(UpperRow&) {}
template <class M>
concept ServedByUpperRow = requires(M& m) { act_on_upper_row(m); };
template <class M>
concept ServedByCore = requires(M& m) { ref::core::warn(m); };
static_assert(ServedByUpperRow<UpperRow> && !ServedByUpperRow<ref::core::Machine>);
static_assert(ServedByCore<UpperRow> && ServedByCore<ref::core::Machine>);

constexpr std::uint64_t byte_count = 5 * chunk_bytes + 100;  // five chunks and a bit

struct Bytes {
  Arena arena;
  Table<std::byte> all;
  explicit Bytes(std::uint64_t count = byte_count) : all(arena.lay<std::byte>(count)) {
    arena.fit();
  }
  void set(std::uint64_t at, int value) { arena.edit(all, at) = std::byte(value); }
  int get(std::uint64_t at) const { return static_cast<int>(arena.at(all, at)); }
  Plain plain() const {
    const auto span = arena.bytes(all, 0, all.count);
    return {span.begin(), span.end()};
  }
};

TEST(Arena, is_made_of_zeros) {
  const Bytes b;
  EXPECT_EQ(b.plain(), Plain(byte_count));
  EXPECT_EQ(b.arena.size(), byte_count);
  EXPECT_EQ(b.arena.touched(), 0u);
  EXPECT_EQ(b.arena.hash(), ref::core::Hash{});
}

TEST(Arena, lays_tables_apart_and_aligned) {
  Arena a;
  const auto bytes = a.lay<std::byte>(3);
  const auto words = a.lay<std::uint64_t>(2);
  const auto more = a.lay<std::uint16_t>(1);
  a.fit();
  EXPECT_EQ(bytes.offset, 0u);
  EXPECT_EQ(words.offset, 8u);
  EXPECT_EQ(more.offset, 24u);
  EXPECT_EQ(a.size(), 26u);
  a.edit(bytes, 2) = std::byte{7};
  a.edit(words, 0) = ~std::uint64_t{0};
  a.edit(words, 1) = 5;
  EXPECT_EQ(a.at(bytes, 2), std::byte{7});
  EXPECT_EQ(a.at(words, 1), 5u);
  EXPECT_EQ(a.at(more, 0), 0u);
}

TEST(Arena, a_copy_is_independent_in_both_directions) {
  for (const bool based : {false, true}) {
    Bytes one;
    one.set(7, 1);
    if (based) one.arena.rebase();
    Bytes two = one;
    one.set(7, 2);
    two.set(3000, 3);
    EXPECT_EQ(two.get(7), 1);
    EXPECT_EQ(one.get(3000), 0);
    EXPECT_FALSE(one.arena == two.arena);
  }
}

TEST(Arena, a_moved_to_arena_has_what_the_other_had) {
  Bytes one;
  one.set(1, 9);
  one.arena.rebase();
  one.set(2000, 8);
  const Plain before = one.plain();
  const ref::core::Hash hash = one.arena.hash();
  Bytes two;
  two.arena = std::move(one.arena);
  EXPECT_EQ(two.plain(), before);
  EXPECT_EQ(two.arena.hash(), hash);
}

TEST(Arena, marks_each_chunk_that_an_edit_spans_and_no_other) {
  Bytes b;
  b.arena.rebase();
  b.arena.edit_bytes(b.all, chunk_bytes - 1, 2);  // the last byte of one chunk, the first of next
  EXPECT_EQ(b.arena.touched(), 2u);
  b.arena.edit_bytes(b.all, 3 * chunk_bytes, chunk_bytes);  // one chunk exactly
  EXPECT_EQ(b.arena.touched(), 3u);
  b.arena.edit_bytes(b.all, 2 * chunk_bytes, 0);
  EXPECT_EQ(b.arena.touched(), 3u);
  b.set(byte_count - 1, 1);
  EXPECT_EQ(b.arena.touched(), 4u);
  b.set(byte_count - 2, 1);
  EXPECT_EQ(b.arena.touched(), 4u);
}

TEST(Arena, restoring_to_the_base_undoes_everything_since) {
  Bytes b;
  b.set(10, 1);
  b.arena.rebase();
  const Bytes base = b;
  b.set(10, 2), b.set(4000, 3), b.set(byte_count - 1, 4);
  EXPECT_EQ(b.arena.touched(), 3u);
  b.arena = base.arena;
  EXPECT_EQ(b.arena.touched(), 0u);
  EXPECT_EQ(b.plain(), base.plain());
  EXPECT_TRUE(b.arena == base.arena);
}

TEST(Arena, strangers_with_equal_bytes_are_equal) {
  Bytes one, two, longer(byte_count + 1);
  one.set(10, 1);
  one.arena.rebase();
  one.set(2000, 2);
  two.set(2000, 2);
  two.arena.rebase();
  two.set(10, 1);
  EXPECT_TRUE(one.arena == two.arena);
  EXPECT_EQ(one.arena.hash(), two.arena.hash());
  two.set(2000, 3);
  EXPECT_FALSE(one.arena == two.arena);
  EXPECT_FALSE(two.arena == one.arena);
  EXPECT_FALSE(Bytes().arena == longer.arena);
}

// Only one of the two knows of the chunk in which they differ, and it knows from its base.
TEST(Arena, strangers_differ_in_what_was_written_before_the_base) {
  Bytes one;
  const Bytes two;
  one.set(10, 1);
  one.arena.rebase();
  EXPECT_FALSE(one.arena == two.arena);
  EXPECT_FALSE(two.arena == one.arena);
}

TEST(Arena, untouched_bytes_are_those_that_nobody_ever_edited) {
  Bytes b;
  EXPECT_TRUE(b.arena.untouched(b.all, 0, byte_count));
  b.set(chunk_bytes, 0);  // even a zero counts: it may have been something before
  EXPECT_TRUE(b.arena.untouched(b.all, 0, chunk_bytes));
  EXPECT_FALSE(b.arena.untouched(b.all, 0, chunk_bytes + 1));
  EXPECT_TRUE(b.arena.untouched(b.all, 2 * chunk_bytes, byte_count - 2 * chunk_bytes));
  EXPECT_TRUE(b.arena.untouched(b.all, chunk_bytes, 0));
  b.arena.rebase();
  EXPECT_FALSE(b.arena.untouched(b.all, chunk_bytes, 1));
  b.set(3 * chunk_bytes, 1);
  Bytes base = b;
  EXPECT_FALSE(base.arena.untouched(base.all, 3 * chunk_bytes, 1));
}

TEST(Arena, four_gigabytes_cost_what_was_written) {
  Bytes b(std::uint64_t{4} << 30);
  b.set(0, 1);
  b.arena.rebase();
  b.set(std::uint64_t{3} << 30, 2), b.set((std::uint64_t{4} << 30) - 1, 3);
  EXPECT_EQ(b.arena.touched(), 2u);
  Bytes copy = b;
  EXPECT_EQ(copy.arena.touched(), 2u);
  EXPECT_TRUE(copy.arena == b.arena);
  EXPECT_EQ(copy.arena.hash(), b.arena.hash());
  copy.set(std::uint64_t{2} << 30, 1);
  EXPECT_FALSE(copy.arena == b.arena);
  EXPECT_TRUE(b.arena.untouched(b.all, chunk_bytes, (std::uint64_t{3} << 30) - chunk_bytes));
}

TEST(Arena, hash_of_all_notices_a_write_without_edit) {
  Bytes b;
  b.set(10, 1);
  b.arena.rebase();
  EXPECT_EQ(b.arena.hash(), b.arena.hash_of_all());
  const auto span = b.arena.bytes(b.all, 2000, 1);
  const_cast<std::byte&>(span[0]) = std::byte{1};
  EXPECT_NE(b.arena.hash(), b.arena.hash_of_all());
}

TEST(Arena, equal_chunks_in_other_places_hash_otherwise) {
  std::set<std::uint64_t> low;
  for (std::uint64_t at = 0; at < byte_count; at += chunk_bytes / 2) {
    Bytes b;
    b.set(at, 1);
    EXPECT_TRUE(low.insert(b.arena.hash().low).second) << at;
  }
}

// Five arenas of which two are strangers by birth and one is longer, through random edits, copies,
// assignments, bases and moves; beside each a vector that is copied whole.
class Herd {
 public:
  explicit Herd(std::uint64_t seed) : random_(seed) {
    for (std::size_t i = 0; i < 5; ++i) arenas_.emplace_back(byte_count + (i == 4 ? 1 : 0));
    for (std::size_t i = 0; i < 3; ++i) assign(i, 0);
    for (const Bytes& b : arenas_) plain_.emplace_back(b.all.count);
  }

  void step() {
    const std::size_t i = random_.below(arenas_.size()), j = random_.below(arenas_.size());
    Bytes& b = arenas_[i];
    switch (random_.below(8)) {
      case 0: return b.arena.rebase();
      case 1: assign(i, j), plain_[i] = plain_[j]; return;
      case 2: {
        Bytes copy = arenas_[j];
        b = std::move(copy), plain_[i] = plain_[j];
        return;
      }
      case 3: return edit_range(b, plain_[i]);
      default: {
        const std::uint64_t at = random_.below(b.all.count);
        const int value = static_cast<int>(random_.below(3));  // zeros too
        b.set(at, value), plain_[i][at] = std::byte(value);
      }
    }
  }

  void check() {
    std::map<Plain, ref::core::Hash> hashes;
    for (std::size_t i = 0; i < arenas_.size(); ++i) {
      ASSERT_EQ(arenas_[i].plain(), plain_[i]);
      const ref::core::Hash hash = arenas_[i].arena.hash();
      ASSERT_EQ(hash, arenas_[i].arena.hash_of_all());
      ASSERT_EQ(hashes.try_emplace(plain_[i], hash).first->second, hash);
      for (std::size_t j = 0; j < arenas_.size(); ++j)
        ASSERT_EQ(arenas_[i].arena == arenas_[j].arena, plain_[i] == plain_[j]);
      const std::uint64_t at = random_.below(plain_[i].size());
      const bool untouched = arenas_[i].arena.untouched(arenas_[i].all, at, 1);
      ASSERT_TRUE(!untouched || plain_[i][at] == std::byte{0});
    }
    std::set<std::pair<std::size_t, std::uint64_t>> distinct;  // zeros of any size hash alike
    for (const auto& [plain, hash] : hashes) distinct.emplace(plain.size(), hash.low);
    ASSERT_EQ(distinct.size(), hashes.size());
    equal_pairs += arenas_.size() - hashes.size();
  }

  std::size_t equal_pairs = 0;

 private:
  void assign(std::size_t to, std::size_t from) {
    arenas_[to].arena = arenas_[from].arena;
    arenas_[to].all = arenas_[from].all;
  }
  void edit_range(Bytes& b, Plain& plain) {
    const std::uint64_t first = random_.below(b.all.count);
    const std::uint64_t count = random_.below(std::min<std::uint64_t>(b.all.count - first, 3000));
    const auto value = std::byte(random_.below(2));
    std::ranges::fill(b.arena.edit_bytes(b.all, first, count), value);
    std::fill_n(plain.begin() + static_cast<std::ptrdiff_t>(first), count, value);
  }

  Random random_;
  std::vector<Bytes> arenas_;
  std::vector<Plain> plain_;
};

TEST(Arena, behaves_like_plain_bytes_through_random_programs) {
  std::size_t equal_pairs = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Herd herd(seed);
    for (int i = 0; i < 120; ++i) {
      herd.step();
      ASSERT_NO_FATAL_FAILURE(herd.check()) << "seed " << seed << ", step " << i;
    }
    equal_pairs += herd.equal_pairs;
  }
  EXPECT_GT(equal_pairs, 1000u);  // otherwise equality was hardly asked for
}

using ArenaDeathTest = testing::Test;
TEST(ArenaDeathTest, a_record_outside_its_table_ends_the_program) {
  Bytes b;
  EXPECT_DEATH(b.set(byte_count, 1), "REQUIRE .*i < t.count");
  EXPECT_DEATH(b.arena.edit_bytes(b.all, 5, byte_count), "REQUIRE .*t.count - first");
}

}  // namespace
}  // namespace props
