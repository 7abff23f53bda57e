// maybe_pfn: a frame, or none, in one word.
//
//   MaybePfn        7      none
//   in memory       0:7    1:0        one 64-bit value, so that it is returned in a register
//
// std::optional of a 32-bit number is two members: compilers write them one after the other and
// read them back as one, which the processor cannot forward. On the way of every allocation that
// costs more than finding the page.
#pragma once
#include <cstdint>
#include <optional>

#include "ref/core/config.hpp"

namespace ref::core {

class MaybePfn {
 public:
  constexpr MaybePfn(std::nullopt_t) : value_(none) {}
  constexpr MaybePfn(Pfn pfn) : value_(pfn) {}
  constexpr explicit operator bool() const { return value_ != none; }
  constexpr bool has_value() const { return value_ != none; }
  constexpr Pfn operator*() const { return static_cast<Pfn>(value_); }

 private:
  static constexpr std::uint64_t none = std::uint64_t{1} << 32;  // no Pfn is as large
  std::uint64_t value_;
};

}  // namespace ref::core
