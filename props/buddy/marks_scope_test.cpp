// The watermark test of the reference, and the stamps in live blocks, against naive restatements.
#include <algorithm>
#include <cstring>
#include <set>

#include "props/buddy/contents.hpp"
#include "props/buddy/reference_cases.hpp"

namespace props::buddy::by_hand {
namespace {

// --- watermarks ---------------------------------------------------------------------------------

struct Question {
  unsigned order;
  std::int64_t mark, reserve;
  bool high, harder;
};

// W-3 to W-6, in the words of the sentences, from the free blocks alone.
bool naive_ok(EraId era, const std::vector<unsigned>& blocks, const Question& q) {
  std::int64_t free = 0;
  for (const unsigned order : blocks) free += std::int64_t{1} << order;
  free = free - (std::int64_t{1} << q.order) + 1;
  std::int64_t min = q.mark;
  if (q.high) min = min - min / 2;
  if (q.harder && (q.high || era == old_era)) min = min - min / 4;
  if (free <= min + q.reserve) return false;
  if (era == new_era)
    return q.order == 0 ||
           std::ranges::any_of(blocks, [&](unsigned order) { return order >= q.order; });
  for (unsigned o = 0; o < q.order; ++o) {
    free -= std::ranges::count(blocks, o) << o;
    min /= 2;
    if (free <= min) return false;
  }
  return true;
}

// The machine with just the single pages of `live` owned.
Machine eight_frames(EraId era, unsigned live) {
  Kernel k(bare_normal(era, 8, 4));
  Machine& m = k.m;
  std::vector<Pfn> pages;
  for (int i = 0; i < 8; ++i) pages.push_back(*alloc_page(k.env, m, 0));
  for (const Pfn pfn : pages)
    if ((live >> pfn & 1u) == 0) free_page_(k.env, m, pfn);
  return m;
}

TEST(MarkScope, the_watermark_test_is_the_sentences_for_every_ownership_of_eight_pages) {
  std::uint64_t passed = 0, refused = 0;
  for (const EraId era : eras)
    for (unsigned live = 0; live < 256; ++live) {
      Machine m = eight_frames(era, live);
      std::vector<unsigned> blocks;
      for (Index i = 0; i < 8; ++i)
        if (page_at(m, i).kind == PageKind::free_head) blocks.push_back(page_at(m, i).order);
      for (std::uint32_t mark = 0; mark <= 9; ++mark)
        for (std::uint32_t reserve = 0; reserve <= 3; ++reserve) {
          edit_zone(m, 0).watermark[mark_min] = mark;
          edit_zone(m, 0).lowmem_reserve[static_cast<std::size_t>(ZoneKind::normal)] = reserve;
          for (unsigned order = 0; order < 4; ++order)
            for (const bool high : {false, true})
              for (const bool harder : {false, true}) {
                const bool expected = naive_ok(era, blocks, {order, mark, reserve, high, harder});
                const AllocFlags flags{.mark = mark_min, .high = high, .harder = harder};
                ASSERT_EQ(zone_watermark_ok(m, 0, order, ZoneKind::normal, flags), expected)
                    << live << " order " << order << " mark " << mark << " reserve " << reserve;
                ++(expected ? passed : refused);
              }
        }
    }
  EXPECT_GT(passed, 10000u);
  EXPECT_GT(refused, 10000u);
}

// --- stamps -------------------------------------------------------------------------------------

// A word of eight bytes at each multiple of eight up to 256 bytes; above, at each multiple of 512
// and at the end.
bool is_stamped(std::uint64_t bytes, std::uint64_t at) {
  return bytes <= 256 || at % 512 < 8 || bytes - at <= 8;
}

TEST(ContentScope, a_changed_byte_is_noticed_where_a_word_is_stamped_and_nowhere_else) {
  for (const std::uint32_t page : {64u, 128u, 4096u})
    for (const unsigned order : {0u, 1u, 2u, 3u}) {
      Config c = bare_normal(new_era, 16, 4);
      c.page_bytes = page;
      Machine m(c);
      const std::uint64_t bytes = std::uint64_t{page} << order;
      write_stamp(m, ram_offset(m, 8), bytes, 5, Stamps::spaced);
      ASSERT_FALSE(stamp_broken(m, ram_offset(m, 8), bytes, 5, Stamps::spaced));
      ASSERT_TRUE(stamp_broken(m, ram_offset(m, 8), bytes, 6, Stamps::spaced));
      for (std::uint64_t at = 0; at < bytes; ++at) {
        std::byte& byte = write_pages(m, 8, at, 1)[0];
        byte ^= std::byte(1u << at % 8);
        ASSERT_EQ(stamp_broken(m, ram_offset(m, 8), bytes, 5, Stamps::spaced).has_value(),
                  is_stamped(bytes, at))
            << at << " of " << bytes;
        byte ^= std::byte(1u << at % 8);
      }
      const auto outside = [&](Pfn pfn, std::uint64_t at) { return read_pages(m, pfn, at, 1)[0]; };
      EXPECT_EQ(outside(7, page - 1), std::byte{0});
      if (order < 3) { EXPECT_EQ(outside(8 + (1u << order), 0), std::byte{0}); }
    }
}

// No two words of blocks that live at once are alike, so a word moved or copied shows.
TEST(ContentScope, no_two_places_of_two_hundred_stamps_are_alike) {
  Config c = bare_normal(new_era, 4, 3);
  c.page_bytes = 64;
  Machine m(c);
  std::set<std::uint64_t> words;
  for (std::uint32_t identity = 1; identity <= 200; ++identity) {
    write_stamp(m, ram_offset(m, 0), 256, identity, Stamps::spaced);
    for (std::uint64_t at = 0; at < 256; at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, read_pages(m, 0, at, 8).data(), 8);
      EXPECT_TRUE(words.insert(word).second) << identity << ' ' << at;
    }
  }
  EXPECT_EQ(words.size(), 200u * 32);
}

}  // namespace
}  // namespace props::buddy::by_hand
