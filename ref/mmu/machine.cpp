// Boots the window: lays its tables, and takes the page tables of pkmap and fixmap.
#include "ref/mmu/machine.hpp"

#include "ref/mmu/mmu.hpp"

namespace ref::mmu {
namespace {

struct Quiet final : core::Env {};

// False: memory ran out on the way.
bool make_tables(Machine& m) {
  const core::Window& w = m.mmu.window;
  const std::uint64_t span = core::table_span(m.config.page_bytes);
  const core::Gfp gfp = core::gfp_of(m.config.era, "GFP_NOWAIT") | core::GFP_BIT_ZERO;
  Quiet env;
  for (std::uint64_t at = w.pkmap_base; at < core::address_end; at += span) {
    const bool used = at < w.pkmap_end || at + span > w.fixmap_start;
    if (!used) continue;
    const auto table = buddy::alloc_page(env, m, gfp);
    if (!table) return false;
    install_table(m, Address{at}, *table);
  }
  return true;
}

}  // namespace

Machine::Machine(const core::Config& c) : Machine(c, Laid{}) { boot(); }

Machine::Machine(const core::Config& c, Laid laid) : buddy::Machine(c, laid) {
  if (!c.has_window()) return;
  const std::uint64_t span = core::table_span(c.page_bytes);
  mmu.window = core::window_of(c);
  mmu.base = mmu.window.vmalloc_start & ~(span - 1);
  mmu.pages = (core::address_end - mmu.base) / c.page_bytes;
  mmu.directory = arena.lay<Index>((core::address_end - mmu.base) / span);
  mmu.tlb = arena.lay<Tlb>(c.cpus);
  mmu.entry = arena.lay<TlbEntry>(c.cpus * mmu.pages);
}

void Machine::boot() {
  buddy::Machine::boot();
  if (!config.has_window()) return;
  const core::Arena without = arena;
  const auto no_events = events;
  if (!make_tables(*this)) arena = without, events = no_events;
  core::wipe_log(*this);
  edit_globals().warned = 0;
  arena.rebase();
}

}  // namespace ref::mmu
