// What 6.1 puts off, and when it must be made up for: flushes before anything is used again.
#include "props/vmalloc/reference_cases.hpp"

namespace props::vmalloc::by_hand {
namespace {

// Every CPU looks at every page of the window, so that it remembers what is mapped now.
void look_everywhere(Kernel& k) {
  for (std::uint32_t cpu = 0; cpu < k.m.config.cpus; ++cpu)
    for (std::uint64_t p = 0; p < window_pages(k.m); ++p) ref::mmu::prefetch(k.m, cpu, k.at(p));
}
std::size_t remembered(const Kernel& k, Address first, std::uint64_t pages) {
  std::size_t count = 0;
  for (std::uint32_t cpu = 0; cpu < k.m.config.cpus; ++cpu)
    for (std::uint64_t p = 0; p < pages; ++p)
      count += ref::mmu::cached(k.m, cpu, behind(first, k.bytes(p))).has_value();
  return count;
}

TEST(Lazy, no_address_is_used_again_while_a_cpu_remembers_what_was_there) {  // V-40
  for (const EraId era : eras) {
    Kernel k(with_cpus(window(era, 12), 2));
    for (int round = 0; round < 40; ++round) {
      const std::uint64_t pages = 1 + static_cast<std::uint64_t>(round) % 4;
      const Address a = k.memory(pages);
      ASSERT_EQ(remembered(k, a, pages + 1), 0u) << round;
      for (std::uint64_t i = 0; i < pages; ++i) {
        ASSERT_TRUE(k.store(behind(a, k.bytes(i)), 100 * static_cast<std::uint64_t>(round) + i));
        ASSERT_EQ(k.load_on(1, behind(a, k.bytes(i))), 100 * static_cast<std::uint64_t>(round) + i);
      }
      look_everywhere(k);
      k.put(a);
    }
    EXPECT_EQ(k.fault(), Fault::none);
  }
}

TEST(Lazy, one_flush_covers_all_that_is_lazy_and_a_second_finds_nothing) {  // V-41
  Kernel k(with_cpus(window(new_era, 32), 2));
  const std::array areas{k.memory(2), k.memory(1), k.memory(3), k.memory(1)};
  look_everywhere(k);
  k.put(areas[0]);
  k.put(areas[2]);
  EXPECT_EQ(k.picture().substr(0, 11), "~~~ag~~~~bg");
  EXPECT_EQ(vmap_lazy_nr(k.m), 7u);
  EXPECT_GT(remembered(k, areas[0], 2), 0u);
  EXPECT_TRUE(purge_vmap_area_lazy(k.env, k.m));
  EXPECT_EQ(remembered(k, areas[0], 9), 0u);  // from the first to the last, what lies between too
  EXPECT_EQ(remembered(k, areas[3], 1), 2u);  // behind: nobody had to forget it
  EXPECT_EQ(vmap_lazy_nr(k.m), 0u);
  EXPECT_EQ(k.picture().substr(0, 11), "...ag....bg");
  EXPECT_FALSE(purge_vmap_area_lazy(k.env, k.m));
}

TEST(Lazy, lazy_ranges_that_touch_are_one) {  // V-6
  Kernel k(window(new_era, 16));
  const std::array areas{k.area(1), k.area(1), k.area(1), k.area(1)};
  free_vm_area(k.env, k.m, areas[0]);
  free_vm_area(k.env, k.m, areas[2]);
  EXPECT_EQ(set_of(k.m, RangeSet::lazy).count, 2u);
  free_vm_area(k.env, k.m, areas[1]);
  EXPECT_EQ(set_of(k.m, RangeSet::lazy).count, 1u);
  EXPECT_EQ(k.picture(), "~~~~~~ag........");
  EXPECT_EQ(ranges_broken(k.m), "");
}

// A quarter of the window for one CPU; the classic machine's quarter is 32 MiB.
TEST(Lazy, work_is_scheduled_above_the_threshold_and_not_at_it) {  // V-41
  Kernel k(window(new_era, 32));
  ASSERT_EQ(lazy_max_pages(k.m.config), 8u);
  const std::array areas{k.area(3), k.area(3), k.area(3)};
  free_vm_area(k.env, k.m, areas[0]);
  free_vm_area(k.env, k.m, areas[1]);
  EXPECT_EQ(vmap_lazy_nr(k.m), 8u);
  EXPECT_FALSE(drain_work_pending(k.m));
  free_vm_area(k.env, k.m, areas[2]);
  EXPECT_TRUE(drain_work_pending(k.m));
  EXPECT_EQ(vmap_lazy_nr(k.m), 12u);
  drain_vmap_area_work(k.env, k.m);
  EXPECT_EQ(vmap_lazy_nr(k.m), 0u);
  EXPECT_FALSE(drain_work_pending(k.m));
  EXPECT_EQ(k.picture(), std::string(32, '.'));
}

TEST(Lazy, the_threshold_grows_with_each_doubling_of_cpus) {  // V-41
  Config c = window(new_era, 28670);
  for (const auto& [cpus, pages] : {std::pair{1u, 7167u}, {2u, 14334u}, {3u, 14334u}, {4u, 21501u}})
    EXPECT_EQ(lazy_max_pages(with_cpus(c, cpus)), pages);
  c.vmalloc = 200000;
  EXPECT_EQ(lazy_max_pages(c), 8192u);  // 32 MiB
}

TEST(Lazy, aliases_are_gone_when_asked_for) {  // V-43
  Kernel k(with_cpus(window(new_era, 16), 2));
  const Address a = k.memory(1);
  look_everywhere(k);
  k.put(a);
  EXPECT_EQ(remembered(k, a, 1), 2u);
  vm_unmap_aliases(k.env, k.m);
  EXPECT_EQ(remembered(k, a, 1), 0u);
}

// Another CPU acts between unmapping and flush: it must not get the address that is on its way.
struct Interloper final : Env {
  explicit Interloper(Kernel& kernel) : k(kernel) {}
  void at(Point point) override {
    if (point != Point::vmalloc_unmapped || std::exchange(busy, true)) return;
    ++calls;
    select_cpu(k.m, 1);
    got = get_vm_area(*this, k.m, k.bytes(1), 0);
    vfree(*this, k.m, victim);
    select_cpu(k.m, 0);
  }
  Kernel& k;
  Address victim{};
  Answer<Address> got = std::unexpected(Refused::no_memory);
  bool busy = false;
  int calls = 0;
};

TEST(Lazy, what_is_unmapped_and_not_flushed_is_nobodys) {
  for (const EraId era : eras) {
    Kernel k(with_cpus(window(era, 16), 2));
    Interloper other(k);
    other.victim = k.memory(1);
    ASSERT_EQ(k.page(other.victim), 0u);
    ASSERT_TRUE(k.load_on(1, other.victim));
    vfree(other, k.m, other.victim);
    EXPECT_EQ(other.calls, 1);
    ASSERT_TRUE(other.got);
    EXPECT_EQ(k.page(*other.got), 2u);
    EXPECT_EQ(k.fault(), Fault::not_an_area);  // the other CPU's vfree of it
    EXPECT_EQ(ranges_broken(k.m), "");
    EXPECT_EQ(vmalloc_nr_pages(k.m), 0u);
  }
}

}  // namespace
}  // namespace props::vmalloc::by_hand
