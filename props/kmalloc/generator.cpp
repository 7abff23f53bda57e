// Draws steps.
#include "props/kmalloc/generator.hpp"

#include <algorithm>
#include <bit>

namespace props::kmalloc {
namespace {

using namespace ref::core;

template <class Op>
constexpr std::size_t index_of = index_in<Operation, Op>();

template <class Op>
constexpr bool is_context =
    is_one_of<Op, PreemptDisable, PreemptEnable, LocalIrqDisable, LocalIrqEnable, LocalBhDisable,
              LocalBhEnable, SoftirqEnter, SoftirqExit, IrqEnter, IrqExit>;

struct Usual {
  bool contexts;

  template <class Op>
  constexpr std::uint16_t usual_weight() const {
    if constexpr (is_one_of<Op, Kmalloc, Kfree>) return 120;
    if constexpr (is_one_of<Op, Krealloc>) return 60;
    if constexpr (is_one_of<Op, Kzalloc, Ksize, AllocPages, FreePages, KfreeBulk>) return 24;
    if constexpr (is_one_of<Op, KfreeStale, ShrinkAll, FailPageAlloc, KfreeSensitive>) return 10;
    return is_context<Op> ? 2 : 8;
  }

  // How many of ten runs go without the operation.
  template <class Op>
  constexpr unsigned switched_off_in_tenths() const {
    if constexpr (is_one_of<Op, Kmalloc, Kfree>) return 0;
    if constexpr (is_context<Op>) return contexts ? 3 : 10;
    return 4;
  }
};

}  // namespace

Generator::Generator(Random& random) {
  const bool contexts = random.chance(4);
  weights_ = Weights<Operation>::draw(random, Usual{contexts});
  // Some runs fill the machine, some keep it empty.
  if (random.chance(2)) {
    const std::size_t favoured = random.chance(2) ? index_of<Kmalloc> : index_of<AllocPages>;
    weights_.multiply(favoured, 3);
  }
  weights_.leave_contexts();
  if (random.chance(6)) weights_.insist(random.below(Reach::operations), 64, UINT16_MAX);
  if (random.chance(4)) registers_ = 1 + random.below(8);
  weights_.add_up();
  if (random.chance(2))
    size_ = 1 + (std::uint64_t{1} << random.below(15)) * (2 + random.below(2)) / 2;
  misuse_one_in_ = static_cast<unsigned>(8u << random.below(6));
  armed_one_in_ = random.chance(3) ? static_cast<unsigned>(4u << random.below(4)) : 0;
  usual_ = static_cast<Gfp>(random.below(gfp_names().size()));
}

Generator Generator::uniform() {
  Generator even;
  even.misuse_one_in_ = 64;  // the middle of what runs draw, as is the next
  even.armed_one_in_ = 16;
  return even;
}

namespace {

// True when nothing would happen: an empty operand, or an occupied result.
bool would_skip(const World& w, const Operation& op) {
  return std::visit(
      [&](const auto& o) {
        using Op = std::remove_cvref_t<decltype(o)>;
        if constexpr (requires { o.out.value; }) {
          if constexpr (std::is_same_v<Op, AllocPages>) return w.blocks()[o.out.value].live;
          else return w.memory()[o.out.value].live;
        }
        if constexpr (is_one_of<Op, KfreeStale, KreallocStale>)
          return w.memory()[o.object.value].live ||
                 w.memory()[o.object.value].address == Address::null;
        if constexpr (is_one_of<Op, Kfree, KfreeSensitive, Ksize, WriteObject, KfreeInside>)
          return !w.memory()[o.object.value].live;
        if constexpr (requires { o.page; }) return !w.blocks()[o.page.value].live;
        return false;
      },
      op);
}

// Fills in the arguments of an operation: by type of argument first, then by what the call needs.
class Arguments {
 public:
  Arguments(const World& w, Random& r, std::uint64_t registers, std::uint64_t size, bool misuse,
            Gfp usual)
      : w_(w), r_(r), registers_(registers), size_(size), misuse_(misuse), usual_(usual) {}

