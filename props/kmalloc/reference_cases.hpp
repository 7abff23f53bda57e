// reference_cases: machines of the reference for tests that work a sentence of kmalloc out by hand.
//
//   Kernel k(old_era);   k.get(100)   an address      k.size_of(100)   what is usable of it
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "props/core/probe.hpp"
#include "ref/kmalloc/kmalloc.hpp"

namespace props::kmalloc::by_hand {

using namespace ref::core;
using namespace ref::kmalloc;
using ref::kmalloc::Machine;

constexpr EraId old_era = EraId::linux_2_6_11, new_era = EraId::linux_6_1;
constexpr std::array eras{old_era, new_era};

// 16 MiB of DMA and 48 of NORMAL, in pages of 4 KiB.
inline Config roomy(EraId era) {
  Config c;
  c.era = era;
  c.pcp = false;
  c.add_zone(ZoneKind::dma, 4096);
  c.add_zone(ZoneKind::normal, 12288);
  return c;
}

class Kernel {
 public:
  explicit Kernel(EraId era) : Kernel(roomy(era)) {}
  explicit Kernel(const Config& config) : m(config) {}

  Gfp gfp(std::string_view name = "GFP_KERNEL") const { return gfp_of(m.config.era, name); }
  Answer<Address> ask(std::uint64_t size, Gfp extra = 0) {
    return ref::kmalloc::kmalloc(env, m, size, gfp() | extra);
  }
  // Fails the test when there is none.
  Address get(std::uint64_t size, Gfp extra = 0) {
    const auto got = ask(size, extra);
    EXPECT_TRUE(got.has_value()) << size << " bytes";
    return got.value_or(Address::null);
  }
  void put(Address address) { kfree(env, m, address); }
  // The usable bytes of a request; 0 when it is refused.
  std::uint64_t size_of(std::uint64_t size, Gfp extra = 0) {
    const auto got = ask(size, extra);
    if (!got) return 0;
    const std::uint64_t usable = ksize(m, *got);
    put(*got);
    return usable;
  }
  std::string_view cache_of(Address address) const {
    const auto object = ref::slab::object_at(m, address);
    if (!object) return "";
    return m.arena.at(m.slab.cache, static_cast<std::uint32_t>(object->cache)).name.data();
  }
  void fill(Address address, std::uint64_t bytes, unsigned value) {
    std::ranges::fill(ref::slab::write_bytes(m, address, bytes), std::byte(value));
  }
  bool holds(Address address, std::uint64_t bytes, unsigned value) const {
    return std::ranges::all_of(ref::slab::read_bytes(m, address, bytes),
                               [&](std::byte b) { return b == std::byte(value); });
  }
  Log log() {
    const Log log = m.globals().log;
    clear_log(m);
    return log;
  }
  Fault fault() { return log().fault; }
  unsigned warnings() { return log().warnings; }
  std::uint64_t free_pages() const {
    std::uint64_t free = 0;
    for (Index z = 0; z < m.config.zone_count; ++z) free += ref::buddy::zone_at(m, z).free_pages;
    return free;
  }

  QuietEnv env;
  Machine m;
};

inline Address behind(Address address, std::uint64_t bytes) {
  return Address{static_cast<std::uint64_t>(address) + bytes};
}
inline bool aligned(Address address, std::uint64_t to) {
  return static_cast<std::uint64_t>(address) % to == 0;
}

}  // namespace props::kmalloc::by_hand
