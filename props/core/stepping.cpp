// Enters and leaves the interrupt that armed steps run in.
#include "props/core/stepping.hpp"

namespace props {

using ref::core::Globals;

Interrupt::Interrupt(ref::core::Machine& m)
    : machine_(m), globals_(m.globals()), context_(m.cpu()) {
  ++m.arena.edit(m.core.cpu, globals_.cpu).hardirq_count;
}

Interrupt::~Interrupt() {
  ref::core::select_cpu(machine_, globals_.cpu);
  machine_.arena.edit(machine_.core.cpu, globals_.cpu) = context_;
  Globals& now = machine_.edit_globals();
  now.log = globals_.log;
  now.injected = globals_.injected;
}

}  // namespace props
