// The probes of a world, and its reading of gfp flags, against naive restatements in every state of
// a small machine.
#include <map>

#include "props/buddy/naive_oracle.hpp"
#include "props/buddy/scene.hpp"
#include "props/core/probe.hpp"
#include "ref/buddy/lists.hpp"

namespace props::buddy {
namespace {

using ref::core::EraId;
using ref::core::Index;
using Blocks = std::map<Pfn, unsigned>;
std::vector<std::string> eight_frames() {
  std::vector<std::string> lines;
  for (const char* era : {"linux-2.6.11", "linux-6.1"})
    for (const char* pcp : {"on", "off"})
      lines.push_back(std::string("era=") + era + " page=64 orders=4 zones=NORMAL:8 pcp=" + pcp);
  return lines;
}

// Eight frames, all handed out as single pages; those outside of `live` were given back.
void own(Scene& s, unsigned live) {
  for (int i = 0; i < 8; ++i) s.run("p" + std::to_string(i) + " = alloc_page(gfp=0)");
  for (std::size_t i = 0; i < 8; ++i)
    if ((live >> s.block(i).pfn & 1u) == 0) s.run("free_pages(page=p" + std::to_string(i) + ")");
  ASSERT_EQ(s.broken(), "");
}

Naive naive_of(const Config& c, unsigned live) {
  Naive naive(c);
  for (Pfn p = 0; p < 8; ++p)
    if (live >> p & 1u) naive.own(p, 0);
  return naive;
}

// The free blocks of a drained copy.
Blocks settled(ref::buddy::Machine m) {
  QuietEnv env;
  ref::buddy::drain_all_pages(env, m);
  Blocks blocks;
  for (Index i = 0; i < m.config.pages(); ++i)
    if (ref::buddy::page_at(m, i).kind == ref::buddy::PageKind::free_head)
      blocks[i] = ref::buddy::page_at(m, i).order;
  return blocks;
}

ref::buddy::Machine& machine_of(World& world) {
  return const_cast<ref::buddy::Machine&>(world.machine());
}

// The block at `page` becomes two halves, as if they had never merged.
void unmerge(ref::buddy::Machine& m, Index page, unsigned order) {
  using namespace ref::buddy;
  unlink(m, m.buddy.area, order, page);
  for (const Index half : {page, page + (Index{1} << (order - 1))}) {
    edit_page(m, half).kind = PageKind::free_head;
    edit_page(m, half).order = static_cast<std::uint8_t>(order - 1);
    push_front(m, m.buddy.area, order - 1, half);
  }
}

TEST(WorldScope, the_exhaustion_probe_sees_each_pair_that_did_not_merge_and_nothing_else) {
  int right = 0, wrong = 0;
  for (const std::string& line : eight_frames())
    for (unsigned live = 0; live < 256; ++live) {
      Scene s(line);
      ASSERT_NO_FATAL_FAILURE(own(s, live));
      Blocks wanted;
      for (const FreeBlock& b : naive_of(s.machine().config, live).blocks(0))
        wanted[b.pfn] = b.order;
      const ref::buddy::Machine before = s.machine();
      ASSERT_EQ(settled(before), wanted) << line << ' ' << live;
      for (Index i = 0; i < 8; ++i) {
        const auto page = ref::buddy::page_at(before, i);
        if (page.kind != ref::buddy::PageKind::free_head || page.order == 0) continue;
        World broken = s.world();
        unmerge(machine_of(broken), i, page.order);
        ASSERT_NE(settled(broken.machine()), wanted);
        broken.finish();
        ASSERT_TRUE(broken.violation()) << line << ' ' << live << ", the block at " << i;
        ASSERT_EQ(broken.violation()->rule->id, "BUDDY-COALESCED") << line << ' ' << live;
        ++wrong;
      }
      s.expect_right();
      ++right;
    }
  EXPECT_EQ(right, 4 * 256);
  EXPECT_GT(wrong, 200);
}

// Asked of a machine that lost all its pages, and of a sound one.
TEST(WorldScope, a_refusal_is_accused_exactly_where_the_block_must_be_granted) {
  int accused = 0, legal = 0, hidden = 0;
  for (const std::string& line : eight_frames())
    for (unsigned live = 0; live < 256; ++live) {
      Scene s(line);
      ASSERT_NO_FATAL_FAILURE(own(s, live));
      const Naive naive = naive_of(s.machine().config, live);
      World empty = s.world();
      QuietEnv env;
      do ref::buddy::drain_all_pages(env, machine_of(empty));
      while (ref::buddy::alloc_pages(env, machine_of(empty), ref::core::GFP_BIT_NOWARN, 0));
      for (unsigned order = 0; order <= 4; ++order) {
        World::Step step;
        step.op = AllocPages{{9}, {order}, {ref::core::GFP_BIT_NOWARN}};
        const bool must = naive.must_grant({order, ZoneKind::normal, 0, false});
        World lost = empty, sound = s.world();
        EXPECT_EQ(lost.apply(step).kind, Answer::Kind::refused);
        ASSERT_EQ(lost.violation().has_value(), must) << line << ' ' << live << ", order " << order;
        if (must) { ASSERT_EQ(lost.violation()->rule->id, "PAGE-REFUSED"); }
        const bool granted = sound.apply(step).kind == Answer::Kind::pfn;
        ASSERT_FALSE(sound.violation()) << sound.violation()->rule->id;
        // Without watermarks only the per-CPU lists can hide a block, and nothing can make one.
        const bool may_hide = must && line.ends_with("on");
        ASSERT_TRUE(granted == must || may_hide) << line << ' ' << live;
        ++(must ? accused : legal);
        hidden += granted != must;
      }
    }
  EXPECT_GT(accused, 1000);
  EXPECT_GT(legal, 1000);
  EXPECT_GT(hidden, 0);
}

// The answer to a page request on a fresh machine of three zones, four frames each.
std::string naive_answer(EraId era, Gfp gfp, bool atomic) {
  const bool dma = gfp & ref::core::GFP_BIT_DMA, high = gfp & ref::core::GFP_BIT_HIGHMEM;
  const bool dma32 = gfp & ref::core::GFP_BIT_DMA32, zero = gfp & ref::core::GFP_BIT_ZERO;
  const bool may_block = gfp & ref::core::GFP_BIT_DIRECT_RECLAIM;
  if (dma + high + dma32 > 1) return "fault bad-zone-modifiers";
  if (era == EraId::linux_2_6_11 && zero && high && !may_block) return "fault zero-highmem-atomic";
  if (atomic && may_block) return "fault sleeping-in-atomic";
  return dma ? "pfn 0" : high ? "pfn 8" : "pfn 4";
}

TEST(WorldScope, every_mask_of_zones_waiting_and_zeroing_is_judged_as_the_sentences_say) {
  using namespace ref::core;
  constexpr Gfp bits = GFP_BIT_DMA | GFP_BIT_HIGHMEM | GFP_BIT_DMA32 | GFP_BIT_MOVABLE |
                       GFP_BIT_DIRECT_RECLAIM | GFP_BIT_ZERO | GFP_BIT_THISNODE | GFP_BIT_NOFAIL;
  std::map<std::string, int> answers;
  for (const EraId era : {EraId::linux_2_6_11, EraId::linux_6_1}) {
    const std::string line = "era=" + std::string(profile_of(era).name) +
                             " page=64 orders=3 zones=DMA:4,NORMAL:4,HIGHMEM:4 pcp=off";
    const Scene fresh(line, Judging::everything());
    const Gfp known = bits & gfp_known(era);
    for (const bool atomic : {false, true})
      for (Gfp gfp = known;; gfp = (gfp - 1) & known) {  // each of its subsets
        Scene s = fresh;
        if (atomic) s.run("preempt_disable()");
        World::Step step;
        step.op = AllocPages{{0}, {0}, {gfp}};
        const std::string answer = print_answer(s.world().apply(step));
        ASSERT_EQ(answer, naive_answer(era, gfp, atomic)) << print_gfp(era, gfp);
        s.expect_right();
        ++answers[answer];
        if (gfp == 0) break;
      }
  }
  EXPECT_EQ(answers.size(), 6u);
}

}  // namespace
}  // namespace props::buddy
