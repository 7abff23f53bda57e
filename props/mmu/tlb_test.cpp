// Access through TLBs, worked out by hand: what is cached stays in use until it is flushed.
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <vector>

#include "props/core/random.hpp"
#include "props/mmu/reference_cases.hpp"

namespace props::mmu::by_hand {
namespace {

using ref::core::Pfn;

TEST(Tlb, what_is_stored_through_an_address_is_the_frame_s) {
  for (const EraId era : eras) {
    Kernel k(with_window(era));
    k.map(3, 70);
    EXPECT_TRUE(write_byte(k.m, k.at(3), 'a'));
    EXPECT_EQ(in_ram(k.m, 70), 'a');
    put_in_ram(k.m, 70, 'b');
    EXPECT_EQ(k.read(3, 0), 'b');
    EXPECT_EQ(k.read(3, 1), 'b');
  }
}

TEST(Tlb, two_addresses_of_one_frame_are_one_memory) {
  Kernel k(with_window(EraId::linux_6_1));
  k.map(0, 5), k.map(7, 5);
  EXPECT_TRUE(write_byte(k.m, plus(k.at(7), 100), 'x'));
  EXPECT_EQ(read_byte(k.m, plus(k.at(0), 100)), 'x');
  EXPECT_EQ(read_byte(k.m, plus(*page_address(k.m, 5), 100)), 'x');  // the direct map
}

// The error that this row is for.
TEST(Tlb, a_translation_outlives_its_page_until_it_is_flushed) {
  Kernel k(with_window(EraId::linux_6_1));
  put_in_ram(k.m, 70, 'a'), put_in_ram(k.m, 71, 'b');
  k.map(3, 70);
  EXPECT_EQ(k.read(3, 0), 'a');
  k.unmap(3);
  EXPECT_EQ(k.read(3, 0), 'a');  // a hit: the tables are not asked
  EXPECT_EQ(k.read(3, 1), '!');  // this CPU never read it
  k.map(3, 71);
  EXPECT_EQ(k.read(3, 0), 'a');
  EXPECT_EQ(k.read(3, 1), 'b');
  EXPECT_TRUE(write_byte(k.m, k.at(3), 'c'));  // CPU 1
  select_cpu(k.m, 0);
  EXPECT_TRUE(write_byte(k.m, k.at(3), 'd'));  // CPU 0, into somebody else's page
  EXPECT_EQ(in_ram(k.m, 71), 'c');
  EXPECT_EQ(in_ram(k.m, 70), 'd');
  flush_page(k.m, k.at(3), Cpus::all);
  EXPECT_EQ(k.read(3, 0), 'c');
  EXPECT_EQ(k.read(3, 1), 'c');
}

TEST(Tlb, a_local_flush_leaves_the_other_cpus_alone) {
  for (const bool whole : {false, true}) {
    Kernel k(with_window(EraId::linux_6_1));
    k.map(3, 70);
    k.read(3, 0), k.read(3, 1);
    k.unmap(3);
    select_cpu(k.m, 1);
    if (whole) flush_all(k.m, Cpus::local);
    else flush_page(k.m, plus(k.at(3), 17), Cpus::local);
    EXPECT_EQ(cached(k.m, 0, k.at(3)), Pfn{70});
    EXPECT_EQ(cached(k.m, 1, k.at(3)), std::nullopt);
    flush_all(k.m, Cpus::all);
    EXPECT_EQ(cached(k.m, 0, k.at(3)), std::nullopt);
  }
}

TEST(Tlb, a_range_ends_before_its_end) {
  Kernel k(with_window(EraId::linux_6_1));
  for (std::uint64_t p = 2; p < 8; ++p) k.map(p, static_cast<Pfn>(64 + p)), k.read(p);
  flush_range(k.m, k.at(4), k.at(6), Cpus::all);
  for (std::uint64_t p = 2; p < 8; ++p)
    EXPECT_EQ(cached(k.m, 0, k.at(p)).has_value(), p < 4 || p >= 6) << p;
  flush_range(k.m, k.at(7), k.at(7), Cpus::all);  // nothing
  EXPECT_TRUE(cached(k.m, 0, k.at(7)));
  flush_range(k.m, k.at(7), plus(k.at(7), 1), Cpus::all);  // a byte of a page is the page
  EXPECT_FALSE(cached(k.m, 0, k.at(7)));
}

TEST(Tlb, an_access_stops_at_the_first_page_that_is_not_mapped) {
  Kernel k(with_window(EraId::linux_6_1));
  k.map(0, 70), k.map(1, 80), k.map(3, 71);
  std::vector<std::byte> bytes(3 * 4096, std::byte{'x'});
  const Access stored = store(k.m, plus(k.at(0), 100), bytes);
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().address, k.at(2));
  EXPECT_EQ(in_ram(k.m, 80), 'x');  // what lies before is done
  EXPECT_EQ(read_pages(k.m, 70, 99, 1)[0], std::byte{0});
  EXPECT_EQ(read_pages(k.m, 70, 100, 1)[0], std::byte{'x'});
  EXPECT_EQ(in_ram(k.m, 71), 0);
  std::vector<std::byte> back(5000);
  EXPECT_TRUE(load(k.m, plus(k.at(0), 100), back));
  EXPECT_EQ(back, std::vector(5000, std::byte{'x'}));
  EXPECT_TRUE(load(k.m, k.at(2), {}));  // no byte, no access
}

TEST(Tlb, nothing_is_mapped_outside_lowmem_and_window) {
  Kernel k(with_window(EraId::linux_6_1));
  const Window& w = k.m.mmu.window;
  for (const std::uint64_t a :
       {std::uint64_t{0}, std::uint64_t{0xbfffffff}, w.high_memory, w.vmalloc_start - 1,
        w.vmalloc_end, w.pkmap_base, w.pkmap_end, w.fixmap_start, w.fixaddr_top,
        std::uint64_t{0xffffffff}, std::uint64_t{1} << 32, UINT64_MAX})
    EXPECT_EQ(read_byte(k.m, Address{a}), '!') << std::hex << a;
  EXPECT_EQ(read_byte(k.m, Address{w.high_memory - 1}), 0);
  std::array<std::byte, 8> over{};
  const Access read = load(k.m, Address{w.high_memory - 4}, over);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().address, Address{w.high_memory});
}

