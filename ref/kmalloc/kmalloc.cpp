// Implements the calls that allocate by size.
#include "ref/kmalloc/kmalloc.hpp"

#include <algorithm>
#include <bit>

#include "ref/slab/direct.hpp"

namespace ref::kmalloc {
namespace {

using namespace core;  // the gfp bits

using Node = std::optional<std::uint32_t>;  // none: the caller's

std::uint64_t largest_class(const Machine& m) { return slab::general_sizes(m.config).back(); }

unsigned get_order(const Machine& m, std::uint64_t bytes) {
  return static_cast<unsigned>(std::bit_width((bytes - 1) / m.config.page_bytes));
}

Answer<Pfn> compound_pages(Env& env, Machine& m, unsigned order, Gfp gfp, Node node) {
  if (node) return buddy::alloc_pages_node(env, m, *node, gfp, order);
  return buddy::alloc_pages(env, m, gfp, order);
}

// K-5: a compound block. Zones that a kernel address cannot reach are not asked for (K-6). A task
// that would wait inside starts anew instead, so buddy keeps nothing of its wait.
Answer<Address> kmalloc_large(Env& env, Machine& m, std::uint64_t size, Gfp gfp, Node node) {
  constexpr Gfp unreachable = GFP_BIT_DMA32 | GFP_BIT_HIGHMEM;
  if (gfp & unreachable) {
    warn(m);
    gfp &= ~unreachable;
  }
  const Answer<Pfn> got = compound_pages(env, m, get_order(m, size), gfp | GFP_BIT_COMP, node);
  if (got) return *buddy::page_address(m, *got);
  if (got.error() == Refused::suspended) m.arena.edit(m.core.task, m.cpu().task).wait = {};
  return std::unexpected(got.error());
}

// What no general cache serves.
[[gnu::noinline]] Answer<Address> allocate_past(Env& env, Machine& m, std::uint64_t size, Gfp gfp,
                                                Node node) {
  if (m.arena.at(m.slab.globals, 0).up == 0) return std::unexpected(Refused::no_memory);
  if (size > largest_class(m)) {
    if (m.profile().kmalloc_pages_above) return kmalloc_large(env, m, size, gfp, node);
    return std::unexpected(Refused::no_memory);
  }
  if (size == 0 && m.profile().zero_size_ptr) return zero_size_ptr;
  return std::unexpected(Refused::no_memory);
}

Answer<Address> allocate(Env& env, Machine& m, std::uint64_t size, Gfp gfp, Node node) {
  const slab::Index cache = slab::general_entry(m, size, gfp);
  const bool nothing = size == 0 && m.profile().zero_size_ptr;
  if (cache == 0 || nothing) [[unlikely]]
    return allocate_past(env, m, size, gfp, node);
  if (node) return slab::kmem_cache_alloc_node(env, m, slab::CacheId{cache - 1}, gfp, *node);
  return slab::kmem_cache_alloc(env, m, slab::CacheId{cache - 1}, gfp);
}

// n * size, or nothing when it is more than `most`.
std::optional<std::uint64_t> array_bytes(std::uint64_t n, std::uint64_t size, std::uint64_t most) {
  if (n != 0 && size > most / n) return std::nullopt;
  return n * size;
}

}  // namespace

std::uint64_t kmalloc_max_size(const core::Config& config) {
  const std::uint64_t largest = slab::general_sizes(config).back();
  if (!config.profile().kmalloc_pages_above) return largest;
  return std::max(largest, std::uint64_t{config.page_bytes} << (config.orders - 1));
}

Answer<Address> kmalloc(Env& env, Machine& m, std::uint64_t size, Gfp gfp) {
  return allocate(env, m, size, gfp, std::nullopt);
}

Answer<Address> kmalloc_node(Env& env, Machine& m, std::uint64_t size, Gfp gfp,
                             std::uint32_t node) {
  return allocate(env, m, size, gfp, node);
}

Answer<Address> kzalloc(Env& env, Machine& m, std::uint64_t size, Gfp gfp) {
  if (m.profile().kzalloc_asks_for_zeros) return kmalloc(env, m, size, gfp | GFP_BIT_ZERO);
  const Answer<Address> got = kmalloc(env, m, size, gfp);
  if (got) std::ranges::fill(slab::write_bytes(m, *got, size), std::byte{0});
  return got;
}

Answer<Address> kmalloc_array(Env& env, Machine& m, std::uint64_t n, std::uint64_t size, Gfp gfp) {
  const auto bytes = array_bytes(n, size, m.profile().size_max);
  return bytes ? kmalloc(env, m, *bytes, gfp) : std::unexpected(Refused::no_memory);
}

Answer<Address> kcalloc(Env& env, Machine& m, std::uint64_t n, std::uint64_t size, Gfp gfp) {
  const auto bytes = array_bytes(n, size, m.profile().array_bytes_max);
  return bytes ? kzalloc(env, m, *bytes, gfp) : std::unexpected(Refused::no_memory);
}

Answer<Address> krealloc_array(Env& env, Machine& m, Address address, std::uint64_t n,
                               std::uint64_t size, Gfp gfp) {
  const auto bytes = array_bytes(n, size, m.profile().size_max);
  return bytes ? krealloc(env, m, address, *bytes, gfp) : std::unexpected(Refused::no_memory);
}

// K-11. Not for a size of zero, and the largest number stays what it is.
std::uint64_t kmalloc_size_roundup(const Machine& m, std::uint64_t size) {
  if (size == 0 || size >= m.profile().size_max) return size;
  const auto sizes = slab::general_sizes(m.config);
  const auto fit = std::ranges::lower_bound(sizes, size);
  if (fit != sizes.end()) return *fit;
  if (!m.profile().kmalloc_pages_above) return size;
  return std::uint64_t{m.config.page_bytes} << get_order(m, size);
}

}  // namespace ref::kmalloc
