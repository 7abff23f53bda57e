// The operations that hand objects out, and the judgement of what was handed out.
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "props/core/probe.hpp"
#include "props/slab/runner.hpp"

namespace props::slab {

using namespace ref::core;
using ref::buddy::Refused;
using ref::slab::Address;
using Kind = Answer::Kind;

namespace {

// What object allocators take of a caller's flags; the rest is warned of and dropped (S-33).
constexpr Gfp not_for_slabs = GFP_BIT_HIGHMEM | GFP_BIT_DMA32 | GFP_BIT_COMP;

// A power of two that was asked for, as far as the page source can keep it.
std::uint64_t promised_align(const Config& c, const CacheCreate& asked) {
  const std::uint64_t align = asked.align.value;
  if (!std::has_single_bit(align)) return 1;
  if (c.profile().buddy_index == BuddyIndex::pfn_relative) return align;
  // 2.6.11 counts blocks from their zone's start. And its red zones go before cache lines, with
  // whatever alignment these were enough for.
  const bool words = c.slab_debug && (asked.flags.value & ref::slab::SLAB_HWCACHE_ALIGN);
  return std::min<std::uint64_t>(align, words ? c.profile().word_bytes : c.page_bytes);
}

}  // namespace

Answer Runner::operator()(const CacheAlloc& op) {
  return allocate({op, op.out, op.cache, op.gfp.value});
}

Answer Runner::operator()(const CacheAllocNode& op) {
  if (op.node.value >= m_.config.nodes) return skipped();
  return allocate({op, op.out, op.cache, op.gfp.value, static_cast<std::uint32_t>(op.node.value)});
}

Answer Runner::allocate(const Want& want) {
  const HeldCache cache = w_.caches_[want.cache.value];
  if (!w_.up() || !w_.vacant(want.out)) return skipped();
  if (cache.state == CacheHeld::stale && names_nothing(cache.id)) return allocate_stale(want);
  if (cache.state != CacheHeld::live) return skipped();
  forget_repaired();
  const Counts before = w_.judging_.reach ? counts(cache.id) : Counts{};
  std::optional<Model> model = model_of(cache.id);
  const auto got = want.node
                       ? ref::slab::kmem_cache_alloc_node(w_, m_, cache.id, want.gfp, *want.node)
                       : ref::slab::kmem_cache_alloc(w_, m_, cache.id, want.gfp);
  if (w_.broken()) return {};
  if (w_.judging_.reach) count_alloc(cache.id, before, got.has_value());
  if (!got && got.error() == Refused::suspended) {
    const bool waits = sleep_is_told(want.gfp, {});
    if (waits && m_.globals().injected == 0) probe(want, cache);
    return w_.broken() ? Answer{} : suspended(want.op, want.gfp);
  }
  if (!got && got.error() == Refused::misuse) {
    fault_is(Fault::bad_slab_gfp);
    return answer_of_fault();
  }
  // Found in free memory as it was handed out, or put there by whom it was handed out from.
  const bool damaged = got && std::erase_if(w_.written_after_free_, [&](const auto& written) {
                                return written.address == static_cast<std::uint64_t>(*got);
                              }) > 0;
  if (damaged && !fault_is(Fault::overwritten, {Fault::sleeping_in_atomic})) return {};
  if (!damaged && !sleep_is_told(want.gfp, {Fault::bad_slab_gfp})) return {};
  if (got) {
    const Answer answer = judge_granted(want, cache, static_cast<std::uint64_t>(*got));
    if (model) agree(model->allocated(m_, {want.gfp, want.node}, *got));
    return answer;
  }
  if (model) agree(model->allocated(m_, {want.gfp, want.node}, std::nullopt));
  if (m_.globals().injected == 0) probe(want, cache);
  if (w_.judging_.contents_every > 0) w_.check_all_contents();
  return answer_of_fault({Kind::refused});
}

// Use of a cache that was destroyed.
Answer Runner::allocate_stale(const Want& want) {
  const auto got = ref::slab::kmem_cache_alloc(w_, m_, w_.caches_[want.cache.value].id, want.gfp);
  if (w_.broken()) return {};
  if (got) {
    w_.break_rule("OBJECT-FAULT", "no-such-cache: it was destroyed",
                  fmt::format("an object at {:#x}", static_cast<std::uint64_t>(*got)));
    return {};
  }
  fault_is(Fault::no_such_cache);
  return answer_of_fault();
}

Answer Runner::judge_granted(const Want& want, const HeldCache& cache, std::uint64_t address) {
  const Objects::Ask ask{.bytes = cache.asked.size.value,
                         .usable = ref::slab::kmem_cache_size(m_, cache.id),
                         .align = promised_align(m_.config, cache.asked)};
  if (auto bad = w_.ledger_.granted(m_, address, ask)) {
    w_.break_rule(*bad);
    return {};
  }
  HeldObject& o = w_.objects_[want.out.value];
  o = {.live = true,
       .address = address,
       .ram = *ram_of(m_, address, ask.usable),
       .usable = ask.usable,
       .cache = cache.id,
       .ctor = static_cast<ref::slab::Ctor>(cache.asked.ctor.value),
       .bytes = ask.bytes};
  if (!judge_fresh(want, cache, o)) return {};
  stamp(o);
  return answer_of_fault({Kind::address, address});
}

// Zeros where they were asked for, else the state that the constructor left.
bool Runner::judge_fresh(const Want& want, const HeldCache&, HeldObject& o) {
  if (want.gfp & GFP_BIT_ZERO) {
    ++w_.reach_[ReachEvent::zeroed];
    if (const Broken w = zeros_broken(m_, o.ram, o.bytes)) {
      w_.break_rule("OBJECT-ZEROED", fmt::format("zeros at {:#x}", o.address),
                    fmt::format("{:#x} at {}", w->actual, w->where));
      return false;
    }
    return true;
  }
  if (o.ctor == 0) return true;
  ++w_.reach_[ReachEvent::constructed];
  const Broken w = construction_broken(m_, o.ram, o.bytes, o.ctor);
  if (!w) return true;
  w_.break_rule("OBJECT-CONSTRUCTED",
                fmt::format("{:#x} at {} of the object at {:#x}", w->expected, w->where, o.address),
                fmt::format("{:#x}", w->actual));
  return false;
}

// --- refusals ---------------------------------------------------------------------------------

// A slab, and perhaps a slab of the cache that its management is from.
void Runner::probe(const Want& want, const HeldCache& cache) {
  if (want.gfp & (GFP_BIT_NO_GROW | GFP_BIT_THISNODE)) return;
  const ref::slab::Cache& c = cache_of(cache.id);
  std::vector<unsigned> orders{c.gfporder};
  if (c.freelist_cache != 0) orders.push_back(cache_of(CacheId{c.freelist_cache - 1}).gfporder);
  probe(orders, (want.gfp & ~Gfp{not_for_slabs | GFP_BIT_ZERO}) | c.allocflags);
}

// A refusal, or a wait, although a copy's page source has what was needed, all of it.
void Runner::probe(const std::vector<unsigned>& orders, Gfp gfp) {
  if (w_.interleaved_ || w_.inside_ || w_.broken()) return;
  ++w_.reach_[ReachEvent::probe];
  QuietEnv env;
  w_.scratch_ = m_;
  plan_failure(w_.scratch_, 0);
  w_.scratch_.arena.edit(w_.scratch_.core.task, w_.scratch_.cpu().task).wait = {};
  for (const unsigned order : orders)
    if (!ref::buddy::alloc_pages(env, w_.scratch_, gfp, order)) return;
  w_.break_rule("OBJECT-REFUSED",
                fmt::format("success: the page source has {} blocks of up to 2^{} pages",
                            orders.size(), *std::ranges::max_element(orders)),
                "refused");
}

// --- many at once -----------------------------------------------------------------------------

Answer Runner::operator()(const CacheAllocBulk& op) {
  const HeldCache cache = w_.caches_[op.cache.value];
  const std::size_t count = op.count.value;
  if (!w_.up() || cache.state != CacheHeld::live) return skipped();
  if (op.first.value + count > ObjectRegister::count) return skipped();
  for (std::size_t i = 0; i < count; ++i)
    if (!w_.vacant(ObjectRegister{static_cast<std::uint8_t>(op.first.value + i)})) return skipped();
  std::vector<Address> objects(count);
  std::optional<Model> model = model_of(cache.id);
  const auto got = ref::slab::kmem_cache_alloc_bulk(w_, m_, cache.id, op.gfp.value, objects);
  if (w_.broken()) return {};
  if (!got && got.error() == Refused::suspended) return suspended(op, op.gfp.value);
  if (!got) {
    fault_is(Fault::bad_slab_gfp, {Fault::sleeping_in_atomic});
    return answer_of_fault();
  }
  if (count > 0 && !sleep_is_told(op.gfp.value, {Fault::bad_slab_gfp})) return {};
  if (*got != 0 && *got != count) {
    w_.break_rule("OBJECT-BULK", fmt::format("0 or {}", count), fmt::format("{}", *got));
    return {};
  }
  if (model) agree(model->allocated_bulk(m_, {op.gfp.value, {}}, objects, *got == count));
  for (std::size_t i = 0; i < *got; ++i) {
    const ObjectRegister out{static_cast<std::uint8_t>(op.first.value + i)};
    const auto address = static_cast<std::uint64_t>(objects[i]);
    std::erase_if(w_.written_after_free_,
                  [&](const auto& written) { return written.address == address; });
    (void)judge_granted({op, out, op.cache, op.gfp.value}, cache, address);
    if (w_.broken()) return {};
  }
  return answer_of_fault({Kind::count, *got});
}

}  // namespace props::slab
