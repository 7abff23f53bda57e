// Page tables and TLBs of the window, and the text that is made of its records.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "props/vmalloc/invariants_parts.hpp"
#include "ref/mmu/mmu.hpp"

namespace props::vmalloc {
namespace {

using ref::vmalloc::Address;

std::optional<Pfn> walked(const Machine& m, std::uint64_t p) {
  return ref::mmu::walk(m, Address{address_of(m, p)});
}

// The frame that must stand behind page i of an area, where its record says so.
std::optional<Pfn> recorded(const Machine& m, const AreaRecord& a, std::uint64_t i) {
  if (a.nr_pages != 0) return listed_page(m, a.page_array, i);
  if (a.phys_addr != 0) return static_cast<Pfn>(a.phys_addr / m.config.page_bytes + i);
  return std::nullopt;
}

// An area is mapped whole or not at all; its guard never.
Broken area_mapped(const Machine& m, std::uint64_t p) {
  const RangeRecord& r = range_of(m, p);
  const AreaRecord& a = area_of(m, p);
  const bool guard = !(a.flags & ref::vmalloc::VM_NO_GUARD);
  const std::uint64_t inside = r.pages - (guard && r.pages > 0 ? 1 : 0);
  const bool known = a.nr_pages != 0 || a.phys_addr != 0;
  const bool mapped = known || (inside > 0 && walked(m, p).has_value());
  for (std::uint64_t i = 0; i < inside; ++i) {
    const auto pfn = walked(m, p + i);
    if (pfn.has_value() != mapped)
      return of_page("a frame behind a page of an area", p + i, mapped, pfn.has_value());
    if (known && pfn != recorded(m, a, i))
      return of_page("the frame that the area lists", p + i, recorded(m, a, i).value_or(0),
                     pfn.value_or(0));
  }
  for (std::uint64_t i = inside; i < r.pages; ++i)
    if (const auto pfn = walked(m, p + i))
      return of_page("a frame behind a guard", p + i, 0, *pfn + 1);
  return std::nullopt;
}

// One line of the file, but for the counts by node.
std::string line_of(const Machine& m, std::uint64_t p) {
  const RangeRecord& r = range_of(m, p);
  const AreaRecord& a = area_of(m, p);
  std::ostringstream line;
  const std::uint64_t bytes = std::uint64_t{r.pages} * m.config.page_bytes;
  const auto wide = 2 * m.config.profile().word_bytes;
  line << fmt::format("0x{:0{}x}-0x{:0{}x} {:7}", address_of(m, p), wide, address_of(m, p) + bytes,
                      wide, bytes);
  if (r.set == RangeSet::lazy) line << " unpurged vm_area";
  else if (a.object == 0) line << " vm_map_ram";
  if (a.object == 0) return line.str();
  line << " task" << a.caller - 1;
  if (a.nr_pages > 0) line << " pages=" << a.nr_pages;
  if (a.phys_addr > 0) line << fmt::format(" phys=0x{:0{}x}", a.phys_addr, wide);
  constexpr std::array<std::pair<std::uint32_t, std::string_view>, 5> words{
      {{1u, "ioremap"}, {2u, "vmalloc"}, {4u, "vmap"}, {8u, "user"}, {16u, "dma-coherent"}}};
  for (const auto& [bit, word] : words)
    if (a.flags & bit) line << ' ' << word;
  const auto& window = m.mmu.window;
  if (a.page_array >= window.vmalloc_start && a.page_array < window.vmalloc_end) line << " vpages";
  return line.str();
}

}  // namespace

Broken mapped_broken(const Machine& m) {
  if (!is_up(m)) return std::nullopt;
  for (std::uint64_t p = 0; p < pages_of(m);) {
    const RangeRecord& r = range_of(m, p);
    if (r.pages != 0 && r.set == RangeSet::busy) {
      if (area_of(m, p).object != 0)
        if (const Broken w = area_mapped(m, p)) return w;
      p += r.pages;
      continue;
    }
    if (const auto pfn = walked(m, p)) return of_page("a frame where no area is", p, 0, *pfn + 1);
    ++p;
  }
  return std::nullopt;
}

// No CPU knows a translation of what is free; of an area none but the right ones (V-40).
Broken cached_broken(const Machine& m) {
  if (!is_up(m)) return std::nullopt;
  std::vector<std::uint64_t> range(pages_of(m), pages_of(m));
  for (const RangeSet set : {RangeSet::busy, RangeSet::lazy})
    for (const std::uint64_t p : begins(m, set))
      for (std::uint64_t i = p; i < std::min(p + range_of(m, p).pages, pages_of(m)); ++i)
        range[i] = p;
  Broken broken;
  ref::mmu::for_each_cached(m, [&](std::uint32_t cpu, Address address, Pfn pfn) {
    const auto at = static_cast<std::uint64_t>(address);
    if (broken || at < m.mmu.window.vmalloc_start || at >= m.mmu.window.vmalloc_end) return;
    const std::uint64_t p = (at - m.mmu.window.vmalloc_start) / m.config.page_bytes;
    const std::string what = fmt::format("a translation that CPU {} keeps", cpu);
    if (range[p] == pages_of(m))
      return void(broken = of_page(what + " of what is free", p, 0, pfn + 1));
    const bool area =
        range_of(m, range[p]).set == RangeSet::busy && area_of(m, range[p]).object != 0;
    if (area && walked(m, p) != pfn)
      broken = of_page(what, p, walked(m, p) ? *walked(m, p) + 1 : 0, pfn + 1);
  });
  return broken;
}

// VI-1: areas by address, then what is lazy; the counts by node add up to the area's pages.
Broken text_broken(const Machine& m) {
  if (!is_up(m)) return std::nullopt;
  std::istringstream text(ref::vmalloc::vmallocinfo(m));
  std::vector<std::uint64_t> pages = begins(m, RangeSet::busy);
  const std::size_t busy = pages.size();
  if (busy > 0)
    for (const std::uint64_t p : begins(m, RangeSet::lazy)) pages.push_back(p);
  std::size_t i = 0;
  for (std::string line; std::getline(text, line); ++i) {
    if (i >= pages.size()) return Witness{"lines", pages.size(), i + 1};
    std::uint64_t by_node = 0;
    const std::size_t nodes = line.find(" N");
    std::istringstream counts(nodes == line.npos ? "" : line.substr(nodes));
    for (std::string word; counts >> word;)
      by_node += std::strtoull(word.c_str() + word.find('=') + 1, nullptr, 10);
    line.resize(std::min(nodes, line.size()));
    if (line != line_of(m, pages[i]))
      return of_page("the line '" + line_of(m, pages[i]) + "', not '" + line + "'", pages[i], 1, 0);
    const AreaRecord& a = area_of(m, pages[i]);
    const bool counts_nodes = m.config.profile().numa && i < busy && a.object != 0 &&
                              !(a.flags & ref::vmalloc::VM_UNINITIALIZED);
    if (by_node != (counts_nodes ? a.nr_pages : 0))
      return of_page("pages by node", pages[i], counts_nodes ? a.nr_pages : 0, by_node);
  }
  if (i != pages.size()) return Witness{"lines", pages.size(), i};
  return std::nullopt;
}

}  // namespace props::vmalloc
