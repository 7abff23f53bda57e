// Reads and writes the machine line.
#include "props/core/machine_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace props {
namespace {

using ref::core::Config;
using ref::core::ZoneKind;
using ref::core::ZoneSpec;

constexpr std::array keys{
    MachineKey{"era", "linux-2.6.11 or linux-6.1; required, and first"},
    MachineKey{"page", "bytes of a page, a power of two from 64 to 65536; default 4096"},
    MachineKey{"orders", "number of free lists, 1 to 11; default 11"},
    MachineKey{"nodes", "NUMA nodes, 1 to 4; default 1"},
    MachineKey{"cpus", "1 to 8, dealt to the nodes in turn; default 1"},
    MachineKey{"zones",
               "NAME[/node][@first_pfn]:pages,... with NAME of DMA, NORMAL, HIGHMEM; "
               "a start defaults to where the zone before ended; required"},
    MachineKey{"reserved", "first-last,...: frames that are never given out"},
    MachineKey{"min_free_kbytes", "default: the era's formula from 4096 pages on, 0 below"},
    MachineKey{"lowmem_reserve_ratio",
               "of DMA,NORMAL; default 256,32 from 4096 pages on, 0,0 below"},
    MachineKey{"pcp", "on or off: per-CPU lists; default on"},
    MachineKey{"cache_line", "bytes of a cache line, a power of two from 16 to 256; default 64"},
    MachineKey{"slab_debug", "on or off: red zones, poison and owners in every cache; default off"},
    MachineKey{"slab_merge", "on or off: caches that serve alike become one; default on"},
    MachineKey{"pkmap", "slots of persistent maps, a power of two up to 1024; default 0"},
    MachineKey{"vmalloc", "pages of the vmalloc window, up to 1048576; default 0"},
};

// A zone's byte from here on: its start is spelled out.
constexpr std::uint8_t placed = 192;

// A byte of switches. The later ones stand behind the first so that all that is usual about them is
// zero: bytes that were written before they came still say the same machine.
constexpr std::uint8_t pcp_bit = 1, debug_bit = 2, unmerged_bit = 4;
constexpr unsigned line_shift = 3;  // above them, the cache line: 64, 128, 256, 16, 32
constexpr std::uint8_t line_mask = 7;
constexpr std::uint8_t window_bit = 64;  // what the window has stands behind everything else
constexpr std::uint32_t line_sizes = 5, usual_line = 2, least_line = 4;

std::uint8_t switches_of(const Config& c) {
  const auto line = static_cast<std::uint32_t>(std::countr_zero(c.cache_line)) - least_line;
  return static_cast<std::uint8_t>((c.pcp ? pcp_bit : 0) | (c.slab_debug ? debug_bit : 0) |
                                   (c.slab_merge ? 0 : unmerged_bit) |
                                   (c.has_window() ? window_bit : 0) |
                                   (line + line_sizes - usual_line) % line_sizes << line_shift);
}

void set_switches(Config& c, std::uint8_t byte) {
  c.pcp = byte & pcp_bit;
  c.slab_debug = byte & debug_bit;
  c.slab_merge = !(byte & unmerged_bit);
  c.cache_line = 1u << (((byte >> line_shift & line_mask) + usual_line) % line_sizes + least_line);
}

using Error = std::optional<TextError>;

Error wrong(std::size_t at, std::string what, std::string expected) {
  return TextError{at, std::move(what), std::move(expected)};
}

Error read_number(std::string_view value, std::size_t at, std::uint32_t& to) {
  const auto n = parse_number(value, UINT32_MAX);
  if (!n) return wrong(at, "bad number '" + std::string(value) + "'", n.error());
  to = static_cast<std::uint32_t>(*n);
  return std::nullopt;
}

// Calls f(part, offset) for each part of a list with commas.
template <class F>
Error each_part(std::string_view list, std::size_t at, F f) {
  for (std::size_t i = 0;;) {
    const std::size_t end = std::min(list.find(',', i), list.size());
    if (Error e = f(list.substr(i, end - i), at + i)) return e;
    if (end == list.size()) return std::nullopt;
    i = end + 1;
  }
}

Error read_zone(Config& c, std::string_view part, std::size_t at) {
  const std::string expected = "NAME[/node][@first_pfn]:pages, as in NORMAL@32:64";
  const std::size_t colon = part.find(':');
  if (colon == part.npos) return wrong(at, "bad zone '" + std::string(part) + "'", expected);
  const std::size_t sign = std::min(part.find('@'), colon);
  const auto zone = ZoneArg::parse(part.substr(0, sign), EraId::linux_6_1);
  if (!zone)
    return wrong(at, "unknown zone '" + std::string(part.substr(0, sign)) + "'", zone.error());
  std::uint32_t pages = 0, first = 0;
  if (Error e = read_number(part.substr(colon + 1), at + colon + 1, pages)) return e;
  if (c.zone_count == ref::core::zones_max)
    return wrong(at, "too many zones", fmt::format("at most {}", ref::core::zones_max));
  if (sign < colon) {
    if (Error e = read_number(part.substr(sign + 1, colon - sign - 1), at + sign + 1, first))
      return e;
    c.add_zone_at(zone->kind, first, pages, zone->node);
    return std::nullopt;
  }
  if (c.zone_count > 0) {
    const ZoneSpec& last = c.zones[c.zone_count - 1];
    if (std::uint64_t{last.first} + last.pages >= ref::core::pfn_end) {
      return wrong(at, "no frame is left for this zone",
                   fmt::format("a start below {}", ref::core::pfn_end));
    }
  }
  c.add_zone(zone->kind, pages, zone->node);
  return std::nullopt;
}

Error read_reserved(Config& c, std::string_view part, std::size_t at) {
  const std::size_t dash = part.find('-');
  if (dash == part.npos)
    return wrong(at, "bad range '" + std::string(part) + "'", "first-last, as in 0-1");
  if (c.reserved_count == ref::core::reserved_max)
    return wrong(at, "too many ranges", fmt::format("at most {}", ref::core::reserved_max));
  ref::core::PfnRange& r = c.reserved[c.reserved_count++];
  if (Error e = read_number(part.substr(0, dash), at, r.first)) return e;
  return read_number(part.substr(dash + 1), at + dash + 1, r.last);
}

Error read_ratios(Config& c, std::string_view value, std::size_t at) {
  const std::size_t comma = value.find(',');
  if (comma == value.npos || value.find(',', comma + 1) != value.npos)
    return wrong(at, "bad ratios '" + std::string(value) + "'", "two numbers, of DMA,NORMAL");
  std::array<std::uint32_t, 2> ratio{};
  if (Error e = read_number(value.substr(0, comma), at, ratio[0])) return e;
  if (Error e = read_number(value.substr(comma + 1), at + comma + 1, ratio[1])) return e;
  c.lowmem_reserve_ratio = ratio;
  return std::nullopt;
}

Error read_key(Config& c, std::string_view key, std::string_view value, std::size_t at) {
  if (key == "era") {
    const auto era = ref::core::era_of(value);
    if (!era)
      return wrong(at, "unknown era '" + std::string(value) + "'", "linux-2.6.11 or linux-6.1");
    c.era = *era;
    return std::nullopt;
  }
  if (key == "page") return read_number(value, at, c.page_bytes);
  if (key == "orders") return read_number(value, at, c.orders);
  if (key == "nodes") return read_number(value, at, c.nodes);
  if (key == "cpus") return read_number(value, at, c.cpus);
  if (key == "zones")
    return each_part(value, at, [&](auto part, auto i) { return read_zone(c, part, i); });
  if (key == "reserved")
    return each_part(value, at, [&](auto part, auto i) { return read_reserved(c, part, i); });
  if (key == "min_free_kbytes") return read_number(value, at, c.min_free_kbytes.emplace());
  if (key == "lowmem_reserve_ratio") return read_ratios(c, value, at);
  if (key == "cache_line") return read_number(value, at, c.cache_line);
  if (key == "pkmap") return read_number(value, at, c.pkmap);
  if (key == "vmalloc") return read_number(value, at, c.vmalloc);
  if (value != "on" && value != "off") {
    return wrong(at, fmt::format("bad {} '{}'", key, value), "on or off");
  }
  bool& choice = key == "pcp" ? c.pcp : key == "slab_debug" ? c.slab_debug : c.slab_merge;
  choice = value == "on";
  return std::nullopt;
}

// Where the value of a key stands, so that an error of validation can point there.
struct Places {
  std::array<std::size_t, keys.size()> at{};
  std::array<bool, keys.size()> seen{};
};

std::size_t key_index(std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(keys, name, &MachineKey::name) - keys.begin());
}

