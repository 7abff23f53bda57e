// reference_cases: small windows of the reference, for tests that work a sentence out by hand.
//
//   Kernel k(window(era, 8));   k.area(2);   k.area(1);
//   k.picture()   "aagbg..."    letters from `a` on for areas in address order, g their guards, ~
//                 lazy, . free: a letter for each page of the window
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "ref/mmu/mmu.hpp"
#include "ref/vmalloc/ranges.hpp"

namespace props::vmalloc::by_hand {

using namespace ref::core;
using namespace ref::vmalloc;
using ref::vmalloc::Machine;
using ref::vmalloc::Range;

inline constexpr EraId old_era = EraId::linux_2_6_11, new_era = EraId::linux_6_1;
inline constexpr std::array eras{old_era, new_era};

// One zone with addresses and a high one, one CPU, pages of 4096 bytes, no per-CPU page lists that
// hide what goes back.
inline Config window(EraId era, std::uint32_t pages, std::uint32_t normal = 512,
                     std::uint32_t highmem = 0) {
  Config c;
  c.era = era;
  c.pcp = false;
  c.min_free_kbytes = 0;
  c.lowmem_reserve_ratio = {0, 0};
  c.slab_merge = false;
  c.add_zone(ZoneKind::normal, normal);
  if (highmem > 0) c.add_zone(ZoneKind::highmem, highmem);
  c.vmalloc = pages;
  return c;
}
inline Config with_cpus(Config c, std::uint32_t cpus) {
  c.cpus = cpus;
  return c;
}

struct Quiet final : Env {};

inline std::uint64_t number(Address a) { return static_cast<std::uint64_t>(a); }
inline Address behind(Address a, std::uint64_t bytes) { return Address{number(a) + bytes}; }

class Kernel {
 public:
  explicit Kernel(const Config& config) : m(config) { EXPECT_EQ(globals_of(m).up, 1u); }

  std::uint64_t bytes(std::uint64_t pages) const { return pages * m.config.page_bytes; }
  Gfp gfp(std::string_view name = "GFP_KERNEL") const { return gfp_of(m.config.era, name); }

  Answer<Address> ask_area(std::uint64_t pages, std::uint32_t flags = 0) {
    return get_vm_area(env, m, bytes(pages), flags);
  }
  // Fails the test when there is none, like the others that answer an address.
  Address area(std::uint64_t pages, std::uint32_t flags = 0) {
    return granted(ask_area(pages, flags));
  }
  Address memory(std::uint64_t pages) {
    return granted(ref::vmalloc::vmalloc(env, m, bytes(pages)));
  }
  Address granted(const Answer<Address>& got) {
    EXPECT_TRUE(got.has_value());
    return got.value_or(Address::null);
  }
  Pfn frame(Gfp extra = 0) {
    const auto pfn = ref::buddy::alloc_page(env, m, gfp() | extra);
    EXPECT_TRUE(pfn.has_value());
    return pfn.value_or(0);
  }
  std::vector<std::optional<Pfn>> frames(std::size_t count, Gfp extra = 0) {
    std::vector<std::optional<Pfn>> all(count);
    for (auto& pfn : all) pfn = frame(extra);
    return all;
  }
  void put(Address a) { vfree(env, m, a); }

  // The page of the window where an address is.
  std::uint64_t page(Address a) const { return number(a) / m.config.page_bytes - window_base(m); }
  Address at(std::uint64_t page) const { return address_of(m, page); }
  Address start() const { return at(0); }

  std::string picture() const {
    std::string text(window_pages(m), '?');
    char letter = 'a';
    for (std::uint64_t p = 0; p < text.size(); ++p) {
      const Range& r = range_at(m, p);
      if (r.set == RangeSet::none) continue;
      const char c = r.set == RangeSet::busy ? letter++ : r.set == RangeSet::lazy ? '~' : '.';
      for (std::uint64_t i = 0; i < r.pages; ++i) text[p + i] = c;
      const bool guarded = area_of(m, p).object != 0 && !(area_of(m, p).flags & VM_NO_GUARD);
      if (guarded) text[p + r.pages - 1] = 'g';
    }
    for (char& c : text)  // 2.6.11 keeps no free ranges
      if (c == '?' && m.profile().area_search == AreaSearch::sorted_list) c = '.';
    return text;
  }

  bool store(Address a, std::uint64_t value) {
    std::array<std::byte, 8> word;
    for (std::size_t i = 0; i < word.size(); ++i) word[i] = std::byte(value >> 8 * i & 0xff);
    return ref::mmu::store(m, a, word).has_value();
  }
  std::optional<std::uint64_t> load(Address a) {
    std::array<std::byte, 8> word{};
    if (!ref::mmu::load(m, a, word)) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < word.size(); ++i)
      value |= std::to_integer<std::uint64_t>(word[i]) << 8 * i;
    return value;
  }
  std::optional<std::uint64_t> load_on(std::uint32_t cpu, Address a) {
    select_cpu(m, cpu);
    const auto value = load(a);
    select_cpu(m, 0);
    return value;
  }

  Log log() {
    const Log log = m.globals().log;
    clear_log(m);
    return log;
  }
  Fault fault() { return log().fault; }
  unsigned warnings() { return log().warnings; }
  std::uint64_t free_pages() const {
    std::uint64_t sum = 0;
    for (Index z = 0; z < m.config.zone_count; ++z) sum += ref::buddy::zone_at(m, z).free_pages;
    return sum;
  }

  Quiet env;
  Machine m;
};

// What is wrong with the sets of ranges; empty: nothing.
std::string ranges_broken(const Machine& m);

}  // namespace props::vmalloc::by_hand
