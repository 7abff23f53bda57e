// The white-box invariants of temporary maps: slots of the fixmap, and tasks' stacks.
#include <fmt/format.h>

#include <algorithm>

#include "props/kmap/invariants_parts.hpp"
#include "props/mmu/invariants.hpp"

namespace props::kmap {
namespace {

using ref::kmap::LocalMaps;

const LocalMaps& local_at(const Machine& m, std::uint32_t task) {
  return m.arena.at(m.kmap.local, task);
}

bool stacks(const Machine& m) { return m.profile().atomic_maps == ref::core::AtomicMaps::stack; }

// What the page tables hold for slot `n` of a CPU.
Pte slot_pte(const Machine& m, std::uint32_t cpu, std::uint32_t n) {
  const std::uint32_t of_a_cpu = m.profile().atomic_slots;
  const std::uint64_t at =
      m.mmu.window.fixaddr_top - std::uint64_t{1 + n + of_a_cpu * cpu} * m.config.page_bytes;
  return mmu::pte_at(m, at);
}

Broken of_task(std::uint32_t task, std::string_view what, std::uint64_t expected,
               std::uint64_t actual) {
  if (expected == actual) return std::nullopt;
  return Witness{fmt::format("task {}, {}", task, what), expected, actual};
}

Broken stack_broken(const Machine& m, std::uint32_t task) {
  const LocalMaps& maps = local_at(m, task);
  if (maps.idx >= ref::kmap::km_max_idx)
    return Witness{fmt::format("task {}, its maps", task), ref::kmap::km_max_idx - 1, maps.idx};
  for (std::uint32_t depth = 0; depth < ref::kmap::km_max_idx; ++depth) {
    const Pte pte = maps.pteval[depth];
    const std::string what = fmt::format("its map {}", depth);
    if (depth >= maps.idx) {
      if (auto w = of_task(task, what, 0, pte)) return w;
      continue;
    }
    const bool good = (pte & 1u) != 0 && is_high_frame(m, ref::mmu::pfn_of(pte));
    if (!good) return Witness{fmt::format("task {}, {} is of HIGHMEM", task, what), 1, 0};
  }
  if (auto w = of_task(task, "migration disabled", maps.idx, maps.migration_disabled)) return w;
  if (maps.idx == 0) return std::nullopt;
  if (maps.cpu >= m.config.cpus)
    return Witness{fmt::format("task {}, the CPU of its maps", task), m.config.cpus - 1, maps.cpu};
  for (std::uint32_t cpu = 0; cpu < m.config.cpus; ++cpu)
    if (m.arena.at(m.core.cpu, cpu).task == task)
      return of_task(task, "the CPU of its maps", cpu, maps.cpu);
  return std::nullopt;
}

}  // namespace

Broken saved_broken(const Machine& m) {
  if (!stacks(m)) return std::nullopt;
  for (std::uint32_t task = 0; task < m.kmap.local.count; ++task)
    if (const Broken w = stack_broken(m, task)) return w;
  return std::nullopt;
}

Broken slots_broken(const Machine& m) {
  if (m.kmap.globals.count == 0) return std::nullopt;
  for (std::uint32_t cpu = 0; cpu < m.config.cpus; ++cpu) {
    const ref::core::Cpu& c = m.arena.at(m.core.cpu, cpu);
    std::uint64_t mapped = 0;
    for (std::uint32_t n = 0; n < m.profile().atomic_slots; ++n) {
      const Pte pte = slot_pte(m, cpu, n);
      mapped += pte != 0;
      if (pte != 0 && !is_high_frame(m, ref::mmu::pfn_of(pte)))
        return Witness{fmt::format("CPU {}, slot {} is of HIGHMEM", cpu, n), 1, 0};
      if (!stacks(m)) continue;
      const Pte saved = local_at(m, c.task).pteval[n];
      if (pte != saved) return Witness{fmt::format("CPU {}, slot {}", cpu, n), saved, pte};
    }
    if (!stacks(m) && mapped > c.pagefault_disabled)
      return Witness{fmt::format("CPU {}, mapped slots", cpu), c.pagefault_disabled, mapped};
  }
  return std::nullopt;
}

Broken canonical_broken(const Machine& m) {
  for (std::uint32_t task = 0; task < m.kmap.local.count; ++task) {
    const LocalMaps& maps = local_at(m, task);
    if (!stacks(m)) {
      if (auto w = of_task(task, "maps of the other era", 1, is_zero(maps))) return w;
      continue;
    }
    const bool padded = std::ranges::any_of(maps.zero, [](std::uint32_t v) { return v != 0; });
    if (auto w = of_task(task, "padding", 0, padded)) return w;
    if (maps.idx == 0)
      if (auto w = of_task(task, "the CPU of no maps", 0, maps.cpu)) return w;
  }
  return std::nullopt;
}

}  // namespace props::kmap
