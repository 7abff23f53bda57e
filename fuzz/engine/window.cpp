// Reads the parts of the window from page tables and from the records of areas.
#include "fuzz/engine/window.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <sstream>

#include "ref/mmu/layout.hpp"
#include "ref/mmu/mmu.hpp"

namespace fuzz {
namespace {

using ref::mmu::RegionKind;
using ref::vmalloc::RangeSet;

// Pages of a region by whether something is mapped there.
void add_mapped(const ref::mmu::Machine& m, const ref::mmu::Region& region,
                std::vector<WindowPart>& parts) {
  const std::string_view name = ref::mmu::region_names[static_cast<std::size_t>(region.kind)];
  for (std::uint64_t at = region.begin; at < region.end; at += m.config.page_bytes) {
    const bool mapped = ref::mmu::walk(m, ref::mmu::Address{at}).has_value();
    const std::string_view kind = mapped ? "map" : "empty";
    const bool goes_on = at > region.begin && parts.back().kind == kind;
    if (!goes_on) parts.push_back({at, at, kind, std::string(name)});
    parts.back().end = at + m.config.page_bytes;
  }
}

// What the file says of the area that begins there, without addresses and size.
std::string owner_of(const std::string& vmallocinfo, std::uint64_t first) {
  std::istringstream lines(vmallocinfo);
  for (std::string line; std::getline(lines, line);) {
    if (std::strtoull(line.c_str(), nullptr, 16) != first) continue;
    std::istringstream words(line);
    std::string range, bytes, owner;
    words >> range >> bytes >> std::ws;
    std::getline(words, owner);
    return owner;
  }
  return {};
}

void add_ranges(const ref::vmalloc::Machine& m, const ref::mmu::Region& region,
                std::vector<WindowPart>& parts) {
  const std::uint64_t page = m.config.page_bytes;
  const std::string info = ref::vmalloc::vmallocinfo(m);
  std::uint64_t at = region.begin;
  while (at < region.end) {
    const std::uint64_t p = (at - region.begin) / page;
    const auto& r = m.arena.at(m.vmalloc.range, p);
    if (r.pages == 0) {  // no record: 2.6.11 keeps none of what is free
      const bool goes_on = at > region.begin && parts.back().kind == "free";
      if (!goes_on) parts.push_back({at, at, "free", ""});
      parts.back().end = at += page;
      continue;
    }
    const std::uint64_t end = at + std::uint64_t{r.pages} * page;
    if (r.set != RangeSet::busy) {
      parts.push_back({at, end, r.set == RangeSet::lazy ? "lazy" : "free", ""});
    } else {
      const auto& area = m.arena.at(m.vmalloc.area, p);
      const bool guard = area.object != 0 && !(area.flags & ref::vmalloc::VM_NO_GUARD);
      parts.push_back({at, end - (guard ? page : 0), "area", owner_of(info, at)});
      if (guard) parts.push_back({end - page, end, "guard", ""});
    }
    at = end;
  }
}

template <class M, class F>
std::vector<WindowPart> parts_of(const M& m, F add_window) {
  std::vector<WindowPart> parts;
  for (const ref::mmu::Region& region : ref::mmu::regions(m)) {
    const bool has_pages = region.kind == RegionKind::pkmap || region.kind == RegionKind::fixmap;
    if (has_pages && ref::mmu::is_up(m)) add_mapped(m, region, parts);
    else if (region.kind == RegionKind::vmalloc) add_window(region, parts);
    else
      parts.push_back({region.begin, region.end,
                       ref::mmu::region_names[static_cast<std::size_t>(region.kind)], ""});
  }
  return parts;
}

}  // namespace

std::vector<WindowPart> window_parts(const ref::mmu::Machine& m) {
  return parts_of(m, [](const ref::mmu::Region& region, std::vector<WindowPart>& parts) {
    parts.push_back({region.begin, region.end, "vmalloc", ""});
  });
}

std::vector<WindowPart> window_parts(const ref::vmalloc::Machine& m) {
  return parts_of(m, [&](const ref::mmu::Region& region, std::vector<WindowPart>& parts) {
    add_ranges(m, region, parts);
  });
}

std::string window_text(const std::vector<WindowPart>& parts) {
  std::string text;
  for (const WindowPart& part : parts) {
    std::string line = fmt::format("0x{:08x}-0x{:08x} {:>10}  {:<8} {}", part.begin, part.end,
                                   part.end - part.begin, part.kind, part.owner);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace fuzz
