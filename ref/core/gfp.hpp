// gfp: what a caller says about a page request, one bit each, listed once for both eras.
//
//   GFP_KERNEL|__GFP_NOWARN     linux-2.6.11: WAIT IO FS NOWARN     linux-6.1: DIRECT_RECLAIM
//                                                                   KSWAPD_RECLAIM IO FS NOWARN
//
// A mask is a set of our own bits, so that a trace keeps its meaning when its era is exchanged; the
// bit that a kernel of that era uses is a column of the list. Printing is canonical: the longest
// name first, then what is left; parsing what was printed gives the mask back.
#pragma once
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

namespace ref::core {

enum class EraId : std::uint8_t { linux_2_6_11, linux_6_1 };
constexpr std::size_t era_count = 2;

using Gfp = std::uint32_t;

// __GFP_WAIT of 2.6.11 and __GFP_DIRECT_RECLAIM of 6.1 decide the same (B-23), so they are one bit.
enum GfpBit : Gfp {
  GFP_BIT_DMA = 1u << 0,
  GFP_BIT_HIGHMEM = 1u << 1,
  GFP_BIT_DMA32 = 1u << 2,
  GFP_BIT_MOVABLE = 1u << 3,
  GFP_BIT_DIRECT_RECLAIM = 1u << 4,
  GFP_BIT_KSWAPD_RECLAIM = 1u << 5,
  GFP_BIT_HIGH = 1u << 6,
  GFP_BIT_IO = 1u << 7,
  GFP_BIT_FS = 1u << 8,
  GFP_BIT_COLD = 1u << 9,
  GFP_BIT_NOWARN = 1u << 10,
  GFP_BIT_RETRY_MAYFAIL = 1u << 11,
  GFP_BIT_NOFAIL = 1u << 12,
  GFP_BIT_NORETRY = 1u << 13,
  GFP_BIT_COMP = 1u << 14,
  GFP_BIT_ZERO = 1u << 15,
  GFP_BIT_NOMEMALLOC = 1u << 16,
  GFP_BIT_MEMALLOC = 1u << 17,
  GFP_BIT_ATOMIC = 1u << 18,
  GFP_BIT_HARDWALL = 1u << 19,
  GFP_BIT_THISNODE = 1u << 20,
  GFP_BIT_ACCOUNT = 1u << 21,
  GFP_BIT_RECLAIMABLE = 1u << 22,
  GFP_BIT_WRITE = 1u << 23,
  GFP_BIT_NO_GROW = 1u << 24,
};
constexpr unsigned gfp_bit_count = 25;

struct GfpName {
  std::string_view name;
  Gfp mask[era_count];              // our bits; meaningful only where `known`
  std::uint32_t kernel[era_count];  // the bits of that era's kernel
  bool known[era_count];
};

// Every name of both eras: combinations first, longest first; then the single flags.
std::span<const GfpName> gfp_names();

// The mask of a combination that both eras have, e.g. "GFP_KERNEL". Aborts on an unknown name.
Gfp gfp_of(EraId era, std::string_view name);

// All bits that a flag of this era can set.
Gfp gfp_known(EraId era);

// Canonical text: names joined by '|', "0" for the empty mask. REQUIREs that the era knows every
// bit.
std::string print_gfp(EraId era, Gfp mask);

struct GfpError {
  std::size_t at;  // offset of the word that is no flag of this era
  std::string expected;
};
std::expected<Gfp, GfpError> parse_gfp(EraId era, std::string_view text);

}  // namespace ref::core
