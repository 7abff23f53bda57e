// domain: the types of an operation's arguments. A type is its domain, its spelling and its bytes.
//
//   Register<'p'>   p0 .. p63     names are static; what a register holds is the world's business:
//                                 p pages, o objects, c caches (c0 .. c15), m maps, a areas
//                                 (a0 .. a31)
//   Number<11>      0 .. 11       decimal
//   Flags<names>    A|B, 0        a set of names
//   GfpArg, ZoneArg               spelled per era
//
// Bytes are total: whatever stands there is some value, and small random bytes give small values.
#pragma once
#include <array>
#include <charconv>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ref/core/config.hpp"
#include "ref/core/context.hpp"
#include "ref/core/gfp.hpp"

namespace props {

using ref::core::EraId;

// Reads bytes from the front; past the end everything is zero.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t b = bytes_[0];
    bytes_ = bytes_.subspan(1);
    return b;
  }
  // Seven bits a byte, low ones first; the top bit says that another follows.
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t b = byte();
      value |= std::uint64_t{b & 0x7fu} << shift;
      if (!(b & 0x80u)) break;
    }
    return value;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

class ByteWriter {
 public:
  void byte(std::uint64_t b) { bytes_.push_back(static_cast<std::uint8_t>(b)); }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) byte(value | 0x80);
    byte(value);
  }
  std::vector<std::uint8_t> take() { return std::move(bytes_); }
  const std::vector<std::uint8_t>& bytes() const { return bytes_; }
  void clear() { bytes_.clear(); }

 private:
  std::vector<std::uint8_t> bytes_;
};

template <class T>
using Parsed = std::expected<T, std::string>;  // the error says what was expected

// A decimal number without sign, leading zeros or anything behind.
inline Parsed<std::uint64_t> parse_number(std::string_view text, std::uint64_t max,
                                          std::string_view what = "a number") {
  const auto wrong = [&] {
    return std::unexpected(std::string(what) + " from 0 to " + std::to_string(max));
  };
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return wrong();
  if (value > max || (text.size() > 1 && text[0] == '0')) return wrong();
  return value;
}

// The kinds of registers, and how many there are of one: few caches and areas, many of the others.
constexpr std::string_view register_kinds = "pocma";
constexpr std::uint64_t register_count(char kind) {
  return kind == 'c' ? 16 : kind == 'a' ? 32 : 64;
}

template <char prefix>
struct Register {
  static constexpr std::uint64_t count = register_count(prefix);
  std::uint8_t value = 0;

  std::string print(EraId) const { return prefix + std::to_string(value); }
  static Parsed<Register> parse(std::string_view text, EraId) {
    if (text.empty() || text[0] != prefix) return std::unexpected("a register " + range());
    const auto n = parse_number(text.substr(1), count - 1);
    if (!n) return std::unexpected("a register " + range());
    return Register{static_cast<std::uint8_t>(*n)};
  }
  static std::string range() {
    return std::string(1, prefix) + "0 to " + prefix + std::to_string(count - 1);
  }
  static std::string describe() { return range(); }
  void encode(ByteWriter& to, EraId) const { to.byte(value); }
  static Register decode(ByteReader& from, EraId) {
    return {static_cast<std::uint8_t>(from.byte() % count)};
  }
  bool operator==(const Register&) const = default;
};
using PageRegister = Register<'p'>;
using ObjectRegister = Register<'o'>;
using CacheRegister = Register<'c'>;
using MapRegister = Register<'m'>;
using AreaRegister = Register<'a'>;

template <std::uint64_t largest>
struct Number {
  static constexpr std::uint64_t max = largest;
  std::uint64_t value = 0;

  std::string print(EraId) const { return std::to_string(value); }
  static Parsed<Number> parse(std::string_view text, EraId) {
    const auto n = parse_number(text, max);
    if (!n) return std::unexpected(n.error());
    return Number{*n};
  }
  static std::string describe() { return "0 to " + std::to_string(max); }
  void encode(ByteWriter& to, EraId) const {
    if (max <= 0xff) to.byte(value);
    else to.varint(value);
  }
  static Number decode(ByteReader& from, EraId) {
    std::uint64_t n = max <= 0xff ? from.byte() : from.varint();
    if constexpr (max < UINT64_MAX)
      if (n > max) n %= max + 1;
    return {n};
  }
  bool operator==(const Number&) const = default;
};

// Orders that no machine has are arguments too: they must be refused.
using OrderArg = Number<15>;
using BytesArg = Number<UINT64_MAX>;

struct GfpArg {
  ref::core::Gfp value = 0;

  std::string print(EraId era) const { return ref::core::print_gfp(era, value); }
  static Parsed<GfpArg> parse(std::string_view text, EraId era);
  static std::string describe() { return "gfp flags, joined by |"; }
  // A name's index, then single bits: random bytes give a usual mask with few extras.
  void encode(ByteWriter& to, EraId era) const;
  static GfpArg decode(ByteReader& from, EraId era);
  bool operator==(const GfpArg&) const = default;
};

// A set of names, bit i for the i-th.
template <const auto& names>
struct Flags {
  static constexpr std::uint32_t all = (1u << names.size()) - 1;
  std::uint32_t value = 0;

  std::string print(EraId) const {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i)
      if (value >> i & 1u) text += (text.empty() ? "" : "|") + std::string(names[i]);
    return text.empty() ? "0" : text;
  }
  static Parsed<Flags> parse(std::string_view text, EraId) {
    if (text == "0") return Flags{};
    Flags flags;
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t end = std::min(text.find('|', at), text.size());
      const std::string_view word = text.substr(at, end - at);
      std::size_t i = 0;
      while (i < names.size() && names[i] != word) ++i;
      if (i == names.size()) return std::unexpected(describe());
      flags.value |= 1u << i;
      at = end + 1;
    }
    return flags;
  }
  static std::string describe() {
    std::string text = "0, or of ";
    for (std::size_t i = 0; i < names.size(); ++i) text += (i ? "|" : "") + std::string(names[i]);
    return text;
  }
  void encode(ByteWriter& to, EraId) const { to.varint(value); }
  static Flags decode(ByteReader& from, EraId) {
    return {static_cast<std::uint32_t>(from.varint()) & all};
  }
  bool operator==(const Flags&) const = default;
};

// A zone by kind and node: NORMAL, or NORMAL/1. Whether the machine has it is seen when it runs.
struct ZoneArg {
  ref::core::ZoneKind kind = ref::core::ZoneKind::normal;
  std::uint8_t node = 0;

  std::string print(EraId) const;
  static Parsed<ZoneArg> parse(std::string_view text, EraId);
  static std::string describe() { return "DMA, NORMAL or HIGHMEM, with /node behind if not 0"; }
  void encode(ByteWriter& to, EraId) const;
  static ZoneArg decode(ByteReader& from, EraId);
  bool operator==(const ZoneArg&) const = default;
};

}  // namespace props
