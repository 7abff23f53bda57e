// Draws the stream, and fills a machine.
#include "fuzz/bench/workload.hpp"

#include <algorithm>
#include <utility>

#include "ref/buddy/buddy.hpp"

namespace bench {

using ref::core::Config;
using ref::core::EraId;
using ref::core::Pfn;
using ref::core::ZoneKind;

namespace {

class Nobody : public ref::core::Env {};

constexpr std::uint8_t registers = 40;  // so many blocks at most live at a time

Config three_zones(EraId era, std::uint32_t dma, std::uint32_t normal, std::uint32_t highmem) {
  Config config;
  config.era = era;
  config.page_bytes = 64;
  config.add_zone(ZoneKind::dma, dma);
  config.add_zone(ZoneKind::normal, normal);
  config.add_zone(ZoneKind::highmem, highmem);
  return config;
}

}  // namespace

std::vector<Toggle> draw_toggles(std::uint64_t length, std::uint64_t seed) {
  props::Random random(seed);
  std::vector<Toggle> toggles;
  std::array<std::uint8_t, registers> order{};
  std::array<bool, registers> live{};
  const auto toggle = [&](std::uint8_t reg) {
    if (!live[reg]) {
      constexpr std::array<std::uint8_t, 16> orders{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3};
      order[reg] = orders[random.below(orders.size())];
    }
    live[reg] = !live[reg];
    toggles.push_back({reg, live[reg], order[reg]});
  };
  while (toggles.size() < length) toggle(static_cast<std::uint8_t>(random.below(registers)));
  for (std::uint8_t reg = 0; reg < registers; ++reg)
    if (live[reg]) toggle(reg);
  return toggles;
}

std::vector<L::Step> steps_of(const std::vector<Toggle>& toggles, EraId era) {
  const props::GfpArg gfp{ref::core::gfp_of(era, "GFP_KERNEL") | ref::core::GFP_BIT_HIGHMEM |
                          ref::core::GFP_BIT_NORETRY | ref::core::GFP_BIT_NOWARN};
  std::vector<L::Step> steps;
  for (const Toggle& t : toggles) {
    L::Step step{};
    if (t.takes) step.op = props::buddy::AllocPages{{t.reg}, {t.order}, gfp};
    else step.op = props::buddy::FreePagesByPage{{t.reg}, {t.order}};
    steps.push_back(step);
  }
  return steps;
}

Config small_machine(EraId era) { return three_zones(era, 16, 64, 32); }

Config large_machine(EraId era) {
  constexpr std::uint32_t dma = 4096, normal = 225280;  // 16 MiB and 880 MiB, as on i386
  return three_zones(era, dma, normal, (1u << 20) - dma - normal);
}

L::Newborn crowded(const Config& config) {
  L::Newborn newborn(config);
  Nobody env;
  props::Random random(7);
  const ref::core::Gfp gfp = ref::core::GFP_BIT_HIGHMEM | ref::core::GFP_BIT_NOWARN;
  std::vector<std::pair<Pfn, unsigned>> blocks;
  for (;;) {
    const auto order = static_cast<unsigned>(random.below(6));
    const auto got = ref::buddy::alloc_pages(env, newborn.machine, gfp, order);
    if (!got) break;
    blocks.emplace_back(*got, order);
  }
  for (const auto& [pfn, order] : blocks) {
    if (random.below(10) < 3) ref::buddy::free_pages_(env, newborn.machine, pfn, order);
    else (void)newborn.oracle.granted(pfn, order, {order, ZoneKind::highmem});
  }
  ref::buddy::drain_all_pages(env, newborn.machine);
  newborn.rebase();
  return newborn;
}

}  // namespace bench
