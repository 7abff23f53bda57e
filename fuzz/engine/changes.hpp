// changes: what may be exchanged in a trace at once, larger values too: for the pairs, where a step
// goes away in return, and for whole machines, where many arguments must follow.
//
//   order=3 ─▶ 0 1 2 and 4 6     a larger block instead of two      p1 ─▶ p0
//   machine ─▶ all simpler ones, pcp=off, fewer orders
//   scaled by 2^k: orders 11 ─▶ 2, 2048 pages ─▶ 4, order=10 ─▶ order=1, pfn 512 ─▶ 1
#pragma once
#include <optional>
#include <vector>

#include "fuzz/engine/rename.hpp"
#include "fuzz/engine/simpler.hpp"

namespace fuzz {

template <std::uint64_t max>
std::vector<props::Number<max>> other(const props::Number<max>& number, props::EraId era) {
  auto out = simpler(number, era);
  if (number.value < max) out.push_back({number.value + 1});
  if (number.value > 1 && number.value <= max / 2) out.push_back({number.value * 2});
  return out;
}
template <class D>
std::vector<D> other(const D& value, props::EraId era) {
  return simpler(value, era);
}

// The operation with its field number `index` replaced by each value of offer(field).
template <class Operation, class Offer>
std::vector<Operation> with_field(const Operation& any, std::size_t index, Offer&& offer) {
  std::vector<Operation> out;
  std::visit(
      [&](const auto& op) {
        std::size_t at = 0;
        op.fields(op, [&]<class D>(std::string_view, const D& field) {
          if (at++ != index) return;
          for (const D& value : offer(field)) {
            auto copy = op;
            std::size_t here = 0;
            copy.fields(copy, [&]<class E>(std::string_view, E& there) {
              if constexpr (std::is_same_v<D, E>)
                if (here == index) there = value;
              ++here;
            });
            out.push_back(Operation{copy});
          }
        });
      },
      any);
  return out;
}

// Field number `index` of `from` into the same field of `to`, an operation of the same kind.
template <class Operation>
void copy_field(const Operation& from, Operation& to, std::size_t index) {
  std::visit(
      [&]<class Op>(const Op& source) {
        source.fields(
            source, [&, at = std::size_t{0}]<class D>(std::string_view, const D& value) mutable {
              if (at++ != index) return;
              Op& target = std::get<Op>(to);
              target.fields(
                  target, [&, here = std::size_t{0}]<class E>(std::string_view, E& field) mutable {
                    if constexpr (std::is_same_v<D, E>)
                      if (here == index) field = value;
                    ++here;
                  });
            });
      },
      from);
}

// Calls f(field) for every field of every step.
template <class Trace, class F>
void for_each_field(Trace& trace, F&& f) {
  for (auto& step : trace.steps)
    std::visit([&](auto& op) { op.fields(op, [&](std::string_view, auto& field) { f(field); }); },
               step.op);
}

// The trace of a newer era with the flags of the same names. Nothing where a name is not known
// there.
template <class Trace>
std::optional<Trace> in_era(const Trace& trace, props::EraId era) {
  Trace out = trace;
  out.machine.era = era;
  bool known = true;
  for_each_field(out, [&]<class D>(D& field) {
    if constexpr (std::is_same_v<D, props::GfpArg>) {
      const auto same = D::parse(field.print(trace.machine.era), era);
      if (same) field = *same;
      else known = false;
    }
  });
  if (!known || ref::core::validate(out.machine)) return std::nullopt;
  return out;
}

// The trace with all sizes divided by 2^by. Nothing where no smaller machine comes of it.
template <class Trace>
std::optional<Trace> scaled(const Trace& trace, unsigned by) {
  Trace out = trace;
  ref::core::Config& machine = out.machine;
  if (by >= machine.orders) return std::nullopt;
  machine.orders -= by;
  const auto up = [&](std::uint32_t n) { return (n + (1u << by) - 1) >> by; };
  for (std::uint32_t z = 0; z < machine.zone_count; ++z) {
    machine.zones[z].first = up(machine.zones[z].first);
    machine.zones[z].pages = up(machine.zones[z].pages);
  }
  for (std::uint32_t i = 0; i < machine.reserved_count; ++i)
    machine.reserved[i].first >>= by, machine.reserved[i].last >>= by;
  for_each_field(out, [&]<class D>(D& field) {
    if constexpr (std::is_same_v<D, props::OrderArg>)
      field.value -= std::min<std::uint64_t>(field.value, by);
    else if constexpr (std::is_same_v<D, props::Number<ref::core::pfn_end - 1>> ||
                       std::is_same_v<D, props::Number<1023>>)
      field.value >>= by;
  });
  if (machine.pages() >= trace.machine.pages() || ref::core::validate(machine)) return std::nullopt;
  return out;
}

// Machines that a step may be given up for: simpler ones, and some with a key more.
inline std::vector<ref::core::Config> other_machines(const ref::core::Config& machine) {
  auto out = simpler(machine);
  if (machine.pcp) out.push_back(machine), out.back().pcp = false;
  for (std::uint32_t orders = 1; orders < machine.orders; ++orders)
    out.push_back(machine), out.back().orders = orders;
  std::erase_if(out, [](const auto& m) { return ref::core::validate(m).has_value(); });
  return out;
}

// The other registers of a field that is one.
template <char prefix>
void add_registers(const std::vector<RegisterName>& names, const props::Register<prefix>& r,
                   std::vector<props::Register<prefix>>& values) {
  for (const RegisterName& name : names)
    if (name.first == prefix && name.second != r.value) values.push_back({name.second});
}
template <class D>
void add_registers(const std::vector<RegisterName>&, const D&, std::vector<D>&) {}

// Everything that may be exchanged at once. The step whose argument it is, or none.
template <class Trace>
struct Change {
  Trace trace;
  std::optional<std::size_t> step;
};
template <class Trace>
std::vector<Change<Trace>> changes_of(const Trace& trace) {
  std::vector<Change<Trace>> out;
  const auto add = [&](std::size_t i, const auto& ops) {
    for (const auto& op : ops) {
      out.push_back({trace, i});
      out.back().trace.steps[i].op = op;
    }
  };
  const auto names = registers_named(trace);
  const auto offer = [&]<class D>(const D& field) {
    std::vector<D> values = other(field, trace.machine.era);
    add_registers(names, field, values);
    return values;
  };
  for (const auto& machine : other_machines(trace.machine)) {
    out.push_back({trace, std::nullopt});
    out.back().trace.machine = machine;
  }
  for (std::size_t i = 0; i < trace.steps.size(); ++i)
    for (std::size_t field = 0; field < field_count(trace.steps[i].op); ++field)
      add(i, with_field(trace.steps[i].op, field, offer));
  return out;
}

}  // namespace fuzz
