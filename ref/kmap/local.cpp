// A task's stack of temporary maps in the fixmap of its CPU (6.1).
#include "ref/kmap/local.hpp"

#include "ref/kmap/page_address.hpp"

namespace ref::kmap {
namespace {

using core::Effect;
using core::Fault;
using core::WarnOnce;

LocalMaps& edit_local(Machine& m, std::uint32_t task) { return m.arena.edit(m.kmap.local, task); }
const LocalMaps& local_at(const Machine& m, std::uint32_t task) {
  return m.arena.at(m.kmap.local, task);
}

// kmap_local_calc_idx, on the CPU whose turn it is.
Address slot_of(const Machine& m, std::uint32_t depth) {
  return fixmap_address(m, depth + km_max_idx * m.globals().cpu);
}

Address page_begin(const Machine& m, Address address) {
  return Address{static_cast<std::uint64_t>(address) & ~std::uint64_t{m.config.page_bytes - 1}};
}

void migrate_disable(LocalMaps& maps, std::uint32_t cpu) {
  if (maps.migration_disabled++ == 0) maps.cpu = cpu;
}

void migrate_enable(LocalMaps& maps) {
  if (maps.migration_disabled > 0 && --maps.migration_disabled == 0) maps.cpu = 0;
}

// What is no slot of the fixmap: lowmem, or pinned by kmap_high_get. False: neither.
bool unmap_elsewhere(Machine& m, Address address) {
  if (is_kmap_addr(m, address)) {
    if (const std::optional<Pfn> pfn = mmu::walk(m, address)) return kunmap_high(m, *pfn), true;
  } else if (buddy::virt_to_pfn(m, address)) {
    return true;
  }
  if (static_cast<std::uint64_t>(address) < core::page_offset)
    core::warn_once(m, WarnOnce::kunmap_foreign);
  core::report(m, Fault::kunmap_of_unmapped, Effect::none);
  return false;
}

// the newest map goes, in this order: page table, TLB, the saved entry; then the slot.
void unmap_newest(Env& env, Machine& m) {
  const std::uint32_t cpu = m.globals().cpu, task = m.cpu().task;
  const std::uint32_t depth = local_at(m, task).idx - 1;
  ++m.arena.edit(m.core.cpu, cpu).preempt_count;
  mmu::unmap(m, slot_of(m, depth));
  mmu::flush_page(m, slot_of(m, depth), mmu::Cpus::local);
  edit_local(m, task).pteval[depth] = 0;
  env.at(core::Point::kmap_atomic_cleared);
  LocalMaps& maps = edit_local(m, task);
  if (maps.idx > 0) --maps.idx;
  --m.arena.edit(m.core.cpu, cpu).preempt_count;
  migrate_enable(maps);
}

// Calls f(depth, saved entry) for each map of a task; one that was lost is told once.
template <class F>
void each_saved(Machine& m, std::uint32_t task, F f) {
  if (m.kmap.local.count == 0) return;
  for (std::uint32_t depth = 0; depth < local_at(m, task).idx; ++depth) {
    const Pte pte = local_at(m, task).pteval[depth];
    if (pte == 0) core::warn_once(m, WarnOnce::local_map_lost);
    else f(depth, pte);
  }
}

}  // namespace

bool is_pinned_elsewhere(const Machine& m, std::uint32_t task) {
  if (m.kmap.local.count == 0) return false;
  const LocalMaps& maps = local_at(m, task);
  return maps.migration_disabled > 0 && maps.cpu != m.globals().cpu;
}

void sched_out(Machine& m, std::uint32_t task) {
  each_saved(m, task, [&](std::uint32_t depth, Pte) {
    mmu::unmap(m, slot_of(m, depth));
    mmu::flush_page(m, slot_of(m, depth), mmu::Cpus::local);
  });
}

void sched_in(Machine& m, std::uint32_t task) {
  each_saved(m, task, [&](std::uint32_t depth, Pte pte) {
    mmu::unmap(m, slot_of(m, depth));  // whatever stands there is overwritten
    REQUIRE(mmu::map(m, slot_of(m, depth), mmu::pfn_of(pte)) == mmu::Mapped::done);
  });
}

Answer<Address> map_local(Machine& m, Pfn pfn) {
  if (const auto direct = buddy::page_address(m, pfn)) return *direct;
  if (!mmu::is_up(m)) return std::unexpected(Refused::no_memory);
  LocalMaps& maps = edit_local(m, m.cpu().task);
  const std::uint32_t depth = maps.idx;
  if (depth + 1 >= km_max_idx) {
    core::report(m, Fault::too_many_local_maps, Effect::none, pfn);
    return std::unexpected(Refused::misuse);
  }
  if (mmu::map(m, slot_of(m, depth), pfn) != mmu::Mapped::done) {
    core::report(m, Fault::atomic_slot_busy, Effect::none, pfn);
    return std::unexpected(Refused::misuse);
  }
  migrate_disable(maps, m.globals().cpu);
  maps.pteval[depth] = mmu::pte_of(pfn);
  maps.idx = depth + 1;
  return slot_of(m, depth);
}

bool unmap_local(Env& env, Machine& m, Address address) {
  if (!is_fixmap_address(m, address)) return unmap_elsewhere(m, address);
  const LocalMaps& maps = local_at(m, m.cpu().task);
  if (maps.idx == 0) {  // a kernel would write before the stack, and stop
    core::report(m, Fault::kunmap_of_unmapped, Effect::none);
    return false;
  }
  if (page_begin(m, address) != slot_of(m, maps.idx - 1)) {
    core::warn_once(m, WarnOnce::kunmap_order);
    core::report(m, Fault::unmap_out_of_order, Effect::freed,
                 mmu::pfn_of(maps.pteval[maps.idx - 1]));
  }
  unmap_newest(env, m);
  return true;
}

std::optional<Pfn> local_page(const Machine& m, Address address) {
  const LocalMaps& maps = local_at(m, m.cpu().task);
  for (std::uint32_t depth = 0; depth < maps.idx; ++depth)
    if (slot_of(m, depth) == page_begin(m, address) && maps.pteval[depth] != 0)
      return mmu::pfn_of(maps.pteval[depth]);
  return std::nullopt;
}

Answer<Address> kmap_local_page(Env&, Machine& m, Pfn pfn) {
  if (!is_a_page(m, pfn)) return std::unexpected(Refused::misuse);
  switch (m.profile().atomic_maps) {
    case core::AtomicMaps::typed: return std::unexpected(Refused::no_memory);
    case core::AtomicMaps::stack: return map_local(m, pfn);
  }
  UNREACHABLE("a kind of temporary maps outside the list");
}

void kunmap_local(Env& env, Machine& m, Address address) {
  switch (m.profile().atomic_maps) {
    case core::AtomicMaps::typed: return core::report(m, Fault::kunmap_of_unmapped, Effect::none);
    case core::AtomicMaps::stack: unmap_local(env, m, address); return;
  }
  UNREACHABLE("a kind of temporary maps outside the list");
}

}  // namespace ref::kmap
