// Tests the ledger of what callers have, and what stands in objects: each kind of wrong answer is
// seen, and right ones are not.
#include "props/slab/objects.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "props/core/machine_line.hpp"
#include "props/core/probe.hpp"

namespace props::slab {
namespace {

// Pages 0 to 3 in one live block, page 4 in another; the rest is free, and 16 to 23 is HIGHMEM.
class Ledger : public testing::Test {
 protected:
  Ledger() : m_(*parse_machine("era=linux-6.1 page=64 zones=NORMAL:16,HIGHMEM:8 pcp=off")) {
    EXPECT_EQ(ref::buddy::alloc_pages(env_, m_, 0, 2), 0u);
    EXPECT_EQ(ref::buddy::alloc_pages(env_, m_, 0, 0), 4u);
  }
  static constexpr std::uint64_t base = ref::core::page_offset;
  std::string rule(std::uint64_t address, Objects::Ask ask) {
    const auto finding = objects_.granted(m_, address, ask);
    return finding ? std::string(finding->rule) : "";
  }
  QuietEnv env_;
  ref::buddy::Machine m_;
  Objects objects_;
};

TEST_F(Ledger, neighbours_may_touch_and_not_overlap) {
  EXPECT_EQ(rule(base + 32, {16, 16}), "");
  EXPECT_EQ(rule(base + 16, {16, 16}), "");
  EXPECT_EQ(rule(base + 48, {16, 24}), "");
  for (const std::uint64_t at : {0u, 8u, 47u, 71u, 32u, 40u})
    EXPECT_EQ(rule(base + at, {24, 24}), "OBJECT-DISJOINT") << at;
  EXPECT_EQ(rule(base + 10, {100, 100}), "OBJECT-DISJOINT");  // around others
  EXPECT_EQ(objects_.count(), 3u);
  objects_.released(base + 32);
  EXPECT_EQ(rule(base + 32, {16, 16}), "");
}

TEST_F(Ledger, an_object_of_no_bytes_has_a_place_too) {
  EXPECT_EQ(rule(base, {0, 0}), "");
  EXPECT_EQ(rule(base, {0, 0}), "OBJECT-DISJOINT");
}

TEST_F(Ledger, an_object_is_as_large_and_aligned_as_was_asked) {
  EXPECT_EQ(rule(base, {17, 16}), "OBJECT-USABLE");
  EXPECT_EQ(rule(base + 8, {8, 8, 16}), "OBJECT-ALIGNED");
  EXPECT_EQ(rule(base + 8, {8, 8, 8}), "");
}

TEST_F(Ledger, an_object_lies_in_one_live_block_below_highmem) {
  EXPECT_EQ(rule(base + 250, {6, 6}), "");
  EXPECT_EQ(rule(base + 250 - 8, {8, 8}), "");
  EXPECT_EQ(rule(base + 248 + 8 - 1 + 2, {8, 8}), "");        // the block of page 4 begins at 256
  EXPECT_EQ(rule(base + 5 * 64, {8, 8}), "OBJECT-IN-PAGES");  // nobody's
  EXPECT_EQ(rule(base + 5 * 64 - 4, {8, 8}), "OBJECT-IN-PAGES");
  EXPECT_EQ(rule(base - 64, {8, 8}), "OBJECT-IN-PAGES");
  EXPECT_EQ(rule(base + 24 * 64, {8, 8}), "OBJECT-IN-PAGES");  // no page at all
  EXPECT_EQ(rule(0, {8, 8}), "OBJECT-IN-PAGES");
  const auto high = ref::buddy::alloc_pages(env_, m_, ref::core::GFP_BIT_HIGHMEM, 0);
  ASSERT_GE(*high, 16u);
  EXPECT_EQ(rule(base + *high * 64, {8, 8}), "OBJECT-IN-PAGES");
  objects_.clear();
  EXPECT_EQ(rule(base + 252, {8, 8}), "OBJECT-IN-PAGES");  // over the border of two blocks
}

TEST_F(Ledger, pages_of_callers_and_objects_keep_apart) {
  EXPECT_EQ(rule(base + 100, {8, 8}), "");
  EXPECT_FALSE(objects_.pages_granted(base, 64));
  const auto under = objects_.pages_granted(base + 64, 64);
  ASSERT_TRUE(under);
  EXPECT_EQ(under->rule, "OBJECT-IN-PAGES");
  EXPECT_EQ(rule(base + 32, {8, 8}), "OBJECT-IN-PAGES");
  objects_.pages_released(base);
  EXPECT_EQ(rule(base + 32, {8, 8}), "");
}

// Every byte up to 256; above, 32 at each end and eight of each 512.
TEST_F(Ledger, a_changed_byte_shows) {
  for (const Bytes bytes : {1u, 7u, 60u, 256u}) {
    write_contents(m_, 0, bytes, 5, Stamps::spaced);
    EXPECT_FALSE(contents_broken(m_, 0, bytes, 5, Stamps::spaced));
    EXPECT_TRUE(contents_broken(m_, 0, bytes, 6, Stamps::spaced));
    for (Bytes at = 0; at < bytes; ++at) {
      std::byte& byte = m_.arena.edit_bytes(m_.ram, at, 1)[0];
      byte ^= std::byte{1};
      EXPECT_TRUE(contents_broken(m_, 0, bytes, 5, Stamps::spaced)) << at << " of " << bytes;
      byte ^= std::byte{1};
    }
  }
  write_contents(m_, 0, 1000, 7, Stamps::spaced);
  for (const Bytes at : {0u, 31u, 512u, 519u, 968u, 999u}) {
    std::byte& byte = m_.arena.edit_bytes(m_.ram, at, 1)[0];
    byte ^= std::byte{1};
    EXPECT_TRUE(contents_broken(m_, 0, 1000, 7, Stamps::spaced)) << at;
    byte ^= std::byte{1};
  }
}

TEST_F(Ledger, of_what_was_cut_off_only_the_kept_bytes_are_compared) {
  for (const Bytes bytes : {100u, 1000u}) {
    write_contents(m_, 0, bytes, 5, Stamps::spaced);
    m_.arena.edit_bytes(m_.ram, 20, 1)[0] ^= std::byte{1};
    EXPECT_FALSE(contents_broken(m_, 0, bytes, 5, Stamps::spaced, 20)) << bytes;
    EXPECT_TRUE(contents_broken(m_, 0, bytes, 5, Stamps::spaced, 21)) << bytes;
  }
}

TEST_F(Ledger, contents_remain_while_eight_bytes_in_a_row_do) {
  const auto remain = [&](Bytes bytes) { return contents_remain(m_, 0, bytes, 5, Stamps::spaced); };
  write_contents(m_, 0, 1000, 5, Stamps::spaced);
  const std::span<std::byte> memory = m_.arena.edit_bytes(m_.ram, 0, 1000);
  std::ranges::fill(memory.first(968), std::byte{0});
  EXPECT_TRUE(remain(1000));
  std::ranges::fill(memory.last(32), std::byte{0});
  EXPECT_FALSE(remain(1000));
  write_contents(m_, 0, 16, 5, Stamps::spaced);
  memory[8] ^= std::byte{1};
  EXPECT_TRUE(remain(16));
  memory[7] ^= std::byte{1};
  EXPECT_FALSE(remain(16));
  write_contents(m_, 0, 7, 5, Stamps::spaced);
  EXPECT_FALSE(remain(7));
}

TEST_F(Ledger, constructed_and_zeroed_states_are_every_byte) {
  construct(m_, 64, 50, 2);
  EXPECT_FALSE(construction_broken(m_, 64, 50, 2));
  EXPECT_TRUE(construction_broken(m_, 64, 50, 1));
  m_.arena.edit_bytes(m_.ram, 64 + 49, 1)[0] ^= std::byte{4};
  EXPECT_EQ(construction_broken(m_, 64, 50, 2)->where, "byte 49");
  EXPECT_FALSE(zeros_broken(m_, 128, 50));
  EXPECT_FALSE(zeros_broken(m_, 128, 0));
  for (const Bytes at : {0u, 25u, 49u}) {
    m_.arena.edit_bytes(m_.ram, 128 + at, 1)[0] = std::byte{9};
    EXPECT_TRUE(zeros_broken(m_, 128, 50)) << at;
    m_.arena.edit_bytes(m_.ram, 128 + at, 1)[0] = std::byte{0};
  }
}

}  // namespace
}  // namespace props::slab
