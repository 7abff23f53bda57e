// naive_oracle: the page oracle restated without a tree, by looking at every frame; for tests.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "props/buddy/oracle.hpp"

namespace props::buddy {

// What the oracle must know, without a tree.
class Naive {
 public:
  explicit Naive(const Config& c)
      : c_(c),
        kbytes_(ref::core::min_free_kbytes_of(c)),
        ratio_(ref::core::lowmem_reserve_ratio_of(c)) {
    for (std::uint32_t z = 0; z < c.zone_count; ++z)
      for (Pfn p = first(z); p < end(z); ++p)
        if (!c.is_reserved(p)) free_.insert(p);
  }

  bool is_free(Pfn pfn, unsigned order) const {
    for (Pfn p = pfn; p < pfn + (Pfn{1} << order); ++p)
      if (!free_.contains(p)) return false;
    return true;
  }
  std::optional<std::uint32_t> zone_of(Pfn pfn) const {
    for (std::uint32_t z = 0; z < c_.zone_count; ++z)
      if (first(z) <= pfn && pfn < end(z)) return z;
    return std::nullopt;
  }
  std::uint64_t unowned(std::uint32_t z) const {
    return static_cast<std::uint64_t>(
        std::ranges::count_if(free_, [&](Pfn p) { return zone_of(p) == z; }));
  }

  std::string judge(Pfn pfn, unsigned order, const Ask& ask) const {
    const Pfn pages = Pfn{1} << order;
    const auto z = zone_of(pfn);
    if (!z) return "PAGE-INSIDE";
    if (!aligned(*z, pfn, order)) return "PAGE-ALIGNED";
    if (zone_of(pfn + pages - 1) != z) return "PAGE-INSIDE";
    if (!is_free(pfn, order)) return "PAGE-DISJOINT";
    if (!allowed(*z, ask)) return "PAGE-ZONE";
    return "";
  }
  void own(Pfn pfn, unsigned order) {
    for (Pfn p = pfn; p < pfn + (Pfn{1} << order); ++p) free_.erase(p);
  }
  void give(Pfn pfn, unsigned order) {
    for (Pfn p = pfn; p < pfn + (Pfn{1} << order); ++p) free_.insert(p);
  }

  // The largest aligned free block that begins at each frame not covered so far.
  std::vector<FreeBlock> blocks(std::uint32_t z) const {
    std::vector<FreeBlock> found;
    for (Pfn p = first(z); p < end(z);) {
      int order = static_cast<int>(c_.orders) - 1;
      while (order >= 0 && !(aligned(z, p, static_cast<unsigned>(order)) &&
                             is_free_in(z, p, static_cast<unsigned>(order))))
        --order;
      if (order >= 0) found.push_back({p, static_cast<unsigned>(order)});
      p += order >= 0 ? Pfn{1} << order : 1;
    }
    return found;
  }

  bool must_refuse(const Ask& ask) const {
    bool any = false;
    for (std::uint32_t z = 0; z < c_.zone_count; ++z) any |= allowed(z, ask);
    return !any || ask.order >= c_.orders;
  }
  bool must_grant(const Ask& ask) const {
    if (ask.order >= c_.orders) return false;
    for (std::uint32_t z = 0; z < c_.zone_count; ++z) {
      const auto b = blocks(z);
      const bool fits = std::ranges::any_of(b, [&](FreeBlock f) { return f.order >= ask.order; });
      if (allowed(z, ask) && fits && above_low(z, ask, b)) return true;
    }
    return false;
  }

