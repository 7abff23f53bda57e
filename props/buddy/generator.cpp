// Draws steps.
#include "props/buddy/generator.hpp"

#include <algorithm>
#include <bit>

#include "props/buddy/prospects.hpp"

namespace props::buddy {
namespace {

using namespace ref::core;

template <class Op>
constexpr std::size_t index_of = index_in<Operation, Op>();

// Printing and reading a text takes as long as a hundred other calls, and changes nothing.
template <class Op>
constexpr bool is_text = std::is_same_v<Op, ReadBuddyinfo> || std::is_same_v<Op, ReadZoneinfo>;

struct Usual {
  bool contexts;

  // How often an operation is drawn when nothing is known: calls first, misuse and settings seldom.
  template <class Op>
  constexpr std::uint16_t usual_weight() const {
    if constexpr (std::is_same_v<Op, AllocPages> || std::is_same_v<Op, FreePages>) return 400;
    if constexpr (std::is_same_v<Op, AllocPage>) return 120;
    if constexpr (std::is_same_v<Op, FreePagesByPage> || std::is_same_v<Op, GetFreePages>)
      return 80;
    if constexpr (std::is_same_v<Op, AllocPagesExact> || std::is_same_v<Op, FreePagesExact> ||
                  std::is_same_v<Op, AllocPagesBulk> || std::is_same_v<Op, SplitPage> ||
                  std::is_same_v<Op, GetPage> || std::is_same_v<Op, PutPage> ||
                  std::is_same_v<Op, SelectCpu>)
      return 40;
    if constexpr (std::is_same_v<Op, SetMinFreeKbytes> ||
                  std::is_same_v<Op, SetLowmemReserveRatio> ||
                  std::is_same_v<Op, ScribblePageFlags>)
      return 4;
    if constexpr (is_text<Op>) return 2;
    return 12;
  }

  // Scribbling, and contexts, change what a whole run can see: most runs go without. Contexts come
  // together, for what two of them do to each other would be rare otherwise.
  template <class Op>
  constexpr unsigned switched_off_in_tenths() const {
    if constexpr (std::is_same_v<Op, AllocPages> || std::is_same_v<Op, FreePages>) return 0;
    if constexpr (std::is_same_v<Op, ScribblePageFlags>) return 8;
    if constexpr (enters_context<Op>) return contexts ? 3 : 10;
    return 4;
  }
};

// The first register from a drawn one on, of `count` in a circle, that holds a block, or holds
// none; the drawn one when there is no such.
std::uint8_t draw_register(const World& w, Random& random, std::uint64_t count, bool live) {
  const auto reg = static_cast<std::uint8_t>(random.below(count));
  if (random.chance(32)) return reg;  // whatever it holds
  const std::uint64_t all = ~std::uint64_t{0} >> (64 - count);
  const std::uint64_t wanted = (live ? w.live() : ~w.taken()) & all;
  const std::uint64_t behind = wanted & (~std::uint64_t{0} << reg);
  if (wanted == 0) return reg;
  return static_cast<std::uint8_t>(std::countr_zero(behind != 0 ? behind : wanted));
}

Pfn draw_pfn(const World& w, Random& random) {
  const Config& c = w.machine().config;
  if (random.chance(2)) return w.blocks()[random.below(PageRegister::count)].pfn;
  const ZoneSpec& z = c.zones[random.below(c.zone_count)];
  return static_cast<Pfn>(z.first + random.below(z.pages + 2));
}

}  // namespace

Generator::Generator(Random& random) {
  const bool contexts = random.chance(4);
  weights_ = Weights<Operation>::draw(random, Usual{contexts});
  // Most runs fill the machine, and some keep it empty: even weights leave it nearly empty, and
  // what marks and fallbacks do is seen when memory is short.
  if (random.chance(2)) {
    const std::size_t favoured = random.chance(4) ? index_of<FreePages> : index_of<AllocPages>;
    weights_.multiply(favoured, 3);
  }
  weights_.leave_contexts();
  if (random.chance(6)) {  // a run that does one thing nearly all the time
    const std::size_t favoured = random.below(Reach::operations);
    if (favoured != index_of<ReadBuddyinfo> && favoured != index_of<ReadZoneinfo>)
      weights_.insist(favoured, 64, UINT16_MAX);
  }
  if (random.chance(4)) registers_ = 1 + random.below(8);
  weights_.add_up();
  order_bias_ = static_cast<unsigned>(random.below(5));
  misuse_one_in_ = static_cast<unsigned>(8u << random.below(6));
  armed_one_in_ = random.chance(3) ? static_cast<unsigned>(4u << random.below(4)) : 0;
  usual_ = static_cast<Gfp>(random.below(gfp_names().size()));
}

Generator Generator::uniform() {
  Generator even;
  even.order_bias_ = orders_max;
  even.misuse_one_in_ = 64;  // the middle of what runs draw, as is the next
  even.armed_one_in_ = 16;
  return even;
}

World::Operation Generator::draw_once(const World& w, Random& random) const {
  if (w.waiting() > 0 && w.suspended() && !random.chance(16))
    return draw_switch<Operation>(w.machine(), random);
  return draw_operation(weights_.pick(random), w, random);
}

World::Step Generator::draw(const World& w, Random& random) const {
  World::Step step{draw_once(w, random), {}, {}, 0};
  // A skipped step tests nothing but skipping: a few are enough. A run whose registers are full, or
  // empty, and which does little else, is helped on.
  if (!random.chance(32)) {
    for (int again = 0; again < 6 && would_skip(w, step.op); ++again)
      step.op = draw_once(w, random);
    if (would_skip(w, step.op))
      step.op =
          draw_operation(w.live() != 0 ? index_of<FreePages> : index_of<AllocPages>, w, random);
  }
  if (armed_one_in_ != 0 && random.chance(armed_one_in_))
    step.at = static_cast<Point>(random.below(points_of_pages));
  return step;
}

namespace {

// Fills in the arguments of an operation: by type of argument first, then by what the call needs.
class Arguments {
 public:
  Arguments(const World& w, Random& r, std::uint64_t registers, unsigned order_bias, bool misuse,
            Gfp usual)
      : w_(w),
        r_(r),
        registers_(registers),
        order_bias_(order_bias),
        misuse_(misuse),
        usual_(usual) {}

