// direct_map: the layouts of x86-64, and the vote of new slabs.
#include "props/linux/direct_map.hpp"

#include <array>
#include <limits>

namespace props::recorded {
namespace {

constexpr std::uint64_t struct_page_bytes = 64;
constexpr std::uint64_t kaslr_step = 1ull << 30;

// Documentation/arch/x86/x86_64/mm.rst. Linux 4.20 moved the map up by one entry of the top table.
struct Layout {
  std::uint64_t vmemmap;
  std::uint64_t base;
  std::uint64_t base_before_4_20;
};
constexpr std::array layouts{
    Layout{0xffffea0000000000, 0xffff888000000000, 0xffff880000000000},  // four levels of tables
    Layout{0xffd4000000000000, 0xff11000000000000, 0xff10000000000000},  // five
};

}  // namespace

bool DirectMap::believe(std::uint64_t base, Source source) {
  const bool other = source_ == Source::unknown || base_ != base;
  source_ = source;
  base_ = base;
  return other;
}

bool DirectMap::take_page(const PageEvent& event) {
  if (event.kind == PageEventKind::alloc) last_ = event;
  if (source_ != Source::unknown || event.page == 0) return false;
  for (const Layout& layout : layouts)
    if (event.page - layout.vmemmap == event.pfn * struct_page_bytes)
      return believe(layout.base, Source::layout);
  return false;
}

bool DirectMap::take_object(std::uint64_t address, std::uint64_t bytes) {
  bool other = false;
  if (source_ == Source::layout)
    for (const Layout& layout : layouts)
      if (base_ == layout.base && address >= layout.base_before_4_20 && address < layout.base)
        other = believe(layout.base_before_4_20, Source::layout);
  if (!last_) return other;

  const std::uint64_t distance = address - last_->pfn * page_bytes;
  const std::uint64_t inside = distance % kaslr_step;
  const unsigned order = last_->order;
  const std::uint64_t block_bytes = order < 18 ? page_bytes << order : kaslr_step;
  if (inside >= block_bytes || bytes > block_bytes - inside) return other;
  last_.reset();
  if (const std::uint64_t base = distance - inside; votes_ == 0) candidate_ = base, votes_ = 1;
  else if (candidate_ != base) --votes_;
  else if (++votes_ >= proof) other = believe(base, Source::objects) || other;
  return other;
}

DirectMap::Range DirectMap::addresses(std::uint64_t pfn, std::uint8_t order) const {
  const std::uint64_t pages_most = (std::numeric_limits<std::uint64_t>::max() - base_) / page_bytes;
  if (source_ == Source::unknown || pfn > pages_most || (1ull << order) > pages_most - pfn)
    return {};
  const std::uint64_t first = base_ + pfn * page_bytes;
  return {first, first + (page_bytes << order)};
}

}  // namespace props::recorded
