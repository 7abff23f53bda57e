// Draws steps.
#include "props/kmap/generator.hpp"

#include <algorithm>

namespace props::kmap {
namespace {

using namespace ref::core;

// Index of an operation in the variant, by type.
template <class Op>
constexpr std::size_t index_of() {
  return []<std::size_t... i>(std::index_sequence<i...>) {
    std::size_t found = 0;
    ((std::is_same_v<Op, std::variant_alternative_t<i, Operation>> ? void(found = i) : void()),
     ...);
    return found;
  }(std::make_index_sequence<std::variant_size_v<Operation>>{});
}

template <class Op, class... Of>
constexpr bool is_one_of = (std::is_same_v<Op, Of> || ...);

// How often an operation is drawn when nothing is known: calls first, misuse and settings seldom.
template <class Op>
constexpr std::uint16_t usual_weight() {
  if constexpr (is_one_of<Op, Kmap, Kunmap>) return 300;
  if constexpr (is_one_of<Op, KmapAtomic, KunmapAtomic, KmapLocal, KunmapLocal>) return 100;
  if constexpr (is_one_of<Op, Prefetch, TouchMap, SelectCpu, SelectTask>) return 80;
  if constexpr (is_one_of<Op, AllocPages, FreePages>) return 40;
  return 16;
}

template <class Op>
constexpr bool is_context = is_one_of<Op, SetTaskFlags, PreemptDisable, LocalIrqDisable,
                                      LocalBhDisable, SoftirqEnter, IrqEnter>;

// Contexts change what a whole run can see: most runs go without.
template <class Op>
constexpr unsigned switched_off_in_tenths(bool contexts) {
  if constexpr (is_one_of<Op, AllocPages, Kunmap, KunmapAtomic, KunmapLocal>) return 0;
  if constexpr (is_one_of<Op, Kmap>) return 1;
  if constexpr (is_context<Op>) return contexts ? 3 : 10;
  return 4;
}

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
  [&]<std::size_t... i>(std::index_sequence<i...>) {
    ((weight_[i] =
          random.below(10) <
                  switched_off_in_tenths<std::variant_alternative_t<i, Operation>>(contexts)
              ? std::uint16_t{0}
              : static_cast<std::uint16_t>(
                    usual_weight<std::variant_alternative_t<i, Operation>>() *
                    (1 + random.below(3)))),
     ...);
  }(std::make_index_sequence<Reach::operations>{});
  if (random.chance(2)) {
    const std::size_t favoured = random.chance(3) ? index_of<Kunmap>() : index_of<Kmap>();
    weight_[favoured] = static_cast<std::uint16_t>(weight_[favoured] * 3);
  }
  // Who enters a context leaves it again, or most of the run would not be allowed to wait.
  for (std::size_t i = index_of<PreemptDisable>(); i < index_of<IrqExit>(); i += 2)
    weight_[i + 1] = static_cast<std::uint16_t>(weight_[i] * 3);
  if (random.chance(8)) {  // a run that does one thing nearly all the time
    const std::size_t favoured = random.below(weight_.size());
    weight_[favoured] =
        static_cast<std::uint16_t>(std::clamp<unsigned>(weight_[favoured] * 16u, 2000, 10000));
  }
  add_up();
  maps_ = random.chance(3) ? MapRegister::count : 4 + random.below(28);
  blocks_ = random.chance(3) ? 1 + random.below(3) : 8;
  misuse_one_in_ = static_cast<unsigned>(8u << random.below(5));
  armed_one_in_ = random.chance(3) ? static_cast<unsigned>(4u << random.below(4)) : 0;
  order_ = static_cast<unsigned>(random.below(5));
}

Generator Generator::uniform() {
  Generator even;
  even.weight_.fill(1);
  even.add_up();
  even.misuse_one_in_ = 32;  // the middle of what runs draw, as is the next
  even.armed_one_in_ = 16;
  return even;
}

void Generator::add_up() {
  total_ = 0;
  for (std::size_t i = 0; i < weight_.size(); ++i) up_to_[i] = total_ += weight_[i];
}

namespace {

// Fills in the arguments of an operation: by type of argument first, then by what the call needs.
class Arguments {
 public:
  struct Leanings {
    std::uint64_t maps, blocks;
    unsigned order;
    bool misuse;
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
    field.value = draw_register(r_, l_.blocks, [&](std::uint8_t r) {
      return key.empty() ? w_.vacant(PageRegister{r}) : w_.pages()[r].live;
    });
  }
  void set(std::string_view key, MapRegister& field) {
    field.value = draw_register(r_, l_.maps, [&](std::uint8_t r) {
      return key.empty() ? w_.vacant(MapRegister{r}) : w_.maps()[r].live;
    });
  }
  void set(std::string_view, GfpArg& field) {
    const std::string_view name = r_.chance(6) ? "GFP_KERNEL" : "GFP_HIGHUSER";
    field.value = gfp_of(config().era, name);
    if (!r_.chance(8)) field.value |= GFP_BIT_NORETRY | GFP_BIT_NOWARN;
    if (r_.chance(6)) field.value |= GFP_BIT_COMP;
    if (r_.chance(8)) field.value |= GFP_BIT_ZERO;
    field.value &= gfp_known(config().era);
  }
  template <const auto& names>
  void set(std::string_view, Flags<names>& field) {
    if (r_.chance(2)) field.value = 1u << r_.below(names.size());
  }
  // Few types, so that they meet.
  void set(std::string_view, AtomicTypeArg& field) {
    constexpr std::array usual{KmType::KM_USER0, KmType::KM_USER1, KmType::KM_IRQ0};
    field.value = r_.chance(4) ? static_cast<KmType>(r_.below(AtomicTypeArg::words.size()))
                               : usual[r_.below(usual.size())];
    if (field.value == KmType::KM_TYPE_NR && !l_.misuse) field.value = KmType::KM_SOFTIRQ1;
  }
  template <std::uint64_t max>
  void set(std::string_view key, Number<max>& field) {
    const std::uint64_t page = config().page_bytes;
    if (key == "order") field.value = r_.below(l_.order + 1u);
    else if (key == "slot") field.value = r_.below(std::uint64_t{config().pkmap} + 1);
    else if (key.starts_with("start") || key.starts_with("end"))
      field.value = r_.chance(l_.misuse ? 4 : 64) ? page + 1 + r_.below(page) : r_.below(page + 1);
    else if (key == "nth") field.value = r_.below(4);
    else if (key == "id") field.value = r_.below(r_.chance(4) ? 8 : 4);
    else field.value = r_.below(std::min<std::uint64_t>(max, 1000) + 1);
  }

