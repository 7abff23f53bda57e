// Implements the policy-free oracle: the tree over each zone, and the judgement of answers.
#include "props/buddy/oracle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "ref/core/require.hpp"

namespace props::buddy {

using ref::core::zone_kinds;
using ref::core::zone_names;

namespace {

constexpr unsigned word_order = 6;
constexpr std::uint64_t word_bits = std::uint64_t{1} << word_order;

// 2^order ones; up to a whole word.
constexpr std::uint64_t bits_of(unsigned order) {
  return ~std::uint64_t{0} >> (word_bits - (std::uint64_t{1} << order));
}

// 1 + the order of the largest aligned run of ones in a word, 0 for none.
constexpr std::uint8_t largest_in(std::uint64_t free) {
  constexpr std::array<std::uint64_t, word_order> firsts{0x5555555555555555, 0x1111111111111111,
                                                         0x0101010101010101, 0x0001000100010001,
                                                         0x0000000100000001, 1};
  std::uint8_t found = 0;
  for (unsigned order = 0; free != 0; ++order) {
    ++found;
    if (order == word_order) break;
    free &= free >> (1u << order) & firsts[order];
  }
  return found;
}
static_assert(largest_in(0) == 0);
static_assert(largest_in(0x8000000000000000) == 1);
static_assert(largest_in(0x6) == 1);  // neighbours, and no pair
static_assert(largest_in(0xf0) == 3);
static_assert(largest_in(~std::uint64_t{0}) == word_order + 1);

std::string block_text(Pfn pfn, unsigned order) {
  return fmt::format("the block of {} pages at pfn {}", std::uint64_t{1} << order, pfn);
}

}  // namespace

PageOracle::PageOracle(const Config& config) : config_(config) {
  const bool from_zone = config.profile().buddy_index == ref::core::BuddyIndex::zone_relative;
  const std::uint64_t largest_block = std::uint64_t{1} << (config.orders - 1);
  std::uint64_t words = 0;
  for (std::uint32_t z = 0; z < config.zone_count; ++z) {
    const auto& spec = config.zones[z];
    Zone& zone = zone_[z];
    zone.origin = from_zone ? spec.first : spec.first / largest_block * largest_block;
    const std::uint64_t span = spec.first + spec.pages - zone.origin;
    zone.height =
        static_cast<unsigned>(std::bit_width(std::max({span, largest_block, word_bits}) - 1));
    zone.words = std::uint64_t{1} << (zone.height - word_order);
    zone.first_word = words;
    words += zone.words;
    zone.node = tree_.lay<std::uint8_t>(2 * zone.words);
  }
  REQUIRE(words <= UINT32_MAX);
  word_ = arena_.lay<std::uint64_t>(words);
  untold_at_ = tree_.lay<std::uint8_t>(words);
  arena_.fit();
  tree_.fit();
  for (std::uint64_t w = 0; w < words; ++w) arena_.edit(word_, w) = ~std::uint64_t{0};
  for (std::uint32_t z = 0; z < config.zone_count; ++z) {
    mark_range(z, config.zones[z].first, config.zones[z].pages, true);
    for (std::uint32_t i = 0; i < config.reserved_count; ++i) {
      const auto& r = config.reserved[i];
      if (zone_of(r.first) == z) mark_range(z, r.first, r.last - r.first + 1, false);
    }
  }
  managed_all_ = unowned_all_;
  min_free_kbytes_ = ref::core::min_free_kbytes_of(config);
  ratio_ = ref::core::lowmem_reserve_ratio_of(config);
  recompute_marks();
  rebase();
}

void PageOracle::rebase() {
  tell_tree();
  arena_.rebase();
  tree_.rebase();
}

// --- the tree ---------------------------------------------------------------------------------

// Tells the nodes above a leaf, until one's answer stays the same.
void PageOracle::tell_parents(const Zone& zone, std::uint64_t node) const {
  for (unsigned level = word_order + 1; node > 1; ++level) {
    node /= 2;
    const std::uint8_t left = tree_.at(zone.node, 2 * node);
    const std::uint8_t right = tree_.at(zone.node, 2 * node + 1);
    const bool whole = left == level && right == level;
    const auto value = static_cast<std::uint8_t>(whole ? level + 1 : std::max(left, right));
    if (tree_.at(zone.node, node) == value) return;
    tree_.edit(zone.node, node) = value;
  }
}

// Tells the tree of every word that changed since it was last asked.
void PageOracle::tell_tree() const {
  for (const std::uint32_t word : untold_) {
    tree_.edit(untold_at_, word) = 0;
    const Zone* zone = &zone_[0];
    while (word - zone->first_word >= zone->words) ++zone;
    const std::uint64_t leaf = zone->words + (word - zone->first_word);
    const std::uint8_t value = largest_in(~arena_.at(word_, word));
    if (tree_.at(zone->node, leaf) == value) continue;
    tree_.edit(zone->node, leaf) = value;
    tell_parents(*zone, leaf);
  }
  untold_.clear();
}

// The owned bits of a word, about to be changed.
std::uint64_t& PageOracle::change_word(std::uint64_t word) {
  if (!tree_.at(untold_at_, word)) {
    tree_.edit(untold_at_, word) = 1;
    untold_.push_back(static_cast<std::uint32_t>(word));
  }
  return arena_.edit(word_, word);
}

void PageOracle::mark(std::uint32_t z, std::uint64_t position, unsigned order, bool free) {
  const std::uint64_t change = free ? std::uint64_t{1} << order : -(std::uint64_t{1} << order);
  unowned_[z] += change;
  unowned_all_ += change;
  const std::uint64_t first = zone_[z].first_word + position / word_bits;
  if (order < word_order) {
    const std::uint64_t bits = bits_of(order) << (position % word_bits);
    std::uint64_t& word = change_word(first);
    word = free ? word & ~bits : word | bits;
    return;
  }
  for (std::uint64_t i = 0; i < std::uint64_t{1} << (order - word_order); ++i)
    change_word(first + i) = free ? 0 : ~std::uint64_t{0};
}

void PageOracle::mark_range(std::uint32_t z, Pfn first, std::uint64_t pages, bool free) {
  std::uint64_t at = first - zone_[z].origin;
  const std::uint64_t end = at + pages;
  while (at < end) {
    unsigned order = static_cast<unsigned>(std::bit_width(end - at)) - 1;
    if (at != 0) order = std::min(order, static_cast<unsigned>(std::countr_zero(at)));
    order = std::min(order, zone_[z].height);
    mark(z, at, order, free);
    at += std::uint64_t{1} << order;
  }
}

bool PageOracle::is_free_in(const Zone& zone, std::uint64_t position, unsigned order) const {
  if (order > zone.height || position % (std::uint64_t{1} << order) != 0) return false;
  const std::uint64_t word = zone.first_word + position / word_bits;
  if (order < word_order)
    return (arena_.at(word_, word) >> (position % word_bits) & bits_of(order)) == 0;
  for (std::uint64_t i = 0; i < std::uint64_t{1} << (order - word_order); ++i)
    if (arena_.at(word_, word + i) != 0) return false;
  return true;
}

bool PageOracle::is_free(Pfn pfn, unsigned order) const {
  const auto z = zone_of(pfn);
  return z && is_free_in(zone_[*z], pfn - zone_[*z].origin, order);
}

void PageOracle::collect_word(const Zone& zone, std::uint64_t word,
                              std::vector<FreeBlock>& to) const {
  std::uint64_t free = ~arena_.at(word_, zone.first_word + word);
  while (free != 0) {
    const auto at = static_cast<unsigned>(std::countr_zero(free));
    unsigned order = 0;
    while (order + 1 < config_.orders && at % (2u << order) == 0 &&
           (free >> at & bits_of(order + 1)) == bits_of(order + 1))
      ++order;
    to.push_back({static_cast<Pfn>(zone.origin + word * word_bits + at), order});
    free &= ~(bits_of(order) << at);
  }
}

void PageOracle::collect(const Zone& zone, std::uint64_t node, unsigned level,
                         std::vector<FreeBlock>& to) const {
  const std::uint8_t value = tree_.at(zone.node, node);
  if (value == 0) return;
  if (level == word_order && (value != level + 1 || level >= config_.orders))
    return collect_word(zone, node - zone.words, to);
  if (value == level + 1) {
    const unsigned order = std::min(level, config_.orders - 1);
    const std::uint64_t position = (node << level) - (std::uint64_t{1} << zone.height);
    for (std::uint64_t i = 0; i < std::uint64_t{1} << (level - order); ++i)
      to.push_back({static_cast<Pfn>(zone.origin + position + (i << order)), order});
    return;
  }
  collect(zone, 2 * node, level - 1, to);
  collect(zone, 2 * node + 1, level - 1, to);
}

std::vector<FreeBlock> PageOracle::free_blocks(std::uint32_t z) const {
  tell_tree();
  std::vector<FreeBlock> blocks;
  collect(zone_[z], 1, zone_[z].height, blocks);
  return blocks;
}

// --- what changes hands -----------------------------------------------------------------------

std::optional<Finding> PageOracle::granted(Pfn pfn, unsigned order, const Ask& ask) {
  if (take(pfn, order, ask) == nowhere) return misplaced(pfn, order, ask);
  return std::nullopt;
}

// Every rule of a placement at once, and no words: that is the usual case, and the oracle's part of
// nearly every step, so worth having in one piece.
[[gnu::flatten]] std::uint32_t PageOracle::take(Pfn pfn, unsigned order, const Ask& ask) {
  std::uint32_t z = 0;
  while (z < config_.zone_count && pfn - config_.zones[z].first >= config_.zones[z].pages) ++z;
  if (z == config_.zone_count || order >= config_.orders || !allowed(z, ask)) return nowhere;
  const auto& spec = config_.zones[z];
  const bool zone_relative = config_.profile().buddy_index == ref::core::BuddyIndex::zone_relative;
  const std::uint64_t pages = std::uint64_t{1} << order;
  if (((pfn - (zone_relative ? spec.first : 0)) & (pages - 1)) != 0) return nowhere;
  if (std::uint64_t{pfn} + pages > std::uint64_t{spec.first} + spec.pages) return nowhere;
  const std::uint64_t position = pfn - zone_[z].origin;
  if (!is_free_in(zone_[z], position, order)) return nowhere;
  mark(z, position, order, false);
  return z;
}

// What is wrong with a placement, the worst first.
Finding PageOracle::misplaced(Pfn pfn, unsigned order, const Ask& ask) const {
  const auto z = zone_of(pfn);
  const std::uint64_t pages = std::uint64_t{1} << order;
  if (!z) {
    return {"PAGE-INSIDE", "a block inside one zone of the machine",
            fmt::format("pfn {}, which no zone has", pfn)};
  }
  const auto& spec = config_.zones[*z];
  const std::string name(zone_names[static_cast<std::size_t>(spec.kind)]);
  const bool zone_relative = config_.profile().buddy_index == ref::core::BuddyIndex::zone_relative;
  if ((pfn - (zone_relative ? spec.first : 0)) % pages != 0) {
    return {"PAGE-ALIGNED",
            fmt::format("a first page that is a multiple of {}{}", pages,
                        zone_relative ? " from the zone's start" : ""),
            fmt::format("pfn {}", pfn)};
  }
  if (std::uint64_t{pfn} + pages > std::uint64_t{spec.first} + spec.pages) {
    return {"PAGE-INSIDE",
            fmt::format("a block that ends before pfn {}, with zone {}",
                        std::uint64_t{spec.first} + spec.pages, name),
            block_text(pfn, order)};
  }
  if (!is_free(pfn, order)) {
    return {"PAGE-DISJOINT", "pages that nobody owns",
            block_text(pfn, order) + ", some of which are owned, reserved or lost"};
  }
  return {
      "PAGE-ZONE",
      fmt::format("a zone from {} downwards{}", zone_names[static_cast<std::size_t>(ask.highest)],
                  ask.this_node ? fmt::format(" of node {}", ask.node) : ""),
      fmt::format("zone {} of node {}", name, spec.node)};
}

[[gnu::flatten]] void PageOracle::released(Pfn pfn, unsigned order) {
  const auto z = zone_of(pfn);
  REQUIRE(z.has_value());
  mark(*z, pfn - zone_[*z].origin, order, true);
}

void PageOracle::lost(Pfn first, std::uint32_t pages) {
  for (Pfn pfn = first; pfn < first + pages; ++pfn) {
    if (!is_free(pfn, 0)) continue;  // it was owned: its owner loses it, U does not change
    const auto z = zone_of(pfn);
    mark(*z, pfn - zone_[*z].origin, 0, false);
  }
}

// --- what must be answered --------------------------------------------------------------------

bool PageOracle::allowed(std::uint32_t z, const Ask& ask) const {
  const auto& spec = config_.zones[z];
  return spec.kind <= ask.highest && (!ask.this_node || spec.node == ask.node);
}

bool PageOracle::must_refuse(const Ask& ask) const {
  if (ask.order >= config_.orders) return true;
  for (std::uint32_t z = 0; z < config_.zone_count; ++z)
    if (allowed(z, ask)) return false;
  return true;
}

bool PageOracle::passes_strictest(std::uint32_t z, const Ask& ask) const {
  auto free = static_cast<std::int64_t>(unowned(z)) - ((std::int64_t{1} << ask.order) - 1);
  auto min = static_cast<std::int64_t>(marks_.low[z]);
  const auto reserve =
      static_cast<std::int64_t>(marks_.reserve[z][static_cast<std::size_t>(ask.highest)]);
  if (free <= min + reserve) return false;
  switch (config_.profile().high_order_mark) {
    case ref::core::HighOrderMark::block_exists: return true;  // the caller has seen the block
    case ref::core::HighOrderMark::halving_loop: break;
  }
  std::array<std::int64_t, ref::core::orders_max> blocks{};
  for (const FreeBlock& b : free_blocks(z)) ++blocks[b.order];
  for (unsigned o = 0; o < ask.order; ++o) {
    free -= blocks[o] << o;
    min /= 2;
    if (free <= min) return false;
  }
  return true;
}

bool PageOracle::must_grant(const Ask& ask) const {
  if (ask.order >= config_.orders) return false;
  tell_tree();
  for (std::uint32_t z = 0; z < config_.zone_count; ++z)
    if (allowed(z, ask) && tree_.at(zone_[z].node, 1) > ask.order && passes_strictest(z, ask))
      return true;
  return false;
}

void PageOracle::set_min_free_kbytes(std::uint32_t kbytes) {
  min_free_kbytes_ = kbytes;
  recompute_marks();
}

void PageOracle::set_lowmem_reserve_ratio(ZoneKind kind, std::uint32_t ratio) {
  ratio_[static_cast<std::size_t>(kind)] = ratio;
  recompute_marks();
}

// The low mark of each zone and what requests from above must leave: from the sentences, by hand.
void PageOracle::recompute_marks() {
  const std::uint64_t kernel_min = std::uint64_t{min_free_kbytes_} * 1024 / config_.page_bytes;
  const std::uint64_t lowmem = config_.lowmem_pages();
  for (std::uint32_t z = 0; z < config_.zone_count; ++z) {
    const std::uint64_t managed = config_.managed(z);
    const bool high = config_.zones[z].kind == ZoneKind::highmem;
    const std::uint64_t share = lowmem == 0 ? 0 : kernel_min * managed / lowmem;
    const std::uint64_t min = high ? std::clamp<std::uint64_t>(managed / 1024, 32, 128) : share;
    const bool old = config_.profile().slow_path == ref::core::SlowPath::classic;
    const std::uint64_t low = old ? min * 5 / 4 : min + std::max(share / 4, managed * 10 / 10000);
    marks_.low[z] = kernel_min == 0 ? 0 : std::min<std::uint64_t>(low, INT32_MAX);
    marks_.reserve[z] = {};
    for (std::uint32_t other = 0; other < config_.zone_count; ++other) {
      const auto kind = static_cast<std::size_t>(config_.zones[z].kind);
      if (config_.zones[other].node != config_.zones[z].node || high || ratio_[kind] == 0) continue;
      // Every upper zone counts in the reserve against itself and against those above it.
      for (auto k = static_cast<std::size_t>(config_.zones[other].kind); k < zone_kinds; ++k)
        if (config_.zones[other].kind > config_.zones[z].kind)
          marks_.reserve[z][k] += config_.managed(other);
    }
    for (std::size_t k = 0; k < zone_kinds; ++k)
      if (!high && ratio_[static_cast<std::size_t>(config_.zones[z].kind)] > 0)
        marks_.reserve[z][k] /= ratio_[static_cast<std::size_t>(config_.zones[z].kind)];
    if (managed == 0) marks_.reserve[z] = {};
  }
}

}  // namespace props::buddy
