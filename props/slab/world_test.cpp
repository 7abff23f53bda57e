// Tests the world: how steps run, and that each rule it judges can be broken. A faulty allocator is
// planted by editing the machine behind the world's back.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "props/slab/rules.hpp"
#include "props/slab/scene.hpp"

namespace props::slab {
namespace {

using Kind = Answer::Kind;

const std::string get = "o0 = kmem_cache_alloc(cache=c0, gfp=GFP_KERNEL)\n";
const std::string get_second = "o1 = kmem_cache_alloc(cache=c0, gfp=GFP_KERNEL)\n";

// --- how steps run ----------------------------------------------------------------------------

TEST(World, an_empty_operand_or_an_occupied_result_skips_the_step) {
  Scene s(small);
  for (const char* empty :
       {"kmem_cache_destroy(cache=c0)", "kmem_cache_shrink(cache=c0)", "kmem_cache_size(cache=c0)",
        "o0 = kmem_cache_alloc(cache=c0, gfp=GFP_KERNEL)",
        "kmem_cache_alloc_bulk(first=o0, count=2, cache=c0, gfp=GFP_KERNEL)",
        "kmem_cache_free(object=o0)", "kmem_cache_free_bulk(first=o0, count=2)",
        "touch_object(object=o0)", "free_stale_object(object=o0)",
        "free_to_wrong_cache(object=o0, cache=c0)", "free_interior(object=o0, offset=1)",
        "overrun(object=o0, offset=0)", "write_after_free(object=o0, offset=0)",
        "free_pages(page=p0)", "slabinfo_write(name=NULL, limit=1, batch=1, shared=0)", "cpu(id=1)",
        "irq_exit()"})
    EXPECT_EQ(s.answer(empty), "skipped") << empty;
  s.run(make + get);
  EXPECT_EQ(s.answer(make), "skipped");
  EXPECT_EQ(s.answer(get), "skipped");
  EXPECT_EQ(s.answer("o1 = kmem_cache_alloc_node(cache=c0, gfp=0, node=1)"), "skipped");
  s.expect_right();
}

TEST(World, a_machine_too_small_to_boot_serves_nobody) {
  Scene s("era=linux-6.1 zones=NORMAL:2");
  EXPECT_FALSE(s.world().up());
  EXPECT_EQ(s.answer(make), "skipped");
  EXPECT_EQ(s.answer("cache_reap()"), "skipped");
  EXPECT_EQ(s.answer("p0 = alloc_pages(order=0, gfp=GFP_KERNEL)"), "pfn 0");
}

TEST(World, a_wrong_answer_is_a_violation_after_which_nothing_runs) {
  Scene s(small);
  s.run("c0 = kmem_cache_create(name=inode, size=100, align=0, flags=0, ctor=0) -> count 101");
  ASSERT_EQ(s.broken(), "STEP-ANSWER");
  EXPECT_EQ(s.answer(get), "skipped");
}

TEST(World, an_armed_step_interrupts_a_cache_that_grows) {
  Scene s(small);
  s.run(make);
  s.run("@slab.grown o1 = kmem_cache_alloc(cache=c0, gfp=GFP_ATOMIC)\n" + get);
  EXPECT_EQ(s.broken(), "");
  EXPECT_TRUE(s.object(0).live);
  EXPECT_TRUE(s.object(1).live);
  EXPECT_NE(s.object(0).address, s.object(1).address);
  EXPECT_EQ(s.world().reach().points[static_cast<std::size_t>(ref::core::Point::slab_grown)], 1u);
  s.expect_right();
}

// --- rules that state shows -------------------------------------------------------------------

struct Plant {
  std::string rule, before;
  void (*plant)(Scene&);
  std::string after;  // empty: the checks at the end
  std::string line = small;
  Judging judging = Judging::cheap();
};

void edit(Scene& s, std::uint64_t ram, std::byte value) {
  s.machine().arena.edit_bytes(s.machine().ram, ram, 1)[0] = value;
}

const Plant plants[] = {
    {"OBJECT-DISJOINT", make + get, [](Scene& s) { s.in_array(0).back() = s.object(0).address; },
     get_second},
    {"OBJECT-DISJOINT", make + get,  // inside the other
     [](Scene& s) { s.in_array(0).back() = s.object(0).address + 8; }, get_second},
    {"OBJECT-ALIGNED",
     "c0 = kmem_cache_create(name=inode, size=100, align=64, flags=0, ctor=0)\n" + get,
     [](Scene& s) { s.in_array(0).back() += 8; }, get_second},
    {"OBJECT-IN-PAGES", make + get + "p0 = alloc_pages(order=0, gfp=GFP_KERNEL)",
     [](Scene& s) {
       s.in_array(0).back() = ref::core::page_offset + std::uint64_t{s.world().pages()[0].pfn} *
                                                           s.machine().config.page_bytes;
     },
     get_second},
    {"OBJECT-IN-PAGES", make + get,  // the slab is given back with an object live
     [](Scene& s) {
       struct QuietEnv final : ref::core::Env {
       } env;
       const auto pfn = static_cast<Pfn>((s.object(0).address - ref::core::page_offset) /
                                         s.machine().config.page_bytes);
       ref::buddy::set_page_flags(s.machine(), pfn, 0);
       ref::buddy::free_pages_(env, s.machine(), pfn, 0);
     },
     "touch_object(object=o0)"},
    {"OBJECT-CONTENT", make + get, [](Scene& s) { edit(s, s.object(0).ram + 50, std::byte{1}); },
     "kmem_cache_free(object=o0)"},
    {"OBJECT-CONTENT", make + get, [](Scene& s) { edit(s, s.object(0).ram + 99, std::byte{1}); },
     ""},
    {"OBJECT-CONTENT", "p0 = alloc_pages(order=1, gfp=GFP_KERNEL)",
     [](Scene& s) {
       edit(s, ref::buddy::ram_offset(s.machine(), s.world().pages()[0].pfn) + 512, std::byte{1});
     },
     "free_pages(page=p0)"},
    {"OBJECT-CONSTRUCTED", make_constructed + get,
     [](Scene& s) {
       edit(s, s.object(0).ram + s.in_array(0).back() - s.object(0).address, std::byte{1});
     },
     get_second},
    {"OBJECT-USABLE", make, [](Scene& s) { s.record(0).object_size = 99; },
     "kmem_cache_size(cache=c0)"},
    {"OBJECT-USABLE", make, [](Scene& s) { s.record(0).object_size = 99; }, get},
    {"OBJECT-REFUSED", make,  // somebody forgot to unlock
     [](Scene& s) { s.machine().arena.edit(s.machine().slab.globals, 0).mutex = 1; },
     "c1 = kmem_cache_create(name=sock, size=200, align=0, flags=0, ctor=0)"},
    {"OBJECT-FAULT", make + get + "kmem_cache_free(object=o0)",  // a double free is not noticed
     [](Scene& s) {
       ref::slab::Machine& m = s.machine();
       const std::uint64_t word = s.object(0).ram / m.profile().word_bytes;
       m.arena.edit(m.slab.live, word / 64) |= std::uint64_t{1} << word % 64;
     },
     "free_stale_object(object=o0)"},
    {"OBJECT-FAULT", make + get,  // an object that is somebody's is taken for free
     [](Scene& s) {
       ref::slab::Machine& m = s.machine();
       const std::uint64_t word = s.object(0).ram / m.profile().word_bytes;
       m.arena.edit(m.slab.live, word / 64) &= ~(std::uint64_t{1} << word % 64);
     },
     "kmem_cache_free(object=o0)"},
    {"OBJECT-SHRUNK", make + get + "kmem_cache_free(object=o0)",
     [](Scene& s) { s.record(0).users = 1; }, "kmem_cache_shrink(cache=c0)"},
    {"OBJECT-DESTROYED", make, [](Scene& s) { s.record(0).refcount = 2; },
     "kmem_cache_destroy(cache=c0)"},
    {"OBJECT-PAGES-BACK", make,
     [](Scene& s) {
       struct QuietEnv final : ref::core::Env {
       } env;
       (void)ref::buddy::alloc_pages(env, s.machine(), 0, 0);
     },
     ""},
    {"OBJECT-LISTED", make + get,
     [](Scene& s) {
       ref::slab::Machine& m = s.machine();
       auto& node = m.arena.edit(m.slab.node, static_cast<std::uint64_t>(s.cache(0)));
       node.free_objects = s.record(0).num;
     },
     "slabinfo()", "era=linux-6.1 zones=NORMAL:64 slab_merge=off"},
};

TEST(World, names_the_rule_that_a_planted_state_breaks) {
  std::size_t n = 0;
  for (const Plant& p : plants) {
    Scene s(p.line, p.judging);
    s.run(p.before);
    ASSERT_EQ(s.broken(), "") << n << " " << p.rule;
    p.plant(s);
    if (p.after.empty()) s.world().finish();
    else s.run(p.after);
    EXPECT_EQ(s.broken(), p.rule) << n << ": " << p.after;
    ++n;
  }
}

// The `rule:` headers of the patches of this layer.
std::set<std::string> rules_of_mutants() {
  const auto folder = std::filesystem::path(ALLOCHECK_SOURCE_DIR) / "props/mutants/slab";
  std::set<std::string> found;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    std::ifstream in(file.path());
    for (std::string line; std::getline(in, line) && !line.starts_with("diff ");)
      if (line.starts_with("rule: ")) found.insert(line.substr(6));
  }
  return found;
}

// What the subject decides within one call cannot be planted before it: mutants show those rules.
TEST(World, every_rule_is_planted_or_has_a_mutant) {
  std::set<std::string> seen = rules_of_mutants();
  for (const Plant& p : plants) seen.insert(p.rule);
  for (const Rule& rule : rules()) EXPECT_TRUE(seen.contains(std::string(rule.id))) << rule.id;
}

}  // namespace
}  // namespace props::slab
