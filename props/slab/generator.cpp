// Draws steps.
#include "props/slab/generator.hpp"

#include <algorithm>

namespace props::slab {
namespace {

using namespace ref::core;

template <class Op>
constexpr std::size_t index_of = index_in<Operation, Op>();

struct Usual {
  bool contexts;

  // How often an operation is drawn when nothing is known: calls first, misuse and settings seldom.
  template <class Op>
  constexpr std::uint16_t usual_weight() const {
    if constexpr (is_one_of<Op, CacheAlloc, CacheFree>) return 500;
    if constexpr (is_one_of<Op, CacheAllocBulk, CacheFreeBulk>) return 100;
    if constexpr (is_one_of<Op, CacheCreate>) return 60;
    if constexpr (is_one_of<Op, CacheAllocNode, SelectCpu, AllocPages, FreePages, CacheDestroy>)
      return 40;
    if constexpr (is_one_of<Op, ReadSlabinfo>) return 2;  // a text takes as long as many calls
    if constexpr (is_one_of<Op, WriteSlabinfo>) return 6;
    return 12;
  }

  // Writing where nobody may, tunables, and contexts change what a whole run can see: most runs go
  // without.
  template <class Op>
  constexpr unsigned switched_off_in_tenths() const {
    if constexpr (is_one_of<Op, CacheAlloc, CacheFree, CacheCreate>) return 0;
    if constexpr (is_one_of<Op, Overrun, WriteAfterFree, WriteSlabinfo>) return 7;
    if constexpr (enters_context<Op>) return contexts ? 3 : 10;
    return 4;
  }
};

// The first of `count` registers, from a drawn one on in a circle, for which it holds; the drawn
// one when there is none.
template <class F>
std::uint8_t draw_register(Random& random, std::uint64_t count, F wanted) {
  const auto first = static_cast<std::uint8_t>(random.below(count));
  if (random.chance(32)) return first;  // whatever it holds
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto r = static_cast<std::uint8_t>((first + i) % count);
    if (wanted(r)) return r;
  }
  return first;
}

}  // namespace

Generator::Generator(Random& random) {
  const bool contexts = random.chance(4);
  weights_ = Weights<Operation>::draw(random, Usual{contexts});
  if (random.chance(2)) {
    const std::size_t favoured = random.chance(4) ? index_of<CacheFree> : index_of<CacheAlloc>;
    weights_.multiply(favoured, 3);
  }
  weights_.leave_contexts();
  if (random.chance(8)) {  // a run that does one thing nearly all the time
    const std::size_t favoured = random.below(Reach::operations);
    if (favoured != index_of<ReadSlabinfo>) weights_.insist(favoured, 32, 40000);
  }
  weights_.add_up();
  caches_ = random.chance(3) ? CacheRegister::count : 1 + random.below(4);
  if (random.chance(4)) objects_ = 1 + random.below(12);
  misuse_one_in_ = static_cast<unsigned>(8u << random.below(6));
  armed_one_in_ = random.chance(3) ? static_cast<unsigned>(4u << random.below(4)) : 0;
  plain_ = random.chance(3);
  size_ = 8 + random.below(300);
  usual_ = static_cast<Gfp>(random.below(gfp_names().size()));
}

Generator Generator::uniform() {
  Generator even;
  even.misuse_one_in_ = 64;  // the middle of what runs draw, as is the next
  even.armed_one_in_ = 16;
  even.size_ = 100;
  return even;
}

namespace {

// Fills in the arguments of an operation: by type of argument first, then by what the call needs.
class Arguments {
 public:
  struct Leanings {
    std::uint64_t caches, objects, size;
    bool plain, misuse;
    Gfp usual;
  };
  Arguments(const World& w, Random& r, const Leanings& leanings) : w_(w), r_(r), l_(leanings) {}

  template <class Op>
  Op draw() {
    Op op;
    op.fields(op, [&]<class D>(std::string_view key, D& field) { set(key, field); });
    settle(op);
    return op;
  }

 private:
  const Config& config() const { return w_.machine().config; }

