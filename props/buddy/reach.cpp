// Counts what was reached.
#include "props/buddy/reach.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <span>

#include "props/buddy/reach_parts.hpp"

namespace props::buddy {
namespace {

using namespace ref::core;

GfpNames make_gfp_names() {
  GfpNames all;
  for (const GfpName& n : gfp_names()) {
    if (!n.name.starts_with("GFP_")) continue;
    const auto at = std::ranges::find(all.names, n.name);
    const auto i = static_cast<std::size_t>(at - all.names.begin());
    if (at == all.names.end()) all.names.push_back(n.name);
    REQUIRE(i < Reach::gfp_names_max);
    for (std::size_t e = 0; e < era_count; ++e) {
      // A second name for the same mask cannot be told from the first.
      const auto same = std::ranges::find(all.masks[e], n.mask[e], &GfpNames::Mask::mask);
      if (!n.known[e] || same != all.masks[e].end()) continue;
      all.masks[e].push_back({n.mask[e], i});
      all.known[e][i] = true;
    }
  }
  return all;
}

std::uint64_t sum(std::span<const std::uint64_t> counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

// "0-10", "0-3,5", "none"
std::string ranges(std::span<const std::uint64_t> counts) {
  std::string text;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const std::size_t first = i;
    while (i + 1 < counts.size() && counts[i + 1] > 0) ++i;
    text += text.empty() ? "" : ",";
    text += first == i ? fmt::format("{}", i) : fmt::format("{}-{}", first, i);
  }
  return text.empty() ? "none" : text;
}

using Flat = std::array<std::uint64_t, sizeof(Reach) / sizeof(std::uint64_t)>;
static_assert(sizeof(Flat) == sizeof(Reach));

}  // namespace

const GfpNames& names_of_gfp() {
  static const GfpNames all = make_gfp_names();
  return all;
}

void Reach::add(const Reach& o) {
  Flat mine = std::bit_cast<Flat>(*this);
  const Flat other = std::bit_cast<Flat>(o);
  for (std::size_t i = 0; i < mine.size(); ++i) mine[i] += other[i];
  *this = std::bit_cast<Reach>(mine);
}

void Reach::count_gfp(EraId era, Gfp mask, bool got) {
  for (Gfp left = mask; left != 0; left &= left - 1) {
    const auto bit = static_cast<std::size_t>(std::countr_zero(left));
    ++gfp_flags[bit];
  }
  for (const GfpNames::Mask& known : names_of_gfp().masks[static_cast<std::size_t>(era)]) {
    if ((mask & known.mask) != known.mask || (known.mask == 0 && mask != 0)) continue;
    ++gfp_asked[known.name];
    gfp_granted[known.name] += got;
    return;
  }
}

std::string reach_line(const Reach& r) {
  const auto percent = [](std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : part * 100 / whole;
  };
  const std::uint64_t granted = sum(r.granted), refused = sum(r.refused) + r.too_large[0];
  const std::uint64_t executed = sum(r.executed), skipped = sum(r.skipped);
  const auto faults =
      std::ranges::count_if(std::span(r.faults).subspan(1), [](std::uint64_t n) { return n > 0; });
  return fmt::format("grants {}% skips {}% faults {}/{} orders {}",
                     percent(granted, granted + refused), percent(skipped, executed + skipped),
                     faults, r.faults.size() - 1, ranges(r.granted));
}

}  // namespace props::buddy
