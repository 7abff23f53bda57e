// Where the window lies: the well-known addresses of i386, and that no config makes parts overlap.
#include "ref/mmu/layout.hpp"

#include <gtest/gtest.h>

#include "props/core/random.hpp"
#include "props/mmu/reference_cases.hpp"

namespace props::mmu::by_hand {
namespace {

// 896 MiB are mapped directly, up to 0xf8000000. Then 8 MiB of nothing, and 128 MiB up to 4 GiB.
TEST(Layout, of_the_classic_machine_is_that_of_i386) {
  for (const EraId era : eras) {
    const Config c = classic(era);
    ASSERT_FALSE(validate(c)) << validate(c)->what;
    EXPECT_EQ(c.vmalloc, 28670u);
    const Window w = window_of(c);
    EXPECT_EQ(w.high_memory, 0xf8000000u);
    EXPECT_EQ(w.vmalloc_start, 0xf8800000u);
    EXPECT_EQ(w.vmalloc_end, 0xff7fe000u);
    EXPECT_EQ(w.pkmap_base, 0xff800000u);
    EXPECT_EQ(w.pkmap_end, 0xffc00000u);
    EXPECT_EQ(w.fixaddr_top, 0xfffff000u);
  }
  EXPECT_EQ(window_of(classic(EraId::linux_2_6_11)).fixmap_start, 0xffff2000u);  // 13 slots
  EXPECT_EQ(window_of(classic(EraId::linux_6_1)).fixmap_start, 0xfffef000u);     // 16
}

TEST(Layout, with_half_the_slots_pkmap_moves_up) {  // LAST_PKMAP 512, of larger entries
  Config c = classic(EraId::linux_2_6_11);
  c.pkmap = 512;
  const Window w = window_of(c);
  EXPECT_EQ(w.pkmap_base, 0xffc00000u);
  EXPECT_EQ(w.pkmap_end, 0xffe00000u);
  EXPECT_EQ(w.vmalloc_end, 0xffbfe000u);
}

// 8 slots of 64 bytes would just fit below 3 * 13 temporary ones.
TEST(Layout, leaves_a_page_between_the_slots_of_either_kind) {
  Config c = with_window(EraId::linux_2_6_11, 8, 0);
  c.page_bytes = 64, c.cpus = 3;
  const Window w = window_of(c);
  EXPECT_EQ(w.fixmap_start, 0xfffff600u);
  EXPECT_EQ(w.pkmap_end, 0xfffff200u);
}

// a higher number is a lower address.
TEST(Layout, temporary_slots_go_down_from_the_top) {
  const Window w = window_of(classic(EraId::linux_2_6_11));
  EXPECT_EQ(fix_to_virt(w, 4096, 0), 0xffffe000u);
  EXPECT_EQ(fix_to_virt(w, 4096, 12), 0xffff2000u);
  EXPECT_EQ(fix_to_virt(w, 4096, 12), w.fixmap_start);
}

TEST(Layout, prints_as_at_boot) {
  EXPECT_EQ(window_text(Machine(with_window(EraId::linux_2_6_11, 8, 4096))),
            "    fixmap  : 0xfffe5000 - 0xfffff000   ( 104 kB)\n"
            "    pkmap   : 0xffc00000 - 0xffc08000   (  32 kB)\n"
            "    vmalloc : 0xfebfe000 - 0xffbfe000   (  16 MB)\n"
            "    lowmem  : 0xc0000000 - 0xc0040000   ( 256 kB)\n");
  Config tiny = with_window(EraId::linux_6_1, 0, 3);
  tiny.page_bytes = 64;
  EXPECT_EQ(window_text(Machine(tiny)),
            "    fixmap  : 0xfffff7c0 - 0xffffffc0   (   2 kB)\n"
            "    vmalloc : 0xfffff2c0 - 0xfffff380   ( 192 B )\n"
            "    lowmem  : 0xc0000000 - 0xc0001000   (   4 kB)\n");
  EXPECT_EQ(window_text(Machine(with_window(EraId::linux_6_1, 0, 0))),
            "    lowmem  : 0xc0000000 - 0xc0040000   ( 256 kB)\n");
}

Config draw(Random& random) {
  for (;;) {
    Config c;
    c.era = random.chance(2) ? EraId::linux_2_6_11 : EraId::linux_6_1;
    c.page_bytes = 64u << random.below(11);
    c.cpus = static_cast<std::uint32_t>(1 + random.below(8));
    c.add_zone(ZoneKind::normal, static_cast<std::uint32_t>(1 + random.below(300)));
    if (random.chance(2)) c.add_zone(ZoneKind::highmem, 9);
    if (random.chance(3)) c.pkmap = 1u << random.below(11);
    if (random.chance(3) || c.pkmap == 0)
      c.vmalloc = static_cast<std::uint32_t>(1 + random.below(9999));
    if (!validate(c)) return c;
  }
}

TEST(Layout, of_any_machine_has_its_parts_apart_and_in_order) {
  Random random(5);
  for (int i = 0; i < 3000; ++i) {
    const Config c = draw(random);
    const Window w = window_of(c);
    const std::uint64_t page = c.page_bytes;
    EXPECT_LE(w.high_memory + hole_pages * page, w.vmalloc_start);
    EXPECT_EQ(w.vmalloc_end - w.vmalloc_start, c.vmalloc * page);
    EXPECT_EQ(w.vmalloc_end + 2 * page, w.pkmap_base);
    EXPECT_EQ(w.pkmap_end - w.pkmap_base, c.pkmap * page);
    EXPECT_EQ(w.pkmap_base % table_span(page), 0u);
    EXPECT_LT(w.pkmap_end, w.fixmap_start);
    const std::uint32_t slots = c.profile().atomic_slots * c.cpus;
    EXPECT_EQ(fix_to_virt(w, page, slots - 1), w.fixmap_start);
    EXPECT_EQ(w.fixaddr_top + page, address_end);
  }
}

TEST(Layout, regions_cover_everything_once) {
  Random random(6);
  for (int i = 0; i < 40; ++i) {
    const Machine m(draw(random));
    std::uint64_t at = page_offset;
    for (const Region& r : regions(m)) {
      EXPECT_EQ(r.begin, at);
      EXPECT_LT(r.begin, r.end);
      at = r.end;
    }
    EXPECT_EQ(at, address_end);
  }
}

// What the direct map has, and nothing else, is lowmem: a zone above HIGHMEM counts, HIGHMEM not.
TEST(Layout, the_direct_map_ends_behind_the_last_page_with_an_address) {
  Config c;
  c.add_zone_at(ZoneKind::highmem, 10, 5);
  c.add_zone_at(ZoneKind::normal, 100, 7);
  c.pkmap = 4;
  EXPECT_EQ(window_of(c).high_memory, page_offset + 107 * 4096);
}

}  // namespace
}  // namespace props::mmu::by_hand