  void set(std::string_view key, PageRegister& field) {
    field.value = draw_register(r_, 24, [&](std::uint8_t r) {
      return key.empty() ? w_.vacant(PageRegister{r}) : w_.pages()[r].live;
    });
  }
  void set(std::string_view key, ObjectRegister& field) {
    field.value = draw_register(r_, l_.objects, [&](std::uint8_t r) {
      return key.empty() ? w_.vacant(ObjectRegister{r}) : w_.objects()[r].live;
    });
  }
  void set(std::string_view key, CacheRegister& field) {
    field.value = draw_register(r_, l_.caches, [&](std::uint8_t r) {
      return key.empty() ? w_.vacant(CacheRegister{r})
                         : w_.caches()[r].state == HeldCache::State::live;
    });
    if (!key.empty() && l_.misuse) field.value = static_cast<std::uint8_t>(r_.below(l_.caches));
  }
  void set(std::string_view, GfpArg& field) { field.value = gfp(); }
  void set(std::string_view, CacheName& field) {
    const std::uint64_t usual = 9;  // those behind NULL that nobody objects to
    field.index = static_cast<std::uint8_t>(r_.chance(12) ? r_.below(cache_names.size())
                                                          : 1 + r_.below(usual));
  }
  template <const auto& names>
  void set(std::string_view, Flags<names>& field) {
    if (r_.chance(2)) field.value = 1u << r_.below(names.size());
  }
  template <std::uint64_t max>
  void set(std::string_view key, Number<max>& field) {
    if (key == "size") field.value = size();
    else if (key == "align") field.value = r_.chance(3) ? align() : 0;
    else if (key == "ctor") field.value = r_.chance(3) ? r_.below(max + 1) : 0;
    else if (key == "order") field.value = r_.below(r_.chance(4) ? 5 : 2);
    else if (key == "count") field.value = 1 + r_.below(r_.chance(4) ? 40 : 8);
    else if (key == "node") field.value = r_.below(config().nodes);
    else if (key == "offset") field.value = 1 + r_.below(r_.chance(4) ? 400 : 16);
    else if (key == "ticks") field.value = r_.below(r_.chance(2) ? 10 : 1000);
    else if (key == "limit") field.value = r_.below(r_.chance(4) ? 300 : 24);
    else if (key == "batch") field.value = r_.below(r_.chance(4) ? 300 : 12);
    else if (key == "shared") field.value = r_.below(r_.chance(4) ? 40 : 4);
    else if (key == "nth") field.value = r_.below(r_.chance(4) ? 24 : 6);
    else if (key == "id") field.value = r_.below(w_.machine().core.task.count);  // and CPUs
    else field.value = r_.below(std::min<std::uint64_t>(max, 1000) + 1);
  }

  std::uint64_t size() {
    if (l_.plain && !r_.chance(8)) return l_.size;
    const std::uint64_t page = config().page_bytes;
    switch (r_.below(16)) {
      case 0: return r_.chance(4) ? r_.next() : r_.below(8);
      case 1: return (page << r_.below(6)) + r_.below(3) - 1;
      case 2: return page / 8 + r_.below(5) - 2;  // 2.6.11: from here on off slab
      case 3: return page / (2 + r_.below(6)) - r_.below(64);
      case 4: return (page << r_.below(3)) / (1 + r_.below(4)) - r_.below(40);
      case 5:
      case 6: return 1 + r_.below(page);
      case 7: return l_.size + r_.below(9);
      default: return 8 + r_.below(200);
    }
  }
  std::uint64_t align() {
    if (r_.chance(8)) return r_.below(200);
    return std::uint64_t{1} << r_.below(r_.chance(4) ? 13 : 8);
  }
  Gfp gfp() {
    const EraId era = config().era;
    const auto e = static_cast<std::size_t>(era);
    const auto names = gfp_names();
    const GfpName& name = names[r_.chance(3) ? l_.usual : r_.below(names.size())];
    const std::string_view common = r_.chance(3) ? "GFP_ATOMIC" : "GFP_KERNEL";
    const bool odd = r_.chance(8) && name.known[e];
    Gfp mask = odd ? name.mask[e] : gfp_of(era, common);
    // Most callers can cope with a refusal; else every run would soon wait.
    if ((mask & GFP_BIT_DIRECT_RECLAIM) && !r_.chance(6)) mask |= GFP_BIT_NORETRY;
    if (r_.chance(6)) mask |= GFP_BIT_ZERO;
    if (r_.chance(16)) mask |= Gfp{1} << r_.below(gfp_bit_count);
    // Somebody must be left to give memory back.
    if (w_.waiting() >= task_count / 2)
      mask = (mask | GFP_BIT_NORETRY) & ~Gfp{GFP_BIT_NOFAIL | GFP_BIT_RETRY_MAYFAIL};
    if (!l_.misuse && !r_.chance(24)) mask &= ~Gfp{GFP_BIT_HIGHMEM | GFP_BIT_DMA32 | GFP_BIT_DMA};
    return mask & gfp_known(era);
  }

