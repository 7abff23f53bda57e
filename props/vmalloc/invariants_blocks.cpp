// Blocks of vm_map_ram: what was cut, what is dirty, and the queue of each CPU (V-43).
#include <fmt/format.h>

#include <cstring>
#include <set>

#include "props/vmalloc/invariants_parts.hpp"
#include "ref/mmu/mmu.hpp"

namespace props::vmalloc {
namespace {

using ref::vmalloc::Address;
using BlockRecord = ref::vmalloc::Block;

const BlockRecord& block_of(const Machine& m, std::uint64_t b) {
  return m.arena.at(m.vmalloc.block, b);
}

// The window's page where block b begins; a block lies at a multiple of its size.
std::int64_t first_page(const Machine& m, std::uint64_t b) {
  const std::uint64_t bits = ref::vmalloc::vmap_block_pages(m.config);
  const std::uint64_t base = m.mmu.window.vmalloc_start / m.config.page_bytes;
  return static_cast<std::int64_t>((base / bits + b) * bits) - static_cast<std::int64_t>(base);
}

Broken of_block(std::string_view what, std::uint64_t b, std::uint64_t expected,
                std::uint64_t actual) {
  if (expected == actual) return std::nullopt;
  return Witness{fmt::format("{}, block {}", what, b), expected, actual};
}

Broken block_broken(const Machine& m, std::uint64_t b) {
  constexpr BlockRecord nothing{};
  const BlockRecord& block = block_of(m, b);
  if (block.object == 0)
    return of_block("a record of no block", b, 0, std::memcmp(&block, &nothing, sizeof block) != 0);
  const std::uint64_t bits = ref::vmalloc::vmap_block_pages(m.config);
  const auto object = ref::slab::object_at(m, Address{block.object});
  if (!object || !object->live) return of_block("the object of a block", b, 1, 0);
  if (block.cpu >= m.config.cpus) return of_block("the CPU of a block", b, 0, block.cpu);
  const std::int64_t page = first_page(m, b);
  if (page < 0 || static_cast<std::uint64_t>(page) + bits > pages_of(m))
    return of_block("a place inside the window", b, 1, 0);
  const auto p = static_cast<std::uint64_t>(page);
  const RangeRecord& r = range_of(m, p);
  if (r.set != RangeSet::busy || r.pages != bits || area_of(m, p).object != 0)
    return of_block("the busy range of a block", b, 1, 0);
  if (std::uint64_t{block.free} + block.dirty > bits || block.dirty == bits)
    return of_block("pages that are free or dirty, at most", b, bits, block.free + block.dirty);
  std::uint64_t mapped = 0;
  for (std::uint64_t i = 0; i < bits; ++i) {
    if (!ref::mmu::walk(m, Address{address_of(m, p + i)})) continue;
    ++mapped;
    if (i >= bits - block.free) return of_block("a page that was never cut, mapped", b, 0, 1);
  }
  if (mapped + block.free + block.dirty > bits)
    return of_block("pages mapped, at most", b, bits - block.free - block.dirty, mapped);
  return std::nullopt;
}

}  // namespace

Broken blocks_broken(const Machine& m) {
  if (!is_up(m)) return std::nullopt;
  for (std::uint64_t b = 0; b < m.vmalloc.block.count; ++b)
    if (const Broken w = block_broken(m, b)) return w;
  std::set<std::uint64_t> queued;
  for (std::uint32_t cpu = 0; cpu < m.vmalloc.cpu.count; ++cpu) {
    Index before = 0;
    const auto& c = m.arena.at(m.vmalloc.cpu, cpu);
    for (Index link = c.first; link != 0; before = link, link = block_of(m, link - 1).next) {
      if (link > m.vmalloc.block.count || !queued.insert(link).second)
        return Witness{fmt::format("a link of the blocks of CPU {}", cpu), 0, link};
      const BlockRecord& block = block_of(m, link - 1);
      if (block.object == 0 || block.cpu != cpu || block.free == 0 || block.prev != before)
        return of_block(fmt::format("a place in the queue of CPU {}", cpu), link - 1, 0, 1);
    }
    if (c.last != before) return Witness{fmt::format("the last of CPU {}", cpu), before, c.last};
  }
  for (std::uint64_t b = 0; b < m.vmalloc.block.count; ++b)
    if (block_of(m, b).free > 0 && !queued.contains(b + 1))
      return of_block("a queue that has the block", b, 1, 0);
  return std::nullopt;
}

}  // namespace props::vmalloc
