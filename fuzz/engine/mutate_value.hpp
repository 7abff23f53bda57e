// mutate_value: for each type of argument: a new value, and one near a given one.
//
//   Number<11>   0 1 10 11 2^k, any; near: a digit more or less, half, double
//   Flags        one bit changed         GfpArg   one flag changed, or another usual mask
//   ZoneArg      another kind or node    any other type: what random bytes say
//
// A layer that brings a type of its own needs nothing here: every type can be read from bytes.
#pragma once
#include <algorithm>
#include <array>

#include "props/core/operation.hpp"
#include "props/core/random.hpp"

namespace fuzz {

using props::EraId;
using props::Random;

// Any value, by way of its bytes: those are total.
template <class D>
D value_of_noise(Random& random, EraId era) {
  std::array<std::uint8_t, 16> noise;
  for (std::uint8_t& b : noise) b = static_cast<std::uint8_t>(random.next());
  props::ByteReader from(noise);
  return D::decode(from, era);
}

// Below the largest: its ends, and the powers of two with their neighbours, where limits lie.
inline std::uint64_t draw_number(std::uint64_t max, Random& random) {
  const auto within = [&](std::uint64_t n) { return std::min(n, max); };
  switch (random.below(4)) {
    case 0: return within(random.below(8));
    case 1: return max - within(random.below(3));
    case 2: return within((std::uint64_t{1} << random.below(64)) + random.below(3) - 1);
    default: return random.below(max + 1);
  }
}
// 1 to 4 in one of the digits of n: as much of it is near for a large number as for a small one.
inline std::uint64_t draw_step_of(std::uint64_t n, Random& random) {
  std::uint64_t digit = 1;
  for (; n >= 10 && random.chance(2); n /= 10) digit *= 10;
  return digit * (1 + random.below(4));
}
inline std::uint64_t near_number(std::uint64_t n, std::uint64_t max, Random& random) {
  const std::uint64_t some = draw_step_of(n, random);
  switch (random.below(5)) {
    case 0: return n > some ? n - some : 0;
    case 1: return max - n > some ? n + some : max;
    case 2: return n / 2;
    case 3: return n > max / 2 ? max : n * 2;
    default: return draw_number(max, random);
  }
}

template <class D>
struct Variation {
  static D draw(Random& random, EraId era) { return value_of_noise<D>(random, era); }
  static D near(const D&, Random& random, EraId era) { return draw(random, era); }
};

template <std::uint64_t max>
struct Variation<props::Number<max>> {
  using D = props::Number<max>;
  static D draw(Random& random, EraId) { return {draw_number(max, random)}; }
  static D near(const D& d, Random& random, EraId) { return {near_number(d.value, max, random)}; }
};

template <char prefix>
struct Variation<props::Register<prefix>> {
  using D = props::Register<prefix>;
  // Traces that people read use the first ones, and two steps meet sooner among few.
  static D draw(Random& random, EraId) {
    const std::uint64_t among = random.chance(2) ? 8 : D::count;
    return {static_cast<std::uint8_t>(random.below(among))};
  }
  static D near(const D&, Random& random, EraId era) { return draw(random, era); }
};

template <const auto& names>
struct Variation<props::Flags<names>> {
  using D = props::Flags<names>;
  static D draw(Random& random, EraId) {
    return {static_cast<std::uint32_t>(random.next()) & D::all};
  }
  static D near(const D& d, Random& random, EraId) {
    return {d.value ^ (1u << random.below(names.size()))};
  }
};

template <>
struct Variation<props::GfpArg> {
  using D = props::GfpArg;
  static D draw(Random& random, EraId era) { return value_of_noise<D>(random, era); }
  static D near(const D& d, Random& random, EraId era) {
    const ref::core::Gfp bit = 1u << random.below(ref::core::gfp_bit_count);
    return {(d.value ^ bit) & ref::core::gfp_known(era)};
  }
};

}  // namespace fuzz
