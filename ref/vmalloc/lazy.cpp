// Implements the work that 6.1 puts off until many addresses wait for their flush.
#include "ref/vmalloc/map_ram.hpp"
#include "ref/vmalloc/mapping.hpp"

namespace ref::vmalloc {

bool purge_vmap_area_lazy(Env& env, Machine& m) {
  purge_fragmented_blocks(env, m);
  return purge_lazy(env, m);
}

bool drain_work_pending(const Machine& m) { return globals_of(m).drain_pending != 0; }

// One round makes everything free; what others add meanwhile may need another.
void drain_vmap_area_work(Env& env, Machine& m) {
  if (!drain_work_pending(m)) return;
  edit_globals_of(m).drain_pending = 0;
  do purge_lazy(env, m);
  while (vmap_lazy_nr(m) > lazy_max_pages(m.config));
}

void vm_unmap_aliases(Env& env, Machine& m) {
  might_sleep(m);
  const Extent dirty = dirty_of_blocks(m);
  purge_fragmented_blocks(env, m);
  if (!purge_lazy(env, m, dirty) && dirty.begin < dirty.end)
    flush_window(m, dirty.begin, dirty.end);
}

}  // namespace ref::vmalloc
