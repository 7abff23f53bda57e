// Makes a machine whose object allocator is up, or says that it is too small for one.
#include "ref/slab/machine.hpp"

#include "ref/slab/boot.hpp"

namespace ref::slab {

Machine::Machine(const core::Config& c) : Machine(c, Laid{}) { boot(); }

Machine::Machine(const core::Config& c, Laid laid) : kmap::Machine(c, laid) {
  const std::uint64_t caches = caches_max, nodes = c.nodes, cpus = c.cpus;
  const std::uint64_t words = c.pages() * c.page_bytes / c.profile().word_bytes;
  const std::uint64_t shared = caches * nodes, alien = nodes > 1 ? shared * nodes : 0;
  slab.globals = arena.lay<SlabGlobals>(1);
  slab.cache = arena.lay<Cache>(caches);
  slab.node = arena.lay<Node>(caches * nodes);
  slab.cpu_array = arena.lay<ArrayCache>(caches * cpus);
  slab.shared_array = arena.lay<ArrayCache>(shared);
  slab.alien_array = arena.lay<ArrayCache>(alien);
  slab.cpu_entry = arena.lay<std::uint64_t>(caches * cpus * cpu_entries_max);
  slab.shared_entry = arena.lay<std::uint64_t>(shared * shared_entries_max);
  slab.alien_entry = arena.lay<std::uint64_t>(alien * alien_entries_max);
  slab.slab = arena.lay<Slab>(c.pages());
  slab.live = arena.lay<std::uint64_t>((words + 63) / 64);
  slab.own = arena.lay<std::uint64_t>((words + 63) / 64);
  slab.general = arena.lay<Index>(std::uint64_t{general_kinds} * general_classes_max);
}

void Machine::boot() {
  kmap::Machine::boot();
  const core::Arena without = arena;
  const auto no_events = events;
  if (!kmem_cache_init(*this)) arena = without, events = no_events;
  core::wipe_log(*this);
  edit_globals().warned = 0;
  arena.rebase();
}

}  // namespace ref::slab
