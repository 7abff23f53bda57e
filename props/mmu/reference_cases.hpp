// reference_cases: small machines with a window, for tests that work a sentence out.
//
//   Window w(with_window(era));   w.install(page);   w.map(page, pfn);   w.read(page) == 'a'
#pragma once
#include <gtest/gtest.h>

#include <string>

#include "ref/mmu/layout.hpp"
#include "ref/mmu/mmu.hpp"

namespace props::mmu::by_hand {

using namespace ref::core;
using namespace ref::mmu;
using ref::buddy::read_pages;
using ref::buddy::write_pages;
using ref::mmu::Address;
using ref::mmu::Machine;

inline constexpr std::array eras{EraId::linux_2_6_11, EraId::linux_6_1};

// Frames 0 to 63 have addresses, 64 to 95 have none; two CPUs; no per-CPU lists that hold pages.
inline Config with_window(EraId era, std::uint32_t pkmap = 8, std::uint32_t vmalloc = 64) {
  Config c;
  c.era = era;
  c.pcp = false;
  c.min_free_kbytes = 0;
  c.lowmem_reserve_ratio = {0, 0};
  c.cpus = 2;
  c.add_zone(ZoneKind::normal, 64);
  c.add_zone(ZoneKind::highmem, 32);
  c.pkmap = pkmap;
  c.vmalloc = vmalloc;
  return c;
}
// 896 MiB below HIGHMEM.
inline Config classic(EraId era) {
  Config c;
  c.era = era;
  c.add_zone(ZoneKind::dma, 4096);
  c.add_zone(ZoneKind::normal, 225280);
  c.add_zone(ZoneKind::highmem, 32768);
  c.pkmap = 1024;
  c.vmalloc = i386_vmalloc_pages(c);
  return c;
}

struct Quiet final : Env {};

inline Address plus(Address a, std::uint64_t bytes) {
  return Address{static_cast<std::uint64_t>(a) + bytes};
}
inline std::uint64_t free_pages(const ref::buddy::Machine& m) {
  std::uint64_t sum = 0;
  for (ref::buddy::Index z = 0; z < m.config.zone_count; ++z)
    sum += ref::buddy::zone_at(m, z).free_pages;
  return sum;
}
// The first byte of a page, by the CPU whose turn it is; '!' where there is a page fault.
inline char read_byte(Machine& m, Address a) {
  std::byte b{};
  return load(m, a, std::span(&b, 1)) ? static_cast<char>(b) : '!';
}
inline bool write_byte(Machine& m, Address a, char value) {
  const auto b = static_cast<std::byte>(value);
  return store(m, a, std::span(&b, 1)).has_value();
}
inline char in_ram(const Machine& m, ref::core::Pfn pfn) {
  return static_cast<char>(read_pages(m, pfn, 0, 1)[0]);
}
inline void put_in_ram(Machine& m, ref::core::Pfn pfn, char value) {
  write_pages(m, pfn, 0, 1)[0] = static_cast<std::byte>(value);
}

// Page n of the vmalloc area, with a page table.
class Kernel {
 public:
  explicit Kernel(const Config& c) : m(c) {
    EXPECT_TRUE(is_up(m));
    for (std::uint64_t at = m.mmu.window.vmalloc_start; at < m.mmu.window.vmalloc_end;
         at += c.page_bytes)
      if (needs_table(m, Address{at})) give_table(Address{at});
  }
  void give_table(Address a) {
    const auto table =
        ref::buddy::alloc_page(env, m, gfp_of(m.config.era, "GFP_KERNEL") | GFP_BIT_ZERO);
    ASSERT_TRUE(table);
    install_table(m, a, *table);
  }
  Address at(std::uint64_t page) const {
    return Address{m.mmu.window.vmalloc_start + page * m.config.page_bytes};
  }
  void map(std::uint64_t page, ref::core::Pfn pfn) {
    EXPECT_EQ(ref::mmu::map(m, at(page), pfn), Mapped::done);
  }
  void unmap(std::uint64_t page) { EXPECT_TRUE(ref::mmu::unmap(m, at(page))); }
  char read(std::uint64_t page, std::uint32_t cpu = 0) {
    select_cpu(m, cpu);
    return read_byte(m, at(page));
  }

  Machine m;
  Quiet env;
};

}  // namespace props::mmu::by_hand
