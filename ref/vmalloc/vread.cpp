// Implements what reads areas without owning them: vread, and what a user may be shown of one.
#include "ref/vmalloc/mapping.hpp"

namespace ref::vmalloc {
namespace {

// The next area at or behind a place, in address order; page + 1, 0: none.
Index first_ending_behind(const Machine& m, std::uint64_t address) {
  const int shift = slab::page_shift(m);
  const std::uint64_t page = address >> shift;
  if (page < window_base(m)) return set_of(m, RangeSet::busy).first;
  if (page - window_base(m) >= window_pages(m)) return 0;
  const auto p = static_cast<Index>(page - window_base(m));
  const Neighbours beside = neighbours(m, RangeSet::busy, p);
  return busy_at(m, p) ? beside.before : beside.after;
}

// Copies what is mapped of [address, + out.size()); the rest of `out` holds zeros already.
void copy_mapped(const Machine& m, std::uint64_t address, std::span<std::byte> out) {
  const std::uint64_t page_bytes = m.config.page_bytes;
  while (!out.empty()) {
    const std::uint64_t offset = address % page_bytes;
    const std::uint64_t bytes = std::min<std::uint64_t>(page_bytes - offset, out.size());
    if (const std::optional<Pfn> pfn = vmalloc_to_page(m, Address{address}))
      std::ranges::copy(buddy::read_pages(m, *pfn, offset, bytes), out.begin());
    address += bytes;
    out = out.subspan(bytes);
  }
}

}  // namespace

// V-32, as 6.1 has it: 2.6.11 also read what is ioremapped, and stopped behind the last area.
std::uint64_t vread(const Machine& m, Address address, std::span<std::byte> out) {
  std::ranges::fill(out, std::byte{0});
  const auto begin = static_cast<std::uint64_t>(address);
  const std::uint64_t most = m.profile().size_max - begin + 1;  // 0: all of it
  const std::uint64_t bytes =
      most != 0 && out.size() > most ? most : static_cast<std::uint64_t>(out.size());
  if (!up(m) || bytes == 0) return 0;
  const std::uint64_t end = begin + bytes;
  Index n = first_ending_behind(m, begin);
  if (n == 0 || end <= static_cast<std::uint64_t>(address_of(m, n - 1))) return 0;
  std::uint64_t at = begin;  // everything before is decided
  for (; n != 0 && at < end; n = linked(m, n).next) {
    const Area& area = area_of(m, n - 1);
    const auto first = static_cast<std::uint64_t>(address_of(m, n - 1));
    const std::uint64_t last =
        first + std::uint64_t{mappable_pages(m, n - 1, area.flags)} * m.config.page_bytes;
    if (area.object == 0 || at >= last) continue;
    at = std::min(std::max(at, first), end);
    const std::uint64_t stop = std::min(end, last);
    if (at < stop && !(area.flags & VM_IOREMAP))
      copy_mapped(m, at, out.subspan(at - begin, stop - at));
    at = std::max(at, stop);
  }
  return at == begin ? 0 : out.size();
}

// real-bugs 124, 125: nothing may wrap, and the guard is nobody's.
std::optional<std::vector<Pfn>> remap_vmalloc_range(const Machine& m, Address address,
                                                    std::uint64_t pgoff, std::uint64_t bytes) {
  const std::uint64_t page_bytes = m.config.page_bytes;
  const std::optional<Index> page = find_area(m, address);
  if (static_cast<std::uint64_t>(address) % page_bytes != 0 || !page) return std::nullopt;
  const Area& area = area_of(m, *page);
  if (!(area.flags & (VM_USERMAP | VM_DMA_COHERENT))) return std::nullopt;
  // Where an interior address finds the area, what lies behind it counts.
  const std::uint64_t skipped =
      (static_cast<std::uint64_t>(address) >> slab::page_shift(m)) - window_base(m) - *page;
  const std::uint64_t room = mappable_pages(m, *page, area.flags);
  const std::uint64_t pages = bytes / page_bytes + (bytes % page_bytes != 0);
  if (pages == 0 || skipped > room || pgoff > room - skipped || pages > room - skipped - pgoff)
    return std::nullopt;
  std::vector<Pfn> shown;
  for (std::uint64_t i = 0; i < pages; ++i) {
    const auto pfn = vmalloc_to_page(m, address_of(m, *page + skipped + pgoff + i));
    if (!pfn) return std::nullopt;
    shown.push_back(*pfn);
  }
  return shown;
}

}  // namespace ref::vmalloc
