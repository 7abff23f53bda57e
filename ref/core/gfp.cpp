// The list of gfp names, and its printing and parsing.
#include "ref/core/gfp.hpp"

#include <algorithm>
#include <array>

#include "ref/core/require.hpp"

namespace ref::core {
namespace {

constexpr Gfp wait = GFP_BIT_DIRECT_RECLAIM, kswapd = GFP_BIT_KSWAPD_RECLAIM, io = GFP_BIT_IO,
              fs = GFP_BIT_FS, high = GFP_BIT_HIGH, highmem = GFP_BIT_HIGHMEM,
              hardwall = GFP_BIT_HARDWALL;
constexpr Gfp reclaim = wait | kswapd;

constexpr GfpName both(std::string_view name, Gfp old_mask, std::uint32_t old_kernel, Gfp new_mask,
                       std::uint32_t new_kernel) {
  return {name, {old_mask, new_mask}, {old_kernel, new_kernel}, {true, true}};
}
constexpr GfpName only_2_6(std::string_view name, Gfp mask, std::uint32_t kernel) {
  return {name, {mask, 0}, {kernel, 0}, {true, false}};
}
constexpr GfpName only_6_1(std::string_view name, Gfp mask, std::uint32_t kernel) {
  return {name, {0, mask}, {0, kernel}, {false, true}};
}

// Kernel bits: include/linux/gfp_types.h of 6.1; those of 2.6.11 are recalled, and serve printing
// only.
constexpr std::array names{
    only_6_1("GFP_HIGHUSER_MOVABLE", reclaim | io | fs | hardwall | highmem | GFP_BIT_MOVABLE,
             0x100cca),
    both("GFP_HIGHUSER", wait | io | fs | highmem, 0xd2, reclaim | io | fs | hardwall | highmem,
         0x100cc2),
    only_6_1("GFP_KERNEL_ACCOUNT", reclaim | io | fs | GFP_BIT_ACCOUNT, 0x400cc0),
    only_6_1("GFP_USER", reclaim | io | fs | hardwall, 0x100cc0),
    both("GFP_KERNEL", wait | io | fs, 0xd0, reclaim | io | fs, 0xcc0),
    // In 2.6.11 GFP_USER equals GFP_KERNEL, so it is read but printed as GFP_KERNEL.
    only_2_6("GFP_USER", wait | io | fs, 0xd0),
    both("GFP_NOFS", wait | io, 0x50, reclaim | io, 0xc40),
    both("GFP_NOIO", wait, 0x10, reclaim, 0xc00),
    both("GFP_ATOMIC", high, 0x20, high | GFP_BIT_ATOMIC | kswapd, 0xa20),
    only_6_1("GFP_NOWAIT", kswapd, 0x800),
    only_2_6("GFP_NOWAIT", 0, 0),  // W-6: the empty mask has a name there
    both("GFP_DMA", GFP_BIT_DMA, 0x1, GFP_BIT_DMA, 0x1),
    only_6_1("GFP_DMA32", GFP_BIT_DMA32, 0x4),
    only_6_1("__GFP_RECLAIM", reclaim, 0xc00),
    both("__GFP_DMA", GFP_BIT_DMA, 0x1, GFP_BIT_DMA, 0x1),
    both("__GFP_HIGHMEM", highmem, 0x2, highmem, 0x2),
    only_6_1("__GFP_DMA32", GFP_BIT_DMA32, 0x4),
    only_6_1("__GFP_MOVABLE", GFP_BIT_MOVABLE, 0x8),
    only_6_1("__GFP_RECLAIMABLE", GFP_BIT_RECLAIMABLE, 0x10),
    only_2_6("__GFP_WAIT", wait, 0x10),
    only_6_1("__GFP_DIRECT_RECLAIM", wait, 0x400),
    only_6_1("__GFP_KSWAPD_RECLAIM", kswapd, 0x800),
    both("__GFP_HIGH", high, 0x20, high, 0x20),
    only_6_1("__GFP_ATOMIC", GFP_BIT_ATOMIC, 0x200),
    both("__GFP_IO", io, 0x40, io, 0x40),
    both("__GFP_FS", fs, 0x80, fs, 0x80),
    only_2_6("__GFP_COLD", GFP_BIT_COLD, 0x100),
    both("__GFP_NOWARN", GFP_BIT_NOWARN, 0x200, GFP_BIT_NOWARN, 0x2000),
    // 2.6.11 spells the same wish __GFP_REPEAT; both spellings are read in that era.
    only_2_6("__GFP_REPEAT", GFP_BIT_RETRY_MAYFAIL, 0x400),
    both("__GFP_RETRY_MAYFAIL", GFP_BIT_RETRY_MAYFAIL, 0x400, GFP_BIT_RETRY_MAYFAIL, 0x4000),
    both("__GFP_NOFAIL", GFP_BIT_NOFAIL, 0x800, GFP_BIT_NOFAIL, 0x8000),
    both("__GFP_NORETRY", GFP_BIT_NORETRY, 0x1000, GFP_BIT_NORETRY, 0x10000),
    only_2_6("__GFP_NO_GROW", GFP_BIT_NO_GROW, 0x2000),
    both("__GFP_COMP", GFP_BIT_COMP, 0x4000, GFP_BIT_COMP, 0x40000),
    both("__GFP_ZERO", GFP_BIT_ZERO, 0x8000, GFP_BIT_ZERO, 0x100),
    only_6_1("__GFP_MEMALLOC", GFP_BIT_MEMALLOC, 0x20000),
    only_6_1("__GFP_NOMEMALLOC", GFP_BIT_NOMEMALLOC, 0x80000),
    only_6_1("__GFP_HARDWALL", hardwall, 0x100000),
    only_6_1("__GFP_THISNODE", GFP_BIT_THISNODE, 0x200000),
    only_6_1("__GFP_ACCOUNT", GFP_BIT_ACCOUNT, 0x400000),
    only_6_1("__GFP_WRITE", GFP_BIT_WRITE, 0x1000),
};

}  // namespace

std::span<const GfpName> gfp_names() { return names; }

Gfp gfp_of(EraId era, std::string_view name) {
  const auto e = static_cast<std::size_t>(era);
  for (const GfpName& n : names)
    if (n.name == name && n.known[e]) return n.mask[e];
  UNREACHABLE("an unknown gfp name was spelled in code");
}

Gfp gfp_known(EraId era) {
  static constexpr auto known = [] {
    std::array<Gfp, era_count> all{};
    for (std::size_t e = 0; e < era_count; ++e)
      for (const GfpName& n : names)
        if (n.known[e]) all[e] |= n.mask[e];
    return all;
  }();
  return known[static_cast<std::size_t>(era)];
}

std::string print_gfp(EraId era, Gfp mask) {
  REQUIRE((mask & ~gfp_known(era)) == 0);
  const auto e = static_cast<std::size_t>(era);
  std::string text;
  for (const GfpName& n : names) {
    if (!n.known[e] || n.mask[e] == 0 || (mask & n.mask[e]) != n.mask[e]) continue;
    if (!text.empty()) text += '|';
    text += n.name;
    mask &= ~n.mask[e];
  }
  if (!text.empty()) return text;
  for (const GfpName& n : names)
    if (n.known[e] && n.mask[e] == 0) return std::string(n.name);
  return "0";
}

std::expected<Gfp, GfpError> parse_gfp(EraId era, std::string_view text) {
  if (text == "0") return Gfp{0};
  const auto e = static_cast<std::size_t>(era);
  Gfp mask = 0;
  for (std::size_t at = 0;;) {
    const std::size_t end = std::min(text.find('|', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    bool found = false;
    for (const GfpName& n : names)
      if (n.known[e] && n.name == word) mask |= n.mask[e], found = true;
    if (!found) {
      return std::unexpected(
          GfpError{at, "a gfp flag of " +
                           std::string(era == EraId::linux_2_6_11 ? "linux-2.6.11" : "linux-6.1")});
    }
    if (end == text.size()) return mask;
    at = end + 1;
  }
}

}  // namespace ref::core
