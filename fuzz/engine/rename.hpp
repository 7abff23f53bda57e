// rename: the registers of a trace, by other names.
//
//   p7 = alloc_page(..)          in order    p0 = alloc_page(..)
//   alloc_pages_bulk(first=p40, count=3)     alloc_pages_bulk(first=p1, count=3)
//   free_pages(page=p42)                     free_pages(page=p3)
//
// An operation with a field `first` uses registers in a row, so these move together. How many they
// are says its field `count`; without one the trace is asked: the registers behind the first that
// appear, but that no other step fills.
#pragma once
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "fuzz/engine/simpler.hpp"

namespace fuzz {

using RegisterName = std::pair<char, std::uint8_t>;
using Renaming = std::map<RegisterName, std::uint8_t>;

using props::register_count, props::register_kinds;

// The registers from `first` on. A count of 0 is not known.
struct RegisterRange {
  RegisterName first;
  std::size_t count;
};

template <class Operation>
std::optional<RegisterRange> range_of(const Operation& any) {
  std::optional<RegisterRange> range;
  std::visit(
      [&](const auto& op) {
        op.fields(op, [&]<class D>(std::string_view key, const D& field) {
          const auto name = [&]<char prefix>(const props::Register<prefix>& r) {
            if (key == "first") range = RegisterRange{{prefix, r.value}, 0};
          };
          if constexpr (requires { name(field); }) name(field);
          else if constexpr (requires { D::max; })
            if (key == "count" && range) range->count = field.value;
        });
      },
      any);
  return range;
}

template <class Operation>
bool has_range(const Operation& any) {
  return range_of(any).has_value();
}

// In the order in which they appear.
template <class Trace>
std::vector<RegisterName> registers_named(const Trace& trace) {
  std::vector<RegisterName> names;
  for (const auto& step : trace.steps) {
    auto op = step.op;
    for_each_register(op, [&](char prefix, std::uint8_t value) {
      if (std::ranges::find(names, RegisterName{prefix, value}) == names.end())
        names.emplace_back(prefix, value);
    });
  }
  return names;
}

// Those that a call fills by itself, as in "p0 = ".
template <class Trace>
std::set<RegisterName> registers_filled(const Trace& trace) {
  std::set<RegisterName> names;
  for (const auto& step : trace.steps)
    std::visit(
        [&](const auto& op) {
          op.fields(op, [&]<class D>(std::string_view key, const D& field) {
            const auto add = [&]<char prefix>(const props::Register<prefix>& r) {
              if (key.empty()) names.emplace(prefix, r.value);
            };
            if constexpr (requires { add(field); }) add(field);
          });
        },
        step.op);
  return names;
}

// The ranges of a trace's steps, where the count is not known as the trace suggests; at least one.
template <class Trace>
std::vector<std::optional<RegisterRange>> ranges_of(const Trace& trace) {
  const auto named = registers_named(trace);
  const auto filled = registers_filled(trace);
  std::vector<std::optional<RegisterRange>> ranges;
  for (const auto& step : trace.steps) {
    auto range = range_of(step.op);
    if (range && range->count == 0)
      for (RegisterName name = range->first;; ++name.second) {
        const bool ours = std::ranges::find(named, name) != named.end() && !filled.contains(name);
        if (!ours && name != range->first) break;
        ++range->count;
      }
    ranges.push_back(range);
  }
  return ranges;
}

// One more than the highest register of a kind that a trace touches.
template <class Trace>
std::size_t registers_touched(const Trace& trace, char kind) {
  std::size_t count = 0;
  for (const RegisterName& name : registers_named(trace))
    if (name.first == kind) count = std::max<std::size_t>(count, name.second + 1u);
  for (const auto& range : ranges_of(trace))
    if (range && range->first.first == kind)
      count = std::max(count, range->first.second + range->count);
  return std::min(count, register_count(kind));
}

// What the renaming does not name keeps its name.
template <class Trace>
Trace renamed(const Trace& trace, const Renaming& to) {
  Trace out = trace;
  for (auto& step : out.steps)
    for_each_register(step.op, [&](char prefix, std::uint8_t& value) {
      if (const auto it = to.find({prefix, value}); it != to.end()) value = it->second;
    });
  return out;
}

// p0, p1, ... in the order in which they appear, ranges in one piece; unchanged if that needs more
// registers than there are.
template <class Trace>
Trace numbered(const Trace& trace) {
  Renaming to;
  std::map<char, std::uint8_t> next;
  const auto place = [&](RegisterName first, std::size_t count) {
    for (std::size_t i = 0; i < count && first.second + i < register_count(first.first); ++i) {
      const RegisterName name{first.first, static_cast<std::uint8_t>(first.second + i)};
      if (to.try_emplace(name, next[first.first]).second) ++next[first.first];
    }
  };
  const auto ranges = ranges_of(trace);
  for (std::size_t i = 0; i < trace.steps.size(); ++i) {
    auto op = trace.steps[i].op;
    for_each_register(op, [&](char prefix, std::uint8_t value) {
      const RegisterName name{prefix, value};
      const bool range = ranges[i] && ranges[i]->first == name;
      place(name, range ? ranges[i]->count : 1);
    });
  }
  for (const auto& [prefix, count] : next)
    if (count > register_count(prefix)) return trace;
  return renamed(trace, to);
}

// All registers from `name` on, `down` lower.
template <class Trace>
Trace shifted(const Trace& trace, RegisterName name, std::uint8_t down) {
  Renaming to;
  for (const auto& [prefix, value] : registers_named(trace))
    if (prefix == name.first && value >= name.second)
      to[{prefix, value}] = static_cast<std::uint8_t>(value - down);
  return renamed(trace, to);
}

}  // namespace fuzz
