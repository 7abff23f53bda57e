// References, compound blocks, and what a free checks, worked out by hand.
#include <gtest/gtest.h>

#include "props/buddy/reference_cases.hpp"

namespace props::buddy::by_hand {
namespace {

// A small zone whose blocks are easy to name, and no lists that hide them.
Config small(EraId era) { return bare_normal(era, 16, 5); }

bool all_free(const Kernel& k) { return k.free_list(4) == Frames{0}; }

TEST(BuddyFree, freeing_the_null_address_does_nothing) {  // B-27
  for (const EraId era : eras) {
    Kernel k(small(era));
    const Machine before = k.m;
    for (const unsigned order : {0u, 4u, 11u}) free_pages(k.env, k.m, Address::null, order);
    free_page(k.env, k.m, Address::null);
    EXPECT_EQ(k.m, before);
  }
}

// References ---------------------------------------------------------------------------------

TEST(BuddyFree, a_fresh_block_has_one_reference_at_its_head_and_none_on_its_tails) {  // B-30
  for (const EraId era : eras) {
    Kernel k(small(era));
    const Pfn pfn = k.get(2);
    EXPECT_EQ(page_count(k.m, pfn), 1u);
    EXPECT_EQ(page_private(k.m, pfn), 0u);
    for (Pfn i = 1; i < 4; ++i) EXPECT_EQ(page_count(k.m, pfn + i), 0u) << i;
  }
}

//   [head][tail][tail][tail]    a reference of any of them is one of the block
TEST(BuddyFree, references_of_a_compound_tail_are_its_heads) {  // B-31
  for (const EraId era : eras) {
    Kernel k(small(era));
    const Pfn pfn = k.get(2, GFP_BIT_COMP);
    EXPECT_EQ(page_count(k.m, pfn + 3), 1u);
    get_page(k.m, pfn + 3);
    for (Pfn i = 0; i < 4; ++i) EXPECT_EQ(page_count(k.m, pfn + i), 2u) << i;
    put_page(k.env, k.m, pfn + 1);
    EXPECT_EQ(page_count(k.m, pfn), 1u);
    EXPECT_FALSE(all_free(k));
    put_page(k.env, k.m, pfn + 2);
    EXPECT_TRUE(all_free(k));
    EXPECT_EQ(k.fault(), Fault::none);
  }
}

TEST(BuddyFree, a_single_page_never_becomes_compound) {  // B-31
  for (const EraId era : eras) {
    Kernel k(small(era));
    EXPECT_EQ(k.record(k.get(0, GFP_BIT_COMP)).flags & PG_head, 0u);
    EXPECT_EQ(k.record(k.get(1, GFP_BIT_COMP)).flags & PG_head, PG_head);
  }
}

TEST(BuddyFree, a_reference_of_a_page_that_has_none_is_reported) {  // B-32
  for (const EraId era : eras) {
    Kernel k(small(era));
    const Pfn pfn = k.get(1);
    const Machine before = k.m;
    for (const Pfn unreferenced : {pfn + 1, Pfn{8}, Pfn{99}}) {  // a tail, free, outside
      put_page(k.env, k.m, unreferenced);
      EXPECT_EQ(k.fault(), Fault::unreferenced) << unreferenced;
      get_page(k.m, unreferenced);
      EXPECT_EQ(k.fault(), Fault::unreferenced) << unreferenced;
    }
    EXPECT_EQ(k.m, before);
  }
}

//   get_page    [2][0][0][0]
//   free        [1][F][F   ]     the second reference keeps frame 0 alone
//   put_page    [F  order 2 ]
TEST(BuddyFree, a_shared_block_gives_up_all_but_its_first_page) {  // B-33
  for (const EraId era : eras) {
    Kernel k(small(era));
    const Pfn pfn = k.get(2);
    get_page(k.m, pfn);
    k.put(pfn, 2);
    EXPECT_EQ(page_count(k.m, pfn), 1u);
    EXPECT_EQ(k.free_pages(), 15u);
    EXPECT_EQ(k.free_list(0), Frames{pfn + 1});
    EXPECT_EQ(k.free_list(1), Frames{pfn + 2});
    put_page(k.env, k.m, pfn);
    EXPECT_EQ(k.fault(), Fault::none);
    EXPECT_TRUE(all_free(k));
  }
}

TEST(BuddyFree, a_shared_compound_block_stays_whole) {  // B-33
  for (const EraId era : eras) {
    Kernel k(small(era));
    const Pfn pfn = k.get(2, GFP_BIT_COMP);
    get_page(k.m, pfn);
    k.put(pfn, 2);
    EXPECT_EQ(page_count(k.m, pfn + 3), 1u);
    EXPECT_EQ(k.free_pages(), 12u);
    put_page(k.env, k.m, pfn);
    EXPECT_TRUE(all_free(k));
  }
}

// Misuse -------------------------------------------------------------------------------------

TEST(BuddyFree, a_second_free_is_named_and_takes_nothing_apart) {  // B-34
  for (const EraId era : eras) {
    for (const bool pcp : {false, true}) {
      for (const unsigned order : {0u, 2u}) {
        Config c = small(era);
        c.pcp = pcp;
        Kernel k(c);
        const Pfn pfn = k.get(order);
        k.put(pfn, order);
        const Machine before = k.m;
        k.put(pfn, order);
        const Log log = k.log();
        EXPECT_EQ(log.fault, Fault::double_free);
        EXPECT_EQ(log.effect, Effect::none);
        EXPECT_EQ(k.m, before);
      }
    }
  }
}

//   order 3 freed as order 1    [F F][lost lost lost lost lost lost]
TEST(BuddyFree, a_smaller_order_frees_the_front_and_loses_the_rest) {  // B-35
  for (const EraId era : eras) {
    Kernel k(small(era));
    const Pfn pfn = k.get(3);
    k.put(pfn, 1);
    const Log log = k.log();
    EXPECT_EQ(log.fault, Fault::wrong_order);
    EXPECT_EQ(log.effect, Effect::leaked);
    ASSERT_EQ(log.leaks, 1u);
    EXPECT_EQ(log.leak[0].first, pfn + 2);
    EXPECT_EQ(log.leak[0].pages, 6u);
    EXPECT_EQ(k.free_pages(), 16u - 6);
    EXPECT_EQ(k.free_list(1), Frames{pfn});
  }
}

//   order 1 freed as order 2, its neighbour somebody else's:   [lost lost][his  his]
TEST(BuddyFree, a_larger_order_loses_the_block_and_leaves_its_neighbour_alone) {  // B-35
  for (const EraId era : eras) {
    Kernel k(small(era));
    const Pfn pfn = k.get(1), his = k.get(1);
    EXPECT_EQ(his, pfn + 2);
    k.put(pfn, 2);
    const Log log = k.log();
    EXPECT_EQ(log.fault, Fault::wrong_order);
    EXPECT_EQ(log.effect, Effect::leaked);
    EXPECT_EQ(log.leak[0].first, pfn);
    EXPECT_EQ(log.leak[0].pages, 2u);
    EXPECT_EQ(k.free_pages(), 12u);
    k.put(his, 1);
    EXPECT_EQ(k.fault(), Fault::none);
    EXPECT_EQ(k.free_pages(), 14u);
  }
}

TEST(BuddyFree, a_compound_block_freed_with_another_order_stays_as_it_is) {  // B-35
  for (const EraId era : eras) {
    Kernel k(small(era));
    const Pfn pfn = k.get(2, GFP_BIT_COMP);
    const Machine before = k.m;
    for (const unsigned order : {0u, 1u, 3u}) {
      k.put(pfn, order);
      const Log log = k.log();
      EXPECT_EQ(log.fault, Fault::wrong_order);
      EXPECT_EQ(log.effect, Effect::none);
    }
    EXPECT_EQ(k.m, before);
  }
}

TEST(BuddyFree, an_inner_page_cannot_be_freed_by_itself) {  // B-35
  for (const EraId era : eras) {
    for (const Gfp compound : {Gfp{0}, Gfp{GFP_BIT_COMP}}) {
      Kernel k(small(era));
      const Pfn pfn = k.get(2, compound);
      k.put(pfn + 1);
      EXPECT_EQ(k.fault(), Fault::free_of_tail);
      k.put(pfn, 2);
      EXPECT_TRUE(all_free(k));
    }
  }
}

// Bad pages ----------------------------------------------------------------------------------

struct FlagCase {
  std::uint16_t flag;
  bool bad;
};
// mlocked stands among the sheet's flags, but 6.1.192 clears it before it looks.
constexpr std::array flag_cases{
    FlagCase{PG_locked, true},      FlagCase{PG_referenced, false}, FlagCase{PG_uptodate, false},
    FlagCase{PG_dirty, false},      FlagCase{PG_lru, true},         FlagCase{PG_active, true},
    FlagCase{PG_private, true},     FlagCase{PG_writeback, true},   FlagCase{PG_slab, true},
    FlagCase{PG_unevictable, true}, FlagCase{PG_mlocked, false}};

//   6.1: the whole block is lost.   2.6.11: reported, cleaned, and freed all the same.
TEST(BuddyFree, a_page_freed_with_a_telling_flag_is_bad) {  // B-36
  static_assert(flag_cases.size() == page_flag_names.size());
  for (const EraId era : eras) {
    for (const FlagCase& flag : flag_cases) {
      for (const unsigned order : {0u, 2u}) {
        Kernel k(small(era));
        const Pfn pfn = k.get(order);
        set_page_flags(k.m, pfn, flag.flag);
        k.put(pfn, order);
        const Log log = k.log();
        EXPECT_EQ(log.fault, flag.bad ? Fault::bad_page : Fault::none) << flag.flag;
        if (flag.bad && era == new_era) {
          EXPECT_EQ(log.effect, Effect::leaked);
          EXPECT_EQ(log.leak[0].pages, 1u << order);
          EXPECT_EQ(k.free_pages(), 16u - (1u << order));
        } else {
          EXPECT_EQ(log.effect, flag.bad ? Effect::freed : Effect::none);
          EXPECT_TRUE(all_free(k)) << flag.flag;
          EXPECT_EQ(k.record(pfn).flags, 0u);
        }
      }
    }
  }
}

TEST(BuddyFree, a_page_freed_while_mapped_is_bad) {  // B-36
  for (const EraId era : eras) {
    Kernel k(small(era));
    const Pfn pfn = k.get(1);
    set_page_mapcount(k.m, pfn, 1);
    k.put(pfn, 1);
    const Log log = k.log();
    EXPECT_EQ(log.fault, Fault::bad_page);
    EXPECT_EQ(log.effect, era == new_era ? Effect::leaked : Effect::freed);
    EXPECT_EQ(k.free_pages(), era == new_era ? 14u : 16u);
  }
}

// A single page passes a per-CPU list, and is looked at before, as with CONFIG_DEBUG_VM.
TEST(BuddyFree, a_single_page_is_checked_when_it_is_freed) {  // B-37
  for (const EraId era : eras) {
    Config c = small(era);
    c.pcp = true;
    Kernel k(c);
    const Pfn pfn = k.get();
    set_page_flags(k.m, pfn, PG_lru);
    const std::uint32_t parked = k.pcp().count[0];
    k.put(pfn);
    EXPECT_EQ(k.fault(), Fault::bad_page);
    EXPECT_EQ(k.pcp().count[0], parked + (era == new_era ? 0 : 1));
  }
}

//   frame 0 is free and flagged:   6.1 loses it and takes the next;   2.6.11 cleans and uses it
TEST(BuddyFree, a_page_that_was_scribbled_on_while_free_is_found_when_it_is_handed_out) {  // B-38
  for (const EraId era : eras) {
    Kernel k(small(era));
    set_page_flags(k.m, 0, PG_locked);
    const Pfn pfn = k.get();
    const Log log = k.log();
    EXPECT_EQ(log.fault, Fault::bad_page);
    EXPECT_EQ(log.effect, era == new_era ? Effect::leaked : Effect::none);
    EXPECT_EQ(pfn, era == new_era ? 1u : 0u);
    EXPECT_EQ(k.record(pfn).flags, 0u);
    EXPECT_EQ(k.free_pages(), era == new_era ? 14u : 15u);  // the lost page is not counted free
    k.put(pfn);
    EXPECT_EQ(k.fault(), Fault::none);
    EXPECT_EQ(k.free_pages(), era == new_era ? 15u : 16u);
  }
}

// The owner's private field, also that of a tail that becomes a head, is gone with the page.
TEST(BuddyFree, a_fresh_page_has_no_private_data_of_its_former_owner) {  // B-39
  for (const EraId era : eras) {
    Kernel k(small(era));
    const Pfn old = k.get(2);
    split_page(k.m, old, 2);
    for (Pfn i = 0; i < 4; ++i) set_page_private(k.m, old + i, 100 + i);
    for (Pfn i = 0; i < 4; ++i) EXPECT_EQ(page_private(k.m, old + i), 100 + i);
    for (Pfn i = 0; i < 4; ++i) k.put(old + i);
    const Pfn fresh = k.get(2);
    EXPECT_EQ(fresh, old);
    split_page(k.m, fresh, 2);
    for (Pfn i = 0; i < 4; ++i) EXPECT_EQ(page_private(k.m, fresh + i), 0u) << i;
  }
}

// split_page ---------------------------------------------------------------------------------

TEST(BuddyFree, a_split_block_is_so_many_single_pages) {  // B-41
  for (const EraId era : eras) {
    Kernel k(small(era));
    const Pfn pfn = k.get(2);
    split_page(k.m, pfn, 2);
    for (Pfn i = 0; i < 4; ++i) EXPECT_EQ(page_count(k.m, pfn + i), 1u) << i;
    k.put(pfn + 3), k.put(pfn + 1);
    EXPECT_EQ(k.free_pages(), 14u);
    k.put(pfn), k.put(pfn + 2);
    EXPECT_EQ(k.fault(), Fault::none);
    EXPECT_TRUE(all_free(k));
  }
}

TEST(BuddyFree, only_a_live_block_that_is_not_compound_is_split) {  // B-41
  for (const EraId era : eras) {
    Kernel k(small(era));
    const Pfn compound = k.get(1, GFP_BIT_COMP), plain = k.get(1);
    const Machine before = k.m;
    split_page(k.m, compound, 1);
    EXPECT_EQ(k.fault(), Fault::compound_page);
    split_page(k.m, plain, 2);
    EXPECT_EQ(k.fault(), Fault::wrong_order);
    split_page(k.m, 8, 3);  // free
    EXPECT_EQ(k.fault(), Fault::unreferenced);
    EXPECT_EQ(k.m, before);
  }
}

}  // namespace
}  // namespace props::buddy::by_hand
