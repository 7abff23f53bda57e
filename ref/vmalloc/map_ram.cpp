// Implements short-lived mappings: cut from blocks, and never from the same place twice.
#include "ref/vmalloc/map_ram.hpp"

#include <algorithm>
#include <bit>

#include "ref/vmalloc/mapping.hpp"

namespace ref::vmalloc {
namespace {

using namespace core;

constexpr std::uint64_t vmap_block_bytes = 96;  // of 6.1

std::uint32_t bits(const Machine& m) { return vmap_block_pages(m.config); }

// Blocks are numbered by address, so the first one may begin before the window.
Index number_of(const Machine& m, std::uint64_t page) {
  return static_cast<Index>((window_base(m) + page) / bits(m) - window_base(m) / bits(m));
}
Index first_page(const Machine& m, Index block) {
  return static_cast<Index>((window_base(m) / bits(m) + block) * bits(m) - window_base(m));
}

void put_in_queue(Machine& m, Index b) {
  VmallocCpu& cpu = edit_cpu_of(m, block_at(m, b).cpu);
  edit_block(m, b).prev = cpu.last;
  (cpu.last == 0 ? cpu.first : edit_block(m, cpu.last - 1).next) = b + 1;
  cpu.last = b + 1;
}

void take_from_queue(Machine& m, Index b) {
  const Block block = block_at(m, b);
  VmallocCpu& cpu = edit_cpu_of(m, block.cpu);
  (block.prev == 0 ? cpu.first : edit_block(m, block.prev - 1).next) = block.next;
  (block.next == 0 ? cpu.last : edit_block(m, block.next - 1).prev) = block.prev;
  edit_block(m, b).next = edit_block(m, b).prev = 0;
}

// The next pages of a block that has them.
Index cut(Machine& m, Index b, std::uint32_t pages) {
  Block& block = edit_block(m, b);
  const Index page = first_page(m, b) + bits(m) - block.free;
  block.free -= pages;
  if (block.free == 0) take_from_queue(m, b);
  return page;
}

Answer<Index> new_block(Env& env, Machine& m, Gfp gfp) {
  const auto object = kmalloc::kmalloc(env, m, vmap_block_bytes, gfp);
  if (!object) return std::unexpected(object.error());
  const Answer<Index> page = alloc_range(env, m, bits(m), bits(m), gfp, std::nullopt);
  if (!page) {
    kmalloc::kfree(env, m, *object);
    return page;
  }
  const Index b = number_of(m, *page);
  edit_block(m, b) = {.object = static_cast<std::uint64_t>(*object),
                      .next = 0,
                      .prev = 0,
                      .free = bits(m),
                      .dirty = 0,
                      .dirty_min = bits(m),
                      .dirty_max = 0,
                      .cpu = m.globals().cpu,
                      .zero = {}};
  put_in_queue(m, b);
  return b;
}

// vb_alloc
Answer<Index> alloc_in_block(Env& env, Machine& m, std::uint32_t pages, Gfp gfp) {
  for (Index n = cpu_of(m, m.globals().cpu).first; n != 0; n = block_at(m, n - 1).next)
    if (block_at(m, n - 1).free >= pages) return cut(m, n - 1, pages);
  const Answer<Index> block = new_block(env, m, gfp);
  if (!block) return block;
  return cut(m, *block, pages);
}

void free_block(Env& env, Machine& m, Index b) {
  const Block block = block_at(m, b);
  edit_block(m, b) = {};
  release_range(env, m, first_page(m, b));
  kmalloc::kfree(env, m, Address{block.object});
}

// vb_free
void free_in_block(Env& env, Machine& m, Index page, std::uint32_t count) {
  const std::uint32_t pages = std::bit_ceil(count);
  for (Index p = page; p < page + count; ++p) mmu::unmap(m, address_of(m, p));
  env.at(Point::vmalloc_unmapped);
  const Index b = number_of(m, page);
  Block& block = edit_block(m, b);
  const std::uint32_t offset = page - first_page(m, b);
  block.dirty_min = std::min(block.dirty_min, offset);
  block.dirty_max = std::max(block.dirty_max, offset + pages);
  block.dirty += pages;
  if (block.dirty == bits(m)) free_block(env, m, b);
}

void unmap_ram(Env& env, Machine& m, Index page, std::uint32_t count) {
  if (count <= vmap_max_alloc(m.config)) return free_in_block(env, m, page, count);
  unmap_and_release(env, m, page);
}

// Whether exactly these pages are mapped there by one call, as far as anybody can tell.
bool is_mapped_so(const Machine& m, Index page, std::uint32_t count) {
  const std::optional<Index> range = busy_at(m, page);
  if (!range || area_of(m, *range).object != 0 || count == 0) return false;
  std::uint32_t taken = count;
  if (count <= vmap_max_alloc(m.config)) {
    const Index b = number_of(m, page);
    taken = std::bit_ceil(count);
    if (block_at(m, b).object == 0 || page - first_page(m, b) + taken > bits(m)) return false;
  } else if (*range != page || range_at(m, page).pages != count) {
    return false;
  }
  for (std::uint32_t i = 0; i < taken; ++i)
    if (mmu::walk(m, address_of(m, page + i)).has_value() != (i < count)) return false;
  return true;
}

}  // namespace

// In 6.1 clamped between 128 and 1024, for windows of 128 MiB; small windows have small blocks.
std::uint32_t vmap_block_pages(const core::Config& c) {
  const std::uint32_t share = std::max(c.vmalloc / std::bit_ceil(c.cpus) / 16, 4u);
  return std::min(std::bit_floor(share), 1024u);
}
std::uint32_t vmap_max_alloc(const core::Config& c) {
  return std::min(c.profile().word_bytes * 8, vmap_block_pages(c) / 2);
}

Answer<Address> vm_map_ram(Env& env, Machine& m, std::span<const std::optional<Pfn>> pages) {
  if (!up(m) || m.vmalloc.block.count == 0) return std::unexpected(Refused::no_memory);
  const Gfp gfp = gfp_of(m.config.era, "GFP_KERNEL");
  if (pages.empty()) {
    warn(m);
    return std::unexpected(Refused::no_memory);
  }
  if (pages.size() > window_pages(m)) return std::unexpected(Refused::no_memory);
  const auto count = static_cast<std::uint32_t>(pages.size());
  const Answer<Index> page = count <= vmap_max_alloc(m.config)
                                 ? alloc_in_block(env, m, std::bit_ceil(count), gfp)
                                 : alloc_range(env, m, count, 1, gfp, std::nullopt);
  if (!page) return std::unexpected(page.error());
  if (const Done mapped = map_list(env, m, *page, pages); !mapped) {
    unmap_ram(env, m, *page, count);
    return std::unexpected(mapped.error());
  }
  return address_of(m, *page);
}

void vm_unmap_ram(Env& env, Machine& m, Address address, std::uint32_t count) {
  might_sleep(m);
  const auto at = static_cast<std::uint64_t>(address);
  if (!is_vmalloc_addr(m, address) || at % m.config.page_bytes != 0)
    return report(m, Fault::bad_area_address, Effect::none);
  const auto page = static_cast<Index>((at >> slab::page_shift(m)) - window_base(m));
  if (!up(m) || !is_mapped_so(m, page, count)) return report(m, Fault::not_an_area, Effect::none);
  unmap_ram(env, m, page, count);
}

Extent dirty_of_blocks(const Machine& m) {
  Extent all;
  for (Index b = 0; b < m.vmalloc.block.count; ++b) {
    const Block& block = block_at(m, b);
    if (block.object == 0 || block.dirty == 0) continue;
    all.begin = std::min(all.begin, first_page(m, b) + block.dirty_min);
    all.end = std::max(all.end, first_page(m, b) + block.dirty_max);
  }
  return all;
}

void purge_fragmented_blocks(Env& env, Machine& m) {
  for (std::uint32_t cpu = 0; cpu < m.vmalloc.cpu.count; ++cpu)
    for (Index n = cpu_of(m, cpu).first; n != 0;) {
      const Block block = block_at(m, n - 1);
      if (block.free + block.dirty == bits(m)) {
        take_from_queue(m, n - 1);
        free_block(env, m, n - 1);
      }
      n = block.next;
    }
}

}  // namespace ref::vmalloc
