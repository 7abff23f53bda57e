// Implements the text of /proc/vmallocinfo (VI-1).
//
//   0x00000000f7ffe000-0x00000000f8001000   12288 task0 pages=2 vmalloc N0=2
//   0x00000000f8001000-0x00000000f8003000    8192 unpurged vm_area
//
// Callers have no code here, so the task stands for the caller's symbol. 2.6.11 had no such file;
// it is shown as 6.1 would.
#include <fmt/format.h>

#include "ref/mmu/mmu.hpp"
#include "ref/vmalloc/mapping.hpp"

namespace ref::vmalloc {
namespace {

std::string extent(const Machine& m, Index link) {
  const std::uint64_t bytes = std::uint64_t{linked(m, link).pages} * m.config.page_bytes;
  const auto first = static_cast<std::uint64_t>(address_of(m, link - 1));
  const std::uint32_t digits = 2 * m.profile().word_bytes;
  return fmt::format("0x{:0{}x}-0x{:0{}x} {:7}", first, digits, first + bytes, digits, bytes);
}

// A list of pages as it stands in memory, without a trace in any TLB.
std::optional<Pfn> entry_at(const Machine& m, Address list, std::uint64_t i) {
  std::uint64_t word = 0;
  for (std::uint64_t b = m.profile().word_bytes; b-- > 0;) {
    const Address at{static_cast<std::uint64_t>(list) + i * m.profile().word_bytes + b};
    const std::optional<Pfn> pfn =
        is_vmalloc_addr(m, at) ? vmalloc_to_page(m, at) : buddy::virt_to_pfn(m, at);
    if (!pfn) return std::nullopt;
    const std::uint64_t offset = static_cast<std::uint64_t>(at) % m.config.page_bytes;
    word = word << 8 | std::to_integer<std::uint64_t>(buddy::read_pages(m, *pfn, offset, 1)[0]);
  }
  if (word == 0 || word > core::pfn_end) return std::nullopt;
  return static_cast<Pfn>(word - 1);
}

// Of how many pages each node is, where the era counts nodes.
std::string numa_info(const Machine& m, const Area& area) {
  if (!m.profile().numa || area.flags & VM_UNINITIALIZED) return "";
  std::array<std::uint32_t, core::nodes_max> counts{};
  for (std::uint32_t i = 0; i < area.nr_pages; ++i) {
    const std::optional<Pfn> pfn = entry_at(m, Address{area.page_array}, i);
    const Index z = pfn ? buddy::zone_of_pfn(m, *pfn) : buddy::no_zone;
    if (z != buddy::no_zone) ++counts[buddy::zone_at(m, z).node];
  }
  std::string text;
  for (std::size_t node = 0; node < counts.size(); ++node)
    if (counts[node] > 0) text += fmt::format(" N{}={}", node, counts[node]);
  return text;
}

std::string kinds(const Machine& m, const Area& area) {
  std::string text;
  if (area.flags & VM_IOREMAP) text += " ioremap";
  if (area.flags & VM_ALLOC) text += " vmalloc";
  if (area.flags & VM_MAP) text += " vmap";
  if (area.flags & VM_USERMAP) text += " user";
  if (area.flags & VM_DMA_COHERENT) text += " dma-coherent";
  if (is_vmalloc_addr(m, Address{area.page_array})) text += " vpages";
  return text;
}

std::string described(const Machine& m, Index link) {
  const Area& area = area_of(m, link - 1);
  if (area.object == 0) return " vm_map_ram";
  std::string text = fmt::format(" task{}", area.caller - 1);
  if (area.nr_pages != 0) text += fmt::format(" pages={}", area.nr_pages);
  if (area.phys_addr != 0)
    text += fmt::format(" phys=0x{:0{}x}", area.phys_addr, 2 * m.profile().word_bytes);
  return text + kinds(m, area) + numa_info(m, area);
}

}  // namespace

// What is lazy is printed behind the last busy range, and not at all where there is none.
std::string vmallocinfo(const Machine& m) {
  if (!up(m)) return "";
  std::string text;
  for (Index n = set_of(m, RangeSet::busy).first; n != 0; n = linked(m, n).next)
    text += extent(m, n) + described(m, n) + "\n";
  if (text.empty()) return text;
  for (Index n = set_of(m, RangeSet::lazy).first; n != 0; n = linked(m, n).next)
    text += extent(m, n) + " unpurged vm_area\n";
  return text;
}

}  // namespace ref::vmalloc
