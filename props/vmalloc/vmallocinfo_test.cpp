// The text of /proc/vmallocinfo (VI-1), line by line.
#include "props/vmalloc/reference_cases.hpp"

namespace props::vmalloc::by_hand {
namespace {

// A line, with addresses as pages of the window.
std::string line(const Kernel& k, std::uint64_t first, std::uint64_t pages,
                 const std::string& rest) {
  const int digits = k.m.config.era == new_era ? 16 : 8;
  std::array<char, 80> text;
  std::snprintf(text.data(), text.size(), "0x%0*llx-0x%0*llx %7llu", digits,
                static_cast<unsigned long long>(number(k.at(first))), digits,
                static_cast<unsigned long long>(number(k.at(first)) + k.bytes(pages)),
                static_cast<unsigned long long>(k.bytes(pages)));
  return text.data() + rest + "\n";
}

TEST(Vmallocinfo, each_busy_range_has_a_line_in_address_order) {
  for (const EraId era : eras) {
    Kernel k(window(era, 64));
    const std::string node = era == new_era ? " N0=2" : "";
    const std::string zeros = era == new_era ? "00000000" : "";
    EXPECT_EQ(vmallocinfo(k.m), "");
    k.memory(2);
    k.granted(ref::vmalloc::vmap(k.env, k.m, k.frames(1), VM_MAP));
    k.granted(vmalloc_user(k.env, k.m, k.bytes(2)));
    ASSERT_TRUE(switch_task(k.m, 2));
    k.area(1);
    const Address io = k.granted(ioremap(k.env, k.m, 0xfed00010, 4));
    EXPECT_EQ(vmallocinfo(k.m),
              line(k, 0, 3, " task0 pages=2 vmalloc" + node) + line(k, 3, 2, " task0 vmap") +
                  line(k, 5, 3, " task0 pages=2 vmalloc user" + node) + line(k, 8, 2, " task2") +
                  line(k, k.page(io), 2, " task2 phys=0x" + zeros + "fed00000 ioremap"));
  }
}

TEST(Vmallocinfo, lazy_ranges_follow_the_last_busy_one_and_need_one) {
  Kernel k(window(new_era, 64));
  const std::array areas{k.area(1), k.area(2), k.area(1), k.area(1)};
  free_vm_area(k.env, k.m, areas[0]);
  free_vm_area(k.env, k.m, areas[2]);
  EXPECT_EQ(vmallocinfo(k.m), line(k, 2, 3, " task0") + line(k, 7, 2, " task0") +
                                  line(k, 0, 2, " unpurged vm_area") +
                                  line(k, 5, 2, " unpurged vm_area"));
  free_vm_area(k.env, k.m, areas[1]);
  free_vm_area(k.env, k.m, areas[3]);
  EXPECT_EQ(vmap_lazy_nr(k.m), 9u);
  EXPECT_EQ(vmallocinfo(k.m), "");
}

TEST(Vmallocinfo, pages_are_counted_by_node_and_long_lists_named) {
  Config c = window(new_era, 2000, 512);
  c.nodes = c.cpus = 2;
  c.add_zone(ZoneKind::normal, 512, 1);
  Kernel k(c);
  k.granted(vmalloc_node(k.env, k.m, k.bytes(3), 1));
  k.memory(600);
  const std::string text = vmallocinfo(k.m);
  EXPECT_NE(text.find(" task0 pages=3 vmalloc N1=3\n"), std::string::npos) << text;
  EXPECT_NE(text.find(" task0 pages=600 vmalloc vpages N0="), std::string::npos) << text;
  EXPECT_NE(text.find(" task0 pages=2 vmalloc N0=2\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace props::vmalloc::by_hand
