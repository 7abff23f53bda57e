// reference_cases: small machines of the reference, for tests that work a sentence out by hand.
//
//   marked          bare_normal with min 64 and low 80 of 1024 pages
//   Kernel          such a machine, its log, and its lists as vectors of frames, head first
#pragma once
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "props/buddy/bare_machines.hpp"
#include "ref/buddy/buddy.hpp"
#include "ref/buddy/watermark.hpp"

namespace props::buddy::by_hand {

using namespace ref::buddy;
using namespace ref::core;
using ref::buddy::Machine;

constexpr EraId old_era = EraId::linux_2_6_11, new_era = EraId::linux_6_1;

// 1024 pages, and pages_min 64: both eras have min 64 and low 80.
inline Config marked(EraId era) {
  Config c = bare_normal(era, 1024);
  c.min_free_kbytes = 256;
  return c;
}

// The three zones, 16 frames each, in the order of their numbers.
inline Config three_zones(EraId era) {
  Config c = bare(era, 5);
  c.add_zone(ZoneKind::dma, 16);
  c.add_zone(ZoneKind::normal, 16);
  c.add_zone(ZoneKind::highmem, 16);
  return c;
}

// Runs what a test puts into `act` at one yield point, once.
struct PointEnv final : Env {
  void at(Point point) override {
    if (point == when && act) std::exchange(act, nullptr)();
  }
  Point when{};
  std::function<void()> act;
};

class Kernel {
 public:
  explicit Kernel(const Config& config) : m(config) {}

  Gfp gfp(std::string_view name) const { return gfp_of(m.config.era, name); }
  std::expected<Pfn, Refused> ask(Gfp gfp, unsigned order = 0) {
    return alloc_pages(env, m, gfp, order);
  }
  // The frame that a GFP_KERNEL request gets. Fails the test when there is none.
  Pfn get(unsigned order = 0, Gfp extra = 0) {
    const auto pfn = ask(gfp("GFP_KERNEL") | extra, order);
    EXPECT_TRUE(pfn.has_value()) << "order " << order;
    return pfn.value_or(0);
  }
  void put(Pfn pfn, unsigned order = 0) { free_pages_(env, m, pfn, order); }
  // Single pages, until `left` pages of the first zone are free, whatever the watermarks say.
  void take_until_free(std::uint64_t left) {
    set_task_flags(m, PF_MEMALLOC);
    while (free_pages() > left) (void)get();
    set_task_flags(m, 0);
    clear_log(m);
  }

  // What went wrong since this was last asked.
  Log log() {
    const Log log = m.globals().log;
    clear_log(m);
    return log;
  }
  Fault fault() { return log().fault; }
  unsigned warnings() { return log().warnings; }

  std::uint64_t free_pages(Index zone = 0) const { return zone_at(m, zone).free_pages; }
  const Page& record(Pfn pfn) const {
    return page_at(m, page_index(zone_at(m, zone_of_pfn(m, pfn)), pfn));
  }
  Frames free_list(unsigned order, Index zone = 0) const {
    return members(zone, area_at(m, zone, order));
  }
  Frames pcp_list(unsigned list, std::uint32_t cpu = 0, Index zone = 0) const {
    return members(zone, pcp_list_at(m, zone, cpu, list));
  }
  const Pcp& pcp(std::uint32_t cpu = 0, Index zone = 0) const { return pcp_at(m, zone, cpu); }
  void drain() { drain_all_pages(env, m); }

  PointEnv env;
  Machine m;

 private:
  Frames members(Index zone, const List& list) const {
    Frames frames;
    for (Index link = list.head; link != 0; link = page_at(m, link - 1).next)
      frames.push_back(pfn_of(zone_at(m, zone), link - 1));
    return frames;
  }
};

// The pages that are left when a caller of single pages is refused for the first time.
inline std::uint64_t floor_of(Kernel& k, Gfp gfp) {
  while (k.ask(gfp)) {}
  return k.free_pages();
}

// Of `marked`: min 64, low 80.
inline std::uint64_t floor_of(EraId era, std::string_view name, Gfp extra = 0,
                              std::uint32_t task_flags = 0, std::optional<ContextMove> move = {}) {
  Kernel k(marked(era));
  set_task_flags(k.m, task_flags);
  EXPECT_TRUE(!move || move_context(k.m, *move));
  return floor_of(k, k.gfp(name) | extra);
}

}  // namespace props::buddy::by_hand
