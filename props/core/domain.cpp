// Spelling and bytes of the argument types that depend on the era.
#include "props/core/domain.hpp"

#include <bit>

#include "ref/core/require.hpp"

namespace props {

using ref::core::Gfp;
using ref::core::gfp_names;
using ref::core::nodes_max;
using ref::core::zone_kinds;
using ref::core::zone_names;

namespace {

// From this byte on it counts extra bits; below, small bytes mean few of them.
constexpr std::uint8_t counted = 224;

std::size_t extra_bits(std::uint8_t b) {
  if (b >= counted) return b - counted;
  return b < 128 ? 0 : b < 192 ? 1 : 2;
}

bool known(const ref::core::GfpName& name, EraId era) {
  return name.known[static_cast<std::size_t>(era)];
}

Gfp mask(const ref::core::GfpName& name, EraId era) {
  return name.mask[static_cast<std::size_t>(era)];
}

}  // namespace

Parsed<GfpArg> GfpArg::parse(std::string_view text, EraId era) {
  const auto gfp = ref::core::parse_gfp(era, text);
  if (!gfp) return std::unexpected(gfp.error().expected);
  return GfpArg{*gfp};
}

void GfpArg::encode(ByteWriter& to, EraId era) const {
  Gfp left = value;
  std::size_t index = 0, chosen = gfp_names().size();
  for (const auto& name : gfp_names()) {
    if (known(name, era) && mask(name, era) != 0 && (left & mask(name, era)) == mask(name, era)) {
      chosen = index;
      left &= ~mask(name, era);
      break;
    }
    ++index;
  }
  to.byte(chosen);
  to.byte(counted + static_cast<unsigned>(std::popcount(left)));
  for (; left != 0; left &= left - 1) to.byte(static_cast<unsigned>(std::countr_zero(left)));
}

GfpArg GfpArg::decode(ByteReader& from, EraId era) {
  const auto names = gfp_names();
  const std::size_t index = from.byte() % (names.size() + 1);  // one past the end: no name
  Gfp value = 0;
  if (index < names.size() && known(names[index], era)) value = mask(names[index], era);
  for (std::size_t n = extra_bits(from.byte()); n > 0; --n)
    value |= Gfp{1} << from.byte() % ref::core::gfp_bit_count;
  return {value & ref::core::gfp_known(era)};
}

std::string ZoneArg::print(EraId) const {
  std::string text(zone_names[static_cast<std::size_t>(kind)]);
  return node == 0 ? text : text + "/" + std::to_string(node);
}

Parsed<ZoneArg> ZoneArg::parse(std::string_view text, EraId) {
  const std::size_t slash = text.find('/');
  ZoneArg zone;
  if (slash != text.npos) {
    const auto node = parse_number(text.substr(slash + 1), nodes_max - 1, "a node");
    if (!node || *node == 0) return std::unexpected(describe());
    zone.node = static_cast<std::uint8_t>(*node);
  }
  for (std::size_t kind = 0; kind < zone_kinds; ++kind) {
    if (zone_names[kind] != text.substr(0, slash)) continue;
    zone.kind = static_cast<ref::core::ZoneKind>(kind);
    return zone;
  }
  return std::unexpected(describe());
}

void ZoneArg::encode(ByteWriter& to, EraId) const {
  to.byte(node * zone_kinds + static_cast<std::size_t>(kind));
}

ZoneArg ZoneArg::decode(ByteReader& from, EraId) {
  const std::size_t n = from.byte() % (nodes_max * zone_kinds);
  return {static_cast<ref::core::ZoneKind>(n % zone_kinds),
          static_cast<std::uint8_t>(n / zone_kinds)};
}

}  // namespace props