Error read_word(Config& c, Places& places, std::string_view word, std::size_t at) {
  const std::size_t equals = word.find('=');
  const std::string_view key = word.substr(0, equals);
  const std::size_t i = key_index(key);
  if (equals == word.npos || i == keys.size()) {
    std::string names;
    for (const MachineKey& k : keys) names += (names.empty() ? "" : " ") + std::string(k.name);
    return wrong(at, "unknown word '" + std::string(word) + "'",
                 "key=value with a key of: " + names);
  }
  if (places.seen[i]) return wrong(at, std::string(key) + " is given twice", "each key once");
  places.seen[i] = true;
  places.at[i] = at + equals + 1;
  return read_key(c, key, word.substr(equals + 1), at + equals + 1);
}

}  // namespace

std::expected<Config, TextError> parse_machine(std::string_view text) {
  Config c;
  Places places;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (Error e = read_word(c, places, text.substr(at, end - at), at)) return std::unexpected(*e);
    at = end + 1;
  }
  if (!text.empty() && text.back() == ' ')
    return std::unexpected(TextError{text.size() - 1, "the line ends in a space", "a word"});
  for (const std::string_view needed : {"era", "zones"})
    if (!places.seen[key_index(needed)])
      return std::unexpected(TextError{text.size(), std::string(needed) + " is missing",
                                       std::string(needed) + "=..."});
  if (const auto bad = validate(c)) {
    const std::size_t i = key_index(bad->key);
    return std::unexpected(TextError{places.seen[i] ? places.at[i] : 0,
                                     std::string(bad->key) + ": " + bad->what, bad->expected});
  }
  return c;
}

