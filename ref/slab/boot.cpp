// Implements the boot of the object allocator.
#include "ref/slab/boot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "ref/slab/array.hpp"
#include "ref/slab/layout.hpp"

namespace ref::slab {

using namespace core;  // the policies

namespace {

struct Quiet final : Env {};

constexpr std::uint32_t node_class_bytes = 128;  // of struct kmem_cache_node

std::string general_name(const Machine& m, GeneralKind kind, std::uint32_t size) {
  switch (m.profile().slab_management) {
    case SlabManagement::bufctl_chain:
      return fmt::format("size-{}{}", size, kind == GeneralKind::dma ? "(DMA)" : "");
    case SlabManagement::index_stack: break;
  }
  const std::string text = size < 1024 ? fmt::format("{}", size) : fmt::format("{}k", size / 1024);
  switch (kind) {
    case GeneralKind::normal: return "kmalloc-" + text;
    case GeneralKind::reclaimable: return "kmalloc-rcl-" + text;
    case GeneralKind::cgroup: return "kmalloc-cg-" + text;
    case GeneralKind::dma: return "dma-kmalloc-" + text;
  }
  UNREACHABLE("a kind of general caches outside the list");
}

std::uint32_t flags_of(GeneralKind kind) {
  switch (kind) {
    case GeneralKind::normal: return 0;
    case GeneralKind::reclaimable: return SLAB_RECLAIM_ACCOUNT;
    case GeneralKind::cgroup: return SLAB_ACCOUNT;
    case GeneralKind::dma: return SLAB_CACHE_DMA;
  }
  UNREACHABLE("a kind of general caches outside the list");
}

// sizeof(struct kmem_cache), which grows with CPUs and nodes. 2.6.11's is recalled.
std::uint32_t descriptor_bytes(const Machine& m) {
  switch (m.profile().slab_management) {
    case SlabManagement::index_stack:
      return (m.config.slab_debug ? 224u : 120u) + 8 * m.config.nodes;
    case SlabManagement::bufctl_chain: {
      const std::uint32_t bytes = (m.config.slab_debug ? 124u : 120u) + 4 * m.config.cpus;
      return static_cast<std::uint32_t>(align_up(bytes, m.config.cache_line));
    }
  }
  UNREACHABLE("a slab management outside the list");
}

class Boot {
 public:
  explicit Boot(Machine& m)
      : m_(m),
        gfp_(gfp_of(m.config.era,
                    m.profile().cpu_arrays_are_objects ? "GFP_KERNEL" : "GFP_NOWAIT")) {}
  bool run();

 private:
  bool add(std::string_view name, std::uint32_t size, std::uint32_t align, std::uint32_t flags,
           Index& cache);
  bool add_general(GeneralKind kind, std::uint32_t i);
  bool own(std::uint64_t& part, Index cache, std::uint32_t node);
  bool first_arrays(Index cache);
  bool give_objects(Index cache);
  bool all_general();
  bool resize_arrays();
  Index general(GeneralKind kind, std::uint32_t i) const {
    return m_.arena.at(m_.slab.general, static_cast<std::uint32_t>(kind) * general_classes_max + i);
  }

