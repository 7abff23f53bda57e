// The exact state of a world as one number: what a search compares to know where it was before.
#include "props/buddy/world.hpp"

namespace props::buddy {

void PageOracle::add_to(Mixer& to) const {
  to.add(arena_.hash());
  to.add(min_free_kbytes_);
  for (const std::uint32_t ratio : ratio_) to.add(ratio);
}

void Model::add_to(Mixer& to) const {
  const auto add_list = [&](const std::deque<Pfn>& list) {
    to.add(list.size());
    for (const Pfn pfn : list) to.add(pfn);
  };
  for (const Zone& zone : zones_) {
    for (const auto& list : zone.free) add_list(list);
    for (const std::uint32_t mark : zone.mark) to.add(mark);
    for (const std::uint32_t reserve : zone.reserve) to.add(reserve);
    for (std::size_t i = 0; i < 2; ++i) to.add(zone.limits.low[i]), to.add(zone.limits.high[i]);
    to.add(zone.limits.batch);
    to.add(zone.reclaim_active ? 1 : 0);
    for (const Pcp& pcp : zone.pcp) {
      for (const auto& list : pcp.list) add_list(list);
      to.add(pcp.free_factor);
    }
  }
  to.add(min_free_kbytes_);
  for (const std::uint32_t ratio : ratio_) to.add(ratio);
  to.add(fail_nth_);
}

ref::core::Hash World::exact_state() const {
  Mixer state;
  state.add(machine_.arena.hash());
  // They only grow, and are judged by their difference alone.
  std::uint64_t counted = 0;
  for (const auto& e : machine_.events) counted += e.pgalloc - e.pgfree;
  state.add(counted);
  oracle_.add_to(state);
  state.add(model_stale_ ? 1 : 0);
  if (model_) model_->add_to(state);
  for (const Block& b : blocks_) {
    state.add((b.live ? 1u : 0u) | (b.exact ? 2u : 0u) | (b.compound ? 4u : 0u) |
              std::uint64_t{b.order} << 8 | std::uint64_t{b.flags} << 16 |
              std::uint64_t{b.pfn} << 32);
    state.add(std::uint64_t{b.pages} << 32 | b.references);
    state.add(std::uint64_t{b.stamp} << 32 | b.mapcount);
    state.add(b.bytes);
    state.add(b.private_data);
  }
  for (const Pending& p : pending_) {
    state.add((p.waits ? 1u : 0u) | std::uint64_t{static_cast<std::uint8_t>(p.by)} << 8 |
              std::uint64_t{p.out} << 16 | std::uint64_t{p.order} << 24);
    state.add(p.gfp);
    state.add(p.bytes);
  }
  for (const Step& step : armed_) state.add(print_step(step, machine_.config.era));
  state.add(stamps_);
  return state.sum();
}

}  // namespace props::buddy
