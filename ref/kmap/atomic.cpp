// Temporary maps that forbid sleeping: a slot for each type and CPU (2.6.11), or the stack (6.1).
#include "ref/kmap/local.hpp"
#include "ref/kmap/page_address.hpp"

namespace ref::kmap {
namespace {

using core::AtomicMaps;
using core::Effect;
using core::Fault;
using core::WarnOnce;

constexpr std::uint32_t nesting_max = 255;  // of preempt_count

std::unexpected<Refused> misuse(Machine& m, Fault fault, Pfn pfn) {
  core::report(m, fault, Effect::none, pfn);
  return std::unexpected(Refused::misuse);
}

void enter(Machine& m, std::uint32_t cpu) {
  core::Cpu& c = m.arena.edit(m.core.cpu, cpu);
  ++c.preempt_count, ++c.pagefault_disabled;
}

void leave(Machine& m, std::uint32_t cpu) {
  core::Cpu& c = m.arena.edit(m.core.cpu, cpu);
  --c.pagefault_disabled, --c.preempt_count;
}

//
Address typed_slot(const Machine& m, KmType type) {
  return fixmap_address(
      m, static_cast<std::uint32_t>(type) + m.profile().atomic_slots * m.globals().cpu);
}

Answer<Address> map_typed(Machine& m, Pfn pfn, KmType type) {
  if (type >= KmType::KM_TYPE_NR) return misuse(m, Fault::wrong_atomic_type, pfn);
  if (const auto direct = buddy::page_address(m, pfn)) return *direct;
  if (!mmu::is_up(m)) return std::unexpected(Refused::no_memory);
  const Address slot = typed_slot(m, type);
  if (mmu::map(m, slot, pfn) != mmu::Mapped::done) return misuse(m, Fault::atomic_slot_busy, pfn);
  return slot;
}

// False: misuse, and nothing changed.
bool unmap_typed(Env& env, Machine& m, Address address, KmType type) {
  const auto wrong = [&](Fault fault) { return core::report(m, fault, Effect::none), false; };
  if (type >= KmType::KM_TYPE_NR) return wrong(Fault::wrong_atomic_type);
  if (!is_fixmap_address(m, address))
    return buddy::virt_to_pfn(m, address) || wrong(Fault::kunmap_of_unmapped);
  const Address slot = typed_slot(m, type);
  const std::uint64_t inside =
      static_cast<std::uint64_t>(address) - static_cast<std::uint64_t>(slot);
  if (inside >= m.config.page_bytes) return wrong(Fault::wrong_atomic_type);
  if (!mmu::unmap(m, slot)) return wrong(Fault::kunmap_of_unmapped);
  mmu::flush_page(m, slot, mmu::Cpus::local);
  env.at(core::Point::kmap_atomic_cleared);
  return true;
}

}  // namespace

Address fixmap_address(const Machine& m, std::uint32_t slot) {
  return Address{core::fix_to_virt(m.mmu.window, m.config.page_bytes, slot)};
}

bool is_fixmap_address(const Machine& m, Address address) {
  const auto at = static_cast<std::uint64_t>(address);
  return at >= m.mmu.window.fixmap_start && at < m.mmu.window.fixaddr_top;
}

Answer<Address> kmap_atomic(Env&, Machine& m, Pfn pfn, KmType type) {
  if (!is_a_page(m, pfn)) return std::unexpected(Refused::misuse);
  if (m.cpu().preempt_count >= nesting_max) return misuse(m, Fault::too_many_local_maps, pfn);
  const auto map = [&]() -> Answer<Address> {
    switch (m.profile().atomic_maps) {
      case AtomicMaps::typed: return map_typed(m, pfn, type);
      case AtomicMaps::stack: return map_local(m, pfn);
    }
    UNREACHABLE("a kind of temporary maps outside the list");
  };
  const Answer<Address> address = map();
  if (address) enter(m, m.globals().cpu);
  return address;
}

void kunmap_atomic(Env& env, Machine& m, Address address, KmType type) {
  const std::uint32_t cpu = m.globals().cpu;
  if (m.cpu().pagefault_disabled == 0)
    return core::report(m, Fault::kunmap_of_unmapped, Effect::none);
  const auto unmap = [&] {
    switch (m.profile().atomic_maps) {
      case AtomicMaps::typed: return unmap_typed(env, m, address, type);
      case AtomicMaps::stack: return unmap_local(env, m, address);
    }
    UNREACHABLE("a kind of temporary maps outside the list");
  };
  if (unmap()) leave(m, cpu);
}

}  // namespace ref::kmap
