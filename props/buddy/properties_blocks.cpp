// Properties about what is free: all of it can be had, in any order, as large as it was.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "props/buddy/property_case.hpp"

namespace props::buddy {
namespace {

using ref::buddy::Machine;
using ref::buddy::PageKind;
using ref::core::Index;

std::vector<Pfn> live_heads(const Machine& m) {
  std::vector<Pfn> heads;
  for (Index z = 0; z < m.config.zone_count; ++z) {
    const auto& zone = ref::buddy::zone_at(m, z);
    for (Index i = 0; i < zone.pages; ++i)
      if (ref::buddy::page_at(m, zone.map + i).kind == PageKind::live_head)
        heads.push_back(zone.first + i);
  }
  return heads;
}

// Gives blocks back as good owners would, in this order, and settles.
void free_all(Machine& m, const std::vector<Pfn>& heads) {
  QuietEnv env;
  for (const Pfn pfn : heads) {
    const auto& zone = ref::buddy::zone_at(m, ref::buddy::zone_of_pfn(m, pfn));
    const unsigned order = ref::buddy::page_at(m, ref::buddy::page_index(zone, pfn)).order;
    ref::buddy::set_page_flags(m, pfn, 0);
    ref::buddy::set_page_mapcount(m, pfn, 0);
    while (ref::buddy::page_count(m, pfn) > 1) ref::buddy::put_page(env, m, pfn);
    ref::buddy::free_pages_(env, m, pfn, order);
  }
  ref::buddy::drain_all_pages(env, m);
}

// What the free lists hold when nothing is owned but reserved and lost frames, all merged.
std::vector<std::pair<Pfn, unsigned>> shape_without_lost(const Newborn& newborn, const Machine& m) {
  PageOracle oracle = newborn.oracle;
  std::vector<std::pair<Pfn, unsigned>> shape;
  for (Index z = 0; z < m.config.zone_count; ++z) {
    const auto& zone = ref::buddy::zone_at(m, z);
    for (Index i = 0; i < zone.pages; ++i)
      if (ref::buddy::page_at(m, zone.map + i).kind == PageKind::leaked)
        oracle.lost(zone.first + i, 1);
    for (const FreeBlock& b : oracle.free_blocks(z)) shape.emplace_back(b.pfn, b.order);
  }
  return shape;
}

constexpr Gfp from_anywhere = ref::core::GFP_BIT_HIGHMEM | ref::core::GFP_BIT_NOWARN;

struct Counted {
  std::uint64_t free = 0, parked = 0, live = 0, other = 0;
};

// By the records of the frames, one after the other.
Counted count_frames(const Machine& m, Index z) {
  Counted sum;
  const auto& zone = ref::buddy::zone_at(m, z);
  for (Index i = 0; i < zone.pages; ++i) {
    const auto& page = ref::buddy::page_at(m, zone.map + i);
    const std::uint64_t pages = std::uint64_t{1} << page.order;
    switch (page.kind) {
      case PageKind::inner: break;
      case PageKind::free_head: sum.free += pages; break;
      case PageKind::pcp_head: sum.parked += pages; break;
      case PageKind::live_head: sum.live += pages; break;
      case PageKind::reserved:
      case PageKind::leaked: ++sum.other; break;
    }
  }
  return sum;
}

std::string_view line_of(std::string_view text, std::string_view start) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (text.substr(at, end - at).starts_with(start)) return text.substr(at, end - at);
    at = end + 1;
  }
  return {};
}

// The pages that a zone's line of buddyinfo adds up to.
std::uint64_t pages_of_line(std::string_view line, std::size_t from) {
  std::uint64_t pages = 0;
  for (unsigned order = 0; from < line.size(); ++order) {
    from = std::min(line.find_first_of("0123456789", from), line.size());
    std::uint64_t blocks = 0;
    const auto [end, error] =
        std::from_chars(line.data() + from, line.data() + line.size(), blocks);
    if (error != std::errc{}) break;
    pages += blocks << order;
    from = static_cast<std::size_t>(end - line.data());
  }
  return pages;
}

}  // namespace

void newborn_again(Case& c) {
  const World world = c.played();
  if (c.broken()) return;
  Machine m = world.machine();
  const auto before = shape_of(m);
  free_all(m, live_heads(m));
  const auto wanted = shape_without_lost(c.newborn, m), actual = shape_of(m);
  if (before == wanted) return;  // nothing was to be given back: that is no question
  c.holds(actual == wanted, text_of(wanted), text_of(actual), world);
}

void any_order_of_frees(Case& c) {
  const World world = c.played();
  if (c.broken()) return;
  std::vector<Pfn> heads = live_heads(world.machine());
  if (heads.size() < 2) return;
  Machine upwards = world.machine();
  free_all(upwards, heads);
  const auto wanted = shape_of(upwards);
  const auto compare = [&](std::string_view order) {
    Machine other = world.machine();
    free_all(other, heads);
    const auto actual = shape_of(other);
    c.holds(actual == wanted, "freed upwards: " + text_of(wanted),
            fmt::format("freed {}: {}", order, text_of(actual)), world);
  };
  std::ranges::reverse(heads);
  compare("downwards");
  std::vector<Pfn> mixed;
  for (const std::size_t parity : {1u, 0u})
    for (std::size_t i = parity; i < heads.size(); i += 2) mixed.push_back(heads[i]);
  heads = mixed;
  compare("every second one first");
}

