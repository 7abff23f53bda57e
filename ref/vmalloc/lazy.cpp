// Implements the work that 6.1 puts off until many addresses wait for their flush.
#include "ref/vmalloc/areas.hpp"

namespace ref::vmalloc {

bool drain_work_pending(const Machine& m) { return globals_of(m).drain_pending != 0; }

// One round makes everything free; what others add meanwhile may need another.
void drain_vmap_area_work(Env& env, Machine& m) {
  if (!drain_work_pending(m)) return;
  edit_globals_of(m).drain_pending = 0;
  do purge_vmap_area_lazy(env, m);
  while (vmap_lazy_nr(m) > lazy_max_pages(m.config));
}

void vm_unmap_aliases(Env& env, Machine& m) {
  might_sleep(m);
  purge_vmap_area_lazy(env, m);
}

}  // namespace ref::vmalloc