std::string print_machine(const Config& c) {
  const Config defaults;
  std::string text = fmt::format("era={}", c.profile().name);
  const auto number = [&](std::string_view key, std::uint32_t value, std::uint32_t normal) {
    if (value != normal) text += fmt::format(" {}={}", key, value);
  };
  number("page", c.page_bytes, defaults.page_bytes);
  number("orders", c.orders, defaults.orders);
  number("nodes", c.nodes, defaults.nodes);
  std::uint64_t next = 0;
  for (std::uint32_t i = 0; i < c.zone_count; ++i) {
    const ZoneSpec& z = c.zones[i];
    const ZoneArg name{z.kind, static_cast<std::uint8_t>(z.node)};
    text += fmt::format("{}{}{}:{}", i == 0 ? " zones=" : ",", name.print(c.era),
                        z.first == next ? "" : fmt::format("@{}", z.first), z.pages);
    next = std::uint64_t{z.first} + z.pages;
  }
  number("cpus", c.cpus, defaults.cpus);
  for (std::uint32_t i = 0; i < c.reserved_count; ++i)
    text += fmt::format("{}{}-{}", i == 0 ? " reserved=" : ",", c.reserved[i].first,
                        c.reserved[i].last);
  if (c.min_free_kbytes) text += fmt::format(" min_free_kbytes={}", *c.min_free_kbytes);
  if (c.lowmem_reserve_ratio) {
    text += fmt::format(" lowmem_reserve_ratio={},{}", (*c.lowmem_reserve_ratio)[0],
                        (*c.lowmem_reserve_ratio)[1]);
  }
  if (!c.pcp) text += " pcp=off";
  number("cache_line", c.cache_line, defaults.cache_line);
  if (c.slab_debug) text += " slab_debug=on";
  if (!c.slab_merge) text += " slab_merge=off";
  number("pkmap", c.pkmap, defaults.pkmap);
  number("vmalloc", c.vmalloc, defaults.vmalloc);
  return text;
}