void settled_once(Case& c) {
  const World world = c.played();
  if (c.broken()) return;
  QuietEnv env;
  Machine once = world.machine();
  ref::buddy::drain_all_pages(env, once);
  for (Index z = 0; z < once.config.zone_count; ++z) {
    const Machine& m = world.machine();
    const std::uint64_t was = ref::buddy::zone_at(m, z).free_pages + parked(m, z);
    c.holds(parked(once, z) == 0, "empty per-CPU lists",
            fmt::format("zone {} still holds {} pages there", z, parked(once, z)), world);
    c.holds(ref::buddy::zone_at(once, z).free_pages == was,
            fmt::format("{} free pages in zone {}, as before with the per-CPU lists", was, z),
            fmt::format("{}", ref::buddy::zone_at(once, z).free_pages), world);
  }
  Machine twice = once;
  ref::buddy::drain_all_pages(env, twice);
  c.holds(twice == once, "settling again changes nothing", "it does", world);
}

void all_can_be_had(Case& c) {
  const World world = c.played();
  if (c.broken() || scribbled(world)) return;
  Machine m = settled(world);
  ref::core::set_task_flags(m, ref::core::PF_MEMALLOC);  // no watermark stands in the way
  QuietEnv env;
  std::vector<FreeBlock> wanted;
  for (Index z = 0; z < m.config.zone_count; ++z)
    std::ranges::copy(world.oracle().free_blocks(z), std::back_inserter(wanted));
  std::ranges::sort(wanted, [](const FreeBlock& a, const FreeBlock& b) {
    return a.order != b.order ? a.order > b.order : a.pfn < b.pfn;
  });
  for (const FreeBlock& block : wanted) {
    const auto got = ref::buddy::alloc_pages(env, m, from_anywhere, block.order);
    if (!c.holds(got.has_value(),
                 fmt::format("a block of order {}: the one at pfn {} is nobody's, if no other is",
                             block.order, block.pfn),
                 "refused", world))
      return;
  }
  const auto more = ref::buddy::alloc_pages(env, m, from_anywhere, 0);
  c.holds(!more, "refused: every page is taken", more ? fmt::format("pfn {}", *more) : "refused",
          world);
}

void taken_and_given_back(Case& c) {
  const World world = c.played();
  if (c.broken() || scribbled(world)) return;
  Machine m = settled(world);
  ref::core::set_task_flags(m, ref::core::PF_MEMALLOC);
  QuietEnv env;
  const auto before = shape_of(m);
  for (unsigned order = 0; order < m.config.orders; ++order) {
    const auto got = ref::buddy::alloc_pages(env, m, from_anywhere, order);
    if (!got) continue;
    ref::buddy::free_pages_(env, m, *got, order);
    ref::buddy::drain_all_pages(env, m);
    const auto after = shape_of(m);
    if (!c.holds(after == before, text_of(before),
                 fmt::format("after order {} was taken and given back: {}", order, text_of(after)),
                 world))
      return;
  }
}

void pages_add_up(Case& c) {
  const World world = c.played();
  if (c.broken()) return;
  const Machine& m = world.machine();
  const std::string buddyinfo = ref::buddy::buddyinfo(m), zoneinfo = ref::buddy::zoneinfo(m);
  for (Index z = 0; z < m.config.zone_count; ++z) {
    const auto& zone = ref::buddy::zone_at(m, z);
    const Counted frames = count_frames(m, z);
    const auto equal = [&](std::string_view what, std::uint64_t wanted, std::uint64_t actual) {
      c.holds(wanted == actual, fmt::format("zone {}: {} {}", z, wanted, what),
              fmt::format("{}", actual), world);
    };
    equal("pages on the free lists, by their frames", frames.free, zone.free_pages);
    equal("pages on per-CPU lists, by their frames", frames.parked, parked(m, z));
    equal("pages that nobody owns", frames.free + frames.parked, world.oracle().unowned(z));
    equal("pages in all", zone.pages, frames.free + frames.parked + frames.live + frames.other);
    const std::string start =
        fmt::format("Node {}, zone {:>8}", zone.node,
                    ref::core::zone_proc_names[static_cast<std::size_t>(zone.kind)]);
    equal("pages by buddyinfo", zone.free_pages,
          pages_of_line(line_of(buddyinfo, start), start.size()));
    const std::size_t part = zoneinfo.find(start);
    const bool shown =
        part != zoneinfo.npos &&
        zoneinfo.find(fmt::format("nr_free_pages {}\n", zone.free_pages), part) != zoneinfo.npos;
    c.holds(shown, fmt::format("zoneinfo: nr_free_pages {} of zone {}", zone.free_pages, z),
            "another number", world);
  }
}

}  // namespace props::buddy
