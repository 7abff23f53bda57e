// Persistent maps: the search for a slot, counts, the flush of unused slots, sleepers.
#include "ref/kmap/kmap.hpp"

#include "ref/kmap/page_address.hpp"

namespace ref::kmap {
namespace {

using core::Effect;
using core::Fault;

std::uint32_t& edit_count(Machine& m, std::uint32_t slot) {
  return m.arena.edit(m.kmap.count, slot);
}

bool has_slots(const Machine& m) { return m.kmap.count.count > 0 && mmu::is_up(m); }

// M-5
void flush_all_zero_pkmaps(Machine& m) {
  bool any = false;
  for (std::uint32_t slot = 0; slot < m.kmap.count.count; ++slot) {
    if (pkmap_count(m, slot) != 1) continue;
    edit_count(m, slot) = 0;
    const std::optional<Pfn> pfn = mmu::unmap(m, pkmap_address(m, slot));
    REQUIRE(pfn);
    clear_page_address(m, *pfn);
    any = true;
  }
  switch (m.profile().pkmap_flush) {
    case core::PkmapFlush::all_always: return mmu::flush_all(m, mmu::Cpus::all);
    case core::PkmapFlush::range_if_any: {
      const core::Window& w = m.mmu.window;
      if (any) mmu::flush_range(m, Address{w.pkmap_base}, Address{w.pkmap_end}, mmu::Cpus::all);
      return;
    }
  }
  UNREACHABLE("a flush of slots outside the list");
}

// M-4: the next slot that nobody uses and no TLB remembers; nothing after a round in vain.
std::optional<std::uint32_t> next_free_slot(Machine& m) {
  const auto slots = static_cast<std::uint32_t>(m.kmap.count.count);
  for (std::uint32_t tries = slots; tries > 0; --tries) {
    std::uint32_t& last = edit_globals_of(m).last_pkmap_nr;
    last = (last + 1) & (slots - 1);
    if (last == 0) {
      flush_all_zero_pkmaps(m);
      tries = slots;
    }
    if (pkmap_count(m, last) == 0) return last;
  }
  return std::nullopt;
}

std::optional<Address> map_new_virtual(Machine& m, Pfn pfn) {
  const std::optional<std::uint32_t> slot = next_free_slot(m);
  if (!slot) return std::nullopt;
  const Address address = pkmap_address(m, *slot);
  REQUIRE(mmu::map(m, address, pfn) == mmu::Mapped::done);
  edit_count(m, *slot) = 1;
  set_page_address(m, pfn, address);
  return address;
}

// Queues the running task and drops the lock. True: a slot became free before it slept.
bool woken_before_sleep(Env& env, Machine& m, Pfn pfn) {
  const std::uint32_t task = m.cpu().task;
  edit_globals_of(m).sleepers |= 1u << task;
  env.at(core::Point::kmap_unlocked);
  if ((globals_of(m).sleepers >> task & 1) == 0) return true;
  m.arena.edit(m.core.task, task).wait = {call_kmap, 0, 0, 0, pfn};
  return false;
}

// M-3. After each sleep somebody else may have mapped the page.
Answer<Address> kmap_high(Env& env, Machine& m, Pfn pfn) {
  for (;;) {
    std::optional<Address> address = page_address(m, pfn);
    if (!address) address = map_new_virtual(m, pfn);
    if (address) {
      ++edit_count(m, pkmap_nr(m, *address));
      return *address;
    }
    if (core::in_atomic(m)) {
      core::report(m, Fault::sleeping_in_atomic, Effect::none);
      return std::unexpected(Refused::misuse);
    }
    if (!woken_before_sleep(env, m, pfn)) return std::unexpected(Refused::suspended);
  }
}

// M-2: what an interrupt, and whoever must not sleep, is told. False: the call stops there.
bool may_kunmap(Machine& m) {
  if (m.profile().kunmap_may_sleep) {
    if (core::in_atomic(m)) core::report(m, Fault::sleeping_in_atomic, Effect::none);
    return true;
  }
  if (!core::in_interrupt(m)) return true;
  core::report(m, Fault::in_interrupt, Effect::none);
  return false;
}

}  // namespace

Answer<Address> kmap(Env& env, Machine& m, Pfn pfn) {
  REQUIRE(!buddy::is_suspended(m));
  if (core::in_atomic(m)) core::report(m, Fault::sleeping_in_atomic, Effect::none);
  if (!is_a_page(m, pfn)) return std::unexpected(Refused::misuse);
  if (const auto direct = buddy::page_address(m, pfn)) return *direct;
  if (!has_slots(m)) return std::unexpected(Refused::no_memory);
  return kmap_high(env, m, pfn);
}

void kunmap(Machine& m, Pfn pfn) {
  if (!may_kunmap(m) || !is_a_page(m, pfn) || !is_highmem(m, pfn)) return;
  kunmap_high(m, pfn);
}

void kunmap_high(Machine& m, Pfn pfn) {
  const std::optional<Address> address = page_address(m, pfn);
  if (!address) return core::report(m, Fault::kunmap_of_unmapped, Effect::none, pfn);
  std::uint32_t& count = edit_count(m, pkmap_nr(m, *address));
  if (count == 1) return core::report(m, Fault::kunmap_of_zombie, Effect::none, pfn);
  if (--count == 1 && globals_of(m).sleepers != 0) edit_globals_of(m).sleepers = 0;
}

bool is_sleeping(const Machine& m) { return m.current().wait.call == call_kmap; }

bool is_woken(const Machine& m) {
  return is_sleeping(m) && (globals_of(m).sleepers >> m.cpu().task & 1) == 0;
}

Answer<Address> resume(Env& env, Machine& m) {
  REQUIRE(is_sleeping(m));
  if (!is_woken(m)) return std::unexpected(Refused::suspended);
  const auto pfn = static_cast<Pfn>(m.current().wait.argument);
  m.arena.edit(m.core.task, m.cpu().task).wait = {};
  return kmap_high(env, m, pfn);
}

std::optional<Address> kmap_high_get(Machine& m, Pfn pfn) {
  const std::optional<Address> address = page_address(m, pfn);
  if (address && is_kmap_addr(m, *address)) ++edit_count(m, pkmap_nr(m, *address));
  return address;
}

void kmap_flush_unused(Machine& m) {
  if (has_slots(m)) flush_all_zero_pkmaps(m);
}

Address pkmap_address(const Machine& m, std::uint32_t slot) {
  return Address{m.mmu.window.pkmap_base + std::uint64_t{slot} * m.config.page_bytes};
}

bool is_kmap_addr(const Machine& m, Address address) {
  const auto at = static_cast<std::uint64_t>(address);
  return at >= m.mmu.window.pkmap_base && at < m.mmu.window.pkmap_end;
}

std::uint32_t pkmap_nr(const Machine& m, Address address) {
  REQUIRE(is_kmap_addr(m, address));
  const std::uint64_t at = static_cast<std::uint64_t>(address) - m.mmu.window.pkmap_base;
  return static_cast<std::uint32_t>(at / m.config.page_bytes);
}

std::uint32_t pkmap_count(const Machine& m, std::uint32_t slot) {
  return m.arena.at(m.kmap.count, slot);
}

}  // namespace ref::kmap