  // 2.6.11: DMA of a cache and of a request go together.
  template <class Op>
  void match_dma(Op& op) {
    const HeldCache& c = w_.caches()[op.cache.value];
    const bool dma = c.asked.flags.value & ref::slab::SLAB_CACHE_DMA;
    const bool strict = config().profile().slab_misuse == SlabMisuse::stops_the_kernel;
    if (l_.misuse || !strict) return;
    constexpr Gfp allowed = GFP_BIT_DIRECT_RECLAIM | GFP_BIT_HIGH | GFP_BIT_IO | GFP_BIT_FS |
                            GFP_BIT_COLD | GFP_BIT_NOWARN | GFP_BIT_RETRY_MAYFAIL | GFP_BIT_NOFAIL |
                            GFP_BIT_NORETRY | GFP_BIT_NO_GROW;
    op.gfp.value = (op.gfp.value & allowed) | (dma ? Gfp{GFP_BIT_DMA} : 0);
  }
  void settle(CacheAlloc& op) { match_dma(op); }
  void settle(CacheAllocNode& op) { match_dma(op); }
  void settle(CacheAllocBulk& op) {
    match_dma(op);
    op.first.value = draw_register(r_, l_.objects, [&](std::uint8_t r) {
      return w_.vacant(ObjectRegister{r}) &&
             (r + 1u >= ObjectRegister::count ||
              w_.vacant(ObjectRegister{static_cast<std::uint8_t>(r + 1)}));
    });
    std::uint64_t room = 0;
    while (room < op.count.value && op.first.value + room < ObjectRegister::count &&
           w_.vacant(ObjectRegister{static_cast<std::uint8_t>(op.first.value + room)}))
      ++room;
    if (room > 0) op.count.value = room;
  }
  void settle(CacheFreeBulk& op) {
    op.count.value =
        std::min<std::uint64_t>(op.count.value, ObjectRegister::count - op.first.value);
  }
  // What is wrong for certain ends the creation at once: only sometimes.
  void settle(CacheCreate& op) {
    if (l_.misuse || r_.chance(16)) return;
    op.flags.value &= ~std::uint32_t{ref::slab::SLAB_UNKNOWN};
    if (config().profile().slab_misuse == SlabMisuse::tolerated) {
      op.flags.value &= ~std::uint32_t{ref::slab::SLAB_NO_REAP};
      return;
    }
    using namespace ref::slab;
    op.flags.value &= std::uint32_t{SLAB_HWCACHE_ALIGN} | SLAB_CACHE_DMA | SLAB_RECLAIM_ACCOUNT |
                      SLAB_PANIC | SLAB_TYPESAFE_BY_RCU | SLAB_NO_REAP;
    for (int tries = 0; tries < 12; ++tries) {  // a name that no cache has
      const bool used = std::ranges::any_of(w_.caches(), [&](const HeldCache& c) {
        return c.asked.name_of == op.name_of && c.state != HeldCache::State::empty &&
               c.state != HeldCache::State::stale;
      });
      if (!used) break;
      set("name", op.name_of);
    }
  }
  void settle(CacheDestroy& op) { settle_stale(op); }
  void settle(CacheShrink& op) { settle_stale(op); }
  // Mostly a cache that nobody has objects of; now and then one that is gone.
  template <class Op>
  void settle_stale(Op& op) {
    using State = HeldCache::State;
    const State wanted = l_.misuse ? State::stale : State::live;
    op.cache.value = draw_register(r_, l_.caches,
                                   [&](std::uint8_t r) { return w_.caches()[r].state == wanted; });
    if constexpr (std::is_same_v<Op, CacheDestroy>) {
      if (l_.misuse || r_.chance(6)) return;
      op.cache.value = draw_register(r_, l_.caches, [&](std::uint8_t r) {
        const HeldCache& c = w_.caches()[r];
        return c.state == State::live &&
               std::ranges::none_of(w_.objects(),
                                    [&](const HeldObject& o) { return o.live && o.cache == c.id; });
      });
    }
  }
  void settle(FreeStaleObject& op) { op.object.value = stale_object(); }
  void settle(WriteAfterFree& op) { op.object.value = stale_object(); }
  std::uint8_t stale_object() {
    return draw_register(r_, l_.objects, [&](std::uint8_t r) {
      return !w_.objects()[r].live && w_.objects()[r].address != 0;
    });
  }
  void settle(WriteSlabinfo& op) {
    if (!l_.misuse) op.batch.value = std::min(op.batch.value, op.limit.value);
    const HeldCache& c = w_.caches()[r_.below(l_.caches)];
    if (c.state == HeldCache::State::live) op.name_of = c.asked.name_of;
  }
  template <class Op>
  void settle(Op&) {}

  const World& w_;
  Random& r_;
  Leanings l_;
};

}  // namespace

World::Operation Generator::draw_once(const World& w, Random& random) const {
  if (w.suspended() && !random.chance(16)) return draw_switch<Operation>(w.machine(), random);
  return draw_operation(weights_.pick(random), w, random);
}

World::Step Generator::draw(const World& w, Random& random) const {
  World::Step step{draw_once(w, random), {}, {}, 0};
  // A skipped step tests nothing but skipping: a few are enough.
  if (!random.chance(32)) {
    for (int again = 0; again < 6 && would_skip(w, step.op); ++again)
      step.op = draw_once(w, random);
    if (would_skip(w, step.op)) {
      const bool none = std::ranges::none_of(
          w.caches(), [](const HeldCache& c) { return c.state == HeldCache::State::live; });
      const bool full = std::ranges::all_of(w.objects(), &HeldObject::live);
      step.op = draw_operation(none   ? index_of<CacheCreate>
                               : full ? index_of<CacheFree>
                                      : index_of<CacheAlloc>,
                               w, random);
    }
  }
  if (armed_one_in_ != 0 && random.chance(armed_one_in_))
    step.at = static_cast<Point>(random.below(points_of_objects));
  return step;
}

World::Operation Generator::draw_operation(std::size_t index, const World& w,
                                           Random& random) const {
  Arguments arguments(w, random,
                      {caches_, objects_, size_, plain_, random.chance(misuse_one_in_), usual_});
  return draw_operation_of<Operation>(index, arguments);
}

}  // namespace props::slab
