// draw: what the generators of all rows share: which operation comes next, and how it is made.
//
//   usual weights ─▶ some switched off, the others up to three times as frequent ─▶ Weights of a
//   run
//
// Each run draws its own (swarm testing): what always runs together hides what one alone would do.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <variant>

#include "props/core/context_ops.hpp"
#include "props/core/random.hpp"

namespace props {

template <class Op, class... Of>
constexpr bool is_one_of = (std::is_same_v<Op, Of> || ...);

// What changes the rights of every later call of its context.
template <class Op>
constexpr bool enters_context = is_one_of<Op, SetTaskFlags, PreemptDisable, LocalIrqDisable,
                                          LocalBhDisable, SoftirqEnter, IrqEnter>;

// Index of an operation in the variant, by type.
template <class Operation, class Op>
constexpr std::size_t index_in() {
  return []<std::size_t... i>(std::index_sequence<i...>) {
    std::size_t found = 0;
    ((std::is_same_v<Op, std::variant_alternative_t<i, Operation>> ? void(found = i) : void()),
     ...);
    return found;
  }(std::make_index_sequence<std::variant_size_v<Operation>>{});
}

// How often each operation of a run is drawn.
template <class Operation>
class Weights {
 public:
  static constexpr std::size_t count = std::variant_size_v<Operation>;

  Weights() { weight_.fill(1), add_up(); }  // each as likely as the next
  // Row says of each operation the usual weight, and in how many of ten runs it is switched off.
  template <class Row>
  static Weights draw(Random& random, Row row) {
    Weights w;
    [&]<std::size_t... i>(std::index_sequence<i...>) {
      ((w.weight_[i] = w.template draw_one<std::variant_alternative_t<i, Operation>>(random, row)),
       ...);
    }(std::make_index_sequence<count>{});
    return w;
  }

  std::uint16_t operator[](std::size_t index) const { return weight_[index]; }
  void multiply(std::size_t index, unsigned times) {
    weight_[index] = static_cast<std::uint16_t>(weight_[index] * times);
  }
  // Who enters a context leaves it again, or most of the run would not be allowed to wait.
  void leave_contexts() {
    for (std::size_t i = index_in<Operation, PreemptDisable>(); i < index_in<Operation, IrqExit>();
         i += 2)
      weight_[i + 1] = static_cast<std::uint16_t>(weight_[i] * 3);
  }
  // The run does one thing nearly all the time.
  void insist(std::size_t index, unsigned times, unsigned most) {
    weight_[index] =
        static_cast<std::uint16_t>(std::clamp<unsigned>(weight_[index] * times, 2000, most));
  }
  void add_up() {
    total_ = 0;
    for (std::size_t i = 0; i < count; ++i) up_to_[i] = total_ += weight_[i];
  }
  std::size_t pick(Random& random) const {
    const auto drawn = static_cast<std::uint32_t>(random.below(total_));
    return static_cast<std::size_t>(std::ranges::upper_bound(up_to_, drawn) - up_to_.begin());
  }

 private:
  template <class Op, class Row>
  std::uint16_t draw_one(Random& random, Row row) {
    if (random.below(10) < row.template switched_off_in_tenths<Op>()) return 0;
    return static_cast<std::uint16_t>(row.template usual_weight<Op>() * (1 + random.below(3)));
  }

  std::array<std::uint16_t, count> weight_{};
  std::array<std::uint32_t, count> up_to_{};  // of the weights so far
  std::uint32_t total_ = 0;
};

// Where the CPU's task waits: lets another one go on, or this one try again.
template <class Operation>
Operation draw_switch(const ref::core::Machine& m, Random& random) {
  const std::uint64_t tasks = m.core.task.count;
  const std::uint64_t others = random.chance(8) ? 0 : 1 + random.below(tasks - 1);
  if (!random.chance(4)) return SelectTask{{(m.cpu().task + others) % tasks}};
  return SelectCpu{{random.below(m.config.cpus)}};
}

// The operation of that index, made by arguments.draw<Op>().
template <class Operation, class Arguments>
Operation draw_operation_of(std::size_t index, Arguments& arguments) {
  using Draw = Operation (*)(Arguments&);
  static constexpr auto table = []<std::size_t... i>(std::index_sequence<i...>) {
    return std::array<Draw, sizeof...(i)>{[](Arguments& from) -> Operation {
      return from.template draw<std::variant_alternative_t<i, Operation>>();
    }...};
  }(std::make_index_sequence<std::variant_size_v<Operation>>{});
  return table[index](arguments);
}

}  // namespace props
