// The oracle of slots, by hand and against a naive restatement in a complete small scope.
#include "props/kmap/slots.hpp"

#include <gtest/gtest.h>

#include <array>

namespace props::kmap {
namespace {

constexpr Slots::Window window{0x1000, 0x1000 + 3 * 0x40, 0x40};  // three slots

std::string_view rule_of(const std::optional<Finding>& finding) {
  return finding ? finding->rule : "";
}

TEST(Slots, a_page_is_mapped_in_the_window_at_a_slot_of_its_own) {
  Slots slots(window);
  EXPECT_EQ(rule_of(slots.granted(7, 0x0fc0)), "KMAP-WINDOW");
  EXPECT_EQ(rule_of(slots.granted(7, 0x10c0)), "KMAP-WINDOW");
  EXPECT_EQ(rule_of(slots.granted(7, 0x1044)), "KMAP-WINDOW");
  EXPECT_EQ(rule_of(slots.granted(7, 0x1040)), "");
  EXPECT_EQ(rule_of(slots.granted(8, 0x1040)), "KMAP-DISJOINT");
  EXPECT_EQ(rule_of(slots.granted(7, 0x1080)), "KMAP-SAME");
  EXPECT_EQ(slots.used(), 1u);
}

TEST(Slots, a_slot_is_free_when_its_last_user_went) {
  Slots slots(window);
  EXPECT_EQ(rule_of(slots.granted(7, 0x1040)), "");
  EXPECT_EQ(rule_of(slots.granted(7, 0x1040)), "");
  EXPECT_EQ(slots.users(7), 2u);
  slots.released(7);
  EXPECT_EQ(rule_of(slots.granted(8, 0x1040)), "KMAP-DISJOINT");
  slots.released(7);
  EXPECT_EQ(slots.page_at(0x1040), std::nullopt);
  EXPECT_EQ(rule_of(slots.granted(8, 0x1040)), "");
  EXPECT_EQ(slots.page_at(0x1040), 8u);
}

TEST(Slots, there_is_room_while_a_slot_has_no_users) {
  Slots slots(window);
  for (Pfn pfn = 0; pfn < 3; ++pfn) {
    EXPECT_TRUE(slots.has_room());
    EXPECT_EQ(rule_of(slots.granted(pfn, 0x1000 + 0x40 * pfn)), "");
  }
  EXPECT_FALSE(slots.has_room());
  slots.released(1);
  EXPECT_TRUE(slots.has_room());
}

// Two pages, three addresses (one no slot): every sequence of four calls, beside two counts a page.
class Naive {
 public:
  bool may_have(unsigned page, unsigned slot) const {
    if (slot >= 2) return false;
    if (users_[page] > 0) return at_[page] == slot;
    return users_[1 - page] == 0 || at_[1 - page] != slot;
  }
  void take(unsigned page, unsigned slot) { ++users_[page], at_[page] = slot; }
  bool has(unsigned page) const { return users_[page] > 0; }
  void give(unsigned page) { --users_[page]; }

 private:
  std::array<unsigned, 2> users_{}, at_{};
};

void every_call(const Slots& slots, const Naive& naive, int depth, std::uint64_t& asked) {
  if (depth == 0) return;
  for (unsigned page = 0; page < 2; ++page) {
    for (unsigned slot = 0; slot < 3; ++slot) {
      Slots after = slots;
      Naive now = naive;
      const bool granted = !after.granted(page, 0x1000 + 0x40 * slot);
      ASSERT_EQ(granted, naive.may_have(page, slot)) << page << " at " << slot;
      ++asked;
      if (!granted) continue;
      now.take(page, slot);
      every_call(after, now, depth - 1, asked);
    }
    if (!naive.has(page)) continue;
    Slots after = slots;
    Naive now = naive;
    after.released(page), now.give(page);
    ASSERT_EQ(after.users(page) > 0, now.has(page));
    every_call(after, now, depth - 1, asked);
  }
}

TEST(Slots, judge_as_a_naive_ledger_does_in_a_complete_small_scope) {
  std::uint64_t asked = 0;
  every_call(Slots({0x1000, 0x1080, 0x40}), Naive(), 5, asked);
  EXPECT_GT(asked, 1000u);
}

}  // namespace
}  // namespace props::kmap
