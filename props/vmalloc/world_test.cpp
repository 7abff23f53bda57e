// The world judges by hand-made traces: what is right passes, what is wrong is named.
#include "props/vmalloc/world.hpp"

#include <gtest/gtest.h>

#include "props/vmalloc/invariants.hpp"
#include "ref/mmu/mmu.hpp"

namespace props::vmalloc {

// Makes the subject wrong behind the world's back.
struct Planting {
  static Machine& machine(World& w) { return w.machine_; }
};

namespace {

struct Played {
  explicit Played(const std::string& text)
      : trace(parse_trace<Operation>(text).value()),
        newborn(trace.machine),
        world(newborn, Judging::everything()) {
    for (const auto& step : trace.steps) answers.push_back(world.apply(step));
  }
  std::string_view rule() const { return world.violation() ? world.violation()->rule->id : ""; }
  Trace<Operation> trace;
  Newborn newborn;
  World world;
  std::vector<Answer> answers;
};

std::string of(std::string_view era, std::string_view steps) {
  return "allocheck 1\nmachine era=" + std::string(era) +
         " zones=NORMAL:512,HIGHMEM:32 cpus=2 vmalloc=32\n" + std::string(steps) + "end\n";
}
constexpr std::array eras{"linux-2.6.11", "linux-6.1"};

TEST(World, an_area_has_pages_and_gives_them_back) {
  for (const std::string_view era : eras) {
    Played p(of(era,
                "a0 = vmalloc(size=10000)\ntouch_area(area=a0)\ncpu(id=1)\n"
                "touch_area(area=a0)\nvmalloc_to_page(area=a0, offset=4096)\n"
                "vfree(area=a0)\nvfree_stale(area=a0)\n"));
    p.world.finish();
    EXPECT_EQ(p.rule(), "") << p.world.violation()->expected << p.world.violation()->actual;
    EXPECT_EQ(p.answers[0].kind, Answer::Kind::address);
    EXPECT_EQ(p.answers[6].kind, Answer::Kind::fault);
  }
}

TEST(World, the_guard_faults_and_the_area_does_not) {
  for (const std::string_view era : eras) {
    Played p(of(era,
                "a0 = vmalloc(size=8192)\nload(area=a0, offset=8191)\n"
                "load(area=a0, offset=8192)\nstore(area=a0, offset=8200)\n"));
    EXPECT_EQ(p.rule(), "");
    EXPECT_EQ(p.answers[1].kind, Answer::Kind::count);
    EXPECT_EQ(p.answers[2].kind, Answer::Kind::refused);
    EXPECT_EQ(p.answers[3].kind, Answer::Kind::refused);
  }
}

// 6.1: CPU 1 still reads through what is gone; not any more behind a flush.
TEST(World, a_stale_translation_lives_until_the_flush_in_6_1_only) {
  const std::string steps =
      "a0 = vmalloc(size=4096)\nprefetch(area=a0, page=0, cpu=1)\nvfree(area=a0)\ncpu(id=1)\n"
      "load_stale(area=a0)\nvm_unmap_aliases()\nload_stale(area=a0)\n";
  Played young(of("linux-6.1", steps)), old(of("linux-2.6.11", steps));
  EXPECT_EQ(young.rule(), "");
  EXPECT_EQ(old.rule(), "");
  EXPECT_EQ(young.answers[4].kind, Answer::Kind::count);
  EXPECT_EQ(old.answers[4].kind, Answer::Kind::refused);
  EXPECT_EQ(young.answers[6].kind, Answer::Kind::refused);
}

TEST(World, what_an_interrupt_frees_in_6_1_goes_when_the_work_runs) {
  Played p(of("linux-6.1",
              "a0 = vmalloc(size=4096)\na1 = vmalloc(size=8192)\nirq_enter()\n"
              "vfree(area=a0)\nvfree(area=a1)\nvfree_stale(area=a0)\nirq_exit()\n"
              "run_work()\nvmallocinfo()\n"));
  EXPECT_EQ(p.rule(), "");
  EXPECT_EQ(p.answers[5], (Answer{Answer::Kind::fault, 0, ref::core::Fault::double_free}));
  EXPECT_EQ(p.answers[8], (Answer{Answer::Kind::count, 0}));
}

TEST(World, a_full_window_refuses_and_serves_again) {
  for (const std::string_view era : eras) {
    Played p(of(era,
                "a0 = get_vm_area(size=61440, flags=VM_MAP)\n"
                "a1 = get_vm_area(size=61440, flags=VM_MAP)\n"
                "a2 = get_vm_area(size=4096, flags=VM_MAP)\nvunmap(area=a0)\n"
                "a2 = get_vm_area(size=61440, flags=VM_MAP)\n"));
    EXPECT_EQ(p.rule(), "");
    EXPECT_EQ(p.answers[2].kind, Answer::Kind::refused);
    EXPECT_EQ(p.answers[4], p.answers[0]);
  }
}

TEST(World, names_a_page_that_is_not_the_areas) {
  for (const std::string_view era : eras) {
    Played p(of(era, "a0 = vmalloc(size=8192)\n"));
    Machine& m = Planting::machine(p.world);
    const ref::vmalloc::Address first = p.world.areas()[0].address;
    const auto pfn = ref::mmu::unmap(m, first);
    ASSERT_TRUE(pfn);
    ASSERT_EQ(ref::mmu::map(m, first, *pfn + 1), ref::mmu::Mapped::done);
    p.world.apply({DrainAllPages{}, {}, {}, 0});
    EXPECT_EQ(p.rule(), "VMALLOC-MAPPED");
  }
}

TEST(World, names_a_translation_that_a_cpu_keeps) {
  Played p(of("linux-6.1", "a0 = vmalloc(size=8192)\nprefetch(area=a0, page=0, cpu=1)\n"));
  Machine& m = Planting::machine(p.world);
  const ref::vmalloc::Address first = p.world.areas()[0].address;
  const auto pfn = ref::mmu::unmap(m, first);
  ASSERT_EQ(ref::mmu::map(m, first, *pfn), ref::mmu::Mapped::done);
  EXPECT_FALSE(first_broken(m));
  ref::mmu::unmap(m, first);
  p.world.apply({DrainAllPages{}, {}, {}, 0});
  EXPECT_TRUE(p.rule() == "VMALLOC-MAPPED" || p.rule() == "VMALLOC-STALE") << p.rule();
}

TEST(World, names_contents_that_somebody_else_wrote) {
  Played p(of("linux-6.1", "a0 = vmalloc(size=8192)\n"));
  Machine& m = Planting::machine(p.world);
  const Pfn pfn = p.world.areas()[0].pages[1];
  m.arena.edit(m.ram, ref::buddy::ram_offset(m, pfn)) ^= std::byte{1};
  p.world.apply({TouchArea{{0}}, {}, {}, 0});
  EXPECT_EQ(p.rule(), "VMALLOC-CONTENT");
}

}  // namespace
}  // namespace props::vmalloc
