// Every rule of the layer is the first to see some broken state or answer, or has a mutant.
//
// A plant is a machine line, steps, and an edit of the machine, as a faulty allocator would have
// left it; then a step, or the checks, and the rule that must be named. Rules of calls that decide
// by what the world reads as well cannot be broken from behind: mutants show that they bite.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "props/buddy/invariants.hpp"
#include "props/buddy/scene.hpp"
#include "props/core/probe.hpp"
#include "ref/buddy/lists.hpp"

namespace props::buddy {
namespace {

using namespace ref::buddy;
using ref::buddy::Machine;

QuietEnv quiet;

struct Plant {
  std::string rule, line, before;
  void (*plant)(Machine&);
  std::string after;  // empty: the checks at the end
  Judging judging = Judging::cheap();
};

// --- states -----------------------------------------------------------------------------------

// Two zones, the first begins with a reserved frame.
Config small(ref::core::EraId era) {
  Config c;
  c.era = era;
  c.page_bytes = 64;
  c.orders = 5;
  c.cpus = 2;
  c.add_zone(ZoneKind::dma, 16);
  c.add_zone(ZoneKind::normal, 32);
  c.reserved[c.reserved_count++] = {47, 47};
  return c;
}

// Blocks of three orders live, some pages parked on a per-CPU list, the rest free.
Machine busy(ref::core::EraId era) {
  Machine m(small(era));
  std::vector<Pfn> single;
  for (int i = 0; i < 4; ++i) single.push_back(*alloc_pages(quiet, m, 0, 0));
  (void)alloc_pages(quiet, m, ref::core::GFP_BIT_COMP, 2);
  (void)alloc_pages(quiet, m, 0, 1);
  free_pages_(quiet, m, single[1], 0);
  free_pages_(quiet, m, single[2], 0);
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

struct PlantedState {
  std::string_view rule;
  std::string_view what;
  void (*plant)(Machine&);
  std::optional<ref::core::EraId> only = std::nullopt;
};

const PlantedState state_plants[] = {
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
    {"BUDDY-REFERENCED", "a reserved page that somebody else holds",
     [](Machine& m) { edit_page(m, page_of(m, PageKind::reserved, 0)).refcount = 2; }},
    {"BUDDY-REFERENCED", "a compound block of one page",
     [](Machine& m) { edit_page(m, page_of(m, PageKind::live_head, 0)).flags |= PG_head; }},
    {"BUDDY-CANONICAL", "a free page with private data",
     [](Machine& m) { edit_page(m, area_at(m, 0, 4).head - 1).private_data = 7; }},
    {"BUDDY-CANONICAL", "a list with something behind its count",
     [](Machine& m) { edit_area(m, 1, 3).zero = 1; }},
    {"BUDDY-CANONICAL", "a scribble that is not there",
     [](Machine& m) { m.arena.edit(m.buddy.sysctl, 0).scribbled = 1; }},
    {"BUDDY-EVENTS", "a page counted twice", [](Machine& m) { ++m.events[1].pgalloc; }},
    {"BUDDY-EVENTS", "a page freed twice", [](Machine& m) { m.events[1].pgfree += 1; }},
    {"BUDDY-EVENTS", "events of a zone that is not there",
     [](Machine& m) { m.events[2].pgalloc = 1; }},
    {"BUDDY-EVENTS", "a page that came from one zone and went to the other",
     [](Machine& m) { --m.events[1].pgalloc, ++m.events[0].pgalloc; }},
    {"BUDDYINFO-TEXT", "a node that is not shown", [](Machine& m) { m.config.nodes = 0; }},
    {"ZONE-GEOMETRY", "a zone under another's name",
     [](Machine& m) { edit_zone(m, 0).kind = ZoneKind::normal; }},
    {"ZONE-GEOMETRY", "a zone that begins elsewhere", [](Machine& m) { ++edit_zone(m, 0).first; }},
    {"ZONE-GEOMETRY", "a page that was never reserved",
     [](Machine& m) { --edit_zone(m, 1).managed; }},
    {"CONTEXT-LEGAL", "two CPUs with one task",
     [](Machine& m) { m.arena.edit(m.core.cpu, 1).task = 0; }},
    {"CONTEXT-LEGAL", "nesting without end",
     [](Machine& m) { m.arena.edit(m.core.cpu, 1).preempt_count = 256; }},
    {"CONTEXT-LEGAL", "a wait of no call",
     [](Machine& m) { m.arena.edit(m.core.task, 1).wait.order = 1; }},
    {"CONTEXT-LEGAL", "a lost page that nobody counted",
     [](Machine& m) { m.edit_globals().log.leak[0].pages = 1; }},
    // In 6.1 the bound is the zone itself: more than that cannot be on a list that is right.
    {"PCP-BOUNDED", "more pages than the limit",
     [](Machine& m) { edit_pcp(m, 1, 0).high[0] = pcp_at(m, 1, 0).count[0] - 1; },
     ref::core::EraId::linux_2_6_11},
};

TEST(Planted, each_invariant_is_the_first_to_see_its_own_broken_state) {
  for (const auto era : {ref::core::EraId::linux_2_6_11, ref::core::EraId::linux_6_1}) {
    const Machine sound = busy(era);
    ASSERT_FALSE(first_broken(sound)) << first_broken(sound)->rule;
    for (const PlantedState& p : state_plants) {
      if (p.only && p.only != era) continue;
      Machine m = sound;
      p.plant(m);
      const auto finding = first_broken(m);
      ASSERT_TRUE(finding) << p.what;
      EXPECT_EQ(finding->rule, p.rule) << p.what;
      EXPECT_NE(finding->expected, finding->actual) << p.what;
    }
  }
}

// --- answers ----------------------------------------------------------------------------------

void take_all(Machine& m) {
  while (ref::buddy::alloc_pages(quiet, m, ref::core::GFP_BIT_NOWARN, 0)) {}
}
// A free block where no block of that order may be.
void list_block(Machine& m, Index page, unsigned order) {
  take_all(m);
  edit_page(m, page) = {};
  edit_page(m, page).kind = PageKind::free_head;
  edit_page(m, page).order = static_cast<std::uint8_t>(order);
  push_front(m, m.buddy.area, order, page);
  edit_zone(m, 0).free_pages += 100;
}

// Behind the arena's back, so that frame 1 still counts as never written.
void write_unmarked(Machine& m) {
  const_cast<std::byte&>(m.arena.bytes(m.ram, m.config.page_bytes, 1)[0]) = std::byte{1};
}

const Judging modelled{.model = true};
const Judging unstamped{.stamps = Stamps::none};
const Judging dense{.stamps = Stamps::spaced};
const Judging exhausting{.exhaust_every = 1};
const std::string one = "p0 = alloc_page(gfp=0)\n";
const std::string again = "p1 = alloc_page(gfp=0)";

const Plant subject_plants[] = {
    {"PAGE-ALIGNED", tiny, "", [](Machine& m) { list_block(m, 1, 1); },
     "p1 = alloc_pages(order=1, gfp=0)"},
    {"PAGE-INSIDE", "era=linux-6.1 page=64 orders=3 zones=NORMAL:7 pcp=off", "",
     [](Machine& m) { list_block(m, 6, 1); }, "p1 = alloc_pages(order=1, gfp=0)"},
    {"PAGE-DISJOINT", tiny, one, [](Machine& m) { free_pages_(quiet, m, 0, 0); }, again},
    {"PAGE-ZONE", "era=linux-6.1 page=64 zones=DMA:8,NORMAL:8", "",
     [](Machine& m) { m.buddy.zone_of[0][0] = 1; }, "p1 = alloc_page(gfp=GFP_DMA)"},
    {"PAGE-FORBIDDEN", tiny, "", [](Machine& m) { m.buddy.zone_of[0][0] = 0; },
     "p1 = alloc_page(gfp=GFP_DMA)"},
    {"PAGE-REFUSED", tiny, "", take_all, again},
    {"PAGE-REFUSED", tiny, "", take_all, "p1 = alloc_page(gfp=GFP_KERNEL)"},  // it waits
    {"PAGE-REFUSED", tiny, "", take_all, "alloc_pages_bulk(first=p1, count=3, gfp=0)"},
    {"PAGE-NOFAIL", tiny, "", [](Machine& m) { m.config.orders = 1; },
     "p1 = alloc_pages(order=1, gfp=GFP_KERNEL|__GFP_NOFAIL)"},
    {"PAGE-MISUSE", tiny, one, [](Machine& m) { free_pages_(quiet, m, 0, 0); },
     "free_pages(page=p0)"},
    {"PAGE-MISUSE", tiny, one + "free_pages(page=p0)\n",
     [](Machine& m) { (void)ref::buddy::alloc_pages(quiet, m, 0, 0); }, "free_stale(page=p0)"},
    {"PAGE-CONTENT", tiny, one, [](Machine& m) { write_pages(m, 0, 63, 1)[0] ^= std::byte{1}; },
     "touch(page=p0)"},
    {"PAGE-CONTENT", tiny, one, [](Machine& m) { write_pages(m, 0, 0, 1)[0] ^= std::byte{128}; },
     "free_pages(page=p0)"},
    {"PAGE-CONTENT", tiny, one, [](Machine& m) { write_pages(m, 0, 8, 1)[0] ^= std::byte{2}; }, "",
     dense},
    {"PAGE-CONTENT", tiny, one, [](Machine& m) { edit_page(m, 0).mapcount = 1; }, ""},
    {"PAGE-CONTENT", tiny, one, [](Machine& m) { edit_page(m, 0).private_data = 1; }, ""},
    {"PAGE-CONTENT", tiny, one, [](Machine& m) { edit_page(m, 0).flags = PG_dirty; }, ""},
    {"PAGE-ZEROED", "era=linux-6.1 zones=NORMAL:8 pcp=off", one, write_unmarked,
     "p1 = get_zeroed_page(gfp=0)", unstamped},
    {"PAGE-FRESH", tiny, "", [](Machine& m) { edit_page(m, 0).private_data = 7; }, again},
    {"PAGE-COUNT", tiny, one, [](Machine& m) { edit_page(m, 0).refcount = 2; },
     "page_count(page=p0, index=0)"},
    {"PAGE-COUNT", tiny, one, [](Machine& m) { edit_page(m, 0).refcount = 2; }, ""},
    {"PAGE-ADDRESS", tiny, one, [](Machine& m) { edit_zone(m, 0).kind = ZoneKind::highmem; },
     "page_address(page=p0)"},
    {"PAGE-CONSERVED", tiny, one, [](Machine& m) { ++m.arena.edit(m.buddy.area, 0).count; },
     "buddyinfo()"},
    {"BUDDY-COALESCED", tiny, "", [](Machine& m) { (void)ref::buddy::alloc_pages(quiet, m, 0, 0); },
     "touch(page=p9)", exhausting},
    {"STEP-ANSWER", tiny, "", [](Machine&) {}, "p1 = alloc_page(gfp=0) -> pfn 7"},
    {"ZONE-MARKS", tiny, "", [](Machine& m) { edit_zone(m, 0).watermark[mark_low] = 1; }, ""},
    {"ZONE-RESERVE", tiny, "", [](Machine& m) { edit_zone(m, 0).lowmem_reserve[2] = 1; }, ""},
    {"ZONEINFO-TEXT", tiny, "", [](Machine& m) { edit_zone(m, 0).watermark[mark_low] = 1; },
     "zoneinfo()"},
    {"BUDDY-EXACT", tiny, "", [](Machine& m) { (void)ref::buddy::alloc_pages(quiet, m, 0, 0); },
     again, modelled},
    {"BUDDY-ORDERED", tiny, "", [](Machine& m) { (void)ref::buddy::alloc_pages(quiet, m, 0, 0); },
     "touch(page=p9)", modelled},
};

TEST(Planted, each_rule_of_a_world_is_the_first_to_see_its_own_fault) {
  for (const Plant& p : subject_plants) {
    Scene s(p.line, p.judging);
    s.run(p.before);
    ASSERT_EQ(s.broken(), "") << p.rule;
    p.plant(s.machine());
    if (p.after.empty()) s.world().finish();
    else s.run(p.after);
    ASSERT_EQ(s.broken(), p.rule) << p.before << p.after;
    const Violation& v = *s.world().violation();
    EXPECT_FALSE(v.expected.empty()) << p.rule;
    EXPECT_NE(v.expected, v.actual) << p.rule;
    EXPECT_FALSE(v.picture.empty()) << p.rule;
  }
}

TEST(PlantedDeathTest, a_wait_that_nobody_asked_for_breaks_run_require) {
  const auto resume = [] {
    Scene s(tiny);
    s.machine().arena.edit(s.machine().core.task, 0).wait.call = 1;
    s.run("task(id=0)");
  };
  EXPECT_DEATH(resume(), "REQUIRE .*waits");
}

// --- every rule -------------------------------------------------------------------------------

// The `rule:` headers of the patches of this layer.
std::set<std::string> rules_of_mutants() {
  const auto folder = std::filesystem::path(ALLOCHECK_SOURCE_DIR) / "props/mutants/buddy";
  std::set<std::string> found;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() != ".patch") continue;
    std::ifstream in(file.path());
    std::string id;
    for (std::string line; id.empty() && std::getline(in, line);)
      if (line.starts_with("rule: ")) id = line.substr(6);
    EXPECT_TRUE(find_rule(rules(), id) || find_rule(run_rules(), id)) << file.path() << ' ' << id;
    found.insert(id);
  }
  return found;
}

TEST(Planted, every_rule_is_the_first_to_see_a_planted_state_or_has_a_mutant) {
  std::set<std::string, std::less<>> planted;
  for (const Plant& p : subject_plants) planted.insert(p.rule);
  for (const PlantedState& p : state_plants) planted.insert(std::string(p.rule));
  const std::set<std::string> mutants = rules_of_mutants();
  for (const Rule& r : rules())
    EXPECT_TRUE(planted.contains(r.id) || mutants.contains(std::string(r.id))) << r.id;
  for (const Invariant& i : invariants()) EXPECT_TRUE(planted.contains(i.rule)) << i.rule;
  for (const std::string& id : planted)
    EXPECT_TRUE(find_rule(rules(), id) || find_rule(run_rules(), id)) << id;
}

}  // namespace
}  // namespace props::buddy
