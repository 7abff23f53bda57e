// The operations on caches.
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "props/slab/runner.hpp"

namespace props::slab {

using namespace ref::core;
using ref::slab::Destroyed;
using Kind = Answer::Kind;

bool Runner::in_use(CacheId id) const {
  return std::ranges::any_of(w_.caches_, [&](const HeldCache& c) {
    return c.id == id && c.state != CacheHeld::empty && c.state != CacheHeld::stale;
  });
}

// The table of general caches has it: the allocator itself is one of its users.
bool Runner::is_general(CacheId id) const {
  for (std::uint64_t i = 0; i < m_.slab.general.count; ++i)
    if (m_.arena.at(m_.slab.general, i) == static_cast<Index>(id) + 1) return true;
  return false;
}

bool Runner::names_nothing(CacheId id) const { return !in_use(id) && !is_general(id); }

// --- making -----------------------------------------------------------------------------------

Answer Runner::operator()(const CacheCreate& op) {
  if (!w_.up() || w_.inside_ || !w_.vacant(op.out)) return skipped();
  const ref::slab::CacheSpec spec{.name = op.name_of.told(),
                                  .size = op.size.value,
                                  .align = static_cast<std::uint32_t>(op.align.value),
                                  .flags = op.flags.value,
                                  .ctor = static_cast<ref::slab::Ctor>(op.ctor.value)};
  const auto got = ref::slab::kmem_cache_create(w_, m_, spec);
  if (w_.broken()) return {};
  w_.reach_[ReachEvent::injected] += m_.globals().injected;
  if (!got && got.error() == ref::buddy::Refused::suspended) {
    if (is_sane(op) && m_.globals().injected == 0) probe_create();
    return w_.broken() ? Answer{} : suspended(op, GFP_BIT_DIRECT_RECLAIM);
  }
  return judge_create(op, got);
}

Answer Runner::judge_create(const CacheCreate& op, const ref::slab::Answer<CacheId>& got) {
  if (!got) return judge_refused_create(op);
  // Where a cache is found that serves as well nothing is allocated, and nothing sleeps.
  const bool told =
      in_atomic(m_) ? fault_is(Fault::none, {Fault::sleeping_in_atomic}) : fault_is(Fault::none);
  if (!told) return {};
  const bool merged = in_use(*got) || is_general(*got);
  const std::uint32_t usable = ref::slab::kmem_cache_size(m_, *got);
  if (usable < op.size.value) {
    w_.break_rule("OBJECT-USABLE", fmt::format("{} bytes or more in each object", op.size.value),
                  fmt::format("{}", usable));
    return {};
  }
  if (!merged && w_.judging_.model) agree(Model::created(m_, *got));
  w_.caches_[op.out.value] = {CacheHeld::live, *got, op};
  if (w_.judging_.reach) count_created(cache_of(*got), merged);
  return answer_of_fault({Kind::count, usable});
}

// A refusal that nothing but a lack of memory can explain.
bool Runner::is_sane(const CacheCreate& op) const {
  const Bytes page = m_.config.page_bytes;
  constexpr std::uint32_t strange = ref::slab::SLAB_UNKNOWN | ref::slab::SLAB_RED_ZONE |
                                    ref::slab::SLAB_POISON | ref::slab::SLAB_STORE_USER |
                                    ref::slab::SLAB_NO_REAP | ref::slab::SLAB_ACCOUNT |
                                    ref::slab::SLAB_NOLEAKTRACE;
  const auto told = op.name_of.told();
  const bool named = told && !told->empty() && told->size() < ref::slab::name_bytes_max;
  const bool fits =
      op.size.value >= 8 && op.size.value <= page &&
      4 * op.size.value + 4 * op.align.value + 4 * Bytes{m_.config.cache_line} + 256 <= page;
  const bool aligned = op.align.value == 0 || std::has_single_bit(op.align.value);
  const auto used = std::ranges::count_if(std::span(w_.caches_), [&](const HeldCache& c) {
    return c.state != CacheHeld::empty && c.asked.name_of == op.name_of;
  });
  return named && fits && aligned && !(op.flags.value & strange) && used == 0;
}

// A descriptor, arrays, nodes and aliens: each at most a slab and its management.
void Runner::probe_create() {
  unsigned order = 0;
  std::uint64_t unused = 0;
  for (std::uint32_t i = 0; i < ref::slab::caches_max; ++i) {
    const auto& c = cache_of(CacheId{i});
    order = std::max<unsigned>(order, c.gfporder);
    unused += c.state == ref::slab::CacheState::unused;
  }
  const std::size_t parts = 3 + 2 * m_.config.nodes * (m_.config.nodes + 2);
  if (unused > 0)
    probe(std::vector<unsigned>(2 * parts, order), gfp_of(m_.config.era, "GFP_KERNEL"));
}

Answer Runner::judge_refused_create(const CacheCreate& op) {
  const bool panics = op.flags.value & ref::slab::SLAB_PANIC;
  const bool sane = is_sane(op) && !in_atomic(m_);
  const Fault fault = m_.globals().log.fault;
  // What a kernel stops for is an argument that is wrong, or SLAB_PANIC.
  if (sane && !panics) fault_is(Fault::none);
  else
    fault_is(fault,
             {Fault::none, Fault::bad_cache, Fault::duplicate_name, Fault::sleeping_in_atomic});
  const bool named = fault == Fault::none || fault == Fault::bad_cache ||
                     fault == Fault::duplicate_name || fault == Fault::sleeping_in_atomic;
  if (!named && !w_.broken())
    w_.break_rule("OBJECT-FAULT", "a refusal of kmem_cache_create",
                  std::string(fault_names[static_cast<std::size_t>(fault)]));
  if (sane && !w_.broken() && m_.globals().injected == 0) probe_create();
  return answer_of_fault({Kind::refused});
}

// --- ending -----------------------------------------------------------------------------------

Answer Runner::operator()(const CacheDestroy& op) {
  HeldCache& c = w_.caches_[op.cache.value];
  if (!w_.up() || w_.inside_) return skipped();
  if (c.state == CacheHeld::stale && names_nothing(c.id)) {
    (void)ref::slab::kmem_cache_destroy(w_, m_, c.id);
    fault_is(Fault::no_such_cache);
    return answer_of_fault();
  }
  if (c.state != CacheHeld::live) return skipped();
  c.state = CacheHeld::leaving;
  const bool others = is_general(c.id) || std::ranges::any_of(w_.caches_, [&](const HeldCache& o) {
                        return o.id == c.id && o.state == CacheHeld::live;
                      });
  std::optional<Model> model = model_of(c.id);
  const auto end = ref::slab::kmem_cache_destroy(w_, m_, c.id);
  c.state = CacheHeld::live;
  if (w_.broken() || !context_is_told()) return {};
  if (!end) return answer_of_fault({Kind::refused});
  const bool objects = std::ranges::any_of(
      w_.objects_, [&](const HeldObject& o) { return o.live && o.cache == c.id; });
  const Destroyed expected = others    ? Destroyed::still_used
                             : objects ? Destroyed::busy
                                       : Destroyed::gone;
  if (*end != expected && !w_.interleaved_) {
    constexpr std::array<std::string_view, 3> names{"gone", "still used", "objects remain"};
    w_.break_rule("OBJECT-DESTROYED", std::string(names[static_cast<std::size_t>(expected)]),
                  std::string(names[static_cast<std::size_t>(*end)]));
    return {};
  }
  if (model) agree(model->destroyed(m_, *end));
  w_.reach_[ReachEvent::shared_destroyed] += *end == Destroyed::still_used;
  w_.reach_[ReachEvent::busy_destroyed] += *end == Destroyed::busy;
  const bool relinked = m_.profile().slab_misuse == SlabMisuse::stops_the_kernel;
  if (*end != Destroyed::busy) c.state = CacheHeld::stale;
  else if (!relinked) c.state = CacheHeld::lingers;
  return answer_of_fault({Kind::count, static_cast<std::uint64_t>(*end)});
}

Answer Runner::operator()(const CacheShrink& op) {
  HeldCache& c = w_.caches_[op.cache.value];
  if (!w_.up() || w_.inside_) return skipped();
  if (c.state == CacheHeld::stale && names_nothing(c.id)) {
    (void)ref::slab::kmem_cache_shrink(w_, m_, c.id);
    fault_is(Fault::no_such_cache);
    return answer_of_fault();
  }
  if (c.state != CacheHeld::live) return skipped();
  std::optional<Model> model = model_of(c.id);
  const auto remain = ref::slab::kmem_cache_shrink(w_, m_, c.id);
  if (w_.broken() || !context_is_told()) return {};
  if (!remain) return answer_of_fault({Kind::refused});
  const bool objects = std::ranges::any_of(
      w_.objects_, [&](const HeldObject& o) { return o.live && o.cache == c.id; });
  if (*remain != objects && !w_.interleaved_) {
    w_.break_rule("OBJECT-SHRUNK", objects ? "slabs remain: objects are live" : "no slab remains",
                  *remain ? "slabs remain" : "no slab remains");
    return {};
  }
  if (model) agree(model->shrunk(m_, *remain));
  w_.reach_[ReachEvent::shrunk] += !*remain;
  return answer_of_fault({Kind::count, *remain});
}

Answer Runner::operator()(const CacheSize& op) {
  const HeldCache& c = w_.caches_[op.cache.value];
  if (c.state != CacheHeld::live) return skipped();
  const std::uint32_t size = ref::slab::kmem_cache_size(m_, c.id);
  if (size < c.asked.size.value)
    w_.break_rule("OBJECT-USABLE", fmt::format("{} bytes or more", c.asked.size.value),
                  fmt::format("{}", size));
  return {Kind::count, size};
}

}  // namespace props::slab