  // A frame of the block; now and then the one that a map of the run was of.
  template <class Op>
  void settle_index(Op& op) {
    const HeldPages& p = w_.pages()[op.page.value];
    op.index.value = r_.below(std::uint64_t{1} << (p.live ? p.order : 0));
  }
  void settle(Kmap& op) { settle_index(op); }
  void settle(KmapLocal& op) { settle_index(op); }
  // A page that is mapped, if the block has one.
  void settle(KmapHighGet& op) {
    settle_index(op);
    for (const HeldMap& h : w_.maps()) {
      const HeldPages& p = w_.pages()[op.page.value];
      if (!h.live || h.kind != HeldMap::Kind::persistent || !h.high || !p.live) continue;
      if (h.pfn >= p.pfn && (h.pfn - p.pfn) >> p.order == 0) op.index.value = h.pfn - p.pfn;
    }
  }
  void settle(PageAddress& op) { settle_index(op); }
  void settle(KunmapPage& op) { settle_index(op); }
  void settle(ZeroSegments& op) {
    settle_index(op);
    if (op.end1.value < op.start1.value && !r_.chance(8)) std::swap(op.start1, op.end1);
    if (op.end2.value < op.start2.value && r_.chance(2)) std::swap(op.start2, op.end2);
  }
  // A type that is free here, mostly.
  void settle(KmapAtomic& op) {
    settle_index(op);
    if (w_.stacked() || l_.misuse) return;
    const auto busy = [&](KmType type) {
      return std::ranges::any_of(w_.maps(), [&](const HeldMap& h) {
        return h.live && h.kind == HeldMap::Kind::atomic && h.type == type &&
               h.cpu == w_.machine().globals().cpu;
      });
    };
    for (int tries = 0; tries < 6 && busy(op.type.value); ++tries)
      op.type.value = static_cast<KmType>(r_.below(AtomicTypeArg::words.size() - 1));
  }
  void settle(Kunmap& op) { op.map.value = live(HeldMap::Kind::persistent); }
  void settle(KunmapAtomic& op) { op.map.value = newest(HeldMap::Kind::atomic); }
  void settle(KunmapAtomicAs& op) { op.map.value = newest(HeldMap::Kind::atomic); }
  void settle(KunmapLocal& op) {
    op.map.value = r_.chance(8) ? live(HeldMap::Kind::persistent) : newest(HeldMap::Kind::local);
  }
  void settle(KunmapStale& op) {
    op.map.value = draw_register(r_, l_.maps, [&](std::uint8_t r) {
      const HeldMap& h = w_.maps()[r];
      return !h.live && h.kind == HeldMap::Kind::persistent;
    });
  }
  // What may still be cached: maps that ended too.
  void settle(Prefetch& op) {
    op.map.value = draw_register(r_, l_.maps, [&](std::uint8_t r) { return w_.maps()[r].high; });
  }
  std::uint8_t live(HeldMap::Kind kind) {
    return draw_register(r_, l_.maps, [&](std::uint8_t r) {
      return w_.maps()[r].live && w_.maps()[r].kind == kind;
    });
  }
  // On a stack the newest is the one to end, but for misuse.
  std::uint8_t newest(HeldMap::Kind kind) {
    if (l_.misuse || !w_.stacked()) return live(kind);
    const HeldMap* found = nullptr;
    for (const HeldMap& h : w_.maps())
      if (h.live && h.temporary() && w_.usable(h) && (!found || h.serial > found->serial))
        found = &h;
    if (found == nullptr || found->kind != kind) return live(kind);
    return static_cast<std::uint8_t>(found - w_.maps().data());
  }
  // The next one in turn, so that every task gets to end its maps.
  void settle(SelectTask& op) {
    if (r_.chance(2)) op.id.value = (w_.machine().cpu().task + 1) % w_.machine().core.task.count;
  }
  template <class Op>
  void settle(Op&) {}

