// atomic_type: which of a CPU's slots a temporary map takes, as an argument of operations.
#pragma once
#include "props/core/domain.hpp"
#include "ref/kmap/kmap.hpp"

namespace props::kmap {

using ref::kmap::KmType;

// One of thirteen, or the one behind them, which is none.
struct AtomicTypeArg {
  static constexpr const auto& words = ref::kmap::km_type_names;
  KmType value = KmType::KM_USER0;

  std::string print(EraId) const { return std::string(words[static_cast<std::size_t>(value)]); }
  static Parsed<AtomicTypeArg> parse(std::string_view text, EraId) {
    for (std::size_t i = 0; i < words.size(); ++i)
      if (words[i] == text) return AtomicTypeArg{static_cast<KmType>(i)};
    return std::unexpected(describe());
  }
  static std::string describe() {
    std::string text;
    for (const std::string_view word : words)
      text += (text.empty() ? "" : ", ") + std::string(word);
    return "one of " + text;
  }
  void encode(ByteWriter& to, EraId) const { to.byte(static_cast<std::uint64_t>(value)); }
  static AtomicTypeArg decode(ByteReader& from, EraId) {
    return {static_cast<KmType>(from.byte() % words.size())};
  }
  bool operator==(const AtomicTypeArg&) const = default;
};

// For the minimizer: KM_USER0 is what nearly everybody takes.
inline std::uint64_t weight_of(const AtomicTypeArg& type, EraId) {
  return type.value == KmType::KM_USER0 ? 0 : 1 + static_cast<std::uint64_t>(type.value);
}
inline std::vector<AtomicTypeArg> simpler(const AtomicTypeArg& type, EraId) {
  if (type.value == KmType::KM_USER0) return {};
  return {AtomicTypeArg{}};
}

}  // namespace props::kmap
