// Properties about the pages behind addresses of the window.
#include <fmt/format.h>

#include <algorithm>

#include "props/core/probe.hpp"
#include "props/vmalloc/property_case.hpp"
#include "ref/mmu/mmu.hpp"

namespace props::vmalloc {
namespace {

using ref::vmalloc::Address;

Address after(Address address, std::uint64_t bytes) {
  return Address{static_cast<std::uint64_t>(address) + bytes};
}

// A machine at rest with a few frames to map: those that registers hold, in an order that is not
// theirs, and new ones where they are fewer. Areas went back where they leave no room or memory.
struct Mappable {
  Machine m;
  std::vector<std::optional<Pfn>> frames{};
};
Mappable with_frames(const World& world) {
  constexpr std::size_t few = 3;  // of one more page and a guard, twice: less than any window has
  Mappable it{at_rest(world)};
  QuietEnv env;
  for (const Area& a : live_areas(world)) give_back(Calls{}, it.m, a);
  for (const Block& b : world.blocks())
    if (b.live && it.frames.size() < few) it.frames.insert(it.frames.begin(), b.pfn);
  const auto gfp = ref::core::gfp_of(it.m.config.era, "GFP_NOWAIT");
  while (it.frames.size() < few) {
    const auto pfn = ref::buddy::alloc_page(env, it.m, gfp);
    if (!pfn) break;
    it.frames.emplace_back(*pfn);
  }
  if (!it.frames.empty()) it.frames.push_back(it.frames.front());  // one of them twice
  return it;
}

}  // namespace

// A page that is mapped at two addresses is one page.
void written_once_read_everywhere(Case& c) {
  const World world = c.played();
  if (c.broken() || !world.up()) return;
  auto [m, frames] = with_frames(world);
  if (frames.size() < 2) return;
  QuietEnv env;
  const auto one = c.calls.vmap(env, m, frames, ref::vmalloc::VM_MAP, Address::null);
  const auto two = one ? c.calls.vmap(env, m, frames, ref::vmalloc::VM_MAP, Address::null) : one;
  if (!two) return;
  const std::uint64_t page = m.config.page_bytes;
  for (std::uint64_t i = 0; i + 1 < frames.size(); ++i) {
    const std::byte written{static_cast<unsigned char>(0x35 + i)};
    const std::uint64_t offset = i * page + i * 13 % page;
    const bool stored = ref::mmu::store(m, after(*one, offset), std::span(&written, 1)).has_value();
    std::byte read{};
    const bool loaded = ref::mmu::load(m, after(*two, offset), std::span(&read, 1)).has_value();
    const auto in_page = ref::buddy::read_pages(m, *frames[i], i * 13 % page, 1)[0];
    if (!c.holds(stored && loaded && read == written && in_page == written,
                 fmt::format("{:#x} at both addresses and in pfn {}", 0x35 + i, *frames[i]),
                 fmt::format("{:#x} and {:#x}", std::to_integer<unsigned>(read),
                             std::to_integer<unsigned>(in_page)),
                 world))
      return;
  }
}

// vread of an area with memory behind it is what loads read, byte for byte.
void reading_is_loading(Case& c) {
  const World world = c.played();
  if (c.broken() || !world.up()) return;
  Machine m = at_rest(world);
  for (const Area& a : live_areas(world)) {
    // What is called a device's is not read, whatever it maps: vread answers zeros (V-32).
    if (a.pages.empty() || (a.flags & ref::vmalloc::VM_IOREMAP)) continue;
    std::vector<std::byte> loaded(a.bytes), read(a.bytes);
    const bool mapped = ref::mmu::load(m, Address{a.first}, loaded).has_value();
    const std::uint64_t count = c.calls.vread(m, Address{a.first}, read);
    if (!c.holds(mapped && count == a.bytes && read == loaded,
                 fmt::format("{} bytes as loads read them", a.bytes),
                 fmt::format("{} bytes, {}", count, read == loaded ? "the same" : "others"), world))
      return;
  }
}

// vmap takes no page, and vunmap gives none back.
void pages_of_vmap_stay(Case& c) {
  const World world = c.played();
  if (c.broken() || !world.up()) return;
  auto [m, frames] = with_frames(world);
  if (frames.empty()) return;
  QuietEnv env;
  const auto references = [&](const Machine& of) {
    std::vector<std::uint32_t> counts;
    for (const auto& pfn : frames) {
      const auto& zone = ref::buddy::zone_at(of, ref::buddy::zone_of_pfn(of, *pfn));
      counts.push_back(ref::buddy::page_at(of, ref::buddy::page_index(zone, *pfn)).refcount);
    }
    return counts;
  };
  const auto before = references(m);
  const auto got = c.calls.vmap(env, m, frames, ref::vmalloc::VM_MAP, Address::null);
  if (!got) return;
  if (!c.holds(references(m) == before, "references as before vmap", "others", world)) return;
  c.calls.vunmap(env, m, *got);
  c.holds(references(m) == before, "references as before vunmap", "others", world);
}

}  // namespace props::vmalloc
