// /proc/slabinfo: its text byte for byte, and what is written to it.
#include <gtest/gtest.h>

#include "props/slab/reference_cases.hpp"

namespace props::slab::by_hand {
namespace {

// Ten of twelve objects have callers, one is in the array, and one is free.
TEST(SlabInfo, objects_in_arrays_count_as_active) {  // SI-1
  for (const EraId era : eras) {
    Config config = plain(era);
    config.cpus = 2;
    Kernel k(config);
    const CacheId c = k.create({.name = "mine", .size = 999});
    k.tune(c, 6, 3, 2);
    (void)k.get_many(c, 10);
    const std::string text = slabinfo(k.m);
    const std::string row =
        "mine                  11     12   1000    4    1 : tunables    6    3    2 : slabdata     "
        " "
        "3      3      0\n";
    EXPECT_NE(text.find(row), std::string::npos) << text;
    const std::string head =
        era == new_era
            ? "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> "
              "<objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : "
              "slabdata <active_slabs> <num_slabs> <sharedavail>\n"
            : "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> "
              "<objperslab> <pagesperslab> : tunables <batchcount> <limit> <sharedfactor> : "
              "slabdata <active_slabs> <num_slabs> <sharedavail>\n";
    EXPECT_EQ(text.substr(0, head.size()), head);
    EXPECT_EQ(text.find(row), head.size());  // the newest cache first
  }
}

TEST(SlabInfo, free_slabs_are_not_active_and_the_shared_array_is_shown) {  // SI-1
  Config config = plain(new_era);
  config.cpus = 2;
  Kernel k(config);
  const CacheId c = k.create({.name = "mine", .size = 1000});
  k.tune(c, 4, 4, 1);
  k.put_all(c, k.get_many(c, 12));
  EXPECT_NE(slabinfo(k.m).find("mine                   8     12   1000    4    1 : tunables    4   "
                               " 4    1 : slabdata      2      3      4\n"),
            std::string::npos)
      << slabinfo(k.m);
}

// One CPU: what a newborn machine of 2 MiB needs for itself, and nothing else.
TEST(SlabInfo, of_a_newborn_machine) {  // SI-1, K-2
  const Kernel k(plain(new_era)), old(plain(old_era));
  const std::string text = slabinfo(k.m), old_text = slabinfo(old.m);
  for (const std::string_view row : {"\nkmem_cache            44     64    128   32    1 : "
                                     "tunables  120   60    0 : slabdata     "
                                     " 2      2      0\n",
                                     "\nkmalloc-128           45     64    128   32    1 : "
                                     "tunables  120   60    0 : slabdata     "
                                     " 2      2      0\n",
                                     "\nkmalloc-96             0      0    128   32    1 : "
                                     "tunables  120   60    0 : slabdata     "
                                     " 0      0      0\n",
                                     "\ndma-kmalloc-8k         0      0   8192    1    2 : "
                                     "tunables    8    4    0 : slabdata     "
                                     " 0      0      0\n"})
    EXPECT_NE(text.find(row), std::string::npos) << row << text;
  for (const std::string_view row : {"\nsize-32                2    119     32  119    1 : "
                                     "tunables  120   60    0 : slabdata     "
                                     " 1      1      0\n",
                                     "\nsize-131072(DMA)       0      0 131072    1   32 : "
                                     "tunables    8    4    0 : slabdata     "
                                     " 0      0      0\n"})
    EXPECT_NE(old_text.find(row), std::string::npos) << row << old_text;
}

struct WriteCase {
  std::string_view line;
  SlabinfoWrite old_answer, new_answer;
};
constexpr auto done = SlabinfoWrite::done, ignored = SlabinfoWrite::ignored,
               invalid = SlabinfoWrite::invalid, no_memory = SlabinfoWrite::no_memory;

TEST(SlabInfo, what_may_be_written) {  // S-43
  const std::string long_line = "test " + std::string(120, ' ') + "1 1 1";
  for (const EraId era : eras)
    for (const WriteCase& w : {
             WriteCase{"test 40 20 4", done, done},
             WriteCase{"test   40\t20\n4 and more", done, done},
             WriteCase{"test +40 20 4x", done, done},
             WriteCase{"test 0 1 0", invalid, ignored},
             WriteCase{"test 40 0 4", invalid, ignored},
             WriteCase{"test 40 41 4", invalid, ignored},
             WriteCase{"test 40 20 -1", invalid, ignored},
             WriteCase{"test -40 20 4", invalid, ignored},
             WriteCase{"test 40 20", invalid, invalid},
             WriteCase{"test 40 x 4", invalid, invalid},
             WriteCase{"test", invalid, invalid},
             WriteCase{"", invalid, invalid},
             WriteCase{"unknown 40 20 4", invalid, invalid},
             WriteCase{"test 257 20 4", no_memory, no_memory},
             WriteCase{"test 256 256 1000", no_memory, no_memory},
             WriteCase{long_line, invalid, invalid},
         }) {
      Kernel k(plain(era));
      const CacheId c = k.create({.size = 100});
      k.put(c, k.get(c));
      const std::string before = slabinfo(k.m);
      const auto answer = slabinfo_write(k.env, k.m, w.line);
      ASSERT_TRUE(answer.has_value());
      EXPECT_EQ(*answer, era == old_era ? w.old_answer : w.new_answer) << w.line;
      if (*answer != done) {
        EXPECT_EQ(slabinfo(k.m), before) << w.line;
        continue;
      }
      EXPECT_EQ(k.cache(c).limit, 40u);
      EXPECT_EQ(k.cache(c).batchcount, 20u);
      EXPECT_EQ(k.shared(c).limit, 80u);
      EXPECT_EQ(k.cpu(c).avail, 0u);
    }
}

TEST(SlabInfo, the_largest_arrays_work) {  // S-43
  for (const EraId era : eras) {
    Kernel k(plain(era));
    const CacheId c = k.create({.size = 100});
    k.tune(c, 256, 256, 2);
    k.put_all(c, k.get_many(c, 2000));
    EXPECT_EQ(k.shared(c).avail, 512u);
    EXPECT_GT(k.cpu(c).avail, 100u);
    EXPECT_FALSE(*kmem_cache_shrink(k.env, k.m, c));
  }
}

}  // namespace
}  // namespace props::slab::by_hand