  template <class Op>
  Op draw() {
    Op op;
    op.fields(op, [&]<class D>(std::string_view key, D& field) { set(key, field); });
    settle(op);
    return op;
  }

 private:
  void set(std::string_view key, PageRegister& field) {
    field.value = draw_register(w_, r_, registers_, !key.empty() && key != "first");
  }
  void set(std::string_view, GfpArg& field) { field.value = gfp(); }
  void set(std::string_view, ZoneArg& field) {
    const Config& c = w_.machine().config;
    const ZoneSpec& z = c.zones[r_.below(c.zone_count)];
    field = {z.kind, static_cast<std::uint8_t>(z.node)};
  }
  template <const auto& names>
  void set(std::string_view, Flags<names>& field) {
    if (!r_.chance(3)) field.value = 1u << r_.below(names.size());
  }
  // In line, so that the names are compared by the compiler.
  template <std::uint64_t max>
  [[gnu::always_inline]] void set(std::string_view key, Number<max>& field) {
    if (key == "order") field.value = order();
    else if (key == "pfn") field.value = draw_pfn(w_, r_);
    else if (key == "bytes") field.value = bytes();
    else if (key == "index") field.value = r_.chance(2) ? 0 : r_.below(4);
    else if (key == "count" && max == 64) field.value = r_.below(r_.chance(4) ? 30 : 8);
    else if (key == "count") field.value = r_.below(2);
    else if (key == "kbytes") field.value = r_.below(1 + w_.machine().config.page_bytes / 16);
    else if (key == "ratio") field.value = r_.below(40);
    else if (key == "nth") field.value = r_.below(8);
    else if (key == "id") field.value = r_.below(4);
    else field.value = r_.below(std::min<std::uint64_t>(max, 1000) + 1);
  }

