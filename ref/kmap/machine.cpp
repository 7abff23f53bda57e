// Lays the tables of maps, and switches tasks with theirs.
#include "ref/kmap/machine.hpp"

#include "ref/kmap/local.hpp"
#include "ref/kmap/page_address.hpp"

namespace ref::kmap {

Machine::Machine(const core::Config& c) : Machine(c, Laid{}) { boot(); }

Machine::Machine(const core::Config& c, Laid laid) : mmu::Machine(c, laid) {
  if (!c.has_window()) return;
  kmap.globals = arena.lay<KmapGlobals>(1);
  kmap.count = arena.lay<std::uint32_t>(c.pkmap);
  kmap.page_address = arena.lay<PageAddress>(c.pkmap);
  kmap.bucket = arena.lay<Chain>(hash_buckets);
  kmap.local = arena.lay<LocalMaps>(core.task.count);
}

void Machine::boot() {
  mmu::Machine::boot();
  if (!config.has_window()) return;
  init_page_address(*this);
  arena.rebase();
}

bool switch_task(Machine& m, std::uint32_t task) {
  const std::uint32_t before = m.cpu().task;
  if (before == task) return true;
  if (is_pinned_elsewhere(m, task) || !core::switch_task(m, task)) return false;
  sched_out(m, before);
  sched_in(m, task);
  return true;
}

}  // namespace ref::kmap