TEST(Tlb, hardware_may_look_ahead_but_only_at_what_is_there) {
  Kernel k(with_window(EraId::linux_6_1));
  k.map(3, 70);
  prefetch(k.m, 1, k.at(3)), prefetch(k.m, 1, k.at(4));
  prefetch(k.m, 1, *page_address(k.m, 5));
  EXPECT_EQ(cached(k.m, 1, k.at(3)), Pfn{70});
  EXPECT_EQ(cached(k.m, 1, k.at(4)), std::nullopt);
  EXPECT_EQ(cached(k.m, 0, k.at(3)), std::nullopt);
  EXPECT_EQ(k.m.arena.at(k.m.mmu.tlb, 1).count, 1u);
  k.map(4, 71);
  EXPECT_EQ(translate(k.m, 1, k.at(4)), Pfn{71});  // an absent page was not remembered
}

TEST(Tlb, frames_outside_ram_answer_by_address_and_forget) {
  Kernel k(with_window(EraId::linux_6_1));
  k.map(1, 0xfee00), k.map(2, 0xfee00), k.map(3, 0xfee01);
  EXPECT_TRUE(write_byte(k.m, k.at(1), 'a'));
  std::array<std::byte, 64> one{}, two{}, other{};
  EXPECT_TRUE(load(k.m, k.at(1), one));
  EXPECT_TRUE(load(k.m, k.at(2), two));
  EXPECT_TRUE(load(k.m, k.at(3), other));
  EXPECT_EQ(one, two);
  EXPECT_NE(one, other);
  EXPECT_EQ(one[5], device_byte(0xfee00005));
  EXPECT_NE(one[5], one[6]);
}