  // Mostly one that some zone of the machine is large enough for.
  std::uint64_t order() {
    if (r_.chance(40)) return r_.below(16);
    const unsigned orders = w_.machine().config.orders;
    if (!r_.chance(3)) return r_.below(std::min({orders, order_bias_ + 1, orders_that_fit()}));
    return r_.below(r_.chance(4) ? orders : std::min(orders, orders_that_fit()));
  }
  unsigned orders_that_fit() const {
    const Config& c = w_.machine().config;
    std::uint32_t most = 1;
    for (std::uint32_t z = 0; z < c.zone_count; ++z) most = std::max(most, c.zones[z].pages);
    return static_cast<unsigned>(std::bit_width(most));
  }
  // A request for zones that the machine does not have is refused whatever happened before.
  Gfp with_a_zone(Gfp mask) const {
    const Config& c = w_.machine().config;
    unsigned kinds = 0;
    for (std::uint32_t z = 0; z < c.zone_count; ++z)
      kinds |= 1u << static_cast<unsigned>(c.zones[z].kind);
    if (!(kinds & 1u)) mask &= ~Gfp{GFP_BIT_DMA};
    return (kinds & 3u) == 0 ? mask | GFP_BIT_HIGHMEM : mask;
  }
  std::uint64_t bytes() {
    const std::uint64_t page = w_.machine().config.page_bytes;
    switch (r_.below(16)) {
      case 0: return 0;
      case 1: return r_.next();
      case 2: return (page << r_.below(12)) + r_.below(3) - 1;
      default: return 1 + r_.below(page * 12);
    }
  }
  Gfp gfp() {
    const EraId era = w_.machine().config.era;
    const auto e = static_cast<std::size_t>(era);
    const auto names = gfp_names();
    const GfpName& name = names[r_.chance(2) ? usual_ : r_.below(names.size())];
    Gfp mask = name.known[e] ? name.mask[e] : gfp_of(era, "GFP_KERNEL");
    // Most callers can cope with a refusal; else every run would soon wait.
    if ((mask & GFP_BIT_DIRECT_RECLAIM) && !r_.chance(6)) mask |= GFP_BIT_NORETRY;
    for (; r_.chance(3);) mask |= Gfp{1} << r_.below(gfp_bit_count);
    // Somebody must be left to give memory back, or the rest of the run is asking again in vain.
    if (w_.waiting() >= task_count / 2)
      mask = (mask | GFP_BIT_NORETRY) & ~Gfp{GFP_BIT_NOFAIL | GFP_BIT_RETRY_MAYFAIL};
    const Gfp zones = mask & (GFP_BIT_DMA | GFP_BIT_HIGHMEM | GFP_BIT_DMA32);
    if ((zones & (zones - 1)) != 0 && !r_.chance(12)) mask &= ~Gfp{GFP_BIT_DMA | GFP_BIT_DMA32};
    if (!r_.chance(6)) mask = with_a_zone(mask);
    return mask & gfp_known(era);
  }

  // Frees get the order of their block, except where misuse is wanted.
  void settle(FreePagesByPage& op) {
    prefer(op.page, [](const Block& b) { return !b.exact; });
    if (!misuse_) op.order.value = w_.blocks()[op.page.value].order;
  }
  void settle(FreePageByPage& op) {
    prefer(op.page, [](const Block& b) { return b.order == 0; });
  }
  void settle(FreePage& op) {
    prefer(op.page, [](const Block& b) { return b.order == 0; });
  }
  void settle(FreeColdPage& op) {
    prefer(op.page, [](const Block& b) { return b.order == 0; });
  }
  void settle(FreePagesExact& op) {
    prefer(op.page, [](const Block& b) { return b.exact; });
  }
  void settle(FreeStale& op) { op.page.value = draw_register(w_, r_, registers_, false); }
  void settle(PutPage& op) {
    prefer(op.page, [](const Block& b) { return b.references > 1 || b.compound || b.order == 0; });
  }
  void settle(AllocPagesBulk& op) {  // arrays whose first slots are filled, too
    if (r_.chance(2)) op.first.value = static_cast<std::uint8_t>(r_.below(registers_));
  }
  void settle(SetPageFlags& op) {
    prefer(op.page, [](const Block& b) { return !b.exact; });
    using namespace ref::buddy;
    if (!misuse_)
      op.flags.value &= std::uint32_t{PG_referenced} | PG_uptodate | PG_dirty | PG_mlocked;
  }
  void settle(SetPageMapcount& op) {
    prefer(op.page, [](const Block& b) { return !b.exact; });
    if (!misuse_) op.count.value = 0;
  }
  // Exact blocks can be looked at, and given back by a call of their own.
  template <class Op>
  void settle(Op& op) {
    if constexpr (requires { op.page; }) prefer(op.page, [](const Block& b) { return !b.exact; });
  }

  template <class F>
  void prefer(PageRegister& reg, F good) {
    if (misuse_) return;
    for (std::uint64_t left = std::rotr(w_.live(), int{reg.value}); left != 0; left &= left - 1) {
      const auto ahead = static_cast<unsigned>(std::countr_zero(left));
      const auto next = static_cast<std::uint8_t>((reg.value + ahead) % PageRegister::count);
      if (!good(w_.blocks()[next])) continue;
      reg.value = next;
      return;
    }
  }

  const World& w_;
  Random& r_;
  std::uint64_t registers_;
  unsigned order_bias_;
  bool misuse_;
  Gfp usual_;
};

}  // namespace

World::Operation Generator::draw_operation(std::size_t index, const World& w,
                                           Random& random) const {
  Arguments arguments(w, random, registers_, order_bias_, random.chance(misuse_one_in_), usual_);
  return draw_operation_of<Operation>(index, arguments);
}

}  // namespace props::buddy
