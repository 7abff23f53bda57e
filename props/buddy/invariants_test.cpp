// Guards the guards: each invariant sees its own kind of broken state, and every bit of a record is
// either noticed by some invariant or listed here as free, with the reason.
#include "props/buddy/invariants.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>

#include "props/buddy/generator.hpp"
#include "ref/buddy/lists.hpp"

namespace props::buddy {
namespace {

using namespace ref::buddy;
using ref::core::EraId;

struct QuietEnv final : ref::core::Env {};

Config small(EraId era) {
  Config c;
  c.era = era;
  c.page_bytes = 64;
  c.orders = 5;
  c.cpus = 2;
  c.add_zone(ZoneKind::dma, 16);
  c.add_zone(ZoneKind::normal, 32);
  return c;
}

// Blocks of three orders live, some pages parked on a per-CPU list, the rest free.
Machine busy(EraId era) {
  Machine m(small(era));
  QuietEnv env;
  std::vector<Pfn> single;
  for (int i = 0; i < 4; ++i) single.push_back(*alloc_pages(env, m, 0, 0));
  (void)alloc_pages(env, m, ref::core::GFP_BIT_COMP, 2);
  (void)alloc_pages(env, m, 0, 1);
  free_pages_(env, m, single[1], 0);
  free_pages_(env, m, single[2], 0);
  return m;
}

Index page_of(const Machine& m, PageKind kind, unsigned order) {
  for (Index i = 0; i < m.config.pages(); ++i)
    if (page_at(m, i).kind == kind && page_at(m, i).order == order) return i;
  ADD_FAILURE() << "no such page";
  return 0;
}

List& edit_area(Machine& m, Index z, unsigned order) {
  return m.arena.edit(m.buddy.area, z * m.config.orders + order);
}

// The first free block of an order above 0 becomes two that should have merged.
void unmerge(Machine& m) {
  for (unsigned order = 1; order < m.config.orders; ++order) {
    const Index head = area_at(m, 0, order).head;
    if (head == 0) continue;
    unlink(m, m.buddy.area, order, head - 1);
    const Index upper = head - 1 + (Index{1} << (order - 1));
    for (const Index page : {head - 1, upper}) {
      edit_page(m, page).kind = PageKind::free_head;
      edit_page(m, page).order = static_cast<std::uint8_t>(order - 1);
      push_front(m, m.buddy.area, order - 1, page);
    }
    return;
  }
  ADD_FAILURE() << "no block to take apart";
}

struct Planted {
  std::string_view rule;
  std::string_view what;
  void (*plant)(Machine&);
};

constexpr Planted planted[] = {
    {"BUDDY-TILED", "a block longer than its frames",
     [](Machine& m) { ++edit_page(m, page_of(m, PageKind::live_head, 0)).order; }},
    {"BUDDY-TILED", "a frame of no block",
     [](Machine& m) { edit_page(m, page_of(m, PageKind::live_head, 0)) = {}; }},
    {"BUDDY-LISTED", "a free block on no list",
     [](Machine& m) {
       edit_page(m, page_of(m, PageKind::live_head, 0)).kind = PageKind::free_head;
     }},
    {"BUDDY-LISTED", "a list that ends elsewhere", [](Machine& m) { edit_area(m, 1, 3).tail = 1; }},
    {"BUDDY-LISTED", "a list without end",
     [](Machine& m) {
       const Index head = area_at(m, 0, 4).head;
       ASSERT_NE(head, 0u);
       edit_page(m, head - 1).next = head;
     }},
    {"BUDDY-COUNTED", "one page too many", [](Machine& m) { ++edit_zone(m, 1).free_pages; }},
    {"BUDDY-MERGED", "two buddies apart", unmerge},
    {"PCP-LISTED", "one page too many on a CPU", [](Machine& m) { ++edit_pcp(m, 1, 0).count[0]; }},
    {"PCP-LISTED", "a parked page on no list",
     [](Machine& m) {
       edit_page(m, page_of(m, PageKind::live_head, 0)).kind = PageKind::pcp_head;
     }},
    {"PCP-UNLOCKED", "a list that is held", [](Machine& m) { edit_pcp(m, 0, 1).locked = 1; }},
    {"BUDDY-REFERENCED", "a live page without references",
     [](Machine& m) { edit_page(m, page_of(m, PageKind::live_head, 0)).refcount = 0; }},
    {"BUDDY-REFERENCED", "a compound block of one page",
     [](Machine& m) { edit_page(m, page_of(m, PageKind::live_head, 0)).flags |= PG_head; }},
    {"BUDDY-CANONICAL", "a free page with private data",
     [](Machine& m) { edit_page(m, area_at(m, 0, 4).head - 1).private_data = 7; }},
    {"BUDDY-CANONICAL", "a scribble that is not there",
     [](Machine& m) { m.arena.edit(m.buddy.sysctl, 0).scribbled = 1; }},
    {"BUDDY-EVENTS", "a page counted twice", [](Machine& m) { ++m.events[1].pgalloc; }},
    {"BUDDY-EVENTS", "a page freed twice", [](Machine& m) { m.events[1].pgfree += 1; }},
    {"BUDDYINFO-TEXT", "a zone under another's name",
     [](Machine& m) { edit_zone(m, 0).kind = ZoneKind::normal; }},
};

TEST(Invariants, each_is_the_first_to_see_its_own_broken_state) {
  std::set<std::string_view> bitten;
  for (const EraId era : {EraId::linux_2_6_11, EraId::linux_6_1}) {
    for (const Planted& p : planted) {
      Machine m = busy(era);
      ASSERT_FALSE(first_broken(m));
      p.plant(m);
      const auto finding = first_broken(m);
      ASSERT_TRUE(finding) << p.what;
      EXPECT_EQ(finding->rule, p.rule) << p.what;
      EXPECT_NE(finding->expected, finding->actual) << p.what;
      bitten.insert(finding->rule);
    }
  }
  // In 6.1 the bound is the zone itself: more pages than that cannot be on a list that is right.
  Machine m = busy(EraId::linux_2_6_11);
  ASSERT_GT(pcp_at(m, 1, 0).count[0], 0u);
  edit_pcp(m, 1, 0).high[0] = pcp_at(m, 1, 0).count[0];
  ASSERT_FALSE(first_broken(m));
  --edit_pcp(m, 1, 0).high[0];
  ASSERT_TRUE(first_broken(m));
  EXPECT_EQ(first_broken(m)->rule, "PCP-BOUNDED");
  bitten.insert("PCP-BOUNDED");
  for (const Invariant& i : invariants()) EXPECT_TRUE(bitten.contains(i.rule)) << i.rule;
}

TEST(Invariants, are_rules_of_the_layer_and_each_stands_once) {
  std::set<std::string_view> seen;
  for (const Invariant& i : invariants()) {
    EXPECT_TRUE(seen.insert(i.rule).second) << i.rule;
    const Rule* rule = find_rule(rules(), i.rule);
    ASSERT_NE(rule, nullptr) << i.rule;
    EXPECT_EQ(rule->scope, Scope::reference) << i.rule;
  }
}

// --- every bit --------------------------------------------------------------------------------

// A field whose bits no invariant looks at, in records where `when` holds, and why.
template <class T>
struct FreeField {
  std::string_view name;
  std::size_t offset, bytes;
  bool (*when)(const Machine&, const T&);
  std::string_view why;
};

constexpr auto always = [](const Machine&, const auto&) { return true; };
constexpr auto if_live = [](const Machine&, const Page& p) {
  return p.kind == PageKind::live_head;
};
constexpr auto if_held = [](const Machine&, const Page& p) {
  return p.kind == PageKind::live_head || p.kind == PageKind::reserved;
};

const FreeField<Page> free_of_page[] = {
    {"refcount", offsetof(Page, refcount), 4, if_held,
     "any number but zero; PAGE-COUNT compares it with the registers"},
    {"private_data", offsetof(Page, private_data), 4, if_live, "its owner's"},
    {"mapcount", offsetof(Page, mapcount), 4, if_live, "its owner's"},
    {"flags", offsetof(Page, flags), 2, if_live,
     "its owner's; PG_head by split_page and PAGE-COUNT, PG_pfmemalloc by BUDDY-EXACT"},
};
const FreeField<List> free_of_list[] = {
    {"zero", offsetof(List, zero), 4, always, "padding, which nothing writes or reads"},
};
const FreeField<Pcp> free_of_pcp[] = {
    {"low", offsetof(Pcp, low), 8, always, "derived from the zone; BUDDY-ORDERED compares it"},
    {"high", offsetof(Pcp, high), 8, always,
     "derived from the zone; PCP-BOUNDED only sees one that is too small"},
    {"batch", offsetof(Pcp, batch), 4, always, "derived from the zone; BUDDY-ORDERED compares it"},
    {"free_factor", offsetof(Pcp, free_factor), 2, always,
     "how often batches were doubled: any number is a legal state"},
};
const FreeField<Zone> free_of_zone[] = {
    {"geometry", offsetof(Zone, first), 16, always,
     "first, pages, managed, map: written at boot alone, and what every check is built on"},
    {"watermark", offsetof(Zone, watermark), 12, always,
     "ZONE-MARKS compares the low mark, BUDDY-ORDERED all"},
    {"lowmem_reserve", offsetof(Zone, lowmem_reserve), 12, always, "ZONE-RESERVE compares it"},
    {"node", offsetof(Zone, node), 5, always, "node and kind: written at boot alone"},
    {"reclaim_active", offsetof(Zone, reclaim_active), 1, always, "a switch: both are legal"},
    {"zero", offsetof(Zone, zero), 2 + sizeof(Zone::zero_too), always,
     "padding, which nothing writes or reads"},
};

using Noticed = std::map<std::string_view, std::uint64_t>;

// Flips each bit of each record of a table, but for those of free fields.
template <class T>
void flip_all(Machine& m, const ref::core::Table<T>& table, std::span<const FreeField<T>> fields,
              Noticed& noticed) {
  for (std::uint64_t i = 0; i < table.count; ++i) {
    for (std::size_t byte = 0; byte < sizeof(T); ++byte) {
      const T before = m.arena.at(table, i);
      const bool is_free = std::ranges::any_of(fields, [&](const FreeField<T>& f) {
        return byte >= f.offset && byte < f.offset + f.bytes && f.when(m, before);
      });
      if (is_free) continue;
      for (unsigned bit = 0; bit < 8; ++bit) {
        auto* bytes = reinterpret_cast<std::byte*>(&m.arena.edit(table, i));
        bytes[byte] ^= std::byte(1u << bit);
        const auto finding = first_broken(m);
        m.arena.edit(table, i) = before;
        ASSERT_TRUE(finding) << "record " << i << " of " << table.count << ", byte " << byte
                             << ", bit " << bit;
        ++noticed[finding->rule];
      }
    }
  }
}

void flip_machine(Machine m, Noticed& noticed) {
  ASSERT_NO_FATAL_FAILURE(flip_all<Page>(m, m.buddy.page, free_of_page, noticed)) << "pages";
  ASSERT_NO_FATAL_FAILURE(flip_all<List>(m, m.buddy.area, free_of_list, noticed)) << "areas";
  ASSERT_NO_FATAL_FAILURE(flip_all<List>(m, m.buddy.pcp_list, free_of_list, noticed))
      << "pcp lists";
  ASSERT_NO_FATAL_FAILURE(flip_all<Pcp>(m, m.buddy.pcp, free_of_pcp, noticed)) << "pcp";
  ASSERT_NO_FATAL_FAILURE(flip_all<Zone>(m, m.buddy.zone, free_of_zone, noticed)) << "zones";
}

Config draw_small(Random& random) {
  Config c;
  c.era = random.chance(2) ? EraId::linux_2_6_11 : EraId::linux_6_1;
  c.page_bytes = 64;
  c.orders = static_cast<std::uint32_t>(2 + random.below(4));
  c.cpus = static_cast<std::uint32_t>(1 + random.below(2));
  c.pcp = !random.chance(3);
  const auto pages = static_cast<std::uint32_t>(4 + random.below(13));
  c.add_zone_at(ZoneKind::dma, static_cast<Pfn>(random.below(4)), pages);
  if (random.chance(2)) c.add_zone(ZoneKind::normal, pages);
  if (random.chance(2)) c.reserved[c.reserved_count++] = {c.zones[0].first, c.zones[0].first + 1};
  return c;
}

TEST(Invariants, notice_each_bit_that_is_not_free_in_reachable_states) {
  Noticed noticed;
  std::uint64_t states = 0;
  std::map<PageKind, int> kinds;
  for (std::uint64_t seed = 0; states < 24; ++seed) {
    Random random(seed);
    const Newborn newborn(draw_small(random));
    World world(newborn, Judging::cheap());
    const Generator generator(random);
    for (auto n = 10 + random.below(80); n > 0; --n) world.apply(generator.draw(world, random));
    ASSERT_FALSE(world.violation()) << "seed " << seed << world.violation()->rule->id;
    const Machine& m = world.machine();
    // A scribble makes the flags of free frames anybody's (B-38).
    if (m.arena.at(m.buddy.sysctl, 0).scribbled > 0) continue;
    ++states;
    for (Index i = 0; i < m.config.pages(); ++i) ++kinds[page_at(m, i).kind];
    ASSERT_NO_FATAL_FAILURE(flip_machine(m, noticed)) << "seed " << seed << world.picture();
  }
  EXPECT_EQ(kinds.size(), 6u);  // each kind of frame was there to be flipped
  for (const auto rule : {"BUDDY-TILED", "BUDDY-LISTED", "BUDDY-COUNTED", "PCP-LISTED",
                          "PCP-UNLOCKED", "BUDDY-CANONICAL"})
    EXPECT_GT(noticed[rule], 100u) << rule;
}

TEST(Invariants, every_free_field_has_a_name_and_a_reason) {
  const auto check = [](const auto& fields) {
    for (const auto& f : fields) EXPECT_FALSE(f.name.empty() || f.why.empty());
  };
  check(free_of_page), check(free_of_list), check(free_of_pcp), check(free_of_zone);
}

}  // namespace
}  // namespace props::buddy