  template <class Op>
  Op draw() {
    Op op;
    op.fields(op, [&]<class D>(std::string_view key, D& field) { set(key, field); });
    settle(op);
    return op;
  }

 private:
  // Of the registers that hold something, or do not, the next from a drawn one on.
  std::uint8_t pick(std::uint64_t wanted) {
    const auto reg = static_cast<int>(r_.below(registers_));
    if (registers_ < 64) wanted &= (std::uint64_t{1} << registers_) - 1;
    if (wanted == 0 || r_.chance(32)) return static_cast<std::uint8_t>(reg);
    return static_cast<std::uint8_t>((reg + std::countr_zero(std::rotr(wanted, reg))) % 64);
  }
  void set(std::string_view key, ObjectRegister& field) {
    field.value = pick(key.empty() ? ~w_.live() : w_.live());
  }
  void set(std::string_view key, PageRegister& field) {
    field.value = pick(key.empty() ? ~w_.live_blocks() : w_.live_blocks());
  }
  void set(std::string_view, GfpArg& field) { field.value = gfp(); }
  template <const auto& names>
  void set(std::string_view, Flags<names>& field) {
    if (!r_.chance(3)) field.value = 1u << r_.below(names.size());
  }
  template <std::uint64_t max>
  void set(std::string_view key, Number<max>& field) {
    if (key == "size") field.value = size();
    else if (key == "n") field.value = r_.chance(8) ? r_.next() >> r_.below(64) : r_.below(20);
    else if (key == "order") field.value = order();
    else if (key == "offset") field.value = r_.chance(2) ? r_.below(64) : r_.below(max + 1);
    else if (key == "address") field.value = r_.below(r_.chance(2) ? 20 : max + 1);
    else if (key == "count") field.value = r_.below(12);
    else if (key == "ticks") field.value = r_.below(8);
    else if (key == "nth") field.value = r_.below(8);
    else if (key == "node") field.value = r_.below(w_.machine().config.nodes);
    else if (key == "id") field.value = r_.below(w_.machine().core.task.count);  // and CPUs
    else field.value = r_.below(std::min<std::uint64_t>(max, 1000) + 1);
  }

  std::uint64_t order() {
    const unsigned orders = w_.machine().config.orders;
    return r_.chance(40) ? r_.below(16) : r_.below(r_.chance(3) ? orders : std::min(orders, 4u));
  }
  // Beside the end of a class, of the limit, or of numbers; anything; or what the run prefers.
  std::uint64_t size() {
    if (size_ != 0 && !r_.chance(3)) return size_ - r_.below(size_ / 4 + 1);
    const std::uint64_t limit = ref::kmalloc::kmalloc_max_size(w_.machine().config);
    const auto classes = ref::slab::general_sizes(w_.machine().config);
    switch (r_.below(16)) {
      case 0: return 0;
      case 1: return r_.chance(4) ? r_.next() >> r_.below(64) : limit + r_.below(3) - 1;
      case 2: return r_.below(limit + 1);
      case 3: return r_.below(classes.back() * 4);
      case 4:
      case 5: return classes[r_.below(classes.size())] + r_.below(3) - 1;
      default: return r_.below(r_.chance(2) ? 300 : 2000);
    }
  }
  Gfp gfp() {
    const EraId era = w_.machine().config.era;
    const auto e = static_cast<std::size_t>(era);
    const auto names = gfp_names();
    const GfpName& name = names[r_.chance(2) ? usual_ : r_.below(names.size())];
    Gfp mask = name.known[e] ? name.mask[e] : gfp_of(era, "GFP_KERNEL");
    if (r_.chance(3)) mask = gfp_of(era, "GFP_KERNEL");
    // Most callers can cope with a refusal; else every run would soon wait.
    if ((mask & GFP_BIT_DIRECT_RECLAIM) && !r_.chance(6)) mask |= GFP_BIT_NORETRY;
    for (; r_.chance(4);) mask |= Gfp{1} << r_.below(gfp_bit_count);
    if (w_.waiting() >= task_count / 2)
      mask = (mask | GFP_BIT_NORETRY) & ~Gfp{GFP_BIT_NOFAIL | GFP_BIT_RETRY_MAYFAIL};
    // Zones that objects cannot come from are misuse, or for nothing.
    if (!r_.chance(16)) mask &= ~Gfp{GFP_BIT_HIGHMEM | GFP_BIT_DMA32};
    bool dma = false;
    const Config& c = w_.machine().config;
    for (std::uint32_t z = 0; z < c.zone_count; ++z) dma = dma || c.zones[z].kind == ZoneKind::dma;
    if (!dma && !r_.chance(8)) mask &= ~Gfp{GFP_BIT_DMA};
    return mask & gfp_known(era);
  }

