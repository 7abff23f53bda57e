// Reads slab machines for the invariants, and never beyond a table's end.
#include "props/slab/invariants_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace props::slab {

using ref::buddy::PageKind;

constexpr std::uint64_t size_max = std::uint64_t{1}
                                   << 24;  // of an object: larger ones are no slabs

bool is_old(const Machine& m) { return m.config.era == ref::core::EraId::linux_2_6_11; }

std::string name_of(const Machine& m, Index cache) {
  if (cache >= m.slab.cache.count) return fmt::format("cache {}, which is none", cache);
  const auto& name = cache_at(m, cache).name;
  const auto end = std::ranges::find(name, '\0');
  return fmt::format("cache {} \"{}\"", cache, std::string(name.begin(), end));
}

Broken of_cache(const Machine& m, Index cache, std::string_view what, std::uint64_t expected,
                std::uint64_t actual) {
  if (expected == actual) return std::nullopt;
  return Witness{fmt::format("{}, {}", name_of(m, cache), what), expected, actual};
}

std::optional<std::uint64_t> ram_of(const Machine& m, std::uint64_t address) {
  if (address < ref::core::page_offset) return std::nullopt;
  const std::uint64_t at = address - ref::core::page_offset, frame = at / m.config.page_bytes;
  if (frame >= ref::core::pfn_end) return std::nullopt;
  std::uint64_t first = 0;  // page index of the zone's first frame
  for (std::uint32_t z = 0; z < m.config.zone_count; ++z) {
    const ref::core::ZoneSpec& zone = m.config.zones[z];
    if (frame - zone.first < zone.pages)
      return (first + frame - zone.first) * m.config.page_bytes + at % m.config.page_bytes;
    first += zone.pages;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> address_of_page(const Machine& m, Index page) {
  std::uint64_t first = 0;
  for (std::uint32_t z = 0; z < m.config.zone_count; ++z) {
    const ref::core::ZoneSpec& zone = m.config.zones[z];
    if (page - first < zone.pages)
      return ref::core::page_offset + (zone.first + page - first) * m.config.page_bytes;
    first += zone.pages;
  }
  return std::nullopt;
}

std::uint32_t node_of_page(const Machine& m, Index page) {
  std::uint64_t first = 0;
  for (std::uint32_t z = 0; z < m.config.zone_count; ++z) {
    if (page - first < m.config.zones[z].pages) return m.config.zones[z].node;
    first += m.config.zones[z].pages;
  }
  return 0;
}

bool has_bit(const Machine& m, const ref::core::Table<std::uint64_t>& bits, std::uint64_t address) {
  const auto ram = ram_of(m, address);
  // An object whose alignment is no power of two may begin inside a word: the bit is that word's.
  if (!ram) return false;
  const std::uint64_t bit = *ram / m.profile().word_bytes;
  return bit / 64 < bits.count && (m.arena.at(bits, bit / 64) >> bit % 64 & 1) != 0;
}

bool is_live(const Machine& m, std::uint64_t address) { return has_bit(m, m.slab.live, address); }

std::uint64_t bits_of(const Machine& m, const ref::core::Table<std::uint64_t>& bits) {
  std::uint64_t count = 0;
  for (std::uint64_t i = 0; i < bits.count; ++i)
    count += static_cast<std::uint64_t>(std::popcount(m.arena.at(bits, i)));
  return count;
}

std::uint32_t read_index(const Machine& m, std::uint64_t ram, std::uint32_t bytes) {
  std::uint32_t value = 0;
  for (std::uint32_t i = 0; i < bytes; ++i)
    value |= std::to_integer<std::uint32_t>(m.arena.bytes(m.ram, ram + i, 1)[0]) << 8 * i;
  return value;
}

std::uint32_t index_bytes(const Machine& m) {
  return is_old(m) || m.config.page_bytes >> 8 > 16 ? 2 : 1;
}

std::optional<SlabView> sound_slab(const Machine& m, Index page) {
  if (page >= m.slab.slab.count || page >= m.config.pages()) return std::nullopt;
  const Slab& slab = slab_at(m, page);
  if (slab.head != page + 1 || slab.cache == 0 || !exists(m, slab.cache - 1)) return std::nullopt;
  const Cache& of = cache_at(m, slab.cache - 1);
  if (of.gfporder >= m.config.orders || of.size == 0 || of.size > size_max || of.num == 0)
    return std::nullopt;
  const std::uint64_t frames = std::uint64_t{1} << of.gfporder;
  const auto address = address_of_page(m, page);
  const auto last = address_of_page(m, static_cast<Index>(page + frames - 1));
  const std::uint64_t bytes = frames * m.config.page_bytes;
  if (!address || !last || *last - *address != bytes - m.config.page_bytes) return std::nullopt;
  if (std::uint64_t{of.num} * of.size > bytes || of.obj_offset >= of.size) return std::nullopt;
  if (slab.s_mem < *address || slab.s_mem - *address > bytes - std::uint64_t{of.num} * of.size)
    return std::nullopt;
  if (slab.active > of.num) return std::nullopt;
  return SlabView{.page = page,
                  .cache = slab.cache - 1,
                  .node = node_of_page(m, page),
                  .address = *address,
                  .ram = std::uint64_t{page} * m.config.page_bytes,
                  .bytes = bytes,
                  .slab = &slab,
                  .of = &of};
}

std::vector<SlabView> sound_slabs(const Machine& m) {
  std::vector<SlabView> found;
  for (Index page = 0; page < m.slab.slab.count; ++page)
    if (slab_at(m, page).head == page + 1)
      if (const auto slab = sound_slab(m, page)) found.push_back(*slab);
  return found;
}

FreeObjects free_objects(const Machine& m, const SlabView& v) {
  const std::uint32_t num = v.of->num, wide = index_bytes(m), free = num - v.slab->active;
  FreeObjects found{.is_free = std::vector<bool>(num), .numbers = {}, .wrong = {}};
  const auto wrong = [&](std::string what, std::uint64_t expected, std::uint64_t actual) {
    if (found.wrong.empty())
      found.wrong = std::move(what), found.expected = expected, found.actual = actual;
    return found;
  };
  const auto at = ram_of(m, v.slab->freelist);
  const std::uint64_t ram_bytes = m.config.pages() * m.config.page_bytes;
  if (free == 0 && !is_old(m)) return found;
  if (!at || *at + std::uint64_t{num} * wide > ram_bytes)
    return wrong("place of its free indices", 1, 0);
  std::uint32_t next = v.slab->free;
  for (std::uint32_t i = 0; i < free; ++i) {
    const std::uint32_t number =
        is_old(m) ? next : read_index(m, *at + std::uint64_t{v.slab->active + i} * wide, wide);
    if (number >= num) return wrong(fmt::format("free index {}", i), num - 1, number);
    if (found.is_free[number]) return wrong(fmt::format("free index {}, twice", i), 1, 2);
    found.is_free[number] = true;
    found.numbers.push_back(number);
    if (is_old(m)) next = read_index(m, *at + std::uint64_t{number} * wide, wide);
  }
  if (is_old(m) && next != ref::slab::bufctl_end)
    return wrong("end of its free indices", ref::slab::bufctl_end, next);
  return found;
}

std::optional<ObjectIn> object_given_at(const Machine& m, std::uint64_t address) {
  const auto ram = ram_of(m, address);
  if (!ram) return std::nullopt;
  const auto page = static_cast<Index>(*ram / m.config.page_bytes);
  if (page >= m.slab.slab.count || slab_at(m, page).head == 0) return std::nullopt;
  const auto slab = sound_slab(m, slab_at(m, page).head - 1);
  if (!slab || address < slab->given(0)) return std::nullopt;
  const std::uint64_t from = address - slab->given(0), number = from / slab->of->size;
  if (from % slab->of->size != 0 || number >= slab->of->num) return std::nullopt;
  return ObjectIn{*slab, number};
}

std::string ArrayView::name(const Machine& m) const {
  constexpr std::array<std::string_view, 3> kinds{"the array of CPU", "the shared array of node",
                                                  "the alien array of node"};
  const std::string_view text = kinds[static_cast<std::size_t>(kind)];
  return kind == ArrayKind::alien
             ? fmt::format("{}, {} {} for node {}", name_of(m, cache), text, whose, of)
             : fmt::format("{}, {} {}", name_of(m, cache), text, whose);
}

namespace {

// Records [first, first + count) of a table of arrays.
template <class Name>
void visit(const Machine& m, const ref::core::Table<ArrayCache>& arrays,
           const ref::core::Table<std::uint64_t>& entries, std::uint32_t entries_max,
           std::uint64_t first, std::uint64_t count, const Name& name,
           const std::function<void(const ArrayView&)>& visitor) {
  for (std::uint64_t i = first; i < std::min(first + count, arrays.count); ++i) {
    ArrayView view = name(static_cast<std::uint32_t>(i));
    view.array = &m.arena.at(arrays, i);
    view.entry = &m.arena.at(entries, (i + 1) * entries_max - 1) - (entries_max - 1);
    view.entries_max = entries_max;
    visitor(view);
  }
}

void visit_arrays(const Machine& m, Index cache, std::uint64_t caches,
                  const std::function<void(const ArrayView&)>& visitor) {
  const auto cpus = m.config.cpus, nodes = m.config.nodes;
  const auto cpu = [&](std::uint32_t i) {
    return ArrayView{ArrayKind::cpu, i / cpus, i % cpus, 0, {}, {}, 0};
  };
  const auto shared = [&](std::uint32_t i) {
    return ArrayView{ArrayKind::shared, i / nodes, i % nodes, 0, {}, {}, 0};
  };
  const auto alien = [&](std::uint32_t i) {
    return ArrayView{ArrayKind::alien, i / nodes / nodes, i / nodes % nodes, i % nodes, {}, {}, 0};
  };
  const std::uint64_t first = cache;
  visit(m, m.slab.cpu_array, m.slab.cpu_entry, ref::slab::cpu_entries_max, first * cpus,
        caches * cpus, cpu, visitor);
  visit(m, m.slab.shared_array, m.slab.shared_entry, ref::slab::shared_entries_max, first * nodes,
        caches * nodes, shared, visitor);
  visit(m, m.slab.alien_array, m.slab.alien_entry, ref::slab::alien_entries_max,
        first * nodes * nodes, caches * nodes * nodes, alien, visitor);
}

}  // namespace

void for_each_array(const Machine& m, const std::function<void(const ArrayView&)>& visitor) {
  visit_arrays(m, 0, m.slab.cache.count, visitor);
}

void for_each_array_of(const Machine& m, Index cache,
                       const std::function<void(const ArrayView&)>& visitor) {
  visit_arrays(m, cache, 1, visitor);
}

}  // namespace props::slab