  // W-10, each era's own words.
  std::uint64_t low_mark(std::uint32_t z) const {
    const std::uint64_t least = kbytes_ * 1024 / c_.page_bytes;
    if (least == 0) return 0;
    const bool high = c_.zones[z].kind == ZoneKind::highmem;
    const std::uint64_t managed = c_.managed(z), lowmem = c_.lowmem_pages();
    const std::uint64_t share = lowmem ? least * managed / lowmem : 0;
    std::uint64_t min = share;
    if (high) min = std::min<std::uint64_t>(128, std::max<std::uint64_t>(32, managed / 1024));
    if (c_.era == ref::core::EraId::linux_2_6_11) return min + min / 4;
    return min + std::max(share / 4, managed / 1000);
  }
  // W-9: the managed pages of the zones above, up to the highest asked, divided once.
  std::uint64_t reserve(std::uint32_t z, ZoneKind highest) const {
    const ZoneKind own = c_.zones[z].kind;
    if (own == ZoneKind::highmem || c_.managed(z) == 0) return 0;
    const std::uint32_t ratio = ratio_[own == ZoneKind::dma ? 0 : 1];
    std::uint64_t above = 0;
    for (std::uint32_t other = 0; other < c_.zone_count; ++other)
      if (c_.zones[other].node == c_.zones[z].node && c_.zones[other].kind > own &&
          c_.zones[other].kind <= highest)
        above += c_.managed(other);
    return ratio ? above / ratio : 0;
  }
  void set_kbytes(std::uint32_t k) { kbytes_ = k; }
  void set_ratio(ZoneKind kind, std::uint32_t r) { ratio_[kind == ZoneKind::dma ? 0 : 1] = r; }

 private:
  Pfn first(std::uint32_t z) const { return c_.zones[z].first; }
  Pfn end(std::uint32_t z) const { return c_.zones[z].first + c_.zones[z].pages; }
  bool aligned(std::uint32_t z, Pfn pfn, unsigned order) const {
    const Pfn from = c_.era == ref::core::EraId::linux_2_6_11 ? first(z) : 0;  // B-2
    return (pfn - from) % (Pfn{1} << order) == 0;
  }
  bool is_free_in(std::uint32_t z, Pfn pfn, unsigned order) const {
    return pfn + (Pfn{1} << order) <= end(z) && is_free(pfn, order);
  }
  bool allowed(std::uint32_t z, const Ask& ask) const {
    if (ask.this_node && c_.zones[z].node != ask.node) return false;
    return static_cast<int>(c_.zones[z].kind) <= static_cast<int>(ask.highest);
  }
  // W-3 with the low mark; then W-5 (2.6.11): without the blocks of each lower order, what is left
  // must be above half the mark, a quarter, and so on.
  bool above_low(std::uint32_t z, const Ask& ask, const std::vector<FreeBlock>& b) const {
    std::int64_t left = static_cast<std::int64_t>(unowned(z)) - (1 << ask.order) + 1;
    const auto mark = static_cast<std::int64_t>(low_mark(z));
    if (left <= mark + static_cast<std::int64_t>(reserve(z, ask.highest))) return false;
    if (c_.era == ref::core::EraId::linux_6_1) return true;
    for (unsigned o = 0; o < ask.order; ++o) {
      left -= std::ranges::count(b, o, &FreeBlock::order) << o;
      if (left <= mark >> (o + 1)) return false;
    }
    return true;
  }

  Config c_;
  std::uint64_t kbytes_;
  std::array<std::uint32_t, 2> ratio_;
  std::set<Pfn> free_;
};

inline constexpr ZoneKind kinds[] = {ZoneKind::dma, ZoneKind::normal, ZoneKind::highmem};

inline void expect_same(const PageOracle& oracle, const Naive& naive, const Config& c) {
  for (std::uint32_t z = 0; z < c.zone_count; ++z) {
    ASSERT_EQ(oracle.unowned(z), naive.unowned(z));
    ASSERT_EQ(oracle.low_mark(z), naive.low_mark(z));
    for (const ZoneKind kind : kinds) ASSERT_EQ(oracle.reserve(z, kind), naive.reserve(z, kind));
    const auto same = [](FreeBlock a, FreeBlock b) { return a.pfn == b.pfn && a.order == b.order; };
    ASSERT_TRUE(std::ranges::equal(oracle.free_blocks(z), naive.blocks(z), same)) << z;
  }
  for (const ZoneKind kind : kinds)
    for (unsigned order = 0; order <= c.orders; ++order)
      for (std::uint32_t node = 0; node < 2 * c.nodes; ++node) {
        const Ask ask{order, kind, node % c.nodes, node >= c.nodes};
        ASSERT_EQ(oracle.must_refuse(ask), naive.must_refuse(ask)) << order;
        ASSERT_EQ(oracle.must_grant(ask), naive.must_grant(ask)) << order;
      }
}

}  // namespace props::buddy
