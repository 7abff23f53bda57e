// simpler: for each value that may stand in a trace, the values that a reader would rather see
// there.
//
//   Number  40 ──▶ 0 20 30 35 38 39          GfpArg   GFP_KERNEL, GFP_ATOMIC, one flag less
//   Flags   A|C ──▶ 0 A C                    machine  fewer CPUs, zones, pages, explicit keys
//
// Every value has a weight, and what is offered weighs less. So replacing values by simpler ones
// ends.
#pragma once
#include <bit>
#include <compare>
#include <cstdint>
#include <tuple>
#include <variant>
#include <vector>

#include "props/core/operation.hpp"
#include "ref/core/config.hpp"

namespace fuzz {

// 0 and then ever closer to n from below, so that a bound is found in few steps.
inline std::vector<std::uint64_t> smaller_numbers(std::uint64_t n, std::uint64_t least = 0) {
  std::vector<std::uint64_t> smaller;
  if (n <= least) return smaller;
  smaller.push_back(least);
  for (std::uint64_t step = (n - least) / 2; step > 0; step /= 2)
    if (smaller.back() != n - step) smaller.push_back(n - step);
  return smaller;
}

template <std::uint64_t max>
std::uint64_t weight_of(const props::Number<max>& number, props::EraId) {
  return number.value;
}
template <std::uint64_t max>
std::vector<props::Number<max>> simpler(const props::Number<max>& number, props::EraId) {
  std::vector<props::Number<max>> out;
  for (const std::uint64_t n : smaller_numbers(number.value)) out.push_back({n});
  return out;
}

template <const auto& names>
std::uint64_t weight_of(const props::Flags<names>& flags, props::EraId) {
  return static_cast<std::uint64_t>(std::popcount(flags.value));
}
template <const auto& names>
std::vector<props::Flags<names>> simpler(const props::Flags<names>& flags, props::EraId) {
  std::vector<props::Flags<names>> out;
  if (std::popcount(flags.value) > 1) out.push_back({0});
  for (std::uint32_t bits = flags.value; bits != 0; bits &= bits - 1)
    out.push_back({flags.value & ~(bits & -bits)});
  return out;
}

// What nearly everybody asks for weighs least, less than asking for nothing.
std::uint64_t weight_of(const props::GfpArg&, props::EraId);
std::vector<props::GfpArg> simpler(const props::GfpArg&, props::EraId);

std::uint64_t weight_of(const props::ZoneArg&, props::EraId);
std::vector<props::ZoneArg> simpler(const props::ZoneArg&, props::EraId);

// Registers are renamed over the whole trace, not one by one.
template <char prefix>
std::uint64_t weight_of(const props::Register<prefix>&, props::EraId) {
  return 0;
}
template <char prefix>
std::vector<props::Register<prefix>> simpler(const props::Register<prefix>&, props::EraId) {
  return {};
}

// Compared from left to right.
using MachineWeight = std::tuple<std::uint32_t,   // nodes
                                 std::uint32_t,   // zones
                                 std::uint32_t,   // zones that are not NORMAL
                                 std::uint32_t,   // CPUs
                                 std::uint32_t,   // reserved ranges
                                 std::uint32_t,   // holes between zones
                                 std::uint32_t,   // pages, to the next power of two
                                 std::uint32_t,   // keys that do not have their default
                                 std::uint64_t,   // pages
                                 std::uint64_t>;  // slots and pages of the window
MachineWeight weight_of(const ref::core::Config&);
std::vector<ref::core::Config> simpler(const ref::core::Config&);  // valid, of the same era

template <class Operation>
std::size_t field_count(const Operation& any) {
  std::size_t count = 0;
  std::visit(
      [&](const auto& op) { op.fields(op, [&](std::string_view, const auto&) { ++count; }); }, any);
  return count;
}

// Calls f(prefix, value) for every register of an operation, in order; f may change the value.
template <class Operation, class F>
void for_each_register(Operation& any, F&& f) {
  const auto visit_field = [&]<class D>(D& field) {
    const auto one = [&]<char prefix>(props::Register<prefix>& r) { f(prefix, r.value); };
    if constexpr (requires { one(field); }) one(field);
  };
  std::visit(
      [&](auto& op) { op.fields(op, [&](std::string_view, auto& field) { visit_field(field); }); },
      any);
}

}  // namespace fuzz