  Machine& m_;
  Quiet env_;
  Gfp gfp_;
  bool parts_are_objects_ = false;  // before, the first caches' parts are static
};

bool Boot::own(std::uint64_t& part, Index cache, std::uint32_t node) {
  const auto object = alloc_own(env_, m_, cache, gfp_, node);
  if (object) part = *object;
  return object.has_value();
}

// What is static at first, and is an object afterwards: nodes (6.1) or arrays (2.6.11).
bool Boot::give_objects(Index cache) {
  const std::uint32_t bytes = m_.profile().cpu_arrays_are_objects
                                  ? array_struct_bytes + m_.profile().word_bytes
                                  : node_class_bytes;
  const std::optional<CacheId> from = general_cache(m_, bytes, 0);
  if (!from) return false;
  std::uint64_t object = 0;
  if (m_.profile().cpu_arrays_are_objects) {
    if (!own(object, static_cast<Index>(*from), 0)) return false;
    edit_array(m_, cpu_array(m_, cache, 0)).object = object;
    return true;
  }
  for (std::uint32_t node = 0; node < m_.config.nodes; ++node) {
    if (!own(object, static_cast<Index>(*from), node)) return false;
    edit_node(m_, cache, node).object = object;
  }
  return true;
}

// Arrays of one entry, on every CPU; 2.6.11 boots one.
bool Boot::first_arrays(Index cache) {
  Cache& c = edit_cache(m_, cache);
  c.limit = c.batchcount = 1;
  const std::uint32_t cpus = m_.profile().cpu_arrays_are_objects ? 1 : m_.config.cpus;
  for (std::uint32_t cpu = 0; cpu < cpus; ++cpu) {
    ArrayCache& array = edit_array(m_, cpu_array(m_, cache, cpu));
    array.limit = array.batchcount = 1;
    array.present = 1;
  }
  for (std::uint32_t node = 0; node < m_.config.nodes; ++node) {
    Node& n = edit_node(m_, cache, node);
    n.present = 1;
    n.next_reap = reap_timeout_node;
    set_free_limit(m_, cache, node);
  }
  return !parts_are_objects_ || give_objects(cache);
}

bool Boot::add(std::string_view name, std::uint32_t size, std::uint32_t align, std::uint32_t flags,
               Index& cache) {
  std::uint64_t descriptor = 0;
  if (globals_of(m_).first != 0) {
    const auto object = alloc_own(env_, m_, 0, gfp_ | GFP_BIT_ZERO, std::nullopt);
    if (!object) return false;
    descriptor = *object;
  }
  if (m_.profile().general_caches_are_natural) {  // K-4; create_boot_cache
    align = std::max(align, m_.profile().word_bytes);
    if (std::has_single_bit(size)) align = std::max(align, size);
    align = static_cast<std::uint32_t>(calculate_alignment(m_, flags, align, size));
  }
  if (fill_cache(m_, {name, size, align, flags, 0, descriptor}, cache) != Setup::done) return false;
  if (!first_arrays(cache)) return false;
  link_cache(m_, cache);
  if (m_.profile().caches_merge) edit_cache(m_, cache).refcount = -1;
  return true;
}

bool Boot::add_general(GeneralKind kind, std::uint32_t i) {
  if (general(kind, i) != 0) return true;
  const std::uint32_t size = general_sizes(m_.config)[i];
  Index cache = 0;
  const std::uint32_t flags = flags_of(kind) | SLAB_HWCACHE_ALIGN |
                              (m_.profile().caches_merge ? 0u : std::uint32_t{SLAB_PANIC});
  if (!add(general_name(m_, kind, size), size, 0, flags, cache)) return false;
  // S-6: normal ones are never merged with, lest what is accounted should go there.
  if (m_.profile().caches_merge && kind != GeneralKind::normal) edit_cache(m_, cache).refcount = 1;
  m_.arena.edit(m_.slab.general, static_cast<std::uint32_t>(kind) * general_classes_max + i) =
      cache + 1;
  return true;
}

bool Boot::all_general() {
  const auto classes = static_cast<std::uint32_t>(general_sizes(m_.config).size());
  switch (m_.profile().slab_management) {
    case SlabManagement::bufctl_chain:
      for (std::uint32_t i = 0; i < classes; ++i)
        if (!add_general(GeneralKind::normal, i) || !add_general(GeneralKind::dma, i)) return false;
      return true;
    case SlabManagement::index_stack:
      for (std::uint32_t kind = 0; kind < general_kinds; ++kind)
        for (std::uint32_t i = 0; i < classes; ++i)
          if (!add_general(static_cast<GeneralKind>(kind), i)) return false;
      return true;
  }
  UNREACHABLE("a slab management outside the list");
}

// kmem_cache_init_late: the arrays' final sizes, from the newest cache on.
bool Boot::resize_arrays() {
  for (Index link = globals_of(m_).first; link != 0; link = cache_at(m_, link - 1).next) {
    const Index cache = link - 1;
    if (!do_tune_cpucache(env_, m_, cache, default_tunables(m_, cache), gfp_)) return false;
  }
  return true;
}

bool Boot::run() {
  Index first = 0;
  const std::uint32_t old_flags = m_.profile().caches_merge ? 0u : std::uint32_t{SLAB_NO_REAP};
  const std::uint32_t align = m_.profile().caches_merge ? 0 : m_.config.cache_line;
  if (!add("kmem_cache", descriptor_bytes(m_), align, SLAB_HWCACHE_ALIGN | old_flags, first))
    return false;
  const auto sizes = general_sizes(m_.config);
  const std::uint32_t needed = m_.profile().cpu_arrays_are_objects ? sizes[0] : node_class_bytes;
  const auto at = std::ranges::find(sizes, needed);
  if (at == sizes.end()) return false;
  const auto i = static_cast<std::uint32_t>(at - sizes.begin());
  if (!add_general(GeneralKind::normal, i)) return false;
  parts_are_objects_ = true;
  if (!m_.profile().cpu_arrays_are_objects &&
      (!give_objects(first) || !give_objects(general(GeneralKind::normal, i) - 1)))
    return false;
  if (!all_general()) return false;
  if (m_.profile().cpu_arrays_are_objects &&
      (!give_objects(first) || !give_objects(general(GeneralKind::normal, i) - 1)))
    return false;
  return resize_arrays();
}

}  // namespace

bool kmem_cache_init(Machine& m) {
  const std::uint64_t bytes = m.config.pages() * m.config.page_bytes;
  SlabGlobals& g = edit_globals_of(m);
  g.slab_max_order = bytes > 32u << 20 ? 1 : 0;  // S-8
  for (std::uint32_t cpu = 0; cpu < m.config.cpus; ++cpu)
    g.reap_node[cpu] = static_cast<std::uint8_t>((buddy::node_of_cpu(m, cpu) + 1) % m.config.nodes);
  if (!Boot(m).run()) return false;
  g.up = 1;
  return true;
}

}  // namespace ref::slab