  const World& w_;
  Random& r_;
  Leanings l_;
};

}  // namespace

World::Operation Generator::draw_once(const World& w, Random& random) const {
  if (w.suspended() && !random.chance(16)) {  // let another task go on, or this one try again
    const std::uint64_t tasks = w.machine().core.task.count;
    const std::uint64_t others = random.chance(8) ? 0 : 1 + random.below(tasks - 1);
    if (!random.chance(4)) return SelectTask{{(w.machine().cpu().task + others) % tasks}};
    return SelectCpu{{random.below(w.machine().config.cpus)}};
  }
  // Somebody must be left to end maps, and what has ended must be looked at again.
  if (w.waiting() > 0 && random.chance(4))
    return random.chance(2) ? draw_operation(index_of<Kunmap>(), w, random)
                            : draw_operation(index_of<SelectTask>(), w, random);
  const auto pick = static_cast<std::uint32_t>(random.below(total_));
  const auto* const above = std::ranges::upper_bound(up_to_, pick);
  return draw_operation(static_cast<std::size_t>(above - up_to_.data()), w, random);
}

World::Step Generator::draw(const World& w, Random& random) const {
  World::Step step{draw_once(w, random), {}, {}, 0};
  // A skipped step tests nothing but skipping: a few are enough.
  if (!random.chance(32)) {
    for (int again = 0; again < 6 && would_skip(w, step.op); ++again)
      step.op = draw_once(w, random);
    if (would_skip(w, step.op)) {
      const bool none = std::ranges::none_of(w.pages(), &HeldPages::live);
      step.op = draw_operation(none ? index_of<AllocPages>() : index_of<Kmap>(), w, random);
    }
  }
  if (armed_one_in_ != 0 && random.chance(armed_one_in_)) {
    constexpr std::array ours{Point::kmap_unlocked, Point::kmap_atomic_cleared};
    step.at = random.chance(8) ? static_cast<Point>(random.below(points_of_pages))
                               : ours[random.below(ours.size())];
  }
  return step;
}

World::Operation Generator::draw_operation(std::size_t index, const World& w,
                                           Random& random) const {
  Arguments arguments(w, random, {maps_, blocks_, order_, random.chance(misuse_one_in_)});
  using Draw = World::Operation (*)(Arguments&);
  static constexpr auto table = []<std::size_t... i>(std::index_sequence<i...>) {
    return std::array<Draw, sizeof...(i)>{[](Arguments& from) -> World::Operation {
      return from.draw<std::variant_alternative_t<i, Operation>>();
    }...};
  }(std::make_index_sequence<Reach::operations>{});
  return table[index](arguments);
}

}  // namespace props::kmap
