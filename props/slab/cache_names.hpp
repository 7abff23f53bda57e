// cache_names: the names that a cache may be given in a trace, and what the kernel is told.
//
//   name=inode ──▶ "inode"      name=NULL ──▶ no name      name=with_space ──▶ "with space"
#pragma once
#include <algorithm>
#include <optional>

#include "props/core/operation.hpp"

namespace props::slab {

struct CacheNameText {
  std::string_view word;                 // as a trace spells it
  std::optional<std::string_view> told;  // as the call is told
};
inline constexpr std::array cache_names{
    CacheNameText{"NULL", std::nullopt},
    CacheNameText{"inode", "inode"},
    CacheNameText{"dentry", "dentry"},
    CacheNameText{"buffer", "buffer"},
    CacheNameText{"skbuff", "skbuff"},
    CacheNameText{"vma", "vma"},
    CacheNameText{"files", "files"},
    CacheNameText{"signal", "signal"},
    CacheNameText{"sock", "sock"},
    CacheNameText{"bio", "bio"},
    CacheNameText{"with_space", "with space"},
    CacheNameText{"empty", ""},
    CacheNameText{"longest", "a-name-of-sixty-three-characters-is-the-longest-that-we-cankeep"},
    CacheNameText{"too_long", "a-name-of-sixty-four-characters-which-is-one-more-than-there-fit"},
};
// What a record has room for (ref/slab/machine.hpp), and one more.
static_assert(cache_names[cache_names.size() - 2].told->size() == 63);
static_assert(cache_names.back().told->size() == 64);

struct CacheName {
  std::uint8_t index = 0;

  std::optional<std::string_view> told() const { return cache_names[index].told; }
  std::string print(EraId) const { return std::string(cache_names[index].word); }
  static Parsed<CacheName> parse(std::string_view text, EraId) {
    const auto* at = std::ranges::find(cache_names, text, &CacheNameText::word);
    if (at == cache_names.end()) return std::unexpected(describe());
    return CacheName{static_cast<std::uint8_t>(at - cache_names.begin())};
  }
  static std::string describe() {
    std::string text = "one of";
    for (const CacheNameText& name : cache_names) text += " " + std::string(name.word);
    return text;
  }
  void encode(ByteWriter& to, EraId) const { to.byte(index); }
  static CacheName decode(ByteReader& from, EraId) {
    return {static_cast<std::uint8_t>(from.byte() % cache_names.size())};
  }
  bool operator==(const CacheName&) const = default;

  // Names weigh alike, but for none: no simpler one is offered.
  friend std::uint64_t weight_of(const CacheName&, EraId) { return 0; }
  friend std::vector<CacheName> simpler(const CacheName&, EraId) { return {}; }
};

}  // namespace props::slab