// The state is what is cached and in which order; an emptied TLB is as new.
TEST(Tlb, an_emptied_tlb_is_as_new) {
  Kernel k(with_window(EraId::linux_6_1));
  for (std::uint64_t p = 0; p < 9; ++p) k.map(p, static_cast<Pfn>(64 + p));
  const Machine before = k.m;
  for (std::uint64_t p = 0; p < 9; ++p) k.read(p, p % 2);
  EXPECT_FALSE(k.m == before);
  for (const std::uint64_t p : {8u, 0u, 4u}) flush_page(k.m, k.at(p), Cpus::all);
  flush_range(k.m, k.at(0), k.at(3), Cpus::all);
  flush_all(k.m, Cpus::all);
  select_cpu(k.m, 0);
  EXPECT_TRUE(k.m == before);
  EXPECT_EQ(k.m.arena.hash(), k.m.arena.hash_of_all());
}

// Beside a map of what each CPU must have cached: every flush takes both of its ways.
TEST(Tlb, agrees_with_a_naive_one) {
  Kernel k(with_window(EraId::linux_2_6_11, 8, 24));
  std::array<std::map<std::uint64_t, Pfn>, 2> naive;
  std::map<std::uint64_t, Pfn> tables;
  Random random(11);
  for (int step = 0; step < 20000; ++step) {
    const std::uint64_t p = random.below(24), q = p + random.below(25 - p);
    const auto cpu = static_cast<std::uint32_t>(random.below(2));
    const Cpus cpus = random.chance(2) ? Cpus::all : Cpus::local;
    select_cpu(k.m, cpu);
    const auto forget = [&](std::uint64_t first, std::uint64_t end) {
      for (std::uint32_t c = 0; c < 2; ++c)
        if (cpus == Cpus::all || c == cpu)
          std::erase_if(naive[c], [&](auto& e) { return e.first >= first && e.first < end; });
    };
    switch (random.below(20)) {
      case 0: flush_page(k.m, k.at(p), cpus), forget(p, p + 1); break;
      case 1: flush_range(k.m, k.at(p), k.at(q), cpus), forget(p, q); break;
      case 2:
        if (random.chance(8)) flush_all(k.m, cpus), forget(0, 24);
        break;
      case 3: {
        const auto pfn = static_cast<Pfn>(random.below(96));
        EXPECT_EQ(map(k.m, k.at(p), pfn), tables.contains(p) ? Mapped::busy : Mapped::done);
        tables.try_emplace(p, pfn);
        break;
      }
      case 4: EXPECT_EQ(unmap(k.m, k.at(p)).has_value(), tables.erase(p) == 1); break;
      default: {
        if (tables.contains(p)) naive[cpu].try_emplace(p, tables[p]);
        std::byte b{};
        EXPECT_EQ(load(k.m, k.at(p), std::span(&b, 1)).has_value(), naive[cpu].contains(p));
        break;
      }
    }
    std::array<std::map<std::uint64_t, Pfn>, 2> seen;
    for_each_cached(k.m, [&](std::uint32_t c, Address a, Pfn pfn) {
      const std::uint64_t page =
          (static_cast<std::uint64_t>(a) - k.m.mmu.window.vmalloc_start) / 4096;
      EXPECT_TRUE(seen[c].emplace(page, pfn).second);
      EXPECT_EQ(cached(k.m, c, a), pfn);
    });
    ASSERT_EQ(seen, naive) << step;
    for (std::uint32_t c = 0; c < 2; ++c)
      ASSERT_EQ(k.m.arena.at(k.m.mmu.tlb, c).count, naive[c].size());
  }
}

}  // namespace
}  // namespace props::mmu::by_hand
