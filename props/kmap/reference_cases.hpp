// reference_cases: small machines with maps, for tests that work a sentence out.
//
//   Kernel k(with_window(era));   k.map(64);   k.slots()   ".1......"
//                                               '.' free, 'z' no user but not flushed, users 1 to 9
#pragma once
#include <functional>
#include <initializer_list>

#include "props/mmu/reference_cases.hpp"
#include "ref/kmap/kmap.hpp"

namespace props::kmap::by_hand {

using namespace props::mmu::by_hand;
using namespace ref::kmap;
using ref::kmap::Address;
using ref::kmap::Machine;
using ref::kmap::page_address;
using ref::kmap::switch_task;
using ref::mmu::cached;
using ref::mmu::walk;

inline constexpr EraId old_era = EraId::linux_2_6_11, new_era = EraId::linux_6_1;
inline constexpr ref::core::Pfn highmem = 64;  // the first frame without an address

struct Points final : Env {
  std::function<void(Point)> act;  // at every yield point
  void at(Point p) override {
    if (act) act(p);
  }
};

class Kernel {
 public:
  explicit Kernel(const Config& c) : m(c) { EXPECT_TRUE(ref::mmu::is_up(m)); }

  Address map(ref::core::Pfn pfn) {
    const auto a = ref::kmap::kmap(env, m, pfn);
    EXPECT_TRUE(a.has_value()) << "page " << pfn;
    return a.value_or(Address::null);
  }
  Address map_atomic(ref::core::Pfn pfn, KmType type = KmType::KM_USER0) {
    const auto a = kmap_atomic(env, m, pfn, type);
    EXPECT_TRUE(a.has_value()) << "page " << pfn;
    return a.value_or(Address::null);
  }
  Address map_local(ref::core::Pfn pfn) {
    const auto a = kmap_local_page(env, m, pfn);
    EXPECT_TRUE(a.has_value()) << "page " << pfn;
    return a.value_or(Address::null);
  }
  void unmap_atomic(Address a, KmType type = KmType::KM_USER0) { kunmap_atomic(env, m, a, type); }
  void unmap_local(Address a) { kunmap_local(env, m, a); }
  void use(std::uint32_t cpu, Address a) { ref::mmu::prefetch(m, cpu, a); }

  Fault fault() const { return m.globals().log.fault; }
  // The fault of what was done since, with its effect; and forgets it.
  std::pair<Fault, Effect> told() {
    const std::pair<Fault, Effect> log{fault(), m.globals().log.effect};
    clear_log(m);
    return log;
  }
  std::uint32_t slot_of(Address a) const { return pkmap_nr(m, a); }
  std::uint32_t last() const { return m.arena.at(m.kmap.globals, 0).last_pkmap_nr; }
  std::uint32_t sleepers() const { return m.arena.at(m.kmap.globals, 0).sleepers; }
  const LocalMaps& maps(std::uint32_t task) const { return m.arena.at(m.kmap.local, task); }
  std::string slots(std::uint32_t first = 0, std::uint32_t count = UINT32_MAX) const {
    std::string text;
    const auto end = std::min<std::uint64_t>(m.kmap.count.count, std::uint64_t{first} + count);
    for (std::uint32_t i = first; i < end; ++i) {
      const std::uint32_t n = pkmap_count(m, i);
      text += n == 0 ? '.' : n == 1 ? 'z' : static_cast<char>('0' + n - 1);
    }
    return text;
  }

  Machine m;
  Points env;
};

using Told = std::pair<Fault, Effect>;
inline constexpr Told nothing{Fault::none, Effect::none};

}  // namespace props::kmap::by_hand
