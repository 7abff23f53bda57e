// Counts what a call reached: looks at the subject's counts just before and just after it.
//
// Nothing here judges: a wrong subject makes wrong counts and nothing else.
#include "props/slab/runner.hpp"

namespace props::slab {

using namespace ref::core;

Runner::Counts Runner::counts(CacheId id) const {
  const auto cache = static_cast<std::uint64_t>(id);
  const std::uint64_t nodes = m_.config.nodes;
  Counts c;
  c.in_array = m_.arena.at(m_.slab.cpu_array, cache * m_.config.cpus + m_.globals().cpu).avail;
  for (std::uint64_t n = 0; n < nodes; ++n) {
    const auto& node = m_.arena.at(m_.slab.node, cache * nodes + n);
    c.slabs += node.total_slabs;
    c.free += node.free.count, c.full += node.full.count, c.partial += node.partial.count;
    if (m_.slab.shared_array.count > 0)
      c.shared += m_.arena.at(m_.slab.shared_array, cache * nodes + n).avail;
    for (std::uint64_t of = 0; nodes > 1 && of < nodes; ++of)
      c.alien += m_.arena.at(m_.slab.alien_array, (cache * nodes + n) * nodes + of).avail;
  }
  return c;
}

std::uint64_t Runner::total_slabs() const {
  std::uint64_t all = 0;
  for (std::uint64_t i = 0; i < m_.slab.node.count; ++i)
    all += m_.arena.at(m_.slab.node, i).total_slabs;
  return all;
}

void Runner::count_lists(const Counts& before, const Counts& now) {
  Reach& r = w_.reach_;
  if (now.slabs > before.slabs) r[ReachEvent::grown] += now.slabs - before.slabs;
  if (now.slabs < before.slabs) r[ReachEvent::destroyed] += before.slabs - now.slabs;
  if (now.full > before.full) r[ReachEvent::to_full] += now.full - before.full;
  if (now.partial > before.partial) r[ReachEvent::to_partial] += now.partial - before.partial;
  if (now.free > before.free) r[ReachEvent::to_free] += now.free - before.free;
}

void Runner::count_alloc(CacheId cache, const Counts& before, bool got) {
  count_context();
  Reach& r = w_.reach_;
  r[ReachEvent::injected] += m_.globals().injected;
  if (w_.interleaved_) return;
  const Counts now = counts(cache);
  count_lists(before, now);
  if (!got) return;
  if (before.in_array > 0) return void(++r[ReachEvent::hit]);
  ++r[ReachEvent::refill];
  r[ReachEvent::from_shared] += now.shared < before.shared;
}

void Runner::count_free(CacheId cache, const Counts& before) {
  if (w_.interleaved_) return;
  Reach& r = w_.reach_;
  const Counts now = counts(cache);
  count_lists(before, now);
  r[ReachEvent::to_alien] += now.alien > before.alien;
  r[ReachEvent::to_shared] += now.shared > before.shared;
  r[ReachEvent::flush] += now.in_array < before.in_array;
}

void Runner::count_created(const ref::slab::Cache& c, bool merged) {
  Reach& r = w_.reach_;
  r[ReachEvent::merged] += merged;
  r[ReachEvent::off_slab] += (c.flags & ref::slab::CFLGS_OFF_SLAB) != 0;
  r[ReachEvent::objfreelist] += (c.flags & ref::slab::CFLGS_OBJFREELIST_SLAB) != 0;
  r[ReachEvent::coloured] += c.colour > 1;
}

void Runner::count_context() {
  const Cpu& c = m_.cpu();
  auto& to = w_.reach_.contexts;
  to[0] += in_task(m_);
  to[1] += c.preempt_count > 0;
  to[2] += c.irqs_off > 0;
  to[3] += c.bh_off > 0;
  to[4] += c.softirq_count > 0;
  to[5] += c.hardirq_count > 0;
}

}  // namespace props::slab