void encode_machine(const Config& c, ByteWriter& to) {
  to.byte(static_cast<std::uint64_t>(c.era));
  to.byte(static_cast<std::uint64_t>(std::countr_zero(c.page_bytes)));
  to.byte(c.orders);
  to.byte(c.nodes);
  to.byte(c.cpus);
  to.byte(switches_of(c));
  to.byte(c.zone_count);
  std::uint64_t next = 0;
  for (std::uint32_t i = 0; i < c.zone_count; ++i) {
    const ZoneSpec& z = c.zones[i];
    ZoneArg{z.kind, static_cast<std::uint8_t>(z.node)}.encode(to, c.era);
    to.byte(z.first == next ? 0 : placed);
    if (z.first != next) to.varint(z.first);
    to.varint(z.pages);
    next = std::uint64_t{z.first} + z.pages;
  }
  to.byte(c.reserved_count);
  for (std::uint32_t i = 0; i < c.reserved_count; ++i) {
    to.varint(c.reserved[i].first);
    to.varint(c.reserved[i].last - c.reserved[i].first);
  }
  to.varint(c.min_free_kbytes ? std::uint64_t{*c.min_free_kbytes} + 1 : 0);
  to.byte(c.lowmem_reserve_ratio.has_value());
  if (c.lowmem_reserve_ratio)
    for (const std::uint32_t ratio : *c.lowmem_reserve_ratio) to.varint(ratio);
  if (!c.has_window()) return;
  to.varint(c.pkmap);
  to.varint(c.vmalloc);
}

Config decode_machine(ByteReader& from) {
  Config c;
  c.era = static_cast<EraId>(from.byte() % ref::core::era_count);
  c.page_bytes = 1u << from.byte() % 17;
  c.orders = from.byte();
  c.nodes = from.byte();
  c.cpus = from.byte();
  const std::uint8_t switches = from.byte();
  set_switches(c, switches);
  c.zone_count = from.byte() % (ref::core::zones_max + 1);
  std::uint64_t next = 0;
  for (std::uint32_t i = 0; i < c.zone_count; ++i) {
    const ZoneArg name = ZoneArg::decode(from, c.era);
    if (from.byte() >= placed) next = from.varint();
    const std::uint64_t pages = from.varint();
    c.zones[i] = {name.node, name.kind, static_cast<ref::core::Pfn>(next),
                  static_cast<std::uint32_t>(std::min<std::uint64_t>(pages, UINT32_MAX))};
    next += pages;
  }
  c.reserved_count = from.byte() % (ref::core::reserved_max + 1);
  for (std::uint32_t i = 0; i < c.reserved_count; ++i) {
    c.reserved[i].first = static_cast<ref::core::Pfn>(from.varint());
    c.reserved[i].last = c.reserved[i].first + static_cast<ref::core::Pfn>(from.varint());
  }
  if (const std::uint64_t kbytes = from.varint(); kbytes > 0)
    c.min_free_kbytes = static_cast<std::uint32_t>(kbytes - 1);
  if (from.byte() & 1u) {
    c.lowmem_reserve_ratio.emplace();
    for (std::uint32_t& ratio : *c.lowmem_reserve_ratio)
      ratio = static_cast<std::uint32_t>(from.varint());
  }
  if (switches & window_bit) {
    c.pkmap = static_cast<std::uint32_t>(from.varint());
    c.vmalloc = static_cast<std::uint32_t>(from.varint());
  }
  if (!validate(c)) return c;
  Config plain;  // what these bytes say is no machine, so they say this one
  plain.era = c.era;
  plain.add_zone(ZoneKind::dma, 16);
  plain.add_zone(ZoneKind::normal, 64);
  plain.add_zone(ZoneKind::highmem, 32);
  return plain;
}

std::span<const MachineKey> machine_keys() { return keys; }

}  // namespace props
