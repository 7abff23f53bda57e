// Draws steps.
#include "props/vmalloc/generator.hpp"

#include <algorithm>
#include <bit>

#include "props/vmalloc/generator_arguments.hpp"

namespace props::vmalloc {
namespace {

using namespace ref::core;

template <class Op>
constexpr std::size_t index_of() {
  return []<std::size_t... i>(std::index_sequence<i...>) {
    std::size_t found = 0;
    ((std::is_same_v<Op, std::variant_alternative_t<i, Operation>> ? void(found = i) : void()),
     ...);
    return found;
  }(std::make_index_sequence<std::variant_size_v<Operation>>{});
}

template <class Op>
constexpr bool is_context = is_one_of<Op>(PreemptDisable{}, PreemptEnable{}, LocalIrqDisable{},
                                          LocalIrqEnable{}, LocalBhDisable{}, LocalBhEnable{},
                                          SoftirqEnter{}, SoftirqExit{}, IrqEnter{}, IrqExit{});

template <class Op>
constexpr std::uint16_t usual_weight() {
  if constexpr (is_one_of<Op>(Vmalloc{}, Vfree{}, Prefetch{})) return 100;
  if constexpr (is_one_of<Op>(Vmap{}, Vunmap{}, GetVmArea{}, TouchArea{}, AllocPages{})) return 50;
  if constexpr (is_one_of<Op>(Ioremap{}, Iounmap{}, VmapPutPages{}, LoadArea{}, FreePages{},
                              VfreeAtomic{}, LoadStale{}))
    return 24;
  if constexpr (is_one_of<Op>(VmUnmapAliases{}, RunWork{}, FailPageAlloc{}, VfreeStale{}, Vzalloc{},
                              VfreeInside{}))
    return 12;
  return is_context<Op> ? 2 : 8;
}

// How many of ten runs go without the operation.
template <class Op>
constexpr unsigned switched_off(bool contexts) {
  if constexpr (is_one_of<Op>(Vmalloc{}, Vfree{}, Prefetch{})) return 1;
  if constexpr (is_context<Op>) return contexts ? 3 : 10;
  return 4;
}

}  // namespace

Generator::Generator(Random& random) {
  const bool contexts = random.chance(4);
  [&]<std::size_t... i>(std::index_sequence<i...>) {
    ((weight_[i] =
          random.below(10) < switched_off<std::variant_alternative_t<i, Operation>>(contexts)
              ? std::uint16_t{0}
              : static_cast<std::uint16_t>(
                    usual_weight<std::variant_alternative_t<i, Operation>>() *
                    (1 + random.below(3)))),
     ...);
  }(std::make_index_sequence<Reach::operations>{});
  // Some runs fill the window, some keep it empty.
  if (random.chance(2)) {
    const std::array favoured{index_of<Vmalloc>(), index_of<GetVmArea>(), index_of<Vmap>(),
                              index_of<Vfree>()};
    std::uint16_t& w = weight_[favoured[random.below(favoured.size())]];
    w = static_cast<std::uint16_t>((w + 20) * 3);
  }
  // Who enters a context leaves it again.
  for (std::size_t i = index_of<PreemptDisable>(); i < index_of<IrqExit>(); i += 2)
    weight_[i + 1] = static_cast<std::uint16_t>(weight_[i] * 3);
  if (random.chance(8)) {  // a run that does one thing nearly all the time
    std::uint16_t& w = weight_[random.below(weight_.size())];
    w = static_cast<std::uint16_t>(std::clamp<unsigned>(w * 64u, 2000, UINT16_MAX));
  }
  weight_[index_of<SelectTask>()] = std::max(weight_[index_of<SelectTask>()], std::uint16_t{1});
  if (random.chance(4)) registers_ = static_cast<std::uint32_t>(1 + random.below(6));
  add_up();
  if (random.chance(2)) pages_ = 1 + random.below(random.chance(2) ? 4 : 20);
  misuse_one_in_ = static_cast<unsigned>(8u << random.below(6));
  armed_one_in_ = random.chance(3) ? static_cast<unsigned>(4u << random.below(4)) : 0;
}

Generator Generator::uniform() {
  Generator even;
  even.weight_.fill(1);
  even.add_up();
  even.misuse_one_in_ = 64;  // the middle of what runs draw, as is the next
  even.armed_one_in_ = 16;
  return even;
}

void Generator::add_up() {
  total_ = 0;
  for (std::size_t i = 0; i < weight_.size(); ++i) up_to_[i] = total_ += weight_[i];
}

World::Operation Generator::draw_operation(std::size_t index, const World& w,
                                           Random& random) const {
  Arguments arguments(w, random, registers_, pages_, random.chance(misuse_one_in_));
  using Draw = World::Operation (*)(Arguments&);
  static constexpr auto table = []<std::size_t... i>(std::index_sequence<i...>) {
    return std::array<Draw, sizeof...(i)>{[](Arguments& from) -> World::Operation {
      return from.draw<std::variant_alternative_t<i, Operation>>();
    }...};
  }(std::make_index_sequence<Reach::operations>{});
  return table[index](arguments);
}

World::Operation Generator::draw_once(const World& w, Random& random) const {
  if (w.suspended() && !random.chance(16)) {  // let another task go on, or this one try again
    const std::uint64_t others = random.chance(8) ? 0 : 1 + random.below(task_count - 1);
    if (!random.chance(4)) return SelectTask{{(w.machine().cpu().task + others) % task_count}};
    return SelectCpu{{random.below(w.machine().config.cpus)}};
  }
  const auto pick = static_cast<std::uint32_t>(random.below(total_));
  const auto* const above = std::ranges::upper_bound(up_to_, pick);
  return draw_operation(static_cast<std::size_t>(above - up_to_.data()), w, random);
}

World::Step Generator::draw(const World& w, Random& random) const {
  World::Step step{draw_once(w, random), {}, {}, 0};
  if (!random.chance(32)) {  // a few skipped steps are enough
    for (int again = 0; again < 6 && would_skip(w, step.op); ++again)
      step.op = draw_once(w, random);
    const bool any = std::ranges::any_of(w.areas(), &Area::live);
    if (would_skip(w, step.op))
      step.op = draw_operation(any ? index_of<Vfree>() : index_of<Vmalloc>(), w, random);
  }
  if (armed_one_in_ != 0 && random.chance(armed_one_in_))
    step.at = static_cast<Point>(random.below(point_names.size()));
  return step;
}

}  // namespace props::vmalloc
