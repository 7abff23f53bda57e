// The exact state of a world as one number: what a search compares to know where it was before.
#include "props/slab/world.hpp"

namespace props::slab {

ref::core::Hash World::exact_state() const {
  Mixer state;
  const EraId era = machine_.config.era;
  state.add(machine_.arena.hash());
  // They only grow, and are judged by their difference alone.
  std::uint64_t counted = 0;
  for (const auto& e : machine_.events) counted += e.pgalloc - e.pgfree;
  state.add(counted);
  for (const HeldObject& o : objects_) {
    state.add((o.live ? 1u : 0u) | (o.overrun ? 2u : 0u) | std::uint64_t{o.ctor} << 8 |
              std::uint64_t{o.stamp} << 32);
    state.add(o.address);
    state.add(o.usable);
    state.add(o.bytes);
    state.add(static_cast<std::uint64_t>(o.cache));
  }
  for (const HeldCache& c : caches_) {
    state.add(static_cast<std::uint64_t>(c.state) | static_cast<std::uint64_t>(c.id) << 32);
    state.add(print_operation(Operation{c.asked}, era));
  }
  for (const HeldPages& p : pages_)
    state.add((p.live ? 1u : 0u) | std::uint64_t{p.order} << 8 | std::uint64_t{p.pfn} << 32),
        state.add(p.stamp);
  for (const auto& op : pending_) state.add(op ? print_operation(*op, era) : "");
  for (const Step& step : armed_) state.add(print_step(step, era));
  for (const auto& written : written_after_free_)
    state.add(written.address), state.add(written.ram);
  state.add((overwrote_ ? 1u : 0u) | (retuned_ ? 2u : 0u));
  state.add(stamps_);
  return state.sum();
}

}  // namespace props::slab
