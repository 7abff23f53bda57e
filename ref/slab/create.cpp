// Implements kmem_cache_create.
#include "ref/slab/create.hpp"

#include <algorithm>

#include "ref/slab/layout.hpp"

namespace ref::slab {

using namespace core;  // faults, gfp bits

namespace {

constexpr std::uint32_t debug_flags = SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER;
constexpr std::uint32_t flags_2_6_11 = SLAB_HWCACHE_ALIGN | SLAB_CACHE_DMA | SLAB_RECLAIM_ACCOUNT |
                                       SLAB_PANIC | SLAB_TYPESAFE_BY_RCU | SLAB_NO_REAP;
constexpr std::uint32_t flags_6_1 = debug_flags | SLAB_HWCACHE_ALIGN | SLAB_CACHE_DMA |
                                    SLAB_RECLAIM_ACCOUNT | SLAB_PANIC | SLAB_TYPESAFE_BY_RCU |
                                    SLAB_ACCOUNT | SLAB_NOLEAKTRACE;
constexpr std::uint32_t never_merge = debug_flags | SLAB_TYPESAFE_BY_RCU | SLAB_NOLEAKTRACE;
constexpr std::uint32_t merge_same = SLAB_RECLAIM_ACCOUNT | SLAB_CACHE_DMA | SLAB_ACCOUNT;

enum class Verdict : std::uint8_t { good, refused, fault, duplicate };

bool name_exists(const Machine& m, std::string_view name) {
  for (Index link = globals_of(m).first; link != 0; link = cache_at(m, link - 1).next)
    if (name_of(cache_at(m, link - 1)) == name) return true;
  return false;
}

// S-1, S-3: what 6.1 with CONFIG_DEBUG_VM answers -EINVAL to.
Verdict sanity_check_tolerant(Machine& m, const CacheSpec& spec) {
  const std::uint64_t largest = std::uint64_t{m.config.page_bytes} << (m.config.orders - 1);
  if (!spec.name || in_interrupt(m) || spec.size > largest) return Verdict::refused;
  if (spec.name->find(' ') != spec.name->npos) warn(m);
  return spec.flags & ~flags_6_1 ? Verdict::refused : Verdict::good;
}

// S-1 to S-3: where 2.6.11 stops with BUG().
Verdict sanity_check_strict(Machine& m, const CacheSpec& spec) {
  const std::uint64_t largest = std::uint64_t{m.config.page_bytes} << 5;  // MAX_OBJ_ORDER
  if (!spec.name || in_interrupt(m) || spec.size < m.profile().word_bytes || spec.size > largest)
    return Verdict::fault;
  std::uint32_t known = flags_2_6_11;
  if (m.config.slab_debug) {
    if (spec.name->find(' ') != spec.name->npos) warn(m);
    if ((spec.flags & SLAB_TYPESAFE_BY_RCU) && (spec.flags & SLAB_POISON)) return Verdict::fault;
    known |= debug_flags;
  }
  if (spec.flags & ~known) return Verdict::fault;
  return name_exists(m, *spec.name) ? Verdict::duplicate : Verdict::good;
}

Verdict sanity_check(Machine& m, const CacheSpec& spec) {
  // Kernels keep a pointer to the name; here it has to fit, and to be one.
  const bool storable = !spec.name || (!spec.name->empty() && spec.name->size() < name_bytes_max &&
                                       spec.name->find('\0') == spec.name->npos);
  if (!storable || spec.ctor >= ctor_count) return Verdict::refused;
  switch (m.profile().slab_misuse) {
    case SlabMisuse::tolerated: return sanity_check_tolerant(m, spec);
    case SlabMisuse::stops_the_kernel: return sanity_check_strict(m, spec);
  }
  UNREACHABLE("a slab misuse policy outside the list");
}

bool unmergeable(const Cache& c) {
  return (c.flags & never_merge) || c.ctor != 0 || c.refcount < 0 || c.state != CacheState::live;
}

// S-6: the oldest cache that serves as well. Index + 1.
Index find_mergeable(const Machine& m, const CacheSpec& spec, std::uint32_t flags) {
  if (!m.profile().caches_merge || !m.config.slab_merge || spec.ctor != 0) return 0;
  if (flags & never_merge) return 0;
  const std::uint64_t word = m.profile().word_bytes;
  const std::uint64_t align = calculate_alignment(m, flags, spec.align, align_up(spec.size, word));
  const std::uint64_t size = align_up(align_up(spec.size, word), align);
  for (Index link = globals_of(m).last; link != 0; link = cache_at(m, link - 1).prev) {
    const Cache& c = cache_at(m, link - 1);
    if (unmergeable(c) || size > c.size) continue;
    if ((flags & merge_same) != (c.flags & merge_same)) continue;
    if ((c.size & ~(align - 1)) != c.size || c.size - size >= word) continue;
    if (align > c.align || c.align % align != 0) continue;
    return link;
  }
  return 0;
}

Answer<CacheId> refuse(Env& env, Machine& m, std::uint64_t descriptor, Refused why) {
  free_own(env, m, descriptor);
  return std::unexpected(why);
}

// create_cache: descriptor, layout, arrays and nodes; into the chain when all is there.
Answer<CacheId> create_cache(Env& env, Machine& m, const CacheSpec& spec, std::uint32_t flags) {
  const Gfp gfp = gfp_of(m.config.era, "GFP_KERNEL");
  const auto descriptor = alloc_own(env, m, 0, gfp | GFP_BIT_ZERO, std::nullopt);
  if (!descriptor) return std::unexpected(descriptor.error());
  std::uint64_t align = spec.align;
  if (m.profile().slab_management == SlabManagement::index_stack)
    align = calculate_alignment(m, flags, align, spec.size);
  if (align >> 32 != 0) return refuse(env, m, *descriptor, Refused::no_memory);
  Index cache = 0;
  const NewCache wanted{*spec.name,
                        static_cast<std::uint32_t>(spec.size),
                        static_cast<std::uint32_t>(align),
                        flags,
                        spec.ctor,
                        *descriptor};
  if (fill_cache(m, wanted, cache) != Setup::done)
    return refuse(env, m, *descriptor, Refused::no_memory);
  const auto tuned = do_tune_cpucache(env, m, cache, default_tunables(m, cache), gfp);
  if (!tuned) {
    edit_cache(m, cache) = {};
    return refuse(env, m, *descriptor, tuned.error());
  }
  if (m.profile().caches_merge) edit_cache(m, cache).refcount = 1;
  link_cache(m, cache);
  return CacheId{cache};
}

Answer<CacheId> create_locked(Env& env, Machine& m, const CacheSpec& spec) {
  switch (sanity_check(m, spec)) {
    case Verdict::good: break;
    case Verdict::refused: return std::unexpected(Refused::no_memory);
    case Verdict::fault:
      report(m, Fault::bad_cache, Effect::none);
      return std::unexpected(Refused::misuse);
    case Verdict::duplicate:
      report(m, Fault::duplicate_name, Effect::none);
      return std::unexpected(Refused::misuse);
  }
  // S-3: what is permitted but not built in is dropped without a word.
  const std::uint32_t flags = m.config.slab_debug ? spec.flags : spec.flags & ~debug_flags;
  if (const Index found = find_mergeable(m, spec, flags)) {
    Cache& c = edit_cache(m, found - 1);
    ++c.refcount;
    c.object_size = std::max(c.object_size, static_cast<std::uint32_t>(spec.size));
    return CacheId{found - 1};
  }
  return create_cache(env, m, spec, flags);
}

}  // namespace

bool mutex_trylock(Machine& m) {
  if (globals_of(m).mutex != 0) return false;
  edit_globals_of(m).mutex = 1;
  return true;
}

void mutex_unlock(Machine& m) { edit_globals_of(m).mutex = 0; }

Setup fill_cache(Machine& m, const NewCache& wanted, Index& cache) {
  cache = 0;
  while (cache < caches_max && cache_at(m, cache).state != CacheState::unused) ++cache;
  if (cache == caches_max) return Setup::table_full;
  const auto layout =
      calculate_layout(m, {wanted.object_size, wanted.align, wanted.flags, wanted.ctor});
  if (!layout) return Setup::too_large;
  Cache& c = edit_cache(m, cache);
  std::ranges::copy(wanted.name, c.name.begin());
  c.object = wanted.object;
  c.object_size = wanted.object_size;
  c.size = layout->size, c.align = layout->align, c.obj_offset = layout->obj_offset;
  c.flags = layout->flags;
  c.num = layout->num, c.gfporder = layout->gfporder;
  c.freelist_size = layout->freelist_size, c.freelist_cache = layout->freelist_cache;
  c.colour = layout->colour, c.colour_off = layout->colour_off;
  c.ctor = wanted.ctor;
  if (wanted.flags & SLAB_CACHE_DMA) c.allocflags = GFP_BIT_DMA;
  if (m.profile().slab_management == SlabManagement::index_stack) {
    c.allocflags |= GFP_BIT_COMP;
    if (wanted.flags & SLAB_RECLAIM_ACCOUNT) c.allocflags |= GFP_BIT_RECLAIMABLE;
  }
  return Setup::done;
}

// A failure of a cache that must not fail stops the kernel, in both eras.
Answer<CacheId> kmem_cache_create(Env& env, Machine& m, const CacheSpec& spec) {
  if (globals_of(m).up == 0) return std::unexpected(Refused::no_memory);
  if (!mutex_trylock(m)) return std::unexpected(wait_for_mutex(m));
  const Answer<CacheId> cache = create_locked(env, m, spec);
  mutex_unlock(m);
  if (cache || !(spec.flags & SLAB_PANIC) || cache.error() == Refused::suspended) return cache;
  report(m, Fault::bad_cache, Effect::none);
  return std::unexpected(Refused::misuse);
}

}  // namespace ref::slab