  void settle(Krealloc& op) {  // mostly of what there is, and mostly beside its size
    const Memory& held = w_.memory()[op.object.value];
    if (held.live && r_.chance(2)) op.size.value = held.usable + r_.below(5) - 2;
    if (op.size.value > UINT64_MAX - 4) op.size.value = 1;
  }
  // Now and then a product that wraps to something small.
  template <class Array>
  void wrap(Array& op) {
    if (!r_.chance(12)) return;
    const std::uint64_t shift = 1 + r_.below(40);
    op.size.value = std::uint64_t{1} << shift;
    op.n.value = (w_.machine().config.profile().size_max >> shift) + 1 + r_.below(3);
  }
  void settle(KmallocArray& op) { wrap(op); }
  void settle(Kcalloc& op) { wrap(op); }
  void settle(KreallocArray& op) { wrap(op); }
  void settle(KfreeStale& op) { op.object.value = stale(); }
  void settle(KreallocStale& op) { op.object.value = stale(); }
  void settle(KfreeInside& op) {
    if (!misuse_) op.offset.value = 0;
  }
  void settle(AllocPages& op) {  // compound ones can be given to kfree
    if (r_.chance(4)) op.gfp.value |= GFP_BIT_COMP;
  }
  template <class Op>
  void settle(Op&) {}

  std::uint8_t stale() {
    std::uint64_t wanted = 0;
    for (std::size_t r = 0; r < w_.memory().size(); ++r)
      if (!w_.memory()[r].live && w_.memory()[r].address != Address::null)
        wanted |= std::uint64_t{1} << r;
    return pick(wanted);
  }

  const World& w_;
  Random& r_;
  std::uint64_t registers_, size_;
  bool misuse_;
  Gfp usual_;
};

}  // namespace

World::Operation Generator::draw_operation(std::size_t index, const World& w,
                                           Random& random) const {
  Arguments arguments(w, random, registers_, size_, random.chance(misuse_one_in_), usual_);
  return draw_operation_of<Operation>(index, arguments);
}

World::Operation Generator::draw_once(const World& w, Random& random) const {
  if (w.suspended() && !random.chance(16)) return draw_switch<Operation>(w.machine(), random);
  return draw_operation(weights_.pick(random), w, random);
}

World::Step Generator::draw(const World& w, Random& random) const {
  World::Step step{draw_once(w, random), {}, {}, 0};
  if (!random.chance(32)) {  // a few skipped steps are enough
    for (int again = 0; again < 6 && would_skip(w, step.op); ++again)
      step.op = draw_once(w, random);
    if (would_skip(w, step.op))
      step.op = draw_operation(w.live() != 0 ? index_of<Kfree> : index_of<Kmalloc>, w, random);
  }
  if (armed_one_in_ != 0 && random.chance(armed_one_in_))
    step.at = static_cast<Point>(random.below(points_of_objects));
  return step;
}

}  // namespace props::kmalloc
